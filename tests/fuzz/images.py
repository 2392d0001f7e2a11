"""Pictures from elsewhere: looked at, decoded, made small.

Must raise `BadResponse` and nothing else; what comes out fits the box and the limit of pixels, and our quicker decoders
give Pillow's own pixels.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from typing import Any, Final

from PIL import Image, ImageOps

from ipyassets._options import options
from ipyassets.collections import film
from ipyassets.collections.images import decode, described, opened
from ipyassets.collections.sniffing import HEAD, expected, is_raster, sniff
from ipyassets.collections.thumbnails import shrink
from ipyassets.errors import BadResponse
from tests.fuzz.mutations import png_repaired

INSTRUMENTED: Final = ["ipyassets", "PIL"]
WORDS: Final = [
    b"IHDR", b"IDAT", b"IEND", b"PLTE", b"tRNS", b"acTL", b"fcTL", b"eXIf", b"iCCP", b"iTXt", b"zTXt",
    b"\xff\xd8\xff\xe1", b"Exif\0\0", b"II*\0", b"MM\0*", b"\x01\x12", b"GIF89a", b"NETSCAPE2.0", b"RIFF", b"WEBP",
    b"VP8X", b"VP8L", b"VP8 ", b"ALPH", b"ANIM", b"ANMF", b"ftypavif", b"ftypheic", b"ftypmif1", b"meta", b"iloc",
    b"ispe", b"BM", b"<svg", b"<?xml", b"{", b"[",
]  # fmt: skip

CHANGE: Final = png_repaired
MOST: Final = 250_000
"""Pixels that are decoded."""
EDGE: Final = 48
MIMES: Final = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP", "image/gif": "GIF"}


def check(data: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, on what is odd in a file: they go to a person
        _sniffed(data)
        image = _opened(data)
        if image is None:
            assert _whole_or_none(data, held=False) is None, "what cannot be opened was decoded"
            return
        assert image.width * image.height <= MOST
        _decoded(data, image)
        _thumbnails(data)
        if image.format == "GIF":
            _film(data)


def _opened(data: bytes) -> Image.Image | None:
    try:
        return opened(data, most=MOST)
    except BadResponse:
        return None


def _sniffed(data: bytes) -> None:
    found = sniff(data[:HEAD])
    assert described(data)
    for format in (None, "png", "mp3"):
        for media_type in (None, "image/png", "model/gltf-binary"):
            expected(data[:HEAD], format, media_type)
    if found is not None:
        assert found.named("a.b").startswith("a")
        assert is_raster(found.format) == is_raster(f"image/{found.format}")


def _decoded(data: bytes, image: Image.Image) -> None:
    plain = _by_pillow(data)
    for decoder in ("pillow", "imagecodecs"):
        for held in (False, True):
            with _Decoder(decoder):
                made = _whole_or_none(data, held=held)
            # Which of two orientations counts is nobody's to say.
            if plain is not None and image.format == "PNG" and data.count(b"eXIf") < 2:
                assert made is not None, "Pillow reads it, and we do not"
                assert made.mode == plain.mode
                assert made.tobytes() == plain.tobytes(), f"other pixels than Pillow's ({decoder}, {held=})"
    for box in ((20, 30), (1, None), (None, 7)):
        try:
            made = decode(data, *box, most=MOST)
        except BadResponse:
            continue
        assert all(most is None or side <= most for side, most in zip(made.size, box, strict=True)), (made.size, box)


def _whole_or_none(data: bytes, *, held: bool) -> Image.Image | None:
    try:
        made = decode(data, most=MOST, held=held)
    except BadResponse:
        return None
    assert made.width * made.height <= MOST
    assert made.getim() is not None
    return made


def _by_pillow(data: bytes) -> Image.Image | None:
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            made: Image.Image = ImageOps.exif_transpose(image)
            return made
    except Exception:  # noqa: BLE001
        return None


def _thumbnails(data: bytes) -> None:
    for as_is in (0, 12_000):
        try:
            made = shrink(data, EDGE, as_is)
        except BadResponse:
            continue
        assert made.mime in MIMES
        if made.content is not data:
            assert max(made.width, made.height) <= EDGE
        with Image.open(io.BytesIO(made.content), formats=[MIMES[made.mime]]) as again:
            assert again.size == (made.width, made.height)


def _film(data: bytes) -> None:
    film.MAX_PIXELS = MOST
    try:
        for number, frame in enumerate(film.film_frames(data)):
            assert frame.width * frame.height <= MOST
            if number == 5:
                return
    except BadResponse:
        return


class _Decoder:
    def __init__(self, name: Any) -> None:
        self.name = name

    def __enter__(self) -> None:
        self.before, options.decoder = options.decoder, self.name

    def __exit__(self, *_: object) -> None:
        options.decoder = self.before


def seeds() -> Iterator[tuple[str, bytes]]:
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        yield f"{mode.replace(';', '-').lower()}.png", _saved(mode, "PNG")
    for mode in ("L", "RGB", "CMYK"):
        yield f"{mode.lower()}.jpg", _saved(mode, "JPEG")
    for name, mode, form in (
        ("rgb.webp", "RGB", {"format": "WEBP"}),
        ("rgba.webp", "RGBA", {"format": "WEBP", "lossless": True}),
        ("rgb.bmp", "RGB", {"format": "BMP"}),
        ("p.gif", "P", {"format": "GIF"}),
        ("rgb.tif", "RGB", {"format": "TIFF", "compression": "tiff_lzw"}),
        ("l.tif", "L", {"format": "TIFF"}),
        ("rgb.avif", "RGB", {"format": "AVIF"}),
        ("progressive.jpg", "RGB", {"format": "JPEG", "progressive": True}),
        ("turned.jpg", "RGB", {"format": "JPEG", "exif": _lying()}),
        ("turned.png", "RGB", {"format": "PNG", "exif": _lying()}),
        ("turned.webp", "RGB", {"format": "WEBP", "exif": _lying()}),
    ):
        yield name, _saved(mode, **form)
    yield "moving.gif", _moving("GIF")
    yield "moving.png", _moving("PNG")
    yield "moving.webp", _moving("WEBP")
    yield "tiles.tif", _tiled(24, 32)
    yield "one-large-tile.tif", _tiled(16, 1024)
    yield "half.png", _saved("RGB", "PNG")[:-40]
    yield "half.jpg", _saved("RGB", "JPEG")[:-100]
    yield "wide.png", _claiming(100_000, 100_000)
    yield "wider.png", _claiming(0x7FFFFFFF, 2)
    yield "turned-at-the-end.png", _turned_at_the_end()
    yield "surplus.png", _claiming(2, 1, b"\0" + bytes(6) * 100)
    yield "two-parts.png", _parted(_saved("RGB", "PNG"))
    yield "drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    yield "page.html", b"<!DOCTYPE html><title>Sign in</title>"
    yield "text.json", b'{"asset": {"version": "2.0"}, "meshes": []}'
    yield "short.heic", b"\0\0\0\x18ftypheic\0\0\0\0heicmif1" + b"\0\0\0\x08meta"
    yield "triangle.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"
    yield "empty", b""
    try:
        yield "rgb.heic", _heic()
    except ImportError:
        return


def _picture(mode: str, shade: int = 0) -> Image.Image:
    image = Image.new("RGB", (24, 16))
    image.putdata([(10 * x % 256, 15 * y % 256, shade + 40) for y in range(16) for x in range(24)])
    if mode in ("RGBA", "LA"):
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image.convert("L").convert(mode) if mode == "I;16" else image.convert(mode)


def _saved(mode: str, format: str, **form: Any) -> bytes:
    buffer = io.BytesIO()
    _picture(mode).save(buffer, format, **form)
    return buffer.getvalue()


def _moving(format: str) -> bytes:
    buffer = io.BytesIO()
    _picture("RGB").save(buffer, format, save_all=True, append_images=[_picture("RGB", 90)], duration=80)
    return buffer.getvalue()


def _lying() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _claiming(width: int, height: int, rows: bytes = b"") -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def _turned_at_the_end() -> bytes:
    png = _saved("RGB", "PNG")
    return png[:-12] + _chunk(b"eXIf", _lying().tobytes()[6:]) + png[-12:]


def _parted(png: bytes) -> bytes:
    at = png.index(b"IDAT") - 4
    length = int.from_bytes(png[at : at + 4], "big")
    pixels = png[at + 8 : at + 8 + length]
    parts = _chunk(b"IDAT", pixels[:20]) + _chunk(b"IDAT", b"") + _chunk(b"IDAT", pixels[20:])
    return png[:at] + parts + png[at + 12 + length :]


def _heic() -> bytes:
    from pillow_heif import from_pillow

    buffer = io.BytesIO()
    from_pillow(_picture("RGB")).save(buffer, format="HEIF", quality=30)
    return buffer.getvalue()


def _tiled(edge: int, tile: int) -> bytes:
    """A grey TIFF of ``edge`` pixels a side in one tile of ``tile`` pixels a side."""
    pixels = zlib.compress(bytes(tile * tile))
    pixels += bytes(len(pixels) % 2)
    tags = {256: edge, 257: edge, 258: 8, 259: 8, 262: 1, 277: 1, 322: tile, 323: tile, 324: 8, 325: len(pixels)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return struct.pack("<4sI", b"II*\0", 8 + len(pixels)) + pixels + struct.pack("<H", len(tags)) + entries + bytes(4)
