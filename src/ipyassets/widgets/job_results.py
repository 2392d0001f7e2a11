"""What a job made, as the browser shows it: a picture for each line, an asset's stills, its turntable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from ipyassets.collections.images import in_decode_pool
from ipyassets.collections.jobs import JobBase, JobItem
from ipyassets.collections.render_files import file_bytes
from ipyassets.collections.render_job import RenderJobBase
from ipyassets.collections.thumbnails import PASS_THROUGH, Thumbnail, shrink, thumbnail
from ipyassets.collections.turntables import TurntableBase
from ipyassets.collections.watches import what
from ipyassets.services.rendering import RenderFile, RenderService
from ipyassets.widgets.reading import Refused
from ipyassets.widgets.tiles import Facts, Tile

__all__ = ["Lines", "StillsOf", "film"]

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
        stills = _stills(self._job, item)
        if stills:
            return await _still(item, stills[0], edge)
        return await thumbnail(item.asset._service, item.asset._record, edge)  # noqa: SLF001

    def facts(self, tile: Tile) -> Facts:
        del tile
        return []


class StillsOf:
    """The stills of one line as tiles."""

    generation = 1

    def __init__(self, job: JobBase, item: JobItem) -> None:
        self._item = item
        self._stills = _stills(job, item)

    async def tiles(self, first: int, last: int) -> Sequence[Tile]:
        return [Tile(i, still.id, still.name, still) for i, still in enumerate(self._stills)][first : last + 1]

    async def picture(self, tile: Tile, edge: int) -> Thumbnail | None:
        return await _still(self._item, tile.thing, edge)

    def facts(self, tile: Tile) -> Facts:
        del tile
        return []


async def film(job: JobBase, item: JobItem, media: str) -> tuple[dict[str, Any], bytes] | None:
    """An asset's turntable as a message says it, and its bytes; None if there is none of this kind.

    Raises `Refused` for one that is too large to be sent.
    """
    turntables: Sequence[TurntableBase] = job.turntables() if isinstance(job, RenderJobBase) else ()
    turntable = next((one for one in turntables if one.asset == item.asset), None)
    if turntable is None or media not in turntable.formats:
        return None
    content = await turntable._content(media)  # noqa: SLF001
    if len(content) > _LARGEST_FILM:
        raise Refused(f"The turntable is too large to be shown here ({len(content) / 1e6:.0f} MB).")
    return {"mime": _MIME[media]}, content


async def _still(item: JobItem, file: RenderFile, edge: int) -> Thumbnail:
    assert item.asset is not None
    service, record = item.asset._service, item.asset._record  # noqa: SLF001
    assert isinstance(service, RenderService)
    served = await file_bytes(service, record, file)
    return await in_decode_pool(shrink, served.content, edge, PASS_THROUGH, what(service, "stills", record))


def _stills(job: JobBase, item: JobItem) -> list[RenderFile]:
    files = job._files.get((item.index, "stills"), ()) if isinstance(job, RenderJobBase) else ()  # noqa: SLF001
    return sorted(files, key=lambda file: file.position)
