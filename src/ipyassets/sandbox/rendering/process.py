"""The parent's side of one worker process."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import ipyassets
from ipyassets.sandbox.rendering.orders import Task

__all__ = ["TaskFailed", "Worker", "WorkerDied"]

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class TaskFailed(Exception):
    """What the worker said went wrong."""


class WorkerDied(Exception):
    """The process ended in the middle of a task."""


class Worker:
    """Starts its process with the first task, and another one after a crash. `run` is for one thread."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._closed = False

    @property
    def pid(self) -> int | None:
        process = self._process
        return None if process is None else process.pid

    def run(self, task: Task) -> list[str]:
        """Names of the files the task made. Raises `TaskFailed` or `WorkerDied`."""
        process = self._started()
        line = b""
        with contextlib.suppress(OSError, ValueError):  # a pipe that broke or was closed: the process is no more
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps({"kind": task.kind, "arguments": task.arguments}).encode() + b"\n")
            process.stdin.flush()
            line = process.stdout.readline()
        if not line.endswith(b"\n"):
            code = self._end(process)
            raise WorkerDied(f"the render worker ended unexpectedly (exit code {code})")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise TaskFailed(answer["error"])
        return list(answer["files"])

    def kill(self) -> None:
        """End the process, from any thread; a `run` under way raises `WorkerDied`, and so does every later one."""
        with self._lock:
            self._closed = True
            if self._process is not None:
                self._process.kill()

    def close(self) -> None:
        """End the process and let go of its pipes; for the thread that calls `run`."""
        self.kill()
        if self._process is not None:
            self._end(self._process)

    def forget(self) -> None:
        """In a forked child: let go of the pipes, so that the worker sees the end of the parent."""
        process = self._process
        if process is None:
            return
        process.returncode = 0  # not a child of this process: nothing to wait for
        for pipe in (process.stdin, process.stdout):
            # Below the buffer: another thread of the parent may have held its lock when we were forked.
            getattr(pipe, "raw").close()  # noqa: B009 - typeshed does not know it

    def _started(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._closed:
                raise WorkerDied("the render worker was stopped")
            if self._process is None:
                self._process = _start()
            return self._process

    def _end(self, process: subprocess.Popen[bytes]) -> int:
        process.kill()
        code = process.wait()
        with self._lock:
            self._process = None
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
        return code


def _start() -> subprocess.Popen[bytes]:
    # The worker must find this very package, however the parent found it.
    package = str(Path(ipyassets.__file__).parents[1])
    path = os.pathsep.join(part for part in (package, os.getenv("PYTHONPATH", "")) if part)
    environment = {**dict.fromkeys(ONE_THREAD, "1"), **os.environ, "PYTHONPATH": path}
    return subprocess.Popen(
        # -P: a file json.py in the person's folder is not ours.
        [sys.executable, "-P", "-m", "ipyassets.sandbox.rendering.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        # Out of the terminal's process group: Ctrl-C is for the parent, which stops its workers.
        start_new_session=True,
    )
