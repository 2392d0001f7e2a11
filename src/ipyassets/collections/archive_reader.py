"""Reading one ZIP archive at a service: its directory, single members, or all of them as they arrive.

`zipfile` does the parsing, over a file of which only pieces are here: the directory at the archive's end first, then
the bytes of each member as long as they are needed. The directory is believed; `zipfile` compares names and checksums
of the members with it.
"""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
import weakref
from bisect import bisect_right
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import IO, Final, TypeVar, cast
from zipfile import BadZipFile, ZipFile, ZipInfo

from ipyassets.collections.disk import Room
from ipyassets.collections.images import in_file_pool
from ipyassets.collections.members import LIMITED, ArchiveLimits, Member, member, over
from ipyassets.collections.pieces import Missing, Pieces
from ipyassets.collections.salvage import EMPTY_DIRECTORY, salvaged
from ipyassets.errors import AssetServiceError, BadResponse
from ipyassets.http.loop import LoopLock
from ipyassets.services.base import Record
from ipyassets.services.downloading import RemoteFile
from ipyassets.texts import shown

__all__ = ["ArchiveReader", "Held"]

T = TypeVar("T")

_TAIL: Final = 65_557
"""Bytes at the end that are fetched first: no archive's end record begins before them."""
_READS: Final = 6
"""Reads after which a directory must be complete."""
_ENTRY: Final = b"PK\x01\x02"
_HEADER: Final = 30 + 2 * 65_535 + 32
"""Bytes that a member's own header and what follows its content take at most."""
_IN_MEMORY: Final = 8 << 20
"""Bytes of one packed member up to which they are held in memory, and not in a temporary file."""
_GAP: Final = 1 << 20
"""Bytes that nobody wants up to which it is quicker to read over them than to ask anew."""


class _NoDirectory(BadResponse):
    """The directory of an archive cannot be read."""


class Held:
    """A member whose packed bytes are here until `close`; `read` and `open` belong on other threads than the loop's."""

    def __init__(
        self, zip: ZipFile, member: Member, release: Callable[[], None], damaged: Callable[[], None] = lambda: None
    ) -> None:
        self.member = member
        self._zip = zip
        self._release = release
        self._damaged = damaged

    def read(self) -> bytes:
        """Its content, the checksum compared. Raises `BadResponse` for a damaged one."""
        with self.open() as file:
            return self._guarded(lambda: file.read(self.member.size))

    def copy(self, target: IO[bytes], size: int = 1 << 20) -> None:
        """Write its content to ``target``. Raises `BadResponse` for a damaged one."""
        with self.open() as file:
            while piece := self._guarded(lambda: file.read(size)):
                target.write(piece)

    def open(self) -> IO[bytes]:
        return self._guarded(lambda: self._zip.open(self.member.info))

    def close(self) -> None:
        self._release()

    def _guarded(self, work: Callable[[], T]) -> T:
        try:
            return _guarded(work, self.member)
        except BadResponse:
            self._damaged()
            raise


