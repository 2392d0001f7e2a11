"""The frames of one turn on their way to the browser, many to a message."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from ipyassets.collections.turn_frames import Film
from ipyassets.widgets.tiles import Parts, Send, said_of

__all__ = ["send_frames"]


async def send_frames(film: Film, indexes: Sequence[int], edge: int, send: Send) -> None:
    """Send frames in parts, numbered by their place in ``indexes``, as they are made."""
    parts = Parts(send, "frames")

    async def one(place: int, index: int) -> None:
        said, content = await said_of(film.frame(index, edge))
        parts.add(place, said, content)

    try:
        async with asyncio.TaskGroup() as group:
            for place, index in enumerate(indexes):
                group.create_task(one(place, index))
        parts.flush()
    finally:
        parts.close()
