"""The items of a list in order, with the next pages on their way while the reader looks at what is here."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Final

from ipyassets.collections.pages import TURNS, Item, Pages
from ipyassets.collections.span import Span
from ipyassets.http import loop

__all__ = ["MANY", "Walk"]

MANY: Final = 32
"""Pages ahead where all are wanted: more than a client sends at once, so that it never idles."""
_MOST: Final = 8
"""Pages ahead of a reader who may leave at any time."""

_LATELY: Final = 2_000
"""Items that are remembered for a list that may change."""

Find = Callable[[int, int], Coroutine[Any, Any, list[Item]]]


class Walk:
    """One way through a list. Lives on the loop thread, but for `leave`.

    Whoever takes only what comes first costs one page; whoever goes on gets one page ahead, then two, four, eight.
    Where each page needs the one before, it is one. What is ahead is cancelled when the walk is left.
    """

    def __init__(self, find: Find, pages: Pages, span: Span, *, ahead: int = 0) -> None:
        """``find`` gives the items at indexes of ``span``; ``ahead``: pages to have on their way from the beginning."""
        self._find = find
        self._pages = pages
        self._span = span
        self._ahead = ahead
        self._taking = False
        self._next = 0
        """Index of the item to give next."""
        self._coming: deque[tuple[int, asyncio.Task[list[Item]]]] = deque()
        """From `_next` on and without gaps: the index after a stretch, and its items to come."""
        self._sequential = False
        """Whether what is coming was asked for page after page."""
        self._moves = pages.moves
        self._turns = 0
        self._given: dict[tuple[str, str], None] = {}
        """What was given last, so that nothing is given twice where the list changes meanwhile."""
        self._count = 0

    async def take(self) -> list[Item]:
        """The next items, at least one; empty at the end. An error of a page is raised when its turn comes."""
        if self._span.count == 0:
            return []
        await self._pages.first()
        if self._taking and self._ahead < _MOST:
            self._ahead = max(1, 2 * self._ahead)
        self._taking = True
        while True:
            self._look()
            before = self._next
            found = await (self._page_after_page() if self._sequential else self._stretch())
            if self._moved(before):
                continue
            # Where pages turn out shorter than their numbers say, what is ahead was looked for at wrong places.
            if self._sequential == self._comes_in_order() and (new := self._new(found)) is not None:
                return new

    def _moved(self, index: int) -> bool:
        """Whether the list has changed, so that what is ahead is looked for anew, from a page before ``index`` on."""
        if self._pages.moves == self._moves:
            return False
        self._moves = self._pages.moves
        self._turns += 1
        if self._moves is None or self._sequential or self._span.step != 1 or self._turns > TURNS:
            return False
        self.drop()
        self._next = max(0, index - self._pages.stride)
        return True

    def _new(self, found: list[Item]) -> list[Item] | None:
        """Those of ``found`` that were not given lately; None if all were, and there may be more."""
        if self._moves is None or self._span.step != 1:
            return found
        new = [item for item in found if _key(item) not in self._given]
        if found and not new:
            return None
        if self._span.count is not None:
            new = new[: max(0, self._span.count - self._count)]
        self._count += len(new)
        self._given.update(dict.fromkeys(map(_key, new)))
        while len(self._given) > max(_LATELY, 2 * self._pages.stride):
            del self._given[next(iter(self._given))]
        return new

    def leave(self) -> None:
        """Cancel what is on its way, without waiting. From any thread, and at any time: the collector may call it."""
        loop.soon(self.drop)

    def drop(self) -> None:
        """As `leave`, on the loop thread."""
        for _, task in self._coming:
            task.cancel()
        self._coming.clear()

    def _comes_in_order(self) -> bool:
        return not self._pages.random_access and self._span.step > 0

    def _look(self) -> None:
        """See to it that what is coming fits the pages as they are now, and this process."""
        elsewhere = bool(self._coming) and self._coming[0][1].get_loop() is not asyncio.get_running_loop()
        if elsewhere or self._sequential != self._comes_in_order():
            self.drop()
            self._sequential = self._comes_in_order()

    async def _stretch(self) -> list[Item]:
        """The next items where any page can be asked for: those of one page."""
        stop = self._coming[-1][0] if self._coming else self._send(self._next)
        here = self._span.within(self._pages.known)
        while len(self._coming) <= self._ahead and stop < here:
            stop = self._send(stop)
        stop, task = self._coming[0]
        found = await task
        if self._sequential == self._comes_in_order():
            self._coming.popleft()
            self._next = stop
        return found

    async def _page_after_page(self) -> list[Item]:
        """The next items where each page needs the one before: what is here, else what the next page brings."""
        if self._span.within(self._pages.known) <= self._next:
            if not self._coming:
                self._send(self._next)
            await self._coming[0][1]
        if self._coming and self._coming[0][1].done():
            self._coming.popleft()
        stop = max(self._next + 1, self._span.within(self._pages.known))
        found = await self._find(self._next, stop)
        self._next = stop
        if self._ahead and not self._coming and not self._pages.ended:
            self._send(stop)
        return found

    def _send(self, start: int) -> int:
        """Ask for the items from index ``start`` on that one page holds; gives the index after them."""
        stop = start + 1 if self._sequential else self._end_of_page(start)
        task = asyncio.create_task(self._find(start, stop))
        task.add_done_callback(_seen)
        self._coming.append((stop, task))
        return stop

    def _end_of_page(self, index: int) -> int:
        size, step = self._pages.stride, self._span.step
        into = self._span.position(index) % size
        left = size - into if step > 0 else into + 1
        return index + -(-left // abs(step))


def _key(item: Item) -> tuple[str, str]:
    return item[1].service, item[1].id


def _seen(task: asyncio.Task[list[Item]]) -> None:
    """An error that nobody waits for any more needs no word in the log."""
    if not task.cancelled():
        task.exception()
