from __future__ import annotations

import io
import time
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ipyassets.collections import thumbnails
from ipyassets.collections.assets import Asset
from ipyassets.collections.batch import ImageBatch
from ipyassets.collections.posters import fetch_poster
from ipyassets.collections.thumbnails import Memory, Thumbnail, miniature, shrink, thumbnail
from ipyassets.errors import BadResponse
from ipyassets.http import loop
from ipyassets.http.cache import cache
from ipyassets.services.base import PosterSource, Record
from tests.fakes import MemoryService, picture


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "I;16", "F", "HSV"])
def test_a_miniature_of_any_mode(mode: str) -> None:
    image = Image.new(mode, (300, 100))
    found = miniature(image, 60)
    assert (found.width, found.height) == (60, 20)
    with Image.open(io.BytesIO(found.content)) as read:
        assert read.size == (60, 20)
        assert read.get_format_mimetype() == found.mime
    assert (image.mode, image.size) == (mode, (300, 100))


def test_a_miniature_keeps_what_is_see_through_and_is_never_larger() -> None:
    found = miniature(Image.new("RGBA", (10, 4000), (255, 0, 0, 128)), 50)
    assert (found.width, found.height, found.mime) == (1, 50, "image/webp")
    assert (miniature(Image.new("RGB", (8, 6)), 50).width, miniature(Image.new("RGB", (8, 6)), 50).height) == (8, 6)


def test_a_batch_shows_its_first_images_and_says_what_failed() -> None:
    service = MemoryService(20)
    assets = [Asset(service.make(name), service) for name in service.names]
    images = [None, *(Image.new("P", (400, 200)) for _ in assets[1:])]
    html = ImageBatch(assets, images, [(0, assets[0], BadResponse("<b>No</b>"))])._repr_mimebundle_()["text/html"]
    assert html.count("<img ") == 15
    assert "16 of 20 shown" in html
    assert "&lt;b&gt;No&lt;/b&gt;" in html
    assert "<b>" not in html


def test_a_thumbnail_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scrolling back decoded and encoded again, and so did each new session."""
    service = MemoryService(3)
    service.posters = {"asset-1": picture(600, 400, 7)}
    record = service.make("asset-1")
    made = loop.run(thumbnail(service, record, 96, as_is=0))
    assert (made.width, made.height, made.mime) == (96, 64, "image/jpeg")

    def never(*_: object) -> None:
        raise AssertionError("it is made already")

    monkeypatch.setattr(thumbnails, "shrink", never)
    assert loop.run(thumbnail(service, record, 96, as_is=0)) is made
    monkeypatch.setattr(thumbnails, "_memory", Memory(1_000_000))  # another session
    assert loop.run(thumbnail(service, record, 96, as_is=0)) == made
    assert service.fetched == ["asset-1"]


def test_another_size_is_another_thumbnail() -> None:
    service = MemoryService(3)
    service.posters = {"asset-1": picture(600, 400, 7)}
    record = service.make("asset-1")
    widths = [loop.run(thumbnail(service, record, edge, as_is=0)).width for edge in (96, 192, 96)]
    assert widths == [96, 192, 96]


def test_a_cache_that_is_cleared_or_off_keeps_no_thumbnails() -> None:
    service = MemoryService(3)
    record = service.make("asset-1")
    loop.run(thumbnail(service, record, 96))
    cache.clear()
    loop.run(thumbnail(service, record, 96))
    assert service.fetched == ["asset-1"] * 2
    cache.enabled = False
    loop.run(thumbnail(service, record, 96))
    assert service.fetched == ["asset-1"] * 3


def test_a_thumbnail_lives_no_longer_than_its_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """iTwin's thumbnails stay good for minutes: one made late of kept bytes would have begun its time anew."""

    class Brief(MemoryService):
        def poster_source(self, record: Record, **box: Any) -> PosterSource | None:
            source = super().poster_source(record, **box)
            return source and replace(source, lifetime=60.0)

    service = Brief(3)
    service.posters = {"asset-1": picture(600, 400, 7)}
    record = service.make("asset-1")
    now = 1_000.0
    monkeypatch.setattr(time, "time", lambda: now)
    monkeypatch.setattr(time, "monotonic", lambda: now)
    loop.run(fetch_poster(service, record, width=96, height=96))
    now += 50
    loop.run(thumbnail(service, record, 96, as_is=0))
    now += 5
    loop.run(thumbnail(service, record, 96, as_is=0))
    assert service.fetched == ["asset-1"]
    now += 10
    loop.run(thumbnail(service, record, 96, as_is=0))
    assert service.fetched == ["asset-1"] * 2
    now += 61
    loop.run(thumbnail(service, record, 96, as_is=0))
    assert service.fetched == ["asset-1"] * 3


def test_memory_is_bounded_and_keeps_what_was_used_last() -> None:
    memory = Memory(10_000)
    made = Thumbnail(bytes(2_000), "image/jpeg", 1, 1)
    for name in "abcd":
        memory.put((name,), made)
    assert memory.get(("a",)) is made
    memory.put(("e",), made)
    assert [name for name in "abcde" if memory.get((name,))] == ["a", "c", "d", "e"]


def test_damaged_kept_bytes_are_fetched_anew() -> None:
    service = MemoryService(3)
    record = service.make("asset-1")
    source = service.poster_source(record, width=96, height=96)
    assert source is not None
    cache.put(source.key, picture()[:-40])
    made = loop.run(thumbnail(service, record, 96, as_is=0))
    assert made.width == 64
    assert service.fetched == ["asset-1"]


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_thumbnail_stands_as_its_picture_does(orientation: int) -> None:
    image = Image.new("RGB", (400, 200), "white")
    image.paste("red", (0, 0, 60, 60))
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", exif=exif)
    made = shrink(buffer.getvalue(), 100, as_is=0)
    with Image.open(io.BytesIO(made.content)) as small:
        assert small.size == ((100, 50) if orientation in (1, 3) else (50, 100))
        right, low = small.width - 5, small.height - 5
        corner = {1: (4, 4), 3: (right, low), 6: (right, 4), 8: (4, low)}[orientation]
        red, green, _ = small.convert("RGB").getpixel(corner)  # type: ignore[misc]
        assert red > 200 > green


@pytest.mark.parametrize("edge", [300, 40])
@pytest.mark.parametrize("kind", ["JPEG comment", "PNG text", "EXIF", "XMP"])
def test_what_a_picture_says_of_its_author_does_not_go_along(kind: str, edge: int) -> None:
    """A saved notebook had the comments and EXIF of small pictures in its snapshot, names and addresses with them."""
    author, out, image = "canary@example.org", io.BytesIO(), Image.new("RGB", (64, 64), "teal")
    if kind == "JPEG comment":
        image.save(out, "JPEG", comment=author)
    elif kind == "PNG text":
        text = PngInfo()
        text.add_text("Author", author)
        image.save(out, "PNG", pnginfo=text)
    elif kind == "EXIF":
        exif = Image.Exif()
        exif[0x013B] = author
        image.save(out, "JPEG", exif=exif)
    else:
        image.save(out, "WEBP", xmp=f"<x>{author}</x>".encode())
    assert author.encode() in out.getvalue()
    assert author.encode() not in shrink(out.getvalue(), edge).content
