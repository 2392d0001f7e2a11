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
    {"Origin": "http://127.0.0.1:9"},  # a page of another server here, which asks for a WebSocket
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},  # another port of this machine: a page somebody else serves here
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1"},
    {"Sec-Fetch-Site": "whatever"},
]
OWN = [{}, {"Sec-Fetch-Site": "none"}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": "itself"}]
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
    said = {name: sandbox.origin if value == "itself" else value for name, value in headers.items()}
    assert asked(sandbox, "/scenario/v1/assets", said).status_code == 200


UPGRADE = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAA\r\n"
INNER = "GET /scenario/v1/assets HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
BODY = f"Content-Length: {len(INNER)}\r\n"
RAW = {
    "a WebSocket of another page": (f"GET /scenario/v1/assets HTTP/1.1\r\nORIGIN\r\n{UPGRADE}\r\n", 403),
    "a WebSocket of a page of another port": (
        f"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://127.0.0.1:9\r\n{UPGRADE}\r\n",
        403,
    ),
    "a request in a body": (f"POST /scenario/v1/assets HTTP/1.1\r\nORIGIN\r\n{BODY}\r\n{INNER}", 403),
    "a request in the body of a GET": (f"GET /nothing HTTP/1.1\r\nORIGIN\r\n{BODY}\r\n{INNER}", 403),
    "a request in a body, for another host": (f"POST / HTTP/1.1\r\nHost: evil.example\r\n{BODY}\r\n{INNER}", 400),
    "two lengths": (f"POST / HTTP/1.1\r\nORIGIN\r\nContent-Length: 0\r\n{BODY}\r\n{INNER}", 400),
    "a coding that nobody knows": (f"POST / HTTP/1.1\r\nORIGIN\r\nTransfer-Encoding: xchunked\r\n\r\n{INNER}", 400),
    "a blank before a colon": (f"POST / HTTP/1.1\r\nORIGIN\r\nTransfer-Encoding : chunked\r\n\r\n{INNER}", 400),
    "two hosts": ("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n", 400),
    "no host": ("GET / HTTP/1.0\r\n\r\n", 400),
    "a name before an at sign": ("GET / HTTP/1.1\r\nHost: 127.0.0.1:80@evil.example\r\n\r\n", 400),
    "an address of another host": (
        "GET http://127.0.0.1/scenario/v1/assets HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        400,
    ),
    "TLS": ("\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n", 400),
}


@pytest.mark.parametrize("case", RAW)
def test_a_refused_request_hides_no_other_and_is_no_news(
    sandbox: Sandbox, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A WebSocket of a page of another port was let in, and each try of any page wrote two lines into the notebook."""
    sent, status = RAW[case]
    asked = sent.replace("ORIGIN", "Host: 127.0.0.1\r\nOrigin: http://evil.example").encode("latin-1")
    with socket.create_connection(("127.0.0.1", int(sandbox.origin.rpartition(":")[2])), timeout=10) as connection:
        connection.sendall(asked)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as file:
            answer = file.read()
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert answer.count(b"HTTP/1.1 ") == 1
    assert not sandbox.faults.log, "a service saw it"
    assert not caplog.records


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
