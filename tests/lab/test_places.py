"""A widget that is moved, shown twice, reloaded, or left without its kernel: usable each time, or saying why not."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.lab.conftest import Open
from tests.lab.explorer import GridView, View
from tests.lab.test_explorer import CONNECT

pytestmark = pytest.mark.browser

GONE = "The kernel is gone. Run the cell again to bring this widget back."
BUSY = "The kernel is busy with a cell. What you do here waits until that cell is done."
MOVE = """async (index) => {
  const { shell, commands } = window.jupyterapp;
  shell.currentWidget.content.activeCellIndex = index;
  await commands.execute("notebook:create-output-view");
}"""
"""The output of a cell in a tab of its own."""
BACK = """() => {
  const { shell } = window.jupyterapp;
  const notebook = [...shell.widgets("main")].find(({ context }) => context);
  shell.activateById(notebook.id);
  return shell.currentWidget === notebook;
}"""
"""To the notebook, from wherever one clicked last."""


def test_views_come_and_go(open_notebook: Open) -> None:
    """Several widgets and several views in one page, an output in a tab of its own, a reload, and a kernel anew."""
    notebook = open_notebook(CONNECT, "explorer", "other = services.explore(query='chair')\nother")
    notebook.run(0, 1, 2)
    first, second, other = (View(notebook, cell) for cell in range(3))
    for view in (first, second, other):
        view.root.scroll_into_view_if_needed()
        view.settle()
    first.root.scroll_into_view_if_needed()
    first.tile(1).click()
    first.expect_selected(1)
    second.expect_selected(1)
    other.expect_selected()
    other.expect_total("11 assets")

    notebook.page.evaluate(MOVE, 2)
    panel = notebook.page.locator(".jp-LinkedOutputView")
    moved = GridView(notebook.page, panel.locator("section.ipya-root"))
    moved.settle()
    expect(panel.locator(".ipya-beside")).to_be_hidden()
    moved.tile(0).click()
    moved.expect_selected(0)
    notebook.page.wait_for_function(BACK)
    notebook.expect_value("[asset.name for asset in other.selection]", [moved.names[0]])
    moved.search("table")
    expect(moved.total).not_to_have_text("11 assets")
    moved.settle()
    notebook.page.wait_for_function(BACK)

    notebook.save()
    notebook.open(notebook.server_url)
    again = View(notebook, 0)
    again.settle()
    again.expect_selected(1)
    expect(notebook.output(0).locator(".ipya-beside")).to_be_hidden()
    again.tile(2).click()
    notebook.expect_value("[len(explorer.selection), explorer.selection[0].name]", [1, again.names[2]])

    seen = again.seen
    notebook.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.restart()"
    )
    expect(again.root.get_by_text(GONE)).to_be_visible()
    assert [tile["url"] for tile in again.seen] == [tile["url"] for tile in seen]
    notebook.run(0)
    fresh = View(notebook, 0)
    fresh.settle()
    expect(fresh.root.get_by_text(GONE)).to_be_hidden()
    fresh.tile(0).click()
    notebook.expect_value("len(explorer.selection)", 1)


@pytest.mark.tier2  # in CI the same is seen in tests/hosts/test_wrapped.py
def test_without_subshells(open_notebook: Open) -> None:
    """Kernels before ipykernel 7, and front ends that ask for no subshells: the grid stood still and said nothing."""
    notebook = open_notebook("import pathlib, time", CONNECT, "while not pathlib.Path('go').exists(): time.sleep(0.05)")
    notebook.page.evaluate(
        "() => { const { session } = window.jupyterapp.shell.currentWidget.context.sessionContext;"
        " session.kernel.commsOverSubshells = 'disabled'; }"
    )
    notebook.run(0, 1)
    view = View(notebook, 1)
    view.settle()
    expect(view.root.get_by_text(BUSY)).to_be_hidden()
    notebook.start(2)
    view.scroll_to(1)
    view.search("chair")
    expect(view.root.get_by_text(BUSY)).to_be_visible()
    assert notebook.running(2)
    (notebook.path.parent / "go").touch()
    notebook.finish(2)
    view.expect_total("11 assets")
    view.settle()
    expect(view.root.get_by_text(BUSY)).to_be_hidden()
