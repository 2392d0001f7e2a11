"""Archives that a service makes of many assets, followed until they are there, and read without fetching it all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, overload

from ipyassets.collections.ahead import collected, collected_awaiting
from ipyassets.collections.archive_base import ArchiveJobBase
from ipyassets.collections.assets import Asset, AsyncAsset
from ipyassets.collections.batch import ImageBatch
from ipyassets.collections.extraction import Extracted
from ipyassets.collections.ordered import AwaitedOrder, BlockingOrder
from ipyassets.collections.posters import Box
from ipyassets.collections.progress import advancing, bar
from ipyassets.errors import Interrupted
from ipyassets.http import loop

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["ArchiveJob", "AsyncArchiveJob"]


class ArchiveJob(ArchiveJobBase, BlockingOrder):
    """Archives that were ordered, followed while the service makes them; methods block until they are done.

    Once it is done (`wait`), what is in it is read: nothing is fetched that is not asked for, where the server gives
    parts of files. ``len(job)`` and ``job[i]`` count all members, over all archives.
    """

    _asset = Asset

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all members, in their order, as the archive has them; fetched with its directory alone."""
        return loop.run(self._names())

    @property
    def others(self) -> tuple[str, ...]:
        """The names of members that are no raster pictures: 3D, video, audio, text. `read` and `extract` give them."""
        return loop.run(self._others())

    def __len__(self) -> int:
        return len(self.names)

    def __bool__(self) -> bool:
        return True  # without asking anybody

    @overload
    def __getitem__(self, index: int) -> Image.Image: ...
    @overload
    def __getitem__(self, index: slice) -> list[Image.Image]: ...
    def __getitem__(self, index: int | slice) -> Image.Image | list[Image.Image]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        return loop.run(self._image(index, Box()))

    def image(self, name: str, width: int | None = None, height: int | None = None) -> Image.Image:
        """The picture called ``name``, at most ``width`` x ``height`` pixels; its bytes alone are fetched.

        Raises `NotFound` for an unknown name, `BadResponse` for a damaged picture.
        """
        return loop.run(self._image(name, Box(width, height)))

    def read(self, name: str) -> bytes:
        """The content of any member, its checksum compared."""
        return loop.run(self._read(name))

    def open(self, name: str) -> IO[bytes]:
        """The content of any member as a file to read."""
        return loop.run(self._open(name))

    def images(
        self, width: int | None = None, height: int | None = None, *, progress: bool | None = None
    ) -> ImageBatch:
        """All pictures, in the order of the archive, each at most ``width`` x ``height`` pixels; decoded as they come.

        One slot for each member that is a raster picture, None if it is damaged; then one, None, for each asset that
        was asked for and is not there. ``failures`` names both. Members that are no pictures are in `others`.
        Ctrl-C raises `Interrupted` with what had come in ``.partial``, as does an error of the download itself in
        ``last_batch``. ``progress``: as for posters.
        """
        self.last_batch = None  # two batches at once would double the memory
        stream = loop.run(self._stream(Box(width, height), batch=True))
        return collected(stream, lambda: bar(len(stream.slots), "image", "Images", progress), self._batch)

    def iter_images(
        self, width: int | None = None, height: int | None = None
    ) -> Iterator[tuple[Asset | str, Image.Image | None]]:
        """Pairs of asset (the member's name, where it tells no asset) and picture, as they come; memory stays flat.

        A picture is None where it is damaged; use `images` to learn why.
        """
        with loop.run(self._stream(Box(width, height), batch=False)) as stream:
            while taken := loop.run(stream.take()):
                for result in taken:
                    yield self._pair(stream, result)  # type: ignore[misc]  # assets of our own kind

    def save(self, path: str | Path, *, progress: bool | None = None) -> Path | list[Path]:
        """Write the archive to ``path`` as it is and give the path; a list of paths if the job has several.

        Until it is whole it lies in ``path.part``; a later call goes on with that where the archive is still the same.
        """
        with bar(loop.run(self._size()), "B", "Download", progress) as shown:
            try:
                paths = advancing(shown, partial(self._save, Path(path)))
            except KeyboardInterrupt:
                raise Interrupted(f"Interrupted; save() goes on with {Path(path).name}.part.", partial=path) from None
        return paths[0] if len(self._contents.archives) == 1 else list(paths)

    def extract(
        self,
        folder: str | Path,
        names: Iterable[str] | None = None,
        *,
        overwrite: bool = False,
        progress: bool | None = None,
    ) -> Extracted:
        """Write members into ``folder``, all or those called ``names``; gives the paths by name, and ``failures``.

        Nothing is written outside, through links, or over files that are there (unless ``overwrite``): names that
        lead elsewhere, clash or that a system refuses are changed. Raises `BadResponse`, before anything is written,
        if all would be more than ``job.limits``. Ctrl-C raises `Interrupted` with what was written in ``.partial``.
        """
        extraction, wanted = loop.run(self._contents.extraction(folder, names, overwrite=overwrite))
        with bar(sum(len(some) for _, some in wanted), "file", "Extract", progress) as shown:
            try:
                return advancing(shown, partial(extraction.run, wanted))
            except KeyboardInterrupt:
                raise Interrupted(f"Interrupted after {len(extraction.done)} files.", partial=extraction.done) from None


