"""One notebook that does all that leaves something behind, run by nbclient as papermill and nbconvert run notebooks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from ipyassets.sandbox import Sandbox
from tests.canaries.planted import MARK, planted

BROWSER: Final = '''
import time
import ipyassets as ia

def press(widget, op, **fields):
    """What the browser says when a person does something, and the wait for what comes of it."""
    content = {"op": op, "request": f"{op}-{time.monotonic_ns()}", **fields}
    data = {"method": "custom", "content": content}
    widget.comm.handle_msg({"content": {"data": data, "comm_id": widget.comm.comm_id}, "buffers": []})
    deadline = time.monotonic() + 30
    while widget._tasks and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not widget._tasks, f"{op} did not end"

def query(service, text):
    return {"service": service, "place": None, "text": text, "filters": {}, "sort": None}

services = ia.connect(sandbox=False)
'''
CELLS: Final = {
    "connect": f"{BROWSER}services",
    "explorer": "explorer = services.explore()\nexplorer",
    "search": "press(explorer, 'search', query=query('vntana', 'chair'))\nexplorer.assets.total",
    "select": "press(explorer, 'select', generation=2, ranges=[[1, 2]])\nlen(explorer.selection)",
    "look": """
press(explorer, "hello")
press(explorer, "tiles", generation=2, ranges=[[0, 9]], edge=192)
press(explorer, "detail", generation=2, index=1, edge=512)
press(explorer, "frames", generation=2, index=1, edge=128)
explorer.snapshot()""",
    "in a box": "from ipywidgets import VBox\nVBox([explorer])",
    "refused": """
import json, os
canary = json.loads(os.environ["CANARIES"])
wrong = ia.Explorer(ia.ITwin(token=canary["token"]), ia.Scenario(api_key=canary["key"], api_secret=canary["secret"]),
                    ia.Vntana(email=canary["email"], password=canary["password"]))
press(wrong, "search", query=query("scenario", ""))
press(wrong, "search", query=query("vntana", ""))
wrong""",
    "render": """
panel = ia.RenderPanel(explorer)
display(panel)
press(panel._monitor, "hello")
job = services.vntana.render(explorer.selection, width=160, height=120,
                             turntable=ia.Turntable(frames=4, fps=4, width=80, height=60))
job""",
    "rendered": """
monitor = ia.JobMonitor(job.wait())
press(monitor, "rows", job="1")
press(monitor, "files", job="1", index=0, edge=256)
press(monitor, "film", job="1", index=0, media="mp4")
monitor""",
    "turntable": "job.turntables()[0]",
    "compare": "ia.Compare(*job.stills().images[:2])",
    "grid": "ia.ImageGrid(job.stills().images)",
    "scenario": """
pictures = services.scenario.search(limit=3)
shown = ia.Explorer(services.scenario, query="chair")
shown.selection = shown.assets[:2]
shown""",
    "archive": """
archive = services.scenario.archive(pictures, poll=0.1).wait()
press(ia.JobMonitor(archive), "files", job="1", index=0, edge=256)
box = ia.ArchivePanel(shown)
display(archive)
box""",
    "archived": "box.submit().wait()\narchive.snapshot()",
    "off": "ia.options.snapshot = False\nia.Explorer(services.itwin)",
}

CANARIES: Final = {
    "token": f"{MARK}-token",
    "key": f"{MARK}-key",
    "secret": f"{MARK}-secret",
    "email": f"{MARK}@person.example",
    "password": f"{MARK}-password",
}
"""Credentials that are refused; they reach the notebook's kernel by its environment, so that no cell holds them."""


@pytest.fixture(scope="package")
def sandbox() -> Iterator[Sandbox]:
    with planted() as running:
        yield running


@pytest.fixture(scope="package")
def saved(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The notebook as it was saved, with the state of its widgets."""
    folder = tmp_path_factory.mktemp("shared")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in sandbox.environment().items():
            patch.setenv(name, value)
        patch.setenv("CANARIES", json.dumps(CANARIES))
        for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "XDG_CACHE_HOME"):
            patch.setenv(name, str(folder / name.lower()))
        book = new_notebook(cells=[new_code_cell(source, id=name.replace(" ", "-")) for name, source in CELLS.items()])
        client = NotebookClient(book, kernel_name="python3", timeout=120, store_widget_state=True)
        client.execute()
    path = folder / "shared.ipynb"
    nbformat.write(book, path)
    return path


@pytest.fixture(scope="package")
def outputs(saved: Path) -> dict[str, list[dict[str, Any]]]:
    """What each cell put out, by its name."""
    book = nbformat.read(saved, as_version=4)
    return {name: cell.outputs for name, cell in zip(CELLS, book.cells, strict=True)}
