"""The shipped catalogue: real objects, buildings and generated images, each with one rendered picture.

Everything here is read from ``data/`` (three JSON lists and one WebP per entry), never rendered: the first search
must answer at once. ``scripts/make_pictures.py`` makes the pictures; ``sandbox.renderer`` is what it uses.
Needs no numpy; Pillow only in `encoded`.
"""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Literal

__all__ = [
    "Building",
    "Generated",
    "Kind",
    "Model",
    "buildings",
    "encoded",
    "fitted",
    "generated",
    "objects",
    "picture",
    "size",
]

Kind = Literal["object", "building", "generated"]

OBJECT_SIZE = (640, 640)
BUILDING_SIZE = (800, 500)


@dataclass(frozen=True, slots=True)
class Model:
    """A CC0 object: what its maker and the catalogue it comes from say about it."""

    key: str
    name: str
    names: Mapping[str, str] = field(hash=False)
    """Language code (``en``, ``de``, ``ja``, ...) to name; ``en`` is always there."""
    category: str
    tags: tuple[str, ...]
    creator: str
    created: dt.date
    width_cm: float
    depth_cm: float
    height_cm: float
    licence: str
    triangles: int
    model: str
    """Path of the OBJ file in ``data/models/furniture-cc0.zip``."""
    licence_file: str
    """Path of the maker's licence text in the same archive."""
    source: str
    """Address of the page the model was published on."""
    rotation: tuple[float, ...] | None = None
    """Row-major 3x3 matrix that sets the model upright and facing the viewer."""
    azimuth: float = 32.0
    """Where the camera of its picture stands, in degrees around the vertical; 0 is straight in front."""
    elevation: float = 18.0
    """Height of that camera above the horizon, in degrees."""
    background: str = "#eceef1"
    """Backdrop of its picture; darker where the object is of glass."""


@dataclass(frozen=True, slots=True)
class Building:
    """A building or structure, as an iModel would describe it."""

    key: str
    name: str
    description: str
    latitude: float
    longitude: float
    storeys: int
    created: dt.date
    azimuth: float = 32.0
    elevation: float = 20.0


@dataclass(frozen=True, slots=True)
class Generated:
    """A picture as an image generator would file it: what was asked for, and with which model and seed."""

    key: str
    object_key: str
    prompt: str
    negative_prompt: str
    seed: int
    model_id: str
    model_name: str
    tags: tuple[str, ...]
    style: str
    width: int
    height: int
    created: dt.datetime
    azimuth: float
    elevation: float
    background: str
    """Colour of the backdrop, ``#rrggbb``."""
    mood: str
    """Name of the light, one of ``renderer.MOODS``."""


def _data() -> Traversable:
    return files(__package__) / "data"


def _rows(name: str) -> list[dict[str, Any]]:
    rows = json.loads((_data() / name).read_text(encoding="utf-8"))
    for row in rows:
        row["created"] = dt.datetime.fromisoformat(row["created"])
        for key in ("tags", "rotation"):
            if row.get(key) is not None:
                row[key] = tuple(row[key])
    return rows  # type: ignore[no-any-return]


@lru_cache(maxsize=1)
def objects() -> tuple[Model, ...]:
    """Every object, in the catalogue's order."""
    return tuple(Model(**{**row, "created": row["created"].date()}) for row in _rows("catalogue.json"))


@lru_cache(maxsize=1)
def buildings() -> tuple[Building, ...]:
    """Every building, in the list's order."""
    return tuple(Building(**{**row, "created": row["created"].date()}) for row in _rows("buildings.json"))


@lru_cache(maxsize=1)
def generated() -> tuple[Generated, ...]:
    """Every generated image, oldest first; ``created`` is aware and in UTC."""
    return tuple(Generated(**row) for row in _rows("generated.json"))


@lru_cache(maxsize=1)
def _sizes() -> dict[tuple[str, str], tuple[int, int]]:
    sizes: dict[tuple[str, str], tuple[int, int]] = {("object", model.key): OBJECT_SIZE for model in objects()}
    sizes.update((("building", building.key), BUILDING_SIZE) for building in buildings())
    sizes.update((("generated", image.key), (image.width, image.height)) for image in generated())
    return sizes


def size(kind: Kind, key: str) -> tuple[int, int]:
    """``(width, height)`` of the stored picture in pixels. `KeyError` if there is no such entry."""
    return _sizes()[kind, key]


@lru_cache(maxsize=256)
def picture(kind: Kind, key: str) -> bytes:
    """The stored WebP file. `KeyError` if there is no such entry."""
    size(kind, key)
    return (_data() / "pictures" / kind / f"{key}.webp").read_bytes()


def encoded(kind: Kind, key: str, *, width: int | None = None, height: int | None = None, format: str = "PNG") -> bytes:
    """The picture as a file of ``format``, as large as fits in ``width`` x ``height`` pixels.

    The ratio is kept and nothing is enlarged; a bound left out does not bind. ``format`` is a Pillow format name
    (``PNG``, ``JPEG``, ``WEBP``, ...). Recent results are kept.
    """
    full = size(kind, key)
    box, name = _fit(full, width, height), _pillow_name(format)
    return picture(kind, key) if name == "WEBP" and box == full else _encode(kind, key, box, name)


@lru_cache(maxsize=512)
def _encode(kind: Kind, key: str, box: tuple[int, int], format: str) -> bytes:
    return _resized(picture(kind, key), box, format)


def fitted(content: bytes, *, width: int | None = None, height: int | None = None, format: str = "PNG") -> bytes:
    """Any image file as one of ``format``, as large as fits, by the rules of `encoded`."""
    from PIL import Image

    with Image.open(io.BytesIO(content)) as image:
        full = image.size
    return _resized(content, _fit(full, width, height), _pillow_name(format))


def _fit(full: tuple[int, int], width: int | None, height: int | None) -> tuple[int, int]:
    scale = min(1.0, (width or full[0]) / full[0], (height or full[1]) / full[1])
    return max(1, round(full[0] * scale)), max(1, round(full[1] * scale))


def _pillow_name(format: str) -> str:
    return {"JPG": "JPEG"}.get(format.upper(), format.upper())


def _resized(content: bytes, box: tuple[int, int], format: str) -> bytes:
    from PIL import Image

    with Image.open(io.BytesIO(content)) as stored:
        image = stored.convert("RGB")
    if image.size != box:
        image = image.resize(box, Image.Resampling.LANCZOS, reducing_gap=2.0)
    out = io.BytesIO()
    image.save(out, format, **({"quality": 88} if format in {"JPEG", "WEBP"} else {}))
    return out.getvalue()
