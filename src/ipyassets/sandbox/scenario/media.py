"""The files behind the assets that are no pictures: real ones, small, most of them made on demand."""

from __future__ import annotations

import gzip
import io
import json
import math
import struct
import wave
import zipfile
from array import array
from functools import lru_cache
from importlib.resources import files
from typing import Any

__all__ = [
    "DOORBELL",
    "beside_obj",
    "doorbell",
    "doorbell_facts",
    "glb_facts",
    "house",
    "obj",
    "obj_facts",
    "text_facts",
    "tone",
    "tone_facts",
    "video",
    "videos",
]

_DATA = "ipyassets.sandbox"
_RATE = 22_050


@lru_cache(maxsize=1)
def house() -> bytes:
    """The FZK house as a binary glTF."""
    return gzip.decompress((files(_DATA) / "data" / "models" / "fzk-haus.glb.gz").read_bytes())


@lru_cache(maxsize=16)
def obj(path: str) -> bytes:
    """One object's OBJ file, without its materials."""
    with (files(_DATA) / "data" / "models" / "furniture-cc0.zip").open("rb") as stream:
        return zipfile.ZipFile(stream).read(path)


def beside_obj(path: str) -> dict[str, bytes]:
    """The files in an object's folder, materials and their pictures, by name."""
    folder = path.rpartition("/")[0] + "/"
    with (files(_DATA) / "data" / "models" / "furniture-cc0.zip").open("rb") as stream:
        archive = zipfile.ZipFile(stream)
        names = [name for name in archive.namelist() if name.startswith(folder) and name not in {folder, path}]
        return {name.removeprefix(folder): archive.read(name) for name in names}


def glb_facts(content: bytes) -> dict[str, Any]:
    """``properties`` of a mesh, read from the JSON chunk."""
    (length,) = struct.unpack_from("<I", content, 12)
    scene = json.loads(content[20 : 20 + length])
    accessors = scene["accessors"]
    vertices = faces = 0
    low, high = [math.inf] * 3, [-math.inf] * 3
    normals = uvs = False
    for primitive in (p for mesh in scene["meshes"] for p in mesh["primitives"]):
        position = accessors[primitive["attributes"]["POSITION"]]
        vertices += position["count"]
        faces += accessors[primitive["indices"]]["count"] // 3 if "indices" in primitive else position["count"] // 3
        low = [min(a, b) for a, b in zip(low, position.get("min", low), strict=True)]
        high = [max(a, b) for a, b in zip(high, position.get("max", high), strict=True)]
        normals |= "NORMAL" in primitive["attributes"]
        uvs |= "TEXCOORD_0" in primitive["attributes"]
    return _mesh("glb", vertices, faces, low, high, normals=normals, uvs=uvs)


def obj_facts(content: bytes) -> dict[str, Any]:
    """``properties`` of a mesh, counted from its lines."""
    vertices = faces = 0
    low, high = [math.inf] * 3, [-math.inf] * 3
    normals = uvs = False
    for line in content.decode("utf-8", "replace").splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "v":
            point = [float(number) for number in rest.split()[:3]]
            low = [min(a, b) for a, b in zip(low, point, strict=True)]
            high = [max(a, b) for a, b in zip(high, point, strict=True)]
            vertices += 1
        elif kind == "f":
            # A face with n corners is n - 2 triangles.
            faces += len(rest.split()) - 2
        normals |= kind == "vn"
        uvs |= kind == "vt"
    return _mesh("obj", vertices, faces, low, high, normals=normals, uvs=uvs)


def _mesh(
    format: str, vertices: int, faces: int, low: list[float], high: list[float], *, normals: bool, uvs: bool
) -> dict[str, Any]:
    return {
        "format": format,
        "vertexCount": vertices,
        "faceCount": faces,
        "dimensions": [round(b - a, 4) for a, b in zip(low, high, strict=True)],
        "hasNormals": normals,
        "hasUVs": uvs,
        "hasSkeleton": False,
        "hasAnimations": False,
    }


@lru_cache(maxsize=8)
def tone(frequency: float, seconds: float) -> bytes:
    """A struck tone with three partials that die away, as 16-bit mono WAV."""
    samples = array("h")
    for n in range(int(seconds * _RATE)):
        t = n / _RATE
        partials = sum(math.sin(math.tau * frequency * k * t) * math.exp(-2.5 * k * t) / k for k in (1, 2, 3))
        samples.append(int(14_000 * partials * min(1.0, t * 200)))
    if struct.pack("=h", 1) != struct.pack("<h", 1):
        samples.byteswap()
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes(samples.tobytes())
    return out.getvalue()


def tone_facts(seconds: float) -> dict[str, Any]:
    return {
        "duration": seconds,
        "sampleRate": _RATE,
        "channels": 1,
        "bitrate": _RATE * 16,
        "codecName": "pcm_s16le",
        "classification": "sound",
    }


def text_facts(content: bytes) -> dict[str, Any]:
    text = content.decode()
    return {
        "preview": text[:200],
        "hasFullPreview": len(text) <= 200,
        "charCount": len(text),
        "wordCount": len(text.split()),
    }


@lru_cache(maxsize=1)
def videos() -> dict[str, dict[str, Any]]:
    """The shipped videos: key of the generated image they pan over, to the facts of the file."""
    listing = files(__package__) / "media" / "videos.json"
    return json.loads(listing.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


DOORBELL = (392.0, 2.0)
"""Pitch in hertz and length in seconds."""


@lru_cache(maxsize=1)
def doorbell() -> bytes:
    """`tone` of `DOORBELL` as MP3."""
    return (files(__package__) / "media" / "doorbell.mp3").read_bytes()


def doorbell_facts() -> dict[str, Any]:
    content = doorbell()
    seconds = DOORBELL[1]
    return {
        **tone_facts(seconds),
        "bitrate": round(len(content) * 8 / seconds),
        "codecName": "mp3",
    }


@lru_cache(maxsize=8)
def video(key: str) -> bytes:
    return (files(__package__) / "media" / f"{key}.mp4").read_bytes()
