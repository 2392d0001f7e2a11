"""One event loop on one background thread, owned by the package.

Coroutines do all the work, here; blocking calls wait for them. That is why blocking calls work in a running notebook,
why one token serves every caller, and why work goes on while a cell is busy.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Final, Generic, TypeVar

from ipyassets.errors import AssetServiceError, without_frames

__all__ = ["LISTEN", "LoopLock", "allow_asyncio_run", "awaiting", "on_loop_thread", "run", "soon", "submit"]

T = TypeVar("T")

_INTERRUPT_GRACE: Final = 2.0
"""Seconds that cancelled work gets to tidy up after Ctrl-C before we stop waiting for it."""

_MEANWHILE: Final = 0.2
"""Seconds between the things done while waiting."""

LISTEN: Final = 0.5
"""Seconds between looks whether there was an interrupt, for every thread that waits long.

One that comes just as the wait begins does not end it: Python looks before it waits for a lock, and once that is over.
"""


class _LoopThread:
    """A daemon thread that runs an event loop until the process ends."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self.thread = threading.Thread(target=self._main, name="ipyassets", daemon=True)
        self.thread.start()
        self._ready.wait()

    def _main(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.call_soon(self._ready.set)
        self.loop.run_forever()


_lock = threading.Lock()
_current: _LoopThread | None = None


def _forget_after_fork() -> None:
    # The thread does not survive a fork, and neither may its sockets: the child gets a loop and pools of its own.
    global _current, _lock  # noqa: PLW0603
    _lock = threading.Lock()
    _current = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)


def loop() -> asyncio.AbstractEventLoop:
    """The package's event loop, started on first use."""
    global _current  # noqa: PLW0603
    with _lock:
        if _current is None:
            _current = _LoopThread()
        return _current.loop


def on_loop_thread() -> bool:
    """Whether the caller runs on the package's own loop thread."""
    return _current is not None and threading.current_thread() is _current.thread


def soon(callback: Callable[..., object], *arguments: object) -> None:
    """Call ``callback(*arguments)`` on the loop thread without waiting; not at all where none runs, as after a fork.

    For what ends other work. Python's collector may call for that at any time, on any thread, in the middle of code
    that holds any lock: so it waits for nobody, and takes no lock.
    """
    there = _current
    if there is not None:
        there.loop.call_soon_threadsafe(callback, *arguments)


def submit(work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
    """Start ``work`` on the loop thread, from any thread, without waiting."""
    return asyncio.run_coroutine_threadsafe(work, loop())


def run(work: Coroutine[Any, Any, T], meanwhile: Callable[[], object] | None = None) -> T:
    """Run ``work`` on the loop thread and wait for it; Ctrl-C cancels it.

    ``meanwhile()`` is called on the caller's thread now and then, and once at the end: what is printed or displayed
    from the loop thread would land in whatever cell ran when that thread was made.

    Raises whatever ``work`` raises without the frames of this package, whose local variables may be secrets (of errors
    that are not our own, a note says where they came from), and RuntimeError when called from the loop thread itself
    (it would wait for itself for ever).
    """
    if on_loop_thread():
        work.close()
        raise RuntimeError("A blocking call was made from ipyassets' own loop thread; use the Async classes there.")
    running = _Running(work)
    try:
        running.start()
        if meanwhile is not None:
            while not running.over(_MEANWHILE):
                meanwhile()
            meanwhile()
        return running.result()
    except AssetServiceError as error:
        without_frames(error)
        raise
    except Exception as error:
        without_frames(error, places=True)
        raise
    except KeyboardInterrupt:
        running.stop()
        running.over(_INTERRUPT_GRACE)
        raise


class _Running(Generic[T]):
    """Work on the loop thread that another thread waits for, and may have broken off at any place.

    An interrupt may come between any two steps of the main thread: also when the work has begun and the call that
    began it has not returned, or while a lock is held that the loop thread would then wait for, for ever. So whether
    there is something to cancel is told on the loop thread, and that waits for no lock.
    """

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self._work = work
        self._task: asyncio.Task[T] | None = None
        self._ended = False
        self._bell = threading.Lock()
        """Free once the work has ended."""
        self._bell.acquire()

    def start(self) -> None:
        loop().call_soon_threadsafe(self._start)

    def stop(self) -> None:
        """Cancel the work, if it was begun; else it never will be."""
        loop().call_soon_threadsafe(self._stop)

    def over(self, patience: float) -> bool:
        """Whether it is over; waits for that for some seconds."""
        return self._ended or self._bell.acquire(timeout=patience)

    def result(self) -> T:
        while not self.over(LISTEN):
            pass
        assert self._task is not None
        if self._task.cancelled():
            raise concurrent.futures.CancelledError
        return self._task.result()

    # -- on the loop thread ---------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._task = asyncio.ensure_future(self._work)
        self._task.add_done_callback(self._end)

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
        else:
            self._work.close()
            self._end()

    def _end(self, _task: object = None) -> None:
        self._ended = True
        self._bell.release()


async def awaiting(work: Coroutine[Any, Any, T]) -> T:
    """Run ``work`` on the loop thread and await it from any other loop; cancelling the caller cancels ``work``."""
    if on_loop_thread():
        return await work
    try:
        return await asyncio.wrap_future(submit(work))
    except AssetServiceError as error:
        without_frames(error)
        raise
    except Exception as error:
        without_frames(error, places=True)
        raise


class LoopLock:
    """A lock for ``async with`` that belongs to the running loop, and opens anew in a forked child.

    An ``asyncio.Lock`` that was held at the time of the fork stays held in the child: the task that would release it
    is not there.
    """

    def __init__(self) -> None:
        self._lock: asyncio.Lock | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __aenter__(self) -> None:
        running = asyncio.get_running_loop()
        if self._lock is None or self._loop is not running:
            self._lock, self._loop = asyncio.Lock(), running
        await self._lock.acquire()

    async def __aexit__(self, *_: object) -> None:
        assert self._lock is not None
        self._lock.release()


def allow_asyncio_run() -> None:
    """Let a script's ``asyncio.run(main())`` be pasted into a notebook cell.

    Patches the notebook's own running loop with nest-asyncio; nothing else in ipyassets needs it, since our work runs
    on a loop of its own. Does nothing where no loop is running.
    """
    try:
        running = asyncio.get_running_loop()
    except RuntimeError:
        return
    import nest_asyncio

    nest_asyncio.apply(running)
