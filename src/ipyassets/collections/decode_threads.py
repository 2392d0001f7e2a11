"""Threads that decode, each under a clock: a decode that takes too long is given up, and others go on.

A thread cannot be stopped. The one that was given up ends its decode by itself, and another takes its place meanwhile;
of both there is a bounded number. Not concurrent.futures' pool: that one is never larger than it was made, and holds
the process at its end until each of its threads is through. A process for each decode could be killed, and would cost
more than most decodes take.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar

from ipyassets.errors import AssetServiceError, BadResponse
from ipyassets.http import loop

__all__ = ["CORES", "MAX_SECONDS", "TOO_SLOW", "DecodeThreads", "begun"]

T = TypeVar("T")

CORES: Final = os.cpu_count() or 1

MAX_SECONDS: Final = 60.0
"""Seconds after which the decode of one picture, or of one frame of a film, is given up."""

TOO_SLOW: Final = "DECODE_TIMEOUT"
"""The ``code`` of the error that is then raised. Fetching the same bytes anew would not help."""

_LOOKS: Final = 20
"""How often the clock is looked at in that time."""
_MOST_LOST: Final = max(4, CORES)
"""Threads that may be busy with what was given up before no others take their place."""
_LEAVE: Final = 1.0
"""Seconds that decodes get to come to their end when the process does."""


class _Work:
    """One call that somebody awaits."""

    __slots__ = ("age", "arguments", "call", "future", "loop", "pictures", "seen", "what")

    def __init__(self, call: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self.call, self.arguments = call, arguments
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()
        self.what = ""
        """What errors call the picture that is being decoded."""
        self.pictures = 0
        """How many were begun. Written by the thread that decodes alone; what follows by the one that looks."""
        self.seen = 0
        self.age = 0.0

    def settle(self, result: Any, error: BaseException | None) -> None:
        """Tell who awaits it, from any thread. The first word counts."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            self.loop.call_soon_threadsafe(_told, self.future, result, error)


