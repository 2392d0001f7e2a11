"""Pictures of a baked model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image, ImageColor

from ipyassets.sandbox.renderer.baking import BakedModel
from ipyassets.sandbox.renderer.camera import Camera, frame_camera
from ipyassets.sandbox.renderer.engines import Hits
from ipyassets.sandbox.renderer.light import MOODS, ground_lookup
from ipyassets.sandbox.renderer.model import Array, linear, srgb
from ipyassets.sandbox.renderer.shade import Studio, shade, tone

__all__ = ["render"]

MAX_SIDE = 8192
LAYERS = 6
"""Panes of glass looked through, one behind the other."""
CONTRAST = 0.035
"""Difference between neighbouring pixels, in display values, from which both are sampled again."""
MOST_EDGES = 200_000
"""Pixels sampled again at most: textures are filtered anyway, outlines come first."""
BATCH = 400_000
"""Samples shaded at once; bounds the memory."""


def render(
    model: BakedModel,
    width: int,
    height: int,
    *,
    azimuth: float = 32.0,
    elevation: float = 18.0,
    background: str = "#eceef1",
    transparent: bool = False,
    flat: bool = False,
    mood: str = "studio",
    fill: float = 0.8,
    orbit: bool = False,
    samples: int = 6,
) -> Image.Image:
    """Take one picture: RGB, or RGBA with ``transparent`` (the shadow stays, as a half-clear dark).

    ``azimuth`` and ``elevation`` place the camera, in degrees; azimuth 0 looks at the front. ``background`` is any
    colour Pillow knows, and ``flat`` keeps it the same up to the corners; ``mood`` is a name in `MOODS`. The model's
    projected box takes ``fill`` of the width or the height; ``orbit`` frames all azimuths alike. Pixels at edges are
    sampled ``samples`` times more.
    """
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        raise ValueError(f"a picture of {width} x {height} pixels: each side may be 1 to {MAX_SIDE}")
    if mood not in MOODS:
        raise ValueError(f"there is no mood '{mood}'; there are {', '.join(MOODS)}")
    backdrop = linear(np.array(ImageColor.getcolor(background, "RGB")) / 255)
    camera = frame_camera(
        model.points, width, height, azimuth=azimuth, elevation=min(max(elevation, -89.0), 89.0), fill=fill, orbit=orbit
    )
    light = replace(MOODS[mood], vignette=0.0) if flat else MOODS[mood]
    view = _View(model, camera, Studio(light, backdrop), transparent)

    image = np.empty((height * width, 4), np.float32)
    everywhere = np.arange(height * width)
    image[:] = view.take(everywhere, 0.5, 0.5)
    edges = _edges(image.reshape(height, width, 4))
    if samples > 0 and len(edges):
        total = image[edges]
        for k in range(samples):
            # A low-discrepancy sequence: any number of samples covers the pixel evenly.
            total += view.take(edges, (0.5 + 0.7548776662 * (k + 1)) % 1, (0.5 + 0.5698402910 * (k + 1)) % 1)
        image[edges] = total / (samples + 1)
    return _picture(image.reshape(height, width, 4), transparent=transparent)


def _edges(image: Array) -> Array:
    """Indices of the pixels that differ from a neighbour; on a busy texture only those that differ most."""
    contrast = np.zeros(image.shape[:2], np.float32)
    for axis in (0, 1):
        step = np.abs(np.diff(image, axis=axis)).max(2)
        first = (slice(None, -1), slice(None))[:: 1 - 2 * axis]
        second = (slice(1, None), slice(None))[:: 1 - 2 * axis]
        np.maximum(contrast[first], step, out=contrast[first])
        np.maximum(contrast[second], step, out=contrast[second])
    flat = contrast.ravel()
    floor = CONTRAST
    if flat.size > MOST_EDGES:
        floor = max(floor, float(np.partition(flat, -MOST_EDGES)[-MOST_EDGES]))
    return np.nonzero(flat > floor)[0]


def _picture(image: Array, *, transparent: bool) -> Image.Image:
    if not transparent:
        return Image.fromarray((image[..., :3] * 255 + 0.5).astype(np.uint8))
    alpha = image[..., 3:]
    colour = np.clip(image[..., :3] / np.maximum(alpha, 1e-4), 0, 1)
    return Image.fromarray((np.concatenate([colour, alpha], 2) * 255 + 0.5).astype(np.uint8))


class _View:
    """One camera in one studio: gives display values for sample positions."""

    def __init__(self, model: BakedModel, camera: Camera, studio: Studio, transparent: bool) -> None:
        self.model, self.camera, self.studio, self.transparent = model, camera, studio, transparent
        x, y, _ = camera.project(model.points)
        self.window = (x.min() - 1, x.max() + 1, y.min() - 1, y.max() + 1)

    def take(self, pixels: Array, dx: float, dy: float) -> Array:
        """Display values (n, 4) at ``pixels`` (n,), sampled ``dx``, ``dy`` inside each; colours times opacity."""
        row, column = np.divmod(pixels, self.camera.width)
        x, y = column + dx, row + dy
        left, right, top, bottom = self.window
        inside = np.nonzero((x >= left) & (x <= right) & (y >= top) & (y <= bottom))[0]
        light, clear = np.zeros((len(pixels), 3), np.float32), np.ones(len(pixels), np.float32)
        light[inside], clear[inside] = self.draw(x[inside], y[inside])
        out = np.zeros((len(pixels), 4), np.float32)
        # The backdrop is worked out only where it can be seen.
        open_ = np.nonzero(clear > 0)[0]
        for start in range(0, len(open_), BATCH):
            part = open_[start : start + BATCH]
            out[part] = self.backdrop(x[part], y[part]) * clear[part, None]
        touched = np.nonzero(clear < 1)[0]
        covered = 1 - clear[touched, None]
        # Tone is for the object alone: the backdrop shows its colour as it was asked for.
        out[touched, :3] += tone(light[touched] / np.maximum(covered, 1e-3)) * covered
        out[touched, 3] += covered[:, 0]
        return np.minimum(out, 1)

    def draw(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Light of the model (n, 3), layer by layer where it is glass, and what of the backdrop stays clear (n,)."""
        light, clear = np.zeros((len(x), 3), np.float32), np.ones(len(x), np.float32)
        active, beyond = np.arange(len(x)), None
        for _ in range(LAYERS):
            hits = self.model.engine.hits(self.camera, x[active], y[active], beyond)
            found = np.nonzero(hits.triangle >= 0)[0]
            if not len(found):
                break
            hits, active = _take(hits, found), active[found]
            for start in range(0, len(active), BATCH):
                part = slice(start, start + BATCH)
                rays = self.camera.rays(x[active[part]], y[active[part]])
                colour, alpha = shade(self.model.baked, self.studio, _take(hits, part), rays, 1 / self.camera.scale)
                light[active[part]] += clear[active[part], None] * colour
                clear[active[part]] *= 1 - alpha
            more = np.nonzero(clear[active] > 0.02)[0]
            if not len(more):
                break
            active, beyond = active[more], hits.distance[more]
        return light, clear

    def backdrop(self, x: Array, y: Array) -> Array:
        """The seamless backdrop with the model's shadow on it."""
        camera, studio = self.camera, self.studio
        rays = camera.rays(x, y)
        shadow = np.ones((len(x), 3), np.float32)
        ground = np.nonzero(rays[:, 1] < -1e-3)[0] if camera.eye[1] > 0 else np.zeros(0, np.int64)
        reach = np.float32(-camera.eye[1]) / rays[ground, 1]
        there = camera.eye.astype(np.float32)[[0, 2]] + rays[ground][:, [0, 2]] * reach[:, None]
        shadow[ground] = studio.ground(ground_lookup(self.model.baked.ground, there[:, 0], there[:, 1]))
        if self.transparent:
            dark = 1 - shadow.mean(1, keepdims=True)
            return np.concatenate([np.zeros((len(x), 3), np.float32), dark], 1)
        across, down = x / camera.width - 0.5, y / camera.height - 0.48
        fall = 1 - np.float32(studio.mood.vignette * 2) * (across * across + down * down).astype(np.float32)
        # Without the shoulder of `tone`, which would shift the colour that was asked for.
        colour = srgb(studio.backdrop * shadow * fall[:, None])
        return np.concatenate([colour, np.ones((len(x), 1), np.float32)], 1)


def _take(hits: Hits, rows: Array | slice) -> Hits:
    return Hits(hits.triangle[rows], hits.u[rows], hits.v[rows], hits.distance[rows])
