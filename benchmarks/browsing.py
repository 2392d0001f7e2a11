"""A notebook in JupyterLab and Chromium under measurement: when pictures show, frames while one scrolls, memory."""

from __future__ import annotations

import contextlib
import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # what drives JupyterLab in tests/lab drives it here

from playwright.sync_api import CDPSession, Page, sync_playwright
from tests.lab.chromium import find, running
from tests.lab.notebook import Notebook, write_notebook
from tests.lab.server import JupyterServer

Figures = dict[str, float]

COUNTING = """() => {
  window.benchBytes = 0;
  window.WebSocket = class extends WebSocket {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", ({ data }) => {
        window.benchBytes += data.byteLength ?? data.size ?? data.length;
      });
    }
  };
}"""
"""Counts in the page what comes over the websocket."""

SHOWN = """async ({ index, selector, patience }) => {
  const { shell, commands } = window.jupyterapp;
  shell.currentWidget.content.activeCellIndex = index;
  const cell = document.querySelectorAll(".jp-Notebook .jp-Cell")[index];
  const frame = () => new Promise(requestAnimationFrame);
  for (const old of cell.querySelectorAll(selector)) old.dataset.benchOld = "1";
  const bytes = window.benchBytes;
  const started = performance.now();
  const run = commands.execute("notebook:run-cell");
  const complete = () => {
    const scroller = [...cell.querySelectorAll(selector)].find((found) => !found.dataset.benchOld);
    if (!scroller || !scroller.clientHeight) return false;
    const box = scroller.getBoundingClientRect();
    const seen = (element) => {
      const { top, bottom, height } = element.getBoundingClientRect();
      return height > 0 && bottom > box.top && top < Math.min(box.bottom, innerHeight);
    };
    const pictures = [...scroller.querySelectorAll("img")].filter(seen);
    const waiting = [...scroller.querySelectorAll("[data-state=wait], [data-state=unknown]")].some(seen);
    return !waiting && pictures.length > 0 && pictures.every((image) => image.complete && image.naturalWidth);
  };
  while (!complete()) {
    if (performance.now() - started > patience) return null;
    await frame();
  }
  const took = performance.now() - started;
  await run;
  return { took, bytes: window.benchBytes - bytes };
}"""
"""Runs a cell; milliseconds until every picture in the viewport is there and decoded, and bytes received till then."""

RECORD = """() => {
  const times = [];
  let on = true;
  const tick = (now) => { times.push(now); if (on) requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
  window.benchStop = () => { on = false; return times; };
}"""

SCREENS = """async ([scroller, screens]) => {
  const rest = (time) => new Promise((done) => setTimeout(done, time));
  const end = scroller.scrollHeight - scroller.clientHeight;
  for (let screen = 0; screen < screens; screen++) {
    const to = scroller.scrollTop + scroller.clientHeight;
    scroller.scrollTop = to > end - 1 ? 0 : to;
    await rest(90);
  }
}"""


@contextlib.contextmanager
def laboratory(environment: dict[str, str]) -> Iterator[dict[str, Any]]:
    """A JupyterLab with ``environment``; gives its ``url`` and the folder of its notebooks."""
    with tempfile.TemporaryDirectory(prefix="ipyassets-lab-") as folder:
        server = JupyterServer(Path(folder), environment)
        server.start()
        try:
            yield {"url": server.url, "notebooks": str(server.root)}
        finally:
            server.stop()


@contextlib.contextmanager
def opened(given: dict[str, Any], *cells: str) -> Iterator[Browsed]:
    """A fresh notebook of ``cells`` in a fresh browser."""
    chromium = find()
    if chromium is None:
        raise SystemExit("There is no Chromium on the PATH.")
    path = Path(given["notebooks"]) / f"bench-{time.time_ns()}.ipynb"
    write_notebook(path, cells)
    with (
        tempfile.TemporaryDirectory(prefix="ipyassets-chromium-") as folder,
        sync_playwright() as playwright,
        running(playwright, chromium, Path(folder)) as browser,
    ):
        page = browser.new_page(viewport={"width": 1280, "height": 860})
        page.set_default_timeout(60_000)
        page.add_init_script(f"({COUNTING})()")
        notebook = Notebook(page, path)
        try:
            notebook.open(given["url"])
            yield Browsed(page, notebook)
        finally:
            with contextlib.suppress(Exception):
                notebook.shut_down_kernel()
            page.close()