def _told(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():  # cancelled, or given up
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


class _Thread(threading.Thread):
    def __init__(self, work_off: Callable[[_Thread], None], number: int) -> None:
        super().__init__(name=f"ipyassets-decode_{number}", daemon=True)
        self.work: _Work | None = None
        self.lost = False
        """Whether what it is busy with was given up."""
        self._work_off = work_off

    def run(self) -> None:
        self._work_off(self)


def begun(what: str) -> None:
    """A picture, or a frame of a film, begins to be decoded on this thread: its time runs from now.

    Errors call it ``what``. Work that never says so has no limit; on other threads there is none.
    """
    thread = threading.current_thread()
    if isinstance(thread, _Thread) and thread.work is not None:
        thread.work.what = what
        thread.work.pictures += 1


class DecodeThreads:
    """``most`` threads, started when they are needed, that take what comes in order."""

    def __init__(self, most: int = CORES) -> None:
        self._most = most
        self._begin()
        atexit.register(self._leave)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin)  # the threads did not come along

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._queue: SimpleQueue[_Work | None] = SimpleQueue()
        self._threads: list[_Thread] = []
        self._lost = 0
        self._number = 0
        self._watched = False
        self._looked = 0.0
        self._over = False

    async def run(self, call: Callable[..., T], *arguments: Any) -> T:
        """``call(*arguments)`` on one of the threads.

        Raises `BadResponse` with the code `TOO_SLOW` where a picture in it takes more than `MAX_SECONDS`, and
        `AssetServiceError` where so many do that there is no thread left.
        """
        work = _Work(call, arguments)
        with self._lock:
            if self._over:
                raise RuntimeError("Nothing is decoded any more: the process is at its end.")
            self._staff()
            if self._lost and self._working() == 0:
                raise self._none_left()
            self._queue.put(work)
            if not self._watched:
                self._watched = True
                loop.loop().call_soon_threadsafe(self._wait)
        result: T = await work.future
        return result

    def _working(self) -> int:
        return len(self._threads) - self._lost

    def _staff(self) -> None:
        """One more thread, if there are too few that can take work. The lock is held."""
        if self._working() < self._most and len(self._threads) < self._most + _MOST_LOST:
            thread = _Thread(self._work_off, self._number)
            try:
                thread.start()
            except RuntimeError:  # the system gives no more of them
                if not self._threads:
                    raise
                return
            self._number += 1
            self._threads.append(thread)

    # -- on its threads -----------------------------------------------------------------------------------------------

    def _work_off(self, thread: _Thread) -> None:
        while (work := self._queue.get()) is not None:
            if not work.future.cancelled():
                thread.work = work
                _done(work)
            del work  # nothing of it is kept while the thread waits
            with self._lock:
                thread.work = None
                if thread.lost:
                    thread.lost = False
                    self._lost -= 1
                    if self._working() > self._most:
                        self._threads.remove(thread)
                        return

    # -- on the loop thread -------------------------------------------------------------------------------------------

    def _wait(self) -> None:
        self._looked = time.monotonic()
        loop.loop().call_later(MAX_SECONDS / _LOOKS, self._look)

    def _look(self) -> None:
        """See to it that nothing is decoded for too long; again and again while there is work."""
        with self._lock:
            # A process that was held, or a machine that slept, had no time to decode.
            self._age(min(time.monotonic() - self._looked, 2 * MAX_SECONDS / _LOOKS))
            self._watched = any(one.work is not None for one in self._threads) or not self._queue.empty()
            if self._watched:
                self._wait()

    def _age(self, seconds: float) -> None:
        """So much time has passed. The lock is held."""
        for thread in tuple(self._threads):
            work = thread.work
            if work is None or thread.lost:
                continue
            if work.seen != work.pictures:
                work.seen, work.age = work.pictures, 0.0
            elif work.seen:
                work.age += seconds
                if work.age > MAX_SECONDS:
                    self._give_up(thread, work)
        if self._lost and self._working() == 0:
            self._turn_away()

    def _give_up(self, thread: _Thread, work: _Work) -> None:
        thread.lost = True
        self._lost += 1
        self._staff()
        error = BadResponse(
            f"{work.what} took more than {MAX_SECONDS:g} s to decode.",
            code=TOO_SLOW,
            advice="Its bytes can be had as they are; to decode them takes longer than a picture should.",
        )
        work.settle(None, error)

    def _turn_away(self) -> None:
        """No thread is left, nor may there be another: what waits is told, and not kept waiting."""
        with contextlib.suppress(Empty):
            while True:
                work = self._queue.get_nowait()
                if work is not None:
                    work.settle(None, self._none_left())

    def _none_left(self) -> AssetServiceError:
        return AssetServiceError(
            f"It was not decoded: {self._lost} pictures before it took more than {MAX_SECONDS:g} s each, and are "
            "not through yet. Try again later, and leave those out.",
            code="DECODE_BUSY",
        )

    # -- at the end of the process ------------------------------------------------------------------------------------

    def _leave(self) -> None:
        """Let what is nearly done be done, and wait for nothing else."""
        with self._lock:
            self._over = True
            threads = [(thread, thread.lost) for thread in self._threads]
        with contextlib.suppress(Empty):
            while True:
                self._queue.get_nowait()
        for _ in threads:
            self._queue.put(None)
        end = time.monotonic() + _LEAVE
        for thread, lost in threads:
            if not lost:
                thread.join(max(0.0, end - time.monotonic()))


def _done(work: _Work) -> None:
    """Do it, and tell. No local variable here holds an error, whose traceback holds this frame."""
    try:
        result = work.call(*work.arguments)
    except BaseException as error:  # noqa: BLE001  # whatever it is, somebody waits for it
        work.settle(None, error)
    else:
        work.settle(result, None)
    del work
