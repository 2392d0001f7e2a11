"""What blocking and awaited lists of assets share: views, walks, lengths."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Self, TypeVar

from ipyassets.collections.assets import AssetBase
from ipyassets.collections.batch import ImageBatch
from ipyassets.collections.pages import FixedPages, Item, Pages
from ipyassets.collections.posters import Box, PosterResult, PosterStream
from ipyassets.collections.span import Span
from ipyassets.collections.walking import MANY, Walk
from ipyassets.services.base import AssetService

if TYPE_CHECKING:
    from ipyassets.collections.at_scale import MappedPosters

__all__ = ["AssetListBase"]

A = TypeVar("A", bound=AssetBase)


class AssetListBase(Generic[A]):
    """A list of assets, fetched when they are touched. Coroutines that begin with ``_`` run on the loop thread."""

    _make: Callable[[Any, AssetService], A]

    def __init__(self, pages: Pages, label: str, span: Span | None = None) -> None:
        self._pages = pages
        self._label = label
        self._span = span or Span()
        self.last_batch: ImageBatch | None = None
        """What the last `posters` of this list gave, also if it was interrupted."""
        self.last_map: MappedPosters[Any] | None = None
        """The same of `AssetList.map_posters`."""

    @classmethod
    def of(cls, assets: Iterable[AssetBase], label: str = "chosen assets") -> Self:
        """A list of assets that are already here."""
        return cls(FixedPages([(asset._service, asset._record) for asset in assets]), label)  # noqa: SLF001

    def _view(self, span: Span) -> Self:
        return type(self)(self._pages, self._label, span)

    def _wrap(self, item: Item) -> A:
        return type(self)._make(item[1], item[0])

    async def _items(self, start: int, stop: int) -> list[Item]:
        """Items at indexes ``start`` up to ``stop`` of this view; fewer at its end."""
        span = self._span
        if span.count is not None:
            stop = min(stop, span.count)
        if start >= stop:
            return []
        ends = sorted((span.position(start), span.position(stop - 1)))
        found = await self._pages.items(max(0, ends[0]), ends[1] + 1)
        if span.step > 0:
            return found[:: span.step]
        # Walked backwards: pick by position, since the first positions asked for may lie beyond the end.
        positions = (span.position(i) - max(0, ends[0]) for i in range(start, stop))
        return [found[p] for p in positions if 0 <= p < len(found)]

    async def _length(self) -> int:
        if self._span.count is not None:
            last = self._span.start if self._span.step < 0 else self._span.position(self._span.count - 1)
            if self._span.count == 0:
                return 0
            if last < self._pages.known:  # what is asked for has come already: no need to count the rest
                return self._span.count
            await self._pages.first()  # where there is a count, it comes with any page
            if not self._pages.random_access or not self._pages.ended:
                return self._span.within(len(await self._pages.items(0, last + 1)))
        return self._span.within(await self._pages.length())

    def _walker(self, ahead: int = 0) -> Walk:
        return Walk(self._items, self._pages, self._span, ahead=ahead)

    async def _walk(self) -> AsyncGenerator[Item, None]:
        walk = self._walker()
        try:
            while found := await walk.take():
                for item in found:
                    yield item
        finally:
            walk.drop()

    async def _walk_all(self) -> Walk:
        """A walk for somebody who wants everything as fast as it comes."""
        count = self._span.count
        if self._span.step > 0 and count != 0:
            await self._pages.widen(None if count is None else self._span.position(count - 1) + 1)
        return self._walker(MANY)

    def _stream(self, box: Box, *, keep_content: bool = False) -> PosterStream:
        return PosterStream(self._walk(), box, keep_content=keep_content)

    async def _all(self) -> list[Item]:
        if self._pages.random_access:
            return await self._items(0, await self._length())
        return [item async for item in self._walk()]

    def _batch(self, results: Sequence[PosterResult]) -> ImageBatch:
        assets = [self._wrap(result.item) for result in results]
        batch = ImageBatch(
            assets,
            [result.image for result in results],
            [(i, assets[i], r.error) for i, r in enumerate(results) if r.error is not None],
            [result.content for result in results],
        )
        self.last_batch = batch
        return batch

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "A list of assets belongs to a client with credentials and is not pickled; keep the ids, or to_pandas(), "
            "or the assets: list(assets)."
        )

    def __repr__(self) -> str:
        known = self._span.within(self._pages.known)
        if self._pages.ended or (self._span.count is not None and known == self._span.count):
            count = f"{known} assets"
        else:
            count = f"{known} assets so far" if known else "not fetched yet"
        return f"{type(self).__name__}({self._label}: {count})"
