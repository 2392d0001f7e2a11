"""The pages of a search, fetched when touched, once each, and side by side where the service allows it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from ipyassets.http.loop import LoopLock
from ipyassets.services.base import AssetService, Page, Record, Search

__all__ = ["FixedPages", "Item", "Pages", "RecordPages"]

Item = tuple[AssetService, Record]
"""A record and the service that can show its poster."""


class Pages(Protocol):
    """Anything that gives records by position. Lives on the loop thread."""

    @property
    def total(self) -> int | None:
        """The service's own count of all matches, whatever the limit; None if it gave none (yet)."""

    @property
    def known(self) -> int:
        """How many positions are known to exist."""

    @property
    def ended(self) -> bool:
        """Whether `known` is all there is."""

    @property
    def random_access(self) -> bool:
        """Whether any position can be fetched without fetching all before it."""

    async def first(self) -> None:
        """Make sure that one page has come."""

    async def items(self, start: int, stop: int) -> list[Item]:
        """The items at positions ``start`` up to ``stop``; fewer at the end, never with gaps."""

    async def fetch(self, start: int, stop: int) -> list[Record]:
        """The records of `items`."""

    async def length(self) -> int:
        """How many there are; may fetch every page."""


class FixedPages:
    """A list of items that is already here, such as a selection."""

    random_access = True
    ended = True

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = list(items)

    @property
    def total(self) -> int | None:
        return len(self._items)

    @property
    def known(self) -> int:
        return len(self._items)

    async def first(self) -> None:
        return

    async def items(self, start: int, stop: int) -> list[Item]:
        return self._items[start:stop]

    async def fetch(self, start: int, stop: int) -> list[Record]:
        return [record for _, record in self._items[start:stop]]

    async def length(self) -> int:
        return len(self._items)


class RecordPages:
    """The pages of one search. ``limit``: at most so many positions exist, however many the service has."""

    def __init__(self, service: AssetService, search: Search, limit: int | None = None) -> None:
        self.service = service
        self.search = search
        self.limit = limit
        self.random_access = search.random_access
        self._total: int | None = None
        self._pages: dict[int, Sequence[Record]] = {}
        self._pending: dict[int, asyncio.Task[Page]] = {}
        self._walked: list[Record] = []
        """All records so far, where pages are walked in order (see `_walk`)."""
        self._walked_pages = 0
        self._cursor: str | None = None
        self._cursors: set[int] = set()
        """Hashes of the cursors so far (their text may be long): a cursor that comes again would go round for ever."""
        self._end = False
        self._lock = LoopLock()

    # -- what is known --------------------------------------------------------------------------------------------

    @property
    def total(self) -> int | None:
        return self._total

    @property
    def known(self) -> int:
        if self.random_access:
            return self._capped(self._total if self._total is not None else 0)
        return self._capped(len(self._walked))

    @property
    def ended(self) -> bool:
        if self.random_access:
            return self._total is not None
        return self._end or self._full()

    def _capped(self, count: int) -> int:
        return count if self.limit is None else min(count, self.limit)

    def _full(self) -> bool:
        return self.limit is not None and len(self._walked) >= self.limit

    # -- fetching -------------------------------------------------------------------------------------------------

    async def first(self) -> None:
        if self._pages or self._walked_pages:
            return
        if self.random_access:
            await self._page(0)
        else:
            await self._walk(1)

    async def length(self) -> int:
        await self.first()
        if not self.random_access:
            await self._walk(None)
        return self.known

    async def items(self, start: int, stop: int) -> list[Item]:
        return [(self.service, record) for record in await self.fetch(start, stop)]

    def forget(self, stop: int) -> None:
        """Let go of the pages before position ``stop``, for a walk that does not come back: touched, they come again.

        The first stays, and so do all where each page needs the one before.
        """
        if self.random_access:
            for number in [number for number in self._pages if 0 < number < stop // self.search.page_size]:
                del self._pages[number]

    async def fetch(self, start: int, stop: int) -> list[Record]:
        stop = self._capped(stop)
        if start >= stop:
            return []
        await self.first()
        if self.random_access:
            size = self.search.page_size
            stop = min(stop, self.known)
            numbers = range(start // size, -(-stop // size))
            pages = await asyncio.gather(*(self._page(number) for number in numbers))
            if self.random_access:
                records = [record for page in pages for record in page]
                offset = numbers.start * size if numbers else 0
                return records[start - offset : max(start, stop) - offset]
        await self._walk(stop)
        return self._walked[start:stop]

    async def _page(self, number: int) -> Sequence[Record]:
        """Page ``number`` of a search with random access; two callers share one request."""
        if number in self._pages:
            return self._pages[number]
        task = self._pending.get(number)
        if task is None or task.get_loop() is not asyncio.get_running_loop():  # of the parent, in a forked child
            task = self._pending[number] = asyncio.create_task(self.search.page(number))
            task.add_done_callback(lambda _: self._pending.pop(number, None))
        page = await asyncio.shield(task)
        if number not in self._pages:
            self._note(number, page)
        return self._pages[number]

    def _note(self, number: int, page: Page) -> None:
        size = self.search.page_size
        if page.total is not None:
            self._total = page.total
        self._pages[number] = page.records
        expected = size if self._total is None else min(size, max(0, self._total - number * size))
        if self._total is None or len(page.records) != expected:
            # No count, or a page that is shorter (longer) than its number says: positions cannot be computed from
            # page numbers, so walk the pages in order from now on. Nothing is lost, only random access.
            self.random_access = False

    async def _walk(self, stop: int | None) -> None:
        """Fetch pages in order until position ``stop`` (None: the end) has come."""
        async with self._lock:
            while not self._end and (stop is None or len(self._walked) < stop) and not self._full():
                page = await self._next()
                if page.total is not None:
                    self._total = page.total
                self._walked.extend(page.records)
                self._walked_pages += 1
                self._cursor = page.next
                if self.search.random_access:
                    counted = self._total is not None and len(self._walked) >= self._total
                    self._end = counted or not page.records
                else:
                    self._end = page.next is None or hash(page.next) in self._cursors
                    self._cursors.add(hash(page.next))

    async def _next(self) -> Page:
        number = self._walked_pages
        if self.search.random_access and number in self._pages:
            return Page(self._pages.pop(number), self._total)
        return await self.search.page(number, self._cursor)
