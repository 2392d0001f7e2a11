"""Panel: a Bokeh server whose pages take ipywidgets by way of ipywidgets_bokeh. Its Python is another one."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from ipyassets.sandbox import Sandbox
from tests.hosts.steps import walk_through
from tests.lab.explorer import GridView
from tests.processes import MARK, free_port, left_behind, private_environment, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.tier2]

PYTHON = os.environ.get("IPYASSETS_TEST_PANEL_PYTHON", "")
"""A Python with ``panel``, ``ipywidgets_bokeh`` and this package."""
BOARD = Path(__file__).parent / "board.py"
RUNTIME = Path(sys.prefix) / "share" / "jupyter" / "nbextensions" / "anywidget" / "index.js"
"""What ipywidgets_bokeh fetches from unpkg.com: anywidget's own module, as anywidget installs it."""


def test_panel(context: BrowserContext, sandbox: Sandbox, tmp_path: Path) -> None:
    if not PYTHON:
        pytest.skip("IPYASSETS_TEST_PANEL_PYTHON names no Python with Panel")
    environment = {**private_environment(tmp_path), **sandbox.environment()}
    port = free_port()
    log = tmp_path / "panel.log"
    with log.open("wb") as file:
        command = [PYTHON, "-m", "panel", "serve", f"--port={port}", str(BOARD)]
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=file, cwd=tmp_path)

    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/static/js/bokeh.min.js", timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            return False

    page = context.new_page()
    try:
        wait_for(answers, 60, "Panel")
        page.route(
            "https://unpkg.com/anywidget@**",
            lambda route: route.fulfill(path=RUNTIME, headers={"Access-Control-Allow-Origin": "*"}),
        )
        page.goto(f"http://127.0.0.1:{port}/{BOARD.stem}")
        view = GridView(page)
        view.root.wait_for(timeout=60_000)
        walk_through(view)
        expect(page.get_by_text(f"Chosen: {view.names[0]}, {view.names[2]}")).to_be_visible()
    finally:
        page.close()
        process.terminate()
        process.wait(20)
    left = left_behind(environment[MARK])
    assert not left, f"Panel left processes behind: {left}"
