"""The worker process: ``python -m ipyassets.sandbox.rendering.worker``.

One JSON object a line: ``{"kind", "arguments"}`` comes in, ``{"files"}`` or ``{"error"}`` goes out. It ends when its
standard input does, which also happens when the process that started it is no more.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import signal
import sys
import threading
from typing import BinaryIO

__all__ = ["main"]

NICENESS = 10


def main() -> None:
    # Ctrl-C in a terminal reaches everybody; whoever started us decides when we end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    # Answers have a descriptor of their own: whatever a library prints goes to the log.
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    tasks: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    # Read in a thread, so that the end of the input is noticed in the middle of a picture too.
    threading.Thread(target=_read, args=(sys.stdin.buffer, tasks), daemon=True).start()
    from ipyassets.sandbox.rendering.pictures import Atelier

    atelier = Atelier()
    while True:
        task = json.loads(tasks.get())
        try:
            answer: dict[str, object] = {"files": atelier.do(task["kind"], task["arguments"])}
        except Exception as error:  # noqa: BLE001 - whatever it is, it fails this task and not the next one
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer).encode() + b"\n")


def _read(source: BinaryIO, tasks: queue.SimpleQueue[bytes]) -> None:
    for line in source:
        tasks.put(line)
    os._exit(0)


if __name__ == "__main__":
    main()
