"""What jobs made, or are to make something of, in a snapshot."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Final

from ipyassets.collections.jobs import JobBase, JobItem
from ipyassets.collections.pages import Item
from ipyassets.collections.results import Result
from ipyassets.collections.thumbnails import Thumbnail, thumbnail
from ipyassets.errors import AssetServiceError
from ipyassets.widgets.job_results import file_name, results_of, small
from ipyassets.widgets.snapshot import MOST_TILES, Still, StillTile

__all__ = ["poster_tiles", "still_of"]

_WITH_RESULTS: Final = ("completed", "partly_failed")


async def still_of(jobs: Sequence[JobBase]) -> Still:
    """How jobs stand, with the pictures they made; an asset of which there are none yet is shown by its poster."""
    tiles: list[StillTile] = []
    total = 0
    for job in jobs:
        each = max(1, MOST_TILES // max(1, len(job.items)))
        for item in job.items:
            if len(tiles) >= MOST_TILES:
                total += 1
                continue
            made = await _pictures(job, item)
            if made:
                tiles += [_made(item, result) for result in made[:each]]
                total += len(made)
            elif item.asset is not None:
                poster = functools.partial(thumbnail, item.asset._service, item.asset._record)  # noqa: SLF001
                tiles.append(StillTile(item.name, poster, _word(item.status), key=(item.asset.id, "poster")))
                total += 1
    return Still(" ".join(map(_standing, jobs)) or "No jobs.", tiles, total)


def poster_tiles(items: Sequence[Item]) -> list[StillTile]:
    """Assets by their posters."""
    return [
        StillTile(record.name, functools.partial(thumbnail, service, record), key=record.id)
        for service, record in items[:MOST_TILES]
    ]


async def _pictures(job: JobBase, item: JobItem) -> list[Result]:
    if item.status not in _WITH_RESULTS:
        return []
    try:
        return [result for result in await results_of(job, item.index) if result.picture]
    except AssetServiceError:
        return []  # the job tells it where it is asked for


def _made(item: JobItem, result: Result) -> StillTile:
    async def picture(edge: int) -> Thumbnail:
        return await small(result, edge)

    name = file_name(result.name)
    # By what was read, not by its name: another try makes another file of the same name.
    return StillTile(
        item.name if item.asset else name,
        picture,
        name if item.asset else "",
        key=(item.ended, result.what, result.name),
    )


def _word(status: str) -> str:
    return status.replace("_", " ")


def _standing(job: JobBase) -> str:
    items = job.items
    done = sum(item.done for item in items)
    return f"{job.title}: {_word(job.status)}, {done:,} of {len(items):,} done."
