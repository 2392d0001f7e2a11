"""The pages of a search, fetched when touched, once each, and side by side where the service allows it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from ipyassets.errors import BadResponse
from ipyassets.http.loop import LoopLock
from ipyassets.services.base import AssetService, Page, Record, Search
from ipyassets.services.wire import each_once

__all__ = ["TURNS", "FixedPages", "Item", "Pages", "RecordPages"]

Item = tuple[AssetService, Record]
"""A record and the service that can show its poster."""

KEPT: Final = 5_000
"""Records kept of a search whose pages can be fetched again at any time.

One of VNTANA takes some 5 kB, and 12 once its ``raw`` was looked at.
"""
TURNS: Final = 20
"""Changes of a list that are heeded while it is walked: some services may count differently at every look."""
_STRIDE: Final = 100
_MOST: Final = 100_000_000
"""Matches that a service may say it has. Python makes room for as many before it takes the first."""
_BARREN: Final = 1000
"""Pages in a row with nothing new after which no more are asked for; a service that filters late may give some."""


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

    @property
    def stride(self) -> int:
        """How many positions come at once."""

    @property
    def moves(self) -> int | None:
        """How often the list was seen to have changed at the service, so that positions stand for other items; None
        where it cannot.
        """

    async def first(self) -> None:
        """Make sure that one page has come."""

    async def widen(self, wanted: int | None) -> None:
        """The first ``wanted`` (None: all) will be asked for: in larger pages, where little has been asked yet."""

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
    stride = _STRIDE
    moves: int | None = None

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

    async def widen(self, wanted: int | None) -> None:
        del wanted

    async def items(self, start: int, stop: int) -> list[Item]:
        return self._items[start:stop]

    async def fetch(self, start: int, stop: int) -> list[Record]:
        return [record for _, record in self._items[start:stop]]

    async def length(self) -> int:
        return len(self._items)


@dataclass(slots=True)
class _Fetch:
    """A page on its way, and how many wait for it."""

    task: asyncio.Task[Sequence[Record]]
    waiting: int = 0


class RecordPages:
    """The pages of one search. ``limit``: at most so many positions exist, however many the service has.

    Of pages that can be asked for at any time those looked at last are kept, some `KEPT` records in all; an older one
    is fetched again when it is touched. Pages that come one after the other are all kept: there is no way back to one.
    """

    def __init__(self, service: AssetService, search: Search, limit: int | None = None) -> None:
        self.service = service
        self.search = search
        self.limit = limit
        self.random_access = search.random_access
        self._total: int | None = None
        self._pages: OrderedDict[int, Sequence[Record]] = OrderedDict()
        """By number, those that were touched last at the end."""
        self._pending: dict[int, _Fetch] = {}
        self._walked: list[Record] = []
        """All records so far, where pages are walked in order (see `_walk`)."""
        self._walked_pages = 0
        self._walked_ids: set[str] = set()
        self.moves: int = 0
        self._cursor: str | None = None
        self._cursors: set[int] = set()
        """Hashes of the cursors so far (their text may be long): a cursor that comes again would go round for ever."""
        self._barren = 0
        """Pages in a row with nothing new."""
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

    @property
    def stride(self) -> int:
        return self.search.page_size

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

    async def widen(self, wanted: int | None) -> None:
        async with self._lock:
            if self._walked_pages or self._pending or len(self._pages) > 1:
                return
            bounds = [bound for bound in (wanted, self.limit, self._total) if bound is not None]
            search = self.search.in_pages_of(min(bounds, default=None))
            if search.page_size > self.search.page_size:
                self.search = search
                self._pages.clear()  # they were numbered by the other size

    async def length(self) -> int:
        await self.first()
        if not self.random_access:
            await self._walk(None)
        return self.known

    async def items(self, start: int, stop: int) -> list[Item]:
        return [(self.service, record) for record in await self.fetch(start, stop)]

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
        """Page ``number`` of a search with random access; two callers share one request, the last to leave ends it."""
        kept = self._pages.get(number)
        if kept is not None:
            self._pages.move_to_end(number)
            return kept
        fetch = self._pending.get(number)
        if fetch is None or fetch.task.get_loop() is not asyncio.get_running_loop():  # of the parent, in a forked child
            fetch = self._pending[number] = _Fetch(asyncio.create_task(self._fetched(number)))
        fetch.waiting += 1
        try:
            return await asyncio.shield(fetch.task)
        finally:
            fetch.waiting -= 1
            if not fetch.waiting and self._pending.get(number) is fetch:
                del self._pending[number]
                fetch.task.cancel()  # of no effect on one that has ended
            del fetch  # it knows its error, which knows this frame

    async def _fetched(self, number: int) -> Sequence[Record]:
        page = await self.search.page(number)
        records = each_once(page.records)
        self._note(number, Page(records, page.total))
        return records

    def _count(self, total: int | None) -> bool:
        """Take note of the service's count; whether it is another one, so that pages are no longer what they were."""
        if total is not None and total > _MOST:
            total = None
        moved = total is not None and self._total is not None and total != self._total
        if total is not None:
            self._total = total
        if moved:
            self.moves += 1
            self._pages.clear()
        return moved

    def _note(self, number: int, page: Page) -> None:
        size = self.search.page_size
        self._count(page.total)
        self._pages[number] = page.records
        while len(self._pages) > max(1, KEPT // size):
            self._pages.popitem(last=False)
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
                moved = self._count(page.total)
                # Where the list changed between two pages the second has some of the first again, or lacks some.
                new = [record for record in each_once(page.records) if record.id not in self._walked_ids]
                self._walked.extend(new)
                self._walked_ids.update(record.id for record in new)
                self._cursor = page.next
                self._barren = 0 if new else self._barren + 1
                if self._barren > _BARREN:
                    raise BadResponse(
                        f"{self.service.title} gave {_BARREN:,} pages in a row with nothing new on them, and says that "
                        "there are more. The list was left there."
                    )
                if self.search.random_access:
                    # Items that moved to the page before are looked for there; what is known already is left out.
                    self._walked_pages += -1 if moved and self._walked_pages and self.moves <= TURNS else 1
                    counted = not self.moves and self._total is not None and len(self._walked) >= self._total
                    self._end = counted or not page.records
                else:
                    self._walked_pages += 1
                    self._end = page.next is None or hash(page.next) in self._cursors
                    self._cursors.add(hash(page.next))

    async def _next(self) -> Page:
        number = self._walked_pages
        if self.search.random_access and number in self._pages:
            return Page(self._pages.pop(number), self._total)
        return await self.search.page(number, self._cursor)
