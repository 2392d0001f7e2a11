"""A sandbox answers this machine's programs alone: no other machine, and no page of the web in a browser here."""

from __future__ import annotations

import socket

import httpx
import pytest

from ipyassets.sandbox import Sandbox

FOREIGN = [
    {"Host": "evil.example"},
    {"Host": "127.0.0.1.evil.example"},
    {"Host": "localhost.evil.example"},
    {"Host": "2130706433"},
    {"Host": ""},
    {"Origin": "https://evil.example"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "null"},
    {"Origin": "http://[bad"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},  # another port of this machine: a page somebody else serves here
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1"},
    {"Sec-Fetch-Site": "whatever"},
]
OWN = [{}, {"Sec-Fetch-Site": "none"}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://127.0.0.1"}]
PATHS = ["/scenario/v1/assets", "/itwin/itwins", "/vntana/admin/v1/organizations", "/vntana/storage/x", "/nothing"]


def asked(sandbox: Sandbox, path: str, headers: dict[str, str], method: str = "GET") -> httpx.Response:
    info = sandbox.connection_info()["scenario"]
    return httpx.request(method, f"{sandbox.origin}{path}", headers=headers, auth=(info["api_key"], info["api_secret"]))


@pytest.mark.parametrize("headers", FOREIGN, ids=repr)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_no_page_of_the_web_is_answered(sandbox: Sandbox, headers: dict[str, str], method: str) -> None:
    """A page that was shown in a browser on this machine could send requests here; only its name was looked at."""
    for path in PATHS:
        refused = asked(sandbox, path, headers, method)
        assert refused.status_code in (400, 403)
        assert not [name for name in refused.headers if name.startswith("access-control")]
    assert not sandbox.faults.log, "a service saw it"


@pytest.mark.parametrize("headers", OWN, ids=repr)
def test_programs_and_the_address_bar_are(sandbox: Sandbox, headers: dict[str, str]) -> None:
    assert asked(sandbox, "/scenario/v1/assets", headers).status_code == 200


def test_it_listens_on_this_machine_alone(sandbox: Sandbox) -> None:
    assert sandbox._runner is not None
    assert sandbox._runner.listener.getsockname()[0] == "127.0.0.1"
    port = int(sandbox.origin.rpartition(":")[2])
    for other in {found[4][0] for found in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}:
        if not str(other).startswith("127."):
            with pytest.raises(OSError), socket.create_connection((other, port), timeout=2):
                pass
    for host in ("0.0.0.0", "::", "::1", "example.com", "192.168.0.1", ""):
        with pytest.raises(ValueError, match="this machine alone"):
            Sandbox(host=host)
