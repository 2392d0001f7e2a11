"""Posters: one, or a stream of many. Fetching and decoding overlap; memory is bounded; nothing is lost."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from ipyassets.arguments import whole
from ipyassets.collections import kept
from ipyassets.collections.images import decode, in_decode_pool, in_file_pool, opened
from ipyassets.collections.pages import Item
from ipyassets.errors import AssetServiceError, BadResponse, Interrupted, InvalidRequest, NotFound
from ipyassets.http import loop
from ipyassets.http.cache import BACKLOG, cache
from ipyassets.services.base import AssetService, PosterSource, Record, Served

if TYPE_CHECKING:
    from PIL import Image

__all__ = [
    "Box",
    "PosterResult",
    "PosterStream",
    "about",
    "called",
    "collected",
    "collected_awaiting",
    "decoded",
    "fetch_poster",
    "pictured",
    "poster",
    "served",
    "source_of",
]

B = TypeVar("B")

_AHEAD = 32 + 4 * (os.cpu_count() or 1)
"""Posters under way at once: so many fetched, and some to decode for each core."""
_TOGETHER: Final = 8
"""Places that are free before new work is begun."""
_GATHERED: Final = 0.1
"""Seconds for which finished results are gathered where the reader wants many."""
_HELD_BACKLOG: Final = 256_000_000
"""Bytes that may wait to be written to disk of a batch that holds them in memory."""
_MANY: Final = 16
"""Results that are worth a change of threads where nobody looks at each."""


@dataclass(frozen=True, slots=True)
class Box:
    """The picture that is wanted: a maximum box in pixels, and the service's own size word where it has some."""

    width: int | None = None
    height: int | None = None
    size: str | None = None

    def __post_init__(self) -> None:
        for name in ("width", "height"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, whole(name, value, unit="pixels"))
        if not isinstance(self.size, str | None):
            raise InvalidRequest(f"size must be a word of the service, or None; got {self.size!r:.80}.")


@dataclass(slots=True)
class PosterResult:
    """One slot of a batch: a picture, or the error that stands in its place."""

    index: int
    item: Item
    image: Image.Image | None = None
    content: bytes | None = None
    """The picture as served."""
    error: AssetServiceError | None = None


async def fetch_poster(
    service: AssetService,
    record: Record,
    *,
    width: int | None = None,
    height: int | None = None,
    size: str | None = None,
) -> Served:
    """The poster of ``record`` as served, from the disk cache or the service.

    Raises `NotFound` if the asset has no poster, `BadResponse` if what came is no raster picture.
    """
    source = await source_of(service, record, Box(width, height, size))
    return await served(source, about(service, record))


async def source_of(service: AssetService, record: Record, box: Box) -> PosterSource:
    """Where the poster of ``record`` comes from, also where the record came from another process.

    Raises `NotFound` if there is none.
    """
    if record.portable:
        record = await service.restored(record)
    source = service.poster_source(record, width=box.width, height=box.height, size=box.size)
    if source is None:
        raise NotFound(f"{service.title}: {called(record)} has no poster.", code="NO_POSTER")
    return source


async def served(
    source: PosterSource, what: str, check: Callable[[bytes, str], object] = opened, *, anew: bool = False
) -> Served:
    """The bytes of ``source``: kept ones (not if ``anew``), else fetched ones, which are kept once they pass ``check``.

    It raises `BadResponse`, calling them ``what``, if they are not a picture, or whatever is checked for.
    """
    found = await in_file_pool(cache.get, source.key) if cache.enabled and not anew else None
    if found is not None:
        return Served(found)
    fetched = await source.fetch()
    check(fetched.content, what)
    cache.put_soon(source.key, fetched.content, source.lifetime)
    return fetched


async def poster(service: AssetService, record: Record, box: Box, *, held: bool = False) -> tuple[Image.Image, Served]:
    """The poster of ``record`` as a ``PIL.Image`` that fits ``box``, and the bytes it was made of.

    ``held``: whether both are to stay in memory beside many others. Raises as `fetch_poster` does.
    """
    source = await source_of(service, record, box)
    return await pictured(source, box, about(service, record), held=held)


