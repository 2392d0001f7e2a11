"""Events that wait to be taken, each by one taker, with a limit to how many wait."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Final, Self, TypeAlias

from ipyassets.http.loop import LISTEN
from ipyassets.services.events import Event

__all__ = ["Closed", "Events", "Mailbox", "Wanted"]

Wanted: TypeAlias = Callable[[Event], bool]

_MOST: Final = 1000


class Closed(Exception):
    """Nothing comes any more."""


class Mailbox:
    """Keeps events until somebody takes them, 1,000 at most: then the oldest go, and are counted in ``dropped``.

    Whoever waits gets the first that fits, and leaves the others where they are. That is why an event that comes
    between asking for a render and waiting for it is not lost. Safe from any thread.
    """

    def __init__(self, most: int = _MOST) -> None:
        self.dropped = 0
        self._most = most
        self._lock = threading.Lock()
        self._events: deque[Event] = deque()
        self._takers: list[tuple[Wanted, Future[Event]]] = []
        self._open = False

    def __len__(self) -> int:
        return len(self._events)

    def open(self) -> None:
        with self._lock:
            self._open = True

    def close(self) -> None:
        """Nothing comes any more: those who wait are told. What came can still be taken."""
        with self._lock:
            self._open = False
            takers, self._takers = self._takers, []
        for _, future in takers:
            if future.set_running_or_notify_cancel():
                future.set_exception(Closed())

    def clear(self) -> None:
        """Forget what waits."""
        with self._lock:
            self._events.clear()

    def put(self, event: Event) -> None:
        with self._lock:
            if self._handed(event):
                return
            self._events.append(event)
            if len(self._events) > self._most:
                self._events.popleft()
                self.dropped += 1

    def take(self, wanted: Wanted, timeout: float | None) -> Event:
        """The next that fits. Raises `TimeoutError` after ``timeout`` seconds without one, `Closed` at the end."""
        future = self._ask(wanted)
        end = math.inf if timeout is None else time.monotonic() + timeout
        try:
            while not wait([future], max(0.0, min(LISTEN, end - time.monotonic()))).done:
                if time.monotonic() >= end:
                    raise TimeoutError
            return future.result()
        except TimeoutError:
            if self._withdraw(future):
                raise
            return future.result()  # it came in the very moment
        except BaseException:  # Ctrl-C
            self._give_back(future)
            raise

    async def taken(self, wanted: Wanted, timeout: float | None) -> Event:  # noqa: ASYNC109  # the contract's own word
        """As `take`, awaited on any loop."""
        future = self._ask(wanted)
        try:
            async with asyncio.timeout(timeout):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            if self._withdraw(future):
                raise
            return future.result()
        except BaseException:  # cancelled
            self._give_back(future)
            raise

    def _ask(self, wanted: Wanted) -> Future[Event]:
        future: Future[Event] = Future()
        with self._lock:
            for place, event in enumerate(self._events):
                if wanted(event):
                    del self._events[place]
                    future.set_result(event)
                    return future
            if self._open:
                self._takers.append((wanted, future))
            else:
                future.set_exception(Closed())
        return future

    def _withdraw(self, future: Future[Event]) -> bool:
        """Whether ``future`` was still waiting; it does so no more."""
        with self._lock:
            self._takers = [taker for taker in self._takers if taker[1] is not future]
            return future.cancel() or future.cancelled()

    def _give_back(self, future: Future[Event]) -> None:
        """An event that came for somebody who left goes to the next who wants it."""
        if not self._withdraw(future) and future.exception() is None:
            event = future.result()
            with self._lock:
                if not self._handed(event):
                    self._events.appendleft(event)

    def _handed(self, event: Event) -> bool:
        """Whether somebody waits for it; gives it to them. Under the lock."""
        for place, (wanted, future) in enumerate(self._takers):
            if wanted(event) and future.set_running_or_notify_cancel():
                del self._takers[place]
                future.set_result(event)
                return True
        return False


class Events:
    """Events as they come, in a ``for`` or an ``async for``; ends when none came for ``timeout`` seconds."""

    def __init__(self, mailbox: Mailbox, wanted: Wanted, timeout: float | None) -> None:
        self._mailbox = mailbox
        self._wanted = wanted
        self._timeout = timeout

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        try:
            return self._mailbox.take(self._wanted, self._timeout)
        except (Closed, TimeoutError):
            raise StopIteration from None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        try:
            return await self._mailbox.taken(self._wanted, self._timeout)
        except (Closed, TimeoutError):
            raise StopAsyncIteration from None
