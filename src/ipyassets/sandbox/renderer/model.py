"""What is rendered: triangles by their corners, materials, textures."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

__all__ = ["Array", "Material", "Model", "ModelError", "Texture", "linear", "read_texture", "srgb", "unit"]

Array = npt.NDArray[Any]

MAX_TRIANGLES = 2_000_000
MAX_TEXTURE_SIDE = 2048


class ModelError(ValueError):
    """A model file that cannot be read or shown; the message says which and why."""


def unit(vectors: Array) -> Array:
    """Vectors (..., 3) scaled to length 1; the zero vector stays."""
    length = np.sqrt(np.einsum("...x,...x->...", vectors, vectors))[..., None]
    return np.asarray(vectors / np.maximum(length, 1e-20))


def linear(colour: Any) -> Array:
    """SRGB values in 0..1 as linear light, float32."""
    c = np.asarray(colour, np.float32)
    return np.where(c <= 0.04045, c / 12.92, ((np.maximum(c, 0) + 0.055) / 1.055) ** 2.4).astype(np.float32)


def srgb(light: Array) -> Array:
    """Linear light in 0..1 as sRGB, float32."""
    c = np.clip(light, 0, 1)
    return np.where(c <= 0.0031308, c * 12.92, 1.055 * c ** (1 / 2.4) - 0.055).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Texture:
    """A picture in linear light with its smaller copies.

    ``levels[k]`` is (height, width, 4) float32, each half the size of the one before; the last channel is opacity.
    """

    levels: tuple[Array, ...]
    cut_out: bool
    """Whether any texel is less than opaque."""


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """How a surface answers light; colours are linear."""

    name: str = ""
    colour: tuple[float, float, float] = (0.8, 0.8, 0.8)
    alpha: float = 1.0
    metallic: float = 0.0
    roughness: float = 0.6
    specular: float = 0.04
    """Reflectance seen straight on."""
    emission: tuple[float, float, float] = (0.0, 0.0, 0.0)
    texture: Texture | None = None

    @property
    def see_through(self) -> bool:
        return self.alpha < 0.99 or (self.texture is not None and self.texture.cut_out)


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Triangles, centred on the vertical axis, standing on the ground ``y = 0``, the diagonal of their box 1 long."""

    name: str
    corners: Array
    """(n, 3, 3) float32: triangle, corner, xyz; y is up, the front looks along +z."""
    normals: Array
    """(n, 3, 3) float32: the file's own normals; zero where it gives none."""
    uvs: Array
    """(n, 3, 2) float32; v runs upwards."""
    material: Array
    """(n,) int32 index into ``materials``."""
    materials: tuple[Material, ...]

    @property
    def box(self) -> tuple[Array, Array]:
        """Lowest and highest corner of the bounding box, each (3,)."""
        points = self.corners.reshape(-1, 3)
        return points.min(0), points.max(0)

    @classmethod
    def place(
        cls,
        name: str,
        corners: Array,
        material: Array,
        materials: Sequence[Material],
        *,
        uvs: Array | None = None,
        normals: Array | None = None,
        rotation: Sequence[float] | None = None,
    ) -> Model:
        """Turn, centre, scale and check raw triangles. `ModelError` if there is nothing to show."""
        corners = np.asarray(corners, np.float64).reshape(-1, 3, 3)
        count = len(corners)
        if count == 0:
            raise ModelError(f"{name}: no triangles")
        if count > MAX_TRIANGLES:
            raise ModelError(f"{name}: {count:,} triangles, more than {MAX_TRIANGLES:,}")
        if not np.isfinite(corners).all():
            raise ModelError(f"{name}: a vertex is not a finite number")
        normals = np.zeros((count, 3, 3)) if normals is None else np.nan_to_num(np.asarray(normals, np.float64))
        uvs = np.zeros((count, 3, 2)) if uvs is None else np.nan_to_num(np.asarray(uvs, np.float64))
        if rotation is not None:
            matrix = np.asarray(rotation, np.float64).reshape(3, 3)
            corners, normals = corners @ matrix.T, normals @ matrix.T
        low, high = corners.min((0, 1)), corners.max((0, 1))
        diagonal = float(np.linalg.norm(high - low))
        if diagonal <= 0:
            raise ModelError(f"{name}: all vertices are one point")
        middle = (low + high) / 2
        corners = (corners - (middle[0], low[1], middle[2])) / diagonal
        area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
        keep = area > 1e-12
        if not keep.any():
            raise ModelError(f"{name}: every triangle is degenerate")
        corners, normals, uvs = corners[keep], normals[keep], uvs[keep]
        material = np.asarray(material, np.int32)[keep]
        # The light grid of a triangle is fine along its first edge, so that edge must be its longest.
        edges = np.linalg.norm(np.roll(corners, -1, 1) - corners, axis=2).argmax(1)
        order = (np.arange(3)[None] + edges[:, None]) % 3
        rows = np.arange(len(corners))[:, None]
        return cls(
            name=name,
            corners=corners[rows, order].astype(np.float32),
            normals=normals[rows, order].astype(np.float32),
            uvs=uvs[rows, order].astype(np.float32),
            material=material,
            materials=tuple(materials),
        )


def read_texture(data: bytes, name: str) -> Texture:
    """Decode a texture file and make its smaller copies. `ModelError` if it is no picture."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > 8192 * 8192:
                raise ModelError(f"{name}: a texture of {image.width} x {image.height} pixels is too large")
            # draft() would not help: JPEGs here are small, and PNGs have no cheap reduction.
            has_alpha = image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info
            pixels = image.convert("RGBA")
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"{name}: not a readable texture ({error})") from error
    if max(pixels.size) > MAX_TEXTURE_SIDE:
        pixels.thumbnail((MAX_TEXTURE_SIDE, MAX_TEXTURE_SIDE))
    level = np.asarray(pixels, np.float32) / np.float32(255)
    level = np.concatenate([linear(level[..., :3]), level[..., 3:]], axis=2)
    cut_out = has_alpha and bool((level[..., 3] < 0.99).any())
    levels = [level]
    while min(level.shape[:2]) > 1:
        height, width = level.shape[0] // 2 * 2, level.shape[1] // 2 * 2
        level = level[:height, :width].reshape(height // 2, 2, width // 2, 2, 4).mean((1, 3))
        levels.append(np.ascontiguousarray(level))
    return Texture(tuple(levels), cut_out)
