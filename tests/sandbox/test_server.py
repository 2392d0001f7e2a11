"""The sandbox as a server: starting, stopping, who may come in, and how it is found."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

import ipyassets
from ipyassets.sandbox import Sandbox, Settings

SOURCE = str(Path(ipyassets.__file__).parents[1])
ENVIRONMENT = {**os.environ, "PYTHONPATH": SOURCE, "PYTHONWARNINGS": "error"}

INFO = {
    "vntana": [
        "admin_url", "public_url", "email", "password", "personal_access_token", "organization_uuid",
        "organization_slug", "workspace_uuid", "workspace_slug",
    ],
    "itwin": ["base_url", "token", "client_id", "client_secret", "token_url", "itwin_id"],
    "scenario": ["base_url", "api_key", "api_secret"],
}  # fmt: skip


def python(*arguments: str, **keywords) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=60, env=ENVIRONMENT, **keywords
    )


def test_start_stop_and_start_again():
    sandbox = Sandbox()
    assert repr(sandbox) == "<Sandbox, not running>"
    with pytest.raises(RuntimeError, match="not running"):
        _ = sandbox.origin
    assert sandbox.start() is sandbox
    origin = sandbox.origin
    assert sandbox.start().origin == origin
    assert httpx.get(f"{origin}/vntana/admin/v1/organizations").status_code == 403
    sandbox.stop()
    sandbox.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(origin)
    with sandbox as again:
        assert httpx.get(f"{again.origin}/vntana/admin/v1/organizations").status_code == 403


def test_no_thread_is_left():
    before = set(threading.enumerate())
    with Sandbox():
        assert {thread.name for thread in set(threading.enumerate()) - before} >= {"ipyassets-sandbox"}
    left = [thread.name for thread in set(threading.enumerate()) - before if thread.is_alive()]
    assert "ipyassets-sandbox" not in left


def test_two_sandboxes_have_their_own_port_and_secrets():
    with Sandbox() as one, Sandbox() as other:
        assert one.origin != other.origin
        a, b = one.connection_info(), other.connection_info()
        assert a["vntana"]["personal_access_token"] != b["vntana"]["personal_access_token"]
        assert a["scenario"]["api_secret"] != b["scenario"]["api_secret"]
        assert a["vntana"]["workspace_uuid"] == b["vntana"]["workspace_uuid"]


def test_a_port_of_ones_own_and_one_that_is_taken():
    with Sandbox() as first:
        port = int(first.origin.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            Sandbox(port=port).start()
    with Sandbox(port=port) as second:
        assert second.origin == f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "example.com", "", "::"])
def test_only_loopback_addresses(host):
    with pytest.raises(ValueError, match="this machine alone"):
        Sandbox(host=host)


def test_localhost_is_the_loopback_address():
    with Sandbox(host="localhost") as sandbox:
        assert sandbox.origin.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "192.168.1.7"])
def test_a_foreign_host_is_refused(host):
    """A web page that points a name of its own at 127.0.0.1 must not reach the services (DNS rebinding)."""
    with Sandbox() as sandbox:
        path = f"{sandbox.origin}/vntana/admin/v1/organizations"
        assert httpx.get(path, headers={"Host": host}).status_code == 400
        assert httpx.get(path, headers={"Host": "localhost:1234"}).status_code == 403
        assert "access-control-allow-origin" not in httpx.get(path, headers={"Origin": "http://evil.example"}).headers


def test_all_three_services_answer():
    with Sandbox() as sandbox, httpx.Client() as client:
        info = sandbox.connection_info()
        assert {name: list(service) for name, service in info.items()} == INFO
        itwin, scenario = info["itwin"], info["scenario"]
        token = {
            "Authorization": f"Bearer {itwin['token']}",
            "Accept": "application/vnd.bentley.itwin-platform.v2+json",
        }
        assert client.get(f"{itwin['base_url']}/imodels?iTwinId={itwin['itwin_id']}", headers=token).status_code == 200
        basic = (scenario["api_key"], scenario["api_secret"])
        assert scenario["base_url"].endswith("/v1")
        assert client.get(f"{scenario['base_url']}/assets", auth=basic).status_code == 200
        assert client.get(f"{scenario['base_url']}/assets").status_code == 401
        login = {"personal-access-token": info["vntana"]["personal_access_token"]}
        assert client.post(f"{info['vntana']['admin_url']}/v1/auth/login/token", json=login).status_code == 200


def test_environment_points_at_this_sandbox():
    with Sandbox() as sandbox:
        found = sandbox.environment()
        urls = [value for name, value in found.items() if name.endswith("_URL")]
        assert len(urls) == 5
        assert all(url.startswith(sandbox.origin) for url in urls)
        assert {name.partition("_")[0] for name in found} == {"VNTANA", "ITWIN", "SCENARIO"}
        assert all(isinstance(value, str) and value for value in found.values())


def test_settings_are_a_copy_and_assets_grow_every_catalogue():
    settings = Settings(vntana_max_page_size=7)
    with Sandbox(assets=1_000, settings=settings) as sandbox:
        sandbox.settings.latency = 0.0
        assert settings.assets is None
        assert sandbox.world.settings is sandbox.settings
        assert sandbox.settings.vntana_max_page_size == 7
        url = sandbox.connection_info()["vntana"]["public_url"]
        place = "products/organizations/northlight-home/clients/showroom"
        found = httpx.post(f"{url}/{place}", json={"page": 1, "size": 5}).json()["response"]
        assert 900 < found["totalCount"] <= 1_000


def test_answers_are_sent_without_waiting_for_acknowledgements():
    """Nagle's algorithm held every answer back for 40 ms: asyncio leaves it on for sockets made without a protocol."""
    with Sandbox() as sandbox, httpx.Client() as client:
        client.get(f"{sandbox.origin}/vntana/admin/")
        (connection,) = sandbox._runner._server.server_state.connections
        option = connection.transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert option != 0


