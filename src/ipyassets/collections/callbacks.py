"""People's own functions, called one after the other on a thread of their own, so that they may take their time."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

__all__ = ["call"]

log = logging.getLogger("ipyassets.jobs")


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
