"""Posters: one, or a stream of many. Fetching and decoding overlap; memory is bounded; nothing is lost."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from ipyassets.arguments import whole
from ipyassets.collections import kept
from ipyassets.collections.ahead import Ahead
from ipyassets.collections.images import decode, in_decode_pool, in_file_pool, opened
from ipyassets.collections.pages import Item
from ipyassets.errors import AssetServiceError, BadResponse, InvalidRequest, NotFound, without_frames
from ipyassets.http.cache import BACKLOG, cache
from ipyassets.services.base import AssetService, PosterSource, Record, Served
from ipyassets.texts import cut, shown

if TYPE_CHECKING:
    from PIL import Image

__all__ = [
    "Box",
    "PosterResult",
    "PosterStream",
    "about",
    "called",
    "decoded",
    "fetch_poster",
    "pictured",
    "poster",
    "served",
    "source_of",
]

_AHEAD = 32 + 4 * (os.cpu_count() or 1)
"""Posters under way at once: so many fetched, and some to decode for each core."""
_HELD_BACKLOG: Final = 256_000_000
"""Bytes that may wait to be written to disk of a batch that holds them in memory."""


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
        raise NotFound(
            f"{service.title}: {called(record)} has no poster. Give it one at the service, or leave it out.",
            code="NO_POSTER",
        )
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


class PosterStream(Ahead[Item, PosterResult]):
    """Posters of many items, in order, fetched and decoded ahead of the reader."""

    unit: ClassVar[str] = "poster"
    ahead: ClassVar[int] = _AHEAD

    def __init__(self, items: AsyncIterator[Item], box: Box, *, keep_content: bool = False) -> None:
        super().__init__(items)
        self._box = box
        self._keep_content = keep_content

    async def _one(self, index: int, item: Item) -> PosterResult:
        result = PosterResult(index, item)
        try:
            await self._complete(result)
        except AssetServiceError as error:
            result.error = without_frames(error)
        except Exception as error:  # noqa: BLE001  # one asset's surprise must not lose the others
            result.error = _surprise(item[1], error)
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


def about(service: AssetService, record: Record) -> str:
    """What errors call the poster of ``record``."""
    return f"{service.title}: the poster of {called(record)}"


def _surprise(record: Record, error: Exception) -> AssetServiceError:
    why = f" ({error.strerror})" if isinstance(error, OSError) and error.strerror else ""
    return AssetServiceError(f"{called(record)}: {type(error).__name__}{why} while its picture was fetched.")


def called(record: Record) -> str:
    """What errors call an asset."""
    return f"{shown(record.name)} ({cut(record.id, 100)})"
