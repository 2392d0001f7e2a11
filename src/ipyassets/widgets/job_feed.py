"""What the browser is told of a job: all of it once, then what changed, many changes to a message."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from itertools import zip_longest
from typing import Any, Final

from ipyassets.collections.jobs import JobBase, JobItem
from ipyassets.collections.results import HasResults
from ipyassets.texts import cut
from ipyassets.widgets.tiles import LONGEST_NAME

__all__ = ["JobFeed", "part_label"]

PACE: Final = 0.125
"""Seconds between two messages of one job; what changes meanwhile goes together."""
LONGEST_MESSAGE: Final = 2_000


class JobFeed:
    """One job on its way to the browser, under a key of its own. Lives on the loop thread, once it is made.

    Each message of changes carries the next number, so that a page which missed one notices and asks for all again.
    """

    def __init__(
        self, key: str, job: JobBase, send: Callable[[dict[str, Any]], None], reshaped: Callable[[], None]
    ) -> None:
        self.key = key
        self.job = job
        self.described: dict[str, Any] = {}
        """What of the job seldom changes: a job that is only being ordered has no lines yet."""
        self._send = send
        self._reshaped = reshaped
        self._told: tuple[JobItem, ...] = ()
        self._parts: tuple[str, ...] = ()
        self._number = 0
        self._sent_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._end = job.subscribe(self._changed)
        self._look()  # once changes are told: one that came between would never be seen

    def _look(self) -> tuple[JobItem, ...]:
        """See what shape the job has; gives the lines that changed since the last time."""
        items, told = self.job.items, self._told
        if len(items) != len(told):
            self._parts = tuple(dict.fromkeys(part for item in items for part in item.parts))
            told = ()
        self._told = items
        gives = self.job.gives if isinstance(self.job, HasResults) else {}
        self.described = {
            "key": self.key,
            "title": cut(self.job.title, LONGEST_NAME),
            "count": len(items),
            "parts": [{"name": part, "label": part_label(part), "gives": gives.get(part)} for part in self._parts],
        }
        return tuple(item for item, before in zip_longest(items, told) if item is not before)

    def standing(self) -> dict[str, Any]:
        """The job as a whole, in numbers; the browser makes the words and lets the clock tick."""
        job = self.job
        items = job.items
        return {
            "key": self.key,
            "number": self._number,
            "status": job.status,
            "progress": round(job.progress, 4),
            "done": sum(item.done for item in items),
            "failed": sum(item.status in ("failed", "partly_failed") for item in items),
            "began": job.began,
            "ended": job.ended,
            "remaining": job.remaining,
            "now": time.time(),
            "trouble": cut(str(job.trouble), LONGEST_MESSAGE) if job.trouble else None,
        }

    def whole(self) -> dict[str, Any]:
        """The job and all its lines as they stand."""
        rows = [{"name": cut(item.name, LONGEST_NAME), **self._row(item)} for item in self.job.items]
        return {"standing": self.standing(), "rows": rows}

    def close(self) -> None:
        """Tell nothing more. May be called on any thread."""
        self._end()
        self._send, self._reshaped = _silent, _still

    def _changed(self) -> None:
        if self._timer is None:
            wait = self._sent_at + PACE - time.monotonic()
            self._timer = asyncio.get_running_loop().call_later(max(0.0, wait), self._flush)

    def _flush(self) -> None:
        self._timer = None
        self._sent_at = time.monotonic()
        described = self.described
        changed = self._look()
        self._number += 1
        self._send({"op": "news", "standing": self.standing(), "rows": [self._row(item) for item in changed]})
        if self.described != described:
            self._reshaped()  # and the browser asks for all lines

    def _row(self, item: JobItem) -> dict[str, Any]:
        row: dict[str, Any] = {"index": item.index, "stages": [item.parts.get(part) for part in self._parts]}
        if item.shares:
            row["shares"] = [item.shares.get(part) for part in self._parts]
        if item.errors:
            row["errors"] = {part: cut(str(error), LONGEST_MESSAGE) for part, error in item.errors.items()}
        if item.began is not None:
            row["began"] = item.began
        if item.ended is not None:
            row["ended"] = item.ended
        return row


def part_label(part: str) -> str:
    """A part's name as people read it."""
    return part.replace("_", " ").capitalize()


def _silent(_message: dict[str, Any]) -> None:
    """Where what nobody hears goes."""


def _still() -> None:
    """What a feed does that nobody hears."""
