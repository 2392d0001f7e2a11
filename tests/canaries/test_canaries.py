"""Secrets with a mark in them are planted, everything is done, and every byte that comes of it is searched."""

from __future__ import annotations

import base64
import contextlib
import gzip
import io
import json
import pickle
import random
import sqlite3
import subprocess
import sys
import warnings
import zipfile
import zlib
from itertools import product
from pathlib import Path
from urllib.parse import quote

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.canaries.planted import MARK
from tests.canaries.search import Finds, forms_in
from tests.processes import MARK as RUN
from tests.processes import left_behind, private_environment

ROOT = Path(__file__).parents[2]
SECURITY = ROOT / "SECURITY.md"
EVERYTHING, NOTEBOOKS, LAB = 3, 4, 5
"""Columns of its table of places."""
COLUMNS = 7


def driven(what: str, folder: Path, *options: str) -> tuple[Finds, dict[str, int]]:
    """Runs the module ``what`` of this package and searches all it left; also what it counted."""
    environment = {**private_environment(folder), "TMPDIR": str(folder / "tmp")}
    if what == "drive":
        environment["PYTHONASYNCIODEBUG"] = "1"
    (folder / "tmp").mkdir()
    with (folder / "stdout").open("wb") as stdout, (folder / "stderr").open("wb") as stderr:
        command = [sys.executable, "-m", f"tests.canaries.{what}", str(folder), *options]
        ended = subprocess.run(command, env=environment, cwd=ROOT, stdout=stdout, stderr=stderr, check=False)
    left = left_behind(environment[RUN])
    assert not left, f"left processes behind: {left}"
    assert ended.returncode == 0, (folder / "stderr").read_text(encoding="utf-8")[-4000:]
    finds = Finds()
    finds.look_at_all(folder)
    return finds, json.loads((folder / "stdout").read_text(encoding="utf-8").splitlines()[-1])


def named(column: int) -> set[str]:
    """The places that SECURITY.md says one of the scans searches."""
    rows = [line.split("|") for line in SECURITY.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    return {row[1].strip() for row in rows if len(row) == COLUMNS and row[column].strip()[:1].isdigit()}


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> tuple[Finds, dict[str, int]]:
    return driven("drive", tmp_path_factory.mktemp("canaries"))


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


def zipped(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("one", b"before it")
        archive.writestr("another", data)
    return file.getvalue()


def drawn(data: bytes) -> bytes:
    """A picture with a text in it, which Pillow packs where it is long."""
    text, file = PngInfo(), io.BytesIO()
    text.add_text("said", data.decode("latin-1") * 9, zip=True)
    Image.new("RGB", (8, 8)).save(file, "PNG", pnginfo=text)
    return file.getvalue()


def filed(data: bytes) -> bytes:
    """A database with a text that is longer than one of its pages."""
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE said (text TEXT)")
        database.execute("INSERT INTO said VALUES (?)", (f"{'x' * 4085}{data.decode('latin-1')}",))
        database.commit()
        return database.serialize()


def tabled(data: bytes) -> bytes:
    import pandas as pd

    file = io.BytesIO()
    file.close = lambda: None  # type: ignore[method-assign]  # what was written is read after that
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas favours pyarrow
        pd.DataFrame({"said": [data.decode("latin-1")] * 99}).to_parquet(file, engine="fastparquet")
    return file.getvalue()


PACKED = {
    "plain": bytes,
    "gzip": gzip.compress,
    "gzip in a file": lambda data: b"before " + gzip.compress(data),
    "fast zlib": lambda data: zlib.compress(data, 3),
    "zip": lambda data: b"before " + zipped(data),
    "PNG": drawn,
    "PNG in a notebook": lambda data: json.dumps({"image/png": base64.b64encode(drawn(data)).decode()}).encode(),
    "SQLite": filed,
    "Parquet": tabled,
    "zlib": lambda data: b"before " + zlib.compress(data) + b" after",
    "twice": lambda data: gzip.compress(pickle.dumps(zlib.compress(data, 9))),
}


@pytest.mark.parametrize(("form", "packed"), [*product(WRITTEN, ["plain", "twice"]), *product(["URL"], PACKED)])
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
    """The cache was named as searched, but had been emptied: a place that nothing came to was not looked at."""
    finds, _ = result
    assert set(finds.searched) == named(EVERYTHING)
    assert all(size for _, size in finds.searched.values())


def test_in_each_place_a_secret_would_be_found(tmp_path: Path) -> None:
    finds, _ = driven("drive", tmp_path, "--leak", MARK)
    assert finds.places == named(EVERYTHING)


def test_no_secret_is_left_by_an_example_notebook(tmp_path: Path) -> None:
    """One of them here; the others in the second tier."""
    finds, _ = driven("notebooks", tmp_path, "02")
    assert not finds.found
    assert set(finds.searched) <= named(NOTEBOOKS)


@pytest.mark.tier2
@pytest.mark.timeout(1800)
def test_no_secret_is_left_by_the_example_notebooks(tmp_path: Path) -> None:
    """Each once well, and once with trouble."""
    finds, counts = driven("notebooks", tmp_path, "--trouble")
    print(f"{finds}\n{counts}")
    assert not finds.found
    assert set(finds.searched) == named(NOTEBOOKS)
    assert sum(counts.values()) > 20, "there was no trouble"


@pytest.mark.tier2
@pytest.mark.browser
@pytest.mark.timeout(3600)
def test_no_secret_comes_to_the_browser_or_is_left_by_jupyterlab(tmp_path: Path) -> None:
    finds, counts = driven("lab", tmp_path)
    print(f"{finds}\n{counts}")
    assert not finds.found
    assert set(finds.searched) == named(LAB)
    assert counts["frames"] > 1000
    assert counts["clicks"] > 100
    assert counts["requests with trouble"] > 10


@pytest.mark.tier2
@pytest.mark.browser
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("what", "column"), [("notebooks", NOTEBOOKS), ("lab", LAB)])
def test_in_each_place_of_notebooks_a_secret_would_be_found(tmp_path: Path, what: str, column: int) -> None:
    finds, _ = driven(what, tmp_path, "--leak")
    assert finds.places >= named(column)


@pytest.mark.tier2
@pytest.mark.timeout(1800)
def test_the_same_for_every_work_with_every_trouble(tmp_path: Path) -> None:
    finds, counts = driven("drive", tmp_path, "--whole")
    print(f"{finds}\n{counts}")
    assert not finds.found
    assert counts["AuthenticationError"] > 100