def test_stopping_does_not_wait_for_a_stalled_answer():
    sandbox = Sandbox().start()
    sandbox.faults.add("/", kind="stall", after=5)
    with httpx.stream("GET", f"{sandbox.origin}/vntana/admin/v1/organizations", timeout=30) as response:
        chunks = response.iter_raw()
        assert len(next(chunks)) == 5
        sandbox.stop()
        with pytest.raises(httpx.HTTPError):
            next(chunks)


BARE = """
from ipyassets.sandbox import Sandbox
import urllib.request, urllib.error
def ask(origin):
    try:
        urllib.request.urlopen(origin + "/vntana/admin/v1/organizations")
    except urllib.error.HTTPError as error:
        with error:
            return error.code
"""


@pytest.mark.parametrize("way", ["stdin", "-c", "file"])
def test_in_a_bare_script(way, tmp_path):
    script = f"{BARE}\nwith Sandbox() as sandbox:\n    print(ask(sandbox.origin))\n"
    if way == "stdin":
        done = python("-", input=script)
    elif way == "-c":
        done = python("-c", script)
    else:
        file = tmp_path / "script.py"
        file.write_text(script)
        done = python(str(file))
    assert (done.returncode, done.stdout, done.stderr) == (0, "403\n", "")


def test_a_script_that_never_stops_its_sandbox_still_ends():
    done = python("-c", f"{BARE}\nsandbox = Sandbox().start()\nprint(ask(sandbox.origin))")
    assert (done.returncode, done.stdout, done.stderr) == (0, "403\n", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_leaves_the_parents_sandbox_alone():
    """A child that kept the listening socket would hold the port after the parent's stop, and answer nobody."""
    done = python(
        "-c",
        f"""{BARE}
import os, socket
sandbox = Sandbox().start()
origin = sandbox.origin
read, write = os.pipe()
child = os.fork()
if not child:
    os.close(write)
    running = sandbox.running
    sandbox.stop()
    os.read(read, 1)
    with sandbox:
        os._exit(0 if not running and sandbox.origin != origin and ask(sandbox.origin) == 403 else 1)
os.close(read)
first = ask(origin)
sandbox.stop()
try:
    socket.create_connection(("127.0.0.1", int(origin.rpartition(":")[2])), timeout=5).close()
    refused = False
except ConnectionRefusedError:
    refused = True
os.close(write)
print(first, refused, os.waitpid(child, 0)[1])
""",
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "403 True 0\n", "")


def test_a_missing_extra_is_named():
    done = python(
        "-c",
        """
import sys
sys.modules["uvicorn"] = None
from ipyassets.sandbox import Sandbox
try:
    Sandbox()
except ImportError as error:
    print(error)
""",
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert 'pip install "ipyassets[sandbox]"' in done.stdout


def test_importing_the_package_needs_no_extra():
    done = python("-c", "import sys, ipyassets.sandbox; print({'uvicorn', 'starlette', 'numpy'} & set(sys.modules))")
    assert (done.returncode, done.stdout, done.stderr) == (0, "set()\n", "")


COMMAND = "from ipyassets.sandbox import serve; serve(assets=200)"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_the_command_prints_one_line_serves_and_ends_quietly(number):
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
        try:
            info = json.loads(process.stdout.readline())
            assert {name: list(service) for name, service in info.items()} == INFO
            login = {"email": info["vntana"]["email"], "password": info["vntana"]["password"]}
            assert httpx.post(f"{info['vntana']['admin_url']}/v1/auth/login", json=login).status_code == 200
            process.send_signal(number)
            rest, errors = process.communicate(timeout=30)
        finally:
            process.kill()
    assert (process.returncode, rest) == (0, "")
    assert "Ctrl-C stops it" in errors
    assert "Traceback" not in errors
    assert info["vntana"]["password"] not in errors


def test_the_command_whose_reader_is_gone_ends():
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [sys.executable, "-c", COMMAND], stdout=write, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
            timeout=60, check=False,
        )  # fmt: skip
    finally:
        os.close(write)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"assets": 1.5}, TypeError, "assets must be a whole number, 0 or more; got 1.5"),
        ({"assets": "x"}, TypeError, "assets must be a whole number, 0 or more; got 'x'"),
        ({"assets": True}, TypeError, "assets must be a whole number"),
        ({"assets": -1}, ValueError, "assets must be a whole number, 0 or more; got -1"),
        ({"settings": Settings(assets=-1)}, ValueError, "assets must be a whole number, 0 or more; got -1"),
        ({"port": "x"}, TypeError, "port must be a whole number, 0 to 65535; got 'x'"),
        ({"port": 99999}, ValueError, "port must be a whole number, 0 to 65535; got 99999"),
        ({"port": -1}, ValueError, "port must be a whole number, 0 to 65535; got -1"),
    ],
)
def test_impossible_arguments_are_refused_when_the_sandbox_is_made(arguments, error, words):
    """They were errors from the depths of the catalogue or the socket module, some only at the first request."""
    with pytest.raises(error, match=words):
        Sandbox(**arguments)


@pytest.mark.parametrize("path", ["/scenario/v1/jobs/%0A", "/itwin/imodels%0A", "/vntana/admin/v1/organizations%0A"])
def test_a_path_with_a_line_break_gets_the_services_own_answer(sandbox: Sandbox, path: str):
    """It was the server's own plain "Not Found", or the answer of the path without the break."""
    answer = httpx.get(f"{sandbox.origin}{path}")
    assert answer.status_code in (401, 404)
    assert answer.headers["content-type"] == "application/json"
    assert isinstance(answer.json(), dict)
