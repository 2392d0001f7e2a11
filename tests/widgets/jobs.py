"""A job in memory that a test leads by the hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ipyassets.collections.assets import Asset
from ipyassets.collections.chosen import Chosen
from ipyassets.collections.jobs import BlockingJob, JobItem
from ipyassets.collections.render_job import RenderJob
from ipyassets.errors import AssetServiceError
from ipyassets.http import loop
from ipyassets.services.base import Capabilities, Record, Served
from ipyassets.services.rendering import PARTS, RenderFile, RenderOrder, RenderService, Standings, Submitted
from tests.fakes import MemoryService, picture

__all__ = ["MemoryJob", "RendersInMemory", "Studio"]


class Led:
    """What a test does with a job."""

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


class MemoryJob(Led, BlockingJob):
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


class Studio(MemoryService, RenderService):
    """Has made two stills and an MP4 of everything; counts what it is asked."""

    name = "studio"
    title = "Studio"
    capabilities = Capabilities(render=True)

    def __init__(self, count: int = 3) -> None:
        super().__init__(count)
        self.orders: list[tuple[list[str], RenderOrder]] = []
        self.files: dict[str, tuple[RenderFile, ...] | Exception] = {}
        """What there is of an asset, or what is raised, instead of two stills and an MP4."""
        self.looked: list[str] = []
        self.before_files: Callable[[str], Any] | None = None

    def make(self, name: str) -> Record:
        return replace(super().make(name), service=self.name)

    async def submit_renders(self, records: Sequence[Record], order: RenderOrder) -> Submitted:
        self.orders.append(([record.id for record in records], order))
        return Submitted(tuple(record.id for record in records))

    async def render_standings(self, records: Sequence[Record]) -> Standings:
        return Standings()

    async def render_files(self, record: Record) -> tuple[RenderFile, ...]:
        self.looked.append(record.id)
        if self.before_files is not None:
            await self.before_files(record.id)
        found = self.files.get(record.id)
        if isinstance(found, Exception):
            raise found
        return found if found is not None else self.made(record)

    def made(self, record: Record) -> tuple[RenderFile, ...]:
        return (
            RenderFile(record.id, "stills", "b", "render-1.png", "png", 1),
            RenderFile(record.id, "stills", "a", "render-0.png", "png", 0),
            RenderFile(record.id, "turntable", "c", "turn.mp4", "mp4"),
        )

    async def render_file(self, file: RenderFile) -> Served:
        if file.part == "turntable":
            return Served(FILM, "video/mp4")
        return Served(picture(1920, 1080, colour=100 * file.position + 50), "image/png")


FILM = b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\x08moov" + b"\0\0\0\x08mdat"
"""As much of an MP4 as is looked at before it is handed on."""


class RendersInMemory(Led, RenderJob):
    """A render job that was ordered and that nobody follows but the test."""

    def __init__(self, service: Studio) -> None:
        super().__init__(service, RenderOrder())
        self.on_loop(self._ordered)

    def _ordered(self) -> None:
        self._placing = False
        self._fill([Chosen(self._service.make(name)) for name in self._service.names])
        self._placed.set()

    def finish(self, *indices: int) -> None:
        for index in indices:
            files = self._service.made(self._chosen[index].record)
            for part in PARTS:
                self._files[index, part] = tuple(file for file in files if file.part == part)
        super().finish(*indices)
