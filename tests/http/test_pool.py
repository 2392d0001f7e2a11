"""Connections over real sockets: kept, lost, cancelled, closed, and never mixed up."""

from __future__ import annotations

import asyncio
import gc
import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ipyassets import errors
from ipyassets.http import loop, transport, wire
from ipyassets.http.client import HttpClient
from ipyassets.http.head import WireError
from ipyassets.http.messages import Call
from ipyassets.http.pool import Pool
from tests.http.conftest import Server, answer
from tests.http.scripted import ask, certified, content, gone, heard, serving, until
from tests.http.test_client import QUICK, client, send, shown

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    made = Pool(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    yield made
    await made.aclose()
    assert not made._all


@pytest.fixture(scope="module", autouse=True)
def nothing_left_open() -> Iterator[None]:
    """A socket or a transport left open warns when it is collected, and warnings are errors."""
    yield
    gc.collect()


async def echo(reader: Reader, writer: Writer) -> None:
    """Answer each request with the number it has on this connection."""
    number = 0
    while await heard(reader):
        number += 1
        writer.write(answer(str(number).encode()))


async def deaf(reader: Reader, writer: Writer) -> None:
    await heard(reader)
    await gone(reader)


async def test_a_connection_is_kept_for_the_next_request(pool: Pool):
    async with serving(echo) as place:
        for number in (b"1", b"2", b"3"):
            assert await content(await ask(pool, place.origin())) == number
        assert place.connections == 1
        both = await asyncio.gather(ask(pool, place.origin()), ask(pool, place.origin()))
        assert [await content(one) for one in both] == [b"4", b"1"]
        assert place.connections == 2


async def test_an_idle_connection_that_the_server_closed_is_not_used(pool: Pool):
    closed = asyncio.Event()

    async def once(reader: Reader, writer: Writer) -> None:
        await heard(reader)
        writer.write(answer(b"1"))
        await closed.wait()

    async with serving(once, echo) as place:
        await content(await ask(pool, place.origin()))
        (kept,) = pool._all
        closed.set()
        await kept.lost
        assert await content(await ask(pool, place.origin(), method="POST", repeatable=False)) == b"1"
        assert place.connections == 2


@pytest.mark.parametrize(("method", "repeatable"), [("GET", True), ("POST", True), ("POST", False)])
async def test_a_kept_connection_that_the_server_closes_meanwhile(pool: Pool, method: str, *, repeatable: bool):
    taken: list[bytes] = []

    async def leaving(reader: Reader, writer: Writer) -> None:
        await heard(reader)
        writer.write(answer(b"first"))
        taken.append(await heard(reader))

    async def again(reader: Reader, writer: Writer) -> None:
        taken.append(await heard(reader))
        writer.write(answer(b"second"))
        await gone(reader)

    async with serving(leaving, again) as place:
        assert await content(await ask(pool, place.origin())) == b"first"
        if repeatable:
            got = await ask(pool, place.origin(), method=method, body="text", repeatable=True)
            assert await content(got) == b"second"
            assert len(taken) == 2
            assert taken[0] == taken[1] != b""
        else:
            with pytest.raises(WireError, match="hung up"):
                await ask(pool, place.origin(), method=method, body="text", repeatable=False)
            assert place.connections == 1
            assert len(taken) == 1


async def test_a_request_goes_out_again_only_once_and_on_a_new_connection(pool: Pool):
    """It was tried on each kept connection in turn: a request that makes a server hang up was sent many times."""
    heard_at_all = 0

    async def moody(reader: Reader, writer: Writer) -> None:
        nonlocal heard_at_all
        await heard(reader)
        writer.write(answer())
        if await heard(reader):
            heard_at_all += 1

    async def refusing(reader: Reader, writer: Writer) -> None:
        nonlocal heard_at_all
        if await heard(reader):
            heard_at_all += 1

    async with serving(moody, moody, moody, moody, refusing) as place:
        await asyncio.gather(*(ask(pool, place.origin()) for _ in range(4)))
        with pytest.raises(WireError, match="hung up"):
            await ask(pool, place.origin())
        assert heard_at_all == 2
        assert place.connections == 5


async def test_what_broke_off_in_the_middle_is_not_sent_again_here(pool: Pool):
    async def half(reader: Reader, writer: Writer) -> None:
        await heard(reader)
        writer.write(answer())
        await heard(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-")

    async with serving(half) as place:
        await ask(pool, place.origin())
        with pytest.raises(WireError, match="broken"):
            await ask(pool, place.origin())
        assert place.connections == 1


async def test_a_cancelled_request_takes_its_connection_with_it(pool: Pool):
    arrived, left = asyncio.Event(), asyncio.Event()

    async def late(reader: Reader, writer: Writer) -> None:
        await heard(reader)
        arrived.set()
        await gone(reader)
        left.set()

    async with serving(late, echo) as place:
        asked = asyncio.create_task(ask(pool, place.origin()))
        await arrived.wait()
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        await left.wait()
        assert await content(await ask(pool, place.origin())) == b"1"
        assert place.connections == 2


async def test_a_body_nobody_reads_to_its_end_takes_its_connection_with_it(pool: Pool):
    left = asyncio.Event()

    async def long(reader: Reader, writer: Writer) -> None:
        await heard(reader)
        writer.write(answer(b"x" * wire.WHOLE, length=1 << 40))
        await gone(reader)
        left.set()

    async with serving(long, echo) as place:
        got = await ask(pool, place.origin())
        assert await anext(got.pieces())
        got.close()
        await left.wait()
        assert await content(await ask(pool, place.origin())) == b"1"


async def test_a_server_is_held_back_by_a_slow_reader(pool: Pool):
    size, written = 64 << 20, 0

    async def lavish(reader: Reader, writer: Writer) -> None:
        nonlocal written
        await heard(reader)
        writer.write(answer(b"", length=size))
        while written < size:
            writer.write(bytes(1 << 16))
            written += 1 << 16
            await writer.drain()
        await gone(reader)

    async with serving(lavish) as place:
        got = await ask(pool, place.origin())
        (connection,) = pool._all
        await until(lambda: connection._paused)
        assert got._queued <= wire._QUEUED + wire._ROOM
        most, came = 0, 0
        async for piece in got.pieces():
            came += len(piece)
            most = max(most, got._queued)
        assert came == size
        assert most <= wire._QUEUED + wire._ROOM
        assert connection.usable


async def test_closing_leaves_nothing_open(pool: Pool):
    left = [asyncio.Event() for _ in range(3)]
    numbers = iter(left)

    async def noting(reader: Reader, writer: Writer) -> None:
        event = next(numbers)
        if event is left[0]:
            await echo(reader, writer)
        else:
            await deaf(reader, writer)
        event.set()

    async with serving(noting) as place:
        await content(await ask(pool, place.origin()))
        waiting = [asyncio.create_task(ask(pool, place.origin())) for _ in range(3)]
        await until(lambda: place.connections == len(pool._all) == 3)
        assert await content(await waiting[0]) == b"2"
        await pool.aclose()
        for one in waiting[1:]:
            with pytest.raises(WireError, match="hung up"):
                await one
        for event in left:
            await event.wait()
        assert not pool._all


async def test_a_closed_pool_opens_nothing(pool: Pool, monkeypatch: pytest.MonkeyPatch):
    """A request that was still connecting when its client was closed went on, and left a connection open for good."""
    running = asyncio.get_running_loop()
    began, go = asyncio.Event(), asyncio.Event()
    plain = running.create_connection

    async def slow(*args: Any, **options: Any) -> Any:
        made = await plain(*args, **options)
        began.set()
        await go.wait()
        return made

    monkeypatch.setattr(running, "create_connection", slow)
    async with serving(echo) as place:
        asked = asyncio.create_task(ask(pool, place.origin()))
        await began.wait()
        await pool.aclose()
        go.set()
        with pytest.raises(WireError, match="connect"):
            await asked
        with pytest.raises(WireError, match="connect"):
            await ask(pool, place.origin())
        assert place.connections <= 1


async def test_what_is_idle_for_long_is_closed(pool: Pool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ipyassets.http.pool._KEPT", 0.02)
    left = asyncio.Event()

    async def noting(reader: Reader, writer: Writer) -> None:
        await echo(reader, writer)
        left.set()

    async with serving(noting, echo) as place:
        await content(await ask(pool, place.origin()))
        await left.wait()
        assert await content(await ask(pool, place.origin())) == b"1"
        assert place.connections == 2


async def test_no_connection_is_made_in_time(pool: Pool, monkeypatch: pytest.MonkeyPatch):
    async def never(*_: Any, **__: Any) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", never)
    with pytest.raises(WireError, match="connect in time"):
        await ask(pool, ("http", "127.0.0.1", 9), connect=0.01)


@pytest.mark.parametrize("host", ["127.0.0.1", "a" * 64 + ".invalid"])
async def test_no_connection_can_be_made(pool: Pool, host: str):
    with pytest.raises(WireError) as caught:
        await ask(pool, ("http", host, 9))
    assert caught.value.trouble == "connect"


async def test_a_server_that_answers_before_it_has_heard_all_and_closes(pool: Pool):
    async def hasty(reader: Reader, writer: Writer) -> None:
        await heard(reader)
        writer.write(answer(b"too large", 413, close=True))

    async with serving(hasty) as place:
        got = await ask(pool, place.origin(), method="POST", body="x" * 100_000, repeatable=False)
        assert (got.status, await content(got)) == (413, b"too large")


# -- TLS ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    return certified(tmp_path_factory.mktemp("tls"), "localhost")


async def test_answers_of_all_lengths_over_tls(tls: tuple[ssl.SSLContext, ssl.SSLContext]):
    pool = Pool(tls[1])
    bodies = [
        bytes([n]) * size for n, size in enumerate([0, 1, 16384, wire._ROOM, wire.WHOLE, wire.WHOLE + 1, 5 << 20])
    ]

    async def served(reader: Reader, writer: Writer) -> None:
        for body in bodies:
            await heard(reader)
            writer.write(answer(body))
        await gone(reader)

    async with serving(served, tls=tls[0]) as place:
        for body in bodies:
            got = await content(await ask(pool, place.origin("https")))
            assert got == body
        assert place.connections == 1
        await pool.aclose()
        assert not pool._all


@pytest.mark.parametrize("said", [True, False], ids=["close_notify", "none"])
async def test_a_body_that_ends_with_a_tls_connection(tls: tuple[ssl.SSLContext, ssl.SSLContext], *, said: bool):
    """Without close_notify too, as with httpx and requests: many servers leave it out, and cut pictures are found."""
    pool = Pool(tls[1])

    async def ending(reader: Reader, writer: Writer) -> None:
        await heard(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 300_000)
        await writer.drain()
        if not said:
            await until(lambda: not writer.transport.get_write_buffer_size())
            writer.transport.abort()

    async with serving(ending, tls=tls[0]) as place:
        got = await content(await ask(pool, place.origin("https")))
        assert len(got) == 300_000
        await pool.aclose()


async def test_a_slow_reader_over_tls(tls: tuple[ssl.SSLContext, ssl.SSLContext]):
    pool = Pool(tls[1])
    size = 12 << 20

    async def lavish(reader: Reader, writer: Writer) -> None:
        await heard(reader)
        writer.write(answer(b"", length=size, close=True))
        for _ in range(size >> 16):
            writer.write(bytes(1 << 16))
            await writer.drain()

    async with serving(lavish, tls=tls[0]) as place:
        got = await ask(pool, place.origin("https"))
        (connection,) = pool._all
        await until(lambda: connection._paused)
        came = most = 0
        async for piece in got.pieces():
            came += len(piece)
            most = max(most, got._queued)
            await asyncio.sleep(0)
        assert came == size
        assert most <= wire._QUEUED + wire._ROOM
        await pool.aclose()


async def test_a_certificate_for_another_name_is_no_connection(
    tls: tuple[ssl.SSLContext, ssl.SSLContext], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    other = certified(tmp_path, "elsewhere.example")
    http = client(replace(QUICK, attempts=1))
    for context in (other[1], tls[1]):  # the right authority and a wrong name; an authority nobody knows
        monkeypatch.setattr(transport, "_tls_context", context)
        async with serving(echo, tls=other[0]) as place:
            with pytest.raises(errors.ServiceUnavailable, match="certificate is not to be trusted"):
                await loop.awaiting(_sent(http, f"https://localhost:{place.port}/"))
            http = client(replace(QUICK, attempts=1))


async def test_an_https_url_whose_server_speaks_plainly_is_no_connection(tls: tuple[ssl.SSLContext, ssl.SSLContext]):
    pool = Pool(tls[1])

    async def plain(reader: Reader, writer: Writer) -> None:
        await reader.read(1)
        writer.write(answer(b"", 400))

    async with serving(plain) as place:
        with pytest.raises(WireError) as caught:
            await ask(pool, place.origin("https"))
        assert caught.value.trouble == "connect"
    await pool.aclose()


async def _sent(http: HttpClient, url: str, **call: Any) -> Any:
    try:
        return await http.send(Call("GET", url, **call))
    finally:
        await http.close()


# -- as a client sees it --------------------------------------------------------------------------------------------


def test_an_ipv6_address(server: Server):
    async def over_ipv6() -> None:
        named: list[bytes] = []

        async def naming(reader: Reader, writer: Writer) -> None:
            named.append(await heard(reader))
            writer.write(answer(b'"there"'))

        try:
            serve = serving(naming, host="::1")
            place = await serve.__aenter__()
        except OSError:
            pytest.skip("no IPv6 here")
        try:
            got = await loop.awaiting(_sent(client(), f"http://[::1]:{place.port}/x"))
            assert got.json() == "there"
            assert f"Host: [::1]:{place.port}\r\n".encode() in named[0]
        finally:
            await serve.__aexit__(None, None, None)

    asyncio.run(over_ipv6())


@pytest.mark.parametrize("wrong", ["canary\r\nX-Evil: 1", "canary\n", "canary\0", "canäry"], ids=ascii)
@pytest.mark.parametrize("where", ["name", "value"])
def test_a_header_that_would_be_another_is_not_sent(server: Server, wrong: str, where: str):
    headers = {wrong: "x"} if where == "name" else {"X-Note": wrong}
    with pytest.raises(errors.InvalidRequest) as caught:
        send(f"{server.url}/x", headers=headers)
    assert server.requests == []
    assert "can" not in str(caught.value).replace("cannot", "")


@pytest.mark.parametrize("served", [None, answer(b"half", length=8, close=True), b"nonsense\r\n\r\n"], ids=repr)
@pytest.mark.parametrize("kind", ["form", "json"])
def test_what_a_login_sends_is_nowhere_to_be_seen(server: Server, served: bytes | None, kind: str):
    """A form with a client secret stood among the local variables of tracebacks, as bytes."""
    server.handler = lambda _: served
    with pytest.raises(errors.ServiceUnavailable) as caught:
        send(f"{server.url}/login", "POST", frames=True, **{kind: {"client_secret": "canary"}})
    assert b"canary" in server.requests[0].body
    assert "canary" not in shown(caught.value)


def test_a_port_beyond_the_last_is_an_invalid_request():
    with pytest.raises(errors.InvalidRequest):
        send("http://127.0.0.1:65536/")


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_request_without_a_body_says_so(server: Server, method: str):
    """Some servers answer 411 to a POST that does not say how long its body is, be it empty."""
    send(f"{server.url}/x", method)
    assert server.requests[0].headers["content-length"] == "0"
    send(f"{server.url}/x")
    assert "content-length" not in server.requests[1].headers


def test_a_body_beyond_ascii_says_its_length_in_bytes(server: Server):
    send(f"{server.url}/x", "POST", json={"name": "stół"})
    assert server.requests[0].body == '{"name":"stół"}'.encode()
    assert server.requests[0].headers["content-type"] == "application/json"


def test_a_client_closed_with_requests_waiting_for_their_turn_opens_nothing_new(server: Server):
    """Who waited for one of the places at a host went on with the closed pool, and opened connections in it."""
    release = asyncio.Event()

    async def held(_: Any) -> bytes:
        await asyncio.wait_for(release.wait(), 10)
        return answer()

    server.handler = held

    async def go() -> list[Any]:
        http = client(concurrency=1)
        waiting = [asyncio.create_task(http.send(Call("GET", f"{server.url}/{n}"))) for n in range(4)]
        await until(lambda: server.requests)
        await http.close()
        return await asyncio.gather(*waiting, return_exceptions=True)

    results = loop.run(go())
    assert [type(result) for result in results] == [errors.InvalidRequest] * 4
    assert len(server.requests) == 1
