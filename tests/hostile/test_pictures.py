"""Pictures and films that would take all memory or all time: refused before, whichever way they come."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import pytest
from PIL import GifImagePlugin, Image, ImageFile

import ipyassets as ia
from ipyassets.collections import film, images
from ipyassets.collections.film import film_facts, film_frames
from ipyassets.collections.images import decode, opened
from ipyassets.collections.thumbnails import shrink
from ipyassets.errors import BadResponse
from tests.fakes import MemoryService, video
from tests.hostile.names import listed

PNG: Final = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int = 4, height: int = 4, *more: bytes) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    pixels = zlib.compress(b"\0" * (1 + 3 * 4) * 4)
    return PNG + head + b"".join(more) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@cache
def packed_zeros(size: int) -> bytes:
    packing = zlib.compressobj(9)
    return b"".join(packing.compress(bytes(1 << 20)) for _ in range(size >> 20)) + packing.flush()


def tiff(tile: int) -> bytes:
    """16 x 16 pixels in one tile of ``tile`` x ``tile``."""
    data = zlib.compress(bytes(256))
    tags = [(256, 16), (257, 16), (258, 8), (259, 8), (262, 1), (277, 1), (322, tile), (323, tile), (324, 0), (325, 0)]
    offset = 8 + 2 + 12 * len(tags) + 4
    values = {324: offset, 325: len(data)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, values.get(tag, value)) for tag, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + data


def many_scans(times: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    buffer = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(buffer, "JPEG", progressive=True)
    content = buffer.getvalue()
    last = content[content.rfind(b"\xff\xda") : -2]
    return content[:-2] + last * times + content[-2:]


def many_frames(count: int) -> bytes:
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x4c\x01\x00"
    return b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff" + frame * count + b";"


def bmp(width: int, height: int) -> bytes:
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, *[0] * 6)


HOSTILE: Final = {
    "png": lambda: png(60_000, 60_000),
    "png-just-over": lambda: png(10_001, 10_000),
    "gif": lambda: b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0, 0, 0) + b"\x2c",
    "bmp": lambda: bmp(30_000, 30_000),
    "png-text": lambda: png(4, 4, chunk(b"zTXt", b"Comment\0\0" + packed_zeros(80 << 20))),
    "png-unicode-text": lambda: png(4, 4, chunk(b"iTXt", b"C\0\1\0\0\0" + packed_zeros(80 << 20))),
    "png-profile": lambda: png(4, 4, chunk(b"iCCP", b"p\0\0" + packed_zeros(80 << 20))),
    "png-many-texts": lambda: png(4, 4, *[chunk(b"zTXt", b"C\0\0" + packed_zeros(1 << 20))] * 100),
    "tiff-tile": lambda: tiff(20_000),
    "jpeg-scans": lambda: many_scans(200),
}  # fmt: skip


def held(content: bytes) -> Any:
    return decode(content, held=True)


def by_imagecodecs(content: bytes) -> Any:
    pytest.importorskip("imagecodecs")
    before, ia.options.decoder = ia.options.decoder, "imagecodecs"
    try:
        return decode(content)
    finally:
        ia.options.decoder = before


def as_poster(content: bytes) -> Any:
    service = MemoryService(1)
    service.posters["asset-0"] = content
    return listed(service)[0].poster(width=64)


WAYS: Final = [decode, held, by_imagecodecs, lambda content: shrink(content, 64), as_poster]
"""Ways from bytes to a picture: alone, in a batch, by another decoder, as a thumbnail, and from a service."""


@pytest.mark.parametrize("way", WAYS, ids=["decode", "held", "imagecodecs", "thumbnail", "poster"])
@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_too_much(kind: str, way: Callable[[bytes], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiles of a TIFF were unpacked whole, two gigabytes for 16 pixels; a JPEG's scans were followed without end."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)  # as people set it, who have large pictures of their own
    decoded: list[Image.Image] = []
    monkeypatch.setattr(ImageFile.ImageFile, "load", decoded.append)
    content = HOSTILE[kind]()
    assert len(content) < 500_000
    with pytest.raises(BadResponse, match=r"pixels|cannot be read|is not a picture|tiles"):
        way(content)
    assert not decoded


@pytest.mark.parametrize("format", ["EPS", "PPM", "PCX", "ICO", "TGA", "SGI", "PDF", "JPEG2000"])
def test_readers_that_no_service_needs_are_not_called(format: str) -> None:
    """Each is one more way in, and that of EPS starts another program."""
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16)).save(buffer, format)
    with pytest.raises(BadResponse, match="is not a picture"):
        decode(buffer.getvalue())


def test_the_same_pictures_in_usual_sizes_are_read() -> None:
    for content in (png(4, 4), tiff(16), many_scans(0), many_scans(20)):
        assert decode(content).size in ((4, 4), (16, 16), (64, 64))


def test_a_gif_without_end_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow counts all frames, millions of them for a minute, before anybody could say that they are too many."""
    sought = 0
    seek = GifImagePlugin.GifImageFile._seek

    def counted(image: Any, *arguments: Any) -> None:
        nonlocal sought
        sought += 1
        seek(image, *arguments)

    monkeypatch.setattr(GifImagePlugin.GifImageFile, "_seek", counted)
    monkeypatch.setattr(film, "MAX_FRAMES", 50)
    with pytest.raises(BadResponse, match="at most 50 frames"):
        film_facts(many_frames(2_000))
    assert sought < 200
    assert film_facts(many_frames(50)).count == 50
    assert opened(many_frames(2_000)).size == (1, 1)  # as a still picture, it is its first frame
    assert decode(many_frames(2_000)).size == (1, 1)


def test_a_film_of_giant_frames_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """FFmpeg decodes some frames to learn what is in a file, and had no limit there."""
    pytest.importorskip("av")
    content = video()
    assert film_facts(content).count == 6
    for module in (film, images):
        monkeypatch.setattr(module, "MAX_PIXELS", 64 * 48 - 1)
    with pytest.raises(BadResponse):
        film_facts(content)
    with pytest.raises(BadResponse):
        list(film_frames(content))
