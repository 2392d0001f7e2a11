"""Reader for binary glTF 2.0 (GLB)."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import numpy as np

from ipyassets.sandbox.renderer.model import Array, Material, Model, ModelError, Texture, read_texture

__all__ = ["read_glb"]

COMPONENTS = {5120: "i1", 5121: "u1", 5122: "i2", 5123: "u2", 5125: "u4", 5126: "f4"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
# Extensions that change nothing we read, or that only widen the component types, which we read anyway.
HARMLESS = {"KHR_mesh_quantization", "KHR_materials_unlit", "KHR_texture_transform", "KHR_materials_specular"}


def read_glb(data: bytes, *, name: str) -> Model:
    """Read the default scene: node transforms, triangles, strips and fans, base colour, metal, roughness, textures.

    `ModelError` if the file is broken or needs what we cannot read (Draco, meshopt, KTX2, sparse accessors).
    """
    try:
        return _Glb(data, name).model()
    except ModelError:
        raise
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, struct.error, RecursionError) as error:
        raise ModelError(f"{name}: broken GLB ({type(error).__name__}: {error})") from error


class _Glb:
    def __init__(self, data: bytes, name: str) -> None:
        self.name = name
        if len(data) < 20 or data[:4] != b"glTF":
            raise ModelError(f"{name}: not a GLB file")
        version, length = struct.unpack_from("<II", data, 4)
        if version != 2 or length > len(data):
            raise ModelError(f"{name}: GLB version {version}, {length} bytes announced, {len(data)} there")
        chunks: dict[bytes, bytes] = {}
        offset = 12
        while offset + 8 <= length:
            size, kind = struct.unpack_from("<I4s", data, offset)
            if offset + 8 + size > length:
                raise ModelError(f"{name}: a chunk of the GLB file is cut off")
            chunks.setdefault(kind, data[offset + 8 : offset + 8 + size])
            offset += 8 + size
        self.json: dict[str, Any] = json.loads(chunks[b"JSON"])
        self.binary = chunks.get(b"BIN\0", b"")
        foreign = set(self.json.get("extensionsRequired", ())) - HARMLESS
        if foreign:
            raise ModelError(f"{name}: needs {', '.join(sorted(foreign))}, which this renderer does not read")
        self.textures: dict[int, Texture] = {}

    def model(self) -> Model:
        scenes = self.json.get("scenes")
        nodes = range(len(self.json.get("nodes", ())))
        roots = scenes[self.json.get("scene", 0)].get("nodes", ()) if scenes else nodes
        materials = [self.material(entry) for entry in self.json.get("materials", ())]
        materials.append(Material("default", roughness=1.0))
        parts: list[tuple[Array, Array, Array, int]] = []
        for root in roots:
            self.walk(root, np.eye(4), parts, 0)
        if not parts:
            raise ModelError(f"{self.name}: no triangles")
        return Model.place(
            self.name,
            np.concatenate([corners for corners, _, _, _ in parts]),
            np.concatenate([np.full(len(corners), index) for corners, _, _, index in parts]),
            materials,
            normals=np.concatenate([normals for _, normals, _, _ in parts]),
            uvs=np.concatenate([uvs for _, _, uvs, _ in parts]),
        )

    def walk(self, index: int, above: Array, parts: list[tuple[Array, Array, Array, int]], depth: int) -> None:
        if depth > 64:
            raise ModelError(f"{self.name}: the node tree is a loop or far too deep")
        node = self.json["nodes"][index]
        here = above @ _matrix(node)
        if "mesh" in node:
            for primitive in self.json["meshes"][node["mesh"]]["primitives"]:
                self.primitive(primitive, here, parts)
        for child in node.get("children", ()):
            self.walk(child, here, parts, depth + 1)

    def primitive(self, primitive: dict[str, Any], here: Array, parts: list[tuple[Array, Array, Array, int]]) -> None:
        mode = primitive.get("mode", 4)
        if mode not in {4, 5, 6}:
            return  # points and lines
        attributes = primitive["attributes"]
        points = self.accessor(attributes["POSITION"]).astype(np.float64)
        rows = np.arange(len(points))
        index = self.accessor(primitive["indices"]).astype(np.int64)[:, 0] if "indices" in primitive else rows
        if len(index) and index.max() >= len(points):
            raise ModelError(f"{self.name}: a face names vertex {index.max()} of {len(points)}")
        if mode == 4:
            index = index[: len(index) // 3 * 3].reshape(-1, 3)
        elif mode == 5:
            index = np.stack([index[:-2], index[1:-1], index[2:]], 1)
            index[1::2] = index[1::2, ::-1]
        else:
            index = np.stack([np.full(len(index) - 2, index[0]), index[1:-1], index[2:]], 1)
        corners = (points @ here[:3, :3].T + here[:3, 3])[index]
        normals = np.zeros_like(corners)
        if "NORMAL" in attributes:
            normals = (self.accessor(attributes["NORMAL"]).astype(np.float64) @ np.linalg.pinv(here[:3, :3]))[index]
        uvs = np.zeros((*index.shape, 2))
        if "TEXCOORD_0" in attributes:
            uvs = self.accessor(attributes["TEXCOORD_0"]).astype(np.float64)[index]
            uvs[..., 1] = 1 - uvs[..., 1]  # glTF counts v downwards
        parts.append((corners, normals, uvs, primitive.get("material", len(self.json.get("materials", ())))))

    def accessor(self, index: int) -> Array:
        """(count, components) as stored, or as float32 where the accessor says "normalized"."""
        entry = self.json["accessors"][index]
        if "sparse" in entry or "bufferView" not in entry:
            raise ModelError(f"{self.name}: sparse or empty accessors are not read")
        kind = np.dtype(COMPONENTS[entry["componentType"]]).newbyteorder("<")
        width = WIDTHS[entry["type"]]
        view = self.view(entry["bufferView"])
        stride = self.json["bufferViews"][entry["bufferView"]].get("byteStride") or kind.itemsize * width
        start, count = entry.get("byteOffset", 0), entry["count"]
        if count < 1 or start + (count - 1) * stride + kind.itemsize * width > len(view):
            raise ModelError(f"{self.name}: accessor {index} reaches beyond its buffer")
        values = np.ndarray((count, width), kind, view, start, (stride, kind.itemsize))
        if entry.get("normalized"):
            return np.maximum(values.astype(np.float32) / np.iinfo(kind).max, -1)
        return values

    def view(self, index: int) -> bytes:
        entry = self.json["bufferViews"][index]
        buffer = self.json["buffers"][entry.get("buffer", 0)]
        data = _data_uri(buffer["uri"], self.name) if "uri" in buffer else self.binary
        start, length = entry.get("byteOffset", 0), entry["byteLength"]
        if start + length > len(data):
            raise ModelError(f"{self.name}: buffer view {index} reaches beyond its buffer")
        return data[start : start + length]

    def material(self, entry: dict[str, Any]) -> Material:
        pbr = entry.get("pbrMetallicRoughness", {})
        red, green, blue, alpha = (float(value) for value in pbr.get("baseColorFactor", (1, 1, 1, 1)))
        glow = [float(value) for value in entry.get("emissiveFactor", (0, 0, 0))]
        texture = pbr.get("baseColorTexture")
        return Material(
            name=str(entry.get("name", "")),
            colour=(red, green, blue),
            alpha=alpha if entry.get("alphaMode") == "BLEND" else 1.0,
            metallic=float(pbr.get("metallicFactor", 1.0)),
            roughness=max(float(pbr.get("roughnessFactor", 1.0)), 0.08),
            emission=(glow[0], glow[1], glow[2]),
            texture=self.texture(texture["index"]) if texture else None,
        )

    def texture(self, index: int) -> Texture:
        if index not in self.textures:
            number = self.json["textures"][index]["source"]
            image = self.json["images"][number]
            data = _data_uri(image["uri"], self.name) if "uri" in image else self.view(image["bufferView"])
            self.textures[index] = read_texture(data, f"{self.name}, image {number}")
        return self.textures[index]


def _data_uri(uri: str, name: str) -> bytes:
    if not uri.startswith("data:") or ";base64," not in uri:
        raise ModelError(f"{name}: a GLB file must hold its data, this one points to '{uri[:60]}'")
    return base64.b64decode(uri.partition(";base64,")[2])


def _matrix(node: dict[str, Any]) -> Array:
    """(4, 4) transform of one node, for column vectors."""
    if "matrix" in node:
        return np.asarray(node["matrix"], np.float64).reshape(4, 4).T
    x, y, z, w = node.get("rotation", (0.0, 0.0, 0.0, 1.0))
    turn = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    matrix = np.eye(4)
    matrix[:3, :3] = turn * np.asarray(node.get("scale", (1.0, 1.0, 1.0)), np.float64)
    matrix[:3, 3] = node.get("translation", (0.0, 0.0, 0.0))
    return matrix
