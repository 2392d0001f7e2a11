"""The same grid over PIL images."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
import traitlets
from PIL import Image

from ipyassets.collections.assets import Asset
from ipyassets.collections.batch import ImageBatch
from ipyassets.errors import BadResponse
from ipyassets.widgets import ImageGrid
from tests.fakes import MemoryService
from tests.widgets.browser import Browser

Page = Callable[..., Browser]


def red(width: int = 300, height: int = 200, mode: str = "RGB") -> Image.Image:
    return Image.new("RGB", (width, height), (200, 30, 30)).convert(mode)


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "I;16", "F"])
def test_images_of_every_mode_are_shown_small(page: Page, mode: str):
    image = Image.new("I;16", (300, 200), 900) if mode == "I;16" else red(mode=mode)
    tile = page(ImageGrid([image])).ask("tiles", generation=1, ranges=[[0, 0]], edge=128).tiles[0]
    assert tile["state"] == "ok"
    assert opened(tile["content"]).size == (tile["width"], tile["height"]) == (128, 85)
    assert image.size == (300, 200), "the person's own image is not touched"


def test_small_images_are_not_scaled_up(page: Page):
    tile = page(ImageGrid([red(20, 10)])).ask("tiles", generation=1, ranges=[[0, 0]], edge=128).tiles[0]
    assert (tile["width"], tile["height"]) == (20, 10)


def test_what_is_see_through_stays_so(page: Page):
    image = Image.new("RGBA", (200, 200), (0, 0, 0, 0))
    tile = page(ImageGrid([image])).ask("tiles", generation=1, ranges=[[0, 0]], edge=128).tiles[0]
    assert tile["mime"] == "image/webp"
    assert opened(tile["content"]).mode == "RGBA"


def test_captions_and_gaps(page: Page):
    browser = page(ImageGrid([red(), None], captions=["<b>one</b>", "two"]))
    tiles = browser.ask("tiles", generation=1, ranges=[[0, 9]], edge=128).tiles
    assert [(tiles[i]["name"], tiles[i]["state"]) for i in (0, 1)] == [("<b>one</b>", "ok"), ("two", "none")]


def test_a_batch_brings_its_names_and_failures(page: Page):
    service = MemoryService(2)
    assets = [Asset(service.make(f"asset-{n}"), service) for n in range(2)]
    batch = ImageBatch(assets, [red(), None], [(1, assets[1], BadResponse("It is cut off.", advice=""))])
    tiles = page(ImageGrid(batch)).ask("tiles", generation=1, ranges=[[0, 1]], edge=128).tiles
    assert [(tiles[i]["name"], tiles[i]["state"]) for i in (0, 1)] == [("asset-0", "ok"), ("asset-1", "error")]
    assert tiles[1]["message"] == "It is cut off."


def test_selection_both_ways(page: Page):
    browser = page(ImageGrid([red()] * 10))
    seen: list[list[int]] = []
    browser.widget.observe(lambda change: seen.append(change.new), names="selection")
    browser.ask("select", generation=1, ranges=[[7, 8], [2, 2], [9, 400]])
    assert browser.widget.selection == [2, 7, 8, 9]
    browser.widget.selection = [5, 3, 4, 3]
    assert browser.trait("_selection")["ranges"] == ((3, 5),)
    assert seen == [[2, 7, 8, 9], [3, 4, 5]]
    with pytest.raises(traitlets.TraitError, match="0 to 9"):
        browser.widget.selection = [10]


def test_detail(page: Page):
    detail = page(ImageGrid([red()])).ask("detail", generation=1, index=0, edge=1024).last["detail"]
    assert dict(detail["facts"]) == {"Index": "0", "Size": "300 × 200 px", "Mode": "RGB"}
    assert (detail["width"], detail["height"]) == (300, 200)


def test_what_does_not_fit_is_refused_at_once():
    with pytest.raises(TypeError, match="PIL images; got str"):
        ImageGrid(["picture.png"])
    with pytest.raises(ValueError, match="2 images and 1 captions"):
        ImageGrid([red(), red()], captions=["one"])


def test_it_searches_nothing(page: Page):
    browser = page(ImageGrid([red()]))
    answer = browser.ask("search", query={"service": "", "place": None, "text": "x", "filters": {}, "sort": None}).last
    assert answer["op"] == "error"
    assert browser.ask("use").last["op"] == "error"


def test_repr():
    assert repr(ImageGrid([])) == "ImageGrid(0 images, 0 selected)"
    assert repr(ImageGrid([red()])) == "ImageGrid(1 image, 0 selected)"
