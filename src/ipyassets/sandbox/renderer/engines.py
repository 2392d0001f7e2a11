"""Who finds what is visible: Embree where it can be imported, numpy everywhere else.

Both answer the same two questions, so that light and frame are written once. ``IPYASSETS_RENDERER`` chooses.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Protocol

import numpy as np

from ipyassets.sandbox.renderer.camera import Camera
from ipyassets.sandbox.renderer.detail import COARSE, FULL, Detail
from ipyassets.sandbox.renderer.model import Array, unit
from ipyassets.sandbox.renderer.raster import rasterise

__all__ = ["Engine", "Hits", "engine_name", "make_engine"]


@dataclass(slots=True, eq=False)
class Hits:
    """What is seen at ``n`` sample positions."""

    triangle: Array
    """(n,) int32, -1 where there is only background."""
    u: Array
    """(n,) weight of the triangle's second corner."""
    v: Array
    """(n,) weight of its third corner."""
    distance: Array
    """(n,) along the ray."""


class Engine(Protocol):
    """Visibility for one set of triangles."""

    detail: Detail
    """What a bake can afford with it."""

    def occluded(self, points: Array, towards: Array) -> Array:
        """Whether something lies between ``points`` (n, 3) and the sky in one direction (3,): (n,) bool."""

    def hits(self, camera: Camera, x: Array, y: Array, beyond: Array | None = None) -> Hits:
        """The nearest triangle at the pixel positions ``x``, ``y`` (n,), farther than ``beyond`` (n,) where given.

        All positions share one place within their pixels, as those of one pass of a picture do.
        """


def engine_name() -> str:
    """``embree`` or ``numpy``: as ``IPYASSETS_RENDERER`` says, else Embree where it is installed."""
    name = os.getenv("IPYASSETS_RENDERER", "").strip().lower()
    if name not in {"", "embree", "numpy"}:
        raise ValueError(f"IPYASSETS_RENDERER is '{name}'; it may be 'embree' or 'numpy'")
    if name:
        return name
    return "embree" if find_spec("embreex") else "numpy"


def make_engine(corners: Array, name: str | None = None) -> Engine:
    """An engine for ``corners`` (n, 3, 3)."""
    return EmbreeEngine(corners) if (name or engine_name()) == "embree" else NumpyEngine(corners)


class EmbreeEngine:
    detail = FULL

    def __init__(self, corners: Array) -> None:
        from embreex.mesh_construction import TriangleMesh
        from embreex.rtcore_scene import EmbreeScene

        self.scene = EmbreeScene()
        if len(corners):
            TriangleMesh(self.scene, np.ascontiguousarray(corners, np.float32))
        self.empty = not len(corners)

    def occluded(self, points: Array, towards: Array) -> Array:
        if self.empty or not len(points):
            return np.zeros(len(points), bool)
        ray = np.ascontiguousarray(towards, np.float32).reshape(1, 3)
        found = self.scene.run(np.ascontiguousarray(points, np.float32), ray, query="OCCLUDED")
        return np.asarray(found >= 0)

    def hits(self, camera: Camera, x: Array, y: Array, beyond: Array | None = None) -> Hits:
        rays = camera.rays(x, y)
        origins = np.empty_like(rays)
        origins[:] = camera.eye
        start: Array = np.zeros(1, np.float32)
        if beyond is not None:
            start = (beyond * np.float32(1 + 1e-5) + np.float32(1e-4)).astype(np.float32)
            origins += rays * start[:, None]
        found = self.scene.run(origins, rays, output=1)
        return Hits(found["primID"], found["u"], found["v"], found["tfar"] + start)


class NumpyEngine:
    detail = COARSE

    MAP = 256
    """Side of a shadow map in pixels."""
    KEPT = 160
    """Shadow maps kept: those of one bake, since the ground and the model ask for the same directions."""

    def __init__(self, corners: Array) -> None:
        self.corners = np.asarray(corners, np.float64)
        self.maps: dict[bytes, tuple[Array, Array, Array, float]] = {}
        """Direction to depth, axes of the map (2, 3), its origin, its pixels per unit of length."""

    def occluded(self, points: Array, towards: Array) -> Array:
        if not len(self.corners) or not len(points):
            return np.zeros(len(points), bool)
        depth, plane, low, scale = self._shadow_map(towards)
        spot = (points @ plane.T.astype(np.float32) - low.astype(np.float32)) * np.float32(scale) - np.float32(0.5)
        inside = ((spot > -1) & (spot < self.MAP)).all(1)
        column, row = np.clip(np.rint(spot), 0, self.MAP - 1).astype(np.int64).T
        here = points @ np.asarray(towards, np.float32) + np.float32(1.5 / scale)
        return np.asarray(inside & (depth[row, column] > here))

    def _shadow_map(self, towards: Array) -> tuple[Array, Array, Array, float]:
        towards = np.asarray(towards, np.float32).astype(np.float64)
        key = towards.tobytes()
        if key not in self.maps:
            if len(self.maps) >= self.KEPT:
                self.maps.clear()
            across = unit(np.cross(towards, [0.0, 1.0, 0.0] if abs(towards[1]) < 0.9 else [1.0, 0.0, 0.0]))
            plane = np.stack([across, np.cross(across, towards)])
            x, y = self.corners @ plane[0], self.corners @ plane[1]
            low = np.array([x.min(), y.min()])
            scale = self.MAP / max(float(x.max() - low[0]), float(y.max() - low[1]), 1e-6)
            depth = rasterise((x - low[0]) * scale, (y - low[1]) * scale, self.corners @ towards, self.MAP, self.MAP)[1]
            self.maps[key] = (depth, plane, low, scale)
        return self.maps[key]

    def hits(self, camera: Camera, x: Array, y: Array, beyond: Array | None = None) -> Hits:
        count = len(x)
        if not len(self.corners) or not count:
            nothing = np.zeros(count, np.float32)
            return Hits(np.full(count, -1, np.int32), nothing, nothing, np.full(count, np.inf, np.float32))
        column, row = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
        shift = (float(x[0]) - column[0] - 0.5, float(y[0]) - row[0] - 0.5)
        px, py, depth = camera.project(self.corners)
        left, top = int(column.min()), int(row.min())
        width, height = int(column.max()) - left + 1, int(row.max()) - top + 1
        cosine = camera.rays(x, y) @ camera.forward.astype(np.float32)
        column -= left
        row -= top
        limit = None
        if beyond is not None:
            limit = np.full((height, width), -np.inf, np.float32)
            limit[row, column] = 1 / (beyond * cosine * np.float32(1 + 1e-5) + np.float32(1e-4))
        near = 1 / depth
        triangle, best, second, third = rasterise(
            px - left - shift[0], py - top - shift[1], near, width, height, below=limit
        )
        found, z = triangle[row, column], best[row, column]
        hit = found >= 0
        z = np.where(hit, z, 1)
        # Weights are linear on the screen; on the triangle they follow after division by depth.
        u = np.where(hit, second[row, column] * near[found, 1] / z, 0).astype(np.float32)
        v = np.where(hit, third[row, column] * near[found, 2] / z, 0).astype(np.float32)
        return Hits(found, u, v, np.where(hit, 1 / (z * cosine), np.inf).astype(np.float32))
