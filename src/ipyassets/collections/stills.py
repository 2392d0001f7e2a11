"""The stills of a render job as a batch of images: one slot for each still, one for each asset that has none."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ipyassets.collections.decode_threads import TOO_SLOW
from ipyassets.collections.pages import Item
from ipyassets.collections.posters import Box, PosterStream, decoded
from ipyassets.collections.render_files import file_bytes
from ipyassets.collections.watches import what
from ipyassets.errors import AssetServiceError, BadResponse
from ipyassets.services.base import Record, Served
from ipyassets.services.rendering import RenderFile, RenderService

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["Still", "StillStream"]

log = logging.getLogger("ipyassets.jobs")


@dataclass(frozen=True, slots=True)
class Still:
    """One slot: a file, or the error that stands in its place."""

    record: Record
    found: RenderFile | AssetServiceError


class StillStream(PosterStream):
    """Stills in order, fetched and decoded ahead of the reader as posters are, in their own size.

    ``size``: what was ordered, in pixels; a still of another size is kept, and the log says so.
    """

    unit: ClassVar[str] = "still"

    def __init__(self, service: RenderService, stills: Sequence[Still], size: tuple[int, int] | None) -> None:
        super().__init__(_items(service, stills), Box(), keep_content=True)
        self.count = len(stills)
        self._service = service
        self._stills = stills
        self._size = size

    async def _picture(self, index: int, item: Item) -> tuple[Image.Image, Served]:
        del item
        still = self._stills[index]
        record, file = still.record, still.found
        if isinstance(file, AssetServiceError):
            raise file
        about = what(self._service, "stills", record)
        try:
            found = await file_bytes(self._service, record, file)
            image = await decoded(found, Box(), about)
        except BadResponse as error:  # it may have been damaged on its way, or in the cache
            if error.code == TOO_SLOW:
                raise
            found = await file_bytes(self._service, record, file, anew=True)
            image = await decoded(found, Box(), about)
        if self._size is not None and image.size != self._size:
            log.warning("%s have %d x %d pixels, but %d x %d were ordered", about, *image.size, *self._size)
        return image, found


async def _items(service: RenderService, stills: Sequence[Still]) -> AsyncIterator[Item]:
    for still in stills:
        yield service, still.record
