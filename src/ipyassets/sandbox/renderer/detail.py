"""How much work a bake takes upon itself."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["COARSE", "DRAFT", "FULL", "Detail"]


@dataclass(frozen=True, slots=True)
class Detail:
    """Numbers of directions and of samples; time and smoothness grow with each."""

    probes: int
    """Directions in which a side of a triangle looks for a way out."""
    spacing: float
    """Between the points that look, in diagonals of the model."""
    points: int
    """Of those at most."""
    dome: int
    """Directions of the sphere."""
    key: int
    low: int
    """Directions towards the two lamps: each is a copy of the shadow."""
    ground: int
    """Side of the square of samples on the ground."""
    samples: int
    """Light samples on the model at most."""


FULL = Detail(probes=48, spacing=1 / 18, points=60_000, dome=180, key=40, low=40, ground=224, samples=70_000)
COARSE = Detail(probes=24, spacing=1 / 18, points=60_000, dome=80, key=20, low=16, ground=128, samples=35_000)
"""What the numpy engine can afford."""
DRAFT = Detail(probes=8, spacing=1 / 5, points=4_000, dome=10, key=2, low=1, ground=32, samples=3_000)
"""For trials: the shapes and colours are right, shadows are in steps."""
