"""What a surface looks like in baked light: colour, texture, reflection, tone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ipyassets.sandbox.renderer.camera import direction
from ipyassets.sandbox.renderer.engines import Hits
from ipyassets.sandbox.renderer.light import KEY, LOW, Mood
from ipyassets.sandbox.renderer.model import Array, Model, Texture, unit
from ipyassets.sandbox.renderer.surface import Grid, face_normals

__all__ = ["Baked", "Studio", "shade", "tone"]


@dataclass(frozen=True, slots=True, eq=False)
class Surfaces:
    """A model's triangles as shading needs them."""

    model: Model
    normals: Array
    """(n, 3, 3) at the corners."""
    facing: Array
    """(n, 3) unit normals of the flat triangles."""
    density: Array
    """(n,) texels per unit of length."""

    @classmethod
    def of(cls, model: Model, normals: Array) -> Surfaces:
        across = face_normals(model.corners)
        uv = model.uvs
        edge1, edge2 = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
        uv_area = np.abs(edge1[:, 0] * edge2[:, 1] - edge1[:, 1] * edge2[:, 0])
        texels = np.array(
            [m.texture.levels[0].shape[0] * m.texture.levels[0].shape[1] if m.texture else 1 for m in model.materials]
        )
        area = np.maximum(np.linalg.norm(across, axis=1), 1e-12)
        return cls(model, normals, unit(across).astype(np.float32), np.sqrt(uv_area * texels[model.material] / area))


@dataclass(frozen=True, slots=True, eq=False)
class Baked:
    """A model with its light, ready for any number of pictures."""

    surfaces: Surfaces
    grid: Grid
    light: Array
    """(samples, 4) float32, see ``light.CHANNELS``."""
    ground: Array
    """(side, side, 4) float32: the light that reaches the ground."""

    @property
    def model(self) -> Model:
        return self.surfaces.model


PANEL = direction(-125, 30)
"""A white panel behind the model on the left: it lights nothing, it only shows in glossy surfaces."""


class Studio:
    """One mood with one backdrop: the colours that every sample needs."""

    def __init__(self, mood: Mood, backdrop: Array) -> None:
        self.mood = mood
        self.backdrop = backdrop.astype(np.float32)
        weights = np.array([mood.dome, np.multiply(mood.key, KEY[1]), np.multiply(mood.low, LOW[1])])
        luminance = float(weights.sum(0) @ [0.2126, 0.7152, 0.0722])
        self.ground_weights = (weights / weights.sum(0)).astype(np.float32)
        exposure = mood.exposure / luminance
        self.dome, self.key, self.low = (np.float32(np.multiply(c, exposure)) for c in (mood.dome, mood.key, mood.low))
        self.bounce = (weights.sum(0) * exposure * backdrop * mood.bounce).astype(np.float32)
        self.inner = self.dome * np.float32(mood.inner)
        # Direction, colour, cosine of the half angle, and the channel that tells whether it is hidden.
        self.boxes = [
            (axis.astype(np.float32)[:, None], colour, cosine, channel)
            for axis, colour, cosine, channel in (
                (KEY, self.key, 0.95, 2),
                (LOW, self.low, 0.965, 3),
                (PANEL, self.dome * np.float32(0.4), 0.9, 0),
            )
        ]

    def diffuse(self, light: Array) -> Array:
        """Irradiance (n, 3) from baked channels (n, 4)."""
        hidden = np.maximum(1 - light[:, :1] - light[:, 1:2], 0)
        return np.asarray(
            light[:, :1] * self.dome
            + light[:, 1:2] * self.bounce
            + light[:, 2:3] * self.key
            + light[:, 3:4] * self.low
            + hidden * self.inner
        )

    def ground(self, light: Array) -> Array:
        """Share (n, 3) of the full light that the ground still has in the shadow."""
        share = light[:, [0, 2, 3]] @ self.ground_weights
        return np.asarray(np.float32(0.04) + np.float32(0.96) * share)

    def reflected(self, towards: Array, roughness: Array, light: Array) -> Array:
        """What is mirrored from directions (n, 3): sky, ground and soft boxes, their rims softer on rough surfaces."""
        height = towards[:, 1:2]
        blend = np.clip(height / (0.12 + roughness) * 0.5 + 0.5, 0, 1)
        blend = blend * blend * (3 - 2 * blend)
        sky = self.dome * (0.62 + 0.5 * np.maximum(height, 0))
        seen = sky * blend + self.bounce * np.float32(0.9) * (1 - blend)
        # A soft box as bright as its light on the model asks for; a rough surface spreads it over a wider rim.
        rim = 0.015 + 0.4 * roughness * roughness
        strength = 9.0 * (0.04 / (0.04 + rim))
        for axis, colour, cosine, channel in self.boxes:
            edge = np.clip((towards @ axis - (cosine - rim)) / (2 * rim), 0, 1)
            free = np.clip(light[:, channel : channel + 1] * 4, 0, 1)
            seen = seen + colour * (edge * edge * (3 - 2 * edge) * strength * free)
        return np.asarray(seen)


def tone(light: Array) -> Array:
    """Linear light to display values in 0..1, with a soft shoulder."""
    shoulder = np.float32(0.72)
    room = 1 - shoulder
    bright = np.maximum(light - shoulder, 0)
    value = np.minimum(light, shoulder) + room * (1 - np.exp(-bright / room))
    return _CURVE[(value * np.float32(4095)).astype(np.int32)]


