"""The answer to a search: a lazy sequence of assets, and everything that is done with many of them."""

from __future__ import annotations

import operator
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

from ipyassets.collections.ahead import collected, collected_awaiting
from ipyassets.collections.assets import Asset, AsyncAsset
from ipyassets.collections.batch import ImageBatch
from ipyassets.collections.frame import Rows
from ipyassets.collections.list_base import AssetListBase
from ipyassets.collections.pages import Item
from ipyassets.collections.posters import Box
from ipyassets.collections.progress import bar
from ipyassets.collections.walking import MANY
from ipyassets.errors import Interrupted, InvalidRequest
from ipyassets.http import loop

if TYPE_CHECKING:
    from concurrent.futures import Executor

    import dask.bag
    import pandas as pd
    from PIL import Image

    from ipyassets.collections.at_scale import MappedPosters
    from ipyassets.http.pace import RateBudget

__all__ = ["AssetList", "AsyncAssetList"]

T = TypeVar("T")
_AT_ONCE: Final = 8
"""Posters that are handed to a reader at a time: each change of threads costs."""


class AssetList(AssetListBase[Asset], Sequence[Asset]):
    """The assets a search found: a lazy sequence whose pages are fetched when they are touched.

    ``bool()`` touches one page. ``len()`` is the service's own count where it gives one; else it walks all pages.
    Slices are lists of the same kind. Any index can be asked for directly where the service pages by number or offset
    (VNTANA, Scenario searches); elsewhere (iTwin, Scenario listings) the list grows as it is walked.
    """

    _make = Asset

    @property
    def total(self) -> int | None:
        """The service's own count of all matches, whatever the limit; None where it gives none."""
        loop.run(self._pages.first())
        return self._pages.total

    def __len__(self) -> int:
        return loop.run(self._length())

    def __bool__(self) -> bool:
        return bool(loop.run(self._items(0, 1)))

    @overload
    def __getitem__(self, index: int) -> Asset: ...
    @overload
    def __getitem__(self, index: slice) -> AssetList: ...
    def __getitem__(self, index: int | slice) -> Asset | AssetList:
        if isinstance(index, slice):
            span = self._span.sliced(index.start, index.stop, index.step)
            return self._view(span if span is not None else self._span.taken(range(*index.indices(len(self)))))
        try:
            position = operator.index(index)
        except TypeError:
            raise TypeError(f"An AssetList takes whole numbers and slices, not {type(index).__name__}.") from None
        if position < 0:
            position += len(self)
        found = loop.run(self._items(position, position + 1)) if position >= 0 else []
        if not found:
            raise IndexError(f"There is no asset at index {index}; the list has {len(self)}.")
        return self._wrap(found[0])

    def __iter__(self) -> Iterator[Asset]:
        walk = self._walker()
        try:
            while found := loop.run(walk.take()):
                yield from map(self._wrap, found)
        finally:
            walk.leave()

    def to_pandas(self, *, progress: bool | None = None) -> pd.DataFrame:
        """All assets as a DataFrame, one row each; fetches every page, side by side where the service allows it.

        Columns: id, name, service, kind, status, created and updated (datetime64[ns, UTC]), tags (lists),
        attributes (dicts). ``progress`` as in `posters`; Ctrl-C raises `Interrupted` with the rows so far in
        ``.partial``.
        """
        rows = Rows()
        walk = loop.run(self._walk_all())
        try:
            with bar(self._count_if_known(), "asset", "Assets", progress) as shown:
                while found := loop.run(walk.take()):
                    rows.add(record for _, record in found)
                    shown.update(len(found))
        except KeyboardInterrupt:
            raise Interrupted(f"Interrupted after {len(rows)} assets.", partial=rows.frame()) from None
        finally:
            walk.leave()
        return rows.frame()

    def posters(
        self,
        width: int | None = None,
        height: int | None = None,
        *,
        size: str | None = None,
        progress: bool | None = None,
    ) -> ImageBatch:
        """The posters of all assets, each at most ``width`` x ``height`` pixels, in order.

        A failed poster leaves None in its slot and its error in ``failures``. Ctrl-C raises `Interrupted` with what
        had come in ``.partial``, which is also kept as ``last_batch``; so does an error of the search itself.
        ``progress``: a bar with count and rate; None shows one where a person is looking, after a second.
        """
        self.last_batch = None  # two batches at once would double the memory
        return collected(
            self._stream(Box(width, height, size), keep_content=True),
            lambda: bar(self._count_if_known(), "poster", "Posters", progress),
            self._batch,
        )

    def iter_posters(
        self, width: int | None = None, height: int | None = None, *, size: str | None = None
    ) -> Iterator[tuple[Asset, Image.Image | None]]:
        """Pairs of asset and poster (None where it failed), in order, as they come; memory stays flat.

        Use `posters` to learn why one failed.
        """
        with self._stream(Box(width, height, size)) as stream:
            while taken := loop.run(stream.take(_AT_ONCE)):
                for result in taken:
                    yield self._wrap(result.item), result.image

    def map_posters(
        self,
        fn: Callable[[Asset, Image.Image], T],
        width: int | None = None,
        height: int | None = None,
        *,
        size: str | None = None,
        executor: Executor | None = None,
        partition_size: int | None = None,
        budget: RateBudget | None = None,
        progress: bool | None = None,
    ) -> MappedPosters[T]:
        """What ``fn(asset, image)`` gives for each asset and its poster, in the order of the assets.

        ``executor`` does the work: any of `concurrent.futures`, also Dask's ``client.get_executor()``; without one,
        threads here, as many as there are cores. Assets are sent ``partition_size`` at a time (100 unless told), and
        each worker fetches and decodes the posters of its own by itself. ``budget``: the requests that all of them
        together may make. ``width``, ``height``, ``size`` and ``progress`` are as for `posters`.

        Where workers are other processes, ``fn`` and what it gives must be picklable, and no credential is sent:
        each worker finds them in its own environment or keyring, also where this client was given them as arguments
        (a process that was forked has the client itself). Of ``asset.raw`` they have what the poster needs.

        A poster that fails, or an ``fn`` that raises, leaves None in its slot and the error in ``failures``. So does a
        partition that is lost along with its worker; Dask gives it to another worker first, some times
        (``distributed.scheduler.allowed-failures``), so ``fn`` may be called more than once for an asset, and counts
        once. Ctrl-C raises `Interrupted`; its ``.partial`` has all that was begun, with what had not come by then in
        ``failures``. It is also kept as ``last_map``, as it is after an error of the search itself.

        The result holds all assets and values here: beyond some 100,000, `to_dask` and files serve better.
        """
        from ipyassets.collections.at_scale import mapped

        self.last_map = None
        return mapped(
            self,
            fn,
            Box(width, height, size),
            executor=executor,
            partition_size=partition_size,
            budget=budget,
            progress=progress,
        )

    def to_dask(
        self,
        width: int | None = None,
        height: int | None = None,
        *,
        size: str | None = None,
        partition_size: int | None = None,
        budget: RateBudget | None = None,
    ) -> dask.bag.Bag:
        """A `dask.bag.Bag` of ``(asset, image)``, whose workers fetch for themselves; a failed image is None.

        The list is walked now, page after page, and what workers need of each asset goes into the bag: some 120
        bytes each, ``partition_size`` of them (100 unless told) to a partition. Positions are not relied on later, so
        a catalogue that changes meanwhile makes nothing come twice. No poster is fetched before the bag is computed;
        with ``.map(…)`` a worker holds a few dozen pictures at a time. ``budget``: the requests that all workers
        together may make.

        Workers need ipyassets and credentials of their own, in their environment or keyring, also where this client was
        given them as arguments: none is in the bag. A worker without any fails with `AuthenticationError`. Why a
        poster failed is in the log of the worker (``ipyassets.scale``); `map_posters` gives the errors themselves.

        Raises ImportError without Dask (``pip install 'ipyassets[dask]'``).
        """
        from ipyassets.collections.at_scale import bag_of

        return bag_of(self, Box(width, height, size), partition_size=partition_size, budget=budget)

    def to_html(
        self,
        path: str | Path,
        *,
        title: str | None = None,
        width: int = 512,
        limit: int | None = 1_000,
        turntables: bool = True,
        progress: bool | None = None,
    ) -> Path:
        """Write the assets as one HTML file that anybody can open, without Python and without a network; its path.

        The page is the Explorer's own grid over what is here now: posters (at most ``width`` x ``width`` pixels,
        16 to 2,048), the large view with what is known of each asset, a search in names, tags, attributes and ids, and
        turntables that turn (24 frames; ``turntables=False`` leaves them out: one request less for each asset). It
        holds no credential, no address and nothing of ``raw``. ``title`` stands above it, and is what was searched
        unless told; ``limit`` is the most assets it takes, None for all. Expect some 9 kB an asset, and 65 kB for each
        that turns.

        ``path`` ends in .html (which is added) or .htm; folders are made. The file is there when it is whole, in the
        place of an older one. What could not be loaded is named on the page, and warned of; so is what is beyond
        ``limit``. Ctrl-C raises `Interrupted`, whose ``.partial`` is the path of a page of what had come
        (``….part.html``); an error of the search itself leaves one, too. ``progress`` as in `posters`. Raises
        `InvalidRequest` before anything is fetched, OSError where the disk is full.
        """
        from ipyassets.collections.list_page import write

        return write(self, path, title, width, limit, turntables=turntables, progress=progress)

    def _each_once(self) -> Iterator[Item]:
        """All items, for a walk that takes them all."""
        walk = self._walker(ahead=MANY)
        try:
            while found := loop.run(walk.take()):
                yield from found
        finally:
            walk.leave()

    def _count_if_known(self) -> int | None:
        """The length, if finding it out needs no more than the first page."""
        loop.run(self._pages.first())
        if self._span.count is None and not self._pages.ended:
            return None
        return len(self) if self._pages.random_access or self._pages.ended else self._span.count

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        del include, exclude
        from ipyassets.collections.display import list_html

        html = list_html(self)  # first: it fetches a page, and then the text can give the count
        return {"text/plain": repr(self), "text/html": html}


