"""Single files of assets: fetched when they are first used, checked against what was promised, kept or saved."""

from __future__ import annotations

import contextlib
import os
import tempfile
import weakref
from collections.abc import AsyncIterator, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, NoReturn

from ipyassets.collections.aside import aside
from ipyassets.collections.assets import AssetBase
from ipyassets.collections.batch import stem
from ipyassets.collections.chosen import Chosen
from ipyassets.collections.disk import Room
from ipyassets.collections.images import decode, in_decode_pool, in_file_pool
from ipyassets.collections.pages import Item
from ipyassets.collections.posters import Box, PosterResult, PosterStream
from ipyassets.collections.progress import advancing, bar
from ipyassets.collections.safe_names import safe_parts
from ipyassets.collections.saving import Advance, save_file
from ipyassets.collections.sniffing import HEAD, Content, expected, is_raster, sniff
from ipyassets.errors import AssetServiceError, BadResponse, Interrupted, InvalidRequest
from ipyassets.http import loop
from ipyassets.http.loop import LoopLock
from ipyassets.services.downloading import DownloadService, RemoteFile
from ipyassets.texts import shown

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["AsyncDownload", "Download", "DownloadBase", "DownloadStream"]

_IN_MEMORY: Final = 8 << 20
"""Bytes of a file up to which it is kept in memory, and not in a temporary file."""
_MOST_CONTENT: Final = 4 << 30
"""Bytes of a file that are given as one object."""
_MOST_DECODED: Final = 1 << 30
"""Bytes of a file of which a picture is made."""


class DownloadBase:
    """What the blocking and the awaited download share. Coroutines that begin with ``_`` run on the loop thread."""

    def __init__(self, file: RemoteFile, asset: AssetBase, format: str | None) -> None:
        self.asset = asset
        """The asset it is the file of."""
        self.format = format
        """What was asked for; None for the original."""
        self.path: Path | None = None
        """Where it was saved last."""
        self._file = file
        self._found: Content | None = None
        self._kept: Any = None
        self._lock = LoopLock()

    @property
    def name(self) -> str:
        """A file name for it, its ending that of the content where that is known."""
        last = safe_parts(self._file.name or self.asset.id)[-1]
        return last if self._found is None else self._found.named(last)

    @property
    def media_type(self) -> str | None:
        """The content type: the one that was promised, and the real one once the file has come."""
        return self._found.media_type if self._found is not None else self._file.media_type

    async def _content(self) -> bytes:
        async with self._lock:
            if self.path is not None and await in_file_pool(self.path.is_file):
                return await in_file_pool(self.path.read_bytes)
            if self._kept is None:
                self._begin_again()
                self._bear(await self._file.size() or 0)
            await self._fetch()
            self._bear(self._kept.seek(0, os.SEEK_END))
            return await in_file_pool(self._all)

    def _bear(self, size: int) -> None:
        """Raise for more bytes than memory should be asked for."""
        if size > _MOST_CONTENT:
            raise BadResponse(f"{self._what()} has {size:,} bytes: too many for memory. save() it.", advice="")

    async def _image(self, box: Box) -> Image.Image:
        self._refuse(self.format or (self._found.format if self._found else None))
        content = await self._content()
        found = sniff(content[:HEAD])
        self._refuse(found.format if found is not None else None)
        if len(content) > _MOST_DECODED:
            raise BadResponse(
                f"{self._what()} has {len(content):,} bytes: too many to make a picture of. save() it.", advice=""
            )
        return await in_decode_pool(decode, content, box.width, box.height, self._what())

    async def _size(self) -> int | None:
        """Bytes to fetch; None if there are none, or nobody says."""
        if self._kept is not None:
            return None
        self._begin_again()
        return await self._file.size()

    async def _save(self, path: str | Path, advance: Advance = lambda _: None) -> Path:
        async with self._lock:
            self._begin_again()
            target, free = await in_file_pool(self._target, path)

            def placed() -> Path:
                """Where a person gave an ending, it stays."""
                return target.with_name(target.stem + Path(self.name).suffix) if free else target

            def check(part: Path, resumed: bool) -> Path | None:
                del resumed
                with part.open("rb") as file:
                    self._look(file.read(HEAD))
                return placed()

            if self._kept is not None:
                self.path = await in_file_pool(self._copy, placed())
            else:
                with self._doubted():
                    self.path = await save_file(self._file, target, check, advance)
            return self.path

    async def _keep(self) -> None:
        async with self._lock:
            await self._fetch()

    async def _fetch(self) -> None:
        """Have the file here, in memory or in a temporary file."""
        if self._kept is not None:
            return
        self._begin_again()
        kept = tempfile.SpooledTemporaryFile(_IN_MEMORY, prefix="ipyassets-")  # noqa: SIM115  # closed with the download
        closing = weakref.finalize(self, kept.close)
        room = Room()
        try:
            with self._doubted():
                size = await self._file.size()
                async with contextlib.aclosing(self._file.stream()) as pieces:
                    async for piece in pieces:
                        await in_file_pool(room.write, kept, piece)
                if size is not None and kept.tell() != size:
                    raise BadResponse(f"{self._what()} came with {kept.tell():,} bytes instead of {size:,}.")
                kept.seek(0)
                self._look(kept.read(HEAD))
        except BaseException:
            closing()
            raise
        self._kept = kept

    @contextlib.contextmanager
    def _doubted(self) -> Iterator[None]:
        """Where it fails, what is known of the file goes: what answered at first may have been another server."""
        try:
            yield
        except AssetServiceError:
            self._file = self._file.anew()
            raise

    def _begin_again(self) -> None:
        """Of a file that changed while it was read nothing was taken: the next try is for the new one."""
        if self._file.changed:
            self._file = self._file.anew()

    def _look(self, head: bytes) -> None:
        wrong = expected(head, self.format, self._file.media_type)
        if wrong is not None:
            raise BadResponse(f"{self._what()}: {wrong}.")
        self._found = sniff(head)

    def _refuse(self, format: str | None) -> None:
        """Raise for what no picture can be made of, before it is fetched where that is known."""
        if format is None and self._found is None:
            promised = (self._file.media_type or "").partition(";")[0]
            # Whatever else is promised may be anything.
            format = promised if promised.startswith(("audio/", "video/", "model/", "image/svg")) else None
        if format is not None and not is_raster(format):
            raise InvalidRequest(f"{self._what()} is {format}, no raster picture: .save() and .content give the file.")

    def _all(self) -> bytes:
        self._kept.seek(0)
        return bytes(self._kept.read())

    def _copy(self, target: Path) -> Path:
        target.parent.mkdir(parents=True, exist_ok=True)
        self._kept.seek(0)
        with aside(target) as file:
            while piece := self._kept.read(1 << 20):
                file.write(piece)
        return target

    def _target(self, path: str | Path) -> tuple[Path, bool]:
        """The file that ``path`` stands for, and whether its ending is ours to choose."""
        target = Path(path).absolute()
        if target.is_dir() or str(path).endswith(("/", "\\")):
            return target / self.name, True
        return target, not target.suffix

    def _what(self) -> str:
        return self._file.what[:1].upper() + self._file.what[1:]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {shown(self.asset.name)}, {self.media_type or self.format or 'original'}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A download belongs to a client with credentials and is not pickled; keep its content.")


