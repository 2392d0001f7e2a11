"""What the blocking and the awaited archive job share: the order, its following, and reading what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, ClassVar, Final, TypeAlias

from ipyassets.collections.archive_contents import ArchiveContents, Archived, ArchiveStream
from ipyassets.collections.archive_results import ArchiveResults
from ipyassets.collections.archive_watch import ArchiveWatch, Look
from ipyassets.collections.assets import AssetBase
from ipyassets.collections.batch import ImageBatch
from ipyassets.collections.chosen import Chosen
from ipyassets.collections.following import FIRST_LOOK, Pace, poll_seconds
from ipyassets.collections.jobs import JobItem, PartStage, View
from ipyassets.collections.members import ArchiveLimits, Member
from ipyassets.collections.ordered import OrderedJob
from ipyassets.collections.posters import Box, PosterResult
from ipyassets.errors import AssetServiceError, InvalidRequest, JobFailed
from ipyassets.services.base import Record
from ipyassets.services.downloading import ArchiveOrder, ArchiveService

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["ArchiveJobBase", "Plan", "Planned"]

PART: Final = "archive"


@dataclass(frozen=True, slots=True)
class Planned:
    """One archive that is to be made, or that others had made and is picked up by its ``id``."""

    order: ArchiveOrder | None
    chosen: Sequence[Chosen] = ()
    id: str | None = None


Plan: TypeAlias = Callable[[], Awaitable[Sequence[Planned]]]
"""Finds out what archives a job is of; runs on the loop thread."""


class ArchiveJobBase(ArchiveResults, OrderedJob):
    """What both archive jobs share. One item for each archive, with the part ``archive``.

    ``poll``: seconds to the first look how the work stands. ``view`` makes what shows the job in a notebook.
    """

    unit: ClassVar[str] = "archive"
    _asset: ClassVar[type[AssetBase]]

    def __init__(self, service: ArchiveService, *, poll: float = FIRST_LOOK, view: View | None = None) -> None:
        super().__init__("Archive", view)
        self.last_batch: ImageBatch | None = None
        """What the last `images` gave, also if it was interrupted."""
        self._service = service
        self._contents = ArchiveContents(service, self._why_not)
        self._planned: tuple[Planned, ...] = ()
        self._watch = ArchiveWatch(service, Pace(poll_seconds(poll)), self._news)

    # -- how it stands --------------------------------------------------------------------------------------------

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the jobs at the service, for ``follow_archive``."""
        return tuple(one.id for one in self._contents.archives if one.id is not None)

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

    async def _order(self, find: Plan) -> None:
        """Order the archives, or pick them up."""
        self._fill(await find())
        await self._submit(range(len(self._items)))

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
        with self._failing(lambda: failed):
            await self._submit(failed)

    async def _unfollow(self) -> None:
        self._watch.forget()

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
        self._followed(trouble, over=over)

    def _broken_off(self) -> AssetServiceError:
        return AssetServiceError(
            f"{self.title}: broken off before the service answered; it may have taken an order. An archive that it "
            "makes is picked up by follow_archive()."
        )

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


def _called(one: Archived, count: int) -> str:
    name = one.order.archive_name if one.order is not None else None
    if name is None and one.order is None:
        return f"archive {one.id:.60}"
    return (name or "archive") + (f" {one.index + 1} of {count}" if count > 1 else "")
