"""Another decoder than Pillow, where a person asked for it: the same pixels, sooner.

``imagecodecs`` brings spng, which takes two thirds of the time for a PNG. pyspng (holds the GIL), OpenCV (as slow as
Pillow) and libvips (slower) were measured and left; JPEG and WebP gain nothing that counts.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from ipyassets._options import options

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["sooner"]

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_PLAIN: Final = {(8, 2): ("RGB", 3), (8, 6): ("RGBA", 4)}
"""Bit depth and colour type of PNGs whose pixels come out as Pillow's do: its mode, and bytes a pixel."""
_OTHERWISE: Final = frozenset([b"tRNS", b"acTL", b"fcTL"])
_local = threading.local()


def sooner(content: bytes, image: Image.Image) -> Image.Image | None:
    """``image``, opened from ``content`` and not yet decoded, as a decoded one; None if Pillow is to do it."""
    if options.decoder != "imagecodecs" or image.format != "PNG":
        return None
    kind = _kind(content)
    if kind is None or kind[0] != image.mode:
        return None
    import imagecodecs
    import numpy as np
    from PIL import Image

    mode, channels = kind
    # The buffer of the last picture, if it was of this shape: touching new memory is a tenth of the time.
    room: Any = getattr(_local, "room", None)
    shape = (image.height, image.width, channels)
    if room is None or room.shape != shape:
        room = np.empty(shape, np.uint8)
        _local.room = room if room.nbytes <= 1 << 24 else None
    try:
        imagecodecs.spng_decode(content, out=room)
    except imagecodecs.SpngError:
        return None  # Pillow then says what is wrong with it, or is more forgiving
    made = Image.frombuffer(mode, image.size, room, "raw", mode, 0, 1)
    if made.readonly:  # shares our buffer
        made = made.copy()
    made.format, made.info = image.format, image.info
    return made


def _kind(content: bytes) -> tuple[str, int] | None:
    """Mode and bytes a pixel of a PNG that is plain: all it says stands before its pixels, and is none of a few."""
    if not content.startswith(_SIGNATURE) or content[28:29] != b"\0":  # interlaced
        return None
    at, pixels = 8, False
    while at + 8 <= len(content):
        name = content[at + 4 : at + 8]
        if name == b"IEND":
            return _PLAIN.get((content[24], content[25]))
        if name in _OTHERWISE or (pixels and name != b"IDAT"):
            return None
        pixels = pixels or name == b"IDAT"
        at += 12 + int.from_bytes(content[at : at + 4], "big")
    return None
