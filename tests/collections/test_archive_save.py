from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import sys
import threading
import zipfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from ipyassets.collections import saving
from ipyassets.collections.saving import part_of, save_file
from ipyassets.errors import AssetServiceError, BadResponse, Interrupted, ServiceUnavailable
from ipyassets.http import loop
from tests.collections.archives import MemoryArchives, MemoryFile, archived, made, packed
from tests.waiting import PATIENCE


def archive(seed: int = 0) -> bytes:
    return packed({f"{seed}-{n}.bin": os.urandom(20_000) for n in range(10)})


def one_file(service: MemoryArchives) -> MemoryFile:
    (file,) = service.files.values()
    return file


def test_an_archive_is_saved_as_it_is(tmp_path: Path) -> None:
    content = archive()
    job = made(MemoryArchives(1), content)
    path = job.save(tmp_path / "new" / "a.zip")
    assert path == tmp_path / "new" / "a.zip"
    assert path.read_bytes() == content
    assert [one.name for one in path.parent.iterdir()] == ["a.zip"]
    assert job.save(str(tmp_path) + "/") == tmp_path / "memory.zip"
    assert job.save(tmp_path / "new") == tmp_path / "new" / "memory.zip"


def test_a_name_from_the_server_stays_in_the_folder(tmp_path: Path) -> None:
    service = MemoryArchives(1)
    job = made(service, archive())
    one_file(service).name = "..\\..\\evil?.zip"
    assert job.save(tmp_path) == tmp_path / "evil_.zip"


def test_a_broken_download_is_gone_on_with(tmp_path: Path) -> None:
    content, service = archive(), MemoryArchives(1)
    job = made(service, content)
    file, path = one_file(service), tmp_path / "a.zip"
    file.breaks = 100_000
    with pytest.raises(ServiceUnavailable):
        job.save(path)
    assert not path.exists()
    came = part_of(path).stat().st_size
    assert 90_000 < came < 110_000
    file.breaks, file.fetched = None, 0
    assert job.save(path) == path
    assert path.read_bytes() == content
    assert file.fetched == len(content) - came
    assert [one.name for one in tmp_path.iterdir()] == ["a.zip"]


@pytest.mark.parametrize(
    ("changed", "begins"),
    [("nothing", False), ("version", True), ("no version", True), ("no parts", True), ("longer part", True)],
)
def test_it_is_gone_on_with_only_where_it_is_still_the_same(tmp_path: Path, changed: str, begins: bool) -> None:
    content = archive()
    file, path = MemoryFile(content), tmp_path / "a.zip"
    file.breaks = 100_000
    with pytest.raises(ServiceUnavailable):
        loop.run(save_file(file, path))
    came = part_of(path).stat().st_size
    again = MemoryFile(content, parts=changed != "no parts")
    if changed == "version":
        again.mark = "v2"
    elif changed == "no version":
        again.mark = None
    elif changed == "longer part":
        with part_of(path).open("ab") as part:
            part.write(bytes(len(content)))
    loop.run(save_file(again, path))
    assert path.read_bytes() == content
    assert (again.fetched == len(content)) is begins
    assert again.fetched == (len(content) if begins else len(content) - came)


def test_what_was_put_together_wrongly_is_fetched_anew(tmp_path: Path) -> None:
    """A part that was damaged on the disk is found by the checksums of the members."""
    content, service = archive(), MemoryArchives(1)
    job = made(service, content)
    file, path = one_file(service), tmp_path / "a.zip"
    file.breaks = 100_000
    with pytest.raises(ServiceUnavailable):
        job.save(path)
    with part_of(path).open("r+b") as part:
        part.seek(50_000)
        part.write(bytes(100))
    file.breaks = None
    job.save(path)
    assert path.read_bytes() == content


def test_a_cut_archive_is_not_put_in_its_place(tmp_path: Path) -> None:
    service = MemoryArchives(1)
    job = made(service, archive()[:100_000])
    path = tmp_path / "a.zip"
    path.write_bytes(b"from before")
    with pytest.raises(BadResponse, match="damaged or cut off"):
        job.save(path)
    assert path.read_bytes() == b"from before"
    assert part_of(path).stat().st_size == 100_000
    content = archive(1)
    one_file(service).content, one_file(service).mark = content, "v2"
    job.save(path)
    assert path.read_bytes() == content


