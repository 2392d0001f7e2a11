"""The drawing board for our own buildings: boxes, prisms, tubes and the like, in metres."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from PIL import ImageColor

from ipyassets.sandbox.renderer.model import Array, Material, Model, linear

__all__ = ["Draft", "Point"]

Point = tuple[float, float, float]


class Draft:
    """Collects parts; x runs to the right, y up, z towards the viewer. The ground is y = 0."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.materials: list[Material] = []
        self.parts: list[Array] = []
        self.owners: list[int] = []
        self.leaf = self.paint("leaf", "#6f8f4e", roughness=0.9)
        self.bark = self.paint("bark", "#7a6450", roughness=0.9)

    def paint(
        self, name: str, colour: str, *, roughness: float = 0.7, metallic: float = 0.0, alpha: float = 1.0
    ) -> int:
        """A new material; gives its number."""
        red, green, blue = linear(np.array(ImageColor.getcolor(colour, "RGB")) / 255)
        self.materials.append(Material(name, (float(red), float(green), float(blue)), alpha, metallic, roughness))
        return len(self.materials) - 1

    def glass(self, colour: str = "#23404d") -> int:
        """Window glass as seen from outside by day: dark and mirroring."""
        return self.paint("glass", colour, roughness=0.1)

    def add(self, paint: int, triangles: Array) -> None:
        """Put triangles (n, 3, 3) into the draft."""
        self.parts.append(np.asarray(triangles, np.float64).reshape(-1, 3, 3))
        self.owners.append(paint)

    def quad(self, paint: int, a: Point, b: Point, c: Point, d: Point) -> None:
        self.add(paint, np.array([[a, b, c], [a, c, d]]))

    def box(  # noqa: PLR0917  # a box is its place and its size
        self, paint: int, x: float, y: float, z: float, width: float, height: float, depth: float
    ) -> None:
        """A box centred over (x, z) that stands on y; width along x, depth along z."""
        half = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (width / 2, depth / 2) + (x, z)
        self.prism(paint, half, y, y + height)

    def prism(self, paint: int, outline: Array | Sequence[tuple[float, float]], low: float, high: float) -> None:
        """A convex outline of (x, z) points, drawn up from ``low`` to ``high``."""
        flat = np.asarray(outline, np.float64)
        self.loft(paint, np.insert(flat, 1, low, 1), np.insert(flat, 1, high, 1))

    def profile(self, paint: int, outline: Array | Sequence[tuple[float, float]], back: float, front: float) -> None:
        """A convex outline of (x, y) points, drawn along z from ``back`` to ``front``."""
        flat = np.asarray(outline, np.float64)
        self.loft(paint, np.insert(flat, 2, back, 1), np.insert(flat, 2, front, 1))

    def side_profile(
        self, paint: int, outline: Array | Sequence[tuple[float, float]], left: float, right: float
    ) -> None:
        """A convex outline of (z, y) points, drawn along x from ``left`` to ``right``."""
        flat = np.asarray(outline, np.float64)[:, ::-1]
        self.loft(paint, np.insert(flat, 0, left, 1), np.insert(flat, 0, right, 1))

    def loft(self, paint: int, first: Array, last: Array, *, caps: bool = True) -> None:
        """Skin between two closed rings (n, 3) of as many points, with flat caps."""
        first, last = np.asarray(first, np.float64), np.asarray(last, np.float64)
        after, beyond = np.roll(first, -1, 0), np.roll(last, -1, 0)
        self.add(paint, np.stack([first, last, beyond], 1))
        self.add(paint, np.stack([first, beyond, after], 1))
        if caps:
            for ring in (first, last):
                hub = np.broadcast_to(ring.mean(0), ring.shape)
                self.add(paint, np.stack([hub, ring, np.roll(ring, -1, 0)], 1))

    def skin(self, paint: int, lines: Iterable[Array]) -> None:
        """Surface through open lines (n, 3) of as many points each."""
        stack = np.asarray([np.asarray(line, np.float64) for line in lines])
        a, b, c, d = stack[:-1, :-1], stack[:-1, 1:], stack[1:, 1:], stack[1:, :-1]
        self.add(paint, np.stack([a, b, c], 2))
        self.add(paint, np.stack([a, c, d], 2))

    def revolve(
        self, paint: int, outline: Sequence[tuple[float, float]], x: float = 0, z: float = 0, *, sides: int = 40
    ) -> None:
        """Turn (radius, y) points around the vertical through (x, z)."""
        turn = np.linspace(0, 2 * np.pi, sides + 1)
        self.skin(
            paint,
            [np.stack([x + r * np.sin(turn), np.full_like(turn, y), z + r * np.cos(turn)], 1) for r, y in outline],
        )

    def cylinder(  # noqa: PLR0917
        self, paint: int, x: float, y: float, z: float, radius: float, height: float, *, sides: int = 32
    ) -> None:
        """A standing cylinder on y."""
        self.revolve(paint, [(0, y), (radius, y), (radius, y + height), (0, y + height)], x, z, sides=sides)

    def tube(self, paint: int, start: Point, end: Point, radius: float, *, sides: int = 14) -> None:
        """A round bar from point to point."""
        self._bar(paint, start, end, radius, radius, sides, 0.0)

    def beam(self, paint: int, start: Point, end: Point, width: float, height: float | None = None) -> None:
        """A square bar from point to point; ``height`` is measured upright."""
        half = np.sqrt(0.5)
        self._bar(paint, start, end, width * half, (height or width) * half, 4, np.pi / 4)

    def _bar(  # noqa: PLR0917
        self, paint: int, start: Point, end: Point, across: float, upright: float, sides: int, turn: float
    ) -> None:
        a, b = np.asarray(start, np.float64), np.asarray(end, np.float64)
        along = (b - a) / max(float(np.linalg.norm(b - a)), 1e-9)
        side = np.cross(along, [0.0, 1.0, 0.0] if abs(along[1]) < 0.95 else [0.0, 0.0, 1.0])
        side /= np.linalg.norm(side)
        top = np.cross(side, along)
        angle = turn + np.arange(sides) * 2 * np.pi / sides
        ring = np.cos(angle)[:, None] * side * across + np.sin(angle)[:, None] * top * upright
        self.loft(paint, a + ring, b + ring)

    def pipe(self, paint: int, points: Sequence[Point], radius: float) -> None:
        """A run of pipe with ball elbows."""
        for start, end in pairwise(points):
            self.tube(paint, start, end, radius, sides=18)
        for point in points[1:-1]:
            self.ball(paint, point, radius * 1.12)

    def ball(self, paint: int, centre: Point, radius: float, *, squash: float = 1.0, sides: int = 18) -> None:
        steps = np.linspace(-np.pi / 2, np.pi / 2, sides // 2 + 1)
        outline = [(radius * float(np.cos(t)), centre[1] + radius * squash * float(np.sin(t))) for t in steps]
        self.revolve(paint, outline, centre[0], centre[2], sides=sides)

    def tree(self, x: float, z: float, height: float, ground: float = 0.0) -> None:
        """A tree as in an architect's model: a trunk and a few round clumps."""
        self.cylinder(self.bark, x, ground, z, height * 0.03, height * 0.5, sides=8)
        for dx, dy, dz, size in (
            (0, 0.68, 0, 0.3),
            (0.14, 0.52, 0.08, 0.22),
            (-0.13, 0.55, 0.06, 0.21),
            (0, 0.53, -0.15, 0.2),
        ):
            self.ball(
                self.leaf,
                (x + dx * height, ground + dy * height, z + dz * height),
                size * height,
                squash=0.95,
                sides=14,
            )

    def car(self, paint: int, glass: int, x: float, y: float, z: float, *, along_x: bool = True) -> None:
        """A small saloon, for scale."""
        body = [(-2.1, 0.3), (2.1, 0.3), (2.1, 0.85), (-2.1, 0.95)]
        cabin = [(-1.5, 0.9), (1.1, 0.9), (0.5, 1.45), (-1.1, 1.45)]
        draw = self.profile if along_x else self.side_profile
        across, along = (z, x) if along_x else (x, z)
        draw(paint, [(along + a, y + b) for a, b in body], across - 0.85, across + 0.85)
        draw(glass, [(along + a, y + b) for a, b in cabin], across - 0.75, across + 0.75)

    def windows(  # noqa: PLR0917
        self,
        paint: int,
        xs: Iterable[float],
        ys: Iterable[float],
        z: float,
        width: float,
        height: float,
        *,
        depth: float = 0.12,
        along_z: bool = False,
    ) -> None:
        """A field of flat boxes on a wall in the plane ``z``, or, with ``along_z``, in the plane x = ``z``."""
        levels = list(ys)
        for x in xs:
            for y in levels:
                if along_z:
                    self.box(paint, z, y, x, depth, height, width)
                else:
                    self.box(paint, x, y, z, width, height, depth)

    def model(self) -> Model:
        """The finished model, set on its box."""
        return Model.place(
            self.name,
            np.concatenate(self.parts),
            np.repeat(self.owners, [len(part) for part in self.parts]),
            self.materials,
        )
