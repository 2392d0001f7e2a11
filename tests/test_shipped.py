"""What is in the wheel: the same bytes wherever it is built, and of others only what is named with its licence."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STATIC = ROOT / "src/ipyassets/static"
THIRD_PARTY = (ROOT / "THIRD_PARTY_MODELS.md").read_text(encoding="utf-8")
OURS = {".py", ".typed", ".js", ".css", ".json", ".ipynb", ".webp", ".mp4", ".mp3", ".md", ".cfg"}
"""Endings of what we wrote or rendered ourselves. Models of others and fonts have other ones."""
LISTED = {"furniture-cc0.zip", "fzk-haus.glb.gz"}
OUR_MODELS = {"scan-overwritten.glb", "upload-cut-off.obj"}
"""Broken on purpose, made by `scripts`."""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The wheel, built twice, in two folders of different names, at different times."""
    if not (STATIC / "grid.js").is_file():
        pytest.skip("the browser half is not built: python scripts/npm.py run build")
    built = []
    for number, name in enumerate(("one", "another place")):
        folder = tmp_path_factory.mktemp("tree") / name
        for part in ("src", "scripts", "notebooks", "js"):
            ignored = shutil.ignore_patterns("node_modules", "__pycache__", "*.pyc", ".ipynb_checkpoints")
            shutil.copytree(ROOT / part, folder / part, ignore=ignored)
        for file in ("pyproject.toml", "README.md", "LICENSE", "THIRD_PARTY_MODELS.md"):
            shutil.copy2(ROOT / file, folder)
        later = 2_000_000_000 + 1_000 * number
        for path in (folder / "src").rglob("*"):
            os.utime(path, (later, later))  # bundles stay newer than their sources
        environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000", "PYTHONHASHSEED": str(number)}
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
        built += (folder / "dist").glob("*.whl")
    return built


def test_a_wheel_has_the_same_bytes_wherever_it_is_built(wheels: list[Path]) -> None:
    one, other = wheels
    assert one.name == other.name
    with zipfile.ZipFile(one) as first, zipfile.ZipFile(other) as second:
        assert first.namelist() == second.namelist()
        differing = [name for name in first.namelist() if first.read(name) != second.read(name)]
    assert not differing
    assert one.read_bytes() == other.read_bytes()


def test_everything_of_others_in_it_is_listed_with_its_licence(wheels: list[Path]) -> None:
    with zipfile.ZipFile(wheels[0]) as wheel:
        names = [name for name in wheel.namelist() if ".dist-info/" not in name]
        others = {name for name in names if Path(name).suffix not in OURS}
        assert {Path(name).name for name in others} == LISTED | OUR_MODELS
        assert any(name.endswith("licenses/THIRD_PARTY_MODELS.md") for name in wheel.namelist())
        models = next(name for name in others if name.endswith("furniture-cc0.zip"))
        with wheel.open(models) as file, zipfile.ZipFile(file) as archive:
            objects = [name for name in archive.namelist() if name.endswith(".obj")]
    assert objects
    assert not [name for name in objects if f"`{name}`" not in THIRD_PARTY]
    assert all(name in THIRD_PARTY for name in LISTED)


def test_the_bundles_hold_no_code_of_others() -> None:
    """By esbuild's own account of what went into each: were there a package, its licence would have to be listed."""
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        from npm import JS, npm_command
    finally:
        sys.path.pop(0)
    if not (JS / "node_modules").is_dir():
        pytest.skip("no node_modules: python scripts/npm.py ci")
    npm, environment = npm_command()
    command = [*npm, "run", "--silent", "build", "--", "--inputs"]
    said = subprocess.run(command, cwd=JS, env=environment, check=True, capture_output=True, text=True).stdout
    inputs = json.loads(said)
    assert len(inputs) > 50
    assert not [name for name in inputs if not name.startswith("src/")]
    manifest = json.loads((JS / "package.json").read_text(encoding="utf-8"))
    assert not {"dependencies", "optionalDependencies", "peerDependencies", "bundleDependencies"} & set(manifest)
