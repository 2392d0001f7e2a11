"""The way by a proxy that the environment names."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import Any

import pytest

from ipyassets import errors
from ipyassets.http import loop, transport
from ipyassets.http.messages import Call
from tests.http.conftest import Server, answer
from tests.http.scripted import certified, heard, serving, until
from tests.http.test_client import QUICK, client, send, shown

SIGNED = "/a%2Fb%2f/c;d?Policy=x~y_-&sig=%24%2F%3D&empty="


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_a_plain_request_is_given_to_the_proxy_with_its_whole_url(
    server: Server, other_server: Server, monkeypatch: pytest.MonkeyPatch
):
    """The proxy was given the path alone, as if it were the server: no plain request came through any proxy."""
    monkeypatch.setenv("http_proxy", other_server.url)
    other_server.handler = lambda _: answer(b'"by proxy"')
    assert send(f"http://assets.example{SIGNED}").json() == "by proxy"
    assert send(f"http://assets.example:8080{SIGNED}", "POST", json={"q": 1}).json() == "by proxy"
    assert server.requests == []
    first, second = other_server.requests
    assert (first.target, first.headers["host"]) == (f"http://assets.example{SIGNED}", "assets.example")
    assert (second.target, second.headers["host"]) == (f"http://assets.example:8080{SIGNED}", "assets.example:8080")
    assert second.body == b'{"q":1}'
    assert second.headers["content-type"] == "application/json"


@pytest.mark.parametrize("exception", ["127.0.0.1", "127.0.0.1:{port}", "*", "other.example, 127.0.0.1"])
def test_exceptions_are_asked_without_the_proxy(
    server: Server, other_server: Server, monkeypatch: pytest.MonkeyPatch, exception: str
):
    """An exception that names a port was not seen."""
    monkeypatch.setenv("http_proxy", other_server.url)
    monkeypatch.setenv("no_proxy", exception.format(port=server.port))
    send(f"{server.url}{SIGNED}")
    assert [request.target for request in server.requests] == [SIGNED]
    assert other_server.requests == []


def test_the_proxy_for_all_serves_where_none_else_is_named(other_server: Server, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("all_proxy", other_server.url.removeprefix("http://"))
    send("http://assets.example/x")
    assert other_server.requests[0].target == "http://assets.example/x"


async def test_over_tls_the_proxy_sees_the_host_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """It was asked to connect to the signed path, in place of the host: no request over TLS came through any proxy, and
    each told the proxy what only the service should see."""
    theirs, ours = certified(tmp_path, "localhost")
    monkeypatch.setattr(transport, "_tls_context", ours)
    seen: list[bytes] = []
    asked: list[bytes] = []

    async def origin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await heard(reader):
            asked.append(request)
            writer.write(answer(b'"there"'))

    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await heard(reader))
        there = await asyncio.open_connection("127.0.0.1", place.port)
        writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        async with asyncio.TaskGroup() as both:
            both.create_task(_pumped(reader, there[1]))
            both.create_task(_pumped(there[0], writer))
        await there[1].wait_closed()

    async with serving(origin, tls=theirs) as place, serving(tunnel) as proxy:
        monkeypatch.setenv("https_proxy", f"http://user:canary@127.0.0.1:{proxy.port}")
        http = client(QUICK)

        async def twice() -> list[Any]:
            url = f"https://localhost:{place.port}{SIGNED}"
            got = [await http.send(Call("GET", url, headers={"X-Key": "k"})) for _ in range(2)]
            await http.close()
            return got

        assert [one.json() for one in await loop.awaiting(twice())] == ["there"] * 2
    assert seen[0].startswith(f"CONNECT localhost:{place.port} HTTP/1.1\r\n".encode())
    assert b"Proxy-Authorization: Basic " in seen[0]
    assert len(seen) == 1
    assert b"sig=" not in seen[0]
    assert b"X-Key" not in seen[0]
    for request in asked:
        assert request.startswith(f"GET {SIGNED} HTTP/1.1\r\n".encode())
        assert b"X-Key: k" in request
        assert b"Proxy-" not in request


async def _pumped(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


def test_what_httpcore_logs_of_answers_names_no_token(
    other_server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """At DEBUG httpcore logged the headers of answers: by a proxy each new token and signed URL came to the log."""
    monkeypatch.setenv("http_proxy", other_server.url)
    headers = {"X_AUTH_TOKEN": "canary-1", "Location": "http://assets.example/x?Signature=canary-2"}
    answers = iter([answer(b"", 302, **headers), answer(b'"here"', 200, **headers)])
    other_server.handler = lambda _: next(answers)
    with caplog.at_level(logging.DEBUG):
        assert send("http://assets.example/y").json() == "here"
    said = [f"{record.getMessage()} {record.args}" for record in caplog.records if record.name.startswith("httpcore")]
    assert any("receive_response_headers.complete" in line for line in said)
    assert not [line for line in said if "canary" in line]
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("httpcore.http11").debug("of somebody %s", "else")
    assert "of somebody else" in caplog.messages


def test_a_proxy_that_refuses_is_said(other_server: Server, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("https_proxy", other_server.url.replace("http://", "http://user:canary-1@"))
    other_server.handler = lambda _: answer(b"", 407)
    with pytest.raises(errors.ServiceUnavailable, match="proxy refused") as caught:
        send("https://assets.example/x?Signature=canary-2")
    assert "canary" not in shown(caught.value)


def test_a_proxy_that_is_not_there_is_no_connection(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with pytest.raises(errors.ServiceUnavailable, match="no connection"):
        send("http://assets.example/x")


@pytest.mark.parametrize("named", ["ftp://user:canary@proxy.example", "http://user:canary@[bad:port"])
def test_a_proxy_that_cannot_be_used_is_an_invalid_request(monkeypatch: pytest.MonkeyPatch, named: str):
    """It ended in a ValueError of httpx, with the proxy's password among the local variables."""
    monkeypatch.setenv("http_proxy", named)
    with pytest.raises(errors.InvalidRequest, match="http_proxy") as caught:
        send("http://assets.example/x")
    assert "canary" not in shown(caught.value)


def test_a_header_that_would_be_another_is_not_sent_by_a_proxy_either(
    other_server: Server, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("http_proxy", other_server.url)
    with pytest.raises(errors.InvalidRequest):
        send("http://assets.example/x", headers={"X-Note": "a\r\nX-Evil: 1"})
    assert other_server.requests == []


def test_a_client_closed_with_requests_waiting_asks_the_proxy_nothing_more(
    other_server: Server, monkeypatch: pytest.MonkeyPatch
):
    """Who waited for one of the places at a host made a new way by the proxy, which nobody would close."""
    monkeypatch.setenv("http_proxy", other_server.url)

    async def held(_: Any) -> bytes:
        await asyncio.Event().wait()
        return b""

    other_server.handler = held

    async def go() -> list[Any]:
        http = client(concurrency=1)
        waiting = [asyncio.create_task(http.send(Call("GET", f"http://assets.example/{n}"))) for n in range(3)]
        await until(lambda: other_server.requests)
        await http.close()
        waiting[0].cancel()
        return await asyncio.gather(*waiting, return_exceptions=True)

    assert [type(result) for result in loop.run(go())][1:] == [errors.InvalidRequest] * 2
    assert len(other_server.requests) == 1
