"""Turntables that were rendered: a film of one turn of an asset, downloaded when it is first used."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from ipyassets.arguments import whole
from ipyassets.collections.aside import aside
from ipyassets.collections.assets import AssetBase
from ipyassets.collections.decode_threads import TOO_SLOW
from ipyassets.collections.film import USUAL_FPS, can_read, film_facts, media_of
from ipyassets.collections.images import in_decode_pool, in_file_pool
from ipyassets.collections.jobs import View
from ipyassets.collections.render_files import file_bytes
from ipyassets.collections.video import frames, gif, readable, whole_gif, whole_mp4
from ipyassets.collections.watches import what
from ipyassets.errors import BadResponse, NotFound
from ipyassets.http import loop
from ipyassets.http.loop import LoopLock
from ipyassets.services.base import Record
from ipyassets.services.rendering import RenderFile, RenderService, Turntable
from ipyassets.texts import shown

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["AsyncRenderedTurntable", "RenderedTurntable", "TurntableBase"]

_CHECKS: Final = {"mp4": whole_mp4, "gif": whole_gif}


class TurntableBase:
    """What the blocking and the awaited turntable share. Coroutines that begin with ``_`` run on the loop thread."""

    def __init__(
        self,
        service: RenderService,
        record: Record,
        asset: AssetBase,
        files: Sequence[RenderFile],
        *,
        settings: Turntable | None = None,
        view: View | None = None,
    ) -> None:
        self.asset = asset
        """The asset it shows."""
        self._service = service
        self._record = record
        self._files = {file.media: file for file in reversed(files)}
        self._settings = settings
        self._view = view
        self._fps: float | None = float(settings.fps) if settings is not None else None
        self._contents: dict[str, bytes] = {}
        self._came = b""
        """What came last and was not whole."""
        self._lock = LoopLock()

    @property
    def formats(self) -> tuple[str, ...]:
        """The files the service made: ``mp4``, ``gif``."""
        return tuple(kind for kind in _CHECKS if kind in self._files)

    async def _content(self, media: str, *, anew: bool = False) -> bytes:
        """One file as served, fetched once and kept."""
        file = self._files.get(media)
        if file is None:
            raise NotFound(f"{self._what()} was made as {' and '.join(self._files) or 'nothing'}, not as {media}.")
        async with self._lock:
            if anew or media not in self._contents:

                def check(content: bytes, what: str) -> None:
                    self._came = content
                    _CHECKS[media](content, what)

                try:
                    found = await file_bytes(self._service, self._record, file, check, anew=anew)
                except BadResponse:
                    if anew:
                        raise
                    # It may only have been cut on its way.
                    found = await file_bytes(self._service, self._record, file, check, anew=True)
                self._contents[media], self._came = found.content, b""
            return self._contents[media]

    def _media(self) -> str:
        """The file whose frames are read: the MP4 where it can be decoded, else the GIF."""
        if "mp4" in self._files and (can_read("mp4") or "gif" not in self._files):
            return "mp4"
        return "gif"

    async def _film(self) -> bytes:
        """The whole film, MP4 or GIF."""
        return await self._content(self._media())

    async def _frames(self, step: int = 1) -> list[Image.Image]:
        stride, media = whole("step", step), self._media()
        if media == "mp4" and not can_read("mp4"):
            raise ImportError('The frames of an MP4 need PyAV: pip install "ipyassets[video]"')
        try:
            content = await self._content(media)
        except BadResponse as error:
            error.details = await in_decode_pool(readable, self._came, stride)
            raise
        try:
            return await in_decode_pool(frames, content, stride, self._what())
        except BadResponse as error:
            if error.code == TOO_SLOW:
                raise
            return await in_decode_pool(frames, await self._content(media, anew=True), stride, self._what())

    async def _speed(self) -> float:
        """Frames a second, as ordered, else as the film tells."""
        if self._fps is None:
            content = await self._film()
            told = can_read(media_of(content, self._what()))
            self._fps = (await in_decode_pool(film_facts, content, self._what())).fps if told else USUAL_FPS
        return self._fps

    async def _gif(self) -> bytes:
        if "gif" in self._files:
            return await self._content("gif")
        return await in_decode_pool(gif, await self._frames(), await self._speed())

    async def _save(self, path: str | Path, content: bytes) -> Path:
        return await in_file_pool(_written, Path(path), content)

    async def _save_mp4(self, path: str | Path) -> Path:
        return await self._save(path, await self._content("mp4"))

    async def _save_gif(self, path: str | Path) -> Path:
        return await self._save(path, await self._gif())

    def _what(self) -> str:
        return what(self._service, "turntable", self._record)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {shown(self.asset.name)}, {' and '.join(self.formats) or 'no file'}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "A turntable belongs to a client with credentials and is not pickled; keep its frames or bytes."
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        if self._view is None:
            return {"text/plain": repr(self)}
        return self._view(self)._repr_mimebundle_(**kwargs)


class RenderedTurntable(TurntableBase):
    """A film of one turn of an asset; methods block until they are done."""

    @property
    def fps(self) -> float:
        """Frames a second: as ordered; of renders that were ordered elsewhere, as the film itself tells."""
        return self._fps if self._fps is not None else loop.run(self._speed())

    def frames(self, step: int = 1) -> list[Image.Image]:
        """Every ``step``-th frame as a PIL image, in order; RGB, or RGBA where a GIF has transparent parts.

        Of the MP4, decoded by PyAV (``pip install "ipyassets[video]"``); without PyAV of the GIF, if one was made,
        else ImportError. A film that comes cut or damaged is fetched anew once; then `BadResponse` is raised, with the
        frames that could be read in its ``details``.
        """
        return loop.run(self._frames(step))

    def mp4_bytes(self) -> bytes:
        """The MP4 as served."""
        return loop.run(self._content("mp4"))

    def gif_bytes(self) -> bytes:
        """The GIF as served where the service made one, else made here of the frames."""
        return loop.run(self._gif())

    def save_mp4(self, path: str | Path) -> Path:
        """Write the MP4 as served to ``path``, whole or not at all, and give the path."""
        return loop.run(self._save_mp4(path))

    def save_gif(self, path: str | Path) -> Path:
        """Write the GIF (see `gif_bytes`) to ``path``, whole or not at all, and give the path."""
        return loop.run(self._save_gif(path))


class AsyncRenderedTurntable(TurntableBase):
    """As `RenderedTurntable`, awaited."""

    @property
    def fps(self) -> float | None:
        """As `RenderedTurntable.fps`; None before the film was read, where no order tells."""
        return self._fps

    async def frames(self, step: int = 1) -> list[Image.Image]:
        """As `RenderedTurntable.frames`."""
        return await loop.awaiting(self._frames(step))

    async def mp4_bytes(self) -> bytes:
        """As `RenderedTurntable.mp4_bytes`."""
        return await loop.awaiting(self._content("mp4"))

    async def gif_bytes(self) -> bytes:
        """As `RenderedTurntable.gif_bytes`."""
        return await loop.awaiting(self._gif())

    async def save_mp4(self, path: str | Path) -> Path:
        """As `RenderedTurntable.save_mp4`."""
        return await loop.awaiting(self._save_mp4(path))

    async def save_gif(self, path: str | Path) -> Path:
        """As `RenderedTurntable.save_gif`."""
        return await loop.awaiting(self._save_gif(path))


def _written(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with aside(path) as file:
        file.write(content)
    return path
