from __future__ import annotations

import io

import pytest
from PIL import Image

from ipyassets.collections.assets import Asset
from ipyassets.collections.batch import ImageBatch
from ipyassets.collections.thumbnails import miniature
from ipyassets.errors import BadResponse
from tests.fakes import MemoryService


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
