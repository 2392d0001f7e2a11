"""The frames of one turn, each encoded as large as it is wanted."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from ipyassets.collections.decode_threads import TOO_SLOW
from ipyassets.collections.film import FilmFacts
from ipyassets.collections.images import in_decode_pool
from ipyassets.collections.thumbnails import Encode, Thumbnail, miniature, quick
from ipyassets.errors import BadResponse
from ipyassets.http.loop import LoopLock

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["Film", "ImageFilm", "Read", "ReadFilm"]

Read: TypeAlias = "Callable[[], Iterator[Image.Image]]"

KEPT_BYTES: Final = 48_000_000
"""Encoded frames that are kept of one film, so that a second view or a turn back is not encoded again."""


class Film(ABC):
    """The frames of one turn. Coroutines run on the loop thread."""

    def __init__(self, facts: FilmFacts) -> None:
        self.facts = facts
        self.encode: Encode = quick
        """How a frame is encoded; settled before the first is asked for."""
        self._kept: OrderedDict[tuple[int, int], Thumbnail] = OrderedDict()
        self._bytes = 0

    @abstractmethod
    async def _made(self, index: int, edge: int) -> Thumbnail:
        """Frame ``index`` (there is one), encoded."""

    async def frame(self, index: int, edge: int) -> Thumbnail | None:
        """Frame ``index`` within ``edge`` x ``edge`` pixels; None if there is none."""
        if index >= self.facts.count:
            return None
        edge = min(edge, max(self.facts.width, self.facts.height))
        kept = self._kept.get((edge, index))
        if kept is not None:
            self._kept.move_to_end((edge, index))
            return kept
        made = await self._made(index, edge)
        self._keep(index, edge, made)
        return made

    def _keep(self, index: int, edge: int, made: Thumbnail) -> None:
        if (edge, index) in self._kept:
            return
        self._kept[edge, index] = made
        self._bytes += len(made.content)
        while self._bytes > KEPT_BYTES:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= len(dropped.content)

    def close(self) -> None:
        """Nobody wants frames any more."""
        self._kept.clear()
        self._bytes = 0


class ImageFilm(Film):
    """Frames that are PIL images already."""

    def __init__(self, images: Sequence[Image.Image], fps: float) -> None:
        width = max(image.width for image in images)
        height = max(image.height for image in images)
        super().__init__(FilmFacts(len(images), fps, width, height))
        self._images = list(images)
        self._reading = threading.Lock()

    async def _made(self, index: int, edge: int) -> Thumbnail:
        return await in_decode_pool(self._shrunk, self._images[index], edge)

    def _shrunk(self, image: Image.Image, edge: int) -> Thumbnail:
        with self._reading:  # an image still in its file is read once, by one thread
            image.load()
        return miniature(image, edge, self.encode)


class ReadFilm(Film):
    """Frames that stand one after the other in a file, which is read from its beginning for each size.

    ``read`` gives all frames in order, anew each time; it runs in a decoding thread. Where it meets damage, ``again``
    is asked once for another ``read``.
    """

    def __init__(self, facts: FilmFacts, read: Read, again: Callable[[], Awaitable[Read]] | None = None) -> None:
        super().__init__(facts)
        self._read = read
        self._again = again
        self._renewing = LoopLock()
        self._runs: dict[int, _Run] = {}

    async def _made(self, index: int, edge: int) -> Thumbnail:
        run = self._runs.get(edge)
        if run is None or run.passed > index:  # what it made was pushed out meanwhile
            run = self._runs[edge] = _Run(self, edge)
        return await asyncio.shield(run.awaited(index))

    async def _renewed(self, damaged: Read) -> bool:
        """Whether there is another film to read than ``damaged``, which may have been so on its way here alone."""
        async with self._renewing:
            if self._read is damaged and self._again is not None:
                again, self._again = self._again, None
                self._read = await again()
            return self._read is not damaged

    def close(self) -> None:
        for run in self._runs.values():
            run.stopped.set()
        super().close()


class _Run:
    """One reading of a film from its beginning to its end, at one size. Lives on the loop thread."""

    def __init__(self, film: ReadFilm, edge: int) -> None:
        self.passed = 0
        """Frames it is past already."""
        self.stopped = threading.Event()
        self._film = film
        self._edge = edge
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[int, asyncio.Future[Thumbnail]] = {}
        self._task = self._loop.create_task(self._main())

    def awaited(self, index: int) -> asyncio.Future[Thumbnail]:
        """Frame ``index``, which is still to come."""
        return self._waiting.setdefault(index, self._loop.create_future())

    async def _main(self) -> None:
        error: Exception = BadResponse("The film ends before this frame.")
        try:
            await self._decoded()
        except Exception as raised:  # noqa: BLE001  # told to whoever waits for a frame
            error = raised
        self.stopped.set()  # what was given up may still go on
        self.passed = self._film.facts.count
        for frame in self._waiting.values():
            frame.set_exception(error)
            frame.exception()  # perhaps whoever asked has gone

    async def _decoded(self) -> None:
        read = self._film._read  # noqa: SLF001
        try:
            await in_decode_pool(self._through, read)
        except BadResponse as error:
            if error.code == TOO_SLOW or self.stopped.is_set() or not await self._film._renewed(read):  # noqa: SLF001
                raise
            await in_decode_pool(self._through, self._film._read)  # noqa: SLF001

    def _through(self, read: Read) -> None:
        for index, image in enumerate(read()):
            if self.stopped.is_set() or index >= self._film.facts.count:
                return
            made = miniature(image, self._edge, self._film.encode)
            self._loop.call_soon_threadsafe(self._settle, index, made)

    def _settle(self, index: int, made: Thumbnail) -> None:
        self._film._keep(index, self._edge, made)  # noqa: SLF001
        self.passed = max(self.passed, index + 1)
        frame = self._waiting.pop(index, None)
        if frame is not None and not frame.done():
            frame.set_result(made)
