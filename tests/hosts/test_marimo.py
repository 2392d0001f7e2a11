"""marimo: a kernel and a front end of its own; widgets come by anywidget alone."""

from __future__ import annotations

import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, expect

from ipyassets.sandbox import Sandbox
from tests.hosts.steps import walk_through
from tests.lab.explorer import GridView
from tests.processes import MARK, free_port, left_behind, private_environment, wait_for

pytestmark = pytest.mark.browser

GALLERY = Path(__file__).parent / "gallery.py"


@contextmanager
def serving(mode: str, notebook: Path, folder: Path, sandbox: Sandbox) -> Iterator[str]:
    """``marimo run`` or ``marimo edit`` on a notebook; its address."""
    environment = {**private_environment(folder), **sandbox.environment()}
    port = free_port()
    options = ["--headless", "--no-token", f"--port={port}"]
    command = [sys.executable, "-m", "marimo", "--yes", mode, *options, str(notebook)]
    log = folder / "marimo.log"
    with log.open("wb") as file:
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=file, cwd=folder)

    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            return False

    try:
        wait_for(answers, 60, "marimo")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)
    left = left_behind(environment[MARK])
    assert not left, f"marimo left processes behind: {left}"


@pytest.mark.parametrize("mode", ["run", pytest.param("edit", marks=pytest.mark.tier2)])
def test_marimo(context: BrowserContext, sandbox: Sandbox, tmp_path: Path, mode: str) -> None:
    """Pictures come from our thread, which marimo knows nothing of; a choice runs the cells that depend on it."""
    notebook = tmp_path / GALLERY.name
    notebook.write_text(GALLERY.read_text())
    problems: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error":
            problems.append(message.text)

    with serving(mode, notebook, tmp_path, sandbox) as url:
        page = context.new_page()
        try:
            page.on("console", heard)
            page.on("pageerror", lambda error: problems.append(str(error)))
            page.goto(url)
            if mode == "edit":
                expect(page.get_by_text("services.explore()").first).to_be_visible(timeout=30_000)
                page.get_by_test_id("run-button").first.wait_for(timeout=30_000)
                page.keyboard.press("ControlOrMeta+Shift+R")
            view = GridView(page, page.locator("section.ipya-root[data-kind=explorer]"))
            view.root.wait_for(timeout=60_000)
            walk_through(view)
            names = [view.names[place] for place in (0, 2)]
            expect(page.get_by_text(f"Chosen: {', '.join(names)}")).to_be_visible()
            compared = page.locator("section.ipya-compare")
            expect(compared.locator(".ipya-pane-view[aria-busy=false] canvas")).to_have_count(2)
        finally:
            page.close()
    assert not problems
