"""A private JupyterLab server: its own port, home and settings; stopped with everything it started."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.processes import MARK, free_port, left_behind, private_environment, wait_for

__all__ = ["JupyterServer"]

SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
}


class JupyterServer:
    """``jupyter lab`` on a free loopback port, without a token, in folders below ``folder``.

    ``policy`` is a Content-Security-Policy for all it serves, in place of its usual one.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], policy: str | None = None) -> None:
        self._policy = policy
        self.root = folder / "notebooks"
        self.url = ""
        self._log = folder / "jupyter.log"
        self._environment = {**private_environment(folder), **environment}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, timeout: float = 60) -> None:
        config = Path(self._environment["JUPYTER_CONFIG_DIR"]) / "labconfig"
        for path in (self.root, config):
            path.mkdir(parents=True, exist_ok=True)
        (config / "default_setting_overrides.json").write_text(json.dumps(SETTINGS))
        if self._policy is not None:
            headers = {"headers": {"Content-Security-Policy": self._policy}}
            settings = json.dumps({"ServerApp": {"tornado_settings": headers}})
            (config.parent / "jupyter_server_config.json").write_text(settings)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--ServerApp.allow_root=True"),
            *(f"--ServerApp.port={port}", "--ServerApp.port_retries=0", "--ServerApp.ip=127.0.0.1"),
            *("--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True"),
            *("--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True"),
            f"--ServerApp.root_dir={self.root}",
        ]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log, cwd=self.root)
        try:
            wait_for(self._answers, timeout, "JupyterLab")
        except (ChildProcessError, TimeoutError) as error:
            self.stop()
            error.add_note(self._log.read_text())
            raise

    def stop(self, timeout: float = 20) -> list[str]:
        """Stop the server, which stops its kernels. Gives the command lines of what was left, normally none."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(timeout)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        return left_behind(self._environment[MARK])

    def request(self, path: str, method: str = "GET") -> Any:
        """The decoded JSON answer of the server's REST interface, None for an empty one."""
        request = urllib.request.Request(f"{self.url}/api/{path}", method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:  # a busy kernel has seconds to end
            return json.loads(answer.read() or b"null")

    def shut_down_kernels(self) -> None:
        for session in self.request("sessions"):
            self.request(f"sessions/{session['id']}", "DELETE")

    def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise ChildProcessError("JupyterLab ended")
        try:
            self.request("status")
        except (urllib.error.URLError, OSError):
            return False
        return True
