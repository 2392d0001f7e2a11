"""Jobs in a real JupyterLab: seen and stopped while the kernel is busy, whole after scrolling away, ordered by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from ipyassets.sandbox import Sandbox
from tests.lab.conftest import Open
from tests.lab.explorer import View
from tests.lab.jobs import JobView
from tests.lab.notebook import Notebook

pytestmark = pytest.mark.browser

SEARCH = """\
import pathlib, time
import ipyassets as ia
vntana = ia.Vntana()
small = dict(width=160, height=90, turntable=ia.Turntable(frames=6, fps=6, width=64, height=64), poll=0.2)
def rendered(assets):
    return vntana.render(assets, **small)
assets = vntana.search(limit=3)"""

ORDER = "job = rendered(assets)\njob"
PATIENCE = 60_000
"""Milliseconds in which the sandbox has made the small renders of a test, on a slow machine too."""


@pytest.fixture
def held(sandbox: Sandbox) -> Iterator[Sandbox]:
    """A sandbox that takes orders and finishes nothing before it is told to."""
    sandbox.renders.hold()
    yield sandbox
    sandbox.renders.resume()


def busy(notebook: Notebook, cell: int) -> None:
    notebook.start(cell)
    notebook.page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget.context.sessionContext.kernelDisplayStatus === 'busy'"
    )


def plays(video: Locator) -> bool:
    return video.evaluate(
        "(video) => new Promise((done) => { const look = () => video.readyState >= 2 ? done(video.videoWidth > 0)"
        " : setTimeout(look, 50); look(); })"
    )


def test_goes_on_while_a_cell_runs(open_notebook: Open, held: Sandbox) -> None:
    notebook = open_notebook(SEARCH, ORDER, "while not pathlib.Path('go').exists():\n    time.sleep(0.02)")
    notebook.run(0, 1)
    view = JobView(notebook, 1)
    expect(view.count).to_have_text("0 of 3 done")
    for index in range(3):
        view.expect_picture(index)
    busy(notebook, 2)
    held.renders.resume()
    expect(view.words).to_have_text("Done", timeout=PATIENCE)
    expect(view.count).to_have_text("3 of 3 done")
    expect(view.bar).to_have_attribute("aria-valuenow", "100")
    assert notebook.running(2), "all of this while the cell ran"

    # What was made, by the keyboard alone.
    view.line(0).focus()
    notebook.page.keyboard.press("ArrowDown")
    expect(view.line(1)).to_be_focused()
    notebook.page.keyboard.press("Enter")
    stills = view.results.locator("figure img")
    expect(stills).to_have_count(5)
    assert stills.first.evaluate("async (image) => { await image.decode(); return image.naturalWidth; }") == 160
    assert plays(view.results.locator("video"))
    notebook.page.keyboard.press("b")
    notebook.page.keyboard.press("Escape")
    expect(view.line(1)).to_be_focused()
    assert notebook.running(2)
    (notebook.path.parent / "go").touch()
    notebook.finish(2)
    assert len(notebook.sources) == 3, "a key meant for the monitor changed the notebook"


def test_stop_works_while_a_cell_runs(open_notebook: Open, held: Sandbox) -> None:
    """ipykernel 7.4 hands a click to the shell that last published on the comm: the busy cell's, without our doing."""
    notebook = open_notebook(SEARCH, ORDER, "while job.status != 'stopped':\n    time.sleep(0.02)")
    notebook.run(0, 1)
    view = JobView(notebook, 1)
    expect(view.count).to_have_text("0 of 3 done")
    busy(notebook, 2)
    view.button("Stop following").click()
    notebook.finish(2)
    expect(view.words).to_have_text("No longer followed; the service goes on with it")
    expect(view.button("Stop following")).to_be_hidden()
    expect(view.line(0)).to_contain_text("not followed")


def test_lines_after_scrolling_away_and_back_and_in_a_second_view(open_notebook: Open, held: Sandbox) -> None:
    """JupyterLab takes outputs that are far away out of the page; what happens meanwhile is not to be missed."""
    filler = ["\n".join(f"# {line}" for line in range(60))] * 12
    notebook = open_notebook(SEARCH, ORDER, *filler, "job")
    notebook.run(0, 1)
    view = JobView(notebook, 1)
    expect(view.count).to_have_text("0 of 3 done")
    last = len(filler) + 2
    notebook.page.evaluate("(i) => window.jupyterapp.shell.currentWidget.content.scrollToItem(i)", last)
    expect(view.root).not_to_be_in_viewport()
    held.renders.resume()
    notebook.expect_value("job.status", "completed", timeout=60)
    notebook.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.scrollToItem(1)")
    expect(view.words).to_have_text("Done")
    expect(view.line(2)).to_contain_text("done")
    view.expect_picture(2)
    notebook.run(last)
    second = JobView(notebook, last)
    expect(second.count).to_have_text("3 of 3 done")
    second.expect_picture(2)


def test_a_panel_renders_the_selection_and_asks_before_it_replaces(open_notebook: Open, sandbox: Sandbox) -> None:
    notebook = open_notebook(
        SEARCH,
        "explorer = ia.Explorer(vntana, height=300)\nexplorer",
        "panel = ia.RenderPanel(explorer)\npanel",
        "rendered(explorer.selection).wait(60) and None",
    )
    notebook.run(0, 1, 2)
    view = View(notebook, 1)
    view.settle()
    panel = notebook.output(2).locator(".ipya-panel")
    expect(panel).to_contain_text("Nothing is selected.")
    view.tile(1).click()
    expect(panel.locator(".ipya-panel-estimate")).not_to_contain_text("Looking")
    notebook.run(3)
    view.tile(2).click(modifiers=["ControlOrMeta"])
    view.tile(1).click()
    estimate = panel.locator(".ipya-panel-estimate")
    expect(estimate).to_contain_text("1 of 1 has renders already")
    panel.get_by_label("Format").select_option("WEBP")
    width, height = panel.get_by_label("Width"), panel.get_by_label("Height")
    for field in (width.first, height.first, width.last, height.last):
        field.fill("64")
        field.press("Enter")
    expect(panel.locator(".ipya-panel-summary")).to_contain_text("stills of 64 × 64 WEBP")
    expect(panel.get_by_label("Preset")).to_have_value("Custom")
    panel.get_by_role("button", name="Render 1 asset").click()
    panel.get_by_role("button", name="Replace and render").click()
    job = JobView(notebook, 2)
    expect(job.count).to_have_text("1 of 1 done", timeout=PATIENCE)
    assert notebook.value("[panel.job.status, panel.job.order.format, len(panel.job.stills())]") == [
        "completed",
        "WEBP",
        5,
    ]
