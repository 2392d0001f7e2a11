"""Triangles to pixels with numpy alone."""

from __future__ import annotations

import numpy as np

from ipyassets.sandbox.renderer.model import Array

__all__ = ["rasterise"]

CHUNK = 1_500_000
"""Candidate pixels looked at in one go; bounds the memory to some 100 MB."""


def rasterise(
    x: Array, y: Array, near: Array, width: int, height: int, *, below: Array | None = None
) -> tuple[Array, Array, Array, Array]:
    """Find the nearest triangle at every pixel centre.

    ``x``, ``y`` are pixel positions (n, 3) of the corners, ``near`` (n, 3) a nearness that is linear on the screen
    (1 / depth for a perspective view). With ``below`` (height, width) only surfaces less near than that count.
    Gives triangle (height, width) int32, -1 where there is none; nearness float32, 0 or -inf there; and the weights
    of the second and third corner on the screen.
    """
    x, y, near = (np.asarray(values, np.float64) for values in (x, y, near))
    left = np.clip(np.ceil(x.min(1) - 0.5), 0, width).astype(np.int64)
    right = np.clip(np.floor(x.max(1) - 0.5) + 1, 0, width).astype(np.int64)
    top = np.clip(np.ceil(y.min(1) - 0.5), 0, height).astype(np.int64)
    bottom = np.clip(np.floor(y.max(1) - 0.5) + 1, 0, height).astype(np.int64)
    area = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    chosen = np.nonzero((right > left) & (bottom > top) & (np.abs(area) > 1e-9))[0]

    triangle = np.full(width * height, -1, np.int32)
    best = np.full(width * height, -np.inf, np.float32)
    second, third = np.zeros(width * height, np.float32), np.zeros(width * height, np.float32)
    limit = None if below is None else below.ravel()
    wide = right - left
    count = wide * (bottom - top)
    # Edge functions as planes over the screen: weight = a * px + b * py + c.
    inverse = 1 / np.where(np.abs(area) > 1e-9, area, 1)
    ua, ub = (y[:, 2] - y[:, 0]) * inverse, -(x[:, 2] - x[:, 0]) * inverse
    va, vb = -(y[:, 1] - y[:, 0]) * inverse, (x[:, 1] - x[:, 0]) * inverse
    for part in _chunks(chosen, count[chosen]):
        t = np.repeat(part, count[part])
        first = np.cumsum(count[part]) - count[part]
        local = np.arange(len(t)) - np.repeat(first, count[part])
        row, column = np.divmod(local, wide[t])
        column += left[t]
        row += top[t]
        dx, dy = column + 0.5 - x[t, 0], row + 0.5 - y[t, 0]
        u, v = ua[t] * dx + ub[t] * dy, va[t] * dx + vb[t] * dy
        inside = np.nonzero((u >= -1e-9) & (v >= -1e-9) & (u + v <= 1 + 1e-9))[0]
        t, u, v = t[inside], u[inside], v[inside]
        pixel = row[inside] * width + column[inside]
        z = (near[t, 0] + u * (near[t, 1] - near[t, 0]) + v * (near[t, 2] - near[t, 0])).astype(np.float32)
        seen = z > best[pixel]
        if limit is not None:
            seen &= z < limit[pixel]
        keep = np.nonzero(seen)[0]
        # numpy writes repeated indices in order, so the nearest, sorted last, stays.
        keep = keep[np.argsort(z[keep], kind="stable")]
        pixel = pixel[keep]
        best[pixel], triangle[pixel], second[pixel], third[pixel] = z[keep], t[keep], u[keep], v[keep]
    shape = (height, width)
    return triangle.reshape(shape), best.reshape(shape), second.reshape(shape), third.reshape(shape)


def _chunks(chosen: Array, count: Array) -> list[Array]:
    """Split triangles so that each part has about CHUNK candidate pixels."""
    if not len(chosen):
        return []
    part = np.cumsum(count) // CHUNK
    return np.split(chosen, np.nonzero(np.diff(part))[0] + 1)
