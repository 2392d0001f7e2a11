"""Large files to disk: gone on with where an earlier try stopped, and in their place only when they are whole."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

from ipyassets.collections.aside import aside
from ipyassets.collections.disk import Room
from ipyassets.collections.images import in_file_pool
from ipyassets.errors import AssetServiceError, BadResponse
from ipyassets.services.downloading import RemoteFile

__all__ = ["Advance", "part_of", "save_file"]

Advance: TypeAlias = Callable[[int], Any]
"""Told of each stretch of bytes that came."""
Check: TypeAlias = Callable[[Path, bool], Path | None]
"""Looks at a file that has come, told whether it was put together; may give it another place than was thought."""

T = TypeVar("T")

_LONGEST_NOTE: Final = 64 << 10
"""Bytes of the file beside a part: the head it is taken from is no longer."""

_busy: Final[dict[Path, tuple[asyncio.Task[Any], asyncio.Event]]] = {}
"""Parts that are being written in this process: by which task, and what tells that it has ended."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_busy.clear)  # its tasks did not come along


def part_of(path: Path) -> Path:
    """Where the bytes of ``path`` lie until they are all there."""
    return path.with_name(f"{path.name}.part")


async def save_file(
    file: RemoteFile,
    path: Path,
    check: Check = lambda _path, _resumed: None,
    advance: Advance = lambda _: None,
) -> Path:
    """Write ``file`` to ``path`` (absolute), whole or not at all, and give the path.

    What came before it was broken off stays in ``path.part``, and is gone on with as long as the server gives parts
    and says that the file is still the same. ``check`` looks at the whole file, on another thread; where it raises
    `BadResponse`, a file that was put together is fetched anew once.
    """
    part = part_of(path)
    async with _reserved(part):
        await _in_files(lambda: path.parent.mkdir(parents=True, exist_ok=True))
        begun = await _begun(file, part)
        try:
            await _write(file, part, begun, advance)
            place = await _in_files(check, part, bool(begun))
        except BadResponse:
            if not begun:
                raise
            advance(-begun)
            await _write(file, part, 0, advance)
            place = await _in_files(check, part, False)
        path = place or path
        await _in_files(part.replace, path)
        await _in_files(lambda: _note(part).unlink(missing_ok=True))
    return path


@contextlib.asynccontextmanager
async def _reserved(part: Path) -> AsyncIterator[None]:
    """Nobody else in this process writes ``part`` meanwhile. Raises `BadResponse` where somebody does.

    Who was told to stop is waited for: a person who interrupts a cell and runs it again wants to go on.
    """
    while part in _busy:
        other, ended = _busy[part]
        if not other.cancelling():
            name = part.name.removesuffix(".part")
            raise BadResponse(f"{name} is being written already.", advice="Wait until that has ended.")
        await ended.wait()
    task = asyncio.current_task()
    assert task is not None
    ended = asyncio.Event()
    _busy[part] = task, ended
    try:
        yield
    finally:
        del _busy[part]
        ended.set()


async def _in_files(work: Callable[..., T], *arguments: Any) -> T:
    """As `in_file_pool`, but over only when ``work`` is: it does nothing to a file that others may write by then."""
    running = asyncio.ensure_future(in_file_pool(work, *arguments))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise


async def _begun(file: RemoteFile, part: Path) -> int:
    """Bytes of ``part`` that are good to go on with."""
    size, mark = await file.size(), await file.version()

    def look() -> int:
        with contextlib.suppress(OSError, ValueError):
            there = _size(part)
            if there and mark is not None and json.loads(_read(_note(part))) == {"version": mark, "size": size}:
                return there if size is not None and there <= size else 0
        return 0

    begun = await _in_files(look)
    if begun and not await file.ranges():
        begun = 0
    if not begun:

        def begin() -> None:
            part.unlink(missing_ok=True)
            if mark is not None:
                with aside(_note(part)) as note:
                    note.write(json.dumps({"version": mark, "size": size}).encode())

        await _in_files(begin)
    return begun


async def _write(file: RemoteFile, part: Path, begun: int, advance: Advance) -> None:
    size = await file.size()
    room = Room(part.parent)
    advance(begun)
    with contextlib.ExitStack() as files:  # which has the file also where we were cancelled while it was opened
        target = await _in_files(lambda: files.enter_context(_opened(part, begun)))
        written = begun
        if size is None or written < size:
            async with contextlib.aclosing(file.stream(begun)) as pieces:
                async for piece in pieces:
                    await _in_files(room.write, target, piece)
                    written += len(piece)
                    advance(len(piece))
        if not await _in_files(_same, target, part):
            raise _busy_elsewhere(part)
    if size is not None and written != size:
        raise BadResponse(f"{file.what} came with {written:,} bytes instead of {size:,}.")


def _opened(part: Path, begun: int) -> Any:
    if not begun:
        part.unlink(missing_ok=True)
    target = part.open("r+b" if begun else "xb")
    if not _alone(target.fileno()):
        target.close()
        raise _busy_elsewhere(part)
    target.seek(begun)
    target.truncate()
    return target


def _alone(handle: int) -> bool:
    """Whether no other process writes this file, as far as the system tells."""
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except (ImportError, OSError):  # Windows, or a file system without locks
        return True
    return True


def _same(target: Any, part: Path) -> bool:
    """Whether the open file is still the one of this name."""
    with contextlib.suppress(OSError):
        return os.path.samestat(os.fstat(target.fileno()), part.lstat())
    return False


def _busy_elsewhere(part: Path) -> AssetServiceError:
    name = part.name.removesuffix(".part")
    return AssetServiceError(f"{name} is being written by another process. Wait until that has ended.")


def _size(part: Path) -> int:
    """Bytes of ``part``, if it is ours: where others may write, it may be theirs, or a link to what they may not."""
    found = part.lstat()
    owners = {part.parent.stat().st_uid}  # on some mounts all files are one user's
    if hasattr(os, "geteuid"):
        owners.add(os.geteuid())
    ours = stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and found.st_uid in owners
    return found.st_size if ours else 0


def _read(note: Path) -> bytes:
    """The beginning of a file of ours: in its place may be a link, a pipe that nobody writes to, or one without end."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with open(note, "rb", opener=lambda path, _: os.open(path, flags)) as file:
        return file.read(_LONGEST_NOTE)


def _note(part: Path) -> Path:
    """Which version of the file a part is of."""
    return part.with_name(f"{part.name}.json")
