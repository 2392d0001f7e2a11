"""Posters worked on by many workers: of any `concurrent.futures` executor, or of Dask.

The list is walked here, once, and assets are sent out by their ids and not as positions of a search: positions move
while a catalogue changes, and what moved from one worker's part to another's would come twice or not at all. What is
sent holds no secret (`ipyassets.collections.portable`); workers fetch and decode with clients of their own.
"""

from __future__ import annotations

import logging
import os
import pickle
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias, TypeVar, cast
from uuid import uuid4

from ipyassets.arguments import plain_function, whole
from ipyassets.collections.assets import Asset
from ipyassets.collections.pages import Item
from ipyassets.collections.portable import Packed, Reference, packed, service_of, unpacked
from ipyassets.collections.posters import Box, PosterStream, called
from ipyassets.collections.progress import bar
from ipyassets.collections.slots import Slots
from ipyassets.errors import AssetServiceError, Interrupted, InvalidRequest
from ipyassets.http import loop
from ipyassets.http.board import open_board
from ipyassets.http.pace import RateBudget, pacing
from ipyassets.services.base import AssetService, Record

if TYPE_CHECKING:
    import dask.bag
    from PIL import Image

    from ipyassets.collections.asset_list import AssetList

__all__ = ["PARTITION", "MappedPosters", "bag_of", "mapped"]

T = TypeVar("T")
Outcome: TypeAlias = tuple[T | None, Exception | None]
"""Of one asset: what the function gave, or the error in its place."""

log = logging.getLogger("ipyassets.scale")

PARTITION: Final = 100
"""Assets that go to a worker at once unless told: some seconds of work."""
_UNDER_WAY: Final = 256
"""Partitions at an executor at once: they keep some hundred cores busy, and the list need not be walked to its end."""


class MappedPosters(Slots[T, Exception]):
    """What a function gave for the posters of some assets, in their order; a failed slot is None and in `failures`."""

    @property
    def results(self) -> list[T | None]:
        """What the function gave, None where it, or the poster, failed."""
        return self._results


@dataclass(frozen=True, slots=True)
class _Work(Generic[T]):
    """What is done with every part of a list."""

    function: Callable[[Asset, Image.Image], T]
    box: Box
    budget: RateBudget | None
    id: str
    """Of the call: engines may take equal work for the same, and give what came of it before."""


# -- on the worker ----------------------------------------------------------------------------------------------------


def _posters(
    items: Sequence[tuple[AssetService | Reference, Record]], box: Box, budget: RateBudget | None
) -> Iterator[tuple[Asset, Image.Image | None, Exception | None]]:
    """Each asset with its poster or the error in its place, in order; posters are fetched ahead of the caller."""

    async def walk() -> AsyncIterator[Item]:
        for home, record in items:
            yield (service_of(home) if isinstance(home, Reference) else home), record

    with PosterStream(walk(), box) as stream:
        while True:
            with pacing(budget):  # and not while the caller has its turn, whose context is the same as ours
                taken = loop.run(stream.take(stream.held))
            if not taken:
                break
            for result in taken:
                home, record = items[result.index]
                yield Asset(record, home), result.image, result.error


def _worked_on(
    work: _Work[T], part: Packed | list[Item], start: int, stop: threading.Event | None = None
) -> list[Outcome[T]]:
    """What the function gives for each asset of ``part``; ends early, with fewer, once ``stop`` is set.

    ``start``, the slot of the first of them, makes every call another one.
    """
    del start
    found: list[Outcome[T]] = []
    with pacing(work.budget):
        items = unpacked(part) if isinstance(part, Packed) else part
        for asset, image, failure in _posters(items, work.box, work.budget):
            if stop is not None and stop.is_set():
                break
            error = failure
            value: T | None = None
            if image is not None:
                try:
                    value = work.function(asset, image)
                except Exception as raised:  # noqa: BLE001  # one asset's error must not lose the others
                    error = _sendable(asset, raised) if isinstance(part, Packed) else raised
            found.append((value, error))
    return found