class Browsed:
    """What one does with it, and what is measured meanwhile."""

    def __init__(self, page: Page, notebook: Notebook) -> None:
        self.page = page
        self.notebook = notebook
        self.tracing: str | None = os.environ.get("BENCH_TRACE")
        self._cdp: CDPSession = page.context.new_cdp_session(page)

    def first_viewport(self, index: int, selector: str, patience: float = 60) -> Figures | None:
        """Run a cell; seconds until its viewport is full of pictures, and kilobytes till then. None: not in time."""
        shown = self.page.evaluate(SHOWN, {"index": index, "selector": selector, "patience": patience * 1000})
        return shown and {"first": shown["took"] / 1000, "kb": shown["bytes"] / 1000}

    def scrolled(self, index: int, selector: str) -> Figures:
        """Frames while one flings, drags the scrollbar to the middle, and presses End."""
        scroller = self.notebook.cell(index).locator(selector).last
        scroller.scroll_into_view_if_needed()
        box = scroller.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        mouse = self.page.mouse
        mouse.move(x, y)
        self.page.wait_for_timeout(1500)

        def fling() -> None:
            self._cdp.send(
                "Input.synthesizeScrollGesture",
                {"x": x, "y": y, "yDistance": -16_000, "speed": 8_000, "gestureSourceType": "mouse"},
            )

        def drag() -> None:
            bar = box["x"] + box["width"] - 6
            scroller.evaluate("(scroller) => (scroller.scrollTop = 0)")
            mouse.move(bar, box["y"] + 22)
            mouse.down()
            for step in range(1, 46):
                mouse.move(bar, box["y"] + 22 + (box["height"] / 2 - 22) * step / 45)
                time.sleep(1 / 60)
            mouse.up()

        def end() -> None:
            self.page.keyboard.press("Control+End")

        figures: Figures = {}
        times: list[list[float]] = []
        for name, act in (("fling", fling), ("drag", drag), ("end", end)):
            if name == "end":
                mouse.click(x, y)
                self.page.wait_for_timeout(500)
            gaps = self._frames(name, act)
            times.append(gaps)
            figures[f"{name}_fps"] = 1000 * len(gaps) / sum(gaps)
            figures[f"{name}_median"], figures[f"{name}_p95"] = statistics.median(gaps), _percentile(gaps)
        every = [gap for gaps in times for gap in gaps]
        figures.update(
            fps=1000 * len(every) / sum(every),
            frame_ms=sum(every) / len(every),
            gap_median=statistics.median(every),
            gap_p95=_percentile(every),
            gap_worst=max(every),
        )
        return figures

    def _frames(self, name: str, act: Callable[[], None]) -> list[float]:
        browser = self.page.context.browser
        assert browser is not None
        if self.tracing:
            browser.start_tracing(page=self.page, path=f"{self.tracing}-{name}.json", screenshots=False)
        self.page.evaluate(RECORD)
        act()
        self.page.wait_for_timeout(1000)
        times = self.page.evaluate("() => window.benchStop()")
        if self.tracing:
            browser.stop_tracing()
        return [b - a for a, b in itertools.pairwise(times)]

    def memory(self, index: int, selector: str) -> Figures:
        """JavaScript heap in MB after a collection, elements in the scroller and nodes in the page."""
        self._cdp.send("HeapProfiler.collectGarbage")
        heap = self._cdp.send("Runtime.getHeapUsage")["usedSize"] / 1e6
        nodes = self._cdp.send("Memory.getDOMCounters")["nodes"]
        scroller = self.notebook.cell(index).locator(selector).last
        return {
            "heap_mb": heap,
            "nodes": nodes,
            "elements": scroller.evaluate("(scroller) => scroller.querySelectorAll('*').length"),
        }

    def go_through(self, index: int, selector: str, screens: int) -> None:
        """So many screens down, one after the other, each with a moment of rest."""
        scroller = self.notebook.cell(index).locator(selector).last
        self.page.evaluate(SCREENS, [scroller.element_handle(), screens])


def _percentile(gaps: list[float], share: float = 0.95) -> float:
    return sorted(gaps)[min(len(gaps) - 1, int(share * len(gaps)))]
