"""Orders that are often wanted, ready made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ipyassets.services.rendering import RenderOrder, Turntable

__all__ = ["CUSTOM", "PRESETS", "Preset", "preset_of", "words"]

CUSTOM: Final = "custom"


@dataclass(frozen=True, slots=True)
class Preset:
    """An order, and what people call it."""

    key: str
    title: str
    order: RenderOrder


PRESETS: Final = (
    Preset("hero", "Hero still: 1920 × 1080 PNG", RenderOrder()),  # noqa: RUF001
    Preset(
        "square",
        "Square thumbnail: 1024 × 1024 WEBP, transparent",  # noqa: RUF001
        RenderOrder(width=1024, height=1024, format="WEBP", transparent=True),
    ),
    Preset("turntable", "Turntable: 512 × 512, 36 frames, GIF too", RenderOrder(turntable=Turntable(gif=True))),  # noqa: RUF001
)


def preset_of(order: RenderOrder) -> str:
    """The key of the preset that ``order`` is, `CUSTOM` if it is none."""
    return next((preset.key for preset in PRESETS if preset.order == order), CUSTOM)


def words(order: RenderOrder) -> tuple[str, str]:
    """What is made of one asset, in words: its stills, its turntable."""
    film = order.turntable
    stills = f"stills of {order.width} × {order.height} {order.format}"  # noqa: RUF001
    stills += ", transparent" if order.transparent else f" on {order.background}" if order.background else ""
    kinds = "MP4 and GIF" if film.gif else "MP4"
    return stills, f"a turntable of {film.duration:.1f} s ({film.width} × {film.height}, {film.frames} frames, {kinds})"  # noqa: RUF001
