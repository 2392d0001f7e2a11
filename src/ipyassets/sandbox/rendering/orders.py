"""What is to be rendered: plain values that travel to the worker as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import Any, ClassVar, Literal, TypeAlias

__all__ = [
    "FORMATS",
    "GIF_WIDTH",
    "Order",
    "PartName",
    "Quality",
    "Source",
    "Stills",
    "Task",
    "Turntable",
    "obstacle",
    "tasks",
]

PartName: TypeAlias = Literal["stills", "turntable"]
Quality: TypeAlias = Literal["full", "draft"]

FORMATS = {"PNG": "png", "JPG": "jpg", "WEBP": "webp"}
"""Formats of stills, and how their files end."""

GIF_WIDTH = 512
"""A wider turntable is made smaller for its GIF."""

CHUNK = 6
"""Frames of a turntable in one task: small enough to share them out, and to stop soon."""


@dataclass(frozen=True, slots=True)
class Source:
    """A model: ``object`` by its key in the catalogue, or a ``file`` by its name in ``data/models``."""

    kind: Literal["object", "file"]
    key: str


@dataclass(frozen=True, slots=True)
class Stills:
    """Pictures of one model from ``count`` sides. Sizes in pixels."""

    part: ClassVar[PartName] = "stills"

    width: int
    height: int
    format: str = "PNG"
    background: str | None = None
    """Any colour Pillow knows; None: the studio's own backdrop."""
    transparent: bool = False
    count: int = 5


@dataclass(frozen=True, slots=True)
class Turntable:
    """A film of one full turn: an MP4, and a GIF if asked for."""

    part: ClassVar[PartName] = "turntable"

    frames: int
    frame_rate: int
    width: int
    height: int
    gif: bool = False
    background: str | None = None
    transparent: bool = False


Order: TypeAlias = Stills | Turntable


@dataclass(frozen=True, slots=True)
class Task:
    """One step of a part, as much as a worker does at a time."""

    kind: Literal["bake", "still", "frames", "film"]
    arguments: dict[str, Any]


def obstacle(order: Order) -> str | None:
    """Why ``order`` cannot be made on this machine; None if it can."""
    if isinstance(order, Turntable) and find_spec("av") is None:
        return 'a turntable needs PyAV for its MP4, which is not installed: pip install "ipyassets[sandbox]"'
    return None


def tasks(order: Order, model: dict[str, Any], folder: str) -> tuple[list[Task], Task | None]:
    """The steps of ``order``, in any sequence, and the one that comes after all of them."""
    common = {**model, "order": asdict(order), "folder": folder}
    if isinstance(order, Stills):
        return [Task("still", {**common, "number": number}) for number in range(order.count)], None
    chunks = [
        Task("frames", {**common, "first": first, "stop": min(first + CHUNK, order.frames)})
        for first in range(0, order.frames, CHUNK)
    ]
    return chunks, Task("film", {"order": asdict(order), "folder": folder})
