"""The worker process: how it talks, and that it ends whatever becomes of its parent."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import httpx
import pytest

import ipyassets
from ipyassets.sandbox.rendering.orders import Task
from ipyassets.sandbox.rendering.process import TaskFailed, Worker, WorkerDied

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(ipyassets.__file__).parents[1]), "PYTHONWARNINGS": "error"}
COMMAND = [sys.executable, "-P", "-m", "ipyassets.sandbox.rendering.worker"]

RENDER = """
from ipyassets.sandbox import Sandbox, Settings
from ipyassets.sandbox.rendering import Stills, Turntable
sandbox = Sandbox(settings=Settings(render_quality="draft", render_workers=1)).start()
job = sandbox.renders.submit(0, Stills(16, 16), Turntable(2, 2, 16, 16), {})
sandbox.renders.wait_idle()
print(job.stills.state, sandbox.renders.pids[0], job.stills.folder.parent, flush=True)
"""


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    # Whoever took it over when its parent died may not have looked at its end yet.
    try:
        state = Path(f"/proc/{pid}/stat").read_text()
    except OSError:  # by now they have; or there is no such list here
        return Path("/proc/self/stat").exists()
    return state.rpartition(")")[2].split()[0] == "Z"


def wait_until_gone(pid):
    """A process that is not our child can be watched only by its pipe: the worker holds its parent's stderr."""
    pidfd = os.pidfd_open(pid)
    try:
        assert select.select([pidfd], [], [], 30)[0], f"process {pid} is still there"
    finally:
        os.close(pidfd)


def python(code, *flags, **more):
    command = [sys.executable, *flags, "-"]
    return subprocess.run(command, input=code, capture_output=True, text=True, timeout=60, env=ENVIRONMENT, **more)


def test_it_ends_with_its_input():
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENVIRONMENT) as process:
        process.stdin.close()
        assert process.wait(30) == 0


def test_it_ends_in_the_middle_of_a_task(tmp_path):
    """A large picture takes longer than anybody wants to wait for the end of a sandbox."""
    order = {"width": 4096, "height": 4096, "background": None, "transparent": False, "count": 1, "format": "PNG"}
    task = {
        "source": {"kind": "object", "key": "osaka-chair"},
        "quality": "full",
        "kept": str(tmp_path / "light.npz"),
        "order": order,
        "folder": str(tmp_path),
        "number": 0,
    }
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENVIRONMENT) as process:
        process.stdin.write(json.dumps({"kind": "still", "arguments": task}).encode() + b"\n")
        process.stdin.close()
        assert process.wait(30) == 0
    assert list(tmp_path.glob("*.png")) == []


def test_a_task_that_fails_is_answered_and_the_next_one_done(tmp_path):
    worker = Worker()
    try:
        with pytest.raises(TaskFailed, match="ValueError: no such task: juggle"):
            worker.run(Task("juggle", {}))
        arguments = {
            "source": {"kind": "object", "key": "comb"},
            "quality": "draft",
            "kept": str(tmp_path / "light.npz"),
        }
        assert worker.run(Task("bake", arguments)) == []
        assert (tmp_path / "light.npz").exists()
    finally:
        worker.close()
    assert worker.pid is None
    with pytest.raises(WorkerDied, match="stopped"):
        worker.run(Task("bake", {}))


def test_a_script_on_standard_input_can_have_renders_made():
    """multiprocessing would import the script again, and there is no file of it."""
    run = python(RENDER + "sandbox.stop()\n")
    assert run.returncode == 0, run.stderr
    state, pid, folder = run.stdout.split()
    assert state == "completed"
    assert gone(int(pid))
    assert not Path(folder).exists()
    assert run.stderr == ""


def test_a_script_that_never_stops_its_sandbox_leaves_nothing():
    run = python(RENDER)
    assert run.returncode == 0, run.stderr
    _, pid, folder = run.stdout.split()
    assert gone(int(pid))
    assert not Path(folder).exists()


def test_a_module_in_the_persons_folder_is_not_taken_for_one_of_ours(tmp_path):
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')")
    run = python(RENDER + "sandbox.stop()\n", "-P", cwd=tmp_path)
    assert run.stdout.split()[0] == "completed", run.stderr


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs a way to wait for a process that is no child")
def test_the_worker_ends_when_its_parent_is_killed():
    code = RENDER + "import signal\nsignal.pause()\n"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
        _, pid, folder = process.stdout.readline().split()
        process.kill()
        process.wait(30)
        if not gone(int(pid)):
            wait_until_gone(int(pid))
    shutil.rmtree(folder)  # nobody was left to do it


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_does_not_keep_the_worker_alive():
    """The child holds a copy of the pipe: the worker saw no end of its input while the child lived."""
    code = RENDER + textwrap.dedent(
        """
        import os, signal
        if os.fork() == 0:
            signal.pause()
            os._exit(0)
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT, start_new_session=True
    ) as process:
        try:
            _, pid, folder = process.stdout.readline().split()
            process.wait(30)
            if not gone(int(pid)):
                wait_until_gone(int(pid))
        finally:
            os.killpg(process.pid, signal.SIGKILL)
    shutil.rmtree(folder)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_the_sandbox_and_its_worker(number, tmp_path):
    """In the middle of a job, with the signal sent to the sandbox alone, as a service manager does."""
    environment = {**ENVIRONMENT, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-m", "ipyassets", "sandbox"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    ) as process:
        info = json.loads(process.stdout.readline())["vntana"]
        _order(info)
        (folder,) = tmp_path.glob("ipyassets-renders-*")
        workers = _children(process.pid)
        process.send_signal(number)
        assert process.wait(30) == 0
        assert process.stdout.read() == ""
    assert all(gone(pid) for pid in workers)
    assert not folder.exists()


def _order(info):
    with httpx.Client(base_url=info["admin_url"]) as client:
        login = {"email": info["email"], "password": info["password"]}
        token = client.post("/v1/auth/login", json=login).headers["x-auth-token"]
        scope = {"X-AUTH-TOKEN": f"Bearer {token}", "organizationUuid": info["organization_uuid"]}
        token = client.post("/v1/auth/refresh-token", headers=scope).headers["x-auth-token"]
        client.headers["X-AUTH-TOKEN"] = f"Bearer {token}"
        path = f"/v1/products/clients/{info['workspace_uuid']}/search"
        row = client.post(path, json={"page": 1, "size": 1}).json()["response"]["grid"][0]
        turntable = {"includeGif": False, "imageCount": 300, "frameRate": 30, "width": 256, "height": 256}
        order = {"productUuids": [row["uuid"]], "imageWidth": 256, "imageHeight": 256, "imageFormat": "PNG"}
        assert client.post("/v1/products/renders", json={**order, "turntable": turntable}).is_success


def _children(pid):
    path = Path(f"/proc/{pid}/task")
    if not path.exists():
        return []
    return [int(child) for task in path.iterdir() for child in (task / "children").read_text().split()]
