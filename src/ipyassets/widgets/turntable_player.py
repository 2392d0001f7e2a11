"""TurntablePlayer: one turn of a thing, to be turned by hand or played."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, TypeAlias

import traitlets as t

from ipyassets.collections.assets import AssetBase
from ipyassets.collections.thumbnails import Thumbnail, thumbnail
from ipyassets.collections.turn_frames import Film
from ipyassets.collections.turn_sources import Opening, Source, opening
from ipyassets.collections.turntables import TurntableBase
from ipyassets.errors import AssetServiceError, InvalidRequest
from ipyassets.http import loop
from ipyassets.texts import cut
from ipyassets.widgets.comm_widget import CommWidget, css_length
from ipyassets.widgets.frames import send_frames
from ipyassets.widgets.reading import Cancel, Hello, Refused, edge, is_index, listed, read
from ipyassets.widgets.snapshot import Still, StillTile
from ipyassets.widgets.tiles import LONGEST_MESSAGE, LONGEST_NAME, said_of

__all__ = ["TurntablePlayer"]

MOST_FRAMES: Final = 64
"""Frames asked for at once."""
EDGES: Final = (16, 4096)
STILL_FRAMES: Final = 4
STILL_EDGE: Final = 192


@dataclass(frozen=True, slots=True)
class _Frames:
    indexes: tuple[int, ...]
    edge: int


@dataclass(frozen=True, slots=True)
class _Video:
    """The film as it is, for the browser's own player."""


@dataclass(frozen=True, slots=True)
class _Poster:
    edge: int


@dataclass(frozen=True, slots=True)
class _Again:
    """Open once more what could not be opened."""


_Ask: TypeAlias = _Frames | _Video | _Poster | _Again | Hello | Cancel