class AsyncArchiveJob(ArchiveJobBase, AwaitedOrder):
    """As `ArchiveJob`, awaited. The order is sent in the background at once; `submitted` waits for that alone."""

    _asset = AsyncAsset

    async def names(self) -> tuple[str, ...]:
        """As `ArchiveJob.names`."""
        return await loop.awaiting(self._names())

    async def others(self) -> tuple[str, ...]:
        """As `ArchiveJob.others`."""
        return await loop.awaiting(self._others())

    async def image(self, which: int | str, width: int | None = None, height: int | None = None) -> Image.Image:
        """As `ArchiveJob.image`; also by position, as ``job[i]``."""
        return await loop.awaiting(self._image(which, Box(width, height)))

    async def read(self, name: str) -> bytes:
        """As `ArchiveJob.read`."""
        return await loop.awaiting(self._read(name))

    async def open(self, name: str) -> IO[bytes]:
        """As `ArchiveJob.open`."""
        return await loop.awaiting(self._open(name))

    async def images(self, width: int | None = None, height: int | None = None) -> ImageBatch:
        """As `ArchiveJob.images`, without a progress bar. When cancelled, what had come is kept as ``last_batch``."""
        self.last_batch = None
        return await collected_awaiting(await loop.awaiting(self._stream(Box(width, height), batch=True)), self._batch)

    async def iter_images(
        self, width: int | None = None, height: int | None = None
    ) -> AsyncIterator[tuple[AsyncAsset | str, Image.Image | None]]:
        """As `ArchiveJob.iter_images`."""
        stream = await loop.awaiting(self._stream(Box(width, height), batch=False))
        try:
            while taken := await loop.awaiting(stream.take()):
                for result in taken:
                    yield self._pair(stream, result)  # type: ignore[misc]  # assets of our own kind
        finally:
            await loop.awaiting(stream.stop())

    async def save(self, path: str | Path) -> Path | list[Path]:
        """As `ArchiveJob.save`."""
        paths = await loop.awaiting(self._save(Path(path), _quietly))
        return paths[0] if len(self._contents.archives) == 1 else list(paths)

    async def extract(
        self, folder: str | Path, names: Iterable[str] | None = None, *, overwrite: bool = False
    ) -> Extracted:
        """As `ArchiveJob.extract`."""
        extraction, wanted = await loop.awaiting(self._contents.extraction(folder, names, overwrite=overwrite))
        return await loop.awaiting(extraction.run(wanted, _quietly))


def _quietly(count: int) -> None:
    del count
