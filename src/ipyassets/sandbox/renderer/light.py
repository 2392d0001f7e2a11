"""The studio: its lights, its moods, and the light that falls on a model, worked out once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ipyassets.sandbox.renderer.camera import direction
from ipyassets.sandbox.renderer.detail import Detail
from ipyassets.sandbox.renderer.engines import Engine
from ipyassets.sandbox.renderer.model import Array, unit
from ipyassets.sandbox.renderer.surface import OFFSET, Grid, sphere

__all__ = ["CHANNELS", "GROUND_REACH", "KEY", "LOW", "MOODS", "Mood", "fall_of_light", "ground_light", "ground_lookup"]

CHANNELS = ("dome", "bounce", "key", "low")
"""Light is kept per source, so that every mood is a mix of one bake."""

KEY = direction(-32, 50)
"""The main soft box, in front, to the left, above."""
LOW = direction(74, 24)
"""A low lamp on the right; the evening sun of the warm moods."""

GROUND_REACH = 1.5
"""Half the side of the square of ground on which shadows are kept, in diagonals of the model."""

Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Mood:
    """Strength and colour of each source (linear), and how the backdrop falls off."""

    dome: Colour
    key: Colour
    low: Colour
    bounce: float = 0.75
    """How much of the light on the ground comes back from it."""
    inner: float = 0.2
    """Light between the parts of a model, as a share of the dome."""
    exposure: float = 1.06
    """Light on a white surface that looks up, 1 being as bright as the picture can show."""
    vignette: float = 0.12
    """Darkening of the backdrop towards the corners."""


MOODS = {
    "studio": Mood(dome=(0.52, 0.53, 0.55), key=(0.92, 0.91, 0.88), low=(0.24, 0.24, 0.25)),
    "soft": Mood(dome=(0.95, 0.95, 0.95), key=(0.34, 0.34, 0.34), low=(0.08, 0.08, 0.08), vignette=0.06),
    "warm": Mood(dome=(0.55, 0.50, 0.44), key=(0.92, 0.78, 0.58), low=(0.20, 0.15, 0.09), vignette=0.22),
    "cool": Mood(dome=(0.60, 0.68, 0.78), key=(0.55, 0.61, 0.70), low=(0.20, 0.22, 0.26), vignette=0.14),
    "sunset": Mood(dome=(0.40, 0.43, 0.52), key=(0.12, 0.11, 0.10), low=(1.75, 1.22, 0.70), vignette=0.16),
    "dramatic": Mood(
        dome=(0.20, 0.21, 0.24), key=(1.35, 1.32, 1.28), low=(0.16, 0.18, 0.26), inner=0.12, vignette=0.42
    ),
}


def _cone(axis: Array, radius: float, count: int) -> Array:
    """``count`` directions (count, 3) spread evenly over a disc of ``radius`` (a tangent) around ``axis``."""
    side = unit(np.cross(axis, [0.0, 1.0, 0.0]))
    top = np.cross(side, axis)
    k = np.arange(count) + 0.5
    r, turn = radius * np.sqrt(k / count), np.pi * (3 - np.sqrt(5)) * k
    return unit(axis + side * (r * np.cos(turn))[:, None] + top * (r * np.sin(turn))[:, None])


def _dome(towards: Array) -> float:
    """Brightness of the sky in one direction, 1 on average for a surface that looks up."""
    return 0.7 + 0.45 * float(towards[1])


def _spread(detail: Detail) -> tuple[Array, Array, Array]:
    """Directions of the sphere, of the key light and of the low light.

    The same for every point: noise would show as mottling, while many soft copies of a shadow blend.
    """
    return sphere(detail.dome), _cone(KEY, 0.24, detail.key), _cone(LOW, 0.13, detail.low)


def ground_light(engine: Engine, detail: Detail | None = None) -> Array:
    """Shadows on the ground: (side, side, 4) float32, for each channel the share of light that arrives."""
    detail = detail or engine.detail
    side = detail.ground
    place = _warp(np.linspace(-1, 1, side)) * GROUND_REACH
    x, z = np.meshgrid(place, place)
    points = np.stack([x.ravel(), np.full(side * side, 5e-4), z.ravel()], 1).astype(np.float32)
    around, key, low = _spread(detail)
    light = np.zeros((len(points), 4), np.float32)
    full = np.zeros(4)
    for channel, directions in ((0, around[around[:, 1] > 0.02]), (2, key), (3, low)):
        for towards in directions:
            strength = float(towards[1]) * (_dome(towards) if channel == 0 else 1.0)
            light[:, channel] += ~engine.occluded(points, towards) * np.float32(strength)
            full[channel] += strength
    light[:, [0, 2, 3]] /= full[[0, 2, 3]]
    light[:, 1] = light[:, [0, 2, 3]] @ np.array([0.5, 0.4, 0.1], np.float32)
    light = _soften(light.reshape(side, side, 4))
    # A faint shadow is one of far things: there the copies, one for each direction, would show as clouds and streaks.
    wide = light
    for _ in range(side // 9):
        wide = _soften(wide)
    faint = np.clip((wide - 0.62) / 0.3, 0, 1)
    light = light + (wide - light) * (faint * faint * (3 - 2 * faint))
    # Towards the rim of the kept square every shadow ends, so that no edge of it shows.
    fade = np.clip((1 - np.hypot(x, z) / GROUND_REACH) * 4, 0, 1).astype(np.float32)
    return np.asarray(1 + (light - 1) * fade[..., None])


def _soften(light: Array) -> Array:
    """A narrow binomial blur: contact shadows would show the steps of the grid."""
    for axis in (0, 1):
        padded = np.pad(light, [(1, 1) if k == axis else (0, 0) for k in range(3)], mode="edge")
        before, after = (
            np.take(padded, range(light.shape[axis]), axis),
            np.take(padded, range(2, light.shape[axis] + 2), axis),
        )
        light = (before + 2 * light + after) / 4
    return light


def _warp(position: Array) -> Array:
    """Grid position in -1..1 to place in -1..1: the samples are denser near the model."""
    return np.asarray(0.45 * position + 0.55 * position**3)


_TABLE = np.linspace(-1, 1, 513)
_WARPED = _warp(_TABLE)


def ground_lookup(light: Array, x: Array, z: Array) -> Array:
    """Bilinear look-up of ``ground_light`` at places ``x``, ``z`` (n,): (n, 4); 1 outside."""
    side = light.shape[0]
    column = ((np.interp(x / GROUND_REACH, _WARPED, _TABLE) + 1) * ((side - 1) / 2)).astype(np.float32)
    row = ((np.interp(z / GROUND_REACH, _WARPED, _TABLE) + 1) * ((side - 1) / 2)).astype(np.float32)
    i, j = np.minimum(row.astype(np.int64), side - 2), np.minimum(column.astype(np.int64), side - 2)
    down, across = (row - i)[:, None], (column - j)[:, None]
    flat, spot = light.reshape(-1, light.shape[2]), i * side + j
    upper = flat[spot] * (1 - across) + flat[spot + 1] * across
    lower = flat[spot + side] * (1 - across) + flat[spot + side + 1] * across
    return np.asarray(upper * (1 - down) + lower * down)


def fall_of_light(
    corners: Array, normals: Array, grid: Grid, ground: Array, engine: Engine, *, detail: Detail | None = None
) -> Array:
    """Irradiance at every sample of ``grid``, (samples, 4) float32, per channel, 1 being a full white dome."""
    points, outwards = _starts(corners, normals, grid)
    light = np.zeros((len(points), 4), np.float32)
    around, key, low = _spread(detail or engine.detail)
    beat = np.float32(4 / len(around))
    for towards in around.astype(np.float32):
        cosine = outwards @ towards
        facing = np.nonzero(cosine > 0)[0]
        facing = facing[~engine.occluded(points[facing], towards)]
        if towards[1] > 0:
            light[facing, 0] += cosine[facing] * beat * np.float32(_dome(towards))
        else:
            start = points[facing]
            reach = start[:, 1] / max(-float(towards[1]), 0.02)
            spot = start[:, [0, 2]] + reach[:, None] * towards[[0, 2]]
            light[facing, 1] += cosine[facing] * beat * ground_lookup(ground, spot[:, 0], spot[:, 1])[:, 1]
    for channel, directions in ((2, key), (3, low)):
        for towards in directions.astype(np.float32):
            cosine = outwards @ towards
            facing = np.nonzero(cosine > 0)[0]
            facing = facing[~engine.occluded(points[facing], towards)]
            light[facing, channel] += cosine[facing] / np.float32(len(directions))
    return _uncover(light, grid)


def _uncover(light: Array, grid: Grid) -> Array:
    """Give samples that lie buried under another part the light of their neighbours on the same triangle.

    Nobody sees them, but interpolation would draw their dark into the open beside them.
    """
    buried = light.sum(1) < 0.01
    stride = grid.up[grid.triangle] + 1
    for _ in range(6):
        dark = np.nonzero(buried)[0]
        if not len(dark):
            break
        total, count = np.zeros((len(dark), light.shape[1]), np.float32), np.zeros(len(dark), np.float32)
        row, column, triangle = grid.row[dark], grid.column[dark], grid.triangle[dark]
        for inside, step in (
            (row > 0, -stride[dark]),
            (row < grid.across[triangle], stride[dark]),
            (column > 0, np.full(len(dark), -1)),
            (column < grid.up[triangle], np.full(len(dark), 1)),
        ):
            other = np.where(inside, dark + step, dark)
            lit = inside & ~buried[other]
            total += light[other] * lit[:, None]
            count += lit
        found = count > 0
        light[dark[found]] = total[found] / count[found, None]
        buried[dark[found]] = False
    return light


def _starts(corners: Array, normals: Array, grid: Grid) -> tuple[Array, Array]:
    """Where the rays of each sample start and its normal, both (samples, 3)."""
    weights = grid.weights[..., None]
    there = corners[grid.triangle]
    around = normals[grid.triangle]
    points = (there * weights).sum(1)
    outwards = unit((around * weights).sum(1)).astype(np.float32)
    # On a coarse mesh the flat facet would shade itself; start from the curved surface that the normals tell of.
    gap = np.minimum(((points[:, None] - there) * around).sum(-1), 0)
    sign = np.where(grid.behind, np.float32(-1), np.float32(1))[:, None]
    lift = -(gap[..., None] * around * weights).sum(1)
    points = np.where(grid.behind[:, None], points, points + lift)
    outwards = outwards * sign
    return (points + outwards * OFFSET).astype(np.float32), outwards
