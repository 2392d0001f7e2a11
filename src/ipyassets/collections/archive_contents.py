"""What is in the archives of a job: members over all of them, single ones, pictures as they arrive, files."""

from __future__ import annotations

import contextlib
import io
import operator
import weakref
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any, ClassVar, Final, TypeVar
from zipfile import ZipFile

from ipyassets.collections.archive_reader import ArchiveReader, Held
from ipyassets.collections.extraction import Extraction
from ipyassets.collections.images import decode, in_decode_pool, in_file_pool
from ipyassets.collections.members import ArchiveLimits, Member
from ipyassets.collections.pages import Item
from ipyassets.collections.posters import Box, PosterStream, called
from ipyassets.collections.safe_names import safe_parts
from ipyassets.collections.saving import Advance, Check, save_file
from ipyassets.errors import AssetServiceError, BadResponse, InvalidRequest, NotFound
from ipyassets.http.loop import LoopLock
from ipyassets.services.base import Record, Served
from ipyassets.services.downloading import ArchiveOrder, ArchiveService
from ipyassets.texts import shown

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["ArchiveContents", "ArchiveStream", "Archived", "Slot"]

T = TypeVar("T")

_ID_TOKENS: Final = ("<id>", "<assetId>")


@dataclass(slots=True)
class Archived:
    """One archive of a job."""

    index: int
    order: ArchiveOrder | None = None
    """What was ordered; None where others did."""
    records: Mapping[str, Record] = field(default_factory=dict)
    """The assets that were asked for by themselves, by id."""
    id: str | None = None
    """Of the job at the service."""
    reader: ArchiveReader | None = None
    missing: tuple[Record, ...] = ()
    """Assets that were asked for and are not in it, as far as is known."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One place of a batch: a member, or an asset that has none, then with the error."""

    record: Record
    member: Member | None = None
    error: AssetServiceError | None = None


