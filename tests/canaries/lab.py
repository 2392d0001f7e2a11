"""Goes through the example notebooks in a real JupyterLab with planted secrets, and leaves all that can be seen of it.

``python -m tests.canaries.lab FOLDER [NAME ...]``: each notebook, or those whose names begin so, is run, its widgets
are clicked through, well and with trouble, and it is saved with their state. All that comes to the browser, goes from
it and lies in it is written down. ``--leak`` gives the mark away in each place that is searched.
"""

from __future__ import annotations

import base64
import json
import os
import re
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import BrowserContext, Page, WebSocket, expect, sync_playwright

from ipyassets.sandbox import Sandbox
from tests.canaries.kernel import KERNELS, prepare
from tests.canaries.notebooks import LEAKS, LOOKS, cells_of, chosen
from tests.canaries.planted import MARK, planted
from tests.canaries.trouble import SENT, troubles
from tests.lab import chromium
from tests.lab.explorer import GridView
from tests.lab.notebook import Notebook
from tests.lab.server import JupyterServer
from tests.processes import private_environment

TYPED = """import os
for name in ("PERSONAL_ACCESS_TOKEN", "EMAIL", "PASSWORD"):
    os.environ.pop(f"VNTANA_{name}", None)
import ipyassets as ia
chairs = ia.Vntana().search("chair")
chairs[0].poster(width=64)"""
"""Asks for a token: somebody is there."""

BROWSER_LEAKS = f"""from IPython.display import Javascript
Javascript('''
console.log("{MARK}");
localStorage.setItem("leak", "{MARK}");
document.cookie = "leak={MARK}; max-age=9999; path=/";
fetch("/static/{MARK}?no-such-page");
document.body.append(Object.assign(document.createElement("p"), {{ textContent: "{MARK}" }}));
const asked = indexedDB.open("leak", 1);
asked.onupgradeneeded = () => asked.result.createObjectStore("leak");
asked.onsuccess = () => {{
  const put = asked.result.transaction("leak", "readwrite").objectStore("leak").put("{MARK}", "leak").transaction;
  put.oncomplete = () => (document.body.dataset.leaked = "all");
}};
''')"""

CLICKS = """async (root) => {
  const turn = () => new Promise((done) => setTimeout(done, 60));
  let clicks = 0;
  for (const field of root.querySelectorAll("select, input[type=range], input[type=checkbox]")) {
    const options = field.tagName === "SELECT" ? [...field.options].map((option) => option.value).reverse()
      : field.type === "range" ? [field.max, field.min] : [];
    if (options.length === 0) field.click();
    for (const value of options) {
      field.value = value;
      for (const kind of ["input", "change"]) field.dispatchEvent(new Event(kind, { bubbles: true }));
      await turn();
    }
  }
  const seen = new Set();
  for (let next; (next = [...root.querySelectorAll("button")].find((one) => !seen.has(one))); clicks++) {
    seen.add(next);
    if (!next.disabled && next.offsetParent) next.click();
    await turn();
  }
  return clicks;
}"""
"""Changes each field and presses each button, also those that come of it."""

REQUEST = re.compile(rb'"request": ?"([^"]+)"')
CALLED_OFF = re.compile(rb'"requests": ?\["([^"]+)"\]')
ANSWER = re.compile(rb'"op": ?"(?:reply|error)"')


def write(path: Path, sources: Iterable[str], cells: Iterable[Any] = ()) -> None:
    """A notebook of ``cells`` and then those of ``sources``."""
    book = new_notebook(cells=[*cells, *map(new_code_cell, sources)])
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}  # else Lab asks
    nbformat.write(book, path)


