"""Archives that a service makes of many assets: the order, its following, and what is in them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, ClassVar, Final, Self, TypeAlias, overload

from ipyassets.collections.archive_contents import ArchiveContents, Archived, ArchiveStream
from ipyassets.collections.archive_results import ArchiveResults
from ipyassets.collections.archive_watch import ArchiveWatch, Look
from ipyassets.collections.assets import Asset, AssetBase, AsyncAsset
from ipyassets.collections.batch import ImageBatch
from ipyassets.collections.chosen import Chosen
from ipyassets.collections.extraction import Extracted
from ipyassets.collections.following import FIRST_LOOK, Pace, poll_seconds
from ipyassets.collections.jobs import AwaitedJob, BlockingJob, JobItem, JobStatus, PartStage, View
from ipyassets.collections.members import ArchiveLimits, Member
from ipyassets.collections.posters import Box, PosterResult, collected, collected_awaiting
from ipyassets.collections.progress import bar
from ipyassets.errors import AssetServiceError, Interrupted, InvalidRequest, JobFailed
from ipyassets.http import loop
from ipyassets.services.base import Record
from ipyassets.services.downloading import ArchiveOrder, ArchiveService

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["ArchiveJob", "ArchiveJobBase", "AsyncArchiveJob", "Plan", "Planned"]

PART: Final = "archive"


@dataclass(frozen=True, slots=True)
class Planned:
    """One archive that is to be made, or that others had made and is picked up by its ``id``."""

    order: ArchiveOrder | None
    chosen: Sequence[Chosen] = ()
    id: str | None = None


Plan: TypeAlias = Callable[[], Awaitable[Sequence[Planned]]]
"""Finds out what archives a job is of; runs on the loop thread."""


class ArchiveJobBase(ArchiveResults):
    """What both archive jobs share. One item for each archive, with the part ``archive``.

    ``poll``: seconds to the first look how the work stands. ``view`` makes what shows the job in a notebook.
    """

    _asset: ClassVar[type[AssetBase]]

    def __init__(self, service: ArchiveService, *, poll: float = FIRST_LOOK, view: View | None = None) -> None:
        super().__init__("Archive", (), view)
        self.last_batch: ImageBatch | None = None
        """What the last `images` gave, also if it was interrupted."""
        self._service = service
        self._placing = True
        self._placed = asyncio.Event()
        self._contents = ArchiveContents(service, self._why_not)
        self._planned: tuple[Planned, ...] = ()
        self._watch = ArchiveWatch(service, Pace(poll_seconds(poll)), self._news)

    # -- how it stands --------------------------------------------------------------------------------------------

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the jobs at the service, for ``follow_archive``."""
        return tuple(one.id for one in self._contents.archives if one.id is not None)

    @property
    def status(self) -> JobStatus:
        """queued, running, completed, partly_failed, failed or stopped (nobody follows it any more)."""
        if self._placing:
            return "queued"
        return "failed" if self._broken is not None and not self._items else super().status

    @property
    def progress(self) -> float:
        """0 to 1, over all archives; what failed is over, too."""
        return super().progress if self._items else 0.0

    @property
    def limits(self) -> ArchiveLimits:
        """How much of an archive is taken; assign another `ArchiveLimits` to take more, or less."""
        return self._contents.limits

    @limits.setter
    def limits(self, limits: ArchiveLimits) -> None:
        if not isinstance(limits, ArchiveLimits):
            raise InvalidRequest(f"limits must be ArchiveLimits, not {type(limits).__name__}.")
        self._contents.limits = limits

    @property
    def missing(self) -> tuple[AssetBase, ...]:
        """Assets that were asked for and are not in the archive, as far as is known since its names were read."""
        return tuple(self._wrap(record) for one in self._contents.archives for record in one.missing)

    @property
    def failures(self) -> list[tuple[int, AssetBase | None, AssetServiceError]]:
        """``(index, asset, error)`` by the index of the archive: failed and damaged ones, and assets `missing` there.

        What is damaged or missing is known once names were read.
        """
        lost = [
            (one.index, self._wrap(record), self._contents.absent(one, record))
            for one in self._contents.archives
            for record in one.missing
        ]
        damaged = [
            (one.index, None, one.reader.damage)
            for one in self._contents.archives
            if one.reader is not None and one.reader.damage is not None
        ]
        return [*super().failures, *damaged, *lost]

    # -- the order ------------------------------------------------------------------------------------------------

    async def _place(self, plan: Plan) -> None:
        """Order the archives (or pick them up) and begin to follow. Raises if nothing at all was taken."""
        try:
            self._fill(await plan())
            await self._submit(range(len(self._items)))
        except AssetServiceError as error:
            self._broken = error
            self._fail(range(len(self._items)), error)
            raise
        except BaseException:
            self._broken = _broken_off(self.title)
            self._fail(range(len(self._items)), self._broken)
            raise
        finally:
            self._placing = False
            self._placed.set()
            self._changed()

    def _fill(self, plan: Sequence[Planned]) -> None:
        self._planned = tuple(plan)
        self._contents.archives = [
            Archived(index, one.order, {there.record.id: there.record for there in one.chosen}, one.id)
            for index, one in enumerate(plan)
        ]
        count = sum(len(one.chosen) for one in plan if one.order is not None)
        archives = "archive" if len(plan) == 1 else f"{len(plan)} archives"
        self.title = f"{archives} of {count} asset{'' if count == 1 else 's'}" if count else archives
        self.title = self.title[0].upper() + self.title[1:]
        stages: dict[str, PartStage] = {PART: "queued"}
        self._items = tuple(JobItem(one.index, _called(one, len(plan)), stages) for one in self._contents.archives)
        self._changed()

    async def _submit(self, indexes: Iterable[int]) -> None:
        archives = [self._contents.archives[index] for index in indexes]
        refused: list[AssetServiceError] = []
        for one in archives:
            if one.order is not None:
                try:
                    one.id = await self._service.request_archive(one.order)
                except AssetServiceError as error:
                    refused.append(error)
                    self._fail([one.index], error)
        if refused and len(refused) == len(archives):
            raise refused[0]
        self._watch.follow({one.index: one.id for one in archives if one.id is not None})
        if all(one.order is None for one in archives):
            await self._watch.look()
            if self.trouble is not None and all(item.status == "queued" for item in self._items):
                self._watch.forget()
                raise self.trouble

    async def _retry(self) -> None:
        await self._placed.wait()
        failed = [item.index for item in self._items if item.status == "failed"]
        if not failed:
            return
        if any(self._contents.archives[index].order is None for index in failed):
            raise InvalidRequest("This archive was ordered elsewhere: order it anew with archive().")
        self._stopped, self._broken, self.trouble = False, None, None
        for index in failed:
            self._begin_again(index)
            archived = self._contents.archives[index]
            archived.id, archived.reader, archived.missing = None, None, ()
        try:
            await self._submit(failed)
        except AssetServiceError as error:
            self._fail(failed, error)
            raise
        except BaseException:
            self._fail(failed, _broken_off(self.title))
            raise

    async def _stop(self) -> None:
        await self._placed.wait()
        await super()._stop()

    async def _unfollow(self) -> None:
        self._watch.forget()

    def _fail(self, indexes: Iterable[int], error: AssetServiceError) -> None:
        for index in indexes:
            if not self._items[index].done:
                self._set(index, PART, "failed", error)

    def _news(self, look: Look, trouble: AssetServiceError | None, over: bool) -> None:
        for index, told in look.items():
            if isinstance(told, AssetServiceError):
                self._set(index, PART, "failed", told)
            elif told.stage == "failed":
                said = ": ".join(part for part in (told.word, told.message) if part) or "it did not say why"
                what = f"{self._service.title}: {self._items[index].name}"
                self._set(index, PART, "failed", JobFailed(f"{what} failed ({said}). retry_failed() asks again."))
            else:
                self._set(index, PART, told.stage, share=told.progress if told.stage == "running" else None)
        if trouble is not self.trouble:
            self.trouble = trouble
            self._changed()
        if over:
            self._broken, self._stopped = trouble, True
            for item in self._items:
                if not item.done:
                    self._set(item.index, PART, "stopped", trouble)

    def _why_not(self, index: int) -> AssetServiceError | None:
        """Why an archive cannot be read, if so."""
        if self._placing:
            return InvalidRequest(f"{self.title} is not ordered yet; wait for the job first.")
        item = self._items[index]
        stage = item.parts[PART]
        if stage == "completed":
            return None
        return item.errors.get(PART) or InvalidRequest(
            f"{self._service.title}: {item.name} is not done yet ({stage}); wait for the job first."
        )

    # -- what is in it --------------------------------------------------------------------------------------------

    def _wrap(self, record: Record) -> AssetBase:
        return self._asset(record, self._service)

    async def _members(self) -> list[Member]:
        if self._broken is not None and not self._items:
            raise self._broken
        return await self._contents.members()

    async def _names(self) -> tuple[str, ...]:
        return tuple(one.name for one in await self._members())

    async def _others(self) -> tuple[str, ...]:
        return tuple(one.name for one in await self._members() if not one.is_image)

    async def _image(self, which: int | str, box: Box) -> Image.Image:
        return await self._contents.image(await self._found(which), box)

    async def _read(self, which: int | str) -> bytes:
        return await self._contents.read(await self._found(which))

    async def _open(self, which: int | str) -> IO[bytes]:
        return await self._contents.open(await self._found(which))

    async def _found(self, which: int | str) -> Member:
        await self._members()
        return await self._contents.find(which)

    async def _stream(self, box: Box, *, batch: bool) -> ArchiveStream:
        await self._members()
        return await self._contents.stream(box, keep_content=batch, missing=batch)

    def _batch(self, results: Sequence[PosterResult]) -> ImageBatch:
        assets = [self._wrap(record) for _, record in (result.item for result in results)]
        self.last_batch = ImageBatch(
            assets,
            [result.image for result in results],
            [(i, assets[i], result.error) for i, result in enumerate(results) if result.error is not None],
            [result.content for result in results],
        )
        return self.last_batch

    def _pair(self, stream: ArchiveStream, result: PosterResult) -> tuple[AssetBase | str, Image.Image | None]:
        member = stream.slots[result.index].member
        assert member is not None
        return (member.name if member.record is None else self._wrap(member.record)), result.image


