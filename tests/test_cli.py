"""The commands, as processes of their own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from jupyter_client.blocking import BlockingKernelClient

import ipyassets
from ipyassets.cli import main
from ipyassets.sandbox.fault_text import EXAMPLES, HELP, fault_arguments
from ipyassets.sandbox.faults import KINDS
from tests.processes import MARK, free_port, left_behind, private_environment, wait_for

KEYS = {
    "vntana": {
        *("admin_url", "public_url", "email", "password", "personal_access_token"),
        *("organization_uuid", "organization_slug", "workspace_uuid", "workspace_slug"),
    },
    "itwin": {"base_url", "token", "client_id", "client_secret", "token_url", "itwin_id"},
    "scenario": {"base_url", "api_key", "api_secret"},
}

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return private_environment(tmp_path)


@pytest.fixture
def start(tmp_path: Path, environment: dict[str, str]) -> Iterator[Start]:
    """Starts ``ipyassets`` with arguments; at the end nothing of it may be left."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        with (tmp_path / "stderr.log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "ipyassets", *arguments],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=environment,
                cwd=tmp_path,
            )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()  # not read to its end: what a killed process has started holds it open
    assert left_behind(environment[MARK]) == []


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"ipyassets {ipyassets.__version__}\n"


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [("--port", "70000", "0 to 65535"), ("--port", "x", "0 to 65535"), ("--assets", "-3", "0 or more")],
)
def test_impossible_numbers_are_refused(
    capsys: pytest.CaptureFixture[str], option: str, value: str, words: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["sandbox", option, value])
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


def test_a_port_that_is_taken_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """It was a traceback of the socket module."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["sandbox", "--port", str(port)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert f"port {port}" in said.err
    assert said.err.count("\n") == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals to send")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: signal.Signals(number).name)
def test_sandbox_prints_one_line_and_stops(start: Start, number: signal.Signals) -> None:
    """Programs in other languages read the line and then talk to the services: nothing else may come on stdout."""
    process = start("sandbox")
    assert process.stdout is not None
    line = json.loads(process.stdout.readline())
    assert {name: set(service) for name, service in line.items()} == KEYS
    request = urllib.request.Request(
        f"{line['itwin']['base_url']}/itwins",
        headers={
            "Authorization": f"Bearer {line['itwin']['token']}",
            "Accept": "application/vnd.bentley.itwin-platform.v1+json",
        },
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert json.load(answer)["iTwins"]
    process.send_signal(number)
    rest, _ = process.communicate(timeout=20)
    assert rest == ""
    assert process.returncode == 0


def test_sandbox_takes_the_port_it_is_given(start: Start) -> None:
    port = free_port()
    process = start("sandbox", "--port", str(port))
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["scenario"]["base_url"] == f"http://127.0.0.1:{port}/scenario/v1"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to send")
def test_lab_serves_notebooks_connected_to_its_sandbox(
    start: Start, environment: dict[str, str], tmp_path: Path
) -> None:
    """The first thing a new user runs: JupyterLab, our notebooks, and a kernel that finds the sandbox."""
    environment["JUPYTER_TOKEN"] = "a-token-for-this-test"
    port = free_port()
    process = start("lab", "--no-browser", "--port", str(port), "--notebooks", str(tmp_path / "mine"))

    def request(path: str, method: str = "GET") -> dict:
        headers = {"Authorization": "token a-token-for-this-test"}
        request = urllib.request.Request(f"http://127.0.0.1:{port}/api/{path}", method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def answers() -> bool:
        assert process.poll() is None, (tmp_path / "stderr.log").read_text()
        try:
            request("status")
        except OSError:
            return False
        return True

    wait_for(answers, 60, "JupyterLab")
    served = {entry["name"] for entry in request("contents")["content"]}
    assert {"01-explore.ipynb", "02-imodel-thumbnails.ipynb"} <= served

    kernel = request("kernels", "POST")["id"]
    client = BlockingKernelClient(
        connection_file=str(Path(environment["JUPYTER_RUNTIME_DIR"]) / f"kernel-{kernel}.json")
    )
    client.load_connection_file()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        code = "import ipyassets; services = ipyassets.connect()"
        found = "[service.search()[0].service for service in services.values()]"
        reply = client.execute(code, user_expressions={"found": found}, reply=True, timeout=60)["content"]
    finally:
        client.stop_channels()
    assert reply["user_expressions"]["found"]["data"]["text/plain"] == "['vntana', 'itwin', 'scenario']"

    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


@pytest.mark.parametrize("command", [[], ["lab"], ["sandbox"]], ids=repr)
def test_help_is_plain_text(capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    """It showed the markup of a docstring: double backquotes."""
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert "usage: ipyassets" in shown
    assert "`" not in shown


def test_faults_of_the_command_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[dict[str, Any]] = []
    monkeypatch.setattr("ipyassets.sandbox.serve", lambda **given: served.append(given))
    line = "/thumbnails/ status status=429 retry-after=2 rate=0.5"
    assert main(["sandbox", "--fault", line, "--fault", "/ slow seconds=0.1 count=3", "--seed", "7"]) == 0
    (given,) = served
    assert given["seed"] == 7
    assert [fault["kind"] for fault in given["faults"]] == ["status", "slow"]
    assert [fault["count"] for fault in given["faults"]] == [None, 3]
    assert main(["sandbox", "--fault", "/ explosion"]) == 2
    assert "unknown kind of fault" in capsys.readouterr().err
    assert main(["sandbox", "--fault", "help"]) == 0
    assert "truncated" in capsys.readouterr().out
    assert len(served) == 1


def test_lab_takes_no_folder_that_another_user_made_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In /tmp anybody can make the folder of notebooks beforehand, and change what is in it afterwards."""
    folder = tmp_path / "ipyassets-notebooks"
    folder.mkdir()
    tmp_path.chmod(0o777)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "getuid", lambda: folder.stat().st_uid + 1)
    assert main(["lab", "--no-browser"]) == 1
    assert "belongs to another user" in capsys.readouterr().err
    assert list(folder.iterdir()) == []