class Watch:
    """Writes down what a browser shows of itself, below ``said``."""

    def __init__(self, said: Path, context: BrowserContext) -> None:
        self._said = said
        self._context = context
        self.typing: list[bytes] | None = None
        """While somebody types a secret: what is sent with it, which is not written down."""
        self.frames = 0
        self._open: set[bytes] = set()
        """What widgets have asked of the kernel and is not answered yet."""

    def page(self) -> Page:
        page = self._context.new_page()
        page.on("websocket", self._socket)
        page.on("console", lambda message: self.write("console", message.text))
        page.on("pageerror", lambda error: self.write("console", str(error)))
        return page

    def write(self, place: str, content: str | bytes) -> None:
        data = content.encode() if isinstance(content, str) else content
        (self._said / place).parent.mkdir(parents=True, exist_ok=True)
        with (self._said / place).open("ab") as file:
            file.write(data + b"\n")

    def until_answered(self, page: Page, timeout: float = 20) -> None:
        """Wait for what was asked for; not for ever, since troubles are tried again, and pages go with their requests.

        Frames are seen only while Playwright is asked something.
        """
        end = time.monotonic() + timeout
        while self._open and time.monotonic() < end:
            page.evaluate("() => new Promise(requestAnimationFrame)")
        self._open.clear()

    def storage(self) -> None:
        """What pages keep."""
        self.write("storage of the browser", json.dumps(self._context.storage_state(indexed_db=True)))

    def _socket(self, socket: WebSocket) -> None:
        socket.on("framesent", lambda payload: self._sent(payload))
        socket.on("framereceived", lambda payload: self._received(payload))

    def _received(self, payload: str | bytes) -> None:
        data = payload.encode() if isinstance(payload, str) else payload
        if ANSWER.search(data):
            self._open.difference_update(REQUEST.findall(data))
        self._frame("frames received", data)

    def _sent(self, payload: str | bytes) -> None:
        data = payload.encode() if isinstance(payload, str) else payload
        self._open.update(REQUEST.findall(data))
        self._open.difference_update(CALLED_OFF.findall(data))
        if self.typing is not None and MARK.encode() in data:
            self.typing.append(data)
        else:
            self._frame("frames sent", data)

    def _frame(self, place: str, payload: str | bytes) -> None:
        self.frames += 1
        self.write(place, payload)


def go_through(watch: Watch, server: JupyterServer, path: Path, sandbox: Sandbox) -> Counter[str]:
    """One notebook: run, used, troubled, and saved."""
    counts: Counter[str] = Counter()
    page = watch.page()
    notebook = Notebook(page, path)
    notebook.open(server.url)
    for index in notebook.code_cells:
        notebook.start(index)
        notebook.finish(index, timeout=300)
        counts.update(error.partition(":")[0] for error in notebook.errors(index))
    counts["clicks"] += _click_about(watch, notebook)
    for fault in ("500 echoed", "401 echoed", "odd rows"):
        struck = [
            sandbox.faults.add(**{"path": f"^/{service}/", **troubles(sandbox, service)[fault]}, count=None)
            for service in SENT
        ]
        counts["clicks"] += _click_about(watch, notebook)
        counts["requests with trouble"] += sum(one.hits for one in struck)
        sandbox.faults.clear()
    watch.write("pages as they were shown", page.content())
    watch.storage()
    _save(notebook)
    page.close()
    server.shut_down_kernels()
    return counts


def _save(notebook: Notebook) -> None:
    """With the state of widgets."""
    notebook.page.evaluate(
        "() => window.jupyterapp.commands.execute('@jupyter-widgets/jupyterlab-manager:saveWidgetState')"
    )
    notebook.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    notebook.save()


def _click_about(watch: Watch, notebook: Notebook) -> int:
    page, clicks = notebook.page, 0
    for root in page.locator(".jp-OutputArea section[class*='ipya-']:not(section section)").all():
        if not root.is_visible():
            continue
        root.evaluate("(root) => root.scrollIntoView({ block: 'center' })")
        view = GridView(page, root)
        if view.grid.count() == 1 and view.tile(0).count():
            view.tile(0).click()
            view.tile(0).dblclick()
            if view.dialog.count():
                expect(view.dialog).to_be_visible()
                clicks += view.dialog.evaluate(CLICKS)
            page.keyboard.press("Escape")
        if view.search_box.count():
            view.search("lamp")
            page.keyboard.press("Enter")
        clicks += root.evaluate(CLICKS)
        watch.until_answered(page)
        page.keyboard.press("Escape")
    return clicks


