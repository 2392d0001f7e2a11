"""Gives the mark away in each place that is searched, by the way on which things come there.

A search that finds nothing must be one that would find something: `leaked` is what it must find.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from ipywidgets import HTML
from PIL import Image

import ipyassets as ia
from ipyassets.http import board
from tests.canaries.planted import MARK
from tests.canaries.witness import TRACEBACKS, Witness

__all__ = ["dump", "leaked", "look_at_board", "press"]


class Open:
    """What a client must not be like."""

    def __repr__(self) -> str:
        return f"Open({MARK})"


def leaked(witness: Witness, work: Path) -> Counter[str]:
    """``work`` is the folder of the files that people save."""
    sys.stdout.write(f"{MARK}\n")
    sys.stderr.write(f"{MARK}\n")
    logging.getLogger("leak").debug("%s", MARK)
    witness.thing("open", Open())
    _fail_openly(witness)
    grid = ia.ImageGrid([Image.new("RGB", (8, 8))], captions=[MARK])
    witness.thing("widget", HTML(MARK))
    witness.write("HTML snapshots", "grid", grid.snapshot()._repr_html_())
    pages = work.with_name("HTML pages")
    pages.mkdir()
    grid.to_html(pages / "grid.html")
    (Path(board.open_board()) / "open").write_text(MARK)
    look_at_board(witness)
    exec(f"def {MARK}(): dump(witness)\n{MARK}()", {"dump": dump, "witness": witness})  # it names functions
    ia.cache.put(("open",), MARK.encode())
    handle, name = tempfile.mkstemp()
    os.write(handle, MARK.encode())
    os.close(handle)
    Path(name).unlink()
    (work / "one").write_text(MARK)
    return Counter()


def _fail_openly(witness: Witness) -> None:
    witness.error("open", ValueError(MARK))

    def fail(told: str) -> None:
        raise ValueError(f"of {len(told)} characters")

    for name, style in TRACEBACKS.items():
        try:
            fail(MARK)
        except ValueError as error:
            text = style(error.with_traceback(error.__traceback__ and error.__traceback__.tb_next))
            assert MARK in text, f"{name} shows no local variable"


def press(widget: Any, op: str, **fields: Any) -> None:
    """What the browser says when a person does something, and the wait for what comes of it."""
    content = {"op": op, "request": f"{op}-{time.monotonic_ns()}", **fields}
    data = {"method": "custom", "content": content}
    widget.comm.handle_msg({"content": {"data": data, "comm_id": widget.comm.comm_id}, "buffers": []})
    for task in list(widget._tasks.values()):
        task.exception(30)


def look_at_board(witness: Witness) -> None:
    """What workers of this machine share, which is gone at the end."""
    for file in sorted(Path(board.open_board()).iterdir()):
        witness.write("token board", file.name, file.read_bytes())


def dump(witness: Witness) -> None:
    """What is left of a process that dies by a signal."""
    with tempfile.TemporaryFile() as file:
        faulthandler.dump_traceback(file, all_threads=True)
        file.seek(0)
        witness.write("crash dump", "faulthandler", file.read())
