"""Thumbnails: exactly 400x250 or 800x500 pixels, always PNG, whatever was uploaded.

The aspect rule is not documented; here a picture is fitted into the box and padded with its own corner colour.
"""

from __future__ import annotations

import io
import threading
from functools import lru_cache

from PIL import Image, ImageDraw, ImageOps, UnidentifiedImageError

from ipyassets.sandbox import library
from ipyassets.sandbox.itwin.catalogue import IModel
from ipyassets.sandbox.itwin.errors import PlatformError, detail

__all__ = ["LARGEST_UPLOAD", "SIZES", "Thumbnails"]

SIZES = {"small": (400, 250), "large": (800, 500)}
LARGEST_UPLOAD = 5 * 1024 * 1024
_TYPES = {"image/png": "PNG", "image/jpeg": "JPEG"}
_MOST_PIXELS = 40_000_000


class Thumbnails:
    """The uploaded pictures of one sandbox, over the shipped ones and the service's default."""

    def __init__(self) -> None:
        self._uploads: dict[str, dict[str, bytes]] = {}
        self._lock = threading.Lock()

    def get(self, imodel: IModel, size: str) -> bytes:
        """PNG bytes. Takes tens of milliseconds the first time a picture is asked for in a size."""
        uploaded = self._uploads.get(imodel.id)
        if uploaded is not None:
            return uploaded[size]
        return _shipped(imodel.building.key, size) if imodel.has_picture else _default(size)

    def put(self, imodel: IModel, content_type: str | None, body: bytes) -> None:
        """Keep an upload, or raise the 413 or 422 that says why not."""
        problem = _header_problem(content_type) or _body_problem(content_type, body)
        if problem is not None:
            raise PlatformError(422, "InvalidiModelsRequest", "Cannot upload Thumbnail.", details=[problem])
        with Image.open(io.BytesIO(body)) as image:
            picture = ImageOps.exif_transpose(image).convert("RGBA")
        made = {name: _fit(picture, box) for name, box in SIZES.items()}
        with self._lock:
            self._uploads[imodel.id] = made


def _media_type(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()


def _header_problem(content_type: str | None) -> dict[str, object] | None:
    if not content_type:
        return detail("MissingRequiredHeader", "Required header 'Content-Type' is missing.", "content-type")
    if _media_type(content_type) not in _TYPES:
        message = f"'{content_type}' is not a valid 'Content-Type'. Valid values: {', '.join(_TYPES)}."
        return detail("InvalidHeaderValue", message, "content-type")
    return None


def _body_problem(content_type: str | None, body: bytes) -> dict[str, object] | None:
    if not body:
        return detail("MissingRequestBody", "The request body is empty.")
    try:
        with Image.open(io.BytesIO(body), formats=("PNG", "JPEG")) as image:
            right = image.format == _TYPES[_media_type(content_type)] and image.width * image.height <= _MOST_PIXELS
            if right:
                image.load()
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError):
        right = False
    if right:
        return None
    message = "The request body is not a readable picture of the type that the Content-Type header says."
    return detail("InvalidRequestBody", message, inner="InvalidThumbnailFormat")


def _fit(picture: Image.Image, box: tuple[int, int]) -> bytes:
    flat = Image.new("RGB", picture.size, "white")
    flat.paste(picture, mask=picture.getchannel("A") if picture.mode == "RGBA" else None)
    corner = flat.getpixel((0, 0))
    assert isinstance(corner, tuple)
    framed = ImageOps.pad(flat, box, Image.Resampling.LANCZOS, color=corner)
    out = io.BytesIO()
    framed.save(out, "PNG", compress_level=4)
    return out.getvalue()


@lru_cache(maxsize=128)
def _shipped(key: str, size: str) -> bytes:
    with Image.open(io.BytesIO(library.picture("building", key))) as image:
        return _fit(image.convert("RGB"), SIZES[size])


@lru_cache(maxsize=len(SIZES))
def _default(size: str) -> bytes:
    """The picture of an iModel that has none: a drawn cube on grey."""
    width, height = SIZES[size]
    image = Image.new("RGB", (width * 2, height * 2), "#e6e9ee")
    draw = ImageDraw.Draw(image)
    x, y, r = width, height, height * 0.5
    half, low = r * 0.866, r * 0.5
    top = [(x, y - r), (x + half, y - low), (x, y), (x - half, y - low)]
    left = [(x - half, y - low), (x, y), (x, y + r), (x - half, y + low)]
    right = [(x + half, y - low), (x, y), (x, y + r), (x + half, y + low)]
    for side, colour in ((top, "#c3cad6"), (left, "#aab4c4"), (right, "#98a3b6")):
        draw.polygon(side, fill=colour)
    return _fit(image, (width, height))
