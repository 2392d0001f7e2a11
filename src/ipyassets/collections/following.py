"""Looking how work at a service stands: one follower for all jobs of a service, few requests, and hints heeded.

A follower lives while a job is followed that somebody holds, and knows jobs by weak references alone.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import time
import weakref
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, Protocol, TypeAlias

from ipyassets.errors import AssetServiceError, InvalidRequest
from ipyassets.http.gather import gathered
from ipyassets.services.base import Record
from ipyassets.services.events import Event, hub
from ipyassets.services.rendering import RenderFile, RenderService, Standings

__all__ = ["Followed", "Follower", "Found", "Pace", "end_following", "follower", "listed", "poll_seconds"]

log = logging.getLogger("ipyassets.jobs")

FIRST_LOOK: Final = 2.0
"""Seconds from an order to the first look, and again after each change."""
GROWTH: Final = 1.4
LONGEST: Final = 30.0
"""Seconds between two looks at most."""
LONGEST_WITH_EVENTS: Final = 60.0
"""The same while a receiver runs: a safety net for events that never come."""
SOON: Final = 1.0
"""Seconds to the first look that is to confirm what the one before has shown, or an event has told."""
GATHERING: Final = 0.25
"""Seconds between the first event and the look it leads to, so that a burst of them leads to one."""
_LISTED_AT_ONCE: Final = 8

Found: TypeAlias = tuple[RenderFile, ...] | AssetServiceError
"""The files of an asset, or why they could not be listed."""


class Pace:
    """When to look next: soon, then less and less often, and soon again after a change."""

    def __init__(self, first: float) -> None:
        self.first = first
        self.wait = first
        self.due = time.monotonic() + first
        self._heard = False
        self._confirming = False

    def looked(self, *, changed: bool, soon: bool = False, at_least: float = 0.0) -> None:
        """``soon``: something was seen that only another look can tell; ``at_least``: seconds the service asks for."""
        longest = LONGEST_WITH_EVENTS if hub.receiving else LONGEST
        confirming, self._confirming = self._confirming, soon
        if soon:
            wait = self.wait * GROWTH if confirming else min(self.first, SOON)
            self.wait = min(wait, self.first if changed else longest)
        elif changed:
            # Events do come: the next change will be told as well.
            self.wait = LONGEST_WITH_EVENTS if self._heard and hub.receiving else self.first
        else:
            self.wait = max(min(self.wait * GROWTH, longest), 0.0 if self._heard else self.first)
        self.due = time.monotonic() + max(self.wait, at_least)

    def heard(self) -> None:
        """An event came; should the look it leads to show nothing yet, the next ones come soon."""
        self._heard, self.wait = True, min(self.wait, self.first, SOON)

    def reset(self) -> None:
        self.wait = self.first
        self.due = time.monotonic() + self.first


class Followed(Protocol):
    """What a follower needs of the watches of one job."""

    pace: Pace

    def awaited(self) -> Mapping[str, Record]:
        """The records of which a part is still awaited, by id; empty when nothing is."""

    def wants_files(self, id: str, standings: Standings) -> bool:
        """Whether the files of an asset must be listed."""

    def looked(self, standings: Standings, files: Mapping[str, Found], ids: Iterable[str]) -> None:
        """Take note of what was found of ``ids``, and of when to look next."""

    def troubled(self, error: AssetServiceError) -> None:
        """Take note that a look failed, and of when to look next."""

    def give_up(self, error: AssetServiceError) -> None:
        """Take note that nobody looks any more."""


class Follower:
    """Looks for the jobs of one service. Lives on the loop thread."""

    def __init__(self, service: RenderService) -> None:
        self.service = service
        self._followed: set[weakref.ref[Followed]] = set()
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._hinted: set[str] = set()
        self._hints_due = math.inf

    def follow(self, one: Followed) -> None:
        self._followed.add(weakref.ref(one, self._dropped))
        self._wake.set()
        if self._task is None:
            self._task = self._loop.create_task(self._run(), name=f"{self.service.name} renders")

    def forget(self, one: Followed) -> None:
        self._followed = {there for there in self._followed if there() is not one}
        self._wake.set()

    def end(self, error: AssetServiceError) -> None:
        """Nothing can be asked of the service any more: all jobs stop, and say ``error``."""
        for one in self.followed():
            one.give_up(error)
        self._wake.set()

    def followed(self) -> list[Followed]:
        """Those that are still held by somebody."""
        return [one for there in self._followed if (one := there()) is not None]

    async def _run(self) -> None:
        unsubscribe = hub.subscribe(self._heard)
        try:
            while (pause := self._pause()) is not None:
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._wake.wait()
                self._wake.clear()
                await self._look_if_due()
        finally:
            unsubscribe()
            self._task = None

    def _pause(self) -> float | None:
        """Seconds until somebody is due; None if nobody is followed any more."""
        self._followed = {there for there in self._followed if (one := there()) is not None and one.awaited()}
        dues = [one.pace.due for one in self.followed()]
        return max(0.0, min(*dues, self._hints_due) - time.monotonic()) if dues else None

    async def _look_if_due(self) -> None:
        now = time.monotonic()
        looked: list[Followed] = []
        if any(one.pace.due <= now for one in self.followed()):
            # Whoever is nearly due comes along: one request serves all.
            looked = [one for one in self.followed() if one.pace.due <= now + 0.2 * one.pace.wait]
            await self.look(looked)
        if self._hints_due <= now:
            hinted, self._hinted, self._hints_due = self._hinted, set(), math.inf
            rest = [one for one in self.followed() if one not in looked and not hinted.isdisjoint(one.awaited())]
            if rest:
                await self.look(rest, hinted)

    async def look(self, who: Sequence[Followed], ids: set[str] | None = None) -> None:
        """Look how the work of ``who`` stands (at some assets only: ``ids``) and tell them; their pace follows."""
        asked = {id: rec for one in who for id, rec in one.awaited().items() if ids is None or id in ids}
        if not asked:
            return
        try:
            standings = await self.service.render_standings(list(asked.values()))
            wanted = [
                record
                for id, record in asked.items()
                if id not in standings.gone and any(one.wants_files(id, standings) for one in who)
            ]
            files = await listed(self.service, wanted)
        except AssetServiceError as error:
            self._failed(who, error)
            return
        except Exception as error:
            log.exception("looking how the renders of %s stand failed", self.service.title)
            self._failed(who, _surprise(self.service, error))
            return
        for one in who:
            one.looked(standings, files, asked)

    def _failed(self, who: Sequence[Followed], error: AssetServiceError) -> None:
        for one in who:
            one.troubled(error)

    def _heard(self, event: Event) -> None:
        """An event, on whatever thread."""
        if event.service == self.service.name and event.asset is not None:
            self._loop.call_soon_threadsafe(self._hint, event.asset)

    def _hint(self, id: str) -> None:
        for one in self.followed():
            known = [there for there in one.awaited() if there.lower() == id.lower()]  # uuids come in either case
            if known:
                one.pace.heard()
                self._hinted.update(known)
                self._hints_due = min(self._hints_due, time.monotonic() + GATHERING)
                self._wake.set()

    def _dropped(self, there: weakref.ref[Any]) -> None:
        """A job was collected, on whatever thread that happened."""
        del there
        self._loop.call_soon_threadsafe(self._wake.set)


_followers: weakref.WeakValueDictionary[int, Follower] = weakref.WeakValueDictionary()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_followers.clear)  # their tasks did not come along


def follower(service: RenderService) -> Follower:
    """The one follower of ``service``; the jobs that use it keep it."""
    found = _followers.get(id(service))
    if found is None or found.service is not service:
        found = _followers[id(service)] = Follower(service)
    return found


async def end_following(service: object, error: AssetServiceError) -> None:
    """Nothing can be asked of ``service`` any more: the jobs that use it stop, and say ``error``."""
    found = _followers.get(id(service))
    if found is not None:
        found.end(error)


async def listed(service: RenderService, records: Sequence[Record]) -> dict[str, Found]:
    """The files of each of ``records`` by its id, several listed at once; errors in their place."""

    async def one(record: Record) -> Found:
        try:
            return await service.render_files(record)
        except AssetServiceError as error:
            return error

    found = await gathered(one, records, _LISTED_AT_ONCE)
    return {record.id: files for record, files in zip(records, found, strict=True)}


def poll_seconds(poll: Any) -> float:
    """Seconds to the first look. Raises `InvalidRequest` for what is no positive number."""
    if isinstance(poll, bool) or not isinstance(poll, int | float) or not 0 < poll <= 3600:
        raise InvalidRequest(f"poll must be seconds, more than 0 and at most 3600; got {poll!r:.80}.")
    return float(poll)


def _surprise(service: RenderService, error: Exception) -> AssetServiceError:
    return AssetServiceError(f"{service.title}: {type(error).__name__} while looking how the renders stand.")
