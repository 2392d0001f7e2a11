"""The large view by hand, over a made-up kernel: wheel, double click, drag, and the pixels that come for it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.lab.pointer import middle

pytestmark = pytest.mark.browser

BOX = """() => {
  const { x, y, width } = document.querySelector("img.ipya-large:not(.ipya-stand-in)").getBoundingClientRect();
  return [x, y, width];
}"""


def test_one_looks_closely(strict: Page) -> None:
    """What lies under the pointer stays there, a hand takes the picture along, and more pixels come where they show."""
    strict.goto("http://strict.test/index.html?case=images&height=520px")
    root, mouse = strict.locator(".ipya-root"), strict.mouse
    root.locator("[role=gridcell][data-index='0']").dblclick()
    large, zoom = root.locator("img.ipya-large:not(.ipya-stand-in)"), root.locator(".ipya-zoom")
    expect(large).to_be_visible()
    expect(zoom).to_have_text("1×")
    assert large.evaluate("(image) => image.naturalWidth") == 1024

    def box() -> tuple[float, float, float]:
        x, y, width = strict.evaluate(BOX)  # at one stroke: a sharper picture may take its place at any time
        return x, y, width

    def under(x: float, y: float) -> tuple[float, float]:
        """What part of the picture lies there."""
        left, top, width = box()
        return pytest.approx((x - left) / width, abs=0.002), pytest.approx((y - top) / width, abs=0.002)

    x, y, _ = middle(root.locator(".ipya-large-view"))
    for _ in range(2):
        strict.keyboard.press("+")  # wider than its pane: before that it stays in the middle
    expect(zoom).to_have_text("2.3×")
    mouse.move(x + 40, y - 30)
    there = under(x + 40, y - 30)
    mouse.wheel(0, -100)
    expect(zoom).to_have_text("3.4×")
    left, top, width = box()
    assert ((x + 40 - left) / width, (y - 30 - top) / width) == there
    mouse.dblclick(x + 40, y - 30)
    expect(zoom).to_have_text("6.7×")
    left, top, width = box()
    assert ((x + 40 - left) / width, (y - 30 - top) / width) == there

    strict.wait_for_function("(image) => document.querySelector('img.ipya-large').naturalWidth > 2000")
    assert box() == pytest.approx((left, top, width), abs=0.6)  # sharper, and where it was
    mouse.down()
    mouse.move(x + 20, y - 10, steps=3)
    mouse.up()
    assert box() == pytest.approx((left - 20, top + 20, width), abs=0.6)

    strict.keyboard.press("0")
    expect(zoom).to_have_text("1×")
    strict.keyboard.press("ArrowRight")
    expect(root.locator(".ipya-detail-place")).to_have_text("2 / 87")
    assert large.evaluate("(image) => image.naturalWidth") == 1024
