"""Services in memory: assets, posters and renders, and troubles on demand."""

from __future__ import annotations

import asyncio
import io
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import Image

from ipyassets.errors import AssetServiceError, NotFound
from ipyassets.services.base import AssetService, Capabilities, Page, PosterSource, Record, Search, Served
from ipyassets.services.rendering import (
    PARTS,
    Part,
    RenderFile,
    RenderOrder,
    RenderService,
    Stage,
    Standings,
    Submitted,
)
from tests.waiting import Bell, Gate


@lru_cache(maxsize=256)
def picture(width: int = 64, height: int = 48, colour: int = 0, format: str = "PNG") -> bytes:
    """A one-coloured picture, encoded."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (colour % 256, 80, 120)).save(buffer, format)
    return buffer.getvalue()


class MemorySearch(Search):
    def __init__(self, service: MemoryService, names: list[str], page_size: int, *, numbered: bool) -> None:
        self.service, self.names, self.page_size, self.random_access = service, names, page_size, numbered

    async def page(self, number: int, cursor: str | None = None) -> Page:
        self.service.pages.append(number)
        await asyncio.sleep(0)
        if number in self.service.broken_pages:
            raise self.service.broken_pages[number]
        start = number * self.page_size if self.random_access else int(cursor or 0)
        size = self.service.short_pages.get(number, self.page_size)
        if self.random_access and self.service.short_pages:
            start = sum(self.service.short_pages.get(n, self.page_size) for n in range(number))
        chosen = self.names[start : start + size]
        more = str(start + size) if start + size < len(self.names) else None
        total = len(self.names) if self.random_access and self.service.counts else None
        records = [self.service.make(name) for name in chosen]
        return Page(records, total, None if self.random_access else more)


class MemoryService(AssetService):
    """Assets named ``asset-0``, ``asset-1``, …; the poster of asset N is coloured N."""

    name = "memory"
    title = "Memory"
    capabilities = Capabilities()
    base_url = "memory://"

    def __init__(self, count: int = 10, *, numbered: bool = True, page_size: int = 4, counts: bool = True) -> None:
        self.names = [f"asset-{n}" for n in range(count)]
        self.numbered, self.page_size, self.counts = numbered, page_size, counts
        self.pages: list[int] = []
        self.fetched: list[str] = []
        self.broken_pages: dict[int, Exception] = {}
        self.short_pages: dict[int, int] = {}
        self.posters: dict[str, bytes | Exception | None] = {}
        """What to serve instead of the usual poster: bytes, an error to raise, or None for "has no poster"."""
        self.before_poster: Callable[[str], Any] | None = None
        self.running = self.most_running = 0

    def make(self, name: str) -> Record:
        number = int(name.rpartition("-")[2])
        return Record(
            "memory", name, name, "3d", "LIVE", datetime(2024, 1, 1, tzinfo=UTC), None, ("tag",), {"n": number}, {}
        )

    def search(
        self, text: str = "", *, workspace: str | None = None, sort: str | None = None, **filters: Any
    ) -> Search:
        found = [name for name in self.names if text in name]
        return MemorySearch(self, found, self.page_size, numbered=self.numbered)

    async def record(self, id: str) -> Record:
        if id not in self.names:
            raise NotFound(f"There is no {id}.")
        return self.make(id)

    def poster_source(
        self, record: Record, *, width: int | None = None, height: int | None = None, size: str | None = None
    ) -> PosterSource | None:
        if record.id in self.posters and self.posters[record.id] is None:
            return None
        return PosterSource(("memory", record.id, str(width), str(height)), lambda: self._fetch(record.id))

    async def _fetch(self, id: str) -> Served:
        self.fetched.append(id)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            if self.before_poster is not None and (waiting := self.before_poster(id)) is not None:
                await waiting
            await asyncio.sleep(0)
            special = self.posters.get(id)
            if isinstance(special, Exception):
                raise special
            return Served(special or picture(colour=int(id.rpartition("-")[2])), "image/png")
        finally:
            self.running -= 1

    async def close(self) -> None:
        return


@lru_cache(maxsize=16)
def video(frames: int = 6, fps: int = 12, width: int = 64, height: int = 48) -> bytes:
    """An MP4 whose frames become brighter, its index at the beginning as services write it."""
    import av

    with tempfile.TemporaryDirectory() as folder:  # FFmpeg reads the file again to put the index first
        path = Path(folder, "film.mp4")
        _encode(av, path, frames, fps, (width, height))
        return path.read_bytes()


def _encode(av: Any, path: Path, frames: int, fps: int, size: tuple[int, int]) -> None:
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream: Any = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number in range(frames):
            image = Image.new("RGB", size, (20 + number * 30 % 200,) * 3)
            container.mux(stream.encode(av.VideoFrame.from_image(image)))
        container.mux(stream.encode())


@lru_cache(maxsize=16)
def film(frames: int = 6, fps: int = 12) -> bytes:
    """A GIF whose frames become brighter."""
    images = [Image.new("RGB", (32, 24), (20 + number * 30 % 200,) * 3) for number in range(frames)]
    buffer = io.BytesIO()
    images[0].save(buffer, "GIF", save_all=True, append_images=images[1:], duration=1000 // fps, loop=0)
    return buffer.getvalue()


class MemoryRenders(MemoryService, RenderService):
    """Renders that come when a test says so: ``on_look(number)`` runs before look ``number`` (from 1) after an order.

    Without one, every asset is running at the first look and completed at the second.
    """

    capabilities = Capabilities(render=True)

    def __init__(self, count: int = 10, **form: Any) -> None:
        super().__init__(count, **form)
        self.stages: dict[str, dict[Part, Stage]] = {}
        self.files: dict[str, list[RenderFile]] = {}
        self.contents: dict[str, bytes | Exception] = {}
        """What to serve instead, or raise, by file id."""
        self.gone: dict[str, AssetServiceError] = {}
        self.refused: dict[str, AssetServiceError] = {}
        self.orders: list[tuple[tuple[str, ...], RenderOrder]] = []
        self.order: RenderOrder | None = None
        self.began = False
        """Whether there is work to look for: an order, or what a test says is under way."""
        self.looks = 0
        self.looked = Bell()
        self.looking = Gate()
        """Of looks after an order."""
        self.asked: list[tuple[str, ...]] = []
        """Ids of each look, also of those before an order."""
        self.listings: list[str] = []
        self.downloads: list[str] = []
        self.on_look: Callable[[int], None] | None = None
        self.on_submit: Callable[[], Any] | None = None
        self.on_listing: Callable[[str], None] | None = None
        self.tells = True
        """Whether the service tells stages at all."""
        self._version = 0

    # -- what a test does to it -----------------------------------------------------------------------------------

    def stage(self, id: str, stage: Stage, *parts: Part) -> None:
        for part in parts or PARTS:
            self.stages.setdefault(id, {})[part] = stage

    def made(self, id: str, *parts: Part, stills: int = 2, keep: bool = False) -> None:
        """New files in the place of the old ones, without a word."""
        for part in parts or PARTS:
            kept = [file for file in self.files.get(id, []) if keep or file.part != part]
            self._version += 1
            version = self._version
            gif = self.order is not None and self.order.turntable.gif
            medias = ["png"] * stills if part == "stills" else ["mp4", "gif"] if gif else ["mp4"]
            at = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=version)
            kept += [
                RenderFile(
                    id,
                    part,
                    f"{id}-{part}-{n}-v{version}",
                    f"{part}-{n}.{m}",
                    m,
                    n,
                    f"blob-{id}-{part}-{version}-{n}",
                    at,
                    at,
                )
                for n, m in enumerate(medias)
            ]
            self.files[id] = sorted(kept, key=lambda file: PARTS.index(file.part))

    def complete(self, id: str, *parts: Part, **form: Any) -> None:
        """New files, and the word for it."""
        self.made(id, *parts, **form)
        self.stage(id, "completed", *parts)

    def fail(self, id: str, *parts: Part) -> None:
        self.stage(id, "failed", *parts)

    # -- what a client asks ---------------------------------------------------------------------------------------

    async def submit_renders(self, records: Sequence[Record], order: RenderOrder) -> Submitted:
        if self.on_submit is not None and (waiting := self.on_submit()) is not None:
            await waiting
        self.order, self.looks, self.began = order, 0, True
        self.orders.append((tuple(record.id for record in records), order))
        accepted = [record.id for record in records if record.id not in self.refused]
        return Submitted(tuple(accepted), {r.id: self.refused[r.id] for r in records if r.id in self.refused})

    async def render_standings(self, records: Sequence[Record]) -> Standings:
        await asyncio.sleep(0)
        ids = [record.id for record in records]
        if self.began:
            await self.looking.passed()
        self.asked.append(tuple(ids))
        self.looks += 1
        self.looked.ring()
        if self.began:
            if self.on_look is not None:
                self.on_look(self.looks)
            elif self.looks <= 2:
                for id in ids:
                    self.stage(id, "running") if self.looks == 1 else self.complete(id)
        told = {id: dict(self.stages.get(id, {})) for id in ids if id not in self.gone} if self.tells else {}
        return Standings(told, {id: self.gone[id] for id in ids if id in self.gone})

    async def render_files(self, record: Record) -> tuple[RenderFile, ...]:
        self.listings.append(record.id)
        if self.on_listing is not None:
            self.on_listing(record.id)
        await asyncio.sleep(0)
        if record.id in self.gone:
            raise self.gone[record.id]
        return tuple(self.files.get(record.id, ()))

    async def render_file(self, file: RenderFile) -> Served:
        self.downloads.append(file.id)
        await asyncio.sleep(0)
        special = self.contents.get(file.id)
        if isinstance(special, Exception):
            raise special
        if special is None and file not in self.files.get(file.asset, ()):
            raise NotFound(f"There is no {file.id}.", status=404)
        order = self.order or RenderOrder(64, 48)
        number = int(file.asset.rpartition("-")[2])
        usual = {
            "png": lambda: picture(order.width, order.height, number),
            "mp4": lambda: video(order.turntable.frames, order.turntable.fps),
            "gif": lambda: film(order.turntable.frames, order.turntable.fps),
        }
        return Served(special if special is not None else usual[file.media]())

    def moved(self, file: RenderFile) -> RenderFile:
        """The same file under another id."""
        other = replace(file, id=f"{file.id}-moved")
        self.files[file.asset] = [other if there == file else there for there in self.files[file.asset]]
        return other
