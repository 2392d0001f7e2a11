"""What a service that makes renders gives to the layers above: an order, the stages of its work, and the files made.

One order for one asset has two parts, stills and a turntable, which are made, finish and fail each on its own.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from ipyassets.arguments import flag, whole
from ipyassets.errors import AssetServiceError, InvalidRequest
from ipyassets.services.base import AssetService, Record, Served

__all__ = [
    "FORMATS",
    "PARTS",
    "Part",
    "RenderFile",
    "RenderOrder",
    "RenderService",
    "Stage",
    "Standings",
    "Submitted",
    "Turntable",
]

Part: TypeAlias = Literal["stills", "turntable"]
Stage: TypeAlias = Literal["queued", "running", "completed", "failed"]

PARTS: Final[tuple[Part, ...]] = ("stills", "turntable")
FORMATS: Final = ("PNG", "JPG", "WEBP")


@dataclass(frozen=True, slots=True)
class Turntable:
    """The film of one full turn that is ordered with stills.

    ``frames`` for one turn, shown at ``fps`` frames a second: 36 at 12 turn once in 3 s. ``width`` x ``height`` in
    pixels. ``gif`` asks for a GIF beside the MP4, which is always made. ``background`` is a colour such as "#f4f1ea";
    ``transparent`` asks for none. Raises `InvalidRequest` for what makes no sense.
    """

    frames: int = 36
    fps: int = 12
    width: int = 512
    height: int = 512
    gif: bool = False
    background: str | None = None
    transparent: bool = False

    def __post_init__(self) -> None:
        for name in ("frames", "fps", "width", "height"):
            object.__setattr__(self, name, whole(f"turntable.{name}", getattr(self, name)))
        flag("turntable.gif", self.gif)
        object.__setattr__(self, "background", _backdrop("turntable", self.background, self.transparent))

    @property
    def duration(self) -> float:
        """Seconds that one turn takes."""
        return self.frames / self.fps


@dataclass(frozen=True, slots=True)
class RenderOrder:
    """What is to be made of every asset of a job. Sizes in pixels. Raises `InvalidRequest` for what makes no sense."""

    width: int = 1920
    height: int = 1080
    format: str = "PNG"
    background: str | None = None
    transparent: bool = False
    turntable: Turntable = field(default_factory=Turntable)

    def __post_init__(self) -> None:
        for name in ("width", "height"):
            object.__setattr__(self, name, whole(name, getattr(self, name)))
        given = self.format.upper().removeprefix(".") if isinstance(self.format, str) else self.format
        wanted = "JPG" if given == "JPEG" else given
        if wanted not in FORMATS:
            raise InvalidRequest(f"format must be one of {', '.join(FORMATS)}; got {self.format!r:.80}.")
        object.__setattr__(self, "format", wanted)
        object.__setattr__(self, "background", _backdrop("stills", self.background, self.transparent))
        if self.transparent and wanted == "JPG":
            raise InvalidRequest("A JPG cannot be transparent: take PNG or WEBP, or transparent=False.")
        if not isinstance(self.turntable, Turntable):
            raise InvalidRequest(f"turntable must be a Turntable(...), not {type(self.turntable).__name__}.")


@dataclass(frozen=True, slots=True)
class Submitted:
    """The service's answer to an order: the ids it took, and why it took the others not."""

    accepted: tuple[str, ...]
    refused: Mapping[str, AssetServiceError] = field(default_factory=dict)
    at: datetime | None = None
    """When, by the service's own clock, if it told."""


@dataclass(frozen=True, slots=True)
class Standings:
    """How far the parts of some assets have come, as far as the service tells."""

    stages: Mapping[str, Mapping[Part, Stage]] = field(default_factory=dict)
    """By asset id. A part that is not there: the service does not tell, look at the files."""
    gone: Mapping[str, AssetServiceError] = field(default_factory=dict)
    """Assets that are no more, or may not be seen any more."""


@dataclass(frozen=True, slots=True)
class RenderFile:
    """One file of an asset's renders."""

    asset: str
    """The asset's id."""
    part: Part
    id: str
    name: str
    media: str
    """The kind of file, by its ending: ``png``, ``jpg``, ``webp``, ``mp4``, ``gif``; "" if it has none."""
    position: int = 0
    """Its place among the stills."""
    blob: str | None = None
    created: datetime | None = None
    updated: datetime | None = None
    workspace: str | None = None
    uploaded: bool = False
    """Whether its name is none that the service gives to what it renders: then somebody put it there."""

    @property
    def version(self) -> tuple[str, str | None, datetime | None]:
        """Differs for every new rendering, also where the service keeps a file's id."""
        return self.id, self.blob, self.updated


class RenderService(AssetService):
    """A service that makes renders: ``capabilities.render`` is True."""

    @abstractmethod
    async def submit_renders(self, records: Sequence[Record], order: RenderOrder) -> Submitted:
        """Order renders of ``records``; the earlier ones are replaced once the new ones are done.

        Large orders are split. Refusals of single assets are given back; an error is raised only if nothing at all
        was taken, and all for one reason.
        """

    @abstractmethod
    async def render_standings(self, records: Sequence[Record]) -> Standings:
        """How far the renders of ``records`` have come, asked in as few requests as the service allows."""

    @abstractmethod
    async def render_files(self, record: Record) -> tuple[RenderFile, ...]:
        """The files there are now, old or new: stills in order, then turntables. Raises `NotFound`."""

    @abstractmethod
    async def render_file(self, file: RenderFile) -> Served:
        """The bytes of one file, whole.

        Raises `NotFound` if it was replaced meanwhile, `ServiceUnavailable` if it broke off at every try,
        `BadResponse` for what is neither a picture nor a film.
        """


def _backdrop(what: str, background: Any, transparent: Any) -> str | None:
    """The colour as ``#rrggbb``."""
    flag(f"transparent ({what})", transparent)
    if background is None:
        return None
    if transparent:
        raise InvalidRequest(f"The {what} cannot be transparent and have a background too; leave one of them out.")
    from PIL import ImageColor

    try:
        red, green, blue = ImageColor.getrgb(background)[:3]
    except (ValueError, AttributeError, TypeError):
        raise InvalidRequest(
            f"background ({what}) must be a colour such as '#f4f1ea' or 'white'; got {background!r:.80}."
        ) from None
    return f"#{red:02x}{green:02x}{blue:02x}"
