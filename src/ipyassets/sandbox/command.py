"""The sandbox as a command of its own."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from ipyassets.sandbox.server import Sandbox

__all__ = ["run"]


def run(sandbox: Sandbox) -> None:
    """Print the connection line, serve until SIGINT or SIGTERM, stop, return."""
    # Whatever a library prints from here on belongs to the log: readers of stdout expect one line.
    stdout, sys.stdout = sys.stdout, sys.stderr
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    done = threading.Event()
    previous = {number: signal.signal(number, lambda *_: done.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with sandbox:
            try:
                stdout.write(json.dumps(sandbox.connection_info()) + "\n")
                stdout.flush()
            except BrokenPipeError:
                # What was not taken would be written once more when Python ends, which then ends with an error.
                with contextlib.suppress(OSError, ValueError), Path(os.devnull).open("w") as nowhere:
                    os.dup2(nowhere.fileno(), stdout.fileno())
                return
            sys.stderr.write(f"ipyassets sandbox at {sandbox.origin}, Ctrl-C stops it\n")
            # With a timeout because on Windows a wait without one cannot be interrupted.
            while not done.wait(1.0):
                pass
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        sys.stdout = stdout
