"""Which pictures are on disk already: asked by many at once, looked up in one go."""

from __future__ import annotations

import asyncio

from ipyassets.collections.images import in_file_pool
from ipyassets.http.cache import cache

__all__ = ["has"]

Key = tuple[str, ...]
_waiting: dict[asyncio.AbstractEventLoop, dict[Key, asyncio.Future[bool]]] = {}
_looking: set[asyncio.Task[None]] = set()


async def has(key: Key) -> bool:
    """Whether the cache has a file for ``key``. All who ask in the same turn of the loop share one look."""
    running = asyncio.get_running_loop()
    asked = _waiting.get(running)
    if asked is None:
        asked = _waiting[running] = {}
        running.call_soon(_begin, running)
    if key not in asked:
        asked[key] = running.create_future()
    return await asyncio.shield(asked[key])


def _begin(running: asyncio.AbstractEventLoop) -> None:
    task = running.create_task(_look(_waiting.pop(running)))
    _looking.add(task)
    task.add_done_callback(_looking.discard)


async def _look(asked: dict[Key, asyncio.Future[bool]]) -> None:
    try:
        found = await in_file_pool(lambda: [cache.has(key) for key in asked])
    except Exception:  # noqa: BLE001  # no folder can be made out, or the process is about to end: all are to be fetched
        found = [False] * len(asked)
    for future, there in zip(asked.values(), found, strict=True):
        future.set_result(there)
