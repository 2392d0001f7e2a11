"""From bytes to ``PIL.Image``: look first, then decode, in threads beside the loop."""

from __future__ import annotations

import asyncio
import io
import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from ipyassets.collections.decode_threads import DecodeThreads, begun
from ipyassets.collections.decoders import sooner
from ipyassets.errors import BadResponse

if TYPE_CHECKING:
    from PIL import Image

__all__ = [
    "MAX_PIXELS",
    "WHAT",
    "decode",
    "described",
    "in_decode_pool",
    "in_file_pool",
    "is_heif",
    "opened",
    "upright",
]

T = TypeVar("T")

MAX_PIXELS: Final = 100_000_000
"""Pictures with more pixels are refused before anything is decoded (100 megapixels are 400 MB of RGBA)."""

WHAT: Final = "What came"
"""What errors call a picture of which no more is known."""

_RASTER: Final = ("PNG", "JPEG", "WEBP", "GIF", "AVIF", "TIFF", "BMP")
_KEPT_DECODERS: Final = frozenset(["WEBP", "AVIF", "HEIF"])
_HEIF: Final = frozenset([b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"])
"""Brands, as the beginning of the file names them."""
_TILE_SIZE: Final = (0x0142, 0x0143)
"""Tags of TIFF for the width and the height of its tiles, in pixels."""
_LARGE_TILE: Final = 1 << 22
_JPEGS: Final = ("JPEG", "MPO")
_SCAN: Final = b"\xff\xda"
_MOST_SCANS: Final = 100
"""A progressive JPEG has some ten; each goes over all pixels, and a few bytes are enough for one."""
_SPREAD: Final = re.compile(rb"ispe....(.{4})(.{4})", re.DOTALL)
_ORIENTATION: Final = 0x0112
_LYING: Final = (5, 6, 7, 8)
"""Orientations of pictures that are stored on their side. Others than 1 to 8 mean nothing."""
_formats: list[str] | None = None


_ENDS: Final = {"PNG": b"IEND", "JPEG": b"\xff\xd9"}
"""What whole files have at their end, before whatever a camera or an editor has put behind it."""


def opened(content: bytes, what: str = WHAT, most: int = MAX_PIXELS) -> Image.Image:
    """The picture in ``content``, its header read and nothing decoded.

    Raises `BadResponse` if it is no raster picture, or one of more than ``most`` pixels; the error calls it ``what``.
    """
    from PIL import Image, UnidentifiedImageError

    begun(what)
    global _formats  # noqa: PLW0603
    if _formats is None:
        Image.init()
        _formats = [name for name in _RASTER if name in Image.OPEN]
    try:
        image = _heif(content, what) if is_heif(content) else Image.open(io.BytesIO(content), formats=_formats)
    except BadResponse:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise BadResponse(f"{what} has far more than {most:,} pixels; it was not decoded.") from None
    except UnidentifiedImageError:
        raise BadResponse(f"{what} is not a picture: {described(content)}.") from None
    except Exception as error:  # noqa: BLE001  # Pillow's readers raise many kinds on hostile headers
        raise BadResponse(f"{what} cannot be read ({type(error).__name__}).") from None
    width, height = _largest(content, image) if image.format == "HEIF" else image.size
    if width * height > most:
        raise BadResponse(
            f"{what} says it has {width:,} x {height:,} pixels, more than the limit of {most:,}; it was not decoded."
        )
    if image.format in _JPEGS and content.count(_SCAN) > _MOST_SCANS:
        raise BadResponse(f"{what} has more than {_MOST_SCANS} layers of pixels; it was not decoded.")
    if image.format == "TIFF" and not _fitting_tiles(image):
        raise BadResponse(f"{what} has tiles that are far larger than the picture; it was not decoded.")
    if _cut_off(image.format, content):
        raise BadResponse(f"{what} is damaged or cut off (its end is missing).")
    return image


def _fitting_tiles(image: Any) -> bool:
    """Whether the tiles of a TIFF are about as large as it: each is unpacked whole, to two gigabytes for 16 pixels."""
    width, height = (image.tag_v2.get(tag, 1) for tag in _TILE_SIZE)
    if not (isinstance(width, int) and isinstance(height, int)):
        return False
    return bool(width * height <= max(_LARGE_TILE, image.width * image.height))


def _cut_off(format: str | None, content: bytes) -> bool:
    """Whether the end of a file is missing, as far as that is seen without decoding it."""
    if format == "WEBP":
        return int.from_bytes(content[4:8], "little") + 8 > len(content)
    end = _ENDS.get(format or "")
    return end is not None and content.rfind(end) < 0


def decode(
    content: bytes,
    width: int | None = None,
    height: int | None = None,
    what: str = WHAT,
    most: int = MAX_PIXELS,
    *,
    held: bool = False,
) -> Image.Image:
    """The picture in ``content``, decoded and made to fit the box ``width`` x ``height`` pixels.

    ``held``: whether it is to stay in memory beside many others, which then takes less time to get. The ratio is kept
    and nothing is scaled up. Raises `BadResponse`, calling it ``what``, for what is no (whole) raster picture, or one
    of more than ``most`` pixels.
    """
    image = opened(content, what, most)
    try:
        # Asked before anything is decoded: where a GIF is odd, Pillow begins it anew to tell.
        animated = bool(getattr(image, "is_animated", False))
        fits = image.width <= (width or image.width) and image.height <= (height or image.height)
        image = sooner(content, image, held=held and fits) or image
        lying = "exif" in image.info and _orientation(image) in _LYING
        image = _within(image, *((height, width) if lying else (width, height)))
        image.load()
        upright(image)
        # A HEIF may turn out larger than it said, and a PNG may say behind its pixels how it lies.
        image = _within(image, width, height)
        if not animated:
            image = _alone(image)
    except Exception as error:  # noqa: BLE001
        raise BadResponse(f"{what} is damaged or cut off ({type(error).__name__}: {error}).") from None
    return image


def _orientation(image: Image.Image) -> object:
    try:
        return image.getexif().get(_ORIENTATION)
    except Exception:  # noqa: BLE001  # Pillow raises many kinds on what is no EXIF
        return None


def upright(image: Image.Image) -> None:
    """Turn ``image``, which is decoded, as its EXIF says. What says it unreadably says nothing, as in browsers."""
    from PIL import ImageOps

    try:
        ImageOps.exif_transpose(image, in_place=True)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001
        image.info.pop("exif", None)


def _within(image: Image.Image, width: int | None, height: int | None) -> Image.Image:
    box = (width or image.width, height or image.height)
    if image.width <= box[0] and image.height <= box[1]:
        return image
    if image.mode in ("P", "1", "I;16", "PA"):  # palettes would be resized without smoothing
        image = image.convert("RGBA" if "transparency" in image.info or image.mode == "PA" else "RGB")
    image.thumbnail(box, reducing_gap=2.0)
    return image


def _alone(image: Image.Image) -> Image.Image:
    """A decoded picture without its decoder and its file: some keep more copies of the pixels while it lives."""
    if image.format not in _KEPT_DECODERS:
        for name in ("fp", "_fp"):  # else each picture keeps the file it was read from
            if getattr(image, name, None) is not None:
                setattr(image, name, None)
        return image
    alone = image.copy()
    alone.format = image.format
    return alone


def is_heif(content: bytes) -> bool:
    """Whether it is a HEIF or HEIC picture, which Pillow alone does not read (AVIF, its sister, it does)."""
    return content[4:8] == b"ftyp" and content[8:12] in _HEIF and b"avif" not in content[8:32]


def _heif(content: bytes, what: str) -> Image.Image:
    try:
        from pillow_heif import HeifImageFile  # its reader, and nothing registered for everybody
    except ImportError:
        raise BadResponse(f'{what} is a HEIF picture; to read it: pip install "ipyassets[heif]"', advice="") from None
    reader: Any = HeifImageFile
    return cast("Image.Image", reader(io.BytesIO(content)))


def _largest(content: bytes, image: Image.Image) -> tuple[int, int]:
    """Width and height of the largest picture that a HEIF has coded; what it shows may be a small part cut from that.

    Its decoder makes room for no more than is said here ("ispe"), and then cuts.
    """
    found = [image.size]
    at = 0
    while at + 8 <= len(content):
        length, kind = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        if length == 1:
            length = int.from_bytes(content[at + 8 : at + 16], "big")
        end = at + length if length >= 8 else len(content)
        if kind == b"meta":
            said = _SPREAD.finditer(content, at, end)
            found += [(int.from_bytes(one[1], "big"), int.from_bytes(one[2], "big")) for one in said]
        at = end
    return max(found, key=lambda size: size[0] * size[1])


def described(content: bytes) -> str:
    """What ``content`` is, in words, where it is not what it should be."""
    if not content:
        return "it is empty"
    start = content[:256].lstrip().lower()
    for mark, words in (
        (b"<!doctype html", "an HTML page"),
        (b"<html", "an HTML page"),
        (b"<svg", "an SVG drawing"),
        (b"<?xml", "an XML document"),
        (b"{", "a JSON text"),
    ):
        if start.startswith(mark):
            return words
    return (
        f"{len(content)} bytes of text" if start.isascii() and b"\0" not in start else f"{len(content)} unknown bytes"
    )


_decoding: Final = DecodeThreads()
_pools: dict[str, ThreadPoolExecutor] = {}

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pools.clear)  # its threads did not come along


async def in_decode_pool(work: Callable[..., T], *arguments: Any) -> T:
    """Run ``work`` on one of as many threads as there are cores (Pillow decodes without the GIL).

    Raises as ``work`` does, and `BadResponse` where one picture takes longer than `decode_threads.MAX_SECONDS`.
    """
    return await _decoding.run(work, *arguments)


async def in_file_pool(work: Callable[..., T], *arguments: Any) -> T:
    """Run short file work beside the decoding, so that it need not queue behind pictures."""
    if "files" not in _pools:
        _pools["files"] = ThreadPoolExecutor(4, thread_name_prefix="ipyassets-files")
    return await asyncio.get_running_loop().run_in_executor(_pools["files"], work, *arguments)
