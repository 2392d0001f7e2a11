"""The keyboard: everything in the grid can be done with it, and no key reaches JupyterLab's command mode."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from tests.lab.conftest import Open
from tests.lab.explorer import View
from tests.lab.test_explorer import CONNECT

pytestmark = pytest.mark.browser

OTHER = "untouched = 1"


def test_keys_edit_no_cell(open_notebook: Open) -> None:
    """With the focus on a tile, `b` used to insert a cell, `d d` to delete one, `x` to cut it, Shift+Enter to run it.

    The same holds for buttons, lists and the words typed in the search box.
    """
    notebook = open_notebook(CONNECT, OTHER, OTHER)
    notebook.run(0)
    view = View(notebook, 0)
    view.settle()
    sources, before = notebook.sources, notebook.execution_counts
    keys = ["a", "b", "d", "d", "x", "c", "v", "z", "m", "y", "1", "j", "k", "0", "0", "Shift+Enter", "Control+Enter"]

    view.tile(0).click()
    for key in keys:
        notebook.page.keyboard.press(key)
    view.root.get_by_role("button", name="Select all").focus()
    for key in ("a", "b", "d", "d", "x"):
        notebook.page.keyboard.press(key)
    view.root.get_by_role("combobox", name="Service").focus()
    for key in ("b", "d", "d", "x"):
        notebook.page.keyboard.press(key)
    view.search_box.focus()
    view.search_box.press_sequentially("abddxz", delay=10)
    expect(view.search_box).to_have_value("abddxz")
    notebook.page.keyboard.press("Shift+Enter")

    assert notebook.value("1 + 1") == 2  # whatever a key had started would have come before this
    assert notebook.sources == sources
    assert notebook.execution_counts == before


def test_grid_by_keyboard(open_notebook: Open) -> None:
    """An ARIA grid with a roving focus: one Tab stop, arrows within, Space, Enter, Ctrl+A and Escape as expected."""
    notebook = open_notebook(CONNECT, OTHER)
    notebook.run(0)
    view = View(notebook, 0)
    view.settle()
    columns = int(view.grid.get_attribute("aria-colcount") or 0)
    total = notebook.value("services.vntana.search().total")
    press = notebook.page.keyboard.press
    assert columns >= 3
    assert view.grid.locator("[role=gridcell][tabindex='0']").count() == 1

    view.tile(0).focus()
    for key, place in [
        ("ArrowRight", 1),
        ("ArrowDown", 1 + columns),
        ("ArrowLeft", columns),
        ("ArrowUp", 0),
        ("End", columns - 1),
        ("Home", 0),
        ("Control+End", total - 1),
        ("Control+Home", 0),
    ]:
        press(key)
        expect(view.tile(place)).to_be_focused()

    press(" ")
    view.expect_selected(0)
    press("ArrowRight")
    press(" ")
    view.expect_selected(0, 1)
    press("Shift+ArrowRight")
    view.expect_selected(0, 1, 2)
    notebook.expect_value("len(explorer.selection)", 3)
    press("Control+a")
    expect(view.chosen).to_have_text(f"{total} selected")
    notebook.expect_value("len(explorer.selection)", total)
    press("Escape")
    expect(view.chosen).to_have_text("")
    notebook.expect_value("len(explorer.selection)", 0)

    press("Enter")
    expect(view.dialog).to_be_visible()
    press("Escape")
    expect(view.dialog).to_be_hidden()
    expect(view.tile(2)).to_be_focused()
    press("PageDown")
    assert (view.focused or 0) > 2
    press("Tab")
    assert view.focused is None
    press("Shift+Tab")
    assert view.focused is not None
    press("Escape")
    assert view.focused is None
    assert notebook.page.evaluate("() => document.activeElement.closest('.jp-Notebook') !== null")


JOURNEY = [
    """\