async def pictured(source: PosterSource, box: Box, what: str, *, held: bool = False) -> tuple[Image.Image, Served]:
    """The picture behind ``source``, and its bytes: kept ones, else fetched ones, which are kept once decoded.

    ``held``: whether both are to stay in memory beside many others. Raises `BadResponse`, calling it ``what``, for
    what is no (whole) picture.
    """
    # The disk is read and written by the thread that decodes: each change of threads costs as much as the reading.
    if cache.enabled and await kept.has(source.key):
        made = await in_decode_pool(_of_kept, source.key, box, what, held)
        if made is not None:
            return made
    fetched = await source.fetch()
    return await in_decode_pool(_of_fetched, fetched, source, box, what, held), fetched


def _of_kept(key: tuple[str, ...], box: Box, what: str, held: bool) -> tuple[Image.Image, Served] | None:
    content = cache.get(key)
    if content is None:
        return None
    try:
        return decode(content, box.width, box.height, what, held=held), Served(content)
    except BadResponse:  # damaged in a way the cache did not see
        cache.drop(key)
        return None


def _of_fetched(fetched: Served, source: PosterSource, box: Box, what: str, held: bool) -> Image.Image:
    image = decode(fetched.content, box.width, box.height, what, held=held)
    # Where the bytes are held anyway, they may as well wait to be written until there is time.
    cache.put_soon(source.key, fetched.content, source.lifetime, backlog=_HELD_BACKLOG if held else BACKLOG)
    return image


async def decoded(found: Served, box: Box, what: str) -> Image.Image:
    """``found`` as a ``PIL.Image`` that fits ``box``. Raises `BadResponse`, calling it ``what``, if it is damaged."""
    return await in_decode_pool(decode, found.content, box.width, box.height, what)