class ArchiveContents:
    """Reads the archives of one job. Lives on the loop thread. ``why_not`` tells why one cannot be read (yet).

    Holds its job weakly: what was read of its archives goes with the last who holds the job.
    """

    def __init__(self, service: ArchiveService, why_not: Callable[[int], AssetServiceError | None]) -> None:
        self.archives: list[Archived] = []
        self.limits = ArchiveLimits()
        self._service = service
        self._told = weakref.WeakMethod(why_not)
        self._lock = LoopLock()

    async def members(self) -> list[Member]:
        """All members of the archives that can be read, one archive after the other. Raises if none can.

        What was found damaged is read anew first: it may have been damaged on its way here.
        """
        await self._doubt()
        return [one for _, members, _ in await self._look() for one in members]

    async def members_of(self, index: int) -> tuple[Member, ...]:
        """The members of one archive. Raises if it cannot be read."""
        _, members, error = (await self._look())[index]
        if error is not None:
            raise error
        return members

    async def find(self, which: int | str) -> Member:
        """By position over all archives, or by name: of several the first. Raises IndexError, `NotFound`."""
        members = [one for _, some, _ in await self._look() for one in some]
        if isinstance(which, str):
            for one in members:
                if one.name == which:
                    return one
            raise NotFound(f"There is no member {shown(which)} in the archive; job.names has all {len(members)}.")
        try:
            return members[operator.index(which)]
        except IndexError:
            raise IndexError(f"There is no member at index {which}; the archive has {len(members)}.") from None

    async def read(self, one: Member) -> bytes:
        return await self._with(one, Held.read)

    async def image(self, one: Member, box: Box) -> Image.Image:
        if not one.is_image:
            raise InvalidRequest(f"{shown(one.name)} is no raster picture: job.read() and job.extract() give its file.")
        return await self._with(one, lambda held: _decoded(held, box, self.limits), decoding=True)

    async def open(self, one: Member) -> IO[bytes]:
        return io.BytesIO(await self.read(one))

    async def stream(self, box: Box, *, keep_content: bool, missing: bool) -> ArchiveStream:
        """The pictures of all archives in order; ``missing``: and a slot for each asset of which there is none."""
        parts: list[tuple[ArchiveReader | None, list[Slot]]] = []
        for archived, members, error in await self._look():
            slots = [Slot(one.record or self._stand_in(one), one) for one in members if one.is_image]
            if missing:
                lost = list(archived.records.values() if error is not None else archived.missing)
                damage = archived.reader.damage if archived.reader is not None else None
                if damage is not None and not lost:
                    lost = [Record(self._service.name, "", "the rest of the archive", "image")]
                slots += [Slot(record, error=error or damage or self.absent(archived, record)) for record in lost]
            parts.append((archived.reader, slots))
        return ArchiveStream(self._service, parts, box, self.limits, keep_content=keep_content)

    async def extraction(
        self, folder: str | Path, names: Iterable[str] | None, *, overwrite: bool
    ) -> tuple[Extraction, list[tuple[ArchiveReader, list[Member]]]]:
        """What writes the members called ``names`` (None: all) into ``folder``, and what it is to run on."""
        chosen = None if names is None else {names} if isinstance(names, str) else set(names)
        await self._doubt()
        wanted = []
        for archived, members, _ in await self._look():
            some = [one for one in members if chosen is None or one.name in chosen]
            if some and archived.reader is not None:
                wanted.append((archived.reader, some))
        unknown = (chosen or set()) - {one.name for _, some in wanted for one in some}
        if unknown:
            raise NotFound(f"There is no member {shown(min(unknown))} in the archive; job.names has all.")
        return Extraction(folder, self.limits, overwrite=overwrite), wanted

    async def sizes(self) -> int | None:
        """Bytes of all archives that are there; None if a server does not say."""
        sizes = [await reader.file.size() for reader in await self._ready()]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    async def save(self, path: str | Path, advance: Advance) -> list[Path]:
        """Write all archives as they are; several get numbers before the ending."""
        readers = await self._ready()
        places = await self._places(path, readers)
        saved = []
        for reader, place in zip(readers, places, strict=True):
            try:
                saved.append(await save_file(reader.file, place, _whole(reader.file.what), advance))
            except AssetServiceError as error:
                if isinstance(error, BadResponse) or not reader.listed:
                    self.archives[reader.number].reader = None  # what it knows of the file may be wrong, too
                raise
        return saved

    async def places(self, path: str | Path) -> list[Path]:
        """The files that `save` writes."""
        return await self._places(path, await self._ready())

    async def _places(self, path: str | Path, readers: Sequence[ArchiveReader]) -> list[Path]:
        target = await in_file_pool(_target, path, readers[0])
        if len(self.archives) == 1:
            return [target]
        return [target.with_name(f"{target.stem}-{reader.number + 1}{target.suffix}") for reader in readers]

    def absent(self, archived: Archived, record: Record) -> AssetServiceError:
        """The error of an asset that was asked for and did not come."""
        where = "the archive" if len(self.archives) == 1 else f"archive {archived.index + 1}"
        return NotFound(
            f"{self._service.title}: {called(record)} is not in {where} that was asked for it. "
            "Check that it is still there, then order it again."
        )

    # -- the archives ---------------------------------------------------------------------------------------------

    async def _ready(self) -> list[ArchiveReader]:
        """Readers of the archives that are made. Raises if none is."""
        async with self._lock:
            reasons = []
            for one in self.archives:
                if one.reader is not None and one.reader.file.changed:
                    one.reader, one.missing = None, ()  # the service has made it once more
                reason = self._why_not(one.index)
                if reason is not None:
                    reasons.append(reason)
                elif one.reader is None and one.id is not None:
                    file = await self._service.archive_file(one.id)
                    one.reader = ArchiveReader(file, one.index, self._finder(one))
        if reasons and len(reasons) == len(self.archives):
            raise reasons[0]
        return [one.reader for one in self.archives if one.reader is not None]

    async def _doubt(self) -> None:
        """Let go of what was read of archives that were found damaged, if they may be whole now."""
        for one in self.archives:
            if one.reader is not None and await one.reader.doubtful():
                one.reader, one.missing = None, ()

    async def _look(self) -> list[tuple[Archived, tuple[Member, ...], AssetServiceError | None]]:
        """Every archive, its members, and why it cannot be read, if so."""
        await self._ready()
        found: list[tuple[Archived, tuple[Member, ...], AssetServiceError | None]] = []
        for one in self.archives:
            members: tuple[Member, ...] = ()
            error = self._why_not(one.index)
            if one.reader is not None:
                try:
                    members = await one.reader.members(self.limits)
                    one.missing = self._missing(one, members)
                except BadResponse as trouble:
                    one.reader, error = None, trouble  # next time the file is asked for anew
                except AssetServiceError:
                    one.reader = None  # as here: what answered before that may have been another server
                    raise
            found.append((one, members, error))
        if all(error is not None for _, _, error in found):
            raise next(error for _, _, error in found if error is not None)
        return found

    def _why_not(self, index: int) -> AssetServiceError | None:
        told = self._told()
        return told(index) if told is not None else None

    def _finder(self, archived: Archived) -> Callable[[str], Record | None]:
        service, records = self._service, archived.records
        return lambda name: service.member_of(name, records) if records else None

    def _missing(self, archived: Archived, members: Sequence[Member]) -> tuple[Record, ...]:
        template = archived.order.template if archived.order is not None else ""
        telling = any(token in template for token in _ID_TOKENS)
        if not telling and any(one.record is None for one in members):
            return ()  # any of the members that nobody knows may be one of them
        there = {one.record for one in members}
        return tuple(record for record in archived.records.values() if record not in there)

    async def _again(self, one: Member) -> Member:
        """The member of that name in an archive that was read anew. Raises `NotFound`."""
        for there in await self.members_of(one.archive):
            if there.name == one.name:
                return there
        raise NotFound(f"{shown(one.name)} is not in the archive any more; job.names has all that is.")

    def _stand_in(self, one: Member) -> Record:
        """What stands in a batch for a picture of which nobody knows the asset."""
        return Record(self._service.name, one.name, PurePosixPath(one.name.replace("\\", "/")).name, "image")

    async def _with(self, one: Member, work: Callable[[Held], T], *, decoding: bool = False) -> T:
        reader = self.archives[one.archive].reader
        if reader is None or reader.file.changed or not reader.knows(one):
            one = await self._again(one)
            reader = self.archives[one.archive].reader
        assert reader is not None
        held = await reader.hold(one, self.limits, memory=True)
        try:
            return await (in_decode_pool if decoding else in_file_pool)(work, held)
        finally:
            held.close()


