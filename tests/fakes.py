"""A service in memory: as many assets as asked for, numbered or cursor paging, and troubles on demand."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from PIL import Image

from ipyassets.errors import NotFound
from ipyassets.services.base import AssetService, Capabilities, Page, PosterSource, Record, Search, Served


@lru_cache(maxsize=256)
def picture(width: int = 64, height: int = 48, colour: int = 0, format: str = "PNG") -> bytes:
    """A one-coloured picture, encoded."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (colour % 256, 80, 120)).save(buffer, format)
    return buffer.getvalue()


class MemorySearch(Search):
    def __init__(self, service: MemoryService, names: list[str], page_size: int, *, numbered: bool) -> None:
        self.service, self.names, self.page_size, self.random_access = service, names, page_size, numbered

    async def page(self, number: int, cursor: str | None = None) -> Page:
        self.service.pages.append(number)
        await asyncio.sleep(0)
        if number in self.service.broken_pages:
            raise self.service.broken_pages[number]
        start = number * self.page_size if self.random_access else int(cursor or 0)
        size = self.service.short_pages.get(number, self.page_size)
        if self.random_access and self.service.short_pages:
            start = sum(self.service.short_pages.get(n, self.page_size) for n in range(number))
        chosen = self.names[start : start + size]
        more = str(start + size) if start + size < len(self.names) else None
        total = len(self.names) if self.random_access and self.service.counts else None
        records = [self.service.make(name) for name in chosen]
        return Page(records, total, None if self.random_access else more)


class MemoryService(AssetService):
    """Assets named ``asset-0``, ``asset-1``, …; the poster of asset N is coloured N."""

    name = "memory"
    title = "Memory"
    capabilities = Capabilities()
    base_url = "memory://"

    def __init__(self, count: int = 10, *, numbered: bool = True, page_size: int = 4, counts: bool = True) -> None:
        self.names = [f"asset-{n}" for n in range(count)]
        self.numbered, self.page_size, self.counts = numbered, page_size, counts
        self.pages: list[int] = []
        self.fetched: list[str] = []
        self.broken_pages: dict[int, Exception] = {}
        self.short_pages: dict[int, int] = {}
        self.posters: dict[str, bytes | Exception | None] = {}
        """What to serve instead of the usual poster: bytes, an error to raise, or None for "has no poster"."""
        self.before_poster: Callable[[str], Any] | None = None
        self.running = self.most_running = 0

    def make(self, name: str) -> Record:
        number = int(name.rpartition("-")[2])
        return Record(
            "memory", name, name, "3d", "LIVE", datetime(2024, 1, 1, tzinfo=UTC), None, ("tag",), {"n": number}, {}
        )

    def search(
        self, text: str = "", *, workspace: str | None = None, sort: str | None = None, **filters: Any
    ) -> Search:
        found = [name for name in self.names if text in name]
        return MemorySearch(self, found, self.page_size, numbered=self.numbered)

    async def record(self, id: str) -> Record:
        if id not in self.names:
            raise NotFound(f"There is no {id}.")
        return self.make(id)

    def poster_source(
        self, record: Record, *, width: int | None = None, height: int | None = None, size: str | None = None
    ) -> PosterSource | None:
        if record.id in self.posters and self.posters[record.id] is None:
            return None
        return PosterSource(("memory", record.id, str(width), str(height)), lambda: self._fetch(record.id))

    async def _fetch(self, id: str) -> Served:
        self.fetched.append(id)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            if self.before_poster is not None and (waiting := self.before_poster(id)) is not None:
                await waiting
            await asyncio.sleep(0)
            special = self.posters.get(id)
            if isinstance(special, Exception):
                raise special
            return Served(special or picture(colour=int(id.rpartition("-")[2])), "image/png")
        finally:
            self.running -= 1

    async def close(self) -> None:
        return
