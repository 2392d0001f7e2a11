"""The files of many assets: a sequence in the order of the assets, with the failures named."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from ipyassets.collections.ahead import collected, collected_awaiting
from ipyassets.collections.batch import ImageBatch, stem
from ipyassets.collections.downloads import AsyncDownload, Download, DownloadBase
from ipyassets.collections.images import in_file_pool
from ipyassets.collections.pages import Item
from ipyassets.collections.posters import Box, PosterResult, PosterStream
from ipyassets.collections.progress import bar
from ipyassets.collections.slots import Slots
from ipyassets.errors import AssetServiceError
from ipyassets.http import loop

__all__ = ["AsyncDownloadBatch", "DownloadBatch", "DownloadBatchBase"]

D = TypeVar("D", bound=DownloadBase)


class DownloadBatchBase(Slots[D, AssetServiceError]):
    """The files of some assets: as many and in the same order; a failed slot is None and stands in `failures`."""

    _unit = "files"

    @property
    def results(self) -> list[D | None]:
        """The downloads in order, None where one failed."""
        return self._results

    @property
    def paths(self) -> list[Path | None]:
        """Where each file was saved last; None where it failed or was not saved."""
        return [None if one is None else one.path for one in self.results]

    async def _save(self, folder: str | Path) -> list[Path]:
        target = await in_file_pool(Path(folder).absolute)
        return [
            await one._save(target / stem(index, len(self), one.asset))  # noqa: SLF001
            for index, one in enumerate(self.results)
            if one is not None
        ]

    def _pictures(self, box: Box) -> _Pictures:
        return _Pictures(self, box)

    def _images(self, results: Sequence[PosterResult]) -> ImageBatch:
        assets = self._assets[: len(results)]
        return ImageBatch(
            assets,
            [result.image for result in results],
            [(i, assets[i], result.error) for i, result in enumerate(results) if result.error is not None],
            [result.content for result in results],
        )


class DownloadBatch(DownloadBatchBase[Download]):
    """The files of some assets; methods block until they are done."""

    def images(
        self, width: int | None = None, height: int | None = None, *, progress: bool | None = None
    ) -> ImageBatch:
        """The files as PIL images, each at most ``width`` x ``height`` pixels; what is no picture has failed."""
        return collected(
            self._pictures(Box(width, height)), lambda: bar(len(self), "image", "Images", progress), self._images
        )

    def save(self, folder: str | Path) -> list[Path]:
        """Write each file into ``folder``, named as by `ImageBatch.save`; gives the paths. Failed slots have none."""
        return loop.run(self._save(folder))


class AsyncDownloadBatch(DownloadBatchBase[AsyncDownload]):
    """As `DownloadBatch`, awaited."""

    async def images(self, width: int | None = None, height: int | None = None) -> ImageBatch:
        """As `DownloadBatch.images`, without a progress bar."""
        return await collected_awaiting(self._pictures(Box(width, height)), self._images)

    async def save(self, folder: str | Path) -> list[Path]:
        """As `DownloadBatch.save`."""
        return await loop.awaiting(self._save(folder))


class _Pictures(PosterStream):
    """The downloads of a batch, decoded."""

    unit = "image"
    ahead = 12
    held = 0

    def __init__(self, batch: DownloadBatchBase[Any], box: Box) -> None:
        super().__init__(_items(batch), box)
        self._errors = {index: error for index, _, error in batch.failures}
        self._results = batch.results

    async def _complete(self, result: PosterResult) -> None:
        download = self._results[result.index]
        if download is None:
            raise self._errors[result.index]
        result.image = await download._image(self._box)  # noqa: SLF001
        result.content = await download._content()  # noqa: SLF001


async def _items(batch: DownloadBatchBase[Any]) -> AsyncIterator[Item]:
    for asset in batch.assets:
        yield asset._service, asset._record  # noqa: SLF001
