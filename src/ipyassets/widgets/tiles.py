"""Tiles on their way to the browser: names at once, pictures as they come, many to a message."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol, TypeAlias

from ipyassets.collections.facts import Facts
from ipyassets.collections.thumbnails import Thumbnail
from ipyassets.collections.turn_frames import Film
from ipyassets.errors import AssetServiceError, NotFound
from ipyassets.texts import cut
from ipyassets.widgets.ranges import Ranges

__all__ = ["Parts", "Shown", "ShownTurning", "Tile", "described", "said_of", "stream"]

FLUSH: Final = 0.03
"""Seconds for which finished tiles are gathered: one message of many pictures is far cheaper than many messages."""
MOST_BYTES: Final = 1_000_000
"""Bytes of pictures after which a message goes at once."""
LONGEST_NAME: Final = 300
LONGEST_TITLE: Final = 1_000
"""A hundred thousand marks above one letter keep a browser busy for minutes."""
LONGEST_MESSAGE: Final = 500

Picture: TypeAlias = Callable[[int], Any]
Send: TypeAlias = Callable[[dict[str, Any], list[bytes]], None]


@dataclass(frozen=True, slots=True)
class Tile:
    """One thing to show: its place, what it is called, and what it is."""

    index: int
    id: str
    name: str
    thing: Any
    ahead: bool = False
    """Whether its picture is only likely to be seen soon: what shows goes first."""


class Shown(Protocol):
    """What a grid shows at one time. Coroutines run on the loop thread."""

    generation: int

    async def tiles(self, first: int, last: int) -> Sequence[Tile]:
        """The tiles at ``first`` to ``last`` (inclusive); fewer at the end."""

    async def picture(self, tile: Tile, edge: int) -> Thumbnail | None:
        """Its picture within ``edge`` x ``edge`` pixels; None if it has none."""

    def facts(self, tile: Tile) -> Facts:
        """What is known of it."""


class ShownTurning(Shown, Protocol):
    """What a grid shows whose tiles may turn."""

    async def film(self, tile: Tile, most: int) -> Film | None:
        """About ``most`` frames all around it; None if it does not turn."""


async def stream(shown: Shown, ranges: Ranges, edge: int, send: Send, *, ahead: bool = False) -> None:
    """Send the tiles of ``ranges`` in parts, until all are sent or the task is cancelled.

    ``ahead``: none of them shows yet.
    """
    parts = Parts(send, "tiles")
    try:
        found = await asyncio.gather(*(shown.tiles(first, last) for first, last in ranges.pairs))
        tiles = [replace(tile, ahead=True) if ahead else tile for run in found for tile in run]
        for tile in tiles:
            parts.add(tile.index, {**_named(tile), "state": "wait"})
        async with asyncio.TaskGroup() as group:
            for tile in tiles:
                group.create_task(_one(shown, tile, edge, parts))
        parts.flush()
    finally:
        parts.close()


async def _one(shown: Shown, tile: Tile, edge: int, parts: Parts) -> None:
    said, content = await described(shown, tile, edge)
    parts.add(tile.index, {**_named(tile), **said}, content)


def _named(tile: Tile) -> dict[str, Any]:
    return {"id": tile.id, "name": cut(tile.name, LONGEST_NAME)}


async def described(shown: Shown, tile: Tile, edge: int) -> tuple[dict[str, Any], bytes | None]:
    """A tile's picture as a message says it, and its bytes."""
    return await said_of(shown.picture(tile, edge))


async def said_of(making: Awaitable[Thumbnail | None]) -> tuple[dict[str, Any], bytes | None]:
    """A picture as a message says it, and its bytes; or why there is none."""
    try:
        picture = await making
    except NotFound:
        picture = None
    except AssetServiceError as error:
        return _failed(str(error)), None
    except Exception as error:  # noqa: BLE001  # one picture's surprise must not lose the others
        return _failed(f"{type(error).__name__} while the picture was made."), None
    if picture is None:
        return {"state": "none"}, None
    said = {"state": "ok", "mime": picture.mime, "width": picture.width, "height": picture.height}
    return said, picture.content


def _failed(message: str) -> dict[str, Any]:
    return {"state": "error", "message": cut(message, LONGEST_MESSAGE)}


class Parts:
    """Gathers pictures for a moment and sends them together, under ``name``. Lives on the loop thread."""

    def __init__(self, send: Send, name: str) -> None:
        self._send = send
        self._name = name
        self._waiting: dict[int, tuple[dict[str, Any], bytes | None]] = {}
        self._bytes = 0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, index: int, said: dict[str, Any], content: bytes | None = None) -> None:
        # A picture that comes before the name was sent takes its place: nothing is said twice.
        self._waiting[index] = ({"index": index, **said}, content)
        self._bytes += len(content or b"")
        if self._bytes > MOST_BYTES:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH, self.flush)

    def flush(self) -> None:
        self.close()
        if not self._waiting:
            return
        things: list[dict[str, Any]] = []
        buffers: list[bytes] = []
        for said, content in self._waiting.values():
            if content is None:
                things.append(said)
            else:
                things.append({**said, "buffer": len(buffers)})
                buffers.append(content)
        self._waiting.clear()
        self._bytes = 0
        self._send({self._name: things}, buffers)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
