"""What a person does first in any host: look, search, scroll, select, open the large view."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.lab.explorer import GridView

__all__ = ["CHAIRS", "PRODUCTS", "walk_through"]

PRODUCTS = "87 assets"
CHAIRS = "11 assets"


def walk_through(view: GridView) -> None:
    """Begins with all products of the sandbox shown; ends with the first and the third chair selected."""
    view.expect_total(PRODUCTS)
    first = view.settle()
    assert all(tile["width"] > 0 for tile in first if tile["state"] == "ok")
    view.scroll_to(1)
    assert view.settle()[-1]["index"] == 86
    view.search("chair")
    view.expect_total(CHAIRS)
    view.settle()
    view.tile(0).click()
    view.tile(2).click(modifiers=["ControlOrMeta"])
    view.expect_selected(0, 2)
    expect(view.chosen).to_have_text("2 selected")
    view.page.keyboard.press("Enter")
    large = view.dialog.locator("img.ipya-large:not(.ipya-stand-in)")
    expect(large).to_be_visible()
    assert large.evaluate("(image) => image.decode().then(() => image.naturalWidth)") >= 512
    view.page.keyboard.press("Escape")
    expect(view.dialog).to_be_hidden()
    view.expect_selected(0, 2)
