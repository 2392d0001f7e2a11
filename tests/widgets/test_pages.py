"""The Explorer and ImageGrid as pages of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ipyassets.collections.batch import ImageBatch
from ipyassets.errors import BadResponse, ServiceUnavailable
from ipyassets.widgets import Explorer, ImageGrid
from tests.fakes import MemoryService
from tests.pages import WrittenPage
from tests.widgets.browser import Browser
from tests.widgets.conftest import Shop

Page = Callable[..., Browser]


@pytest.fixture(autouse=True)
def browser_half(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ipyassets.collections.page_text.built", lambda name: f"/* {name} */")


def test_the_page_of_a_search_is_what_it_finds(page: Page, tmp_path: Path):
    explorer: Any = page(Explorer(Shop(20), query="asset-1")).widget
    written = WrittenPage(explorer.to_html(tmp_path / "page"))
    assert written.names == ["asset-1", *(f"asset-{n}" for n in range(10, 20))]
    assert written.title == "Shop: asset-1"
    explorer.query = ""
    assert WrittenPage(explorer.to_html(tmp_path / "all", limit=3)).title == "Shop"


def test_the_page_of_the_selection(page: Page, tmp_path: Path):
    browser = page(Explorer(Shop(20)))
    browser.ask("select", generation=1, ranges=[[3, 4]])
    explorer: Any = browser.widget
    assert WrittenPage(explorer.selection.to_html(tmp_path / "page.html")).names == ["asset-3", "asset-4"]


def test_a_workspace_is_not_on_the_page(page: Page, tmp_path: Path):
    explorer: Any = page(Explorer(Shop(3), workspace="room-1")).widget
    assert "room-1" not in WrittenPage(explorer.to_html(tmp_path / "page.html")).source


def test_a_search_that_failed_is_raised(page: Page, tmp_path: Path):
    service = MemoryService()
    service.broken_pages[0] = ServiceUnavailable("down")
    explorer: Any = page(Explorer(service)).widget
    with pytest.raises(ServiceUnavailable, match="down"):
        explorer.to_html(tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []


def test_images_are_a_page_too(tmp_path: Path):
    """Those that failed say so, none is none, and frames of a film turn."""
    frames = [Image.new("RGB", (32, 24), (n * 60, 0, 0)) for n in range(4)]
    images = [Image.new("RGB", (600, 400), (9, 9, 200)), None, Image.new("P", (10, 10))]
    grid = ImageGrid(images, ["a", "<b>", "c"], turntables=[None, None, frames])
    written = WrittenPage(grid.to_html(tmp_path / "page.html", width=300, title="Mine"))
    assert written.names == ["a", "<b>", "c"]
    assert [entry.state for entry in written.entries] == ["ok", "none", "ok"]
    assert written.entries[0].image.size == (300, 200)
    assert ["Size", "600 \N{MULTIPLICATION SIGN} 400 px"] in written.entries[0].known["facts"]
    assert [len(entry.frames) for entry in written.entries] == [0, 0, 4]
    assert (written.title, written.about["nouns"]) == ("Mine", ["image", "images"])
    assert images[0] is not None
    assert images[0].size == (600, 400), "it stays as it is"


def test_images_of_a_batch_keep_their_failures(tmp_path: Path):
    service = MemoryService(2)
    service.posters["asset-1"] = BadResponse("no")
    from tests.collections.test_asset_list import listed

    batch = listed(service).posters()
    assert isinstance(batch, ImageBatch)
    with pytest.warns(UserWarning, match="1 picture could not be loaded"):
        written = WrittenPage(ImageGrid(batch).to_html(tmp_path / "page.html"))
    assert [(entry.name, entry.state) for entry in written.entries] == [("asset-0", "ok"), ("asset-1", "error")]
