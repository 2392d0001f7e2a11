"""Listens inside a kernel: all it logs, and all it sends, come to files.

`prepare` writes into an IPython profile what has each of its kernels begin with `listen`.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import warnings
from pathlib import Path
from typing import Any, Final

from tests.canaries.planted import MARK
from tests.services.calls import QUICK

__all__ = ["KERNELS", "listen", "prepare"]

ROOT = Path(__file__).parents[2]
KERNELS: Final = {"CANARY": f"{MARK}-refused", "PYTHONASYNCIODEBUG": "1"}
"""Their environment, beside credentials: one that services refuse, and asyncio's debug mode."""


def prepare(folder: Path) -> None:
    """For kernels whose IPYTHONDIR is ``folder``/ipython; what they say comes below ``folder``/said."""
    profile = folder / "ipython" / "profile_default"
    (profile / "startup").mkdir(parents=True)
    (profile / "startup" / "00-canaries.py").write_text(
        f"import sys\nsys.path.insert(0, {str(ROOT)!r})\nfrom tests.canaries import kernel\n"
        f"sys.path.remove({str(ROOT)!r})\nkernel.listen({str(folder / 'said')!r})\ndel sys, kernel\n"
    )
    (profile / "ipython_kernel_config.py").write_text(
        "c.InteractiveShell.xmode = 'Verbose'  # tracebacks with local variables\nc.Application.log_level = 10\n"
    )


def listen(said: str) -> None:
    from IPython import get_ipython

    from ipyassets.http import loop
    from ipyassets.http.client import HttpClient

    logs, messages = Path(said, "logs of kernels"), Path(said, "messages of kernels")
    for folder in (logs, messages):
        folder.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(logs / str(os.getpid()))
    handler.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s %(args)r"))
    logging.basicConfig(level=logging.DEBUG, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    warnings.simplefilter("always")
    loop.loop().slow_callback_duration = 0.02  # what takes longer is logged in asyncio's debug mode
    HttpClient.__init__.__kwdefaults__["policy"] = QUICK
    _overhear(get_ipython().kernel.session, messages / str(os.getpid()))  # type: ignore[no-untyped-call]
    sys.stdout.flush()


def _overhear(session: Any, path: Path) -> None:
    sent, lock = session.send, threading.Lock()

    def send(stream: Any, message: Any, content: Any = None, *rest: Any, **named: Any) -> Any:
        buffers = named.get("buffers") or (rest[2] if len(rest) > 2 else None) or ()
        with lock, path.open("ab") as file:
            file.write(json.dumps([message, content, named.get("metadata")], default=repr).encode())
            for buffer in buffers:
                file.write(b"\n" + bytes(buffer))
            file.write(b"\n")
        return sent(stream, message, content, *rest, **named)

    session.send = send
