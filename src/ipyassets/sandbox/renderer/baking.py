"""Light worked out once for a model, and kept in a file so that another process need not do it again."""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from ipyassets.sandbox.renderer.detail import DRAFT
from ipyassets.sandbox.renderer.engines import Engine, make_engine
from ipyassets.sandbox.renderer.light import fall_of_light, ground_light
from ipyassets.sandbox.renderer.model import Array, Model
from ipyassets.sandbox.renderer.shade import Baked, Surfaces
from ipyassets.sandbox.renderer.surface import Grid, corner_normals, face_normals, find_sides, make_grid

__all__ = ["BakedModel", "Light", "bake", "restore"]


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """What baking finds out. With the model it came from it makes a `BakedModel` again."""

    flipped: Array
    """(n,) bool: triangles wound the wrong way."""
    double: Array
    """(n,) bool: triangles seen from both sides."""
    limit: int
    """Of samples on the model."""
    model: Array
    """(samples, 4) float32."""
    ground: Array
    """(side, side, 4) float32."""

    def save(self, path: Path) -> None:
        """Write to ``path`` at once or not at all: another process may be looking for it."""
        unfinished = path.with_name(f"{path.name}.{os.getpid()}")
        with unfinished.open("wb") as file:
            np.savez(
                file, flipped=self.flipped, double=self.double, limit=self.limit, model=self.model, ground=self.ground
            )
        unfinished.replace(path)

    @classmethod
    def load(cls, path: Path) -> Light:
        """Raises `OSError` if there is no such file, `ValueError` if it is something else."""
        try:
            # Opened here: np.load leaves a file open that is no archive.
            with path.open("rb") as file, np.load(file) as kept:
                return cls(kept["flipped"], kept["double"], int(kept["limit"]), kept["model"], kept["ground"])
        except (zipfile.BadZipFile, KeyError, EOFError) as error:
            raise ValueError(f"{path.name} holds no baked light ({error})") from error


@dataclass(frozen=True, eq=False)
class BakedModel:
    """What `bake` gives and `render` takes."""

    baked: Baked
    engine: Engine
    light: Light

    @property
    def name(self) -> str:
        return self.baked.model.name

    @cached_property
    def points(self) -> Array:
        """The corners of all triangles, each place once: (n, 3)."""
        return np.unique(self.baked.model.corners.reshape(-1, 3), axis=0).astype(np.float64)

    @property
    def nbytes(self) -> int:
        """About how much memory it takes."""
        model, grid = self.baked.model, self.baked.grid
        textures = {id(m.texture): m.texture for m in model.materials if m.texture is not None}
        arrays = [
            model.corners, model.normals, model.uvs, self.baked.surfaces.normals, grid.triangle, grid.weights, grid.row,
            grid.column, grid.behind, self.light.model, self.light.ground,
            *(level for texture in textures.values() for level in texture.levels),
        ]  # fmt: skip
        return sum(array.nbytes for array in arrays)


def bake(model: Model, *, engine: str | None = None, samples: int | None = None, draft: bool = False) -> BakedModel:
    """Work out which sides of ``model`` are seen and what light falls on them and on the ground.

    ``samples`` bounds the light samples on the model; more give finer shadows and take longer (about a second for
    70,000 with Embree, the numpy engine takes half as many). ``engine`` is ``embree`` or ``numpy``; None takes what
    `engine_name` says. A ``draft`` takes some hundredths of a second, and its shadows are in steps.
    """
    clear = np.array([material.see_through for material in model.materials])[model.material]
    opaque = make_engine(model.corners[~clear], engine)
    detail = DRAFT if draft else opaque.detail
    limit = detail.samples
    if samples is not None:
        limit = samples * detail.samples // 70_000 if not draft else min(samples, limit)
    sides = find_sides(model, opaque, detail)
    shown = _flip(model, sides.flipped)
    normals = corner_normals(shown.corners, shown.normals)
    grid = make_grid(shown.corners, sides.double, spacing=float(np.sqrt(22 / limit)), limit=limit)
    ground = ground_light(opaque, detail)
    light = fall_of_light(shown.corners, normals, grid, ground, opaque, detail=detail)
    kept = Light(sides.flipped, sides.double, limit, light, ground)
    return _baked(shown, normals, grid, kept, engine)


def restore(model: Model, light: Light, *, engine: str | None = None) -> BakedModel:
    """Put ``light``, baked before, on the same ``model``. `ValueError` if it is of another one."""
    if len(light.flipped) != len(model.corners):
        raise ValueError(f"{model.name}: this light was baked for another model")
    shown = _flip(model, light.flipped)
    normals = corner_normals(shown.corners, shown.normals)
    grid = make_grid(shown.corners, light.double, spacing=float(np.sqrt(22 / light.limit)), limit=light.limit)
    return _baked(shown, normals, grid, light, engine)


def _baked(shown: Model, normals: Array, grid: Grid, light: Light, engine: str | None) -> BakedModel:
    # Flipping swapped corners, so primary hits need an engine on the flipped triangles.
    baked = Baked(Surfaces.of(shown, normals), grid, light.model, light.ground)
    return BakedModel(baked, make_engine(shown.corners, engine), light)


def _flip(model: Model, flipped: Array) -> Model:
    """Wind some triangles the other way; their longest edge stays the first. Normals of the file follow the faces."""
    order = np.where(flipped[:, None], [1, 0, 2], [0, 1, 2])
    rows = np.arange(len(flipped))[:, None]
    corners, normals, uvs = model.corners[rows, order], model.normals[rows, order], model.uvs[rows, order]
    away = (normals.sum(1) * face_normals(corners)).sum(1) < 0
    normals = np.where(away[:, None, None], -normals, normals)
    return replace(model, corners=corners, normals=normals, uvs=uvs)
