"""What a case leaves behind: tasks, threads, open files and sockets, temporary files and folders."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ipyassets.http import loop

__all__ = ["Leftovers", "leaks"]

_POOLS: Final = {
    r"ipyassets": 1,
    r"ipyassets-cache": 1,
    r"ipyassets-(?:decode|files)_\d+": 8,
    r"ipyassets-callbacks_\d+": 1,
    r"ipyassets-sandbox.*|ipyassets-render-\d+": 16,
    r"asyncio_\d+": 64,
    r"AnyIO worker thread": 64,
    r"ThreadPoolExecutor-\d+_\d+": 8,
}
"""Threads that stay by intention, and how many there may be of them."""
_GONE: Final = 10.0
"""Seconds that what is on its way out may take."""


@dataclass(frozen=True)
class Leftovers:
    tasks: tuple[str, ...]
    threads: Counter[str]
    descriptors: frozenset[tuple[str, str]]
    """Numbers, and what they stand for: a socket has an inode of its own."""
    files: frozenset[str]

    @classmethod
    def now(cls, temporary: Path, targets: Path) -> Leftovers:
        """``temporary``: the folder of temporary files. ``targets``: where results are saved, whole or not at all."""

        async def tasks() -> list[str]:
            return [repr(task.get_coro()) for task in asyncio.all_tasks() if task is not asyncio.current_task()]

        names = Counter(thread.name for thread in threading.enumerate())
        for pattern, most in _POOLS.items():
            pool = [name for name in names if re.fullmatch(pattern, name)]
            if sum(names[name] for name in pool) <= most:
                for name in pool:
                    del names[name]
        aside = targets.glob("files-*/**/.ipyassets-*")
        files = {str(path) for folder in (temporary, targets / "watched") for path in _all(folder)}
        return cls(tuple(loop.run(tasks())), names, _descriptors(), frozenset(files | {str(path) for path in aside}))

    def beyond(self, before: Leftovers) -> list[str]:
        """What there is that was not there ``before``."""
        more = [f"task {task}" for task in self.tasks if task not in before.tasks]
        more += [f"thread {name}" for name in (self.threads - before.threads).elements()]
        more += [f"open: {what}" for _, what in sorted(self.descriptors - before.descriptors)]
        return more + [f"file {path}" for path in sorted(self.files - before.files)]


def leaks(now: Callable[[], Leftovers], before: Leftovers) -> list[str]:
    """What there is more of than ``before``, once it had the time to go."""
    if not (more := now().beyond(before)):
        return []
    began, collected = time.monotonic(), 0.0
    while more and (waited := time.monotonic() - began) < _GONE:
        if waited > 0.2 and waited > 2 * collected:
            gc.collect()  # what only waits for that is no leak
            collected = waited
        time.sleep(0.01)
        more = now().beyond(before)
    return more


def _all(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.exists() else []


def _descriptors() -> frozenset[tuple[str, str]]:
    found = set()
    for number in os.listdir("/proc/self/fd"):  # noqa: PTH208
        try:
            found.add((number, os.readlink(f"/proc/self/fd/{number}")))  # noqa: PTH115
        except OSError:  # closed meanwhile, such as that of the listing itself
            continue
    return frozenset(found)
