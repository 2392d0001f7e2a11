"""Runs the example notebooks on the sandbox and writes them back as they are kept: outputs, and no state of widgets.

python scripts/run_notebooks.py [notebooks/03-renders.ipynb ...]
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1] / "notebooks"


def run(path: Path) -> None:
    book = nbformat.read(path, as_version=4)
    NotebookClient(book, timeout=600, kernel_name="python3", store_widget_state=False, record_timing=False).execute(
        cwd=str(path.parent)
    )
    for cell in book.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", ()):
            if "image/jpeg" in output.get("data", {}):  # Pillow gives both; the other is five times as large
                output["data"].pop("image/png", None)
    book.metadata = {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    nbformat.write(book, path)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        # Neither the person's credentials nor their cache: a notebook that is kept shows the sandbox alone.
        for name in list(os.environ):
            if name.startswith(("VNTANA_", "ITWIN_", "SCENARIO_")):
                del os.environ[name]
        os.environ["XDG_CACHE_HOME"] = folder
        for path in map(Path, sys.argv[1:] or sorted(FOLDER.glob("*.ipynb"))):
            run(path)
            print(f"{path.name}: {path.stat().st_size / 1000:,.0f} kB")


if __name__ == "__main__":
    main()
