"""What a search found, as a grid shows it, and what is picked from it, as a list."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from ipyassets.collections.asset_list import AssetList
from ipyassets.collections.facts import Facts, asset_facts
from ipyassets.collections.pages import Item, Pages
from ipyassets.collections.thumbnails import PASS_THROUGH, Thumbnail, thumbnail
from ipyassets.collections.turn_frames import Film
from ipyassets.collections.turn_sources import rendered
from ipyassets.errors import AssetServiceError, without_frames
from ipyassets.services.base import Record
from ipyassets.widgets.ranges import Ranges
from ipyassets.widgets.tiles import Tile

__all__ = ["Found", "PickedPages", "places_of"]

_LOOKED_THROUGH: Final = 2_000
"""Assets of a result that are looked through for a selection that Python made of other lists."""
_STRIDE: Final = 200
_SMALL: Final = 512
"""Pixels a side of the largest thumbnail; what is larger is looked at closely."""
_LARGE_AS_IS: Final = 600_000
"""Bytes up to which a large picture is given as the service made it: no second loss, and nothing is decoded."""
_WITHOUT_END: Final = 2**40


class Found:
    """One result: a search and the pages that came of it so far, or the error that came instead."""

    def __init__(self, generation: int, label: str, pages: Pages, grown: Callable[[Found], None]) -> None:
        self.generation = generation
        self.label = label
        self.pages = pages
        self.error: AssetServiceError | None = None
        self._grown = grown

    def failed(self, error: AssetServiceError) -> None:
        """Keep ``error`` in the place of a result, as long as that is shown: without its frames, which hold tokens."""
        self.error = without_frames(error)

    @property
    def count(self) -> int:
        """Positions that can be shown now."""
        return self.pages.known

    @property
    def assets(self) -> AssetList:
        """All of it, as a list. Raises what the search raised."""
        if self.error is not None:
            raise self.error
        return AssetList(self.pages, self.label)

    async def tiles(self, first: int, last: int) -> Sequence[Tile]:
        before = (self.pages.known, self.pages.ended)
        items = await self.pages.items(first, last + 1)
        if (self.pages.known, self.pages.ended) != before:
            self._grown(self)
        return [Tile(first + i, item[1].id, item[1].name, item) for i, item in enumerate(items)]

    async def picture(self, tile: Tile, edge: int) -> Thumbnail | None:
        service, record = tile.thing
        as_is = PASS_THROUGH if edge <= _SMALL else _LARGE_AS_IS
        return await thumbnail(service, record, edge, as_is=as_is, ahead=tile.ahead)

    def facts(self, tile: Tile) -> Facts:
        return asset_facts(tile.thing[1])

    async def film(self, tile: Tile, most: int) -> Film | None:
        service, record = tile.thing
        return await rendered(service, record, most)


class PickedPages:
    """Some positions of other pages, as pages: a selection costs nothing until it is used."""

    random_access = True
    ended = True
    moves: int | None = None

    def __init__(self, pages: Pages, picked: Ranges) -> None:
        self.pages = pages
        self.picked = picked

    @property
    def total(self) -> int | None:
        return len(self.picked)

    @property
    def known(self) -> int:
        return len(self.picked)

    @property
    def stride(self) -> int:
        return self.pages.stride

    async def first(self) -> None:
        return

    async def widen(self, wanted: int | None) -> None:
        del wanted

    async def items(self, start: int, stop: int) -> list[Item]:
        runs = await asyncio.gather(
            *(self.pages.items(first, last + 1) for first, last in self.picked.between(start, stop))
        )
        return [item for run in runs for item in run]

    async def fetch(self, start: int, stop: int) -> list[Record]:
        return [record for _, record in await self.items(start, stop)]

    async def length(self) -> int:
        return len(self.picked)


async def places_of(assets: AssetList, pages: Pages) -> tuple[Ranges, int]:
    """Where ``assets`` stand in ``pages``, and how many of them were not found there.

    Slices of the same result are known at once; assets of other lists are looked for among the first
    `_LOOKED_THROUGH`.
    """
    known = _same(assets, pages)
    if known is not None:
        await pages.first()
        if known.pairs and not pages.ended:  # walk as far as it goes
            await pages.items(known.pairs[-1][1], known.pairs[-1][1] + 1)
        return known.clip(pages.known), 0
    wanted: set[Any] = {record for _, record in await assets._all()}  # noqa: SLF001
    missing = set(wanted)
    found: list[int] = []
    start = 0
    while missing and start < _LOOKED_THROUGH:
        records = await pages.fetch(start, start + _STRIDE)
        for i, record in enumerate(records, start):
            if record in missing:
                missing.discard(record)
                found.append(i)
        if len(records) < _STRIDE:
            break
        start += _STRIDE
    return Ranges.indices(found), len(missing)


def _same(assets: AssetList, pages: Pages) -> Ranges | None:
    """The positions of ``assets`` if they are a part of ``pages`` itself."""
    span, mine = assets._span, assets._pages  # noqa: SLF001
    whole = (span.start, span.step, span.count) == (0, 1, None)
    if isinstance(mine, PickedPages) and mine.pages is pages and whole:
        return mine.picked
    if mine is pages and whole:
        return Ranges.of([(0, _WITHOUT_END)])
    if mine is pages and span.count is not None:
        return Ranges.indices(span.position(i) for i in range(span.count))
    return None
