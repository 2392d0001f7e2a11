"""What the browser is told of a job: all of it once, then what changed, many changes to a message."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

from ipyassets.collections.jobs import JobBase, JobItem

__all__ = ["JobFeed", "part_label"]

PACE: Final = 0.125
"""Seconds between two messages of one job; what changes meanwhile goes together."""
LONGEST_NAME: Final = 300
LONGEST_MESSAGE: Final = 2_000


class JobFeed:
    """One job on its way to the browser, under a key of its own. Lives on the loop thread, but for `described`.

    Each message of changes carries the next number, so that a page which missed one notices and asks for all again.
    """

    def __init__(self, key: str, job: JobBase, send: Callable[[dict[str, Any]], None]) -> None:
        self.key = key
        self.job = job
        self.parts = tuple(dict.fromkeys(part for item in job.items for part in item.parts))
        """Names of the parts that its lines have, in order."""
        self._send = send
        self._told: tuple[JobItem, ...] = job.items
        self._number = 0
        self._sent_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._end = job.subscribe(self._changed)

    @property
    def described(self) -> dict[str, Any]:
        """What of the job never changes."""
        return {
            "key": self.key,
            "title": self.job.title[:LONGEST_NAME],
            "count": len(self.job.items),
            "parts": [{"name": part, "label": part_label(part)} for part in self.parts],
        }

    def standing(self) -> dict[str, Any]:
        """The job as a whole, in numbers; the browser makes the words and lets the clock tick."""
        job = self.job
        items = job.items
        trouble = getattr(job, "trouble", None)
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
            "trouble": str(trouble)[:LONGEST_MESSAGE] if trouble else None,
        }

    def whole(self) -> dict[str, Any]:
        """The job and all its lines as they stand."""
        rows = [{"name": item.name[:LONGEST_NAME], **self._row(item)} for item in self.job.items]
        return {"standing": self.standing(), "rows": rows}

    def close(self) -> None:
        """Tell nothing more. May be called on any thread."""
        self._end()
        self._send = _silent

    def _changed(self) -> None:
        if self._timer is None:
            wait = self._sent_at + PACE - time.monotonic()
            self._timer = asyncio.get_running_loop().call_later(max(0.0, wait), self._flush)

    def _flush(self) -> None:
        self._timer = None
        self._sent_at = time.monotonic()
        now = self.job.items
        rows = [self._row(item) for item, told in zip(now, self._told, strict=True) if item is not told]
        self._told = now
        self._number += 1
        self._send({"op": "news", "standing": self.standing(), "rows": rows})

    def _row(self, item: JobItem) -> dict[str, Any]:
        row: dict[str, Any] = {"index": item.index, "stages": [item.parts.get(part) for part in self.parts]}
        if item.shares:
            row["shares"] = [item.shares.get(part) for part in self.parts]
        if item.errors:
            row["errors"] = {part: str(error)[:LONGEST_MESSAGE] for part, error in item.errors.items()}
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