_STEPS = np.arange(4097) / 4095
_CURVE = (
    np.where(_STEPS <= 0.0031308, _STEPS * 12.92, 1.055 * _STEPS ** (1 / 2.4) - 0.055).clip(0, 1).astype(np.float32)
)


def shade(baked: Baked, studio: Studio, hits: Hits, rays: Array, pixel: float) -> tuple[Array, Array]:
    """Light (n, 3), already weighted by opacity, and opacity (n,) of what ``hits`` found along ``rays`` (n, 3).

    Every hit must be on a triangle. ``pixel`` is the width of a pixel at distance 1.
    """
    surfaces, t, u, v = baked.surfaces, hits.triangle, hits.u, hits.v
    model = surfaces.model
    weights = np.stack([1 - u - v, u, v], 1).astype(np.float32)
    normal = unit(np.einsum("nkx,nk->nx", surfaces.normals[t], weights))
    front = np.einsum("nx,nx->n", surfaces.facing[t], rays) <= 0
    normal *= np.where(front, np.float32(1), np.float32(-1))[:, None]
    light = _light(baked, t, u, v, front)

    count = len(t)
    colour, alpha = np.empty((count, 3), np.float32), np.ones(count, np.float32)
    metallic, roughness = np.zeros((count, 1), np.float32), np.ones((count, 1), np.float32)
    specular, glow = np.empty((count, 1), np.float32), np.zeros((count, 3), np.float32)
    facing = np.maximum(-np.einsum("nx,nx->n", normal, rays), 0.02)
    kinds = model.material[t]
    for index in np.unique(kinds):
        material = model.materials[index]
        here = np.nonzero(kinds == index)[0]
        metallic[here], roughness[here], specular[here] = material.metallic, material.roughness, material.specular
        colour[here], alpha[here], glow[here] = material.colour, material.alpha, material.emission
        if material.alpha < 0.99:
            # The way through a pane is longer at a slant: glass shows by its rims.
            alpha[here] = 1 - (1 - material.alpha) ** (1 / np.maximum(facing[here], 0.15))
        if material.texture is not None:
            uv = np.einsum("nkx,nk->nx", model.uvs[t[here]], weights[here])
            texels = surfaces.density[t[here]] * hits.distance[here] * pixel / np.sqrt(np.maximum(facing[here], 0.1))
            texel = _sample(material.texture, uv, texels)
            colour[here] *= texel[:, :3]
            alpha[here] *= texel[:, 3]

    towards = rays + normal * (2 * facing)[:, None]
    base = specular * (1 - metallic) + colour * metallic
    glance = (1 - facing[:, None]) ** 5 * (1 - roughness) * np.float32(0.8)
    fresnel = base + (1 - base) * glance
    open_ = np.clip(light[:, :1] + light[:, 1:2], 0.05, 1)
    mirrored = fresnel * studio.reflected(towards, roughness, light) * open_
    matte = colour * (1 - metallic) * studio.diffuse(light) + glow
    opacity = alpha[:, None]
    # A reflection on glass is not thinned by the glass being clear, a hole in a leaf has none.
    shine = np.where(opacity > 0.02, mirrored, 0)
    return matte * opacity + shine, np.clip(alpha + shine.mean(1) * (1 - alpha), 0, 1)


def _light(baked: Baked, triangle: Array, u: Array, v: Array, front: Array) -> Array:
    """Baked channels (n, 4), interpolated in the grid of each triangle."""
    grid, light = baked.grid, baked.light
    across, up = grid.across[triangle], grid.up[triangle]
    x, y = np.clip(u, 0, 1) * across, np.clip(v, 0, 1) * up
    i, j = np.minimum(x.astype(np.int64), across - 1), np.minimum(y.astype(np.int64), up - 1)
    x, y = (x - i)[:, None].astype(np.float32), (y - j)[:, None].astype(np.float32)
    row = up + 1
    spot = grid.start[np.where(front, 0, 1), triangle] + i * row + j
    near = light[spot] * (1 - x) + light[spot + row] * x
    far = light[spot + 1] * (1 - x) + light[spot + row + 1] * x
    return np.asarray(near * (1 - y) + far * y)


def _sample(texture: Texture, uv: Array, texels: Array) -> Array:
    """Bilinear look-up (n, 4) in the level whose texels are as large as the pixel."""
    level = np.clip(np.rint(np.log2(np.maximum(texels, 1e-6)) - 0.25), 0, len(texture.levels) - 1).astype(np.int64)
    out = np.empty((len(uv), 4), np.float32)
    for index in np.unique(level):
        here = np.nonzero(level == index)[0]
        image = texture.levels[index]
        height, width = image.shape[:2]
        x, y = uv[here, 0] * width - 0.5, (1 - uv[here, 1]) * height - 0.5
        i, j = np.floor(y).astype(np.int64), np.floor(x).astype(np.int64)
        down, right = (y - i)[:, None].astype(np.float32), (x - j)[:, None].astype(np.float32)
        i0, i1, j0, j1 = i % height, (i + 1) % height, j % width, (j + 1) % width
        upper = image[i0, j0] * (1 - right) + image[i0, j1] * right
        lower = image[i1, j0] * (1 - right) + image[i1, j1] * right
        out[here] = upper * (1 - down) + lower * down
    return out
