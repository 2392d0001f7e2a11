"""How many pictures are fetched at once, and whose turn it is."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Final

__all__ = ["Gate"]

_TOLERANCE: Final = 1.75
"""How many times longer than when nothing is in its way a turn may take before there are too many at once."""
_FORGETTING: Final = 1.002
"""By how much the shortest time is forgotten with each turn: a service that became slower is not held to it."""
_WEIGHT: Final = 0.2
_ROOM: Final = 2.0
"""How many more are tried as long as nothing speaks against it."""


class Gate:
    """Turns for work of one kind, on one loop. As many at once as pays: more while each takes no longer for it, as
    where the network's latency is most of it; fewer where they wait for each other, as where the processor is.

    What shows goes before what is only likely to be seen soon, which never has more than half of the turns.
    """

    def __init__(self, least: int = 3, most: int = 32, *, clock: Callable[[], float] = time.perf_counter) -> None:
        self._least, self._most = least, most
        self._limit = float(max(least, min(8, most)))
        self._clock = clock
        self._running = [0, 0]
        """What shows, and what is only likely."""
        self._waiting: tuple[deque[asyncio.Future[None]], deque[asyncio.Future[None]]] = (deque(), deque())
        self._shortest = math.inf
        self._usual = 0.0

    @property
    def limit(self) -> int:
        """How many may be under way now."""
        return int(self._limit)

    @contextlib.asynccontextmanager
    async def turn(self, *, ahead: bool = False) -> AsyncIterator[None]:
        """One turn: waits until there is one, and ends with the block. ``ahead``: it is only likely to be of use."""
        await self._begin(ahead)
        started = self._clock()
        try:
            yield
            self._took(self._clock() - started)
        finally:
            self._end(ahead)

    async def _begin(self, ahead: bool) -> None:
        if self._free(ahead) and not self._waiting[ahead]:
            self._running[ahead] += 1
            return
        mine = asyncio.get_running_loop().create_future()
        self._waiting[ahead].append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():  # it was called off just as its turn came
                self._end(ahead)
            raise

    def _end(self, ahead: bool) -> None:
        self._running[ahead] -= 1
        for kind in (False, True):
            waiting = self._waiting[kind]
            while waiting and self._free(kind):
                future = waiting.popleft()
                if not future.done():
                    self._running[kind] += 1
                    future.set_result(None)

    def _free(self, ahead: bool) -> bool:
        shows, likely = self._running
        if ahead:
            return shows + likely < self.limit and likely < max(1, self.limit // 2) and not self._waiting[False]
        return shows + likely < self.limit

    def _took(self, seconds: float) -> None:
        self._shortest = min(self._shortest * _FORGETTING, seconds)
        self._usual = seconds if not self._usual else (1 - _WEIGHT) * self._usual + _WEIGHT * seconds
        if not any(self._waiting):  # nothing says whether more would do
            return
        fitting = min(1.0, max(0.5, _TOLERANCE * self._shortest / max(self._usual, 1e-9)))
        wanted = self._limit * fitting + _ROOM
        self._limit = min(self._most, max(self._least, (1 - _WEIGHT) * self._limit + _WEIGHT * wanted))
