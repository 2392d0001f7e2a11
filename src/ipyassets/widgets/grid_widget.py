"""What `Explorer` and `ImageGrid` share: tiles, their pictures, and the selection."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
from abc import abstractmethod
from typing import Any, ClassVar, Final

import traitlets as t

from ipyassets.errors import AssetServiceError
from ipyassets.texts import cut
from ipyassets.widgets import messages
from ipyassets.widgets.comm_widget import CommWidget
from ipyassets.widgets.frames import send_frames
from ipyassets.widgets.ranges import Ranges
from ipyassets.widgets.reading import Refused
from ipyassets.widgets.snapshot import MOST_TILES, Still, StillTile
from ipyassets.widgets.tiles import LONGEST_TITLE, ShownTurning, described, stream

__all__ = ["GridWidget"]


FRAMES: Final = 24
"""Frames of a turn in a tile, at most."""
TURNS: Final = 2
"""Turns that are fetched and decoded at once."""


class GridWidget(CommWidget):
    """A grid of tiles in the browser."""

    _bundle: ClassVar[str] = "grid"

    _setup = t.Dict().tag(sync=True)
    """What the view is made of and never changes: kind, label, height, banner, services."""
    _query = t.Dict().tag(sync=True)
    _places = t.Dict().tag(sync=True)
    _result = t.Dict().tag(sync=True)
    """What there is to show: generation, state, count, total, ended, message."""
    _selection = t.Dict().tag(sync=True)
    """The selection in one generation, as ranges."""
    _picking = t.Bool(default_value=False).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        self._turning = asyncio.Semaphore(TURNS)
        super().__init__(**traits)

    # -- for the subclass -----------------------------------------------------------------------------------------

    @abstractmethod
    def _shown_now(self) -> ShownTurning:
        """What is on screen."""

    @abstractmethod
    def _person_selected(self, generation: int, ranges: Ranges) -> None:
        """Take over a selection made in the browser. Raises `Refused`."""

    @abstractmethod
    def _about(self) -> str:
        """What is shown, in a sentence."""

    async def _settled(self) -> None:
        """Wait until what is to be shown is there. Raises what kept it from coming."""

    def _answer_other(self, ask: messages.Ask) -> dict[str, Any]:
        """Answer what only this kind of widget knows."""
        raise Refused(f"This widget has no {type(ask).__name__.lower()}.")

    # -- snapshots ------------------------------------------------------------------------------------------------

    @t.observe("_result", "_selection")
    def _seen_changed(self, change: Any) -> None:
        # Not when a list only grows because somebody scrolls through it.
        before = change.old if isinstance(change.old, dict) else {}
        if change.name == "_selection" or any(change.new[key] != before.get(key) for key in ("generation", "state")):
            self._beside.changed()

    async def _still(self) -> Still:
        await self._settled()
        with self._lock:
            shown, result, selected = self._shown_now(), self._result, Ranges.of(self._selection["ranges"])
        count = result["count"]
        near = min(count, MOST_TILES)
        far = list(itertools.islice((index for index in selected if index >= near), MOST_TILES // 2))
        wanted = [*range(min(near, MOST_TILES - len(far))), *far]
        runs = await asyncio.gather(*(shown.tiles(first, last) for first, last in Ranges.indices(wanted).pairs))
        picked = {*selected.clip(near), *far}
        tiles = [
            StillTile(
                tile.name,
                functools.partial(shown.picture, tile),
                picked=tile.index in picked,
                key=(shown.generation, tile.index),
            )
            for run in runs
            for tile in run
        ]
        total = result["total"] if result["total"] is not None or not result["ended"] else count
        return Still(self._about(), tiles, total)

    # -- messages -------------------------------------------------------------------------------------------------

    def _read(self, content: object) -> tuple[str, messages.Ask]:
        return messages.read(content)

    def _answer(self, request: str, ask: messages.Ask) -> None:
        match ask:
            case messages.Tiles(generation):
                self._snapshot_edge = ask.edge
                self._start(request, self._send_tiles, self._of(generation), ask)
            case messages.Detail(generation, index, edge):
                self._start(request, self._send_detail, self._of(generation), index, edge)
            case messages.Frames(generation, index, edge):
                self._start(request, self._send_turn, self._of(generation), index, edge)
            case messages.Select(generation, ranges):
                self._person_selected(generation, ranges)
                self._reply(request)
            case _:
                self._reply(request, self._answer_other(ask))

    def _of(self, generation: int) -> ShownTurning:
        shown = self._shown_now()
        if shown.generation != generation:
            raise Refused("This was asked of an older result.")
        return shown

    async def _send_tiles(self, request: str, shown: ShownTurning, ask: messages.Tiles) -> None:
        def send(said: dict[str, Any], buffers: list[bytes]) -> None:
            self._part(request, said, buffers)

        await stream(shown, ask.ranges, ask.edge, send, ahead=ask.ahead)
        self._reply(request)

    async def _send_turn(self, request: str, shown: ShownTurning, index: int, edge: int) -> None:
        async with self._turning:
            tiles = await shown.tiles(index, index)
            film = await shown.film(tiles[0], FRAMES) if tiles else None
            if film is None:
                self._reply(request, {"turns": False})
                return
            count = film.facts.count

            def send(said: dict[str, Any], buffers: list[bytes]) -> None:
                self._part(request, {"count": count, **said}, buffers)

            try:
                await send_frames(film, range(count), edge, send)
            finally:
                film.close()
        self._reply(request, {"turns": True})

    async def _send_detail(self, request: str, shown: ShownTurning, index: int, edge: int) -> None:
        found = await shown.tiles(index, index)
        if not found:
            raise Refused("There is nothing at this place.")
        tile = found[0]
        said, content = await described(shown, tile, edge)
        detail = {"name": cut(tile.name, LONGEST_TITLE), "facts": shown.facts(tile), **said}
        if content is not None:
            detail["buffer"] = 0
        self._reply(request, {"detail": detail}, [] if content is None else [content])
        # Where a list grows as it is walked, the large view can go on past what the grid has shown.
        with contextlib.suppress(AssetServiceError):
            await shown.tiles(index + 1, index + 1)
