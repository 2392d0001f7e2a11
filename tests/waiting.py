"""Waiting in a test for what happens on other threads: by being told, not by asking again and again."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, Final

from ipyassets.collections.jobs import JobBase
from ipyassets.http import loop

__all__ = ["PATIENCE", "Bell", "Gate", "begun", "ended", "main_waits", "tasks", "until_status"]

PATIENCE: Final = 20.0


class Bell:
    """Rung when something has happened; wakes those who wait for what may have come of it."""

    def __init__(self) -> None:
        self._condition = threading.Condition()

    def ring(self) -> None:
        with self._condition:
            self._condition.notify_all()

    def until(self, so: Callable[[], Any]) -> None:
        """Wait until ``so()`` holds."""
        with self._condition:
            assert self._condition.wait_for(so, PATIENCE), "it did not come so far"


class Gate:
    """Holds back what the loop thread does, so that a test can look at what stands before it."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()

    def hold(self) -> None:
        """Let nobody through until `resume`; before anybody comes."""
        self._open.clear()

    def resume(self) -> None:
        loop.loop().call_soon_threadsafe(self._open.set)

    async def passed(self) -> None:
        await self._open.wait()


def until_status(job: JobBase, status: str) -> None:
    """Wait until the job stands so."""
    bell = Bell()
    end = job.subscribe(bell.ring)
    bell.until(lambda: job.status == status)
    end()


def main_waits(where: Any = loop._Running.over) -> bool:
    """Whether the main thread waits for the loop thread, or is in another function."""
    frame: FrameType | None = sys._current_frames()[threading.main_thread().ident or 0]
    while frame is not None and frame.f_code is not where.__code__:
        frame = frame.f_back
    return frame is not None


def tasks(ending: str) -> list[str]:
    """The names of the loop thread's tasks that end so."""

    async def names() -> list[str]:
        return [task.get_name() for task in _tasks(ending)]

    return loop.run(names())


@contextlib.contextmanager
def begun() -> Iterator[None]:
    """Waits at its end until all that the loop thread began to do meanwhile is over."""

    async def there() -> set[asyncio.Task[Any]]:
        return asyncio.all_tasks()

    async def over() -> None:
        async with asyncio.timeout(PATIENCE):
            while left := asyncio.all_tasks() - before - {asyncio.current_task()}:
                await asyncio.wait(left)

    before = loop.run(there())
    yield
    loop.run(over())


def ended(ending: str) -> None:
    """Wait until the loop thread's tasks whose names end so are over."""

    async def over() -> None:
        async with asyncio.timeout(PATIENCE):
            while left := _tasks(ending):
                await asyncio.wait(left)

    loop.run(over())


def _tasks(ending: str) -> list[asyncio.Task[Any]]:
    return [task for task in asyncio.all_tasks() if task.get_name().endswith(ending)]
