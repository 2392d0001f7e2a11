from __future__ import annotations

import multiprocessing
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ipyassets.errors import InvalidRequest
from ipyassets.http.cache import DiskCache


def test_what_is_put_is_got(tmp_path: Path):
    kept = DiskCache(tmp_path)
    kept.put(("vntana", "blob", "512"), b"\n bytes \n")
    assert kept.get(("vntana", "blob", "512")) == b"\n bytes \n"
    assert kept.get(("vntana", "blob", "256")) is None
    assert DiskCache(tmp_path).get(("vntana", "blob", "512")) == b"\n bytes \n"


def test_keys_do_not_run_together(tmp_path: Path):
    kept = DiskCache(tmp_path)
    kept.put(("a", "bc"), b"1")
    assert kept.get(("ab", "c")) is None


def test_an_entry_past_its_lifetime_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    kept = DiskCache(tmp_path)
    monkeypatch.setattr("time.time", lambda: 1000.0)
    kept.put(("k",), b"x", lifetime=10)
    assert kept.get(("k",)) == b"x"
    monkeypatch.setattr("time.time", lambda: 1011.0)
    assert kept.get(("k",)) is None


@pytest.mark.parametrize(
    "damage", [b"", b"ipyasset", b"ipyasset" + bytes(20) + b"x", b"garbage without a header, longer than one"]
)
def test_a_damaged_file_is_no_hit(tmp_path: Path, damage: bytes):
    kept = DiskCache(tmp_path)
    kept.put(("k",), b"x" * 100)
    (path,) = (p for p in tmp_path.rglob("*") if p.is_file())
    path.write_bytes(damage)
    assert kept.get(("k",)) is None


def test_a_cut_file_is_no_hit(tmp_path: Path):
    """A process killed while writing must not leave half a picture that is served ever after."""
    kept = DiskCache(tmp_path)
    kept.put(("k",), b"x" * 100)
    (path,) = (p for p in tmp_path.rglob("*") if p.is_file())
    path.write_bytes(path.read_bytes()[:-1])
    assert kept.get(("k",)) is None


def test_a_file_whose_bytes_changed_is_no_hit(tmp_path: Path):
    """After a power cut a file may have its length and nothing but zeros; it was a broken picture for ever."""
    kept = DiskCache(tmp_path)
    kept.put(("k",), b"x" * 100)
    (path,) = (p for p in tmp_path.rglob("*") if p.is_file())
    path.write_bytes(path.read_bytes().replace(b"x" * 100, b"\0" * 100))
    assert kept.get(("k",)) is None


def test_the_size_limit_holds_and_what_was_used_last_stays(tmp_path: Path):
    kept = DiskCache(tmp_path, size_limit=100_000)
    for number in range(9):
        kept.put((str(number),), b"x" * 10_000)
        for path in tmp_path.rglob("*"):
            if path.is_file():
                os.utime(path, (path.stat().st_mtime - 100, path.stat().st_mtime - 100))
    assert kept.get(("0",)) is not None
    for number in range(9, 14):
        kept.put((str(number),), b"x" * 10_000)
    kept.trim()
    assert kept.size() <= 100_000
    assert kept.get(("0",)) is not None
    assert kept.get(("1",)) is None
    assert kept.get(("13",)) is not None


def test_switched_off_it_neither_reads_nor_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    kept = DiskCache(tmp_path)
    kept.put(("k",), b"x")
    kept.enabled = False
    assert kept.get(("k",)) is None
    kept.put(("l",), b"x")
    kept.enabled = True
    assert kept.get(("l",)) is None
    monkeypatch.setenv("IPYASSETS_CACHE", "0")
    assert not DiskCache(tmp_path).enabled


def test_cleared_it_is_empty(tmp_path: Path):
    kept = DiskCache(tmp_path)
    kept.put(("k",), b"x")
    kept.clear()
    assert kept.size() == 0
    assert kept.get(("k",)) is None


def test_the_key_is_not_written_and_only_the_owner_can_look(tmp_path: Path):
    folder = tmp_path / "files"
    kept = DiskCache(folder)
    kept.put(("account-canary", "blob-canary"), b"x")
    assert b"canary" not in b"".join(p.read_bytes() + str(p).encode() for p in folder.rglob("*") if p.is_file())
    shard = next(p for p in folder.iterdir())
    assert stat.S_IMODE(shard.stat().st_mode) & 0o077 == 0


@pytest.mark.skipif(sys.platform == "win32", reason="a Windows folder has no such mode")
def test_nobody_else_can_write_where_it_is_whatever_the_umask(tmp_path: Path):
    """With a umask of 002, as groups that share files have it, a colleague could put other pictures in its place."""
    code = """if True:
        import os, sys
        from ipyassets.http.cache import DiskCache
        os.umask(0)
        DiskCache(sys.argv[1]).put(("k",), b"x")
    """
    folder = tmp_path / "cache" / "ipyassets" / "files"
    subprocess.run([sys.executable, "-c", code, folder], check=True)
    (kept,) = (path for path in folder.rglob("*") if path.is_file())
    made = [kept, *(one for one in kept.parents if one.is_relative_to(tmp_path / "cache"))]
    assert len(made) == 5
    assert [stat.S_IMODE(path.stat().st_mode) & 0o077 for path in made] == [0] * 5


def test_a_folder_that_cannot_be_written_only_means_no_cache(tmp_path: Path):
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    kept = DiskCache(blocked / "below")
    kept.put(("k",), b"x")
    assert kept.get(("k",)) is None


def _hammer(folder: str, seed: int) -> None:
    kept = DiskCache(folder, size_limit=200_000)
    for step in range(300):
        number = (seed * 7 + step) % 40
        content = bytes([number]) * 10_000
        found = kept.get((str(number),))
        assert found is None or found == content
        kept.put((str(number),), content)


def test_several_processes_share_it_without_harm(tmp_path: Path):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_hammer, args=(str(tmp_path), seed)) for seed in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    kept = DiskCache(tmp_path, size_limit=200_000)
    kept.trim()
    assert kept.size() <= 200_000


@pytest.mark.parametrize("wrong", ["1 GB", 1.5, None, True, -1], ids=repr)
def test_a_size_limit_that_is_no_number_of_bytes_is_refused(tmp_path: Path, wrong: Any):
    """It was taken as it came, and then every poster failed on a comparison in the depths."""
    kept = DiskCache(tmp_path, size_limit=1000)
    with pytest.raises(InvalidRequest, match="whole number of bytes"):
        kept.size_limit = wrong
    with pytest.raises(InvalidRequest, match="whole number of bytes"):
        DiskCache(tmp_path, size_limit=wrong)
    assert kept.size_limit == 1000


def test_a_size_limit_of_nothing_keeps_nothing(tmp_path: Path):
    kept = DiskCache(tmp_path)
    kept.size_limit = 0
    kept.put(("k",), b"x")
    assert kept.get(("k",)) is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no such pipes here")
def test_a_pipe_in_the_place_of_a_file_is_no_hit(tmp_path: Path):
    """A folder from somebody else had every picture wait for the pipe's other end, for ever."""
    kept = DiskCache(tmp_path)
    kept.put(("k",), b"x" * 100)
    (path,) = (p for p in tmp_path.rglob("*") if p.is_file())
    path.unlink()
    os.mkfifo(path)
    assert kept.get(("k",)) is None
    kept.put(("k",), b"y")
    assert kept.get(("k",)) == b"y"
