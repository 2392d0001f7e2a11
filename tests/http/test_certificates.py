"""Whom we trust with credentials: servers whose certificate is good, and nothing about that can be switched off."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import ipyassets as ia
from ipyassets.errors import BadResponse, InvalidRequest, ServiceUnavailable
from ipyassets.http import loop, transport
from ipyassets.http.remote import SignedFile
from ipyassets.http.secret import Secret
from tests.http.conftest import Server, answer
from tests.http.scripted import certified, serving
from tests.http.test_client import client, send

REFUSED = "certificate is not to be trusted.*Nothing was sent.*SSL_CERT_FILE.*cannot be switched off"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def stranger(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A TLS server on localhost that made its certificate itself; it would answer anything well."""
    monkeypatch.setattr(transport, "_tls_context", None)
    made = Server(certified(folder, "localhost")[0])
    made._loop.set_exception_handler(lambda *_: None)  # of handshakes that break off
    made.handler = lambda _: answer(b'{"success": true, "response": {}}')
    yield made
    made.stop()


def signed(url: str) -> None:
    async def never() -> Secret:
        raise AssertionError("a refused certificate is no reason for a new URL")

    http = client()
    file = SignedFile(http, never, what="the film", first=Secret(f"{url}/file?Signature=canary"))
    try:
        loop.run(file.read(0, 10))
    finally:
        loop.run(http.close())


def poster(url: str) -> None:
    with ia.Vntana("key", organization="a" * 8, workspace="b" * 8, base_url=url) as vntana:
        uuid = "00000000-0000-4000-8000-000000000000"
        vntana.poster(uuid, uuid, uuid)


def using(make: Callable[[str], Any], work: Callable[[Any], Any]) -> Callable[[str], None]:
    def run(url: str) -> None:
        with make(url) as made:
            work(made)

    return run


ASKED: dict[str, Callable[[str], Any]] = {
    "VNTANA": using(lambda url: ia.Vntana("key", base_url=url), lambda made: made.workspaces()),
    "VNTANA public": using(lambda url: ia.VntanaPublic("org", "work", base_url=url), lambda made: made.search()[0]),
    "iTwin": using(lambda url: ia.ITwin("token", itwin="x", base_url=url), lambda made: made.workspaces()),
    "iTwin's login": using(
        lambda url: ia.ITwin(client_id="me", client_secret="secret", token_url=f"{url}/token"),
        lambda made: made.workspaces(),
    ),
    "Scenario": using(lambda url: ia.Scenario("key", "secret", base_url=url), lambda made: made.search()[0]),
    "a poster": poster,
    "webhooks": using(lambda url: ia.Vntana("key", base_url=url), lambda made: made.webhooks.list()),
    "a signed URL": signed,
}


@pytest.mark.parametrize("asked", ASKED)
def test_a_server_that_nobody_vouches_for_gets_nothing(stranger: Server, asked: str) -> None:
    """It was said that there was no connection, after four of them; now what is wrong is named, at once."""
    with pytest.raises(ServiceUnavailable, match=REFUSED) as caught:
        ASKED[asked](stranger.url)
    assert "canary" not in str(caught.value)
    assert not stranger.requests


SWITCHES = {
    "PYTHONHTTPSVERIFY": "0",
    "CURL_CA_BUNDLE": "",
    "REQUESTS_CA_BUNDLE": "",
    "SSL_CERT_FILE": "",
    "SSL_CERT_DIR": "",
    "SSL_NO_VERIFY": "1",
    "GIT_SSL_NO_VERIFY": "1",
    "NODE_TLS_REJECT_UNAUTHORIZED": "0",
}


LAX = ("_create_default_https_context", "create_default_context")
"""What notebooks are told on the web to put ssl._create_unverified_context in the place of."""


@pytest.mark.parametrize("switch", [*SWITCHES, *LAX])
def test_nothing_that_switches_checks_off_elsewhere_does_so_here(
    stranger: Server, monkeypatch: pytest.MonkeyPatch, switch: str
) -> None:
    """With ssl.create_default_context replaced, httpx's context, which it makes, asked for no certificate."""
    if switch in SWITCHES:
        monkeypatch.setenv(switch, SWITCHES[switch])
    else:
        monkeypatch.setattr(ssl, switch, ssl._create_unverified_context)
    with pytest.raises(ServiceUnavailable, match=REFUSED):
        send(f"{stranger.url}/x")
    assert not stranger.requests
    context = transport._tls()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_no_argument_of_a_client_is_about_certificates() -> None:
    for kind in (ia.Vntana, ia.VntanaPublic, ia.ITwin, ia.Scenario):
        with pytest.raises(TypeError, match="verify"):
            kind(verify=False)  # type: ignore[call-arg]


def test_an_organisations_own_authority_is_named_in_the_environment(
    stranger: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "both.pem"))
    assert send(f"{stranger.url}/x").status == 200
    assert len(stranger.requests) == 1


def test_nobody_is_led_from_https_to_http(
    stranger: Server, server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even to the same machine, and without credentials: what came could be anybody's."""
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "both.pem"))
    stranger.handler = lambda _: answer(b"", 302, location=f"{server.url}/there")
    with pytest.raises(BadResponse, match="unsafe place"):
        send(f"{stranger.url}/x")
    assert not server.requests


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_certificates_that_cannot_be_read(
    stranger: Server, folder: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    """A wrong SSL_CERT_FILE was a bare FileNotFoundError, or an SSLError, that named no variable."""
    file = folder / "authority.pem"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with pytest.raises(InvalidRequest, match=r"SSL_CERT_FILE.*cannot be read"):
        send(f"{stranger.url}/x")
    assert not stranger.requests


async def test_the_way_by_a_proxy_checks_too(stranger: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A CONNECT proxy hands the bytes on; what it leads to has to prove itself all the same."""

    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        there, away = await asyncio.open_connection("127.0.0.1", stranger.port)

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(65536):
                sink.write(data)
            sink.close()

        try:
            await asyncio.gather(pump(reader, away), pump(there, writer), return_exceptions=True)
        finally:
            away.close()
            await asyncio.gather(away.wait_closed(), return_exceptions=True)

    async with serving(tunnel) as proxy:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("no_proxy", "")
        with pytest.raises(ServiceUnavailable):
            await asyncio.to_thread(send, f"{stranger.url}/x")
    assert not stranger.requests
