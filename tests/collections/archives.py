"""Archives over a service in memory: made as a test says, served in pieces that are counted."""

from __future__ import annotations

import asyncio
import io
import stat
import zipfile
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from typing import Any, cast

from ipyassets.collections.archive_job import ArchiveJob, AsyncArchiveJob
from ipyassets.collections.archive_plan import archives, picked_up
from ipyassets.errors import BadResponse, NotFound, ServiceUnavailable
from ipyassets.services.base import Capabilities, Record
from ipyassets.services.downloading import (
    ArchiveOrder,
    ArchiveService,
    ArchiveStage,
    ArchiveStanding,
    DownloadService,
    RemoteFile,
)
from tests.fakes import MemoryService, picture
from tests.waiting import Bell, Gate

POLL = 0.005


def packed(
    members: Mapping[str, bytes] | Iterable[tuple[str, bytes]],
    *,
    deflate: bool = False,
    streamed: bool = False,
    modes: Mapping[str, int] | None = None,
) -> bytes:
    """A ZIP of ``members``. ``streamed``: as by a server that cannot go back; ``modes``: Unix types by name."""
    buffer = io.BytesIO()

    class Forward(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def seekable(self) -> bool:
            return False

        def write(self, data: Any, /) -> int:
            return buffer.write(data)

    target = cast("Any", Forward() if streamed else buffer)
    entries = members.items() if isinstance(members, Mapping) else members
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED if deflate else zipfile.ZIP_STORED) as archive:
        for name, content in entries:
            info = zipfile.ZipInfo(name)
            info.filename = name  # the constructor tidies it up
            info.compress_type = archive.compression
            info.create_system = 3
            info.external_attr = (modes or {}).get(name, stat.S_IFREG | 0o644) << 16
            archive.NameToInfo.pop(name, None)  # or a name that comes twice would be warned of
            archive.writestr(info, content)
    return buffer.getvalue()


def pictures(count: int, *, size: tuple[int, int] = (64, 48)) -> dict[str, bytes]:
    """Members of the first assets, each a picture of its asset's colour."""
    return {f"a chair-asset-{n}.png": picture(*size, colour=n) for n in range(count)}


class MemoryFile(RemoteFile):
    """Bytes served as from far away; ``fetched`` counts those that were sent."""

    def __init__(self, content: bytes, *, parts: bool = True, name: str | None = "memory.zip") -> None:
        self.what = "the archive"
        self.name = name
        self.media_type = "application/zip"
        self.content = content
        self.parts = parts
        self.mark: str | None = "v1"
        self.says_size = True
        self.piece = 4096
        self.fetched = 0
        self.reads: list[tuple[int, int | None]] = []
        self.breaks: int | None = None
        """Bytes after which a stream fails for good."""
        self.on_piece: Callable[[int], Any] | None = None
        self.open_streams = 0

    async def size(self) -> int | None:
        return len(self.content) if self.says_size else None

    async def ranges(self) -> bool:
        return self.parts

    async def version(self) -> str | None:
        return self.mark

    async def read(self, start: int, stop: int) -> bytes:
        await asyncio.sleep(0)
        if not self.parts:
            raise BadResponse("the server gives no parts")
        self.reads.append((start, stop))
        self.fetched += stop - start
        return self.content[start:stop]

    async def stream(self, start: int = 0) -> AsyncGenerator[bytes, None]:
        self.reads.append((start, None))
        self.open_streams += 1
        try:
            for at in range(start, len(self.content), self.piece):
                if self.on_piece is not None and (waiting := self.on_piece(at)) is not None:
                    await waiting
                await asyncio.sleep(0)
                if self.breaks is not None and at >= self.breaks:
                    raise ServiceUnavailable("the archive broke off")
                piece = self.content[at : at + self.piece]
                self.fetched += len(piece)
                yield piece
        finally:
            self.open_streams -= 1


class Remade(MemoryFile):
    """A file of which there is a new version once ``new`` is set; this one is read no more."""

    new: MemoryFile | None = None

    def anew(self) -> RemoteFile:
        return self.new or self

    def _look(self) -> None:
        if self.new is not None:
            self.changed = True
            raise BadResponse("the archive changed; begin again")

    async def read(self, start: int, stop: int) -> bytes:
        self._look()
        return await super().read(start, stop)

    async def stream(self, start: int = 0) -> AsyncGenerator[bytes, None]:
        self._look()
        async for piece in super().stream(start):
            yield piece


