"""Conversion of a product's file, and the making of its poster: what takes time between upload and first picture."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from typing import Any, TypeAlias

from ipyassets.sandbox.vntana.bus import Bus
from ipyassets.sandbox.vntana.catalogue import Catalogue
from ipyassets.sandbox.vntana.changes import Changes
from ipyassets.sandbox.world import World

__all__ = ["Conversions", "Painter"]

Painter: TypeAlias = Callable[[int], Awaitable[bytes]]
"""Makes the poster of a product, an image file; any exception if it cannot."""

log = logging.getLogger("ipyassets.sandbox.conversions")

EVENTS = {
    "PENDING": "product.pending",
    "CONVERTING": "product.processing",
    "COMPLETED": "product.completed",
    "FAILED": "product.failed",
}


class Conversions:
    """Work on the files of products, one piece at a time for each. It goes on while the sandbox runs."""

    def __init__(self, world: World, catalogue: Catalogue, changes: Changes, bus: Bus, paint: Painter) -> None:
        self._world = world
        self._catalogue = catalogue
        self._changes = changes
        self._bus = bus
        self._paint = paint
        self._lock = threading.RLock()
        self._busy: dict[int, Future[str]] = {}
        bus.subscribe(self._heard)

    def convert(self, product: str, *, fails: bool = False) -> Future[str]:
        """Convert the file of the product with this uuid, anew if need be; gives the state it will come to.

        Through PENDING and CONVERTING to COMPLETED, with a new poster; to FAILED if the model is broken, or if it
        ``fails`` on demand. `LookupError`: no such product. `ValueError`: it has no 3D file, or is at work.
        """
        index = self._catalogue.find(self._catalogue.products, product)
        if index is None:
            raise LookupError(f"no product {product!r:.80}")
        return self._begin(index, lambda: self._told(index, "PENDING"), lambda: self._convert(index, fails=fails))

    def repaint(self, index: int) -> Future[str]:
        """Make the poster anew; the old one shows until then. `ValueError` as `convert`."""
        return self._begin(
            index, lambda: self._changes.thumbnails(index, "ACTION_PENDING"), lambda: self._repaint(index)
        )

    def wait_idle(self, timeout: float | None = None) -> bool:
        """Wait until nothing is being converted and no poster made anew; whether that came in time."""
        return not wait(tuple(self._busy.values()), timeout).not_done

    def reset(self) -> None:
        """Break off what is being done, and make every product as it was when the sandbox was made."""
        for future in tuple(self._busy.values()):
            future.cancel()
        with self._lock:
            self._changes.restore()

    def _heard(self, event: str, index: int) -> None:
        future = self._busy.get(index)
        if event == "product.deleted" and future is not None:
            future.cancel()

    def _begin(
        self, index: int, first: Callable[[], object], work: Callable[[], Coroutine[Any, Any, str]]
    ) -> Future[str]:
        """``first`` has happened when this returns; ``work`` follows."""
        if self._catalogue.source(index) is None:
            raise ValueError(f"{self._catalogue.name(index)!r:.80} has no 3D file")
        with self._lock:
            if index in self._busy:
                raise ValueError(f"{self._catalogue.name(index)!r:.80} is at work already")
            self._world.background.require()
            first()
            future = self._world.background.submit(work())
            self._busy[index] = future
        future.add_done_callback(lambda _: self._busy.pop(index, None))
        return future

    async def _convert(self, index: int, *, fails: bool) -> str:
        pause = self._world.settings.vntana_conversion_time / 2
        await asyncio.sleep(pause)
        with self._step(index):
            self._told(index, "CONVERTING", thumbnails="ACTION_PENDING")
        await asyncio.sleep(pause)
        content = None if fails else await self._painted(index)
        with self._step(index):
            if content is None:
                return self._told(index, "FAILED")
            self._changes.poster(index, content)
            return self._told(index, "COMPLETED")

    async def _repaint(self, index: int) -> str:
        content = await self._painted(index)
        with self._step(index):
            if content is None:
                self._changes.thumbnails(index, "ACTION_FAILED")
                return "ACTION_FAILED"
            self._changes.poster(index, content)
            self._changes.thumbnails(index, None)
            return "ACTION_COMPLETED"

    async def _painted(self, index: int) -> bytes | None:
        with self._step(index):
            self._changes.thumbnails(index, "ACTION_RUNNING")
        try:
            return await self._paint(index)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a model
            log.info("no poster of product %d: %s", index, error)
            return None

    @contextmanager
    def _step(self, index: int) -> Iterator[None]:
        """To be done as a whole, or not at all: the work may have been broken off, which its task hears too late."""
        with self._lock:
            if index not in self._busy:
                raise asyncio.CancelledError
            yield

    def _told(self, index: int, state: str, *, thumbnails: str | None = None) -> str:
        """Write the state down, then tell of it: who hears the event finds it so."""
        self._changes.conversion(index, state, thumbnails=thumbnails)
        self._bus.emit(EVENTS[state], index)
        return state
