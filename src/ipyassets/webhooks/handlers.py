"""Functions called with events: after the sender has its answer, one after the other, on a thread of their own.

So a handler may take its time and call anything that blocks, and whatever it raises is logged and stays here.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from ipyassets.arguments import plain_function
from ipyassets.services.events import Event
from ipyassets.texts import shown
from ipyassets.webhooks.mailbox import Wanted
from ipyassets.webhooks.wanted import wanted

__all__ = ["Handler", "Handlers"]

Handler: TypeAlias = Callable[[Event], Any]

log = logging.getLogger("ipyassets.webhooks")

_MOST: Final = 1000


class Handlers:
    """Calls each handler with the events it wants, in the order they came.

    At most 1,000 calls wait; then the oldest are dropped, counted and said.
    """

    def __init__(self, most: int = _MOST) -> None:
        self.dropped = 0
        self._most = most
        self._lock = threading.Condition()
        self._handlers: tuple[tuple[Wanted, Handler], ...] = ()
        self._calls: deque[tuple[Handler, Event]] = deque()
        self._thread: threading.Thread | None = None

    def add(self, handler: Handler, names: tuple[str, ...]) -> None:
        """Call ``handler`` with the events of these names from now on. Raises `InvalidRequest` for a coroutine."""
        plain_function("A handler", handler, "use `async for` over receiver.events()")
        with self._lock:
            self._handlers = (*self._handlers, (wanted(names), handler))

    def put(self, event: Event) -> None:
        """Have ``event`` handled soon. From any thread; does not block."""
        with self._lock:
            for wants, handler in self._handlers:
                if wants(event):
                    self._calls.append((handler, event))
            lost = len(self._calls) - self._most
            for _ in range(lost):
                self._calls.popleft()
            if lost > 0:
                if not self.dropped:
                    log.warning("handlers are slower than events come: the oldest of %d are dropped", self._most)
                self.dropped += lost
            if self._calls and self._thread is None:
                # It lives as long as there is work, so that nothing is left to be closed. A daemon: a handler that
                # hangs keeps no interpreter from ending.
                self._thread = threading.Thread(target=self._work, name="ipyassets-webhook-handlers", daemon=True)
                self._thread.start()

    def settle(self, timeout: float) -> bool:
        """Wait until nothing is to be handled; whether that came in ``timeout`` seconds. Not from a handler."""
        with self._lock:
            if threading.current_thread() is self._thread:
                return False
            return self._lock.wait_for(lambda: self._thread is None, timeout)

    def forget(self) -> None:
        """In a forked child: the thread is not here, and the events are the parent's."""
        self._lock = threading.Condition()
        self._calls.clear()
        self._thread = None

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._calls:
                    self._thread = None
                    self._lock.notify_all()
                    return
                handler, event = self._calls.popleft()
            try:
                handler(event)
            except Exception:  # the person's own code: said, and the next goes on
                log.exception("a handler of %s failed", shown(event.name))
