"""Whatever turns, opened: rendered turntables, films in bytes or files, PIL images."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ipyassets.collections.assets import Asset
from ipyassets.collections.film import USUAL_FPS, FilmFacts, can_read, film_facts, film_frames, media_of
from ipyassets.collections.images import in_decode_pool, in_file_pool
from ipyassets.collections.turn_frames import Film, ImageFilm, Read, ReadFilm
from ipyassets.collections.turntables import TurntableBase
from ipyassets.errors import InvalidRequest
from ipyassets.services.base import AssetService, Record
from ipyassets.services.rendering import RenderFile, RenderService

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["Opened", "Opening", "Source", "opening", "rendered"]

Source: TypeAlias = "TurntableBase | Sequence[Image.Image] | bytes | str | Path"
Opened: TypeAlias = tuple[Film | bytes, float]
"""Frames, or an MP4 that cannot be read here; and how many are shown a second."""
Opening: TypeAlias = Callable[[], Awaitable[Opened]]


async def rendered(service: AssetService, record: Record, most: int) -> Film | None:
    """The newest turntable of an asset, about ``most`` frames of it; None if there is none, or none can be read."""
    if not isinstance(service, RenderService):
        return None
    files = [file for file in await service.render_files(record) if file.part == "turntable"]
    if not files:
        return None
    files.sort(key=_age, reverse=True)
    opened, _ = await _of_turntable(TurntableBase(service, record, Asset(record, service), files), most)
    return None if isinstance(opened, bytes) else opened


def _age(file: RenderFile) -> float:
    moment = file.updated or file.created
    return moment.timestamp() if moment is not None else 0.0


def opening(source: Any, most: int | None = None) -> Opening:
    """What opens ``source``, on the loop thread: all of its frames, or at most ``most`` all around the turn.

    Raises TypeError for what is no turntable.
    """
    from PIL import Image

    if isinstance(source, bytes | bytearray | memoryview):
        return functools.partial(_of_content, bytes(source), most)
    if isinstance(source, str | Path):
        return functools.partial(_of_path, Path(source).expanduser(), most)
    if isinstance(source, TurntableBase):
        return functools.partial(_of_turntable, source, most)
    if isinstance(source, Sequence):
        images = list(source)
        for image in images:
            if not isinstance(image, Image.Image):
                raise TypeError(f"The frames of a turntable are PIL images; got {type(image).__name__}.")
        if not images:
            raise InvalidRequest("A turntable needs at least one frame.")
        return functools.partial(_of_images, images, most)
    raise TypeError(
        f"A TurntablePlayer shows a rendered turntable, PIL images, or a GIF or MP4 (bytes or a path); "
        f"got {type(source).__name__}."
    )


async def _of_images(images: Sequence[Image.Image], most: int | None) -> Opened:
    images = images[:: _step(len(images), most)]
    return ImageFilm(images, USUAL_FPS), USUAL_FPS


async def _of_path(path: Path, most: int | None) -> Opened:
    try:
        content = await in_file_pool(path.read_bytes)
    except OSError as error:
        raise InvalidRequest(f"{path.name} cannot be read: {error.strerror}.") from None
    return await _of_content(content, most)


async def _of_turntable(turntable: TurntableBase, most: int | None) -> Opened:
    async def again() -> bytes:
        return await turntable._content(turntable._media(), anew=True)  # noqa: SLF001

    opened, _ = await _of_content(await turntable._film(), most, again)  # noqa: SLF001
    return opened, await turntable._speed()  # noqa: SLF001


async def _of_content(content: bytes, most: int | None, again: Callable[[], Awaitable[bytes]] | None = None) -> Opened:
    """``again`` gives the film once more: what was kept, or has come, may have been damaged on its way."""
    if not can_read(media_of(content)):
        return content, USUAL_FPS
    facts = await in_decode_pool(film_facts, content)
    step = _step(facts.count, most)
    count = -(-facts.count // step)
    shown = FilmFacts(count, facts.fps / step, facts.width, facts.height)

    async def once_more() -> Read:
        assert again is not None
        return functools.partial(film_frames, await again(), step)

    read = functools.partial(film_frames, content, step)
    return ReadFilm(shown, read, None if again is None else once_more), facts.fps


def _step(count: int, most: int | None) -> int:
    return 1 if most is None else -(-count // most)
