"""What was taken in lately, so that a second copy is known for one."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from ipyassets.services.events import Event

__all__ = ["Seen"]

_MOST: Final = 10_000
"""Deliveries remembered at once. Only those with a good signature come here, so no stranger pushes them out."""


class Seen:
    """Remembers deliveries for ``lifetime`` seconds, 10,000 at most; the oldest are forgotten first."""

    def __init__(self, lifetime: float, *, most: int = _MOST, clock: Callable[[], float] = time.monotonic) -> None:
        self._lifetime = lifetime
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._until: OrderedDict[bytes, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._until)

    def first(self, event: Event, timestamp: str, body: bytes) -> bool:
        """Whether this is the first copy; remembers it. The service sends no delivery id, so the bytes must do."""
        parts = (event.name, event.asset or "", timestamp, hashlib.sha256(body).hexdigest())
        mark = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()
        now = self._clock()
        with self._lock:
            while self._until and next(iter(self._until.values())) <= now:
                self._until.popitem(last=False)
            if mark in self._until:
                return False
            self._until[mark] = now + self._lifetime
            if len(self._until) > self._most:
                self._until.popitem(last=False)
            return True
