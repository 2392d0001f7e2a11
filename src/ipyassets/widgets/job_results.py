"""What a job made, as the browser shows it: a picture for each line, the files of one, its film."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from ipyassets.collections.facts import Facts, asset_facts
from ipyassets.collections.images import in_decode_pool
from ipyassets.collections.jobs import JobBase, JobItem
from ipyassets.collections.results import HasFilms, HasResults, Result
from ipyassets.collections.thumbnails import PASS_THROUGH, Thumbnail, shrink, thumbnail
from ipyassets.errors import BadResponse
from ipyassets.widgets.reading import Refused
from ipyassets.widgets.tiles import Tile

__all__ = ["Files", "Lines", "bytes_said", "file_name", "film", "results_of", "small"]

_MIME: Final = {"mp4": "video/mp4", "gif": "image/gif"}
_LARGEST_FILM: Final = 24_000_000
"""Bytes of a film that still go through the notebook's connection; larger ones are for a player in Python."""
_LARGEST_PICTURE: Final = 128_000_000
"""Bytes of a file that is still read to show it small."""
_AT_ONCE: Final = 6
"""Files that are read at once, each of them in memory."""


async def results_of(job: JobBase, *indices: int) -> list[Result]:
    """The files that a job gave for these lines; none if it is not of those that give files."""
    if not isinstance(job, HasResults):
        return []
    return [result for index in indices for result in await job._results(index)]  # noqa: SLF001


class Lines:
    """The lines of a job as tiles. A line's picture is the first that was made for it, and its poster before."""

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
        made = next((result for result in await results_of(self._job, item.index) if result.picture), None)
        if made is not None:
            return await small(made, edge)
        if item.asset is None:
            return None
        return await thumbnail(item.asset._service, item.asset._record, edge)  # noqa: SLF001

    def facts(self, tile: Tile) -> Facts:
        del tile
        return []


class Files:
    """Files that jobs gave, as tiles; what is no picture has a name only."""

    def __init__(self, results: Sequence[Result], generation: int = 1) -> None:
        self.generation = generation
        self.results = results
        self._gate = asyncio.Semaphore(_AT_ONCE)

    async def tiles(self, first: int, last: int) -> Sequence[Tile]:
        return [
            Tile(index, str(index), file_name(self.results[index].name), self.results[index])
            for index in range(first, min(last + 1, len(self.results)))
        ]

    async def picture(self, tile: Tile, edge: int) -> Thumbnail | None:
        result: Result = tile.thing
        if not result.picture:
            return None
        async with self._gate:
            return await small(result, edge)

    def facts(self, tile: Tile) -> Facts:
        result: Result = tile.thing
        facts = [("File", result.name)]
        if result.size is not None:
            facts.append(("Size", bytes_said(result.size)))
        if result.record is not None:
            facts += [("Asset", result.record.name), *asset_facts(result.record)]
        return facts

    async def film(self, tile: Tile, most: int) -> None:
        del tile, most


async def film(job: JobBase, item: JobItem, media: str) -> tuple[dict[str, Any], bytes] | None:
    """A line's film as a message says it, and its bytes; None if there is none of this kind.

    Raises `Refused` for one that is too large to be sent.
    """
    content = await job._film_of(item.index, media) if isinstance(job, HasFilms) else None  # noqa: SLF001
    if content is None:
        return None
    if len(content) > _LARGEST_FILM:
        raise Refused(f"The turntable is too large to be shown here ({len(content) / 1e6:.0f} MB).")
    return {"mime": _MIME[media]}, content


async def small(result: Result, edge: int) -> Thumbnail:
    """A thumbnail of a picture that a job made. Raises `BadResponse` for one that is too large, or is none."""
    if result.size is not None and result.size > _LARGEST_PICTURE:
        raise BadResponse(f"{result.what} is too large to be shown here ({bytes_said(result.size)}).")
    return await in_decode_pool(shrink, await result.read(), edge, PASS_THROUGH, result.what)


def file_name(path: str) -> str:
    """A name without its folders, of which many begin alike: there is little room below a picture."""
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2] or path


def bytes_said(count: int) -> str:
    """A number of bytes for people, in powers of ten as file managers show them: "34.5 MB"."""
    if count < 1_000:
        return f"{count} byte{'' if count == 1 else 's'}"
    size, units = float(count), iter(("kB", "MB", "GB", "TB"))
    unit = ""
    while size >= 999.95 or not unit:
        size, unit = size / 1_000, next(units)
    return f"{size:.1f} {unit}" if unit != "kB" else f"{size:.0f} kB"