class PosterStream:
    """Posters of many items, in order, fetched and decoded ahead of the reader by a bounded number.

    Lives on the loop thread. ``take()`` gives what is ready; ``stop()`` ends the work and gives what was finished but
    not yet taken.
    """

    unit: ClassVar[str] = "poster"
    ahead: ClassVar[int] = _AHEAD
    """How many are under way at once."""
    held: ClassVar[int] = _MANY
    """How many may be finished beside them and not taken yet."""

    def __init__(self, items: AsyncIterator[Item], box: Box, *, keep_content: bool = False) -> None:
        self._items = items
        self._box = box
        self._keep_content = keep_content
        self._tasks: deque[asyncio.Task[PosterResult]] = deque()
        self._busy = 0
        """Tasks that are not finished."""
        self._next_index = 0
        self._exhausted = False
        self._given = False
        """Whether anything was taken yet."""
        self._failure: Exception | None = None
        self._filling: asyncio.Task[None] | None = None
        self._arrived = asyncio.Event()

    async def take(self, most: int = 1) -> list[PosterResult]:
        """The next results in order, at least one; empty at the end.

        Up to ``most`` are waited for a moment: each change of threads costs, and few readers need each at once.
        Where the search itself fails on a later page, what came before is given first and then its error is raised.
        """
        self._keep_filling()
        while not self._tasks and self._filling is not None:
            self._arrived.clear()
            await self._arrived.wait()
            self._keep_filling()
        if not self._tasks:
            if self._failure is not None:
                raise self._failure
            return []
        if most > 1 and self._given:  # the first one is what a person waits for
            await asyncio.wait(list(islice(self._tasks, most)), timeout=_GATHERED)
        await asyncio.wait([self._tasks[0]])
        # Nothing is awaited from here on: results that are taken off and then not handed over would be lost.
        results = []
        while self._tasks and self._tasks[0].done():
            results.append(self._tasks.popleft().result())
        self._given = True
        self._keep_filling()
        return results

    async def stop(self) -> list[PosterResult]:
        """Cancel what is under way; the finished results that nobody took."""
        self._exhausted = True
        if self._filling is not None:
            self._filling.cancel()
            await asyncio.gather(self._filling, return_exceptions=True)
            self._filling = None
        finished = [task.result() for task in self._tasks if task.done() and not task.cancelled()]
        unfinished = [task for task in self._tasks if not task.done()]
        self._tasks.clear()
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        close = getattr(self._items, "aclose", None)
        if close is not None:
            await close()
        return finished

    def _keep_filling(self) -> None:
        """See to it that items are asked for beside the reader: a slow page must not hold finished posters back."""
        if self._filling is not None and self._filling.done():
            self._filling = None
        # Begun by several at once, since they are then looked up on disk together.
        few = self._busy <= self.ahead - min(_TOGETHER, self.ahead // 4)
        if self._filling is None and few and not self._exhausted and not self._full():
            self._filling = asyncio.create_task(self._fill())

    def _full(self) -> bool:
        return self._busy >= self.ahead or len(self._tasks) >= self.ahead + self.held

    async def _fill(self) -> None:
        try:
            while not self._exhausted and not self._full():
                item = await anext(self._items)
                self._tasks.append(asyncio.create_task(self._one(self._next_index, item)))
                self._busy += 1
                self._next_index += 1
                self._arrived.set()
        except StopAsyncIteration:
            self._exhausted = True
        except Exception as error:  # noqa: BLE001  # raised by take(), once it has given what came before
            self._exhausted, self._failure = True, error
        finally:
            self._arrived.set()

    async def _one(self, index: int, item: Item) -> PosterResult:
        result = PosterResult(index, item)
        try:
            await self._complete(result)
        except AssetServiceError as error:
            result.error = error
        except Exception as error:  # noqa: BLE001  # one asset's surprise must not lose the others
            result.error = _surprise(item[1], error)
        finally:
            self._busy -= 1
            self._keep_filling()
        return result

    async def _complete(self, result: PosterResult) -> None:
        """Put into ``result`` what was wanted of its item."""
        result.image, found = await self._picture(result.index, result.item)
        if self._keep_content:
            result.content = found.content

    async def _picture(self, index: int, item: Item) -> tuple[Image.Image, Served]:
        """The picture for slot ``index``, and the bytes it was made of."""
        del index
        service, record = item
        return await poster(service, record, self._box, held=self._keep_content)


def collected(stream: PosterStream, shown: Callable[[], Any], batch: Callable[[list[PosterResult]], B]) -> B:
    """Everything ``stream`` gives, as ``batch`` makes it, under the progress bar that ``shown`` makes.

    Ctrl-C raises `Interrupted` with what had come in ``.partial``; an error of the stream itself leaves that to
    ``batch`` and is raised.
    """
    results: list[PosterResult] = []
    try:
        with shown() as progress:
            while taken := loop.run(stream.take(_MANY)):
                results.extend(taken)
                progress.update(len(taken))
    except KeyboardInterrupt:
        results.extend(loop.run(stream.stop()))
        raise Interrupted(f"Interrupted after {len(results)} {stream.unit}s.", partial=batch(results)) from None
    except AssetServiceError:
        batch(results)
        raise
    finally:
        loop.run(stream.stop())
    return batch(results)


async def collected_awaiting(stream: PosterStream, batch: Callable[[list[PosterResult]], B]) -> B:
    """As `collected`, awaited on any loop and without a bar. When cancelled, ``batch`` gets what had come."""
    results: list[PosterResult] = []
    try:
        while taken := await loop.awaiting(stream.take(_MANY)):
            results.extend(taken)
    finally:
        results.extend(await loop.awaiting(stream.stop()))
        made = batch(results)
    return made


def about(service: AssetService, record: Record) -> str:
    """What errors call the poster of ``record``."""
    return f"{service.title}: the poster of {called(record)}"


def _surprise(record: Record, error: Exception) -> AssetServiceError:
    return AssetServiceError(f"{called(record)}: {type(error).__name__} while its picture was fetched.")


def called(record: Record) -> str:
    """What errors call an asset."""
    return f"{record.name!r} ({record.id})"
