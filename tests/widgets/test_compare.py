"""Compare's Python half: whole pictures without loss, and parts of large ones."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageChops

from ipyassets.collections.assets import Asset
from ipyassets.collections.batch import ImageBatch
from ipyassets.errors import BadResponse, InvalidRequest
from ipyassets.widgets import Compare
from tests.fakes import MemoryService
from tests.widgets.browser import Browser

Comparison = Callable[..., Browser]


def noise(width: int, height: int, seed: int = 1) -> Image.Image:
    """Pixels of which no two are alike, so that any loss shows."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.fixture
def compare() -> Iterator[Comparison]:
    opened: list[Browser] = []

    def show(*images: Any, **options: Any) -> Browser:
        browser = Browser(Compare(*images, **options))
        opened.append(browser)
        return browser

    yield show
    for browser in opened:
        browser.widget.close()


def picture(browser: Browser, index: int, box: list[int] | None = None) -> Image.Image:
    ((said, buffers),) = browser.ask("picture", index=index, box=box)
    found = said["picture"]
    image = Image.open(io.BytesIO(buffers[found["buffer"]]))
    assert image.size == (found["width"], found["height"])
    return image


def test_pictures_come_without_loss(compare: Comparison):
    images = [noise(120, 80), noise(60, 80, 2)]
    browser = compare(*images)
    for index, image in enumerate(images):
        assert ImageChops.difference(picture(browser, index).convert("RGB"), image).getbbox() is None


@pytest.mark.parametrize("mode", ["RGBA", "L", "LA", "P", "1", "CMYK", "F"])
def test_every_mode_is_shown(compare: Comparison, mode: str):
    image = noise(20, 10).convert(mode)
    assert picture(compare(image, image), 1).size == (20, 10)
    assert image.mode == mode


def test_a_large_picture_comes_small_and_its_parts_in_their_own_pixels(compare: Comparison):
    large = noise(2400, 1400)
    browser = compare(large, noise(1920, 1080))
    facts = browser.trait("_setup")["images"]
    assert [(image["width"], image["height"], image["whole"]) for image in facts] == [
        (2400, 1400, False),
        (1920, 1080, True),
    ]
    reduced = picture(browser, 0)
    assert reduced.width * reduced.height <= 2_100_000
    assert reduced.width / reduced.height == pytest.approx(2400 / 1400, rel=0.01)
    box = (1000, 300, 1400, 620)
    assert ImageChops.difference(picture(browser, 0, list(box)).convert("RGB"), large.crop(box)).getbbox() is None
    assert picture(browser, 0, [0, 0, 2400, 1400]).size == reduced.size


def test_a_strip_is_made_short_enough_for_the_browser(compare: Comparison):
    strip = Image.new("L", (40_000, 3))
    assert max(picture(compare(strip, strip), 0).size) <= 16_000


def test_labels_names_of_assets_and_empty_places(compare: Comparison):
    service = MemoryService(2)
    assets = [Asset(service.make(f"asset-{n}"), service) for n in range(2)]
    batch = ImageBatch(assets, [noise(8, 8), None], [(1, assets[1], BadResponse("It is cut off.", advice=""))])
    images = compare(noise(8, 8), None, batch, ("<b>mine</b>", noise(8, 8)), (assets[0], None)).trait("_setup")[
        "images"
    ]
    assert [image["label"] for image in images] == ["A", "B", "asset-0", "asset-1", "<b>mine</b>", "asset-0"]
    assert [image["width"] for image in images] == [8, 0, 8, 0, 8, 0]
    assert images[3]["message"] == "It is cut off."
    labelled = compare(batch, labels=["before", "after"]).trait("_setup")["images"]
    assert [image["label"] for image in labelled] == ["before", "after"]


def test_what_cannot_be_compared_is_refused_at_once():
    with pytest.raises(InvalidRequest, match="2 to 16 images; got 1"):
        Compare(noise(8, 8))
    with pytest.raises(InvalidRequest, match="2 images and 1 labels"):
        Compare(noise(8, 8), None, labels=["a"])
    with pytest.raises(TypeError, match="got str"):
        Compare(noise(8, 8), "b.png")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "ask",
    [
        {"index": 1},
        {"index": 9},
        {"index": -1},
        {"index": 0, "box": [0, 0, 9, 8]},
        {"index": 0, "box": [4, 0, 4, 8]},
        {"index": 0, "box": [0, 0, 8]},
        {"index": 0, "box": [0, 0, 8.5, 8]},
    ],
)
def test_nonsense_is_refused(compare: Comparison, ask: dict[str, Any]):
    assert compare(noise(8, 8), None).ask("picture", **ask).last["op"] == "error"


def test_traits_hold_no_pictures(compare: Comparison):
    browser = compare(noise(400, 400), noise(400, 400), labels=["before", "after"])
    assert repr(browser.widget) == "Compare('before', 'after')"
    state = {name: value for name, value in browser.widget.get_state().items() if name not in ("_esm", "_css")}
    assert len(repr(state)) < 1_000
