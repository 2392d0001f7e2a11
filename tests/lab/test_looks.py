"""The widget in the light and the dark theme, and where there is little room."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.lab.conftest import Open
from tests.lab.explorer import View
from tests.lab.test_explorer import CONNECT

pytestmark = pytest.mark.browser

CONTRASTS = """(root) => {
  const canvas = new OffscreenCanvas(1, 1);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const paint = (colour) => { context.fillStyle = colour; context.fillRect(0, 0, 1, 1); };
  const linear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const luminance = () => {
    const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].map((value) => linear(value / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.unshift(getComputedStyle(at).backgroundColor);
    return layers;
  };
  const found = {};
  for (const selector of SELECTORS) {
    const element = root.querySelector(selector);
    if (!element) continue;
    paint("white");
    for (const colour of behind(element)) paint(colour);
    const ground = luminance();
    paint(getComputedStyle(element).color);
    const ink = luminance();
    found[selector] = (Math.max(ground, ink) + 0.05) / (Math.min(ground, ink) + 0.05);
  }
  return found;
}"""
"""Contrast of text and what is behind it, as WCAG 2 defines it, for some elements."""

TEXTS = [
    *(".ipya-banner", ".ipya-total", ".ipya-selected", ".ipya-tile[aria-selected=true] .ipya-caption"),
    *(".ipya-tile[aria-selected=false] .ipya-caption", ".ipya-search", ".ipya-select", ".ipya-status .ipya-button"),
]


def test_themes_are_followed(open_notebook: Open) -> None:
    """The widget takes JupyterLab's colours while it stands there, and every text keeps a readable contrast."""
    notebook = open_notebook(CONNECT.replace("connect()", "connect(sandbox=True)"))
    notebook.run(0)
    view = View(notebook, 0)
    view.settle()
    view.tile(0).click()
    view.expect_selected(0)
    script = CONTRASTS.replace("SELECTORS", str(TEXTS))
    grounds = {}
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        notebook.theme(theme)
        contrasts = view.root.evaluate(script)
        assert set(contrasts) == set(TEXTS)
        assert {text: ratio for text, ratio in contrasts.items() if ratio < 4.5} == {}, theme
        grounds[theme] = view.root.evaluate("(root) => getComputedStyle(root).backgroundColor")
    assert grounds["JupyterLab Dark"] != grounds["JupyterLab Light"]


def test_narrow(open_notebook: Open) -> None:
    """In a side panel nothing sticks out, and the grid has a column or two."""
    box = "import ipywidgets\nipywidgets.Box([explorer], layout=ipywidgets.Layout(width='330px'))"
    notebook = open_notebook(CONNECT.removesuffix("\nexplorer"), box)
    notebook.run(0, 1)
    view = View(notebook, 1)
    view.settle()
    assert 1 <= int(view.grid.get_attribute("aria-colcount") or 0) <= 2
    outside = view.root.evaluate(
        """(root) => {
          const frame = root.getBoundingClientRect();
          return [...root.querySelectorAll("button, select, input, [role=status], [role=gridcell]")]
            .filter((element) => element.checkVisibility())
            .filter((element) => {
              const { left, right, width } = element.getBoundingClientRect();
              return width > 0 && (left < frame.left - 0.5 || right > frame.right + 0.5);
            })
            .map((element) => element.outerHTML.slice(0, 120));
        }"""
    )
    assert outside == []
    view.tile(0).dblclick()
    expect(view.dialog.locator("img.ipya-large:not(.ipya-stand-in)")).to_be_visible()
    body = view.dialog.locator(".ipya-detail-body").evaluate("(body) => getComputedStyle(body).flexDirection")
    assert body == "column"
