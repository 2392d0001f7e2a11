from __future__ import annotations

import asyncio
import os
import shutil
import stat
import sys
import threading
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipyassets.collections.extraction import Extracted
from ipyassets.collections.members import ArchiveLimits
from ipyassets.errors import BadResponse, Interrupted, InvalidRequest, NotFound, ServiceUnavailable
from tests.collections.archives import MemoryArchives, made, packed
from tests.collections.test_archive_names import NAMES


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_members_become_files_below_the_folder(tmp_path: Path) -> None:
    job = made(MemoryArchives(1), packed({"a/b.txt": b"one", "a/": b"", "c.glb": b"glTF", "\u00e9.txt": b""}))
    done = job.extract(tmp_path / "new" / "folder")
    root = tmp_path / "new" / "folder"
    assert dict(done) == {"a/b.txt": root / "a" / "b.txt", "c.glb": root / "c.glb", "\u00e9.txt": root / "\u00e9.txt"}
    assert files(root) == {"a/b.txt": b"one", "c.glb": b"glTF", "\u00e9.txt": b""}
    assert (done.failures, done.folder) == ([], root)
    assert done.raise_for_failures() is done


def writable(name: str) -> bool:
    """Whether `zipfile` can write it at all."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(NAMES.filter(lambda name: not any("\ud800" <= c <= "\udfff" for c in name)), st.binary(max_size=5))
)
def test_nothing_is_ever_written_outside(tmp_path: Path, members: dict[str, bytes]) -> None:
    shutil.rmtree(tmp_path / "box", ignore_errors=True)
    inner = tmp_path / "box" / "inner"
    inner.mkdir(parents=True)
    members = {name: content for name, content in members.items() if len(name.encode()) < 60_000}
    job = made(MemoryArchives(1), packed(members))
    done = job.extract(inner)
    assert [path.name for path in (tmp_path / "box").iterdir()] == ["inner"]
    assert all(path.resolve().is_relative_to(inner.resolve()) for path in done.values())
    assert len(set(done.values())) == len(done)
    # What zipfile takes for a folder has no file; all others do.
    assert len(files(inner)) == len(done) == len(job)


def test_names_that_lead_elsewhere_stay_inside(tmp_path: Path) -> None:
    names = ["../out.txt", "a/../../out.txt", "/tmp/x.txt", "C:\\x.txt", "..\\out.txt", "\\\\server\\x.txt"]
    job = made(MemoryArchives(1), packed({name: name.encode() for name in names}))
    box = tmp_path / "box"
    done = job.extract(box)
    assert set(done) == set(names)
    assert [path.name for path in tmp_path.iterdir()] == ["box"]
    assert sorted(files(box).values()) == sorted(name.encode() for name in names)


def test_links_and_devices_are_not_made(tmp_path: Path) -> None:
    link = stat.S_IFLNK | 0o777
    modes = {"link.webp": link, "folder": link, "device.png": stat.S_IFCHR | 0o644}
    members = {
        "link.webp": b"../out.txt",
        "folder": b"/tmp",
        "folder/through.txt": b"x",
        "device.png": b"",
        "ok.txt": b"",
    }
    job = made(MemoryArchives(1), packed(members, modes=modes))
    assert job.others == tuple(members)
    done = job.extract(tmp_path)
    assert [name for name, _ in done.failures] == ["link.webp", "folder", "device.png"]
    assert all("a link or a device" in str(error) for _, error in done.failures)
    assert set(files(tmp_path)) == {"folder/through.txt", "ok.txt"}
    assert not any(path.is_symlink() for path in tmp_path.rglob("*"))
    with pytest.raises(ExceptionGroup):
        done.raise_for_failures()


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_that_lies_there_already_leads_nobody_out(tmp_path: Path) -> None:
    outside, box = tmp_path / "outside", tmp_path / "box"
    outside.mkdir()
    box.mkdir()
    (box / "a").symlink_to(outside)
    (box / "b.txt").symlink_to(outside / "b.txt")
    job = made(MemoryArchives(1), packed({"a/x.txt": b"x", "b.txt": b"new"}))
    done = job.extract(box, overwrite=True)
    assert [name for name, _ in done.failures] == ["a/x.txt"]
    assert "through a link" in str(done.failures[0][1])
    assert not list(outside.iterdir())
    assert (box / "b.txt").read_bytes() == b"new"
    assert not (box / "b.txt").is_symlink()


def test_nothing_is_overwritten_unless_asked(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"mine")
    job = made(MemoryArchives(1), packed({"a.txt": b"new"}))
    assert job.extract(tmp_path)["a.txt"].name == "a_2.txt"
    assert (tmp_path / "a.txt").read_bytes() == b"mine"
    assert job.extract(tmp_path, overwrite=True)["a.txt"].name == "a.txt"
    assert (tmp_path / "a.txt").read_bytes() == b"new"


def test_names_that_come_twice_are_all_there(tmp_path: Path) -> None:
    entries = [("a.txt", b"1"), ("a.txt", b"2"), ("A.TXT", b"3"), ("cafe\u0301", b"4"), ("caf\u00e9", b"5")]
    job = made(MemoryArchives(1), packed(entries))
    done = job.extract(tmp_path)
    assert list(done) == ["a.txt", "a.txt (2)", "A.TXT", "cafe\u0301", "caf\u00e9"]
    assert [done[name].read_bytes() for name in done] == [content for _, content in entries]


def test_some_members_only(tmp_path: Path) -> None:
    job = made(MemoryArchives(1), packed({"a.txt": b"a", "b.txt": b"b", "c.txt": b"c"}))
    assert set(job.extract(tmp_path / "1", ["a.txt", "c.txt"])) == {"a.txt", "c.txt"}
    assert set(job.extract(tmp_path / "2", "b.txt")) == {"b.txt"}
    assert set(job.extract(tmp_path / "3", [])) == set()
    with pytest.raises(NotFound, match="no member 'x'"):
        job.extract(tmp_path / "4", ["x"])
    assert not (tmp_path / "4").exists()


def test_damaged_members_are_named_and_leave_nothing(tmp_path: Path) -> None:
    content = packed({"a.txt": b"content", "b.txt": b"other"}).replace(b"content", b"c0ntent")
    done = made(MemoryArchives(1), content).extract(tmp_path)
    assert [name for name, _ in done.failures] == ["a.txt"]
    assert files(tmp_path) == {"b.txt": b"other"}


def test_bombs_are_not_unpacked(tmp_path: Path) -> None:
    content = packed({"bomb.png": bytes(30 << 20), "b.txt": b"fine"}, deflate=True)
    done = made(MemoryArchives(1), content).extract(tmp_path)
    assert "200 times" in str(done.failures[0][1])
    assert files(tmp_path) == {"b.txt": b"fine"}


def test_more_than_the_limit_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    job = made(MemoryArchives(1), packed({f"{n}.bin": bytes(1000) for n in range(10)}))
    job.limits = ArchiveLimits(total_bytes=9_999)
    with pytest.raises(BadResponse, match="10,000 bytes, more than the limit of 9,999"):
        job.extract(tmp_path / "x")
    assert not (tmp_path / "x").exists()
    job.limits = ArchiveLimits(member_bytes=999)
    assert len(job.extract(tmp_path).failures) == 10


def test_a_full_disk_is_said_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")  # noqa: PYI024
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(100, 90, 10))
    job = made(MemoryArchives(1), packed({"a.txt": b"a"}))
    with pytest.raises(InvalidRequest, match="only 10 are free"):
        job.extract(tmp_path)


def test_a_disk_that_fills_up_names_what_was_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = made(MemoryArchives(1), packed({"a.txt": b"a", "b.txt": b"b"}))
    replace = Path.replace

    def full(path: Path, target: Path) -> Path:
        if target.name == "a.txt":
            raise OSError(28, "No space left on device")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", full)
    done = job.extract(tmp_path, overwrite=True)
    assert "No space left" in str(done.failures[0][1])
    assert files(tmp_path) == {"b.txt": b"b"}


def test_permissions_are_the_usual_ones(tmp_path: Path) -> None:
    done = made(MemoryArchives(1), packed({"a.txt": b"a"}, modes={"a.txt": stat.S_IFREG | 0o4777})).extract(tmp_path)
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(done["a.txt"].stat().st_mode) == 0o666 & ~umask


def test_a_download_that_fails_leaves_what_was_written(tmp_path: Path) -> None:
    service = MemoryArchives(1)
    job = made(service, packed({f"{n}.bin": os.urandom(10_000) for n in range(20)}))
    assert len(job) == 20
    (file,) = service.files.values()
    file.breaks = 100_000
    with pytest.raises(ServiceUnavailable):
        job.extract(tmp_path)
    assert 5 < len(files(tmp_path)) < 15


def interrupt() -> None:
    import signal

    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


@pytest.mark.skipif(sys.platform == "win32", reason="signals to threads")
def test_an_interrupt_leaves_and_gives_what_was_written(tmp_path: Path) -> None:
    service = MemoryArchives(1)
    job = made(service, packed({f"{n}.bin": os.urandom(10_000) for n in range(20)}))
    assert len(job) == 20
    (file,) = service.files.values()
    once: list[int] = []

    def piece(at: int) -> Any:
        if at > 100_000 and not once:
            once.append(at)
            interrupt()
            return asyncio.Event().wait()  # nothing more comes, however late the main thread hears of it
        return None

    file.on_piece = piece
    with pytest.raises(Interrupted) as caught:
        job.extract(tmp_path)
    assert isinstance(caught.value.partial, Extracted)
    assert len(files(tmp_path)) >= len(caught.value.partial) > 5
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
