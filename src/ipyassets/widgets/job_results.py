"""What a job made, as the browser shows it: a picture for each line, an asset's stills, its turntable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from ipyassets.collections.images import in_decode_pool
from ipyassets.collections.jobs import JobBase, JobItem
from ipyassets.collections.thumbnails import PASS_THROUGH, Thumbnail, shrink, thumbnail
from ipyassets.errors import NotFound
from ipyassets.services.rendering import PARTS, Part, RenderFile, RenderService
from ipyassets.widgets.reading import Refused
from ipyassets.widgets.tiles import Facts, Tile

__all__ = ["Lines", "StillsOf", "film"]

_STILLS, _TURNTABLE = PARTS
_MIME: Final = {"mp4": "video/mp4", "gif": "image/gif"}
_LARGEST_FILM: Final = 24_000_000
"""Bytes of a turntable that still go through the notebook's connection; larger ones are for a player in Python."""


class Lines:
    """The lines of a job as tiles. A line's picture is its first still once that is made, and the poster before."""

    generation = 1

    def __init__(self, job: JobBase) -> None:
        self._job = job

    async def tiles(self, first: int, last: int) -> Sequence[Tile]:
        return [
            Tile(item.index, item.asset.id if item.asset else "", item.name, item)
            for item in self._job.items[first : last + 1]
        ]

    async def picture(self, tile: Tile, edge: int) -> Thumbnail | None:
        item: JobItem = tile.thing
        if item.asset is None:
            return None
        if item.parts.get(_STILLS) == "completed" and (stills := await _files(item, _STILLS)):
            return await _still(item, stills[0], edge)
        return await thumbnail(item.asset._service, item.asset._record, edge)  # noqa: SLF001

    def facts(self, tile: Tile) -> Facts:
        del tile
        return []


class StillsOf:
    """The stills of one line as tiles."""

    generation = 1

    def __init__(self, item: JobItem) -> None:
        self._item = item

    async def tiles(self, first: int, last: int) -> Sequence[Tile]:
        if self._item.parts.get(_STILLS) != "completed":
            return []
        stills = await _files(self._item, _STILLS)
        return [Tile(i, still.id, still.name, still) for i, still in enumerate(stills)][first : last + 1]

    async def picture(self, tile: Tile, edge: int) -> Thumbnail | None:
        return await _still(self._item, tile.thing, edge)

    def facts(self, tile: Tile) -> Facts:
        del tile
        return []


async def film(item: JobItem, media: str) -> tuple[dict[str, Any], bytes] | None:
    """An asset's turntable as a message says it, and its bytes; None if there is none of this kind.

    Raises `Refused` for one that is too large to be sent.
    """
    if item.parts.get(_TURNTABLE) != "completed":
        return None
    service = _service(item)
    for file in await _files(item, _TURNTABLE):
        if service is not None and file.media == media:
            content = (await service.render_file(file)).content
            if len(content) > _LARGEST_FILM:
                raise Refused(f"The turntable is too large to be shown here ({len(content) / 1e6:.0f} MB).")
            return {"mime": _MIME[media], "name": file.name}, content
    return None


async def _still(item: JobItem, file: RenderFile, edge: int) -> Thumbnail:
    service = _service(item)
    if service is None:
        raise NotFound("This service makes no renders.")
    served = await service.render_file(file)
    what = f"{service.title}: a still of {item.name!r:.80}"
    return await in_decode_pool(shrink, served.content, edge, PASS_THROUGH, what)


async def _files(item: JobItem, part: Part) -> list[RenderFile]:
    service = _service(item)
    if service is None or item.asset is None:
        return []
    return [file for file in await service.render_files(item.asset._record) if file.part == part]  # noqa: SLF001


def _service(item: JobItem) -> RenderService | None:
    service = item.asset._service if item.asset else None  # noqa: SLF001
    return service if isinstance(service, RenderService) else None
