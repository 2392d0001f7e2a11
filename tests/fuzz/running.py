"""One event loop for all inputs: a new one for each takes most of the time of a run."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """What ``work`` gives. Nothing that it began may be left."""
    made = _loop().run_until_complete(work)
    left = asyncio.all_tasks(_loop())
    assert not left, f"{len(left)} tasks are left"
    return made


@cache
def _loop() -> asyncio.AbstractEventLoop:
    made = asyncio.new_event_loop()
    made.set_exception_handler(_told)
    return made


def _told(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    raise AssertionError(context.get("message")) from context.get("exception")
