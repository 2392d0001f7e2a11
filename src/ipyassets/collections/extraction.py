"""Members of archives as files in a folder: nothing outside of it, nothing overwritten, nothing half written."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from ipyassets.collections.archive_reader import ArchiveReader, Held
from ipyassets.collections.aside import aside
from ipyassets.collections.disk import SPARE
from ipyassets.collections.images import in_file_pool
from ipyassets.collections.members import LIMITED, ArchiveLimits, Member
from ipyassets.collections.safe_names import PathNames
from ipyassets.errors import AssetServiceError, BadResponse, InvalidRequest
from ipyassets.texts import shown

__all__ = ["Extracted", "Extraction"]


class Extracted(Mapping[str, Path]):
    """Where each member lies, by its name in the archive; ``failures`` names those that were not written.

    A name that comes twice is here as ``name``, ``name (2)`` and so on.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.failures: list[tuple[str, AssetServiceError]] = []
        """``(name, error)`` for every member that has no file."""
        self._paths: dict[str, Path] = {}
        self._counts: dict[str, int] = {}

    def add(self, name: str, path: Path) -> None:
        """Take note that a member was written."""
        count = self._counts[name] = self._counts.get(name, 0) + 1
        self._paths[name if count == 1 else f"{name} ({count})"] = path

    def __getitem__(self, name: str) -> Path:
        return self._paths[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    def raise_for_failures(self) -> Extracted:
        """Raise an `ExceptionGroup` of all failures if there are any; else give it back."""
        if self.failures:
            raise ExceptionGroup(
                f"{len(self.failures)} of {len(self) + len(self.failures)} members were not extracted",
                [error for _, error in self.failures],
            )
        return self

    def __repr__(self) -> str:
        failed = f", {len(self.failures)} failed" if self.failures else ""
        return f"<{len(self)} files in {str(self.folder)!r}{failed}>"


class Extraction:
    """Writes members into ``folder``; ``done`` is what was written so far."""

    def __init__(self, folder: str | Path, limits: ArchiveLimits, *, overwrite: bool) -> None:
        self.done = Extracted(Path(folder).absolute())
        self._limits = limits
        self._overwrite = overwrite
        self._root = self.done.folder
        self._names = PathNames(lambda path: not overwrite and os.path.lexists(self._root / path))
        self._total = 0

    async def run(
        self, wanted: Sequence[tuple[ArchiveReader, Sequence[Member]]], advance: Callable[[int], Any]
    ) -> Extracted:
        """Write all, ``advance`` told after each. Raises, before anything is written, if that would be too much."""
        everything = [one for _, members in wanted for one in members]
        self._check(everything)
        self._root = await in_file_pool(self._begin, sum(one.size for one in everything))
        for reader, members in wanted:
            async with contextlib.aclosing(reader.stream(members, self._limits)) as arriving:
                await self._write_all(arriving, advance)
        return self.done

    def _check(self, members: Sequence[Member]) -> None:
        total = sum(one.size for one in members)
        if total > self._limits.total_bytes:
            raise BadResponse(
                f"These {len(members):,} members unpack to {total:,} bytes, more than the limit of "
                f"{self._limits.total_bytes:,}; nothing was written (job.limits.total_bytes).",
                advice=LIMITED,
            )

    def _begin(self, total: int) -> Path:
        self._root.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self._root).free
        if total > free - SPARE:
            raise InvalidRequest(
                f"These members unpack to {total:,} bytes, but only {free:,} are free there, {SPARE >> 20} MB of which "
                "are left free; nothing was written."
            )
        return self._root.resolve()

    async def _write_all(
        self, arriving: AsyncIterator[tuple[Member, Held | AssetServiceError]], advance: Callable[[int], Any]
    ) -> None:
        async for one, held in arriving:
            name = one.name
            try:
                if isinstance(held, AssetServiceError):
                    raise held
                try:
                    self.done.add(name, await in_file_pool(self._write, one, held))
                finally:
                    held.close()
            except AssetServiceError as error:
                self.done.failures.append((name, error))
            except OSError as error:
                self.done.failures.append((name, _disk(name, error)))
            advance(1)

    def _write(self, one: Member, held: Held) -> Path:
        if not one.regular:
            raise BadResponse(f"{shown(one.name)} is a link or a device, and no file; it was not written.")
        target = self._root / self._place(one.name)
        with aside(target, new=not self._overwrite) as file:
            held.copy(_Counted(file, self._room()))  # type: ignore[arg-type]  # write() is all that is used
            self._total += file.tell()
        return target

    def _room(self) -> int:
        return self._limits.total_bytes - self._total

    def _place(self, name: str) -> PurePosixPath:
        path = self._names.path(name)
        parent = self._root / path.parent
        if not parent.resolve().is_relative_to(self._root):  # a link that lay there before leads out
            raise BadResponse(f"{shown(name)} would be written through a link out of the folder; it was not.")
        parent.mkdir(parents=True, exist_ok=True)
        return path


class _Counted:
    """Passes bytes on, so many at most: sizes that were told may be lies."""

    def __init__(self, file: Any, most: int) -> None:
        self._file = file
        self._most = most

    def write(self, data: bytes) -> int:
        self._most -= len(data)
        if self._most < 0:
            raise BadResponse(
                "The members unpack to more bytes than the limit (job.limits.total_bytes).", advice=LIMITED
            )
        return int(self._file.write(data))


def _disk(name: str, error: OSError) -> AssetServiceError:
    return AssetServiceError(f"{shown(name)} could not be written: {error.strerror or type(error).__name__}.")
