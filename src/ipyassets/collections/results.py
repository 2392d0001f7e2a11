"""What came of a job's lines, for layers that show or save it: they ask for these abilities, not for kinds of jobs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, TypeAlias, runtime_checkable

from ipyassets.services.base import Record

__all__ = ["Gives", "HasFilms", "HasResults", "Result", "Savable"]

Gives: TypeAlias = Literal["files", "film"]
"""What a part of a job makes: files, of which most are pictures, or one film."""


@dataclass(frozen=True, slots=True)
class Result:
    """One file that was made for a line of a job."""

    name: str
    what: str
    """What it is, in words for messages."""
    picture: bool
    """Whether it is a raster picture, as far as is known before it is read."""
    read: Callable[[], Awaitable[bytes]]
    """Its content; on the loop thread."""
    size: int | None = None
    """Bytes, where that is known before it is read."""
    record: Record | None = None
    """The asset it shows, where that is known."""


@runtime_checkable
class HasResults(Protocol):
    """A job that gives files. Coroutines run on the loop thread."""

    gives: ClassVar[Mapping[str, Gives]]
    """What its parts make, by part, such as ``stills``."""

    async def _results(self, index: int) -> Sequence[Result]:
        """The files of line ``index`` in their order; empty as long as there are none. Nothing of them is read."""


@runtime_checkable
class HasFilms(Protocol):
    """A job that gives films."""

    async def _film_of(self, index: int, media: str) -> bytes | None:
        """The film of line ``index``, an MP4 (``mp4``) or a GIF (``gif``); None if there is none of this kind."""


@runtime_checkable
class Savable(Protocol):
    """A job of which all can be saved in one go."""

    async def _size(self) -> int | None:
        """Bytes that are to be saved; None if nobody says."""

    async def _places(self, path: Path) -> Sequence[Path]:
        """The files that would be written."""

    async def _save(self, path: Path, advance: Callable[[int], Any]) -> Sequence[Path]:
        """Write them, and give their paths; ``advance`` is told of each stretch of bytes."""