def test_more_or_less_than_was_told_is_no_file(tmp_path: Path) -> None:
    class Liar(MemoryFile):
        async def size(self) -> int | None:
            return len(self.content) + 1

    with pytest.raises(BadResponse, match="instead of"):
        loop.run(save_file(Liar(archive()), tmp_path / "a.zip"))
    assert not (tmp_path / "a.zip").exists()


def test_a_file_of_unknown_size_is_saved(tmp_path: Path) -> None:
    file = MemoryFile(b"content", parts=False)
    file.says_size, file.mark = False, None
    assert loop.run(save_file(file, tmp_path / "a.bin")).read_bytes() == b"content"


def test_two_at_once_do_not_write_one_part(tmp_path: Path) -> None:
    async def both() -> list[Any]:
        files = [MemoryFile(archive()), MemoryFile(archive())]
        return await asyncio.gather(*(save_file(one, tmp_path / "a") for one in files), return_exceptions=True)

    first, second = loop.run(both())
    assert first == tmp_path / "a"
    assert isinstance(second, BadResponse)
    assert "being written already" in str(second)


def test_two_processes_do_not_write_one_part(tmp_path: Path) -> None:
    """The second cut off what the first had written; which then put a file with a hole in it in its place."""
    content, service = archive(), MemoryArchives(1)
    job, path = made(service, content), tmp_path / "a.zip"
    file = one_file(service)
    file.breaks = len(content) // 2
    with pytest.raises(ServiceUnavailable):
        job.save(path)
    file.breaks, begun = None, part_of(path).stat().st_size
    assert begun
    with part_of(path).open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)  # as the other process holds it
        with pytest.raises(AssetServiceError, match=r"a\.zip is being written by another process"):
            job.save(path)
    assert part_of(path).stat().st_size == begun
    assert job.save(path).read_bytes() == content


def test_a_part_that_another_process_began_anew_is_left_to_it(tmp_path: Path) -> None:
    content, service = archive(), MemoryArchives(1)
    job, path = made(service, content), tmp_path / "a.zip"

    def begin_anew(at: int) -> None:
        if at:
            part_of(path).unlink()
            part_of(path).write_bytes(b"theirs")
            one_file(service).on_piece = None

    one_file(service).on_piece = begin_anew
    with pytest.raises(AssetServiceError, match="by another process"):
        job.save(path)
    assert not path.exists()
    assert part_of(path).read_bytes() == b"theirs"


@pytest.mark.parametrize("ending", [".part", ".part.json"])
def test_a_link_that_lies_in_the_way_is_not_written_through(tmp_path: Path, ending: str) -> None:
    """In a folder where others may write, too, they could have any file of ours overwritten."""
    content, path, precious = archive(), tmp_path / "a.zip", tmp_path / "precious"
    precious.write_text("mine")
    (tmp_path / f"a.zip{ending}").symlink_to(precious)
    assert made(MemoryArchives(1), content).save(path).read_bytes() == content
    assert precious.read_text() == "mine"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.zip", "precious"]


def begun(tmp_path: Path) -> tuple[MemoryFile, Path]:
    """A file that broke off in the middle, and its part."""
    file, path = MemoryFile(archive()), tmp_path / "a.zip"
    file.breaks = 100_000
    with pytest.raises(ServiceUnavailable):
        loop.run(save_file(file, path))
    file.breaks, file.fetched = None, 0
    return file, path


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
@pytest.mark.parametrize("there", ["pipe", "device", "long"])
def test_what_lies_in_the_place_of_a_note_is_not_waited_for(tmp_path: Path, there: str) -> None:
    """In a folder where others may write, a pipe of that name stopped the kernel, and a link to /dev/zero filled it."""
    file, path = begun(tmp_path)
    note = tmp_path / "a.zip.part.json"
    real = note.read_text()
    note.unlink()
    if there == "pipe":
        os.mkfifo(note)
    elif there == "device":
        note.symlink_to("/dev/zero")
    else:
        note.write_text(f"{' ' * 100_000}{real}")
    assert loop.run(save_file(file, path)).read_bytes() == file.content
    assert file.fetched >= len(file.content)
    assert [one.name for one in tmp_path.iterdir()] == ["a.zip"]


