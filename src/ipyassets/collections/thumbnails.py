"""Small pictures for a screen: the service's own bytes where they are small, else ours, encoded small."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ipyassets.collections.images import WHAT, decode, in_decode_pool, opened
from ipyassets.collections.posters import about, fetch_poster
from ipyassets.services.base import AssetService, Record

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["Thumbnail", "miniature", "shrink", "thumbnail"]

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
    return _encoded(decode(content, edge, edge, what))


def miniature(image: Image.Image, edge: int) -> Thumbnail:
    """A thumbnail of at most ``edge`` pixels a side of an image that was decoded already, and stays as it is."""
    if image.mode in ("P", "1", "PA"):  # would be resized without smoothing
        image = image.convert("RGBA" if "transparency" in image.info or image.mode == "PA" else "RGB")
    elif image.mode not in ("L", "LA", "RGB", "RGBA"):
        image = image.convert("RGB")
    scale = min(1.0, edge / max(image.size))
    if scale < 1:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(size, reducing_gap=2.0)
    return _encoded(image)


def _encoded(image: Image.Image) -> Thumbnail:
    """``image`` as JPEG, or as WebP where it is see-through: JPEG is ten times cheaper to make."""
    buffer = io.BytesIO()
    if image.has_transparency_data and image.convert("RGBA").getchannel("A").getextrema() != (255, 255):
        image.convert("RGBA").save(buffer, "WEBP", quality=78, method=2)
        mime = "image/webp"
    else:
        image.convert("RGB").save(buffer, "JPEG", quality=80)
        mime = "image/jpeg"
    return Thumbnail(buffer.getvalue(), mime, *image.size)
