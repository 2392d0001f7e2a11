"""Processes that tests start: what they may see of the person's machine, and finding what they leave behind."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import socket
import time
import uuid
from collections.abc import Callable
from pathlib import Path

__all__ = ["MARK", "free_port", "left_behind", "private_environment", "wait_for"]

_ports = itertools.cycle(random.sample(range(20_000, 32_000), 12_000))

MARK = "IPYASSETS_TEST_RUN"
"""Environment variable that a process started here hands down to all it starts, so that leftovers can be found."""


def private_environment(folder: Path) -> dict[str, str]:
    """An environment with a mark of its own and with home, caches and Jupyter's folders below ``folder``."""
    private = {
        "HOME": folder / "home",
        "XDG_CACHE_HOME": folder / "cache",
        "JUPYTER_CONFIG_DIR": folder / "config",
        "JUPYTER_DATA_DIR": folder / "data",
        "JUPYTER_RUNTIME_DIR": folder / "runtime",
        "IPYTHONDIR": folder / "ipython",
    }
    for path in private.values():
        path.mkdir(parents=True, exist_ok=True)
    foreign = ("JUPYTER", "VNTANA_", "ITWIN_", "SCENARIO_", "PYTEST_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**inherited, **{name: str(path) for name, path in private.items()}, MARK: uuid.uuid4().hex}


def left_behind(mark: str, timeout: float = 10) -> list[str]:
    """Wait for what inherited ``mark`` to end; end what has not, and give its command lines.

    Finds nothing where there is no ``/proc``.
    """
    deadline = time.monotonic() + timeout
    while (left := _marked(mark)) and time.monotonic() < deadline:
        time.sleep(0.05)
    for number in left:
        try:
            os.kill(number, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return list(left.values())


def wait_for(condition: Callable[[], bool], timeout: float, what: str) -> None:
    """Ask until it is so; `TimeoutError` naming ``what`` if it never is."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout:g} s for {what}")
        time.sleep(0.05)


def free_port() -> int:
    """A port that is free, and still will be once a process that was told it has started.

    Not one of those that systems give to whoever asks for any: another test might, in the seconds that takes.
    """
    while True:
        port = next(_ports)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def _marked(mark: str) -> dict[int, str]:
    """Command lines by process id of what inherited ``mark``."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}".encode() not in (folder / "environ").read_bytes().split(b"\0"):
                continue
            found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # ended meanwhile, or somebody else's
    return found