class ArchiveStream(PosterStream):
    """The pictures of archives in order, unpacked and decoded while the rest is on its way."""

    unit: ClassVar[str] = "image"
    ahead: ClassVar[int] = 12
    held: ClassVar[int] = 0

    def __init__(
        self,
        service: ArchiveService,
        parts: Sequence[tuple[ArchiveReader | None, Sequence[Slot]]],
        box: Box,
        limits: ArchiveLimits,
        *,
        keep_content: bool,
    ) -> None:
        super().__init__(self._arriving(), box, keep_content=keep_content)
        self.slots = [slot for _, slots in parts for slot in slots]
        self._service = service
        self._parts = parts
        self._limits = limits
        self._here: dict[int, Held | AssetServiceError] = {}

    async def stop(self) -> list[Any]:
        finished = await super().stop()
        for held in self._here.values():
            if isinstance(held, Held):
                held.close()
        self._here.clear()
        return finished

    async def _arriving(self) -> AsyncIterator[Item]:
        number = 0
        for reader, slots in self._parts:
            wanted = [slot.member for slot in slots if slot.member is not None]
            if reader is not None and wanted:
                async with contextlib.aclosing(reader.stream(wanted, self._limits, memory=True)) as arriving:
                    async for _, held in arriving:
                        self._here[number] = held
                        yield self._service, self.slots[number].record
                        number += 1
            for slot in slots[len(wanted) :]:
                assert slot.error is not None
                self._here[number] = slot.error
                yield self._service, slot.record
                number += 1

    async def _picture(self, index: int, item: Item) -> tuple[Image.Image, Served]:
        del item
        held = self._here.pop(index)
        if isinstance(held, AssetServiceError):
            raise held
        try:
            image, content = await in_decode_pool(_decoded_with, held, self._box, self._limits)
        finally:
            held.close()
        return image, Served(content)


def _decoded(held: Held, box: Box, limits: ArchiveLimits) -> Image.Image:
    return _decoded_with(held, box, limits)[0]


def _decoded_with(held: Held, box: Box, limits: ArchiveLimits) -> tuple[Image.Image, bytes]:
    content = held.read()
    return decode(content, box.width, box.height, shown(held.member.name), limits.pixels), content


def _target(path: str | Path, reader: ArchiveReader) -> Path:
    """The file that ``path`` stands for; in a folder, one with the archive's own name."""
    target = Path(path).absolute()
    if target.is_dir() or str(path).endswith(("/", "\\")):
        target /= safe_parts(reader.file.name or "archive.zip")[-1]
    return target


def _whole(what: str) -> Check:
    """A check that an archive on disk is one; all of its members if it was put together of several downloads."""

    def check(path: Path, resumed: bool) -> Path | None:
        try:
            with ZipFile(path) as archive:
                broken = archive.testzip() if resumed else None
        except Exception as error:  # noqa: BLE001  # zipfile raises many kinds on damaged files
            raise BadResponse(
                f"{what} is damaged or cut off ({type(error).__name__}); see {path.name}.",
                advice="Delete that file, then save it again.",
            ) from None
        if broken is not None:
            raise BadResponse(
                f"{what} is damaged: {shown(broken)} has a wrong checksum; see {path.name}.",
                advice="Delete that file, then save it again.",
            )
        return None

    return check
