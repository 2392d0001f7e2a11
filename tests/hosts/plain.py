"""A host of anywidgets without JupyterLab: a page of its own before a real kernel, as VS Code and Colab have theirs.

Messages go to the kernel's one shell: such hosts do not ask for subshells. The page may be any: what stands around an
output differs from host to host.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import uuid
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import zmq
from jupyter_client.session import Session
from playwright.sync_api import Page

from tests.processes import free_port

__all__ = ["SCRIPT", "PlainKernel"]

SCRIPT: Final = (Path(__file__).parent / "plain.js").read_text(encoding="utf-8")
VIEW: Final = "application/vnd.jupyter.widget-view+json"
CHANNELS: Final = ("shell", "iopub", "stdin", "control", "hb")


class PlainKernel:
    """A kernel, and what it says to widgets.

    Spoken to over bare ZeroMQ: jupyter_client's own clients leave event loops behind.
    """

    def __init__(self, connection: Mapping[str, Any], context: zmq.Context[Any], folder: Path) -> None:
        self.folder = folder
        """Where it runs."""
        self._session = Session(key=connection["key"].encode(), signature_scheme=connection["signature_scheme"])
        self._shell = context.socket(zmq.DEALER)
        self._iopub = context.socket(zmq.SUB)
        self._iopub.setsockopt(zmq.SUBSCRIBE, b"")
        for socket, channel in ((self._shell, "shell"), (self._iopub, "iopub")):
            socket.linger = 0
            socket.connect(f"tcp://127.0.0.1:{connection[f'{channel}_port']}")
        self._said: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._ended: dict[str, threading.Event] = {}
        self._errors: dict[str, str] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="iopub")
        self._thread.start()

    @classmethod
    @contextmanager
    def started(
        cls, folder: Path, environment: Mapping[str, str], python: str = sys.executable
    ) -> Iterator[PlainKernel]:
        """A kernel of its own that runs in ``folder``."""
        connection: dict[str, Any] = {f"{channel}_port": free_port() for channel in CHANNELS}
        connection |= {"transport": "tcp", "ip": "127.0.0.1"}
        connection |= {"key": uuid.uuid4().hex, "signature_scheme": "hmac-sha256"}
        file = folder / "connection.json"
        file.write_text(json.dumps(connection))
        log = folder / "kernel.log"
        with log.open("wb") as output, zmq.Context() as context:
            command = [python, "-m", "ipykernel_launcher", "-f", str(file)]
            process = subprocess.Popen(command, env=dict(environment), cwd=folder, stdout=output, stderr=output)
            kernel = cls(connection, context, folder)
            try:
                kernel.wait_until_ready()
                yield kernel
            finally:
                kernel.close()
                process.terminate()
                process.wait(20)

    def wait_until_ready(self) -> None:
        """What is said before a subscription stands is lost, so it is asked until its answer is heard."""
        for _ in range(300):
            if self._ended[self.start("")].wait(0.2):
                return
        raise TimeoutError("the kernel did not start")

    def close(self) -> None:
        self._over.set()
        self._thread.join(5)
        self._shell.close()
        self._iopub.close()

    # -- cells -------------------------------------------------------------------------------------------------

    def start(self, code: str) -> str:
        """Run a cell, as a front end sends it; its mark."""
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": True}
        message = self._session.msg("execute_request", {**content, "stop_on_error": True})
        mark = str(message["header"]["msg_id"])
        self._ended[mark] = threading.Event()
        self._session.send(self._shell, message)
        return mark

    def running(self, mark: str) -> bool:
        return not self._ended[mark].is_set()

    def run(self, page: Page, code: str, timeout: float = 60) -> str:
        """Run a cell and wait for its end; an exception in it fails the test."""
        mark = self.start(code)
        self.finish(page, mark, timeout)
        return mark

    def finish(self, page: Page, mark: str, timeout: float = 60) -> None:
        for _ in range(int(timeout * 20)):
            if self._ended[mark].is_set():
                break
            page.wait_for_timeout(50)  # the page's questions are answered meanwhile
        assert self._ended[mark].is_set(), "the cell did not end"
        assert mark not in self._errors, self._errors[mark]

    # -- the page ----------------------------------------------------------------------------------------------

    def connect(self, page: Page) -> None:
        """Let ``page`` and all its frames speak with the kernel."""
        page.expose_function("ipyaFromKernel", self._drained)
        page.expose_function("ipyaToKernel", self._send)

    def _drained(self) -> list[dict[str, Any]]:
        said = []
        while not self._said.empty():
            said.append(self._said.get())
        return said

    def _send(self, comm: str, content: dict[str, Any]) -> None:
        data = {"method": "custom", "content": content}
        self._session.send(self._shell, "comm_msg", {"comm_id": comm, "data": data})

    def _listen(self) -> None:
        while not self._over.is_set():
            if not self._iopub.poll(100):
                continue
            _, message = self._session.recv(self._iopub)
            content, kind = message["content"], message["msg_type"]
            cell = message["parent_header"].get("msg_id", "")
            if kind == "comm_open":
                self._said.put({"op": "open", "id": content["comm_id"], "data": content["data"]})
            elif kind == "comm_msg":
                buffers = [b64encode(buffer).decode() for buffer in message["buffers"]]
                self._said.put({"op": "msg", "id": content["comm_id"], "data": content["data"], "buffers": buffers})
            elif kind in ("display_data", "execute_result"):
                data = content["data"]
                if VIEW in data:
                    self._said.put({"op": "display", "id": data[VIEW]["model_id"], "cell": cell})
                elif "text/html" in data:
                    self._said.put({"op": "html", "data": data["text/html"], "cell": cell})
            elif kind == "error":
                self._errors[cell] = f"{content['ename']}: {content['evalue']}"
            elif kind == "status" and content["execution_state"] == "idle" and cell in self._ended:
                self._ended[cell].set()