class AsyncAssetList(AssetListBase[AsyncAsset]):
    """As `AssetList`, awaited: ``async for``, ``await .page(n)``, ``await .posters()``."""

    _make = AsyncAsset

    @property
    def total(self) -> int | None:
        """The service's own count of all matches; None where it gives none, or before the first page has come."""
        return self._pages.total

    async def __aiter__(self) -> AsyncIterator[AsyncAsset]:
        walk = self._walker()
        try:
            while found := await loop.awaiting(walk.take()):
                for item in found:
                    yield self._wrap(item)
        finally:
            walk.leave()

    def __getitem__(self, index: slice) -> AsyncAssetList:
        if not isinstance(index, slice):
            raise TypeError("An AsyncAssetList gives single assets by `await assets.get(i)`; slices are lists again.")
        span = self._span.sliced(index.start, index.stop, index.step)
        if span is None:
            raise InvalidRequest("Slices of an AsyncAssetList take no negative numbers: its length is not known yet.")
        return self._view(span)

    async def get(self, index: int) -> AsyncAsset:
        """The asset at ``index`` (0 or more). Raises IndexError."""
        found = await loop.awaiting(self._items(index, index + 1)) if index >= 0 else []
        if not found:
            raise IndexError(f"There is no asset at index {index}.")
        return self._wrap(found[0])

    async def page(self, number: int, size: int = 50) -> list[AsyncAsset]:
        """Assets ``number * size`` up to ``(number + 1) * size``; empty after the end."""
        if number < 0 or size < 1:
            raise InvalidRequest("Pages count from 0 and hold 1 asset or more.")
        return [self._wrap(item) for item in await loop.awaiting(self._items(number * size, (number + 1) * size))]

    async def length(self) -> int:
        """How many there are; walks all pages where the service gives no count."""
        return await loop.awaiting(self._length())

    async def to_pandas(self) -> pd.DataFrame:
        """As `AssetList.to_pandas`."""
        rows = Rows()
        walk = await loop.awaiting(self._walk_all())
        try:
            while found := await loop.awaiting(walk.take()):
                rows.add(record for _, record in found)
        finally:
            walk.leave()
        return rows.frame()

    async def posters(
        self, width: int | None = None, height: int | None = None, *, size: str | None = None
    ) -> ImageBatch:
        """As `AssetList.posters`, without a progress bar. When cancelled, what had come is kept as ``last_batch``."""
        return await collected_awaiting(self._stream(Box(width, height, size), keep_content=True), self._batch)

    async def to_html(
        self,
        path: str | Path,
        *,
        title: str | None = None,
        width: int = 512,
        limit: int | None = 1_000,
        turntables: bool = True,
    ) -> Path:
        """As `AssetList.to_html`, without a progress bar. When cancelled, a page of what had come is left."""
        from ipyassets.collections.list_page import write_awaiting

        return await write_awaiting(self, path, title, width, limit, turntables=turntables)

    async def iter_posters(
        self, width: int | None = None, height: int | None = None, *, size: str | None = None
    ) -> AsyncIterator[tuple[AsyncAsset, Image.Image | None]]:
        """As `AssetList.iter_posters`."""
        stream = self._stream(Box(width, height, size))
        try:
            while taken := await loop.awaiting(stream.take(_AT_ONCE)):
                for result in taken:
                    yield self._wrap(result.item), result.image
        finally:
            await loop.awaiting(stream.stop())