class MemoryArchives(MemoryService, ArchiveService, DownloadService):
    """Archives of the assets' posters; every job is running at the first look and completed at the second."""

    capabilities = Capabilities(archive=True, download=True)
    most_in_archive = 5
    formats = {"3d": ("png",)}  # noqa: RUF012

    def __init__(self, count: int = 4, **form: Any) -> None:
        super().__init__(count, **form)
        self.orders: list[ArchiveOrder] = []
        self.files: dict[str, MemoryFile] = {}
        self.looks: list[str] = []
        self.looked = Bell()
        self.looking = Gate()
        self.standings: Callable[[str, int], ArchiveStanding] | None = None
        """What to tell of a job at its n-th look (from 1); may raise."""
        self.pack: Callable[[ArchiveOrder], bytes] = self.usual
        self.on_request: Callable[[int], Any] | None = None
        """Called with the number of the order (from 1); may raise, or give what to await."""
        self.downloads: dict[str, MemoryFile] = {}

    def usual(self, order: ArchiveOrder) -> bytes:
        return packed({f"{self._words(id)}-{id}.png": self._poster(id) for id in order.assets if id in self.names})

    @staticmethod
    def _words(id: str) -> str:
        return f"a chair {len(id)}"

    @staticmethod
    def _poster(id: str) -> bytes:
        return picture(colour=int(id.rpartition("-")[2]))

    def check_template(self, template: str) -> tuple[str, ...]:
        return () if "<id>" in template else (f"{template} has no <id>",)

    def member_names(self, records: Sequence[Record], order: ArchiveOrder) -> list[str]:
        return [f"{record.name}-{order.template}" for record in records]

    def member_of(self, name: str, records: Mapping[str, Record]) -> Record | None:
        return next((rec for id, rec in records.items() if name.rpartition(".")[0].endswith(id)), None)

    async def request_archive(self, order: ArchiveOrder) -> str:
        self.orders.append(order)
        if self.on_request is not None and (waiting := self.on_request(len(self.orders))) is not None:
            await waiting
        job = f"job-{len(self.orders)}"
        self.files[job] = MemoryFile(self.pack(order))
        return job

    async def archive_standing(self, job: str) -> ArchiveStanding:
        await asyncio.sleep(0)
        await self.looking.passed()
        self.looks.append(job)
        self.looked.ring()
        if job not in self.files:
            raise NotFound(f"There is no {job}.", status=404)
        number = self.looks.count(job)
        if self.standings is not None:
            return self.standings(job, number)
        stage: ArchiveStage = "running" if number == 1 else "completed"
        return ArchiveStanding(stage, stage, 0.5 if number == 1 else 1.0)

    async def archive_file(self, job: str) -> RemoteFile:
        return self.files[job]

    async def download(self, record: Record, format: str | None = None) -> RemoteFile:
        await asyncio.sleep(0)
        if record.id in self.broken_downloads:
            raise self.broken_downloads[record.id]
        file = self.downloads.get(record.id)
        if file is None:
            file = MemoryFile(self._poster(record.id), name=f"{record.id}.png")
            file.media_type = "image/png"
            self.downloads[record.id] = file
        file.what = f"asset {record.id}"
        return file

    @property
    def broken_downloads(self) -> dict[str, Exception]:
        return self.__dict__.setdefault("_broken_downloads", {})


ORDER = ArchiveOrder()


def archived(
    service: MemoryArchives, assets: Any = None, order: ArchiveOrder = ORDER, *, split: bool = False, poll: float = POLL
) -> ArchiveJob:
    """A job of ``assets``, or of all there are."""
    plan = archives(service, service.names if assets is None else assets, order, split=split)
    return ArchiveJob(service, poll=poll)._begin(plan)


def archiving(service: MemoryArchives, assets: Any = None, *, poll: float = POLL) -> AsyncArchiveJob:
    plan = archives(service, service.names if assets is None else assets, ORDER, split=False)
    return AsyncArchiveJob(service, poll=poll)._begin(plan)


def followed(service: MemoryArchives, ids: Any, assets: Any = None) -> ArchiveJob:
    """A job of what was ordered before."""
    return ArchiveJob(service, poll=POLL)._begin(picked_up(service, ids, assets))


def made(service: MemoryArchives, content: bytes, *, parts: bool = True) -> ArchiveJob:
    """A job that is done, of an archive with that content."""
    service.pack = lambda order: content
    job = archived(service)
    for file in service.files.values():
        file.parts = parts
    return job.wait(timeout=10)
