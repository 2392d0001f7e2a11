"""Secrets with a mark in them are planted, everything is done, and every byte that comes of it is searched."""

from __future__ import annotations

import base64
import gzip
import json
import pickle
import random
import subprocess
import sys
import zlib
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.canaries.planted import MARK, Finds, forms_in
from tests.processes import private_environment

ROOT = Path(__file__).parents[2]
SECURITY = ROOT / "SECURITY.md"


def driven(folder: Path, *options: str) -> tuple[Finds, dict[str, int]]:
    """Runs `tests.canaries.drive` and searches all it left; also what it counted."""
    environment = {**private_environment(folder), "TMPDIR": str(folder / "tmp"), "PYTHONASYNCIODEBUG": "1"}
    (folder / "tmp").mkdir()
    with (folder / "stdout").open("wb") as stdout, (folder / "stderr").open("wb") as stderr:
        command = [sys.executable, "-m", "tests.canaries.drive", str(folder), *options]
        ended = subprocess.run(command, env=environment, cwd=ROOT, stdout=stdout, stderr=stderr, check=False)
    assert ended.returncode == 0, (folder / "stderr").read_text(encoding="utf-8")[-4000:]
    finds = Finds()
    for place in sorted(folder.iterdir()):
        if place.name == "said":
            finds.look_below(place)
        elif place.is_dir():
            finds.look_below(place, place.name)
        else:
            finds.look(place.name, place.name, place.read_bytes())
    return finds, json.loads((folder / "stdout").read_text(encoding="utf-8").splitlines()[-1])


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> tuple[Finds, dict[str, int]]:
    return driven(tmp_path_factory.mktemp("canaries"))


KEY = f"{MARK}-0f3é".encode()
WRITTEN = {
    **{f"Basic, {n}": base64.b64encode(b"x" * n + b":" + KEY + b":end") for n in range(3)},
    "base64 for URLs": base64.urlsafe_b64encode(b"?" + KEY),
    "JSON": json.dumps({"key": KEY.decode()}).encode(),
    "JSON, all escaped": "".join(f"\\u{ord(c):04x}" for c in KEY.decode()).encode(),
    "URL": quote(KEY).encode(),
    "URL, all escaped": "".join(f"%{byte:02X}" for byte in KEY).encode(),
    "hex": KEY.hex().encode(),
    "HEX": KEY.hex().upper().encode(),
    "a list of bytes": repr(list(KEY)).encode(),
    "UTF-16": KEY.decode().encode("utf-16"),
    "backwards": KEY.decode()[::-1].encode(),
    "pickled": pickle.dumps({"key": KEY.decode()}),
    "half of it": KEY[: len(MARK)],
}
PACKED = {
    "plain": bytes,
    "gzip": gzip.compress,
    "zlib": lambda data: b"before " + zlib.compress(data) + b" after",
    "twice": lambda data: gzip.compress(pickle.dumps(zlib.compress(data, 9))),
}


@pytest.mark.parametrize("packed", PACKED)
@pytest.mark.parametrize("form", WRITTEN)
def test_a_secret_would_be_found(form: str, packed: str) -> None:
    assert forms_in(PACKED[packed](b"bytes of a file " * 9 + WRITTEN[form] + b" and so on"))


@pytest.mark.parametrize("packed", PACKED)
def test_nothing_is_found_where_nothing_is(packed: str) -> None:
    assert not forms_in(PACKED[packed](random.Random(1).randbytes(300_000)))


def test_no_secret_is_in_anything_that_was_left(result: tuple[Finds, dict[str, int]]) -> None:
    finds, counts = result
    assert not finds.found
    assert counts["requests with a secret"] > 50, "there was nothing to find"
    assert counts["refused to be pickled or copied"] > 10


def test_the_places_searched_are_those_that_are_named(result: tuple[Finds, dict[str, int]]) -> None:
    """SECURITY.md says where was looked; a place that nothing came to was not looked at."""
    finds, _ = result
    named = {
        line.split("|")[1].strip()
        for line in SECURITY.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ")
    }
    missing = {place: figures for place, figures in finds.searched.items() if place not in named}
    assert not missing
    assert all(size for _, size in finds.searched.values())


@pytest.mark.tier2
@pytest.mark.timeout(1800)
def test_the_same_for_every_work_with_every_trouble(tmp_path: Path) -> None:
    finds, counts = driven(tmp_path, "--whole")
    print("\n".join(f"{place}: {things} things, {size:,} bytes" for place, (things, size) in finds.searched.items()))
    print(counts)
    assert not finds.found
    assert counts["AuthenticationError"] > 100
