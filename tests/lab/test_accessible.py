"""axe-core finds nothing against any widget, in its main states and in all of JupyterLab's own themes."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.lab.axe import violations
from tests.lab.conftest import Open
from tests.lab.explorer import View
from tests.lab.jobs import JobView

pytestmark = pytest.mark.browser

CELLS = [
    """\
import asyncio
import ipyassets as ia
services = ia.connect(sandbox=True)
explorer = services.explore(height=430)
explorer""",
    """\
posters = services.vntana.search("chair")[:3].posters(width=256)
ia.ImageGrid([*posters, None], captions=["Before", "كرسي خشبي", "<b>bold?</b>", "A long name " * 30])""",
    'ia.Compare(*posters.images[:2], labels=["Before", "After"], height=300)',
    """\
film = ia.Turntable(frames=12, fps=6, width=96, height=96)
job = services.vntana.render(explorer.assets[:2], width=160, height=90, turntable=film, poll=0.2).wait(60)
job""",
    "explorer.selection = explorer.assets[1:3]\nia.RenderPanel(explorer)",
    "panel = ia.ArchivePanel(services.scenario.search('chair')[:2], services.scenario)\npanel",
    "panel.submit().wait(60)\nia.TurntablePlayer(job.turntables()[0])",
]
THEMES = ["JupyterLab Dark High Contrast", "JupyterLab Dark", "JupyterLab Light"]


def test_nothing_against_any_widget(open_notebook: Open) -> None:
    """All widgets in one notebook, first as they come, then with everything open that opens.

    Two monitors in one notebook were two landmarks of one name, which nobody could tell apart.
    """
    notebook = open_notebook(*CELLS)
    notebook.run(*range(len(CELLS)))
    explorer, grid, job = View(notebook, 0), View(notebook, 1), JobView(notebook, 3)
    explorer.settle()
    grid.settle()
    expect(notebook.output(6).locator(".ipya-number")).to_have_text("1 / 12")
    expect(notebook.output(5).locator("[role=gridcell] img")).to_have_count(2)
    assert notebook.page.locator(".ipya-root").count() == 8  # two monitors and a grid in the panels
    found = {"as they come": violations(notebook.page)}

    explorer.root.get_by_role("button", name="Filters").click()
    notebook.execute("picking = asyncio.ensure_future(explorer.pick())")
    expect(explorer.root.get_by_role("button", name="Use selection")).to_be_visible()
    grid.tile(0).dblclick()
    expect(grid.dialog.locator("img.ipya-large:not(.ipya-stand-in)")).to_be_visible()
    notebook.output(2).get_by_role("button", name="Wipe").click()
    job.button("Show results").click()
    expect(job.results.locator("figure")).not_to_have_count(0)
    notebook.output(4).get_by_role("button", name="Render 2 assets").click()
    expect(notebook.output(4).get_by_role("button", name="Replace and render")).to_be_visible()
    for theme in THEMES:
        notebook.theme(theme)
        found[theme] = violations(notebook.page)
    assert found == {state: [] for state in found}
