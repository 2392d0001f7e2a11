"""People's own functions, called one after the other on a thread of their own, so that they may take their time."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from ipyassets.errors import InvalidRequest

__all__ = ["call", "plain_function"]

log = logging.getLogger("ipyassets.jobs")


def plain_function(callback: Any) -> None:
    """Raises `InvalidRequest` for what cannot be called, or would have to be awaited."""
    if not callable(callback) or asyncio.iscoroutinefunction(callback):
        raise InvalidRequest("A callback must be a plain function; to await, use `await job`.")


def call(callback: Callable[[Any], Any], about: Any) -> None:
    """Call ``callback(about)`` on the thread of callbacks, after those that wait there already."""

    def run() -> None:
        try:
            callback(about)
        except Exception:  # the person's own code: said, and the job goes on
            log.exception("a callback of a job failed")

    _thread().submit(run)


@cache
def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="ipyassets-callbacks")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_thread.cache_clear)  # it did not come along
