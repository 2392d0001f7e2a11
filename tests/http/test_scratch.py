"""Folders that go with their process, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from ipyassets.http import scratch as rooms
from ipyassets.http.scratch import discard, scratch

HOLDER = """
import sys
from ipyassets.http.scratch import scratch
folder = scratch("trial")
(folder / "inside").mkdir()
(folder / "inside" / "file").write_bytes(b"x")
print(folder, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(rooms, "_swept", set())
    return tmp_path


def holder(place: Path) -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(place)},
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def ended(process: subprocess.Popen[str], number: int | None) -> None:
    if number is not None:
        process.send_signal(number)
    process.communicate(timeout=20)


def test_an_orderly_end_leaves_nothing(place: Path) -> None:
    process, folder = holder(place)
    assert folder.is_dir()
    assert folder.stat().st_mode & 0o777 == 0o700
    ended(process, None)
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_a_killed_process_left_goes_when_the_next_one_begins(place: Path, number: int) -> None:
    """Folders of renders, archives and tokens, and files of budgets, lay about in /tmp after runs that were killed."""
    process, folder = holder(place)
    ended(process, number)
    assert folder.is_dir()
    mine = scratch("trial")
    assert not folder.exists()
    assert mine.is_dir()
    discard(mine)
    discard(mine)
    assert list(place.iterdir()) == []


def test_what_a_living_process_holds_stays(place: Path) -> None:
    process, folder = holder(place)
    (place / "ipyassets-trial-of-an-older-version").mkdir()
    stranger = place / "elsewhere"
    stranger.mkdir()
    (place / "ipyassets-trial-link").symlink_to(stranger)
    (stranger / ".held").touch()
    mine = scratch("trial")
    assert (folder / "inside" / "file").read_bytes() == b"x"
    assert (place / "ipyassets-trial-of-an-older-version").is_dir(), "nothing proves that nobody uses it"
    assert stranger.is_dir()
    discard(mine)
    ended(process, None)


def test_a_forked_child_leaves_its_parents_folder(place: Path) -> None:
    folder = scratch("trial")
    child = os.fork()
    if child == 0:
        discard(folder)
        os._exit(0)
    os.waitpid(child, 0)
    assert folder.is_dir()
    rooms._sweep("ipyassets-trial-")
    assert folder.is_dir()
    discard(folder)