def test_lab_runs_no_module_that_lies_in_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``python -m jupyterlab`` takes a json.py of the folder one is in, such as that of downloads, for Python's own."""
    (tmp_path / "json.py").write_text("raise SystemExit('planted')")
    commands: list[list[str]] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ipyassets.cli.subprocess.Popen", lambda command, **_: commands.append(command))
    monkeypatch.setattr("ipyassets.cli._wait", lambda _: 0)
    sandbox = SimpleNamespace(origin="http://127.0.0.1:1", environment=dict)
    monkeypatch.setattr("ipyassets.sandbox.Sandbox", lambda **_: contextlib.nullcontext(sandbox))
    assert main(["lab", "--no-browser"]) == 0
    (command,) = commands
    monkeypatch.undo()
    ran = subprocess.run(
        [*command[: command.index("jupyterlab") + 1], "--version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def test_every_kind_of_fault_is_told_of() -> None:
    """In the help and in the docs, with an example that can be given as it stands."""
    assert tuple(EXAMPLES) == KINDS
    page = (Path(ipyassets.__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
    for kind, (text, what) in EXAMPLES.items():
        assert fault_arguments(text)["kind"] == kind
        assert text in HELP
        assert f"| `{kind}` | {what} | `--fault '{text}'` |" in page


def test_every_kind_of_fault_strikes_from_the_command_line(start: Start) -> None:
    """One sandbox with all of them: each request names the one that is to strike it."""
    more = {
        "status": "status=429 retry-after=2",
        "redirect": "location=http://localhost:9/",
        "slow": "seconds=0.01",
        "trickle": "seconds=0.1",
        "stall": "seconds=0.01",
        "wrong_content": "body=nonsense",
        "length": "after=40",
        "drift": "change=added",
    }
    faults = [argument for kind in KINDS for argument in ("--fault", f"[?&]k={kind}$ {kind} {more.get(kind, '')}")]
    process = start("sandbox", *faults)
    assert process.stdout is not None
    itwin = json.loads(process.stdout.readline())["itwin"]
    login = {name: itwin[name] for name in ("client_id", "client_secret")}
    login |= {"grant_type": "client_credentials", "scope": "itwin-platform"}
    token = httpx.post(itwin["token_url"], data=login).json()["access_token"]  # one that ends, unlike the one printed
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}) as client:
        models = f"{itwin['base_url']}/imodels?iTwinId={itwin['itwin_id']}&$top=5"
        true = client.get(models).json()
        model = f"{itwin['base_url']}/imodels/{true['iModels'][0]['id']}"
        picture = f"{model}/thumbnail?size=small"
        seen = client.get(picture).content

        def ask(kind: str, url: str = models) -> httpx.Response:
            return client.get(f"{url}&k={kind}")

        assert (ask("status").status_code, ask("status").headers["retry-after"]) == (429, "2")
        assert ask("html").text.startswith("<!DOCTYPE html>")
        assert ask("redirect").headers["location"] == "http://localhost:9/"
        assert ask("loop").headers["location"].endswith("k=loop")
        for kind in ("slow", "trickle"):
            assert ask(kind).json() == true
        for kind in ("reset", "cut", "stall", "length"):
            with pytest.raises(httpx.TransportError):
                ask(kind)
        assert ask("wrong_content").text == "nonsense"
        assert ask("empty").content == b""
        assert isinstance(ask("shape").json()["iModels"], dict)
        assert "xUnheardOf" in ask("extra").json()["iModels"][0]
        assert set(ask("missing").json()["iModels"][0]) == {"id"}
        assert "SOMETHING_NEW" in ask("unknown", f"{model}?").text
        assert len(ask("duplicate").json()["iModels"]) == 6
        assert ask("drift").json() == true, "its first page is as it was"
        assert len(ask("drift").json()["iModels"]) == 6
        assert [ask(kind).status_code for kind in ("clock", "revoked")] == [401, 401]
        assert ask("wrong_type", picture).content.startswith(b"<svg")
        assert len(ask("truncated", picture).content) < len(seen)
        corrupt = ask("corrupt", picture).content
        assert len(corrupt) == len(seen)
        assert corrupt != seen
        assert ask("giant", picture).content[:24] != seen[:24]
