"""The picture parameters of ``/assets-transform/``, with the meanings of the image library that coined their names."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from PIL import Image, ImageColor, ImageFilter, ImageOps

from ipyassets.sandbox.scenario.errors import bad_request
from ipyassets.sandbox.scenario.formats import RASTERS, plain, possible

__all__ = ["Transform"]

_FITS = ("cover", "contain", "fill", "inside", "outside")
_LARGEST_SIDE = 4096
_OPAQUE = {"jpeg"}
_LOSSY = {"jpeg", "webp", "avif", "heif"}


@dataclass(frozen=True, slots=True)
class Transform:
    """What shall be done to a picture; the defaults do nothing."""

    width: int | None = None
    height: int | None = None
    fit: str = "cover"
    format: str = "origin"
    quality: int = 100
    rotate: float = 0
    blur: float = 0
    greyscale: bool = False
    flatten: bool = False
    background: str | None = None

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Transform:
        """From a query string; a 400 for a value that is not documented. Other names are left alone."""
        background = query.get("background")
        if background is not None:
            try:
                ImageColor.getrgb(f"#{background}")
            except ValueError:
                raise bad_request("background must be a hexadecimal colour without #") from None
        fit, format = query.get("fit", "cover"), plain(query.get("format", "origin").lower())
        if fit not in _FITS:
            raise bad_request(f"fit must be one of {', '.join(_FITS)}")
        if format not in {"origin", "auto", *RASTERS}:
            raise bad_request("Invalid target format")
        return cls(
            _side(query, "width"),
            _side(query, "height"),
            fit,
            format,
            int(_number(query, "quality", 100, 1, 100)),
            _number(query, "rotate", 0, 0, 360),
            _number(query, "blur", 0, 0, 100),
            _flag(query, "greyscale"),
            _flag(query, "flatten"),
            background,
        )

    def resolved(self, accept: str, mime: str) -> Transform:
        """With ``auto`` and ``origin`` replaced by a format."""
        if self.format == "auto":
            format = "webp" if "image/webp" in accept else "jpeg"
        elif self.format == "origin":
            format = mime.removeprefix("image/")
        else:
            return self
        return replace(self, format=format)

    @property
    def idle(self) -> bool:
        """Whether the file can be sent as it is stored."""
        return self == Transform()

    def apply(self, content: bytes) -> tuple[bytes, str]:
        """The changed picture and its media type. ``format`` must be resolved. Recent results are kept."""
        mime = possible("image/png", self.format)
        if mime is None:
            raise bad_request("Invalid target format")
        return _apply(self, content), mime


def _side(query: Mapping[str, str], name: str) -> int | None:
    if query.get(name, "auto") == "auto":
        return None
    return int(_number(query, name, 0, 1, _LARGEST_SIDE))


def _number(query: Mapping[str, str], name: str, default: float, least: float, most: float) -> float:
    text = query.get(name)
    if text is None:
        return default
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not least <= number <= most:
        raise bad_request(f"{name} must be a number from {least} to {most}")
    return number


def _flag(query: Mapping[str, str], name: str) -> bool:
    value = query.get(name, "false").lower()
    if value not in {"true", "false", "1", "0", ""}:
        raise bad_request(f"{name} must be true or false")
    return value in {"true", "1", ""}


@lru_cache(maxsize=64)
def _apply(how: Transform, content: bytes) -> bytes:
    with Image.open(io.BytesIO(content)) as stored:
        image = stored.convert("RGBA" if stored.has_transparency_data else "RGB")
    if how.rotate % 360:
        image = image.convert("RGBA").rotate(-how.rotate, Image.Resampling.BICUBIC, expand=True)
    image = _resize(image, how)
    if how.blur:
        image = image.filter(ImageFilter.GaussianBlur(how.blur))
    if image.mode == "RGBA" and (how.flatten or how.background or how.format in _OPAQUE):
        ground = Image.new("RGBA", image.size, f"#{how.background or 'ffffff'}")
        image = Image.alpha_composite(ground, image).convert("RGB")
    if how.greyscale:
        image = image.convert("LA" if image.mode == "RGBA" else "L")
    out = io.BytesIO()
    options: dict[str, Any] = {"quality": how.quality} if how.format in _LOSSY else {}
    if how.format == "heif":
        from pillow_heif import from_pillow

        # Not by its plug-in: that would teach Pillow HEIF in the whole process, the client's half included.
        from_pillow(image if image.mode == "RGBA" else image.convert("RGB")).save(out, **options)
    else:
        image.save(out, how.format.upper(), **options)
    return out.getvalue()


def _resize(image: Image.Image, how: Transform) -> Image.Image:
    width, height = how.width, how.height
    if width is None and height is None:
        return image
    if width is None or height is None:
        scale = (width or 0) / image.width or (height or 0) / image.height
        box = (width or max(1, round(image.width * scale)), height or max(1, round(image.height * scale)))
        if max(box) > _LARGEST_SIDE:
            raise bad_request(f"The result would be larger than {_LARGEST_SIDE} pixels")
        return image.resize(box, Image.Resampling.LANCZOS)
    box = (width, height)
    if how.fit == "cover":
        return ImageOps.fit(image, box, Image.Resampling.LANCZOS)
    if how.fit == "contain":
        return ImageOps.pad(image, box, Image.Resampling.LANCZOS, color=f"#{how.background or '000000'}")
    if how.fit == "fill":
        return image.resize(box, Image.Resampling.LANCZOS)
    pick = min if how.fit == "inside" else max
    scale = pick(width / image.width, height / image.height)
    return image.resize(
        (max(1, round(image.width * scale)), max(1, round(image.height * scale))), Image.Resampling.LANCZOS
    )
