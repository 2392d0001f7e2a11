"""A notebook open in JupyterLab, as a person has it before them: cells to run, outputs to look at, keys to press."""

from __future__ import annotations

import ast
import json
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import nbformat
from playwright.sync_api import ConsoleMessage, Locator, Page

__all__ = ["Notebook", "write_notebook"]

READY = """() => {
  const panel = window.jupyterapp?.shell.currentWidget;
  const session = panel?.context?.sessionContext;
  if (!panel?.context?.isReady || !session?.isReady || !session.session?.kernel) return false;
  window.ipyaReady ??= session.session.kernel.info.then(() => (window.ipyaHasInfo = true));
  return window.ipyaHasInfo === true;
}"""
"""The run command asks for a kernel in a dialog unless context, session and kernel have all answered before."""

LABS_OWN = re.compile(
    r"console: Could not restore the debugger state: |Canceled future for \w+ message before replies were done"
)
"""What JupyterLab says of itself where a kernel ends or begins anew before it has answered: it asks each for the state
of its debugger, its name, its widgets. Whether it has is a matter of moments, and nobody's mistake; a cell of ours that
was not answered fails its test anyway. Nothing else is let through.
"""

RUN = """(index) => {
  const { shell, commands } = window.jupyterapp;
  shell.currentWidget.content.activeCellIndex = index;
  const runs = (window.ipyaRuns ??= {});
  runs[index] = "running";
  commands.execute("notebook:run-cell").then(
    () => (runs[index] = "done"),
    (error) => (runs[index] = String(error)),
  );
}"""

EVALUATE = """async (expression) => {
  const { kernel } = window.jupyterapp.shell.currentWidget.context.sessionContext.session;
  const request = { code: "", silent: true, store_history: false, user_expressions: { value: expression } };
  const { content } = await kernel.requestExecute(request).done;
  return content.user_expressions.value;
}"""

EXECUTE = """async (code) => {
  const { kernel } = window.jupyterapp.shell.currentWidget.context.sessionContext.session;
  const { content } = await kernel.requestExecute({ code, store_history: false }).done;
  return content;
}"""


def write_notebook(path: Path, sources: Sequence[str]) -> None:
    """A notebook of code cells, without outputs."""
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source, id=f"cell-{n}") for n, source in enumerate(sources)],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    nbformat.write(book, path)


class Notebook:
    """One notebook in one browser page."""

    def __init__(self, page: Page, path: Path) -> None:
        self.page = page
        self.path = path
        self.server_url = ""
        self.problems: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self._heard(f"page error: {error}"))

    def open(self, url: str, place: str = "lab/tree/{}?reset") -> None:
        """Show the notebook and wait until its kernel has answered. ``place`` is where in the server it opens."""
        self.server_url = url
        self.page.goto(f"{url}/{place.format(quote(self.path.name))}", wait_until="commit")
        self.page.wait_for_function(READY, timeout=90_000)

    # -- cells ---------------------------------------------------------------------------------------------------

    def start(self, index: int) -> None:
        """Run a cell, and do not wait for it."""
        self.page.evaluate(RUN, index)

    def running(self, index: int) -> bool:
        return self.page.evaluate("(index) => window.ipyaRuns[index] === 'running'", index)

    def finish(self, index: int, timeout: float = 60) -> None:
        """Wait for a cell that was started."""
        self.page.wait_for_function(
            "(index) => window.ipyaRuns[index] !== 'running'", arg=index, timeout=timeout * 1000
        )
        assert self.page.evaluate("(index) => window.ipyaRuns[index]", index) == "done"

    def run(self, *indices: int) -> None:
        """Run cells one after the other and wait for each; an exception in one fails the test."""
        for index in indices:
            self.start(index)
            self.finish(index)
            assert not self.errors(index), self.errors(index)

    @property
    def code_cells(self) -> list[int]:
        """The places of the code cells."""
        types = self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.content.widgets.map((c) => c.model.type)"
        )
        return [index for index, kind in enumerate(types) if kind == "code"]

    def find(self, text: str) -> int:
        """The place of the first code cell that holds ``text``."""
        sources = self.sources
        return next(index for index in self.code_cells if text in sources[index])

    def cell(self, index: int) -> Locator:
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def output(self, index: int) -> Locator:
        return self.cell(index).locator(".jp-Cell-outputArea")

    def outputs(self, index: int) -> list[dict[str, Any]]:
        """What a cell has put out, as it would be saved."""
        return self.page.evaluate(
            "(index) => window.jupyterapp.shell.currentWidget.content.widgets[index].model.outputs.toJSON()", index
        )

    def errors(self, index: int) -> list[str]:
        """The exceptions a cell shows."""
        outputs = self.outputs(index)
        return [f"{output['ename']}: {output['evalue']}" for output in outputs if output["output_type"] == "error"]

    @property
    def sources(self) -> list[str]:
        """What the cells say now: keys that leak into command mode would change it."""
        return self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.content.widgets.map((c) => c.model.sharedModel.getSource())"
        )

    @property
    def execution_counts(self) -> list[int | None]:
        return self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.content.widgets.map((c) => c.model.executionCount)"
        )

    def save(self) -> str:
        """Save, and give the file as it stands on the disk."""
        self.page.evaluate("() => window.jupyterapp.shell.currentWidget.context.save()")
        return self.path.read_text(encoding="utf-8")

    # -- kernel --------------------------------------------------------------------------------------------------

    def value(self, expression: str) -> Any:
        """The value of a Python expression in the kernel, by way of JSON."""
        result = self.page.evaluate(EVALUATE, f"__import__('json').dumps({expression})")
        assert result["status"] == "ok", f"{expression}: {result.get('ename')}: {result.get('evalue')}"
        return json.loads(ast.literal_eval(result["data"]["text/plain"]))

    def expect_value(self, expression: str, expected: Any, timeout: float = 30) -> None:
        """Wait until ``expression`` is ``expected``.

        What the browser does reaches Python on another thread of the kernel than the expression, in no fixed order.
        """
        deadline = time.monotonic() + timeout
        while (value := self.value(expression)) != expected and time.monotonic() < deadline:
            self.page.wait_for_timeout(50)
        assert value == expected, expression

    def execute(self, code: str) -> None:
        """Run Python in the kernel, outside of the notebook's cells."""
        result = self.page.evaluate(EXECUTE, code)
        assert result["status"] == "ok", f"{code}: {result.get('ename')}: {result.get('evalue')}"

    def shut_down_kernel(self) -> None:
        self.page.evaluate("() => window.jupyterapp.shell.currentWidget.context.sessionContext.shutdown()")

    # -- looks ---------------------------------------------------------------------------------------------------

    def theme(self, name: str) -> None:
        """``JupyterLab Light``, ``JupyterLab Dark`` or ``JupyterLab Dark High Contrast``, without a reload."""
        self.page.evaluate("(theme) => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", name)
        light = str("Dark" not in name).lower()
        self.page.wait_for_function("(light) => document.body.dataset.jpThemeLight === light", arg=light)
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._heard(f"console: {message.text} ({message.location.get('url', '')})")

    def _heard(self, problem: str) -> None:
        if not LABS_OWN.search(problem):
            self.problems.append(problem)
