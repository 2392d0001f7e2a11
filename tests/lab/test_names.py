"""Names that mean harm in a real JupyterLab: they are text, in their own place, and in nobody else's way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.hostile.names import NAMES
from tests.lab.conftest import Open
from tests.lab.explorer import View

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
CELLS = (
    (
        f"import sys\nsys.path.append({str(ROOT)!r})\n"
        "import ipyassets as ia\nfrom ipyassets.errors import ServiceUnavailable\n"
        "from tests.hostile.names import Hostile, listed\n"
        "service = Hostile()\nexplorer = ia.Explorer(service, height=520)\nexplorer"
    ),
    "listed(service)",
    "listed(service)[6]",
    f"listed(service)[{list(NAMES).index('tex')}]",
    (
        "service.posters = {id: ServiceUnavailable('not ' + service.make(id).name) for id in service.names[:4]}\n"
        "listed(service)[:6].posters(width=64, progress=False)"
    ),
    "from IPython.display import HTML\nHTML('<p>$x$</p>')",
)

ISOLATED = """(root) => [...root.querySelectorAll("*")].filter((element) =>
  [...element.childNodes].some((node) => node.nodeType === 3 && /[\\u202a-\\u202e\\u2066-\\u2069]/.test(node.data)) &&
  !["isolate", "isolate-override", "plaintext"].includes(getComputedStyle(element).unicodeBidi)
).map((element) => element.outerHTML.slice(0, 200))"""
"""Elements with marks that turn a text around, and nothing that keeps those to themselves."""

FORMULAE = """() => document.querySelectorAll("mjx-container, .MathJax").length"""
"""Formulae, which JupyterLab makes of what stands between two dollars in HTML."""

FOREIGN = """() => [...document.querySelectorAll("[onload], [onerror], [onmouseover], img[src='x']")].length"""

INSIDE = """(root) => {
  const frame = root.getBoundingClientRect();
  return [...root.querySelectorAll("[role=gridcell], [role=dialog], .ipya-view-title, .ipya-facts")]
    .map((element) => element.getBoundingClientRect())
    .filter((box) => box.width && (box.left < frame.left - 1 || box.right > frame.right + 1)).length;
}"""
"""How many of its parts stick out of the widget to the side."""


def test_names_that_mean_harm(open_notebook: Open, tmp_path: Path) -> None:
    notebook = open_notebook(*CELLS)
    dialogs: list[Any] = []
    notebook.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    notebook.run(*range(len(CELLS)))
    view = View(notebook, 0)
    view.settle()
    expect(view.tile(list(NAMES).index("script"))).to_contain_text("<script>alert(1)</script>")
    expect(view.tile(0)).to_contain_text("…")
    assert view.root.evaluate(ISOLATED) == []
    assert view.root.evaluate(INSIDE) == 0
    notebook.page.screenshot(path=tmp_path / "explorer.png")
    for kind in ("long", "marks-above-marks", "right-to-left", "terminal"):
        view.tile(list(NAMES).index(kind)).scroll_into_view_if_needed()
        view.tile(list(NAMES).index(kind)).dblclick()
        title = view.dialog.locator(".ipya-view-title")
        expect(title).to_be_visible()
        expect(view.dialog.locator("dd").first).to_be_visible()
        assert len(title.text_content() or "") >= min(1_000, len(NAMES[kind])) - 2, (
            "more is within reach than a tile says"
        )
        assert view.root.evaluate(ISOLATED) == []
        assert view.root.evaluate(INSIDE) == 0
        expect(view.dialog.get_by_role("button", name="Close")).to_be_in_viewport()
        notebook.page.screenshot(path=tmp_path / f"{kind}.png")
        view.dialog.get_by_role("button", name="Close").click()
        expect(view.dialog).to_be_hidden()
    for index in range(1, len(CELLS)):
        notebook.output(index).scroll_into_view_if_needed()
        assert notebook.output(index).evaluate(ISOLATED) == []
        notebook.page.screenshot(path=tmp_path / f"output-{index}.png")
    assert notebook.page.evaluate(FOREIGN) == 0
    expect(notebook.output(len(CELLS) - 1).locator("mjx-container")).to_be_visible()
    assert notebook.page.evaluate(FORMULAE) == 1, "a name between two dollars became a formula, with a link in it"
    assert dialogs == []
