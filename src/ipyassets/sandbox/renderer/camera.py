"""Where the picture is taken from: a perspective camera framed by what it sees of the model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ipyassets.sandbox.renderer.model import Array

__all__ = ["Camera", "direction", "frame_camera"]


def direction(azimuth: float, elevation: float) -> Array:
    """Unit vector (3,) towards a point of the sky; degrees, azimuth 0 is the model's front (+z), 90 its left (+x)."""
    a, e = np.radians(azimuth), np.radians(elevation)
    return np.array([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)])


@dataclass(frozen=True, slots=True, eq=False)
class Camera:
    """A pinhole camera with a shifted lens."""

    eye: Array
    right: Array
    up: Array
    forward: Array
    scale: float
    """Pixels per unit of tangent."""
    centre: tuple[float, float]
    """Pixel (x, y) on which the optical axis falls."""
    width: int
    height: int

    def project(self, points: Array) -> tuple[Array, Array, Array]:
        """Pixel x, pixel y (downwards) and depth of ``points`` (..., 3)."""
        offset = points - self.eye
        depth = offset @ self.forward
        return (
            self.centre[0] + offset @ self.right / depth * self.scale,
            self.centre[1] - offset @ self.up / depth * self.scale,
            depth,
        )

    def rays(self, x: Array, y: Array) -> Array:
        """Unit directions (n, 3) float32 through the pixel positions ``x``, ``y`` (n,)."""
        across = ((x - self.centre[0]) / self.scale).astype(np.float32)[:, None]
        upwards = ((self.centre[1] - y) / self.scale).astype(np.float32)[:, None]
        rays = self.forward.astype(np.float32) + across * self.right.astype(np.float32)
        rays += upwards * self.up.astype(np.float32)
        rays /= np.sqrt(np.einsum("nx,nx->n", rays, rays))[:, None]
        return rays


def frame_camera(
    points: Array,
    width: int,
    height: int,
    *,
    azimuth: float,
    elevation: float,
    field_of_view: float = 28.0,
    fill: float = 0.8,
    orbit: bool = False,
) -> Camera:
    """Place a camera so that ``points`` (n, 3) fill the frame.

    The projected box of the points takes ``fill`` of the width or of the height, whichever binds, and is centred
    (the lens is shifted, so that verticals keep their look). With ``orbit`` the frame fits every azimuth: pictures of
    a turntable then share one distance and one centre.
    """
    low, high = points.min(0), points.max(0)
    target = (low + high) / 2
    if orbit:
        # The solid of revolution around the vertical axis, seen from anywhere, is what has to fit.
        target[[0, 2]] = 0.0
        radius = np.hypot(points[:, 0], points[:, 2])
        # The steps turn with the camera, so that every azimuth sees the same ring.
        turns = np.radians(azimuth + np.arange(0, 360, 15))
        ring = np.unique(np.round(np.stack([radius, points[:, 1]], 1), 2), axis=0)
        points = np.concatenate(
            [np.stack([ring[:, 0] * np.sin(a), ring[:, 1], ring[:, 0] * np.cos(a)], 1) for a in turns]
        )
    back = direction(azimuth, elevation)
    forward = -back
    right = np.cross(forward, [0.0, 1.0, 0.0]) if abs(back[1]) < 0.9999 else direction(azimuth + 90, 0)
    right /= np.linalg.norm(right)
    up = np.cross(right, forward)
    offset = points - target
    x, y, z = offset @ right, offset @ up, offset @ forward
    tangent = np.tan(np.radians(field_of_view / 2))
    scale = min(width, height) / (2 * tangent)

    def extent(distance: float) -> tuple[float, float, float, float]:
        depth = distance + z
        a, b = x / depth * scale, y / depth * scale
        return float(a.min()), float(a.max()), float(b.min()), float(b.max())

    near, far = float(-z.min()) + 0.05, 60.0
    for _ in range(40):
        middle = (near + far) / 2
        left, right_, bottom, top = extent(middle)
        if right_ - left > fill * width or top - bottom > fill * height:
            near = middle
        else:
            far = middle
    left, right_, bottom, top = extent(far)
    return Camera(
        eye=target + back * far,
        right=right,
        up=up,
        forward=forward,
        scale=scale,
        centre=(width / 2 - (left + right_) / 2, height / 2 + (top + bottom) / 2),
        width=width,
        height=height,
    )
