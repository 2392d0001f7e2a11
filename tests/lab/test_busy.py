"""The grid while the kernel is busy with a cell."""

from __future__ import annotations

import pytest

from tests.lab.conftest import Open
from tests.lab.explorer import View
from tests.lab.test_explorer import CONNECT

pytestmark = pytest.mark.browser

SLEEPS = """\
import time
while len(explorer.selection) != 2:
    time.sleep(0.02)"""

UPDATES = """\
import time
turns = 0
while len(explorer.selection) != 2:
    turns += 1
    explorer.tooltip = f"turn {turns}"
    time.sleep(0.02)"""


@pytest.mark.parametrize("cell", [SLEEPS, UPDATES], ids=["sleeps", "updates-the-widget"])
def test_works_while_a_cell_runs(open_notebook: Open, cell: str) -> None:
    """A cell that runs must not stop the grid.

    ipykernel 7.4 hands a message to the shell that last published on its comm: a cell that updates any trait of the
    widget drew every click into its own queue, and the grid stood still until the cell had ended. Here the cell ends
    only when the clicks arrive.
    """
    notebook = open_notebook(CONNECT, cell)
    notebook.run(0)
    view = View(notebook, 0)
    view.settle()
    everything, chairs = notebook.value("[services.vntana.search(words).total for words in ('', 'chair')]")
    notebook.start(1)
    notebook.page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget.context.sessionContext.kernelDisplayStatus === 'busy'"
    )
    view.search("chair")
    view.expect_total(f"{chairs} assets")
    view.settle()
    view.search("")
    view.expect_total(f"{everything} assets")
    view.scroll_to(1)
    view.settle()
    view.scroll_to(0)
    view.settle()
    assert notebook.running(1)
    view.tile(0).click()
    view.expect_selected(0)
    view.tile(1).click(modifiers=["ControlOrMeta"])
    notebook.finish(1)
    assert not notebook.errors(1)
    assert notebook.value("len(explorer.selection)") == 2
