"""Polygons to triangles."""

from __future__ import annotations

import numpy as np

from ipyassets.sandbox.renderer.model import Array

__all__ = ["cut_polygons"]

Triangle = tuple[int, int, int]


def cut_polygons(points: Array, corners: Array, sizes: Array) -> Array:
    """Cut polygons into triangles: (n, 3) positions in ``corners``.

    ``corners`` (k,) are rows of ``points`` (m, 3), polygon after polygon; ``sizes`` tells how many belong to each.
    Convex polygons become fans; concave ones, such as an arch drawn as one face, have their ears clipped.
    """
    starts = np.cumsum(sizes) - sizes
    found: list[Array] = []
    whole: list[Array] = []
    for size in np.unique(sizes):
        chosen = np.nonzero(sizes == size)[0]
        if size < 3:
            continue
        steps = np.arange(1, size - 1)
        fan = np.stack([np.zeros_like(steps), steps, steps + 1], 1)
        at = starts[chosen][:, None, None] + fan
        found.append(at.reshape(-1, 3))
        order = np.repeat(chosen, len(fan))
        if size > 3:
            around = points[corners[starts[chosen][:, None] + np.arange(size)]]
            for row in np.nonzero(_concave(around))[0]:
                clipped = np.asarray(_clip_ears(around[row])) + starts[chosen[row]]
                found[-1][row * len(fan) : (row + 1) * len(fan)] = clipped
        whole.append(order)
    if not found:
        return np.zeros((0, 3), np.int64)
    # In the order of the file, whatever the number of corners.
    return np.asarray(np.concatenate(found)[np.argsort(np.concatenate(whole), kind="stable")])


def _normal(around: Array) -> Array:
    """Newell's normal (..., 3) of polygons (..., size, 3), which holds for concave ones too."""
    return np.asarray(np.cross(around, np.roll(around, -1, -2)).sum(-2))


def _concave(around: Array) -> Array:
    """Whether any corner of each polygon (n, size, 3) turns inwards."""
    centred = around - around.mean(1, keepdims=True)
    normal = _normal(centred)
    before, after = centred - np.roll(centred, 1, 1), np.roll(centred, -1, 1) - centred
    turn = (np.cross(before, after) * normal[:, None]).sum(2)
    return np.asarray((turn < -1e-6 * (normal * normal).sum(1)[:, None]).any(1))


def _clip_ears(around: Array) -> list[Triangle]:
    """Triangles of one simple polygon (size, 3), by ear clipping in its own plane."""
    centred = around - around.mean(0)
    normal = _normal(centred)
    axis = int(np.abs(normal).argmax())
    flat = np.delete(centred, axis, 1)
    # Dropping y mirrors the plane; the sign makes the outline run anticlockwise.
    if (normal[axis] < 0) != (axis == 1):
        flat = flat * (-1.0, 1.0)
    points = [(float(x), float(y)) for x, y in flat]
    left = list(range(len(points)))
    triangles: list[Triangle] = []
    while len(left) > 3:
        for k in range(len(left)):
            a, b, c = left[k - 1], left[k], left[(k + 1) % len(left)]
            if _turn(points[a], points[b], points[c]) <= 0:
                continue
            if any(_inside(points[p], points[a], points[b], points[c]) for p in left if p not in {a, b, c}):
                continue
            break
        else:
            k = 0  # the outline crosses itself: no ear is clean, so any will do
            a, b, c = left[-1], left[0], left[1]
        triangles.append((a, b, c))
        del left[k]
    return [*triangles, (left[0], left[1], left[2])]


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    """Positive where the way from a over b to c turns left."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _inside(p: tuple[float, float], a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    # A corner of the outline that lies exactly on one of the ear's own corners does not block it.
    if p in {a, b, c}:
        return False
    return _turn(a, b, p) >= 0 and _turn(b, c, p) >= 0 and _turn(c, a, p) >= 0
