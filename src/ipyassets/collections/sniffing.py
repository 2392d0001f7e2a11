"""What a file is, by its first bytes: the formats that asset services give, and what comes in their place."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from ipyassets.collections.images import described, is_heif

__all__ = ["HEAD", "Content", "expected", "is_raster", "sniff"]

HEAD: Final = 4096
"""Bytes that are enough to tell."""


@dataclass(frozen=True, slots=True)
class Content:
    """A format of files."""

    format: str
    """Its short name: ``webp``, ``glb``."""
    media_type: str
    suffix: str

    def named(self, name: str) -> str:
        """``name`` with the ending of this format, if it has no right one yet."""
        path = PurePosixPath(name)
        if path.suffix.lower() in (self.suffix, *_AS_GOOD.get(self.format, ())):
            return name
        return str(path.with_suffix(self.suffix))


_RASTER: Final = frozenset(["avif", "bmp", "gif", "heif", "jpeg", "png", "tiff", "webp"])
_SUFFIXES: Final = {"jpeg": ".jpg", "tiff": ".tif", "quicktime": ".mov"}
_AS_GOOD: Final = {"jpeg": (".jpeg", ".jpe"), "tiff": (".tiff",), "heif": (".heic",), "mp4": (".m4v", ".m4a")}
"""Endings of a format besides its usual one."""
_MEDIA: Final = {
    "exr": "image/x-exr",
    "fbx": "application/octet-stream",
    "flac": "audio/flac",
    "glb": "model/gltf-binary",
    "gltf": "model/gltf+json",
    "hdr": "image/vnd.radiance",
    "html": "text/html",
    "json": "application/json",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "obj": "model/obj",
    "ogg": "audio/ogg",
    "pdf": "application/pdf",
    "ply": "model/ply",
    "quicktime": "video/quicktime",
    "svg": "image/svg+xml",
    "wav": "audio/wav",
    "webm": "video/webm",
    "xml": "application/xml",
    "zip": "application/zip",
}
_MARKS: Final = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"BM", "bmp"),
    (b"glTF", "glb"),
    (b"Kaydara FBX Binary", "fbx"),
    (b"; FBX", "fbx"),
    (b"ply\n", "ply"),
    (b"ply\r\n", "ply"),
    (b"ID3", "mp3"),
    (b"fLaC", "flac"),
    (b"OggS", "ogg"),
    (b"\x1a\x45\xdf\xa3", "webm"),
    (b"%PDF-", "pdf"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"#?RADIANCE", "hdr"),
    (b"v/1\x01", "exr"),
)
_OBJ: Final = re.compile(rb"(?m)^(?:v|vn|vt)[ \t]+-?\d|^(?:mtllib|usemtl|o|g)[ \t]+\S")
_PAGES: Final = frozenset(["html", "json", "xml"])
"""What comes where a server wanted to say something else."""
_UNMARKED: Final = frozenset(["fbx", "mp3", "obj"])
"""Formats of which not all files begin in a way that tells."""
_ALIASES: Final = {"jpg": "jpeg", "tif": "tiff"}


def sniff(head: bytes) -> Content | None:
    """The format of a file that begins with ``head``, some `HEAD` bytes; None if it does not tell."""
    name = _name(head)
    if name is None:
        return None
    return Content(name, _MEDIA.get(name, f"image/{name}"), _SUFFIXES.get(name, f".{name}"))


def is_raster(format: str) -> bool:
    """Whether PIL can make a picture of a file of that format, or of that media type."""
    name = format.lower().removeprefix("image/")
    return _ALIASES.get(name, name) in _RASTER


def expected(head: bytes, format: str | None, media_type: str | None) -> str | None:
    """What is wrong with a file that begins with ``head``, in words; None if it is what was promised.

    ``format``: what was asked for; None for the original, of which ``media_type`` was promised.
    """
    found = sniff(head)
    came = f"{found.format.upper()} came" if found is not None else described(head)
    if format is not None:
        wanted = _ALIASES.get(format.lower(), format.lower())
        if found is None:
            return None if wanted in _UNMARKED and head else f"{wanted.upper()} was asked for, but {came}"
        return None if found.format == wanted else f"{wanted.upper()} was asked for, but {came}"
    promised = (media_type or "").partition(";")[0].strip().lower()
    if not head:
        return "it is empty"
    if found is None or promised in ("", "application/octet-stream", found.media_type):
        return None
    if found.format in _PAGES and not promised.endswith((found.format, "text/plain")):
        return f"{promised} was promised, but {came}"
    kind, sort = promised.partition("/")[0], found.media_type.partition("/")[0]
    if kind in ("image", "video", "audio", "model") and sort in ("image", "video", "audio", "model") and kind != sort:
        # An MP4 may hold nothing but sound.
        return None if {kind, sort} == {"audio", "video"} else f"{promised} was promised, but {came}"
    return None


def _name(head: bytes) -> str | None:
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if head[:4] == b"RIFF":
        return {b"WEBP": "webp", b"WAVE": "wav"}.get(head[8:12])
    if head[4:8] == b"ftyp":
        if is_heif(head):
            return "heif"
        return "avif" if b"avif" in head[8:32] or b"avis" in head[8:32] else _film(head[8:12])
    if len(head) > 2 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2:  # a frame of MPEG audio, layer 3
        return "mp3"
    return _text(head)


def _film(brand: bytes) -> str:
    return "quicktime" if brand == b"qt  " else "mp4"


def _text(head: bytes) -> str | None:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    lower = text[:1024].lower()
    if lower.startswith((b"<!doctype html", b"<html")):
        return "html"
    if lower.startswith(b"<svg") or (lower.startswith((b"<?xml", b"<!--", b"<!doctype svg")) and b"<svg" in lower):
        return "svg"
    if lower.startswith(b"<?xml"):
        return "xml"
    if text[:1] in (b"{", b"["):
        if b'"asset"' in text and b'"version"' in text and b'"meshes"' in text:
            return "gltf"
        return "json" if len(head) >= HEAD or _is_json(text) else None
    return "obj" if b"\0" not in head and _OBJ.search(head) else None


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
