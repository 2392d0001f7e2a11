"""The keyboard: everything in the grid can be done with it, and no key reaches JupyterLab's command mode."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

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
