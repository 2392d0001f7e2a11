"""Renders that a service makes of some assets: the order, its following, and what came of it."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Final, Generic, TypeAlias, TypeVar, cast

from ipyassets.collections.ahead import collected, collected_awaiting
from ipyassets.collections.assets import Asset, AssetBase, AsyncAsset
from ipyassets.collections.batch import ImageBatch
from ipyassets.collections.chosen import Chosen
from ipyassets.collections.following import FIRST_LOOK, Follower, Pace, follower, listed, poll_seconds
from ipyassets.collections.jobs import JobItem, PartStage, View
from ipyassets.collections.ordered import AwaitedOrder, BlockingOrder, OrderedJob
from ipyassets.collections.posters import PosterResult
from ipyassets.collections.progress import bar
from ipyassets.collections.render_files import file_bytes
from ipyassets.collections.results import Gives, Result
from ipyassets.collections.stills import Still, StillStream
from ipyassets.collections.turntables import AsyncRenderedTurntable, RenderedTurntable, TurntableBase
from ipyassets.collections.watches import Watches, what
from ipyassets.collections.watching import Verdict
from ipyassets.errors import AssetServiceError, BadResponse, InvalidRequest
from ipyassets.http import loop
from ipyassets.services.rendering import PARTS, Part, RenderFile, RenderOrder, RenderService

__all__ = ["AsyncRenderJob", "Find", "RenderJob", "RenderJobBase"]

_NAMED: Final = 3
T = TypeVar("T", bound=TurntableBase)
Find: TypeAlias = Callable[[], Awaitable[Sequence[Chosen]]]
"""Finds the assets of a job; runs on the loop thread."""


class RenderJobBase(OrderedJob, Generic[T]):
    """What both render jobs share. One item for each asset, with the parts ``stills`` and ``turntable``.

    ``order`` None: renders that were ordered elsewhere are followed, those newer than ``since`` where that is given.
    ``poll``: seconds to the first look how the work stands. ``view`` and ``player`` make what shows the job and its
    turntables in a notebook.
    """

    gives: ClassVar[Mapping[str, Gives]] = {"stills": "files", "turntable": "film"}
    _asset: ClassVar[type[AssetBase]]
    _turntable: ClassVar[type[TurntableBase]]

    def __init__(
        self,
        service: RenderService,
        order: RenderOrder | None,
        *,
        since: datetime | None = None,
        poll: float = FIRST_LOOK,
        view: View | None = None,
        player: View | None = None,
    ) -> None:
        super().__init__("Renders", view)
        self.order = order
        """What was ordered; None where the job follows renders that were ordered elsewhere."""
        self.last_batch: ImageBatch | None = None
        """What the last `stills` gave, also if it was interrupted."""
        self._service = service
        self._since = since
        self._player = player
        self._chosen: tuple[Chosen, ...] = ()
        self._files: dict[tuple[int, Part], tuple[RenderFile, ...]] = {}
        self._turntables: dict[int, tuple[tuple[RenderFile, ...], T]] = {}
        self._indexes: dict[str, int] = {}
        self._watches = Watches(service, Pace(poll_seconds(poll)), self._news)
        self._follower: Follower | None = None

    # -- the order ------------------------------------------------------------------------------------------------

    async def _order(self, find: Find) -> None:
        self._fill(await find())
        everything = range(len(self._items))
        await (self._pick_up(everything) if self.order is None else self._submit(everything, self.order))

    def _fill(self, chosen: Sequence[Chosen]) -> None:
        self._chosen = tuple(chosen)
        self._indexes = {one.record.id: index for index, one in enumerate(chosen)}
        self.title = f"{len(chosen)} render{'s' if len(chosen) > 1 else ''}"
        stages: dict[str, PartStage] = dict.fromkeys(PARTS, "queued")
        self._items = tuple(
            JobItem(index, one.record.name, dict(stages), self._asset(one.record, self._service))
            for index, one in enumerate(chosen)
        )
        self._changed()

    async def _submit(self, indexes: Sequence[int], order: RenderOrder) -> None:
        """Order renders, having seen what there is before. Raises if nothing at all was taken."""
        refused = {index: one.error for index in indexes if (one := self._chosen[index]).error is not None}
        asked = [self._chosen[index].record for index in indexes if index not in refused]
        if asked:
            before = await self._service.render_standings(asked)
            files = await listed(self._service, [record for record in asked if record.id not in before.gone])
            # Without knowing what was there before, old renders could not be told from new ones.
            missing = dict(before.gone) | {id: e for id, e in files.items() if isinstance(e, AssetServiceError)}
            ordered = [record for record in asked if record.id not in missing]
            if ordered:
                answer = await self._service.submit_renders(ordered, order)
                taken = frozenset(answer.accepted)
                missing |= {r.id: answer.refused.get(r.id) or _unanswered(r.name) for r in ordered if r.id not in taken}
                for record in ordered:
                    if record.id in taken:
                        self._watches.expect(record, order, before.stages.get(record.id, {}), files[record.id])
            refused |= {self._indexes[id]: error for id, error in missing.items()}
        for index, error in refused.items():
            self._fail([index], error)
        if len(refused) == len(indexes):
            raise _nothing_taken(list(refused.values()))
        self._follow()

    async def _pick_up(self, indexes: Sequence[int]) -> None:
        """Await what others ordered, beginning with a look how it stands."""
        for index in indexes:
            one = self._chosen[index]
            if one.error is not None:
                self._fail([index], one.error)
            else:
                self._watches.pick_up(one.record, self._since)
        following = self._follow()
        await following.look([self._watches])
        if self.trouble is not None and all(item.status == "queued" for item in self._items):
            following.forget(self._watches)
            raise self.trouble

    def _follow(self) -> Follower:
        self._watches.pace.reset()
        self._follower = follower(self._service)
        self._follower.follow(self._watches)
        return self._follower

    async def _retry(self) -> None:
        await self._placed.wait()
        failed = [item.index for item in self._items if "failed" in item.parts.values()]
        if not failed:
            return
        if self.order is None:
            raise InvalidRequest("These renders were ordered elsewhere, who knows how: order them anew with render().")
        self._stopped, self._broken, self.trouble = False, None, None
        good: dict[tuple[int, Part], tuple[RenderFile, ...]] = {}
        for index in failed:
            self._begin_again(index)
            good |= {(index, part): self._files.pop((index, part)) for part in PARTS if (index, part) in self._files}
        try:
            with self._failing(lambda: failed):
                await self._submit(failed, self.order)
        finally:
            for (index, part), files in good.items():
                if self._items[index].parts[part] == "failed":  # it was not ordered again: what it had is still good
                    self._files[index, part] = files
                    self._set(index, part, "completed")

    async def _unfollow(self) -> None:
        self._watches.clear()
        if self._follower is not None:
            self._follower.forget(self._watches)

    def _news(self, verdicts: list[tuple[str, Part, Verdict]], trouble: AssetServiceError | None, over: bool) -> None:
        for id, part, verdict in verdicts:
            index = self._indexes[id]
            if verdict.files:
                self._files[index, part] = verdict.files
            if verdict.stage is not None:
                self._set(index, part, verdict.stage, verdict.error)
        self._followed(trouble, over=over)

    def _broken_off(self) -> AssetServiceError:
        return AssetServiceError(
            f"{self.title}: broken off before the service answered; it may have taken an order. "
            "follow_renders() picks it up."
        )

    # -- what came of it ------------------------------------------------------------------------------------------

    def turntables(self) -> list[T]:
        """The turntables that are done, in the order of the assets; nothing is downloaded before one is used.

        Assets whose turntable failed are in `failures`.
        """
        found = []
        for item, one in zip(self._items, self._chosen, strict=False):
            files = self._files.get((item.index, "turntable"))
            if not files:
                continue
            kept = self._turntables.get(item.index)
            if kept is None or kept[0] != files:
                settings = self.order.turntable if self.order is not None else None
                asset = item.asset or self._asset(one.record, self._service)
                made = self._turntable(self._service, one.record, asset, files, settings=settings, view=self._player)
                kept = self._turntables[item.index] = files, cast("T", made)
            found.append(kept[1])
        return found

    async def _results(self, index: int) -> list[Result]:
        record, service = self._chosen[index].record, self._service
        about = what(service, "stills", record)
        stills = sorted(self._files.get((index, "stills"), ()), key=lambda file: file.position)

        async def read(file: RenderFile) -> bytes:
            return (await file_bytes(service, record, file)).content

        return [
            Result(f"Still {n}", about, picture=True, read=functools.partial(read, file), record=record)
            for n, file in enumerate(stills, 1)
        ]

    async def _film_of(self, index: int, media: str) -> bytes | None:
        asset = self._items[index].asset
        turntable = next((one for one in self.turntables() if one.asset == asset), None)
        if turntable is None or media not in turntable.formats:
            return None
        return await turntable._content(media)  # noqa: SLF001

    def _stills(self) -> StillStream:
        self.last_batch = None  # two batches at once would double the memory
        stills: list[Still] = []
        for item, one in zip(self._items, self._chosen, strict=False):
            files = self._files.get((item.index, "stills"))
            if files:
                stills.extend(Still(one.record, file) for file in sorted(files, key=lambda file: file.position))
            else:
                stills.append(Still(one.record, self._why_not(item, one)))
        size = (self.order.width, self.order.height) if self.order is not None else None
        return StillStream(self._service, stills, size)

    def _why_not(self, item: JobItem, one: Chosen) -> AssetServiceError:
        about, stage = what(self._service, "stills", one.record), item.parts["stills"]
        if stage == "stopped":
            about += " were not followed to their end"
            return item.errors.get("stills") or AssetServiceError(f"{about}; follow_renders() picks them up.")
        return item.errors.get("stills") or AssetServiceError(f"{about} are not done yet ({stage}).")

    def _batch(self, results: Sequence[PosterResult]) -> ImageBatch:
        assets = [self._asset(record, self._service) for _, record in (result.item for result in results)]
        self.last_batch = ImageBatch(
            assets,
            [result.image for result in results],
            [(i, assets[i], result.error) for i, result in enumerate(results) if result.error is not None],
            [result.content for result in results],
        )
        return self.last_batch


class RenderJob(RenderJobBase[RenderedTurntable], BlockingOrder):
    """Renders that were ordered, followed while the work goes on; methods block until they are done."""

    _asset = Asset
    _turntable = RenderedTurntable

    def stills(self, *, progress: bool | None = None) -> ImageBatch:
        """The stills of all assets, in their order, then by view: one slot for each still, in its exact size.

        An asset whose stills failed, or are not done yet, has one slot that is None, and its error in the batch's
        ``failures``. Files are kept in the disk cache, and as they came for ``save()``. Ctrl-C raises `Interrupted`
        with what had come in ``.partial``. ``progress``: as for posters.
        """
        stream = self._stills()
        return collected(stream, lambda: bar(stream.count, "still", "Stills", progress), self._batch)


class AsyncRenderJob(RenderJobBase[AsyncRenderedTurntable], AwaitedOrder):
    """As `RenderJob`, awaited. The order is sent in the background at once; `submitted` waits for that alone."""

    _asset = AsyncAsset
    _turntable = AsyncRenderedTurntable

    async def stills(self) -> ImageBatch:
        """As `RenderJob.stills`, without a progress bar. When cancelled, what had come is kept as ``last_batch``."""
        await loop.awaiting(self._placed.wait())
        return await collected_awaiting(self._stills(), self._batch)


def _unanswered(name: str) -> AssetServiceError:
    return BadResponse(f"The service said nothing of {name!r:.80} when its renders were ordered.")


def _nothing_taken(errors: Sequence[AssetServiceError]) -> AssetServiceError:
    """One error for all, of the kind of the first."""
    first = errors[0]
    if len(errors) == 1:
        return first
    said = " ".join(dict.fromkeys(str(error) for error in errors[:_NAMED]))
    more = f" And {len(errors) - _NAMED} more." if len(errors) > _NAMED else ""
    kind = type(first)
    return kind(
        f"None of {len(errors)} renders was ordered. {said}{more}",
        status=first.status,
        code=first.code,
        details=errors,
    )
