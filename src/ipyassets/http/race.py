"""A socket to a host, by whichever of its addresses answers first (RFC 8305).

asyncio's own race (``happy_eyeballs_delay``) loses the socket that won where it is cancelled, or its time is over,
between that and its end: a child task has it then, and nobody asks for it. The same holds for aiohappyeyeballs.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
from typing import Any, Final, TypeAlias

__all__ = ["connected"]

_STAGGER: Final = 0.25
"""Seconds after which the next address of a host is tried beside the first."""

_Place: TypeAlias = tuple[int, int, int, str, Any]
"""As getaddrinfo gives it: family, type, protocol, canonical name, address."""


async def connected(host: str, port: int) -> socket.socket:
    """A connected socket, which does not block. Raises OSError, and UnicodeError for what could be no host's name.

    Cancelled at whatever moment, it leaves no socket open.
    """
    places = await _places(host, port)
    tries: list[asyncio.Task[socket.socket]] = []
    won: asyncio.Task[socket.socket] | None = None
    running: set[asyncio.Task[socket.socket]] = set()
    try:
        while places or running:
            if places:
                tries.append(asyncio.create_task(_tried(places.pop(0))))
                running.add(tries[-1])
            done, running = await asyncio.wait(
                running, timeout=_STAGGER if places else None, return_when=asyncio.FIRST_COMPLETED
            )
            won = next(filter(_good, done), None)
            if won is not None:
                return won.result()
        raise OSError("none of its addresses can be reached")
    finally:
        for one in tries:
            if not one.done():
                one.cancel()  # it closes its socket itself
            elif one is not won and _good(one):
                one.result().close()


def _good(one: asyncio.Task[socket.socket]) -> bool:
    return not one.cancelled() and one.exception() is None


async def _places(host: str, port: int) -> list[_Place]:
    """The addresses of a host, families by turns; one that is an address already is not looked up on a thread."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    first = [one for one in found if one[0] == found[0][0]]
    others = [one for one in found if one[0] != found[0][0]]
    return [one for both in itertools.zip_longest(first, others) for one in both if one is not None]


async def _tried(place: _Place) -> socket.socket:
    family, kind, protocol, _, address = place
    made = socket.socket(family, kind, protocol)
    try:
        made.setblocking(False)
        await asyncio.get_running_loop().sock_connect(made, address)
    except BaseException:
        made.close()
        raise
    return made
