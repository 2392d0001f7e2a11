"""Snapshots: what a widget shows as a contact sheet in static HTML, for when there is no kernel any more."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Final

from ipyassets.collections.display import EDGE, SMALL, SheetTile, sheet
from ipyassets.collections.images import in_decode_pool
from ipyassets.collections.thumbnails import Thumbnail, shrink
from ipyassets.errors import NotFound
from ipyassets.http import loop

__all__ = ["MOST_TILES", "PATIENCE", "Pictured", "Snapshot", "Still", "StillTile", "draw"]

MOST_TILES: Final = 40
PATIENCE: Final = 10.0
"""Seconds for what a snapshot shows to come; what has not come by then is said to be missing."""
_AT_ONCE: Final = 8
"""Pictures that are read at once: a job's own may be large."""
_MOST_KEPT: Final = 200


@dataclass(frozen=True, slots=True)
class StillTile:
    """One picture that a snapshot is to show."""

    name: str
    picture: Callable[[int], Awaitable[Thumbnail | None]]
    """Gives it within so many pixels a side; None if there is none."""
    said: str = ""
    picked: bool = False
    key: Hashable = None
    """What the picture is known by, if it stays what it is: then it is made once."""


@dataclass(frozen=True, slots=True)
class Still:
    """What a widget shows at one moment."""

    about: str
    """What is seen, in words, and how it stands."""
    tiles: Sequence[StillTile] = ()
    total: int | None = None
    """How many there are of what the tiles show; None if that is not known."""
    edge: int = EDGE
    """Pixels a side of a tile."""


class Snapshot:
    """A still picture of a widget: static HTML that a notebook keeps, and that shows without a kernel.

    It holds at most some 40 thumbnails and 150 kB, no script, no address, and nothing of an account.
    """

    def __init__(self, html: str, about: str) -> None:
        self.html = html
        """The HTML, on one line."""
        self._about = about

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return f"Snapshot({self._about!r})"


class Pictured:
    """A widget of which a snapshot can be made."""

    _snapshot_edge: int = EDGE
    """Pixels for which pictures are fetched: as the view asks for them, so that the same ones are used."""

    @abstractmethod
    async def _still(self) -> Still:
        """What it shows now. Runs on the loop thread, waits for what is under way, and may be broken off."""

    def snapshot(self) -> Snapshot:
        """What it shows now, as a contact sheet in static HTML. Waits some seconds for pictures that are to come."""
        return loop.run(draw(self))


async def draw(
    thing: Pictured, *, kind: str = "", kept: dict[Hashable, Thumbnail] | None = None, patience: float = PATIENCE
) -> Snapshot:
    """A snapshot of ``thing`` within ``patience`` seconds, as an HTML element with the class ``kind``.

    ``kept`` are pictures by their key, used and added to.
    """
    running = asyncio.get_running_loop()
    until = running.time() + patience
    try:
        async with asyncio.timeout_at(until):
            still = await thing._still()  # noqa: SLF001
    except TimeoutError:
        still = Still("Nothing had come yet.")
    except Exception as error:  # noqa: BLE001  # another widget's picture must not be lost with this one's
        still = Still(f"{type(error).__name__}: there is nothing to show.")
    tiles = await _tiles(still, thing._snapshot_edge, {} if kept is None else kept, until)  # noqa: SLF001
    html = sheet(tiles, lambda fit: _note(still, fit), edge=still.edge)
    return Snapshot(f'<div class="{f"ipya-snapshot {kind}".strip()}">{html}</div>', still.about)


async def _tiles(still: Still, edge: int, kept: dict[Hashable, Thumbnail], until: float) -> list[SheetTile]:
    gate = asyncio.Semaphore(_AT_ONCE)
    tasks = [
        asyncio.ensure_future(_picture(tile, still.edge, max(edge, still.edge), kept, gate))
        for tile in still.tiles[:MOST_TILES]
    ]
    try:
        if tasks:
            await asyncio.wait(tasks, timeout=max(0.05, until - asyncio.get_running_loop().time()))
    finally:
        for task in tasks:
            task.cancel()
    return [
        SheetTile(
            tile.name, task.result() if task.done() and not task.cancelled() else "not loaded", tile.said, tile.picked
        )
        for tile, task in zip(still.tiles, tasks, strict=False)
    ]


async def _picture(
    tile: StillTile, edge: int, asked: int, kept: dict[Hashable, Thumbnail], gate: asyncio.Semaphore
) -> Thumbnail | str:
    key = None if tile.key is None else (tile.key, edge)
    if key in kept:
        return kept[key]
    try:
        async with gate:
            found = await tile.picture(asked)
            if found is None:
                return "no picture"
            made = await in_decode_pool(shrink, found.content, edge, SMALL if edge <= EDGE else 0)
    except NotFound:
        return "no picture"
    except Exception:  # noqa: BLE001  # the live view says what it was; a sheet that is shared says that there is none
        return "failed"
    if key is not None:
        while len(kept) >= _MOST_KEPT:
            del kept[next(iter(kept))]
        kept[key] = made
    return made


def _note(still: Still, fit: int) -> str:
    total = still.total if still.total is not None else len(still.tiles)
    shown = f" {fit:,} of {total:,} are shown." if fit < total else ""
    return f"{still.about}{shown} A still picture: run the cell to go on."
