"""What the browser may ask of a `JobMonitor`, read with suspicion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from ipyassets.widgets import reading
from ipyassets.widgets.messages import MOST_TILES, ranges
from ipyassets.widgets.ranges import Ranges
from ipyassets.widgets.reading import Cancel, Hello, Refused, edge, index, word

__all__ = ["Ask", "Files", "Film", "Retry", "Rows", "Stop", "Thumbnails", "read"]

EDGES: Final = (16, 512)
FILE_EDGES: Final = (64, 2048)
MEDIA: Final = ("mp4", "gif")


@dataclass(frozen=True, slots=True)
class Rows:
    """All lines of a job as they stand."""

    job: str


@dataclass(frozen=True, slots=True)
class Thumbnails:
    """The pictures of these lines, of at most ``edge`` pixels a side."""

    job: str
    ranges: Ranges
    edge: int


@dataclass(frozen=True, slots=True)
class Files:
    """The files that were made for one line, pictures of at most ``edge`` pixels a side."""

    job: str
    index: int
    edge: int


@dataclass(frozen=True, slots=True)
class Film:
    """The film that was made for one line."""

    job: str
    index: int
    media: str
    """``mp4`` or ``gif``."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The person pressed "Stop following"."""

    job: str


@dataclass(frozen=True, slots=True)
class Retry:
    """The person pressed "Retry failed"."""

    job: str


Ask: TypeAlias = Rows | Thumbnails | Files | Film | Stop | Retry | Hello | Cancel


def read(content: object) -> tuple[str, Ask]:
    """The request's own word and what it asks. Raises `Refused`."""
    return reading.read(content, _asked)


def _asked(content: Mapping[str, Any]) -> Ask | None:
    match content.get("op"):
        case "rows":
            return Rows(_job(content))
        case "tiles":
            wanted = ranges(content)
            if len(wanted) > MOST_TILES:
                raise Refused(f"At most {MOST_TILES} pictures are given at once.")
            return Thumbnails(_job(content), wanted, edge(content, EDGES))
        case "files":
            return Files(_job(content), index(content, "index"), edge(content, FILE_EDGES))
        case "film":
            media = word(content.get("media"), "media")
            if media not in MEDIA:
                raise Refused(f"media must be one of {', '.join(MEDIA)}.")
            return Film(_job(content), index(content, "index"), media)
        case "stop":
            return Stop(_job(content))
        case "retry":
            return Retry(_job(content))
        case _:
            return None


def _job(content: Mapping[str, Any]) -> str:
    return word(content.get("job"), "job")