class TurntablePlayer(CommWidget):
    """Shows one turn of a thing: drag or use the arrow keys to turn it, or play it.

    ``source`` is a turntable of a render job, a sequence of PIL images, or a GIF or MP4 as bytes or a path. ``fps`` is
    the speed at which it plays (the film's own if None; 12 frames a second for images). ``height`` is a number of
    pixels or a CSS length. ``autoplay`` begins to play at once, except for people who asked for less motion.

    An MP4 needs PyAV (``ipyassets[video]``) to be turned frame by frame; without it the browser plays it as a video.
    """

    _bundle: ClassVar[str] = "player"

    _setup = t.Dict().tag(sync=True)
    """What never changes: label, height, autoplay."""
    _film = t.Dict().tag(sync=True)
    """state (loading, frames, video, error), count, fps, width, height, message."""

    def __init__(
        self, source: Source, *, fps: float | None = None, height: int | str = 420, autoplay: bool = False
    ) -> None:
        if fps is not None and not (isinstance(fps, int | float) and 0 < fps <= 240):
            raise InvalidRequest(f"fps must be frames a second, more than 0 and at most 240; got {fps!r:.80}.")
        self._fps = float(fps) if fps is not None else None
        self._asset: AssetBase | None = source.asset if isinstance(source, TurntableBase) else None
        self._frames: Film | None = None
        self._video: bytes | None = None
        self._opens = opening(source)
        self._about = self._asset.name if self._asset is not None else "Turntable"
        self._count: int | None = None
        if isinstance(source, Sequence) and not isinstance(source, bytes | bytearray | memoryview | str):
            self._count = len(source)
        super().__init__(
            _setup={
                "label": cut(self._about, LONGEST_NAME),
                "height": css_length(height),
                "autoplay": bool(autoplay),
            },
            _film={"state": "loading", "count": 0, "fps": 0.0, "width": 0, "height": 0, "message": None},
        )
        self._opened = loop.submit(self._open(self._opens))

    def close(self) -> None:
        """Take the player off the page and let go of its film."""
        if self.comm is not None:
            self._opened.cancel()
            if self._frames is not None:
                self._frames.close()
        super().close()

    def __repr__(self) -> str:
        film = self._film
        state = {"frames": f"{film['count']} frames", "video": "a video"}.get(film["state"], film["state"])
        return f"TurntablePlayer({self._about!r}, {state})"

    def _stand_in(self) -> str:
        # What is known before anything is read: how far that has come would differ from run to run.
        frames = f", {self._count} frame{'' if self._count == 1 else 's'}" if self._count is not None else ""
        return f"TurntablePlayer({self._about!r}{frames}): run this cell in a live notebook to turn it."

    # -- opening --------------------------------------------------------------------------------------------------

    async def _open(self, opens: Opening) -> None:
        try:
            opened, fps = await opens()
        except AssetServiceError as error:
            self._show({"state": "error", "message": cut(str(error), LONGEST_MESSAGE)})
        except Exception as error:  # noqa: BLE001  # said where the person looks
            self._show({"state": "error", "message": f"{type(error).__name__} while the turntable was opened."})
        else:
            if isinstance(opened, bytes):
                self._video = opened
                self._show({"state": "video", "fps": self._fps or fps})
                return
            self._frames = opened
            facts = opened.facts
            self._show(
                {
                    "state": "frames",
                    "count": facts.count,
                    "fps": self._fps or fps,
                    "width": facts.width,
                    "height": facts.height,
                }
            )

    def _show(self, change: Mapping[str, Any]) -> None:
        with self._lock:
            self._film = {**self._film, **change}
        self._beside.changed()

    # -- snapshots ------------------------------------------------------------------------------------------------

    async def _still(self) -> Still:
        """A few frames all around the turn; the poster of what cannot be read here."""
        await asyncio.wait([asyncio.ensure_future(asyncio.wrap_future(self._opened))])
        film = self._frames
        if film is None:
            tiles = [StillTile(self._about, self._poster, key="poster")]
            return Still("A turntable, as a video." if self._video else "A turntable.", tiles, 1, STILL_EDGE)
        count = film.facts.count
        few = [count * n // STILL_FRAMES for n in range(min(STILL_FRAMES, count))]
        tiles = [
            StillTile(self._about, functools.partial(film.frame, n), f"{n + 1} of {count}", key=n)
            for n in dict.fromkeys(few)
        ]
        return Still("A turntable.", tiles, count, STILL_EDGE)

    async def _poster(self, edge: int) -> Thumbnail | None:
        if self._asset is None:
            return None
        return await thumbnail(self._asset._service, self._asset._record, edge)  # noqa: SLF001

    # -- messages -------------------------------------------------------------------------------------------------

    def _read(self, content: object) -> tuple[str, _Ask]:
        return read(content, _asked)

    def _answer(self, request: str, ask: _Ask) -> None:
        match ask:
            case _Frames(indexes, edge):
                self._start(request, self._send_frames, indexes, edge)
            case _Video():
                if self._video is None:
                    raise Refused("There is no video here.")
                self._reply(request, {"mime": "video/mp4", "buffer": 0}, [self._video])
            case _Poster(edge):
                self._start(request, self._send_poster, edge)
            case _Again():
                self._open_again()
                self._reply(request)

    def _open_again(self) -> None:
        with self._lock:
            if self._film["state"] != "error":
                return
            self._film = {**self._film, "state": "loading", "message": None}
            self._opened = loop.submit(self._open(self._opens))

    async def _send_frames(self, request: str, indexes: Sequence[int], edge: int) -> None:
        film = self._frames
        if film is None:
            raise Refused("There are no frames here.")
        places = list(indexes)

        def send(said: dict[str, Any], buffers: list[bytes]) -> None:
            frames = [{**frame, "index": places[frame["index"]]} for frame in said["frames"]]
            self._part(request, {"frames": frames}, buffers)

        await send_frames(film, places, edge, send)
        self._reply(request)

    async def _send_poster(self, request: str, edge: int) -> None:
        """What stands there until the first frame comes: the asset's own poster."""
        if self._asset is None:
            self._reply(request, {"poster": {"state": "none"}})
            return
        said, content = await said_of(thumbnail(self._asset._service, self._asset._record, edge))  # noqa: SLF001
        buffers = [] if content is None else [content]
        self._reply(request, {"poster": {**said, "buffer": 0} if buffers else said}, buffers)


def _asked(content: Mapping[str, Any]) -> _Ask | None:
    match content.get("op"):
        case "frames":
            indexes = listed(content, "indexes", MOST_FRAMES)
            if not indexes or not all(is_index(number) for number in indexes):
                raise Refused("indexes must be places of frames.")
            return _Frames(tuple(indexes), edge(content, EDGES))
        case "video":
            return _Video()
        case "poster":
            return _Poster(edge(content, EDGES))
        case "again":
            return _Again()
        case _:
            return None
