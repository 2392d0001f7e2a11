"""What an archive job can do for layers that show and save it; see `collections.results`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from ipyassets.collections.archive_contents import ArchiveContents
from ipyassets.collections.jobs import JobBase
from ipyassets.collections.results import Gives, Result
from ipyassets.texts import shown

__all__ = ["ArchiveResults"]


class ArchiveResults(JobBase):
    """The members of a job's archives as its results."""

    gives: ClassVar[Mapping[str, Gives]] = {"archive": "files"}
    _contents: ArchiveContents

    async def _results(self, index: int) -> list[Result]:
        """Raises what makes the archive unreadable, once it is made."""
        if self.items[index].status != "completed":
            return []
        return [
            Result(
                one.name,
                shown(one.name),
                picture=one.is_image,
                read=functools.partial(self._contents.read, one),
                size=one.size,
                record=one.record,
            )
            for one in await self._contents.members_of(index)
        ]

    async def _size(self) -> int | None:
        return await self._contents.sizes()

    async def _places(self, path: Path) -> Sequence[Path]:
        return await self._contents.places(path)

    async def _save(self, path: Path, advance: Callable[[int], Any]) -> list[Path]:
        return await self._contents.save(path, advance)
