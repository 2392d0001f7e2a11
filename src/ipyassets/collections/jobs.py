"""Work that a service does for us over time: what every job has, whatever is made.

A job's state changes on the loop thread alone; what it shows (`items`, `status`, `progress`) are snapshots that any
thread may read.
"""

from __future__ import annotations

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, ClassVar, Final, Literal, NoReturn, Self, TypeAlias

from ipyassets.arguments import patience, plain_function
from ipyassets.collections.assets import AssetBase
from ipyassets.collections.callbacks import call
from ipyassets.collections.progress import bar
from ipyassets.errors import AssetServiceError, Interrupted, InvalidRequest, JobFailed, JobTimeout, without_frames
from ipyassets.http import loop

__all__ = ["AwaitedJob", "BlockingJob", "JobBase", "JobItem", "JobStatus", "PartStage", "View"]

log = logging.getLogger("ipyassets.jobs")

JobStatus: TypeAlias = Literal["queued", "running", "completed", "partly_failed", "failed", "stopped"]
PartStage: TypeAlias = Literal["queued", "running", "completed", "failed", "stopped"]
View: TypeAlias = Callable[[Any], Any]
"""Makes the thing that shows a job or a turntable in a notebook; given by the layer that knows widgets."""

_ENDED: Final = frozenset({"completed", "failed", "stopped"})
_NAMED_IN_MESSAGES: Final = 3

_called_back: Final[set[JobBase]] = set()
"""Jobs of which somebody waits to be called back."""


@dataclass(frozen=True, slots=True)
class JobItem:
    """One line of a job, mostly one asset, and how far each part of its work has come."""

    index: int
    name: str
    parts: Mapping[str, PartStage]
    """By the part's name, such as ``stills`` and ``turntable``."""
    asset: AssetBase | None = None
    errors: Mapping[str, AssetServiceError] = field(default_factory=lambda: MappingProxyType({}))
    """Why a part failed, by its name."""
    shares: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """How much of a running part is done, 0 to 1, where the service tells."""
    began: float | None = None
    """Seconds since the epoch at which the first part was seen running."""
    ended: float | None = None
    """Seconds since the epoch at which the last part ended."""

    @property
    def done(self) -> bool:
        return all(stage in _ENDED for stage in self.parts.values())

    @property
    def status(self) -> JobStatus:
        return _status(self.parts.values())

    @property
    def progress(self) -> float:
        """0 to 1; a part that failed is over, too; one that is not followed any more stays as far as it was seen."""
        if not self.parts:
            return 1.0
        ended = ("completed", "failed")
        done = sum(1.0 if stage in ended else self.shares.get(part, 0.0) for part, stage in self.parts.items())
        return done / len(self.parts)


