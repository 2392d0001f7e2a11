"""Small pictures for a screen: the service's own bytes where they are small, else ours, encoded small."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final

from ipyassets.collections.images import WHAT, decode, in_decode_pool, opened
from ipyassets.collections.posters import about, fetch_poster
from ipyassets.services.base import AssetService, Record

__all__ = ["Thumbnail", "shrink", "thumbnail"]

PASS_THROUGH: Final = 12_000
"""Bytes up to which a service's own rendition goes to the browser as it came."""
_BROWSER_TYPES: Final = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif"}


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """An encoded picture for the browser, its type and its size in pixels."""

    content: bytes
    mime: str
    width: int
    height: int


async def thumbnail(service: AssetService, record: Record, edge: int, *, as_is: int = PASS_THROUGH) -> Thumbnail:
    """A thumbnail of at most ``edge`` x ``edge`` pixels. Raises as `fetch_poster` does.

    The service's own rendition is given as it came if it has at most ``as_is`` bytes.
    """
    found = await fetch_poster(service, record, width=edge, height=edge)
    return await in_decode_pool(shrink, found.content, edge, as_is, about(service, record))


def shrink(content: bytes, edge: int, as_is: int = PASS_THROUGH, what: str = WHAT) -> Thumbnail:
    """``content`` as a thumbnail of at most ``edge`` pixels a side.

    Raises `BadResponse`, calling it ``what``, if it is no raster picture.
    """
    image = opened(content, what)
    mime = _BROWSER_TYPES.get(image.format or "")
    if mime and len(content) <= as_is and max(image.size) <= 4 * edge:
        return Thumbnail(content, mime, *image.size)
    return encode(decode(content, edge, edge, what))


def encode(image: object) -> Thumbnail:
    """A ``PIL.Image`` as JPEG, or as WebP where it is see-through: JPEG is ten times cheaper to make."""
    from PIL import Image

    assert isinstance(image, Image.Image)
    buffer = io.BytesIO()
    if image.has_transparency_data and image.convert("RGBA").getchannel("A").getextrema() != (255, 255):
        image.convert("RGBA").save(buffer, "WEBP", quality=78, method=2)
        mime = "image/webp"
    else:
        image.convert("RGB").save(buffer, "JPEG", quality=80)
        mime = "image/jpeg"
    return Thumbnail(buffer.getvalue(), mime, *image.size)
