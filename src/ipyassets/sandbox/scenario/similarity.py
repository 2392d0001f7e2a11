"""Likeness of pictures by their colours: the overlap of two histograms over hue, saturation and value."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PIL import Image

from ipyassets.sandbox import library
from ipyassets.sandbox.scenario.errors import bad_request
from ipyassets.sandbox.scenario.seeds import Picture

__all__ = ["Vector", "data_url_vector", "likeness", "picture_vector"]

Vector = np.ndarray[tuple[int], np.dtype[np.float64]]
"""Share of the pixels in each of the 12 x 4 x 4 bins."""

_BINS = (12, 4, 4)
_SIDE = 64
_MOST_PIXELS = 40_000_000


def _vector(image: Image.Image) -> Vector:
    small = image.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BOX).convert("HSV")
    values = np.asarray(small, dtype=np.uint16).reshape(-1, 3)
    places = [values[:, n] * bins // 256 for n, bins in enumerate(_BINS)]
    flat = np.ravel_multi_index(tuple(places), _BINS)
    vector: Vector = np.bincount(flat, minlength=int(np.prod(_BINS))) / len(values)
    return vector


@lru_cache(maxsize=256)
def picture_vector(picture: Picture) -> Vector:
    """Of a shipped picture. The first call decodes it: some milliseconds."""
    with Image.open(io.BytesIO(library.picture(*picture))) as image:
        return _vector(image)


def data_url_vector(url: str) -> Vector:
    """Of a picture in a ``data:image/…;base64,`` URL; a 400 if it is none."""
    try:
        content = base64.b64decode(url.partition("base64,")[2], validate=True)
        with Image.open(io.BytesIO(content)) as image:
            if image.width * image.height <= _MOST_PIXELS:
                return _vector(image)
    except (OSError, SyntaxError, ValueError, binascii.Error, Image.DecompressionBombError):
        pass
    raise bad_request("The data URL does not hold an image")


def likeness(vector: Vector, like: Sequence[Vector], unlike: Sequence[Vector]) -> float:
    """Between 0 and 1: mean overlap with ``like``, less half the mean overlap with ``unlike``."""
    near = np.mean([np.minimum(vector, other).sum() for other in like]) if like else 0.5
    far = np.mean([np.minimum(vector, other).sum() for other in unlike]) if unlike else 0.0
    return round(float(np.clip(near - far / 2, 0, 1)), 4)
