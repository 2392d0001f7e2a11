"""Work that goes on between requests: on the server's own loop, while it runs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

__all__ = ["Background"]

T = TypeVar("T")


class Background:
    """Coroutines on the server's loop. Those that have not ended when it stops are cancelled."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._futures: set[Future[Any]] = set()

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            self._loop = loop

    def close(self) -> None:
        """Take no more work and cancel what there is; the loop sees it through before it ends."""
        with self._lock:
            self._loop = None
        for future in tuple(self._futures):
            future.cancel()

    def require(self) -> asyncio.AbstractEventLoop:
        """The loop. `RuntimeError` while the sandbox is not running."""
        if self._loop is None:
            raise RuntimeError("the sandbox is not running: call start(), or use it in a with block")
        return self._loop

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin ``work``, from any thread. `RuntimeError` while the sandbox is not running."""
        with self._lock:
            try:
                loop = self.require()
            except RuntimeError:
                work.close()
                raise
            future = asyncio.run_coroutine_threadsafe(work, loop)
            self._futures.add(future)
        future.add_done_callback(self._futures.discard)
        return future