class ArchiveJob(ArchiveJobBase, BlockingJob):
    """Archives that were ordered, followed while the service makes them; methods block until they are done.

    Once it is done (`wait`), what is in it is read: nothing is fetched that is not asked for, where the server gives
    parts of files. ``len(job)`` and ``job[i]`` count all members, over all archives.
    """

    _asset = Asset

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all members, in their order, as the archive has them; fetched with its directory alone."""
        return loop.run(self._names())

    @property
    def others(self) -> tuple[str, ...]:
        """The names of members that are no raster pictures: 3D, video, audio, text. `read` and `extract` give them."""
        return loop.run(self._others())

    def __len__(self) -> int:
        return len(self.names)

    def __bool__(self) -> bool:
        return True  # without asking anybody

    @overload
    def __getitem__(self, index: int) -> Image.Image: ...
    @overload
    def __getitem__(self, index: slice) -> list[Image.Image]: ...
    def __getitem__(self, index: int | slice) -> Image.Image | list[Image.Image]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        return loop.run(self._image(index, Box()))

    def image(self, name: str, width: int | None = None, height: int | None = None) -> Image.Image:
        """The picture called ``name``, at most ``width`` x ``height`` pixels; its bytes alone are fetched.

        Raises `NotFound` for an unknown name, `BadResponse` for a damaged picture.
        """
        return loop.run(self._image(name, Box(width, height)))

    def read(self, name: str) -> bytes:
        """The content of any member, its checksum compared."""
        return loop.run(self._read(name))

    def open(self, name: str) -> IO[bytes]:
        """The content of any member as a file to read."""
        return loop.run(self._open(name))

    def images(
        self, width: int | None = None, height: int | None = None, *, progress: bool | None = None
    ) -> ImageBatch:
        """All pictures, in the order of the archive, each at most ``width`` x ``height`` pixels; decoded as they come.

        One slot for each member that is a raster picture, None if it is damaged; then one, None, for each asset that
        was asked for and is not there. ``failures`` names both. Members that are no pictures are in `others`.
        Ctrl-C raises `Interrupted` with what had come in ``.partial``, as does an error of the download itself in
        ``last_batch``. ``progress``: as for posters.
        """
        self.last_batch = None  # two batches at once would double the memory
        stream = loop.run(self._stream(Box(width, height), batch=True))
        return collected(stream, lambda: bar(len(stream.slots), "image", "Images", progress), self._batch)

    def iter_images(
        self, width: int | None = None, height: int | None = None
    ) -> Iterator[tuple[Asset | str, Image.Image | None]]:
        """Pairs of asset (the member's name, where it tells no asset) and picture, as they come; memory stays flat.

        A picture is None where it is damaged; use `images` to learn why.
        """
        stream = loop.run(self._stream(Box(width, height), batch=False))
        try:
            while taken := loop.run(stream.take()):
                for result in taken:
                    yield self._pair(stream, result)  # type: ignore[misc]  # assets of our own kind
        finally:
            loop.run(stream.stop())

    def save(self, path: str | Path, *, progress: bool | None = None) -> Path | list[Path]:
        """Write the archive to ``path`` as it is and give the path; a list of paths if the job has several.

        Until it is whole it lies in ``path.part``; a later call goes on with that where the archive is still the same.
        """
        with bar(loop.run(self._contents.sizes()), "B", "Download", progress) as shown:
            try:
                paths = loop.run(self._contents.save(path, shown.update))
            except KeyboardInterrupt:
                raise Interrupted(f"Interrupted; save() goes on with {Path(path).name}.part.", partial=path) from None
        return paths[0] if len(self._contents.archives) == 1 else paths

    def extract(
        self,
        folder: str | Path,
        names: Iterable[str] | None = None,
        *,
        overwrite: bool = False,
        progress: bool | None = None,
    ) -> Extracted:
        """Write members into ``folder``, all or those called ``names``; gives the paths by name, and ``failures``.

        Nothing is written outside, through links, or over files that are there (unless ``overwrite``): names that
        lead elsewhere, clash or that a system refuses are changed. Raises `BadResponse`, before anything is written,
        if all would be more than ``job.limits``. Ctrl-C raises `Interrupted` with what was written in ``.partial``.
        """
        extraction, wanted = loop.run(self._contents.extraction(folder, names, overwrite=overwrite))
        with bar(sum(len(some) for _, some in wanted), "file", "Extract", progress) as shown:
            try:
                return loop.run(extraction.run(wanted, shown.update))
            except KeyboardInterrupt:
                raise Interrupted(f"Interrupted after {len(extraction.done)} files.", partial=extraction.done) from None

    def _begin(self, plan: Plan) -> Self:
        """Send the order and wait until it is taken."""
        try:
            loop.run(self._place(plan))
        except KeyboardInterrupt:
            raise Interrupted(str(_broken_off(self.title)), partial=self) from None
        return self


class AsyncArchiveJob(ArchiveJobBase, AwaitedJob):
    """As `ArchiveJob`, awaited. The order is sent in the background at once; `submitted` waits for that alone."""

    _asset = AsyncAsset

    async def submitted(self) -> Self:
        """Wait until the order is taken; gives the job. Raises what the service said if nothing at all was taken."""
        await loop.awaiting(self._taken())
        return self

    async def names(self) -> tuple[str, ...]:
        """As `ArchiveJob.names`."""
        return await loop.awaiting(self._names())

    async def others(self) -> tuple[str, ...]:
        """As `ArchiveJob.others`."""
        return await loop.awaiting(self._others())

    async def image(self, which: int | str, width: int | None = None, height: int | None = None) -> Image.Image:
        """As `ArchiveJob.image`; also by position, as ``job[i]``."""
        return await loop.awaiting(self._image(which, Box(width, height)))

    async def read(self, name: str) -> bytes:
        """As `ArchiveJob.read`."""
        return await loop.awaiting(self._read(name))

    async def open(self, name: str) -> IO[bytes]:
        """As `ArchiveJob.open`."""
        return await loop.awaiting(self._open(name))

    async def images(self, width: int | None = None, height: int | None = None) -> ImageBatch:
        """As `ArchiveJob.images`, without a progress bar. When cancelled, what had come is kept as ``last_batch``."""
        self.last_batch = None
        return await collected_awaiting(await loop.awaiting(self._stream(Box(width, height), batch=True)), self._batch)

    async def iter_images(
        self, width: int | None = None, height: int | None = None
    ) -> AsyncIterator[tuple[AsyncAsset | str, Image.Image | None]]:
        """As `ArchiveJob.iter_images`."""
        stream = await loop.awaiting(self._stream(Box(width, height), batch=False))
        try:
            while taken := await loop.awaiting(stream.take()):
                for result in taken:
                    yield self._pair(stream, result)  # type: ignore[misc]  # assets of our own kind
        finally:
            await loop.awaiting(stream.stop())

    async def save(self, path: str | Path) -> Path | list[Path]:
        """As `ArchiveJob.save`."""
        paths = await loop.awaiting(self._contents.save(path, _quietly))
        return paths[0] if len(self._contents.archives) == 1 else paths

    async def extract(
        self, folder: str | Path, names: Iterable[str] | None = None, *, overwrite: bool = False
    ) -> Extracted:
        """As `ArchiveJob.extract`."""
        extraction, wanted = await loop.awaiting(self._contents.extraction(folder, names, overwrite=overwrite))
        return await loop.awaiting(extraction.run(wanted, _quietly))

    async def _taken(self) -> None:
        await self._placed.wait()
        if self._broken is not None:
            raise self._broken

    def _begin(self, plan: Plan) -> Self:
        """Send the order in the background."""

        async def place() -> None:
            with contextlib.suppress(AssetServiceError):  # whoever waits is told
                await self._place(plan)

        loop.submit(place())
        return self


def _quietly(count: int) -> None:
    del count


def _called(one: Archived, count: int) -> str:
    name = one.order.archive_name if one.order is not None else None
    if name is None and one.order is None:
        return f"archive {one.id:.60}"
    return (name or "archive") + (f" {one.index + 1} of {count}" if count > 1 else "")


def _broken_off(title: str) -> AssetServiceError:
    return AssetServiceError(
        f"{title}: broken off before the service answered; it may have taken an order. An archive that it makes "
        "is picked up by follow_archive()."
    )
