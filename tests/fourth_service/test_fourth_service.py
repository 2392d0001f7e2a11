"""A service of another package is built, installed and seen, without a change here."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from PIL import Image

from tests.processes import MARK, left_behind, private_environment

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def run(*command: str | Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, *command], env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_is_installed_and_seen_in_the_explorer(tmp_path: Path):
    environment = private_environment(tmp_path)
    package, wheels, site, pictures = (tmp_path / name for name in ("package", "wheels", "site", "pictures"))
    package.mkdir()
    for name in ("pyproject.toml", "ipyassets_folder.py"):
        shutil.copy(HERE / name, package)
    offline = ("--quiet", "--no-deps", "--no-index", "--disable-pip-version-check")
    run("-m", "pip", "wheel", *offline, "--no-build-isolation", "-w", wheels, package, environment=environment)
    (wheel,) = wheels.glob("*.whl")
    run("-m", "pip", "install", *offline, "--target", site, wheel, environment=environment)

    pictures.mkdir()
    for number, name in enumerate(("oak", "olive", "pine")):
        Image.new("RGB", (64, 48), (0, 60 * number, 0)).save(pictures / f"{name}.png")
        os.utime(pictures / f"{name}.png", (number, number))
    (pictures / "notes.txt").write_text("not a picture")

    paths = [str(site), str(ROOT), *filter(None, [environment.get("PYTHONPATH")])]
    seen = json.loads(
        run(
            "-m",
            "tests.fourth_service.look",
            environment={**environment, "PYTHONPATH": os.pathsep.join(paths), "FOLDER_PATH": str(pictures)},
        )
    )
    assert seen == {
        "services": ["vntana", "itwin", "scenario", "folder"],
        "names": ["oak", "olive"],
        "posters": [[32, 24], [32, 24]],
        "failures": [],
        "titles": ["VNTANA", "Bentley iTwin", "Scenario", "Folder"],
        "tiles": [["pine", "ok", 64], ["olive", "ok", 64], ["oak", "ok", 64]],
        "picked": [[16, 12]],
    }
    assert left_behind(environment[MARK]) == []


def test_the_page_shows_this_package():
    """What the page explains is what is built and installed, to the letter."""
    page = (ROOT / "docs" / "fourth-service.md").read_text()
    blocks = re.findall(r"^```(toml|python)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    project, *code = blocks[:4]
    assert project == ("toml", (HERE / "pyproject.toml").read_text())
    module = (HERE / "ipyassets_folder.py").read_text().partition('"""\n\n')[2]
    assert "\n\n\n".join(text.strip() for _, text in code) + "\n" == module
