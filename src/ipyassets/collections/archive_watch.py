"""Looking how archives stand while a service makes them: one task for each job that somebody holds.

Each archive is asked for by itself, so jobs have nothing to share as renders do; the pace is the same.
"""

from __future__ import annotations

import asyncio
import logging
import time
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final, TypeAlias

from ipyassets.collections.following import Pace
from ipyassets.collections.watches import REFUSED_LOOKS
from ipyassets.errors import (
    AssetServiceError,
    AuthenticationError,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    RateLimited,
)
from ipyassets.http.gather import gathered
from ipyassets.services.downloading import ArchiveService, ArchiveStanding

__all__ = ["ArchiveWatch", "Look", "end_archives"]

log = logging.getLogger("ipyassets.jobs")

_AT_ONCE: Final = 4
_FOR_GOOD: Final = (AuthenticationError, PermissionDenied, InvalidRequest)

Look: TypeAlias = Mapping[int, ArchiveStanding | AssetServiceError]
"""How the archives of a job stand, by their index; an error in the place of one that will not come any more."""
News: TypeAlias = Callable[[Look, AssetServiceError | None, bool], None]
"""Told after each look: what is new, the trouble there was, and whether nobody looks any more."""

_watches: Final[weakref.WeakSet[ArchiveWatch]] = weakref.WeakSet()


class ArchiveWatch:
    """Looks for one job, which it holds weakly. Lives on the loop thread."""

    def __init__(self, service: ArchiveService, pace: Pace, news: News) -> None:
        self.service = service
        self.pace = pace
        self._news: weakref.WeakMethod[News] = weakref.WeakMethod(news, self._dropped)
        self._awaited: dict[int, str] = {}
        self._stages: dict[int, tuple[str, float | None]] = {}
        self._lost: dict[int, int] = {}
        self._refusals = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        _watches.add(self)

    def follow(self, archives: Mapping[int, str]) -> None:
        """Look how the archives of these job ids stand, by index, besides those that are awaited already."""
        self._awaited.update(archives)
        self._refusals = 0
        self._loop = asyncio.get_running_loop()
        self.pace.reset()
        self._wake.set()
        if self._task is None:
            self._task = self._loop.create_task(self._run(), name=f"{self.service.name} archives")

    def forget(self) -> None:
        self._awaited.clear()
        self._wake.set()

    def give_up(self, error: AssetServiceError) -> None:
        if self._awaited:
            self.forget()
            self._tell({}, error, over=True)

    async def look(self) -> None:
        """Look now, and tell the job."""
        asked = dict(self._awaited)
        found = await gathered(self._standing, asked.values(), _AT_ONCE)
        told = zip(asked, found, strict=True)
        self._judge({index: standing for index, standing in told if index in self._awaited})

    async def _standing(self, id: str) -> ArchiveStanding | AssetServiceError:
        try:
            return await self.service.archive_standing(id)
        except AssetServiceError as error:
            return error
        except Exception as error:
            log.exception("looking how an archive of %s stands failed", self.service.title)
            return AssetServiceError(
                f"{self.service.title}: {type(error).__name__} while looking how an archive stands."
            )

    def _judge(self, found: Look) -> None:
        news: dict[int, ArchiveStanding | AssetServiceError] = {}
        trouble: AssetServiceError | None = None
        changed, wait = False, 0.0
        for index, told in found.items():
            if isinstance(told, AssetServiceError):
                trouble = told
                wait = max(wait, (told.retry_after or 0.0) if isinstance(told, RateLimited) else 0.0)
                self._lost[index] = self._lost.get(index, 0) + 1 if isinstance(told, NotFound) else 0
                if self._lost[index] >= REFUSED_LOOKS:
                    news[index] = told
                    del self._awaited[index]
                continue
            self._lost.pop(index, None)
            stage = (told.stage, told.progress)
            changed |= self._stages.get(index, stage)[0] != told.stage
            if self._stages.get(index) != stage or told.stage in ("completed", "failed"):
                self._stages[index] = stage
                news[index] = told
            if told.stage in ("completed", "failed"):
                del self._awaited[index]
        self.pace.looked(changed=changed, at_least=wait)
        refused = bool(found) and all(isinstance(told, _FOR_GOOD) for told in found.values())
        self._refusals = self._refusals + 1 if refused else 0
        self._tell(news, trouble, over=False)
        if trouble is not None and self._refusals >= REFUSED_LOOKS:
            self.give_up(trouble)

    async def _run(self) -> None:
        try:
            while self._awaited and self._news() is not None:
                with suppress(TimeoutError):
                    async with asyncio.timeout(max(0.0, self.pace.due - time.monotonic())):
                        await self._wake.wait()
                self._wake.clear()
                if self._awaited and self._news() is not None and self.pace.due <= time.monotonic():
                    await self.look()
        finally:
            self._task = None

    def _tell(self, look: Look, trouble: AssetServiceError | None, *, over: bool) -> None:
        news = self._news()
        if news is not None:
            news(look, trouble, over)

    def _dropped(self, there: Any) -> None:
        """The job was collected, on whatever thread that happened."""
        del there
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake.set)


async def end_archives(service: object, error: AssetServiceError) -> None:
    """Nothing can be asked of ``service`` any more: the jobs that use it stop, and say ``error``."""
    for watch in list(_watches):
        if watch.service is service:
            watch.give_up(error)
