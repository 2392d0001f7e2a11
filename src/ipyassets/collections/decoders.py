"""PNGs to ``PIL.Image`` in less time than Pillow's loader takes, with the same pixels.

By Pillow's own decoder, or by another where a person asked for it: ``imagecodecs`` brings spng, which takes two thirds
of the time. pyspng (holds the GIL), OpenCV (as slow as Pillow) and libvips (slower) were measured and left; JPEG and
WebP gain nothing that counts.
"""

from __future__ import annotations

import contextlib
import functools
import mmap
import threading
from typing import TYPE_CHECKING, Any, Final

from ipyassets._options import options

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["sooner"]

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_PLAIN: Final = {(8, 2): ("RGB", 3), (8, 6): ("RGBA", 4)}
"""Bit depth and colour type of PNGs whose pixels come out as they stand: Pillow's mode, and bytes a pixel."""
_OTHERWISE: Final = frozenset([b"tRNS", b"acTL", b"fcTL"])
_TOUCHED: Final = 1 << 17
"""Bytes from which on memory is worth asking the system for by itself."""
_local = threading.local()


def sooner(content: bytes, image: Image.Image, *, held: bool = False) -> Image.Image | None:
    """``image``, opened from ``content`` and not yet decoded, as a decoded one; None if Pillow is to load it.

    ``held``: whether it is to stay in memory beside many others.
    """
    if image.format != "PNG":
        return None
    found = _plain(content)
    if found is None or found[0] != image.mode:
        return None
    _, channels, pixels = found
    made = _by_spng(content, image, channels, held=held) if options.decoder == "imagecodecs" else None
    if made is None:
        made = _at_once(image, pixels, held=held)
    if made is not None:
        made.format, made.info = image.format, image.info
    return made


def _at_once(image: Image.Image, pixels: list[memoryview], *, held: bool) -> Image.Image | None:
    """By Pillow's own decoder, given all at a time: its loader gives 64 kB, and takes the GIL for each."""
    made = _unwritten(image, held=held)
    try:
        made.frombytes(pixels[0] if len(pixels) == 1 else b"".join(pixels), "zip", image.mode)
    except ValueError:  # Pillow's loader then says what is wrong with it, or is more forgiving
        return None
    return made


def _by_spng(content: bytes, image: Image.Image, channels: int, *, held: bool) -> Image.Image | None:
    import imagecodecs
    import numpy as np

    # The buffer of the last picture, if it was of this shape: touching new memory is a tenth of the time.
    room: Any = getattr(_local, "room", None)
    shape = (image.height, image.width, channels)
    if room is None or room.shape != shape:
        room = np.empty(shape, np.uint8)
        _local.room = room if room.nbytes <= 1 << 24 else None
    try:
        imagecodecs.spng_decode(content, out=room)
    except imagecodecs.SpngError:
        return None
    made = _unwritten(image, held=held)
    made.frombytes(room, "raw", image.mode)
    return made


def _unwritten(image: Image.Image, *, held: bool) -> Image.Image:
    """A picture of the mode and size of ``image``, RGB or RGBA, of which every pixel is still to be written.

    One that is ``held`` needs memory that nobody has used before. Touching that, page by page, is a tenth of the time
    that decoding takes, and half of it where the system is told to hand out all pages at once.
    """
    from PIL import Image

    size = 4 * image.width * image.height
    if held and size >= _TOUCHED and _maps():
        with contextlib.suppress(OSError):  # no more of it, or of such pieces: then as ever
            return _mapped(mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE), image)
    return Image.new(image.mode, image.size, None)


def _mapped(room: mmap.mmap, like: Image.Image) -> Image.Image:
    from PIL import Image

    # As Image.frombuffer does it, which has no word for RGB: there too a pixel takes four bytes.
    pillow: Any = Image
    core = pillow.core.map_buffer(room, like.size, "raw", 0, (like.mode, 0, 1))
    made: Image.Image = pillow.new(like.mode, (0, 0))._new(core)  # noqa: SLF001
    return made


@functools.cache
def _maps() -> bool:
    """Whether this system and this Pillow can do it: tried once, as how Pillow maps memory is its own affair."""
    from PIL import Image

    if not hasattr(mmap, "MAP_POPULATE"):
        return False
    pattern = bytes(range(48))
    try:
        made = _mapped(mmap.mmap(-1, 64), Image.new("RGB", (4, 4), None))
        made.frombytes(pattern, "raw", "RGB")
        made.putpixel((0, 0), (9, 9, 9))
        return made.copy().tobytes() == b"\x09\x09\x09" + pattern[3:] and made.mode == "RGB" and made.size == (4, 4)
    except Exception:  # noqa: BLE001  # another Pillow: as ever, then
        return False


def _plain(content: bytes) -> tuple[str, int, list[memoryview]] | None:
    """Mode, bytes a pixel and the compressed pixels of a PNG that is plain; None for any other.

    Plain: of 8 bits, not interlaced, of one size, and all that it says of itself stands before its pixels.
    """
    kind = _PLAIN.get((content[24], content[25])) if len(content) > 33 else None
    if kind is None or content[28] or not content.startswith(_SIGNATURE):
        return None
    at, whole = 8, memoryview(content)
    pixels: list[memoryview] = []
    while at + 12 <= len(content):
        length, name = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        if name == b"IEND":
            return (*kind, pixels) if pixels else None
        if name == b"IDAT":
            pixels.append(whole[at + 8 : at + 8 + length])
        elif pixels or name in _OTHERWISE or (name == b"IHDR" and at > 8):  # of two sizes each reader takes another
            return None
        at += 12 + length
    return None