class ArchiveReader:
    """One archive. Lives on the loop thread. ``find`` gives the asset of a member's name; it runs on another thread."""

    def __init__(
        self, file: RemoteFile, number: int = 0, find: Callable[[str], Record | None] = lambda _: None
    ) -> None:
        self.file = file
        self.number = number
        """Which archive of its job it is."""
        self.damage: BadResponse | None = None
        """What is wrong with the archive as a whole, where some of it can be read all the same."""
        self._doubted = False
        self._tail: bytes | None = None
        """A digest of the end of the archive, where the directory was read of that alone."""
        self._spool: tuple[IO[bytes], int] | None = None
        self._find = find
        self._lock = LoopLock()
        self._zip: ZipFile | None = None
        self._pieces: Pieces | None = None
        self._members: tuple[Member, ...] = ()
        self._starts: list[int] = []
        self._last: dict[int, ZipInfo] = {}
        self._holds: dict[int, int] = {}

    async def members(self, limits: ArchiveLimits) -> tuple[Member, ...]:
        """All members (no folders) in the order of their bytes; fetched once, mostly without the rest of the archive.

        Of an archive without a directory those at its beginning, and `damage` tells. Raises `BadResponse` for what is
        no archive at all, or one of too many members.
        """
        async with self._lock:
            if self._zip is None:
                try:
                    opened = await self._opened(limits)
                    infos = opened.infolist()
                except _NoDirectory as error:
                    opened, infos = await self._salvaged(error, limits)
                await in_file_pool(self._listed, infos)
                self._zip = opened
        return self._members

    def _listed(self, infos: Sequence[ZipInfo]) -> None:
        infos = sorted(infos, key=lambda info: info.header_offset)
        self._starts = [info.header_offset for info in infos]
        self._last = {info.header_offset: info for info in infos}
        # Not info.is_dir(): it fails for a name that is empty.
        files = (info for info in infos if not info.filename.endswith("/"))
        self._members = tuple(member(self.number, info, self._find) for info in files)

    @property
    def listed(self) -> bool:
        """Whether its members are known."""
        return self._zip is not None

    def knows(self, one: Member) -> bool:
        """Whether ``one`` is a member as it was listed here."""
        return self._last.get(one.info.header_offset) is one.info

    async def doubtful(self) -> bool:
        """Whether the archive is to be read anew: it, or a member, was found damaged, perhaps on its way here alone.

        One whose end is still the same as when its directory could not be read is not.
        """
        if self._doubted or self.damage is None or self._tail is None:
            return self._doubted or self.damage is not None
        size = await self.file.size() or 0
        return _digest(await self.file.read(max(0, size - _TAIL), size)) != self._tail

    def _doubt(self) -> None:
        self._doubted = True

    async def hold(self, one: Member, limits: ArchiveLimits, *, memory: bool = False) -> Held:
        """``one``, its bytes alone fetched where the server gives parts. Raises as `over` says, and for damage."""
        await self.members(limits)
        error = over(one, limits, memory=memory) or self._misplaced(one)
        if error is not None:
            raise error
        start, stop = self._span(one)
        if self._pieces is None:
            return self._held(one)
        if stop - start <= _IN_MEMORY:
            content = await self.file.read(start, stop)
            return self._held(one, content, len(content))
        run = _Run(self.file, start)
        try:
            return self._held(one, await run.take(stop - start), stop - start)
        finally:
            await run.close()

    async def stream(
        self, wanted: Sequence[Member], limits: ArchiveLimits, *, memory: bool = False
    ) -> AsyncGenerator[tuple[Member, Held | AssetServiceError], None]:
        """Each of ``wanted`` in the order of their bytes as it arrives, or why it is not to be had.

        Whoever gets a `Held` closes it. Raises what the service says where the download itself fails.
        """
        await self.members(limits)
        run: _Run | None = None
        try:
            for one in sorted(wanted, key=lambda one: one.info.header_offset):
                error = over(one, limits, memory=memory) or self._misplaced(one)
                if error is not None:
                    yield one, error
                    continue
                if self._pieces is None:
                    yield one, self._held(one)
                    continue
                start, stop = self._span(one)
                if run is not None and not 0 <= start - run.at <= _GAP:
                    await run.close()
                    run = None
                if run is None:
                    run = _Run(self.file, start)
                await run.skip(start - run.at)
                yield one, self._held(one, await run.take(stop - start), stop - start)
        finally:
            if run is not None:
                await run.close()

    # -- the directory --------------------------------------------------------------------------------------------

    async def _opened(self, limits: ArchiveLimits) -> ZipFile:
        size = await self.file.size()
        if size is None or not await self.file.ranges():
            local, count = await self._spooled()
            whole = Pieces(count)
            whole.put(0, local, count)
            return await self._parsed(whole, limits)
        pieces = Pieces(size)
        start = max(0, size - _TAIL)
        tail = await self.file.read(start, size)
        self._tail = _digest(tail)
        pieces.put(start, tail, size - start)
        for _ in range(_READS):
            try:
                opened = await self._parsed(pieces, limits)
            except Missing as missing:
                if missing.stop - missing.start > _longest_directory(limits):
                    raise self._crowded(limits) from None
                self._tail = None
                content = await self.file.read(missing.start, missing.stop)
                pieces.put(missing.start, content, len(content))
            else:
                self._pieces = pieces
                pieces.clear()
                return opened
        raise _NoDirectory(f"{self.file.what} has a directory that leads nowhere; the archive is damaged.")

    async def _parsed(self, pieces: Pieces, limits: ArchiveLimits) -> ZipFile:
        def check(content: bytes) -> None:
            # Before anything is made of each: a small archive may claim millions.
            if content.count(_ENTRY) > limits.members:
                raise self._crowded(limits)

        pieces.check = check
        try:
            found = await in_file_pool(ZipFile, pieces)
        except (Missing, AssetServiceError):
            raise
        except Exception as error:  # noqa: BLE001  # zipfile raises many kinds on hostile directories
            raise _NoDirectory(
                f"{self.file.what} is damaged, cut off or no ZIP archive: its directory cannot be read "
                f"({type(error).__name__})."
            ) from None
        finally:
            pieces.check = None
        if len(found.infolist()) > limits.members:
            raise self._crowded(limits)
        if any(info.header_offset < 0 for info in found.infolist()):  # zipfile counts from where it finds the end
            raise _NoDirectory(f"{self.file.what} is damaged: its directory leads to places before its beginning.")
        return found

    async def _salvaged(self, error: BadResponse, limits: ArchiveLimits) -> tuple[ZipFile, list[ZipInfo]]:
        """What can be read of an archive without its directory. Raises what ``error`` says if that is nothing."""
        local, count = await self._spooled()
        infos = await in_file_pool(salvaged, local, count, limits)
        if not infos:
            raise BadResponse(str(error)) from None
        whole = Pieces(count + len(EMPTY_DIRECTORY))
        whole.put(0, local, count)
        whole.put(count, EMPTY_DIRECTORY, len(EMPTY_DIRECTORY))
        self.damage = BadResponse(f"{error} {len(infos):,} members at its beginning can be read all the same.")
        self._pieces = None
        return ZipFile(cast("IO[bytes]", whole)), infos

    async def _spooled(self) -> tuple[IO[bytes], int]:
        """All of the archive in a temporary file, and how many bytes."""
        if self._spool is None:
            self._spool = await spooled(self.file)
            weakref.finalize(self, self._spool[0].close)
        return self._spool

    def _crowded(self, limits: ArchiveLimits) -> AssetServiceError:
        return BadResponse(
            f"{self.file.what} has more than {limits.members:,} members, the limit; it was not read "
            "(job.limits.members).",
            advice=LIMITED,
        )

    # -- where members are ----------------------------------------------------------------------------------------

    def _next(self, one: Member) -> int:
        """Where what follows ``one`` begins."""
        assert self._zip is not None
        after = bisect_right(self._starts, one.info.header_offset)
        return min(self._starts[after], self._zip.start_dir) if after < len(self._starts) else self._zip.start_dir

    def _span(self, one: Member) -> tuple[int, int]:
        start = one.info.header_offset
        return start, min(self._next(one), start + _HEADER + one.packed)

    def _misplaced(self, one: Member) -> AssetServiceError | None:
        """Members that lie over each other make bombs that no ratio shows; newer versions of zipfile look, too."""
        start = one.info.header_offset
        if self._last[start] is not one.info or start + 30 + one.packed > self._next(one):
            return BadResponse(f"{shown(one.name)} lies over other parts of the archive; it was not read.")
        return None

    def _held(self, one: Member, piece: bytes | IO[bytes] | None = None, length: int = 0) -> Held:
        assert self._zip is not None
        pieces, start = self._pieces, one.info.header_offset
        if piece is None or pieces is None:
            return Held(self._zip, one, lambda: None, self._doubt)
        pieces.put(start, piece, length)
        self._holds[start] = self._holds.get(start, 0) + 1

        def release() -> None:
            self._holds[start] -= 1
            if not self._holds[start]:
                del self._holds[start]
                pieces.drop(start)

        return Held(self._zip, one, release, self._doubt)


