"""Notebook 7: JupyterLab's parts in another order."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.hosts.steps import walk_through
from tests.lab.explorer import View
from tests.lab.notebook import Notebook, write_notebook
from tests.lab.server import JupyterServer
from tests.lab.test_explorer import CONNECT

pytestmark = pytest.mark.browser

THEIRS = ("Cannot read properties of undefined (reading 'schema')", "reading 'connectionFailure'")
"""What Notebook's own page says when Lab's settings are not all its own."""


WAITS = "import time\nwhile len(explorer.selection) != 1:\n    time.sleep(0.02)"


def test_notebook(context: BrowserContext, server: JupyterServer) -> None:
    path = server.root / "classic.ipynb"
    write_notebook(path, [CONNECT, WAITS])
    notebook = Notebook(context.new_page(), path)
    try:
        notebook.open(server.url, "notebooks/{}")
        notebook.run(0)
        view = View(notebook, 0)
        walk_through(view)
        notebook.expect_value("len(explorer.selection)", 2)
        expect(notebook.output(0).locator(".ipya-beside")).to_be_hidden()
        notebook.start(1)
        view.tile(1).click()
        notebook.finish(1)  # it ends with the click: messages come beside the cell, as in JupyterLab
        assert not [problem for problem in notebook.problems if not any(theirs in problem for theirs in THEIRS)]
    finally:
        notebook.page.close()
        server.shut_down_kernels()
