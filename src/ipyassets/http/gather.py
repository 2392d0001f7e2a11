"""Many pieces of work of one kind, a few of them at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

__all__ = ["gathered"]

T = TypeVar("T")
R = TypeVar("R")


async def gathered(work: Callable[[T], Awaitable[R]], things: Iterable[T], at_once: int) -> list[R]:
    """What ``work`` gives for each of ``things``, in their order; at most ``at_once`` are worked on at a time.

    Raises the first error there is, once the rest is cancelled and nothing runs any more.
    """
    slots = asyncio.Semaphore(at_once)

    async def one(thing: T) -> R:
        async with slots:
            return await work(thing)

    tasks = [asyncio.ensure_future(one(thing)) for thing in things]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