class _Run:
    """A download from one place on, of which stretches are taken."""

    def __init__(self, file: RemoteFile, start: int) -> None:
        self.at = start
        self._what = file.what
        self._stream = file.stream(start)
        self._rest = memoryview(b"")

    async def skip(self, count: int) -> None:
        while count > 0:
            piece = await self._piece(count)
            count -= len(piece)

    async def take(self, count: int) -> bytes | IO[bytes]:
        if count <= _IN_MEMORY:
            buffer = bytearray()
            while len(buffer) < count:
                buffer += await self._piece(count - len(buffer))
            return bytes(buffer)
        file, room = tempfile.TemporaryFile(prefix="ipyassets-"), Room()  # noqa: SIM115  # goes with the last who has it
        try:
            while count > 0:
                piece = await self._piece(count)
                await in_file_pool(room.write, file, piece)
                count -= len(piece)
        except BaseException:
            file.close()
            raise
        return file

    async def close(self) -> None:
        close = getattr(self._stream, "aclose", None)
        if close is not None:
            await close()

    async def _piece(self, most: int) -> memoryview:
        if not self._rest:
            try:
                self._rest = memoryview(await anext(self._stream))
            except StopAsyncIteration:
                raise BadResponse(f"{self._what} ended before its directory says; it is cut off.") from None
        piece, self._rest = self._rest[:most], self._rest[most:]
        self.at += len(piece)
        return piece


async def spooled(file: RemoteFile) -> tuple[IO[bytes], int]:
    """All of ``file`` in a temporary file, and how many bytes: for servers that give no parts."""
    spool, room = tempfile.TemporaryFile(prefix="ipyassets-"), Room()  # noqa: SIM115  # goes with the last who has it
    size = 0
    try:
        async with contextlib.aclosing(file.stream()) as pieces:
            async for piece in pieces:
                await in_file_pool(room.write, spool, piece)
                size += len(piece)
    except BaseException:
        spool.close()
        raise
    return spool, size


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def _longest_directory(limits: ArchiveLimits) -> int:
    return max(1 << 20, limits.members * 1024)


def _guarded(work: Callable[[], T], one: Member) -> T:
    try:
        return work()
    except Missing:
        why = "its header leads elsewhere than the directory says"
    except BadZipFile as error:
        why = "its checksum is wrong" if "CRC" in str(error) else "header and directory differ"
    except RuntimeError:  # an unknown way of packing, too
        why = "it is encrypted, or packed in a way that cannot be read here"
    except Exception as error:  # noqa: BLE001  # decompressors raise many kinds
        why = f"it cannot be unpacked ({type(error).__name__})"
    raise BadResponse(f"{shown(one.name)} is damaged: {why}.")