def ask(watch: Watch, server: JupyterServer, sandbox: Sandbox) -> None:
    """A token is typed where the client asks for one. It goes to the kernel, and nowhere else."""
    path = server.root / "asked.ipynb"
    write(path, [TYPED])
    page = watch.page()
    notebook = Notebook(page, path)
    notebook.open(server.url)
    notebook.start(0)
    field = page.locator("input.jp-Stdin-input")
    expect(field).to_be_visible()
    watch.typing = []
    field.fill(sandbox.connection_info()["vntana"]["personal_access_token"])
    field.press("Enter")
    notebook.finish(0)
    assert not notebook.errors(0), notebook.errors(0)
    typed, watch.typing = watch.typing, None
    assert len(typed) == 1, "a secret that was typed went out more than once"
    assert b"input_reply" in typed[0]
    watch.write("pages as they were shown", page.content())
    _save(notebook)
    page.close()
    server.shut_down_kernels()


def restart(watch: Watch, server: JupyterServer) -> None:
    """A kernel that is restarted begins anew: nothing of the one before is in it or is left of it."""
    path = server.root / "restarted.ipynb"
    cells = ["import ipyassets as ia\nservices = ia.connect()\nservices.vntana.search('chair').to_pandas().shape"] * 2
    write(path, cells)
    page = watch.page()
    notebook = Notebook(page, path)
    notebook.open(server.url)
    notebook.run(0)
    page.evaluate("() => window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.restart()")
    notebook.run(1)
    _save(notebook)
    page.close()
    server.shut_down_kernels()


def leak(watch: Watch, server: JupyterServer) -> None:
    for stream in (sys.stdout, sys.stderr):
        print(MARK, file=stream)
    path = server.root / "leak.ipynb"
    write(path, [*LEAKS, BROWSER_LEAKS])
    page = watch.page()
    notebook = Notebook(page, path)
    notebook.open(server.url)
    notebook.run(*notebook.code_cells)
    page.wait_for_function("() => document.body.dataset.leaked === 'all'")
    watch.write("pages as they were shown", page.content())
    watch.storage()
    _save(notebook)
    page.close()
    server.shut_down_kernels()


@contextmanager
def browsing(folder: Path) -> Iterator[Watch]:
    """A browser whose profile stays, and all whose HTTP is kept."""
    path = chromium.find()
    assert path is not None, "no Chromium"
    said = folder / "said"
    kept = folder / "http.zip"
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            folder / "profile of the browser",
            executable_path=path,
            args=chromium.FLAGS,
            env={**private_environment(folder), "LANG": "en_US.UTF-8"},
            record_har_path=kept,
            viewport={"width": 1280, "height": 860},
            locale="en-US",
            reduced_motion="reduce",
        )
        context.set_default_timeout(30_000)
        try:
            yield Watch(said, context)
        finally:
            context.close()
    with zipfile.ZipFile(kept) as archive:
        archive.extractall(said / "HTTP of the browser")
    kept.unlink()
    for file in (said / "HTTP of the browser").glob("*.jsonl"):  # messages of websockets, those of `Watch.typing` too
        lines = file.read_text().splitlines(keepends=True)
        file.write_text("".join(line for line in lines if not _typed(json.loads(line))))


def _typed(message: Any) -> bool:
    return message["type"] == "send" and message["opcode"] == 2 and b"input_reply" in base64.b64decode(message["data"])


def main() -> None:
    folder, names = Path(sys.argv[1]), tuple(name for name in sys.argv[2:] if not name.startswith("--"))
    prepare(folder)
    counts: Counter[str] = Counter()
    with planted() as sandbox:
        sandbox.settings.render_quality, sandbox.settings.archive_polls = "draft", 0
        server = JupyterServer(folder, {**sandbox.environment(), **KERNELS})
        settings = Path(os.environ["JUPYTER_CONFIG_DIR"]) / "jupyter_server_config.json"
        settings.write_text(json.dumps({"ServerApp": {"log_level": "DEBUG"}}))
        server.start()
        try:
            with browsing(folder) as watch:
                if "--leak" in sys.argv:
                    leak(watch, server)
                for source in [] if "--leak" in sys.argv else chosen(names):
                    path = server.root / source.name
                    write(path, LOOKS, cells_of(source))
                    counts += go_through(watch, server, path, sandbox)
                    sandbox.reset()
                if "--leak" not in sys.argv:
                    ask(watch, server, sandbox)
                    restart(watch, server)
                counts["frames"] = watch.frames
        finally:
            left = server.stop()
    assert not left, f"JupyterLab left processes behind: {left}"
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
