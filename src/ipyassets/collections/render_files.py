"""The bytes of a render's files: kept ones, else fetched ones; a file that was replaced is looked for once."""

from __future__ import annotations

from collections.abc import Callable

from ipyassets.collections.images import opened
from ipyassets.collections.posters import served
from ipyassets.collections.watches import what
from ipyassets.errors import NotFound
from ipyassets.services.base import PosterSource, Record, Served
from ipyassets.services.rendering import RenderFile, RenderService
from ipyassets.services.wire import host

__all__ = ["file_bytes"]


async def file_bytes(
    service: RenderService,
    record: Record,
    file: RenderFile,
    check: Callable[[bytes, str], object] = opened,
    *,
    anew: bool = False,
) -> Served:
    """The bytes of ``file`` once they pass ``check``; ``anew``: from the service, whatever the disk cache holds.

    Raises `NotFound`, saying so, if the file was replaced by a newer rendering, `BadResponse` for damaged ones.
    """

    async def fetch() -> Served:
        try:
            return await service.render_file(file)
        except NotFound as error:
            return await service.render_file(await _now(service, record, file, error))

    moment = file.updated.isoformat() if file.updated else ""
    key = (service.name, host(service.base_url), "render", file.asset, file.blob or file.id, moment)
    # A blob never changes once it is written; a file that has neither blob nor date may, under the same key.
    lifetime = None if file.blob or file.updated else 0.0
    return await served(PosterSource(key, fetch, lifetime), what(service, file.part, record), check, anew=anew)


async def _now(service: RenderService, record: Record, file: RenderFile, error: NotFound) -> RenderFile:
    """The file as it is listed now: perhaps it has only moved."""
    there = [
        other for other in await service.render_files(record) if (other.part, other.media) == (file.part, file.media)
    ]
    for other in there:
        if other.version == file.version or (other.blob is not None and other.blob == file.blob):
            return other
    if any(other.position == file.position for other in there):
        raise NotFound(
            f"{what(service, file.part, record)} were replaced by a newer rendering before they were downloaded. "
            "follow_renders() gives that one.",
            status=error.status,
            code=error.code,
        ) from None
    raise error
