"""Reader for Wavefront OBJ and its MTL materials."""

from __future__ import annotations

import logging
import posixpath
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ipyassets.sandbox.renderer.model import Array, Material, Model, ModelError, linear, read_texture
from ipyassets.sandbox.renderer.polygon import cut_polygons

__all__ = ["read_obj"]

logger = logging.getLogger(__name__)

Opener = Callable[[str], bytes]
"""Gives the bytes of a file that lies beside the model; raises `KeyError` or `OSError` where there is none."""


def read_obj(data: bytes, beside: Opener, *, name: str, rotation: Sequence[float] | None = None) -> Model:
    """Read polygons (cut into triangles), texture coordinates, normals and materials.

    Lines and points are left out. `ModelError` if the file holds no faces, names a vertex it does not have, or
    gives something that is not a number.
    """
    points: list[list[str]] = []
    uvs: list[list[str]] = []
    normals: list[list[str]] = []
    corners: list[tuple[int, int, int]] = []
    sizes: list[int] = []
    material: list[int] = []
    materials: dict[str, Material] = {}
    order: dict[str, int] = {"": 0}
    current = 0
    text = data.decode("utf-8", errors="replace").replace("\\\n", " ")
    for number, line in enumerate(text.splitlines(), 1):
        word, _, rest = line.strip().partition(" ")
        if word == "v":
            points.append(rest.split()[:3])
        elif word == "vt":
            uvs.append((*rest.split()[:2], "0")[:2])  # type: ignore[arg-type]  # a 1D coordinate is allowed
        elif word == "vn":
            normals.append(rest.split()[:3])
        elif word == "f":
            try:
                face = [_corner(item, len(points), len(uvs), len(normals)) for item in rest.split()]
            except (ValueError, IndexError) as error:
                raise ModelError(f"{name}, line {number}: bad face '{rest[:60]}' ({error})") from error
            if len(face) > 2:
                corners += face
                sizes.append(len(face))
                material.append(current)
        elif word == "usemtl":
            current = order.setdefault(rest.strip(), len(order))
        elif word == "mtllib":
            materials.update(_read_mtl(rest.strip(), beside, name))
    if not corners:
        raise ModelError(f"{name}: no faces")
    index = np.asarray(corners, np.int64)
    size = np.asarray(sizes, np.int64)
    place = _numbers(points, 3, name)
    index = index[cut_polygons(place, index[:, 0], size).ravel()]
    found = [materials.get(key, Material(key)) for key in order]
    return Model.place(
        name,
        place[index[:, 0]].reshape(-1, 3, 3),
        np.repeat(np.asarray(material, np.int32), size - 2),
        found,
        uvs=_pick(_numbers(uvs, 2, name), index[:, 1]).reshape(-1, 3, 2),
        normals=_pick(_numbers(normals, 3, name), index[:, 2]).reshape(-1, 3, 3),
        rotation=rotation,
    )


def _corner(item: str, points: int, uvs: int, normals: int) -> tuple[int, int, int]:
    parts = (*item.split("/"), "", "")[:3]
    found = []
    for part, count, what in zip(
        parts, (points, uvs, normals), ("vertex", "texture coordinate", "normal"), strict=True
    ):
        if not part:
            found.append(-1)
            continue
        value = int(part)
        value = value - 1 if value > 0 else count + value
        if not 0 <= value < count:
            raise IndexError(f"there is no {what} {part}")
        found.append(value)
    if found[0] < 0:
        raise IndexError("no vertex is named")
    return found[0], found[1], found[2]


def _numbers(rows: list[list[str]], width: int, name: str) -> Array:
    try:
        return np.asarray(rows, np.float64).reshape(-1, width)
    except ValueError as error:
        raise ModelError(f"{name}: a vertex is not made of {width} numbers") from error


def _pick(table: Array, index: Array) -> Array:
    """Rows of ``table``; zeros where the index is -1."""
    return np.concatenate([table, np.zeros((1, table.shape[1]))])[index]


def _read_mtl(path: str, beside: Opener, name: str) -> dict[str, Material]:
    try:
        text = beside(path).decode("utf-8", errors="replace")
    except (KeyError, OSError) as error:
        raise ModelError(f"{name}: the material file '{path}' is missing") from error
    blocks: dict[str, dict[str, str]] = {}
    values: dict[str, str] = {}
    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "newmtl":
            values = blocks.setdefault(rest.strip(), {})
        elif word and not word.startswith("#"):
            values[word.lower()] = rest.strip()
    try:
        return {key: _material(key, values, beside, name) for key, values in blocks.items()}
    except (ValueError, IndexError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"{name}: bad value in '{path}' ({error})") from error


def _triple(values: Array) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])


def _material(key: str, values: dict[str, str], beside: Opener, name: str) -> Material:
    def numbers(field: str, default: str) -> list[float]:
        return [float(number) for number in values.get(field, default).split()]

    red, green, blue = numbers("kd", "0.8 0.8 0.8")[:3]
    shine = max(numbers("ks", "0.2 0.2 0.2"))
    exponent = min(max(numbers("ns", "10")[0], 1.0), 1000.0)
    alpha = numbers("d", "1")[-1] if "d" in values else 1.0 - numbers("tr", "0")[0]
    mirror = int(numbers("illum", "2")[0]) in {3, 5} and shine > 0.5
    light = linear([red, green, blue])
    glass = alpha < 0.6
    material = Material(
        name=key,
        # Clear glass has hardly a colour of its own; exporters leave a grey that would fog it.
        colour=_triple(light**0.8 if glass else light),
        alpha=min(max(alpha, 0.0), 1.0),
        metallic=0.9 if mirror else 0.0,
        # Phong exponent to microfacet roughness; a dull Ks also means a rougher look.
        roughness=0.12
        if mirror or glass
        else float(np.clip((2 / (exponent + 2)) ** 0.25 + 0.25 * (0.5 - shine), 0.15, 1)),
        specular=0.06 if glass else 0.05 * min(shine * 2, 1.5),
    )
    if "map_kd" in values:
        # Options such as "-s 1 1 1" come before the file name, which may itself hold spaces.
        path = values["map_kd"].replace("\\", "/")
        while path.startswith("-"):
            path = " ".join(path.split()[4 if path.split()[0] in {"-s", "-o", "-t"} else 2 :])
        try:
            data = beside(posixpath.normpath(path))
        except (KeyError, OSError):
            # Common in the wild (a path on the author's disk); the plain colour is still the author's.
            logger.info("%s: the texture '%s' is missing, its plain colour is used", name, path)
            return material
        # With a map, exporters leave Kd at a grey that was never meant to darken it.
        material = replace(material, colour=(1.0, 1.0, 1.0), texture=read_texture(data, f"{name}/{path}"))
    return material