def test_a_part_that_is_another_file_too_is_not_gone_on_with(tmp_path: Path) -> None:
    """Where others may write, they could have given a file of ours the name of a part, to be written over."""
    file, path = begun(tmp_path)
    precious = tmp_path / "precious"
    os.link(part_of(path), precious)
    before = precious.read_bytes()
    assert loop.run(save_file(file, path)).read_bytes() == file.content
    assert precious.read_bytes() == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_a_part_that_somebody_else_made_is_not_gone_on_with(tmp_path: Path) -> None:
    """Its beginning, which they chose, became the beginning of our file."""
    file, path = begun(tmp_path)
    part_of(path).write_bytes(b"theirs")
    os.chown(part_of(path), 12345, 12345)
    assert loop.run(save_file(file, path)).read_bytes() == file.content


def test_the_note_beside_a_part_holds_no_address(tmp_path: Path) -> None:
    file = MemoryFile(archive())
    file.breaks = 100_000
    with pytest.raises(ServiceUnavailable):
        loop.run(save_file(file, tmp_path / "a.zip"))
    notes = [path for path in tmp_path.iterdir() if path.suffix == ".json"]
    assert [json.loads(path.read_text()) for path in notes] == [{"version": "v1", "size": len(file.content)}]


@pytest.mark.skipif(sys.platform == "win32", reason="signals to threads")
def test_an_interrupt_keeps_what_came(tmp_path: Path) -> None:
    content, service = archive(), MemoryArchives(1)
    job = made(service, content)
    file, path, once = one_file(service), tmp_path / "a.zip", list[int]()

    def piece(at: int) -> Coroutine[Any, Any, object] | None:
        if at <= 100_000 or once:
            return None
        once.append(at)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        return asyncio.Event().wait()

    file.on_piece = piece
    with pytest.raises(Interrupted, match="goes on with"):
        job.save(path)
    assert part_of(path).stat().st_size > 90_000
    file.fetched = 0
    job.save(path)
    assert zipfile.ZipFile(path).testzip() is None
    assert file.fetched < 110_000


def test_who_was_told_to_stop_is_waited_for(tmp_path: Path) -> None:
    """A cell that was interrupted and run again was told that its file is being written already, by itself."""
    content, path = archive(), tmp_path / "a.zip"
    first, second = MemoryFile(content), MemoryFile(content)
    writing, tidied = asyncio.Event(), asyncio.Event()

    async def hang() -> None:
        writing.set()
        try:
            await asyncio.Event().wait()
        finally:
            await tidied.wait()

    first.on_piece = lambda at: hang() if at > 100_000 else None

    async def again() -> Path:
        stopped = asyncio.create_task(save_file(first, path))
        await writing.wait()
        stopped.cancel()
        anew = asyncio.create_task(save_file(second, path))
        await asyncio.wait([anew], timeout=0)
        tidied.set()
        with pytest.raises(asyncio.CancelledError):
            await stopped
        return await anew

    assert loop.run(again()).read_bytes() == content
    assert second.fetched < 110_000


def test_a_write_that_is_broken_off_does_nothing_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that was opening the part went on after the interrupt, and emptied what the next call had begun."""
    content, path, opening, go_on = archive(), tmp_path / "a.zip", asyncio.Event(), threading.Event()
    opened = saving._opened

    def slowly(part: Path, begun: int) -> Any:
        running.call_soon_threadsafe(opening.set)
        go_on.wait(PATIENCE)
        return opened(part, begun)

    async def again() -> Path:
        monkeypatch.setattr(saving, "_opened", slowly)
        stopped = asyncio.create_task(save_file(MemoryFile(content), path))
        await opening.wait()
        monkeypatch.setattr(saving, "_opened", opened)
        stopped.cancel()
        anew = asyncio.create_task(save_file(MemoryFile(content), path))
        await asyncio.wait([anew], timeout=0)
        go_on.set()
        return await anew

    running = loop.loop()
    assert loop.run(again()).read_bytes() == content


@pytest.mark.skipif(sys.platform == "win32", reason="signals to threads")
def test_an_interrupt_gives_the_pictures_that_came() -> None:
    service = MemoryArchives(5)
    job = archived(service).wait(timeout=10)
    file, once = one_file(service), list[int]()
    file.piece = 100

    def piece(at: int) -> Coroutine[Any, Any, object] | None:
        if at <= len(file.content) // 2 or once:
            return None
        once.append(at)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        return asyncio.Event().wait()

    file.on_piece = piece
    with pytest.raises(Interrupted) as caught:
        job.images()
    assert caught.value.partial is job.last_batch
    assert len(caught.value.partial) <= 5
    assert file.open_streams == 0
    assert len(job.images()) == 5
