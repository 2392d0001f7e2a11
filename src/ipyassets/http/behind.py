"""Files that are written once there is time for it."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Final

__all__ = ["BACKLOG", "WriteBehind"]

log = logging.getLogger("ipyassets.http")

BACKLOG: Final = 32_000_000
"""Bytes that wait in memory at most, where nobody says otherwise."""
_QUIET: Final = 0.1
"""Seconds without a new one after which writing begins."""
_AT_EXIT: Final = 5.0
"""Seconds the end of the process is held up at most; what is then unwritten is lost, being a copy anyway."""

Write = Callable[[str, bytes, float | None], None]


class WriteBehind:
    """Contents by path that wait to be written by a thread of its own, which ends when nothing is left."""

    _waiting: dict[str, tuple[bytes, float | None]]
    _writing: str | None
    """What the thread is writing at present."""
    _bytes: int
    _last: float
    _hurried: int
    _thread: threading.Thread | None
    _changed: threading.Condition

    def __init__(self, write: Write) -> None:
        # A bound method, and not kept alive by the thread: a cache that nobody has any more need not be written.
        self._write = weakref.WeakMethod(write)
        self._begin_anew()
        _all.add(self)

    def __contains__(self, path: str) -> bool:
        return path in self._waiting

    def get(self, path: str) -> bytes | None:
        """What waits for ``path`` and has not expired."""
        found = self._waiting.get(path)
        if found is None or (found[1] is not None and time.time() > found[1]):
            return None
        return found[0]

    def add(self, path: str, content: bytes, expires: float | None, backlog: int) -> bool:
        """Take over ``content``; False, and nothing is taken, where that would be more than ``backlog`` bytes."""
        with self._changed:
            if self._bytes + len(content) > backlog:
                return False
            if self._thread is None:
                thread = threading.Thread(target=self._work, name="ipyassets-cache", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # the interpreter is about to end, or the system has no more threads
                    return False
                self._thread = thread
            self._discard(path)
            self._waiting[path] = (content, expires)
            self._bytes += len(content)
            self._last = time.monotonic()
        return True

    def forget(self, path: str | None = None) -> None:
        """Do not write ``path`` (None: anything) any more; what is being written of it is written when this returns."""
        with self._changed:
            if path is None:
                self._waiting.clear()
                self._bytes = 0
            else:
                self._discard(path)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._writing is None or path not in (None, self._writing))

    def flush(self, timeout: float | None = None) -> None:
        """Wait until all is written, at most ``timeout`` seconds."""
        with self._changed:
            self._hurried += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._thread is None, timeout)
            self._hurried -= 1

    def _begin_anew(self) -> None:
        self._waiting = {}
        self._writing = None
        self._bytes = 0
        self._last = 0.0
        self._hurried = 0
        self._thread = None
        self._changed = threading.Condition()

    def _discard(self, path: str) -> None:
        found = self._waiting.pop(path, None)
        if found is not None:
            self._bytes -= len(found[0])

    def _work(self) -> None:
        while True:
            with self._changed:
                while self._waiting and not self._hurried and (left := self._last + _QUIET - time.monotonic()) > 0:
                    self._changed.wait(left)
                write = self._write()
                if not self._waiting or write is None:
                    self._thread = None
                    self._changed.notify_all()
                    return
                path, entry = next(iter(self._waiting.items()))
                self._writing = path
            try:
                write(path, *entry)
            except Exception:  # one copy less; without the thread all that follow would wait for ever
                log.debug("a copy could not be written to disk", exc_info=True)
            del write
            with self._changed:
                # It stays readable in memory until it is so on disk.
                if self._waiting.get(path) is entry:
                    self._discard(path)
                self._writing = None
                self._changed.notify_all()


_all: weakref.WeakSet[WriteBehind] = weakref.WeakSet()


def _flush_all() -> None:
    for behind in list(_all):
        behind.flush(_AT_EXIT)


def _forget_after_fork() -> None:
    for behind in list(_all):  # the thread did not come along; what waits is the parent's to write
        behind._begin_anew()  # noqa: SLF001


atexit.register(_flush_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
