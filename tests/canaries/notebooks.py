"""Runs the example notebooks with planted secrets, and leaves all that can be seen of them in folders.

``python -m tests.canaries.notebooks FOLDER [NAME ...]``: each notebook, or those whose names begin so, by nbclient,
which stores the state of widgets; with ``--trouble`` once more with trouble in a part of all answers. ``--leak`` runs
one that gives the mark away in each place that is searched.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbconvert import HTMLExporter, MarkdownExporter, PythonExporter
from nbformat.v4 import new_code_cell, new_notebook

from tests.canaries.kernel import KERNELS, prepare
from tests.canaries.planted import MARK, planted
from tests.canaries.trouble import SENT, troubles

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
EXPORTERS = {".html": HTMLExporter, ".md": MarkdownExporter, ".py": PythonExporter}
LOOKS = (
    "%whos",
    "for name in [name for name, thing in globals().items() if hasattr(thing, 'close')]:\n    %pinfo2 {name}",
    "print({name: thing for name, thing in globals().items() if not name.startswith('_')})",
    "%history -g -n",
    "everything = ia.connect()  # so that the process knows whatever a service may repeat",
    "import os\nia.Explorer(ia.ITwin(token=os.getenv('CANARY')), ia.Vntana(email='me', password=os.getenv('CANARY')))",
    "ia.Scenario(os.getenv('CANARY'), os.getenv('CANARY')).search()[0]",
)
"""What a person does besides: magics that show all there is, and mistakes."""
LEAKS = (
    "import logging, os, sys, tempfile, ipywidgets\nfrom pathlib import Path\nmark = os.environ['CANARY']",
    "print(mark)",
    "logging.getLogger('leak').debug('%s', mark)",
    "os.write(2, mark.encode() + b'\\n'), os.write(1, mark.encode() + b'\\n')",
    "Path(tempfile.mkdtemp(), 'one').write_text(mark)",
    "import ipyassets as ia\nia.cache.put(('open',), mark.encode())\nia.cache.flush()",
    "homes = 'HOME', 'JUPYTER_CONFIG_DIR', 'JUPYTER_DATA_DIR', 'JUPYTER_RUNTIME_DIR'",
    "[Path(os.environ[name], 'one').write_text(mark) for name in homes]",
    f"history = '{MARK}'",
    "ipywidgets.HTML(mark)",
)


def run(name: str, cells: list[Any], folder: Path) -> Counter[str]:
    """Gives how many cells ended with which error."""
    book = new_notebook(cells=cells)
    client = NotebookClient(book, timeout=300, kernel_name="python3", store_widget_state=True, allow_errors=True)
    client.ipython_hist_file = ""  # the usual one
    kernels = folder / "said"
    with (kernels / "stdout of kernels").open("ab") as stdout, (kernels / "stderr of kernels").open("ab") as stderr:
        client.execute(stdout=stdout, stderr=stderr)
    for place in ("saved notebooks", "exports"):
        (kernels / place).mkdir(exist_ok=True)
    nbformat.write(book, kernels / "saved notebooks" / f"{name}.ipynb")
    for suffix, exporter in EXPORTERS.items():
        text, _ = exporter().from_notebook_node(book)
        (kernels / "exports" / f"{name}{suffix}").write_text(text)
    outputs = [output for cell in book.cells for output in cell.get("outputs", ())]
    assert outputs
    return Counter(output.ename for output in outputs if output.output_type == "error")


def cells_of(path: Path) -> list[Any]:
    cells = nbformat.read(path, as_version=4).cells
    for cell in cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return cells


def chosen(names: tuple[str, ...]) -> list[Path]:
    """The example notebooks, or those whose names begin so."""
    return [path for path in sorted(NOTEBOOKS.glob("*.ipynb")) if path.name.startswith(names or "0")]


def main() -> None:
    folder, names = Path(sys.argv[1]), tuple(name for name in sys.argv[2:] if not name.startswith("--"))
    leaking = "--leak" in sys.argv
    prepare(folder)
    (folder / "said").mkdir()
    counts: Counter[str] = Counter()
    with planted() as sandbox:
        sandbox.settings.render_quality, sandbox.settings.archive_polls = "draft", 0
        os.environ.update(sandbox.environment(), **KERNELS)
        if leaking:
            for stream in (sys.stdout, sys.stderr):
                print(MARK, file=stream)
            run("leak", [new_code_cell(source) for source in LEAKS], folder)
        for path in [] if leaking else chosen(names):
            looks = [new_code_cell(source) for source in LOOKS]
            well = run(path.stem, [*cells_of(path), *looks], folder)
            assert set(well) == {"AuthenticationError"}, f"{path.name}: {well}"
            counts += well
            if "--trouble" in sys.argv:
                chance = random.Random(path.name)
                for service in SENT:
                    for fault in chance.sample(list(troubles(sandbox, service).values()), 4):
                        sandbox.faults.add(**{"path": f"^/{service}/", **fault}, count=None, rate=0.15)
                counts += run(f"{path.stem}-trouble", [*cells_of(path), *looks], folder)
                sandbox.faults.clear()
            sandbox.reset()
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
