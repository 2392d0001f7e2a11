"""What a worker does: bakes models, takes stills and frames of them."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

from PIL import Image

from ipyassets.sandbox import library
from ipyassets.sandbox.renderer import BakedModel, Light, Model, bake, load_object, load_shipped, render, restore
from ipyassets.sandbox.rendering.encode import save_film, save_still
from ipyassets.sandbox.rendering.orders import FORMATS, Source, Stills, Turntable

__all__ = ["Atelier"]

MEMORY = 400 * 2**20
"""Bytes of baked models kept; one is 1 to 100 MB, most of it textures."""

BACKDROP = "#eceef1"


class Atelier:
    """Does tasks. Keeps the models it used last, baked."""

    def __init__(self) -> None:
        self._models: OrderedDict[tuple[str, str, str], BakedModel] = OrderedDict()

    def do(self, kind: str, arguments: dict[str, Any]) -> list[str]:
        """Do a task; gives the names of the files it made. Raises whatever went wrong."""
        match kind:
            case "bake":
                self._model(arguments)
                return []
            case "still":
                return [self._still(arguments)]
            case "frames":
                self._frames(arguments)
                return []
            case "film":
                return save_film(Turntable(**arguments["order"]), Path(arguments["folder"]))
            case _:
                raise ValueError(f"no such task: {kind}")

    def _still(self, arguments: dict[str, Any]) -> str:
        order, number = Stills(**arguments["order"]), int(arguments["number"])
        azimuth, elevation = _hero(Source(**arguments["source"]))
        views = _views(azimuth, elevation)
        image = self._picture(arguments, *views[number % len(views)])
        name = f"{number:03d}.{FORMATS[order.format]}"
        save_still(image, Path(arguments["folder"]) / name, order.format)
        return name

    def _frames(self, arguments: dict[str, Any]) -> None:
        order = Turntable(**arguments["order"])
        azimuth, elevation = _hero(Source(**arguments["source"]))
        for number in range(arguments["first"], arguments["stop"]):
            turn = 360 * number / order.frames
            image = self._picture(arguments, azimuth + turn, elevation, orbit=True)
            # Lossless and quick: it is read once and deleted.
            image.save(Path(arguments["folder"]) / f"frame-{number:04d}.png", compress_level=1)

    def _picture(
        self, arguments: dict[str, Any], azimuth: float, elevation: float, *, orbit: bool = False
    ) -> Image.Image:
        order = arguments["order"]
        return render(
            self._model(arguments),
            order["width"],
            order["height"],
            azimuth=azimuth,
            elevation=elevation,
            background=order["background"] or _backdrop(Source(**arguments["source"])),
            # A colour that was asked for is that colour everywhere; the studio's own falls off towards the corners.
            flat=order["background"] is not None,
            # JPEG knows no transparency.
            transparent=order["transparent"] and order.get("format") != "JPG",
            orbit=orbit,
            samples=6 if arguments["quality"] == "full" else 0,
        )

    def _model(self, arguments: dict[str, Any]) -> BakedModel:
        source, quality = Source(**arguments["source"]), arguments["quality"]
        key = (source.kind, source.key, quality)
        if key in self._models:
            self._models.move_to_end(key)
            return self._models[key]
        model = _load(source)
        kept = Path(arguments["kept"])
        try:
            baked = restore(model, Light.load(kept))
        except (OSError, ValueError):
            baked = bake(model, draft=quality == "draft")
            baked.light.save(kept)
        self._models[key] = baked
        while len(self._models) > 1 and sum(model.nbytes for model in self._models.values()) > MEMORY:
            self._models.popitem(last=False)
        return baked


def _views(azimuth: float, elevation: float) -> tuple[tuple[float, float], ...]:
    """Where the stills are taken from, azimuth and elevation; given is the view of the model's poster."""
    return (
        (azimuth, elevation),  # three-quarter from the front
        (0.0, 8.0),  # front
        (90.0, 10.0),  # side
        (azimuth + 180.0, elevation),  # three-quarter from behind
        (azimuth, 52.0),  # from above
    )


def _load(source: Source) -> Model:
    return load_object(source.key) if source.kind == "object" else load_shipped(source.key)


def _entry(source: Source) -> library.Model | None:
    if source.kind != "object":
        return None
    return next(model for model in library.objects() if model.key == source.key)


def _hero(source: Source) -> tuple[float, float]:
    entry = _entry(source)
    return (entry.azimuth, entry.elevation) if entry else (32.0, 18.0)


def _backdrop(source: Source) -> str:
    entry = _entry(source)
    return entry.background if entry else BACKDROP