class Download(DownloadBase):
    """One file of an asset; methods block until they are done. It is fetched when it is first used, and kept."""

    @property
    def content(self) -> bytes:
        """The file as served. Raises `BadResponse`, saying what came, if it is not what was promised."""
        return loop.run(self._content())

    def image(self, width: int | None = None, height: int | None = None) -> Image.Image:
        """The picture, at most ``width`` x ``height`` pixels.

        Raises `InvalidRequest` for what is no raster picture (SVG, 3D, video, audio), `BadResponse` for a damaged one.
        """
        return loop.run(self._image(Box(width, height)))

    def save(self, path: str | Path, *, progress: bool | None = None) -> Path:
        """Write the file to ``path``, whole or not at all, and give the path.

        A folder: under its own `name`; without an ending: with that of the content. What came before it was broken
        off stays in ``path.part`` and is gone on with by the next call.
        """
        size = loop.run(self._size())
        with bar(size, "B", "Download", progress) as shown:
            try:
                return advancing(shown, partial(self._save, path))
            except KeyboardInterrupt:
                raise Interrupted("Interrupted; save() goes on with what came.", partial=path) from None


class AsyncDownload(DownloadBase):
    """As `Download`, awaited."""

    async def content(self) -> bytes:
        """As `Download.content`."""
        return await loop.awaiting(self._content())

    async def image(self, width: int | None = None, height: int | None = None) -> Image.Image:
        """As `Download.image`."""
        return await loop.awaiting(self._image(Box(width, height)))

    async def save(self, path: str | Path) -> Path:
        """As `Download.save`, without a progress bar."""
        return await loop.awaiting(self._save(path))


class DownloadStream(PosterStream):
    """The files of many assets, several at once, kept or written into ``folder``; ``made`` has them by position."""

    unit: ClassVar[str] = "file"
    ahead: ClassVar[int] = 16
    held: ClassVar[int] = 0

    def __init__(
        self,
        service: DownloadService,
        chosen: Sequence[Chosen],
        format: str | None,
        *,
        kind: type[DownloadBase],
        wrap: type[AssetBase],
        folder: Path | None,
    ) -> None:
        super().__init__(_items(service, chosen), Box())
        self.chosen = chosen
        self.made: dict[int, DownloadBase] = {}
        self._service = service
        self._format = format
        self._kind = kind
        self._wrap = wrap
        self._folder = folder

    async def _complete(self, result: PosterResult) -> None:
        one = self.chosen[result.index]
        if one.error is not None:
            raise one.error
        file = await self._service.download(one.record, self._format)
        made = self._kind(file, self._wrap(one.record, self._service), self._format)
        if self._folder is None:
            await made._keep()  # noqa: SLF001
        else:
            await made._save(self._folder / stem(result.index, len(self.chosen), made.asset))  # noqa: SLF001
        self.made[result.index] = made

    def slots(
        self, results: Sequence[PosterResult]
    ) -> tuple[list[AssetBase], list[Any], list[tuple[int, AssetBase, AssetServiceError]]]:
        """Assets, downloads (None where one failed) and failures, as a batch takes them."""
        assets = [self._wrap(record, self._service) for _, record in (result.item for result in results)]
        failures = [(i, assets[i], result.error) for i, result in enumerate(results) if result.error is not None]
        return assets, [self.made.get(result.index) for result in results], failures


async def _items(service: DownloadService, chosen: Sequence[Chosen]) -> AsyncIterator[Item]:
    for one in chosen:
        yield service, one.record