import ipyassets as ia
vntana = ia.Vntana()
film = ia.Turntable(frames=12, fps=12, width=96, height=96)
job = vntana.render(vntana.search("chair", limit=1), width=64, height=64, turntable=film, poll=0.2).wait(60)""",
    "explorer = ia.Explorer(vntana, height=420)\nexplorer",
    "picked = await explorer.pick()",
    "ia.Compare(*picked.posters(width=256).images[:2], height=300)",
    OTHER,
]


def test_all_of_it_without_a_mouse(open_notebook: Open) -> None:
    """From the cell into the widget, through search, filter, grid, large view and turntable, to the choice that Python
    waits for, out again, and through a comparison: never stuck, and the notebook's own keys see none of it.
    """
    notebook = open_notebook(*JOURNEY)
    press = notebook.page.keyboard.press
    view, compare = View(notebook, 1), notebook.output(3).locator("section.ipya-compare")
    inside = view.root.locator(":focus")
    large = view.dialog.locator("img.ipya-large:not(.ipya-stand-in)")
    zoom = view.dialog.locator(".ipya-zoom")

    def tab_to(target: Locator, *, key: str = "Tab", most: int = 12) -> None:
        for _ in range(most):
            if target.evaluate("(element) => element === document.activeElement"):
                return
            press(key)
        expect(target).to_be_focused()

    def at() -> str:
        return large.evaluate("(image) => image.style.transform")

    notebook.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.activate()")
    for _ in range(3):
        press("Shift+Enter")
    expect(view.grid).to_be_visible(timeout=60_000)
    view.settle()
    sources = notebook.sources

    # Into the widget, and its words.
    notebook.page.evaluate("() => (window.jupyterapp.shell.currentWidget.content.activeCellIndex = 1)")
    press("Escape")
    tab_to(view.search_box, most=20)
    notebook.page.keyboard.type("chair")
    expect(view.total).to_have_text("11 assets")
    press("Tab")
    expect(inside).to_have_text("Filters")
    press("Enter")
    press("Tab")
    expect(inside).to_have_attribute("aria-label", "Sort")
    tab_to(view.root.get_by_label("Tag", exact=True))
    notebook.page.keyboard.type("no such tag")
    expect(view.root.get_by_text("A filter is set.")).to_be_visible()
    press("ControlOrMeta+a")
    press("Delete")
    view.settle()

    # Over the tiles.
    tab_to(view.tile(0))
    press("ArrowRight")
    press("Shift+ArrowRight")
    press("Shift+ArrowRight")
    view.expect_selected(1, 2, 3)
    press("ControlOrMeta+a")
    expect(view.chosen).to_have_text("11 selected")
    press("Escape")
    expect(view.chosen).to_have_text("")
    press("Home")
    press("t")
    expect(view.tile(0).locator(".ipya-turn canvas")).to_be_visible()
    press("t")

    # One of them, large.
    press("Enter")
    expect(large).to_be_visible()
    expect(zoom).to_have_text("1×")
    fit = at()
    press("+")
    expect(zoom).to_have_text("1.5×")
    closer = at()
    press("ArrowDown")
    assert len({fit, closer, at()}) == 3
    press("0")
    expect(zoom).to_have_text("1×")
    assert at() == fit
    place = view.dialog.locator(".ipya-detail-place")
    expect(place).to_have_text("1 / 11")
    press("ArrowRight")
    expect(place).to_have_text("2 / 11")
    press(" ")
    view.expect_selected(1)
    for _ in range(12):  # round once: Tab stays in the dialog and reaches all of it
        press("Tab")
        expect(view.dialog.locator(":focus")).to_have_count(1)
    press("Escape")
    expect(view.dialog).to_be_hidden()
    expect(view.tile(1)).to_be_focused()
    press("ArrowRight")
    press(" ")
    view.expect_selected(1, 2)

    # The choice, and out.
    expect(view.root.get_by_text("The notebook waits for your choice.")).to_be_visible()
    tab_to(view.root.get_by_role("button", name="Use selection"))
    press("Enter")
    expect(view.root.get_by_text("The notebook waits for your choice.")).to_be_hidden()
    notebook.expect_value("len(globals().get('picked', ()))", 2)
    tab_to(view.tile(2), key="Shift+Tab")
    press("Escape")
    press("Escape")
    expect(inside).to_have_count(0)
    assert notebook.page.evaluate("() => document.activeElement.closest('.jp-Notebook') !== null")

    # Side by side.
    notebook.page.evaluate("() => (window.jupyterapp.shell.currentWidget.content.activeCellIndex = 3)")
    press("Shift+Enter")
    modes = {name: compare.get_by_role("button", name=name) for name in ("Side by side", "Wipe", "Difference")}
    expect(compare.locator("canvas")).to_have_count(2)
    notebook.page.evaluate("() => (window.jupyterapp.shell.currentWidget.content.activeCellIndex = 3)")
    press("Escape")
    tab_to(modes["Wipe"], most=30)
    press("Enter")
    divider = compare.get_by_role("separator")
    tab_to(divider)
    press("Shift+ArrowRight")
    expect(divider).to_have_attribute("aria-valuenow", "60")
    tab_to(modes["Difference"], key="Shift+Tab", most=16)
    press(" ")
    expect(modes["Difference"]).to_have_attribute("aria-pressed", "true")
    tab_to(compare.get_by_role("combobox", name="Gain"))
    press("ArrowDown")
    tab_to(compare.locator(".ipya-panes"))
    fit = compare.locator(".ipya-zoom").inner_text()
    press("+")
    press("ArrowLeft")
    expect(compare.locator(".ipya-zoom")).not_to_have_text(fit)
    press("0")
    expect(compare.locator(".ipya-zoom")).to_have_text(fit)
    press("Escape")
    expect(compare.locator(":focus")).to_have_count(0)
    assert notebook.sources == sources
    assert notebook.value("'untouched' in globals()") is False
