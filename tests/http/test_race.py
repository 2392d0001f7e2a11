"""Sockets to hosts of several addresses: the first that answers is had, and no other stays open."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ipyassets.http import race
from ipyassets.http.head import WireError
from ipyassets.http.race import connected
from tests.http.scripted import ask, content, serving, until
from tests.http.test_pool import echo, pool

__all__ = ["pool"]

PLACES = ("127.0.0.1", "127.0.0.2", "127.0.0.3")


@pytest.fixture
def made() -> Iterator[list[socket.socket]]:
    """All sockets that were made for a race; none may be left to the collector."""
    found: list[socket.socket] = []
    yield found
    assert all(one.fileno() == -1 for one in found)
    found.clear()
    gc.collect()


@pytest.fixture
def connecting(made: list[socket.socket], monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any]], list[str]]:
    """What comes of each address, in the order they are given: None for a connection, else an error, or an event
    that is awaited first; gives the addresses that were tried.
    """

    def scripted(script: dict[str, Any]) -> list[str]:
        tried: list[str] = []
        loop = asyncio.get_running_loop()

        async def told(*_: Any, **__: Any) -> list[Any]:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (place, 80)) for place in script]

        async def sock_connect(one: socket.socket, address: tuple[str, int]) -> None:
            made.append(one)
            tried.append(address[0])
            what = script[address[0]]
            if isinstance(what, asyncio.Event):
                await what.wait()
            elif what is not None:
                raise what

        monkeypatch.setattr(loop, "getaddrinfo", told)
        monkeypatch.setattr(loop, "sock_connect", sock_connect)
        return tried

    return scripted


async def test_who_is_cancelled_while_a_connection_comes_about_leaves_no_socket(
    pool: Any, made: list[socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where one of many requests failed, the others were cancelled; one whose connection had been made that very moment
    left its socket open, until the garbage collector found it: asyncio's race held the winner, and nobody asked.
    """
    running = asyncio.get_running_loop()
    plain = running.sock_connect

    async def then_cancelled(one: socket.socket, address: Any) -> None:
        made.append(one)
        await plain(one, address)
        running.call_soon(asked.cancel)

    async with serving(echo) as place:
        with monkeypatch.context() as patch:
            patch.setattr(running, "sock_connect", then_cancelled)
            asked = asyncio.create_task(ask(pool, place.origin()))
            with pytest.raises(asyncio.CancelledError):
                await asked
        assert [one.fileno() for one in made] == [-1]
        assert await content(await ask(pool, place.origin())) == b"1"
        await pool.aclose()


async def test_the_next_address_is_tried_where_one_fails(connecting: Any, made: list[socket.socket]) -> None:
    tried = connecting(dict(zip(PLACES, (ConnectionRefusedError(), OSError(), None), strict=True)))
    got = await connected("three.invalid", 80)
    assert tried == list(PLACES)
    assert got is made[2]
    assert not got.getblocking()
    got.close()


async def test_the_next_address_is_tried_beside_one_that_keeps_silent(
    connecting: Any, made: list[socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(race, "_STAGGER", 0.001)
    tried = connecting({PLACES[0]: asyncio.Event(), PLACES[1]: None})
    got = await connected("two.invalid", 80)
    assert tried == list(PLACES[:2])
    assert got is made[1]
    got.close()
    await asyncio.sleep(0)  # the other's turn to close its own


async def test_of_two_that_come_at_once_one_is_closed(
    connecting: Any, made: list[socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """asyncio's race could end with an AssertionError there, and with two open sockets."""
    monkeypatch.setattr(race, "_STAGGER", 0.001)
    both = asyncio.Event()
    tried = connecting(dict.fromkeys(PLACES[:2], both))
    racing = asyncio.create_task(connected("two.invalid", 80))
    await until(lambda: len(tried) == 2)
    both.set()
    got = await racing
    assert [one for one in made if one.fileno() != -1] == [got]
    got.close()


async def test_who_is_cancelled_meanwhile_leaves_no_socket(
    connecting: Any, made: list[socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(race, "_STAGGER", 0.001)
    tried = connecting({place: asyncio.Event() for place in PLACES})
    racing = asyncio.create_task(connected("three.invalid", 80))
    await until(lambda: len(tried) == 3)
    racing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await racing
    await asyncio.sleep(0)
    assert len(made) == 3


async def test_no_address_answers(connecting: Any, made: list[socket.socket], pool: Any) -> None:
    connecting(dict.fromkeys(PLACES, ConnectionRefusedError()))
    with pytest.raises(WireError, match="connect"):
        await ask(pool, ("http", "three.invalid", 80))
    assert len(made) == 3


async def test_families_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    async def told(*_: Any, **__: Any) -> list[Any]:
        families = [socket.AF_INET6] * 3 + [socket.AF_INET] * 2
        return [(family, socket.SOCK_STREAM, 6, "", (number,)) for number, family in enumerate(families)]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", told)
    assert [place[4][0] for place in await race._places("both.invalid", 80)] == [0, 3, 1, 4, 2]
