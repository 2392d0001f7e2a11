"""Jobs that begin with an order: what happens before there is anything to follow, and what the following tells."""

from __future__ import annotations

import asyncio
import contextlib
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, Self

from ipyassets.collections.jobs import AwaitedJob, BlockingJob, JobBase, JobStatus, View
from ipyassets.errors import AssetServiceError, Interrupted, without_frames
from ipyassets.http import loop

__all__ = ["AwaitedOrder", "BlockingOrder", "OrderedJob"]


class OrderedJob(JobBase):
    """What the blocking and the awaited job of every kind of order share. ``title``: before more is known."""

    def __init__(self, title: str, view: View | None = None) -> None:
        super().__init__(title, (), view)
        self._placing = True
        self._placed = asyncio.Event()

    @property
    def status(self) -> JobStatus:
        """queued, running, completed, partly_failed, failed or stopped (nobody follows it any more)."""
        if self._placing:
            return "queued"
        return "failed" if self._broken is not None and not self._items else super().status

    @property
    def progress(self) -> float:
        """0 to 1, over all items; what failed is over, too."""
        return super().progress if self._items else 0.0

    # -- for the job of a kind ------------------------------------------------------------------------------------

    @abstractmethod
    async def _order(self, find: Callable[[], Awaitable[Any]]) -> None:
        """Set the items by what ``find`` gives, send the order and begin to follow.

        Raises if nothing at all was taken.
        """

    @abstractmethod
    def _broken_off(self) -> AssetServiceError:
        """What to say where nobody knows whether the service took the order."""

    # -- the order ------------------------------------------------------------------------------------------------

    async def _place(self, find: Callable[[], Awaitable[Any]]) -> None:
        """Send the order. Raises if nothing at all was taken."""
        try:
            with self._failing(lambda: range(len(self._items))):
                await self._order(find)
        except AssetServiceError as error:
            self._broken = error
            raise
        except BaseException:
            self._broken = self._broken_off()
            raise
        finally:
            self._placing = False
            self._placed.set()
            self._changed()

    @contextlib.contextmanager
    def _failing(self, indexes: Callable[[], Iterable[int]]) -> Iterator[None]:
        """Whatever is raised inside has failed what is not done of these items."""
        try:
            yield
        except AssetServiceError as error:
            self._fail(indexes(), error)
            raise
        except BaseException:
            self._fail(indexes(), self._broken_off())
            raise

    def _fail(self, indexes: Iterable[int], error: AssetServiceError) -> None:
        self._end(indexes, "failed", error)

    def _followed(self, trouble: AssetServiceError | None, *, over: bool) -> None:
        """Take note of what troubles the following, and of its end by that."""
        if trouble is not self.trouble:
            self.trouble = None if trouble is None else without_frames(trouble)
            self._changed()
        if over:
            self._broken, self._stopped = trouble, True
            self._end(range(len(self._items)), "stopped", trouble)

    async def _stop(self) -> None:
        await self._placed.wait()
        await super()._stop()


class BlockingOrder(OrderedJob, BlockingJob):
    """An ordered job whose methods block."""

    def _begin(self, find: Callable[[], Awaitable[Any]]) -> Self:
        """Send the order and wait until it is taken."""
        try:
            loop.run(self._place(find))
        except KeyboardInterrupt:
            raise Interrupted(str(self._broken_off()), partial=self) from None
        except AssetServiceError:
            self._broken, self._items = None, ()  # nobody gets this job, and the error knows it by its frames
            raise
        return self


class AwaitedOrder(OrderedJob, AwaitedJob):
    """An ordered job that is awaited. The order is sent in the background at once; `submitted` waits for that alone."""

    async def submitted(self) -> Self:
        """Wait until the order is taken; gives the job. Raises what the service said if nothing at all was taken."""
        await loop.awaiting(self._taken())
        return self

    async def _taken(self) -> None:
        await self._placed.wait()
        if self._broken is not None:
            raise self._broken

    def _begin(self, find: Callable[[], Awaitable[Any]]) -> Self:
        """Send the order in the background."""

        async def place() -> None:
            with contextlib.suppress(AssetServiceError):  # whoever waits is told
                await self._place(find)

        loop.submit(place())
        return self
