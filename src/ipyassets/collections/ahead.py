"""Work on many items, several at once and in order: ahead of the reader by a bounded number, and nothing lost."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Callable
from itertools import islice
from typing import Any, ClassVar, Final, Generic, Self, TypeVar

from ipyassets.errors import AssetServiceError, Interrupted
from ipyassets.http import loop

__all__ = ["MANY", "Ahead", "collected", "collected_awaiting"]

B = TypeVar("B")
I = TypeVar("I")  # noqa: E741
R = TypeVar("R")

_TOGETHER: Final = 8
"""Places that are free before new work is begun."""
_GATHERED: Final = 0.1
"""Seconds for which finished results are gathered where the reader wants many."""
MANY: Final = 16
"""Results that are worth a change of threads where nobody looks at each."""


_ending: Final[set[asyncio.Task[list[Any]]]] = set()
"""The ends of streams that nobody waits for."""


class Ahead(ABC, Generic[I, R]):
    """What is made of many items, in their order, ahead of the reader by a bounded number.

    Lives on the loop thread. ``take()`` gives what is ready; ``stop()`` ends the work and gives what was finished but
    not yet taken. A generator on any other thread ends it by a ``with`` block.
    """

    unit: ClassVar[str]
    """What one is called."""
    ahead: ClassVar[int]
    """How many are under way at once."""
    held: ClassVar[int] = MANY
    """How many may be finished beside them and not taken yet."""

    def __init__(self, items: AsyncIterator[I]) -> None:
        self._items = items
        self._tasks: deque[asyncio.Task[R]] = deque()
        self._busy = 0
        """Tasks that are not finished."""
        self._next_index = 0
        self._exhausted = False
        self._given = False
        """Whether anything was taken yet."""
        self._failure: Exception | None = None
        self._filling: asyncio.Task[None] | None = None
        self._arrived = asyncio.Event()

    @abstractmethod
    async def _one(self, index: int, item: I) -> R:
        """What is made of ``item``. An error that it has is a part of it, and not raised."""

    async def take(self, most: int = 1) -> list[R]:
        """The next results in order, at least one; empty at the end.

        Up to ``most`` are waited for a moment: each change of threads costs, and few readers need each at once.
        Where the search itself fails on a later page, what came before is given first and then its error is raised.
        """
        self._keep_filling()
        while not self._tasks and self._filling is not None:
            self._arrived.clear()
            await self._arrived.wait()
            self._keep_filling()
        if not self._tasks:
            if self._failure is not None:
                raise self._failure
            return []
        if most > 1 and self._given:  # the first one is what a person waits for
            await asyncio.wait(list(islice(self._tasks, most)), timeout=_GATHERED)
        await asyncio.wait([self._tasks[0]])
        # Nothing is awaited from here on: results that are taken off and then not handed over would be lost.
        results = []
        while self._tasks and self._tasks[0].done():
            results.append(self._tasks.popleft().result())
        self._given = True
        self._keep_filling()
        return results

    async def stop(self) -> list[R]:
        """Cancel what is under way; the finished results that nobody took."""
        self._exhausted = True
        self._failure = None  # it knows the frames it came through, and they know this stream
        if self._filling is not None:
            self._filling.cancel()
            await asyncio.gather(self._filling, return_exceptions=True)
            self._filling = None
        finished = [task.result() for task in self._tasks if task.done() and not task.cancelled()]
        unfinished = [task for task in self._tasks if not task.done()]
        self._tasks.clear()
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        close = getattr(self._items, "aclose", None)
        if close is not None:
            await close()
        return finished

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if kind is GeneratorExit:
            # Left in the middle, maybe long ago: the collector comes by on any thread, be it our own, or one that the
            # loop thread waits for.
            loop.soon(self._leave)
        else:
            loop.run(self.stop())

    def _leave(self) -> None:
        ending = asyncio.create_task(self.stop())
        _ending.add(ending)
        ending.add_done_callback(_ending.discard)

    def _keep_filling(self) -> None:
        """See to it that items are asked for beside the reader: a slow page must not hold finished posters back."""
        if self._filling is not None and self._filling.done():
            self._filling = None
        # Begun by several at once, since they are then looked up on disk together.
        few = self._busy <= self.ahead - min(_TOGETHER, self.ahead // 4)
        if self._filling is None and few and not self._exhausted and not self._full():
            self._filling = asyncio.create_task(self._fill())

    def _full(self) -> bool:
        return self._busy >= self.ahead or len(self._tasks) >= self.ahead + self.held

    async def _fill(self) -> None:
        try:
            while not self._exhausted and not self._full():
                item = await anext(self._items)
                self._tasks.append(asyncio.create_task(self._counted(self._next_index, item)))
                self._busy += 1
                self._next_index += 1
                self._arrived.set()
        except StopAsyncIteration:
            self._exhausted = True
        except Exception as error:  # noqa: BLE001  # raised by take(), once it has given what came before
            self._exhausted, self._failure = True, error
        finally:
            self._arrived.set()

    async def _counted(self, index: int, item: I) -> R:
        try:
            return await self._one(index, item)
        finally:
            self._busy -= 1
            self._keep_filling()


def collected(
    stream: Ahead[Any, R],
    shown: Callable[[], Any],
    batch: Callable[[list[R]], B],
    each: Callable[[list[R]], object] = lambda _: None,
) -> B:
    """Everything ``stream`` gives, as ``batch`` makes it, under the progress bar that ``shown`` makes.

    ``each`` is called with what just came; not for the last, if that was broken off.
    Ctrl-C raises `Interrupted` with what had come in ``.partial``; an error of the stream itself leaves that to
    ``batch`` and is raised.
    """
    results: list[R] = []

    async def take() -> list[R]:
        taken = await stream.take(MANY)
        results.extend(taken)  # here, since Ctrl-C may come before the caller's thread has them
        return taken

    try:
        with shown() as progress:
            while taken := loop.run(take()):
                each(taken)
                progress.update(len(taken))
    except KeyboardInterrupt:
        results.extend(loop.run(stream.stop()))
        raise Interrupted(f"Interrupted after {len(results)} {stream.unit}s.", partial=batch(results)) from None
    except AssetServiceError:
        batch(results)
        raise
    finally:
        loop.run(stream.stop())
    return batch(results)


async def collected_awaiting(
    stream: Ahead[Any, R], batch: Callable[[list[R]], B], each: Callable[[list[R]], object] = lambda _: None
) -> B:
    """As `collected`, awaited on any loop and without a bar. When cancelled, ``batch`` gets what had come."""
    results: list[R] = []
    try:
        while taken := await loop.awaiting(stream.take(MANY)):
            results.extend(taken)
            each(taken)
    finally:
        results.extend(await loop.awaiting(stream.stop()))
        made = batch(results)
    return made
