"""Which way surfaces face, and where on them light is kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ipyassets.sandbox.renderer.detail import Detail
from ipyassets.sandbox.renderer.engines import Engine
from ipyassets.sandbox.renderer.model import Array, Model, unit

__all__ = ["Grid", "Sides", "corner_normals", "face_normals", "find_sides", "make_grid", "sphere"]

OFFSET = np.float32(1.5e-3)
"""Distance from the surface at which rays start, in units of the model's diagonal."""


def sphere(count: int) -> Array:
    """``count`` directions spread evenly over the sphere (a Fibonacci spiral), (count, 3)."""
    k = np.arange(count) + 0.5
    y = 1 - 2 * k / count
    turn = np.pi * (1 + np.sqrt(5)) * k
    radius = np.sqrt(1 - y * y)
    return np.stack([radius * np.cos(turn), y, radius * np.sin(turn)], 1)


def face_normals(corners: Array) -> Array:
    """Normals (n, 3), each as long as twice the triangle's area."""
    return np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])


@dataclass(frozen=True, slots=True, eq=False)
class Sides:
    """For each triangle, whether it is wound the wrong way and whether both of its sides can be seen."""

    flipped: Array
    double: Array


def find_sides(model: Model, engine: Engine, detail: Detail | None = None) -> Sides:
    """Look from points all over every triangle, on either side, whether there is a way out.

    Files from the wild are wound as it happened; a side from which there is no way out is never seen.
    """
    detail = detail or engine.detail
    corners = model.corners
    normals = unit(face_normals(corners)).astype(np.float32)
    # Coarse, but on large triangles many points: most of a site plate lies under its building.
    grid = make_grid(corners, np.zeros(len(corners), bool), spacing=detail.spacing, limit=detail.points)
    inner = (grid.weights * 0.8 + np.float32(0.2 / 3))[..., None]
    points = (corners[grid.triangle] * inner).sum(1)
    directions = sphere(detail.probes).astype(np.float32)
    opened = np.zeros((2, len(points)), np.int32)
    for side, sign in enumerate((1, -1)):
        outwards = normals[grid.triangle] * np.float32(sign)
        starts = points + outwards * OFFSET
        for towards in directions:
            facing = np.nonzero(outwards @ towards > 0.05)[0]
            opened[side, facing] += ~engine.occluded(starts[facing], towards)
    widest = np.maximum.reduceat(opened, grid.start[0], axis=1)
    front, back = widest / (len(directions) / 2)
    seen = 0.05
    return Sides(flipped=(front < seen) & (back >= seen), double=(front >= seen) & (back >= seen))


def corner_normals(corners: Array, given: Array, *, crease: float = 40.0) -> Array:
    """Smooth normals (n, 3, 3): at each corner the area-weighted mean over faces that meet there at a small angle.

    Where the file gave a normal, that one is kept. The weight by area keeps large flat faces flat when they share
    their corners with a narrow bevel. Faces wound against each other count as one surface.
    """
    faces = face_normals(corners)
    flat = unit(faces)
    low = corners.min((0, 1))
    span = max(float((corners.max((0, 1)) - low).max()), 1e-9)
    steps = np.rint((corners.reshape(-1, 3) - low) / span * 0xFFFFF).astype(np.int64)
    _, point = np.unique((steps[:, 0] << 40) | (steps[:, 1] << 20) | steps[:, 2], return_inverse=True)
    count = np.bincount(point)
    order = np.argsort(point, kind="stable")
    start = np.cumsum(count) - count
    # The hub of a huge fan would make millions of pairs; its faces stay flat there.
    valence = np.where(count > 400, 0, count)[point]
    one = np.repeat(np.arange(len(point)), valence)
    step = np.arange(len(one)) - np.repeat(np.cumsum(valence) - valence, valence)
    other = order[start[point[one]] + step]
    bend = (flat[one // 3] * flat[other // 3]).sum(1)
    weight = np.where(np.abs(bend) > np.cos(np.radians(crease)), np.sign(bend), 0)
    pull = faces[other // 3] * weight[:, None]
    total = np.stack([np.bincount(one, pull[:, axis], minlength=len(point)) for axis in range(3)], 1)
    total = total.reshape(-1, 3, 3)
    total = np.where((total * total).sum(-1, keepdims=True) > 1e-24, total, faces[:, None])
    there = (given * given).sum(-1, keepdims=True) > 0.25
    return unit(np.where(there, given, total)).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Light samples on triangles: each has its own grid along its first edge (fine) and its last one.

    Sample ``(i, j)`` of a triangle, ``0 <= i <= across``, ``0 <= j <= up``, is at
    ``start + i * (up + 1) + j``. Samples beyond the slanted edge are pulled onto it.
    """

    across: Array
    up: Array
    start: Array
    """(2, n) int64: for the front and for the back, the same where only one side is seen."""
    triangle: Array
    """(samples,) int64."""
    weights: Array
    """(samples, 3) float32 barycentric weights."""
    row: Array
    """(samples,) int64, i."""
    column: Array
    """(samples,) int64, j."""
    behind: Array
    """(samples,) bool: whether the sample lies on the back."""


def make_grid(corners: Array, double: Array, *, spacing: float, limit: int) -> Grid:
    """Lay samples about ``spacing`` apart, wider where that would make more than ``limit`` of them."""
    longest = np.linalg.norm(corners[:, 1] - corners[:, 0], axis=1)
    height = np.linalg.norm(face_normals(corners), axis=1) / np.maximum(longest, 1e-9)
    while True:
        across = np.clip(np.ceil(longest / spacing), 1, 64).astype(np.int64)
        up = np.clip(np.ceil(height / spacing), 1, 64).astype(np.int64)
        count = (across + 1) * (up + 1)
        if (count * (1 + double)).sum() <= limit or (across.max() == 1 and up.max() == 1):
            break
        spacing *= 1.15
    back = np.nonzero(double)[0]
    triangles = np.concatenate([np.arange(len(corners)), back])
    repeat = count[triangles]
    begin = np.cumsum(repeat) - repeat
    start = np.stack([begin[: len(corners)]] * 2)
    start[1, back] = begin[len(corners) :]
    triangle = np.repeat(triangles, repeat)
    local = np.arange(len(triangle)) - np.repeat(begin, repeat)
    i, j = np.divmod(local, up[triangle] + 1)
    u, v = i / across[triangle], j / up[triangle]
    beyond = np.maximum(u + v, 1)
    u, v = u / beyond, v / beyond
    weights = np.stack([1 - u - v, u, v], 1)
    # A little inwards, so that a sample never starts inside the neighbour it touches.
    weights = weights * 0.97 + 0.01
    behind = np.repeat(np.arange(len(triangles)) >= len(corners), repeat)
    return Grid(across, up, start, triangle, weights.astype(np.float32), i, j, behind)