def _sendable(asset: Asset, error: Exception) -> Exception:
    """``error``, or its words, if it cannot travel."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  # our own, a moment old
    except Exception:  # noqa: BLE001  # whatever its class does wrong
        return AssetServiceError(f"{called(asset._record)}: {type(error).__name__}: {error}")  # noqa: SLF001
    return error


# -- with an executor -------------------------------------------------------------------------------------------------


def mapped(
    assets: AssetList,
    function: Callable[[Asset, Image.Image], T],
    box: Box,
    *,
    executor: Executor | None,
    partition_size: int | None,
    budget: RateBudget | None,
    progress: bool | None,
) -> MappedPosters[T]:
    """See `AssetList.map_posters`."""
    plain_function("fn", function, "map over posters() or iter_posters() of an AsyncAssetList")
    size = PARTITION if partition_size is None else whole("partition_size", partition_size, unit="assets")
    _check(budget)
    if executor is None:
        with ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="ipyassets-map") as threads:
            return mapped(
                assets,
                function,
                box,
                executor=threads,
                partition_size=partition_size,
                budget=budget,
                progress=progress,
            )
    if not isinstance(executor, Executor):
        raise InvalidRequest(
            "executor must be a concurrent.futures.Executor (of Dask: client.get_executor()), or None for threads; "
            f"got {type(executor).__name__}."
        )
    if not isinstance(executor, ThreadPoolExecutor):
        open_board()  # before this client logs in, so that workers need not
    run = _Mapping(assets._wrap, executor, _Work(function, box, budget, uuid4().hex))  # noqa: SLF001
    # Of Dask's executor: its client, which leads to the scheduler where its workers keep the budget.
    with pacing(budget, getattr(executor, "_client", None)):
        count = assets._count_if_known()  # noqa: SLF001
        with bar(count, "poster", "Posters", progress) as shown:
            _run(run, assets, size, shown)
    result = assets.last_map = run.result()
    return result


def _run(run: _Mapping[Any], assets: AssetList, size: int, shown: Any) -> None:
    try:
        for part in _partitions(assets, size):
            while len(run.pending) >= _UNDER_WAY:
                shown.update(run.wait())
            run.submit(part)
            shown.update(run.collect())
        while run.pending:
            shown.update(run.wait())
    except KeyboardInterrupt:
        partial = assets.last_map = run.ended("Interrupted before it was done.")
        raise Interrupted(f"Interrupted after {run.done} posters.", partial=partial) from None
    except BaseException:
        assets.last_map = run.ended("The search failed before it was done.")
        raise


class _Mapping(Generic[T]):
    """The partitions of one call: sent out, under way, and what came of them."""

    def __init__(self, wrap: Callable[[Item], Asset], executor: Executor, work: _Work[T]) -> None:
        self._wrap, self._executor, self._work = wrap, executor, work
        # Threads of this process take the assets as they are, and can be told to stop.
        self._stop = threading.Event() if isinstance(executor, ThreadPoolExecutor) else None
        self._items: list[Item] = []
        self._outcomes: list[Outcome[T] | None] = []
        self.pending: dict[Future[list[Outcome[T]]], range] = {}
        self.done = 0

    def submit(self, items: list[Item]) -> None:
        slots = range(len(self._items), len(self._items) + len(items))
        self._items += items
        self._outcomes += [None] * len(items)
        part = packed(items) if self._stop is None else items
        stop = () if self._stop is None else (self._stop,)
        try:
            future = self._executor.submit(_worked_on, self._work, part, slots.start, *stop)
        except RuntimeError as error:  # broken, or shut down
            self._lost(slots, error)
        else:
            self.pending[future] = slots

    def wait(self) -> int:
        """Wait until a partition is done, or for a moment; how many assets have been since the last time."""
        wait(self.pending, loop.LISTEN, return_when=FIRST_COMPLETED)
        return self.collect()

    def collect(self) -> int:
        """Take what is done; how many assets those are."""
        before = self.done
        for future in [future for future in self.pending if future.done()]:
            slots = self.pending.pop(future)
            try:
                found = future.result()
            except (Exception, CancelledError, KeyboardInterrupt) as error:  # noqa: BLE001  # all that ends a worker
                self._lost(slots, error)
            else:
                for slot, outcome in zip(slots, found, strict=False):  # fewer if it was stopped
                    self._outcomes[slot] = outcome
                self.done += len(found)
        return self.done - before

    def _lost(self, slots: range, error: BaseException) -> None:
        """A whole partition came to nothing: its worker died too often, or could not begin."""
        for slot in slots:
            reason = (
                error
                if isinstance(error, AssetServiceError)
                else AssetServiceError(
                    f"{called(self._items[slot][1])}: its partition of {len(slots)} was lost "
                    f"({type(error).__name__}: {str(error)[:200]})."
                )
            )
            self._outcomes[slot] = (None, reason)
        self.done += len(slots)

    def ended(self, why: str) -> MappedPosters[T]:
        """Stop what is under way; what had come, and what had been begun named with ``why``."""
        if self._stop is not None:
            self._stop.set()
        for future in self.pending:
            future.cancel()
        if self._stop is not None:
            wait(self.pending)
        self.pending = {future: slots for future, slots in self.pending.items() if not future.cancelled()}
        self.collect()
        self.pending.clear()
        for slot, outcome in enumerate(self._outcomes):
            if outcome is None:
                self._outcomes[slot] = (None, AssetServiceError(f"{called(self._items[slot][1])}: {why}"))
        return self.result()

    def result(self) -> MappedPosters[T]:
        assets = [self._wrap(item) for item in self._items]
        outcomes = cast("list[Outcome[T]]", self._outcomes)
        failures = [(i, assets[i], error) for i, (_, error) in enumerate(outcomes) if error is not None]
        return MappedPosters(assets, [value for value, _ in outcomes], failures)


# -- with Dask --------------------------------------------------------------------------------------------------------


def bag_of(assets: AssetList, box: Box, *, partition_size: int | None, budget: RateBudget | None) -> dask.bag.Bag:
    """See `AssetList.to_dask`."""
    try:
        from dask.bag import Bag
        from dask.bag.core import reify
    except ImportError:
        raise ImportError("to_dask() needs Dask: pip install 'ipyassets[dask]'") from None
    size = PARTITION if partition_size is None else whole("partition_size", partition_size, unit="assets")
    _check(budget)
    open_board()  # before this client logs in, so that workers need not
    with pacing(budget):
        parts = [packed(part) for part in _partitions(assets, size)] or [packed([])]  # a bag needs a partition
    name = f"posters-{uuid4().hex}"
    # As Dask's own bags are made: what is lazy becomes a list at the end, and not between steps on the same worker.
    graph = {(name, number): (reify, (_pairs, part, box, budget)) for number, part in enumerate(parts)}
    make: Any = Bag
    bag: dask.bag.Bag = make(graph, name, len(parts))
    return bag


def _pairs(part: Packed, box: Box, budget: RateBudget | None) -> Iterator[tuple[Asset, Image.Image | None]]:
    for asset, image, error in _posters(unpacked(part), box, budget):
        if error is not None:
            log.warning("%s", error)
        yield asset, image


def _check(budget: object) -> None:
    if not isinstance(budget, RateBudget | None):
        raise InvalidRequest(f"budget must be a RateBudget, or None for no limit; got {type(budget).__name__}.")


def _partitions(assets: AssetList, size: int) -> Iterator[list[Item]]:
    """The list in pieces of ``size``; its pages are let go of behind, so that memory stays flat."""
    part: list[Item] = []
    for item in assets._each_once():  # noqa: SLF001
        part.append(item)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part