class JobBase(ABC):
    """What the blocking and the awaited job share. Coroutines that begin with ``_`` run on the loop thread."""

    title: str
    """What the job is, for people: "12 renders"."""
    unit: ClassVar[str] = "asset"
    """What one of its items is."""

    def __init__(self, title: str, items: Iterable[JobItem], view: View | None = None) -> None:
        self.title = title
        self.began = time.time()
        """Seconds since the epoch."""
        self._items = tuple(items)
        self._view = view
        self._listeners: list[Callable[[], None]] = []
        self._stopped = False
        self._ended: float | None = None
        self._over = asyncio.Event()
        self._telling = False
        self._told_done: set[int] = set()
        self._on_item: list[Callable[[JobItem], Any]] = []
        self._on_done: list[Callable[[Self], Any]] = []
        self.trouble: AssetServiceError | None = None
        """Why the last look how the work stands failed; None since one succeeded. The work itself goes on."""
        self._broken: AssetServiceError | None = None
        """Why the work is not followed any more, or was never taken: whoever waits is told."""

    # -- how it stands --------------------------------------------------------------------------------------------

    @property
    def items(self) -> tuple[JobItem, ...]:
        """One for each asset, in order, as they stand now."""
        return self._items

    @property
    def status(self) -> JobStatus:
        """queued, running, completed, partly_failed, failed or stopped (nobody follows it any more)."""
        if self._stopped and not all(item.done for item in self._items):
            return "stopped"
        return _status(stage for item in self._items for stage in item.parts.values())

    @property
    def progress(self) -> float:
        """0 to 1, over all assets; what failed is over, too."""
        items = self._items
        return sum(item.progress for item in items) / len(items) if items else 1.0

    @property
    def done(self) -> bool:
        """Whether nothing is awaited any more: all is over, or nobody follows it."""
        return self.status not in ("queued", "running")

    @property
    def ended(self) -> float | None:
        """Seconds since the epoch at which it was done; None before."""
        return self._ended

    @property
    def failures(self) -> list[tuple[int, AssetBase | None, AssetServiceError]]:
        """``(index, asset, error)`` for every part that failed."""
        return [(item.index, item.asset, error) for item in self._items for error in item.errors.values()]

    @property
    def remaining(self) -> float | None:
        """Seconds the rest may take, by the pace so far; None where there is none yet."""
        share = self.progress
        return None if self.done or not 0 < share < 1 else (time.time() - self.began) * (1 - share) / share

    # -- being told -----------------------------------------------------------------------------------------------

    def on_item_done(self, callback: Callable[[JobItem], Any]) -> None:
        """Call ``callback(item)`` when an asset's work is over, for those that are over already too.

        Callbacks run one after the other on a thread of their own, so they may take their time and use the job.
        """
        plain_function("A callback", callback, "use `await job`")

        def begin() -> None:
            self._on_item.append(callback)
            self._keep()
            for item in self._items:
                if item.index in self._told_done:
                    call(callback, item)

        loop.loop().call_soon_threadsafe(begin)

    def on_done(self, callback: Callable[[Self], Any]) -> None:
        """Call ``callback(job)`` when all work is over; at once if it is. As for `on_item_done`."""
        plain_function("A callback", callback, "use `await job`")

        def begin() -> None:
            self._on_done.append(callback)
            self._keep()
            if self._over.is_set():
                call(callback, self)

        loop.loop().call_soon_threadsafe(begin)

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call ``listener()`` on the loop thread after changes, several at once told once; gives what ends that."""
        self._listeners.append(listener)

        def end() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return end

    def _keep(self) -> None:
        """Who waits by a callback need not hold the job as well."""
        if not self._over.is_set():
            _called_back.add(self)

    # -- for the job of a kind ------------------------------------------------------------------------------------

    @abstractmethod
    async def _retry(self) -> None:
        """Ask again for what failed; puts its items back to queued."""

    @abstractmethod
    async def _unfollow(self) -> None:
        """Stop looking how the work stands; the service goes on with it."""

    def _set(
        self,
        index: int,
        part: str,
        stage: PartStage,
        error: AssetServiceError | None = None,
        share: float | None = None,
    ) -> None:
        """Take note that a part came to a stage."""
        item = self._items[index]
        errors = {name: kept for name, kept in item.errors.items() if name != part}
        if error is not None:
            errors[part] = without_frames(error)
        shares = {name: kept for name, kept in item.shares.items() if name != part}
        if share is not None:
            shares[part] = share
        new = replace(item, parts={**item.parts, part: stage}, errors=errors, shares=shares)
        now = time.time()
        if new.began is None and any(at not in ("queued", "stopped") for at in new.parts.values()):
            new = replace(new, began=now)
        new = replace(new, ended=(item.ended or now) if new.done else None)
        if new.parts == item.parts and new.shares == item.shares and new.errors == item.errors:
            return
        self._items = (*self._items[:index], new, *self._items[index + 1 :])
        self._changed()

    def _begin_again(self, index: int) -> None:
        """Put an item back to queued, with nothing said of it."""
        item = self._items[index]
        fresh = JobItem(index, item.name, dict.fromkeys(item.parts, "queued"), item.asset)
        self._items = (*self._items[:index], fresh, *self._items[index + 1 :])
        self._told_done.discard(index)
        self._changed()

    def _changed(self) -> None:
        """Tell the listeners soon, and once for many changes."""
        if self.done and self._ended is None:
            self._ended = time.time()
        elif not self.done:
            self._ended = None
            self._over.clear()
            if self._on_done or self._on_item:
                self._keep()
        if not self._telling:
            self._telling = True
            asyncio.get_running_loop().call_soon(self._tell)

    def _tell(self) -> None:
        self._telling = False
        for listener in tuple(self._listeners):
            try:
                listener()
            except Exception:  # one view's trouble is not the job's
                log.exception("a listener of %r failed", self)
        for item in self._items:
            if item.done and item.index not in self._told_done:
                self._told_done.add(item.index)
                for callback in tuple(self._on_item):
                    call(callback, item)
        if self.done and not self._over.is_set():
            self._over.set()
            _called_back.discard(self)
            for whole in tuple(self._on_done):
                call(whole, self)

    async def _finished(self, timeout: float | None) -> None:  # noqa: ASYNC109  # said in the error
        """Until it is done. Raises `JobTimeout`, `JobFailed` if nothing at all succeeded, and what broke it off."""
        try:
            async with asyncio.timeout(timeout):
                while not self.done:
                    await self._over.wait()
        except TimeoutError:
            raise JobTimeout(
                f"{self!r} was not done after {timeout:g} s. The work goes on: wait again, or look at job.items."
            ) from None
        if self._broken is not None:
            raise self._broken
        if self.status == "failed":
            raise JobFailed(f"{self.title}: nothing succeeded. {self._said()}", details=self.failures)

    async def _stop(self) -> None:
        if self.done:
            return
        self._stopped = True
        await self._unfollow()
        self._end(range(len(self._items)), "stopped")
        self._changed()

    def _end(self, indexes: Iterable[int], stage: PartStage, error: AssetServiceError | None = None) -> None:
        """Bring what is not over of these items to its end."""
        for index in indexes:
            for part, at in self._items[index].parts.items():
                if at not in _ENDED:
                    self._set(index, part, stage, error)

    def _said(self) -> str:
        errors = [str(error) for _, _, error in self.failures]
        more = len(errors) - _NAMED_IN_MESSAGES
        return " ".join(errors[:_NAMED_IN_MESSAGES]) + (f" And {more} more." if more > 0 else "")

    def __await__(self) -> Generator[Any, Any, Self]:
        """From any loop: until it is done, as ``wait()``; gives the job."""
        return self._waited().__await__()

    async def _waited(self) -> Self:
        await loop.awaiting(self._finished(None))
        return self

    def _seen(self) -> Any:
        """What shows it in a notebook. Raises `InvalidRequest` where nothing does."""
        if self._view is None:
            raise InvalidRequest("This job was made without anything that shows it: a client's jobs have that.")
        return self._view(self)

    def __repr__(self) -> str:
        items = self._items
        failed = sum(item.status in ("failed", "partly_failed") for item in items)
        done = sum(item.done and item.status != "stopped" for item in items)
        counts = f"{done} of {len(items)} done" + (f", {failed} with failures" if failed else "")
        return f"{type(self).__name__}({self.title}: {self.status}, {counts})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A job belongs to a client with credentials and is not pickled; keep the ids of its assets.")

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        if self._view is None:
            return {"text/plain": repr(self)}
        return self._view(self)._repr_mimebundle_(**kwargs)


class BlockingJob(JobBase):
    """A job whose methods block until they are done; ``await job`` works too."""

    def wait(self, timeout: float | None = None, *, progress: bool | None = None) -> Self:
        """Wait until it is done, at most ``timeout`` seconds; gives the job back.

        Raises `JobTimeout` when the time is over (the work goes on), `JobFailed` if nothing at all succeeded, and the
        error that ended the following, such as `AuthenticationError`; what failed of a job that is partly done stands
        in `failures`. Ctrl-C raises `Interrupted`; the job goes on.
        ``progress``: a bar with count and rate; None shows one where a person is looking, after a second.
        """
        with bar(len(self.items), self.unit, self.title, progress) as shown:
            try:
                loop.run(
                    self._finished(patience(timeout)),
                    lambda: shown.update(sum(item.done for item in self.items) - shown.n),
                )
            except KeyboardInterrupt:
                raise Interrupted(f"Interrupted; {self!r} goes on.", partial=self) from None
        return self

    def stop_following(self) -> None:
        """Look no more how the work stands. The service goes on with it: it offers no way to stop it."""
        loop.run(self._stop())

    def retry_failed(self) -> Self:
        """Ask again for everything that failed; gives the job back, which then goes on."""
        loop.run(self._retry())
        return self

    def snapshot(self) -> Any:
        """A still picture of the job and what it made, in static HTML that shows without a kernel."""
        return self._seen().snapshot()


class AwaitedJob(JobBase):
    """A job whose methods are awaited; ``await job`` waits until it is done."""

    async def wait(self, timeout: float | None = None) -> Self:  # noqa: ASYNC109  # the contract's own word
        """As `BlockingJob.wait`, without a progress bar."""
        await loop.awaiting(self._finished(patience(timeout)))
        return self

    async def stop_following(self) -> None:
        """As `BlockingJob.stop_following`."""
        await loop.awaiting(self._stop())

    async def retry_failed(self) -> Self:
        """As `BlockingJob.retry_failed`."""
        await loop.awaiting(self._retry())
        return self

    async def snapshot(self) -> Any:
        """As `BlockingJob.snapshot`."""
        return await asyncio.to_thread(self._seen().snapshot)


def _status(stages: Iterable[str]) -> JobStatus:
    there = list(stages)
    if any(stage in ("queued", "running") for stage in there):
        return "queued" if all(stage == "queued" for stage in there) else "running"
    if "stopped" in there:
        return "stopped"
    if "failed" in there:
        return "partly_failed" if "completed" in there else "failed"
    return "completed"
