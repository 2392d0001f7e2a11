"""A job in memory that a test leads by the hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ipyassets.collections.assets import Asset
from ipyassets.collections.jobs import BlockingJob, JobItem
from ipyassets.errors import AssetServiceError
from ipyassets.http import loop
from tests.fakes import MemoryService

__all__ = ["MemoryJob"]


class MemoryJob(BlockingJob):
    """Stills and a turntable for each asset of a service in memory; nothing happens but what the test says."""

    def __init__(self, count: int = 3, service: MemoryService | None = None, title: str | None = None) -> None:
        self.service = service or MemoryService(count)
        records = [self.service.make(name) for name in self.service.names]
        parts = {"stills": "queued", "turntable": "queued"}
        super().__init__(
            title or f"{count} renders",
            [JobItem(i, record.name, dict(parts), Asset(record, self.service)) for i, record in enumerate(records)],
        )
        self.retried: list[int] = []
        self.unfollowed = 0
        self.refusal: AssetServiceError | None = None

    async def _retry(self) -> None:
        if self.refusal is not None:
            raise self.refusal
        for item in self.items:
            if item.errors:
                self.retried.append(item.index)
                self._begin_again(item.index)

    async def _unfollow(self) -> None:
        self.unfollowed += 1

    def change(self, *changes: tuple[Any, ...]) -> None:
        """Several ``_set(…)`` in one go on the loop thread."""

        def run() -> None:
            for change in changes:
                self._set(*change)

        self.on_loop(run)

    def finish(self, *indices: int) -> None:
        self.change(*((index, part, "completed") for index in indices for part in ("stills", "turntable")))

    def on_loop(self, run: Callable[[], None]) -> None:
        async def work() -> None:
            run()

        loop.run(work())
