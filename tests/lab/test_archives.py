"""Archives in a real JupyterLab: named and ordered by hand, looked through and saved, while the kernel is busy."""

from __future__ import annotations

import re
import zipfile

import pytest
from playwright.sync_api import Page, expect

from tests.lab.conftest import Open
from tests.lab.explorer import View
from tests.lab.jobs import JobView
from tests.lab.test_jobs import PATIENCE, busy

pytestmark = pytest.mark.browser

SEARCH = """\
import pathlib, time
import ipyassets as ia
explorer = ia.Explorer(ia.Scenario(), height=300)
explorer"""
# Not the file of another module's tests: all of them share a folder.
WAIT = "while not pathlib.Path('saved').exists():\n    time.sleep(0.02)"

OUTSIDE = """(root) => {
  const frame = root.getBoundingClientRect();
  return [...root.querySelectorAll("button, select, input, ul, code, .ipya-root")]
    .filter((element) => element.checkVisibility())
    .filter((element) => {
      const { left, right, width } = element.getBoundingClientRect();
      return width > 0 && (left < frame.left - 0.5 || right > frame.right + 0.5);
    })
    .map((element) => element.outerHTML.slice(0, 120));
}"""
"""What sticks out on either side."""


def typed(page: Page) -> str:
    return page.evaluate("() => document.activeElement.value")


def test_a_panel_archives_the_selection_while_a_cell_runs(open_notebook: Open) -> None:
    notebook = open_notebook(SEARCH, "panel = ia.ArchivePanel(explorer)\npanel", WAIT)
    notebook.run(0, 1)
    found = View(notebook, 0)
    found.settle()
    panel = notebook.output(1).locator(".ipya-panel")
    expect(panel).to_contain_text("Nothing is selected.")
    busy(notebook, 2)
    found.tile(1).click()
    found.tile(2).click(modifiers=["ControlOrMeta"])
    names = panel.get_by_role("list", name="Names the files will have").locator("li")
    expect(names).to_have_count(2)

    # The field keeps what is typed, and its keys are not the notebook's.
    field = panel.get_by_label("Names of the files")
    field.fill("")
    field.press_sequentially("bb/x", delay=15)
    assert typed(notebook.page) == "bb/x"
    expect(panel).to_contain_text("Without <id> several assets may get the same name")
    panel.get_by_role("button", name="<id>").click()
    expect(field).to_have_value("bb/x-<id>")
    expect(names.first).to_contain_text("bb/x-asset_")
    panel.get_by_label("Folders").select_option("None")
    expect(names.first).to_have_text(re.compile(r"^bb/x-asset_\w+\.\w+$"))
    shown = names.all_inner_texts()
    panel.get_by_role("button", name="Archive 2 assets").click()

    job = JobView(notebook, 1)
    expect(job.count).to_have_text("1 of 1 done", timeout=PATIENCE)
    job.expect_picture(0)
    expect(panel).to_contain_text("2 files, ")
    came = View(notebook, 1)
    came.root = panel.locator("section.ipya-root[data-kind=images]")
    came.grid = came.root.get_by_role("grid")
    tiles = came.settle()
    assert {tile["name"] for tile in tiles} == {name.removeprefix("bb/") for name in shown}, "as was previewed"
    came.tile(0).click()
    expect(panel.locator("code")).to_have_text("images = [panel.job.image(name) for name in panel.picked]")
    job.line(0).click()
    expect(job.results.locator("figure img")).to_have_count(2)

    panel.get_by_role("button", name="Save", exact=True).click()
    expect(panel.locator(".ipya-panel-saved")).to_contain_text("Saved as")
    saved = notebook.path.parent / "archive.zip"
    with zipfile.ZipFile(saved) as archive:
        assert sorted(archive.namelist()) == sorted(shown)
    panel.get_by_role("button", name="Save", exact=True).click()
    expect(panel).to_contain_text("archive.zip is there already. Replace it?")
    assert notebook.running(2), "all of this while the cell ran"

    (notebook.path.parent / "saved").touch()
    notebook.finish(2)
    assert len(notebook.sources) == 3, "a key meant for the panel changed the notebook"
    assert notebook.value("panel.picked == [panel.job.names[0]] and panel.job.image(panel.picked[0]).size[0] > 0")


def test_narrow(open_notebook: Open) -> None:
    """In a side panel nothing sticks out."""
    notebook = open_notebook(
        "import ipyassets as ia, ipywidgets\nscenario = ia.Scenario()\n"
        "panel = ia.ArchivePanel(scenario.search(limit=3), scenario)\npanel.submit().wait(60)\n"
        "ipywidgets.Box([panel], layout=ipywidgets.Layout(width='330px'))"
    )
    notebook.run(0)
    panel = notebook.output(0).locator(".ipya-panel")
    expect(panel.locator("code")).to_have_text("images = panel.job.images()")
    expect(panel.get_by_role("grid").last.locator("img").first).to_be_visible()
    assert panel.evaluate(OUTSIDE) == []
