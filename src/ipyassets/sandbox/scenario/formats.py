"""File formats: their media types, the endings of their names, and which can be made from which."""

from __future__ import annotations

from importlib.util import find_spec

from PIL import features

__all__ = ["CDN_FORMATS", "DOWNLOADS", "MESHES", "RASTERS", "extension", "plain", "possible"]

RASTERS = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "avif": "image/avif",
    "tiff": "image/tiff",
    "gif": "image/gif",
    "heif": "image/heif",
}
MESHES = {"glb": "model/gltf-binary", "obj": "model/obj", "fbx": "application/octet-stream"}
_KEPT = {
    "svg": "image/svg+xml",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "wav": "audio/wav",
    "txt": "text/plain",
}
_ALIASES = {"jpg": "jpeg", "tif": "tiff"}
_ENDINGS = {mime: name for name, mime in {**RASTERS, **MESHES, **_KEPT}.items()} | {"image/jpeg": "jpg"}

CDN_FORMATS = ("jpeg", "jpg", "png", "webp", "avif", "tiff", "tif")
"""What may be asked of ``/assets-transform/`` for an image by whoever holds its URL."""
DOWNLOADS = (*RASTERS, *_ALIASES, *MESHES, "svg", "mp3", "mp4")
"""Words of ``targetFormat``."""


def plain(format: str) -> str:
    """``jpg`` and ``tif`` by their other names; every other word as it is."""
    return _ALIASES.get(format, format)


def extension(mime: str) -> str:
    """Of a file's name, without the dot."""
    return _ENDINGS.get(mime, "bin")


def possible(mime: str, format: str) -> str | None:
    """Media type of what is made when a file of ``mime`` is wanted in ``format``; None if that cannot be.

    Pictures become other pictures and meshes other meshes; everything else has only the format it is stored in.
    """
    wanted = plain(format)
    if wanted == extension(mime):
        return mime
    if mime in RASTERS.values() and wanted in RASTERS:
        return RASTERS[wanted] if _writable(wanted) else None
    if mime in MESHES.values() and wanted in MESHES:
        return MESHES[wanted] if _writable(wanted) else None
    return None


def _writable(format: str) -> bool:
    if format == "avif":
        return bool(features.check("avif"))
    if format == "heif":  # its encoder is under the GPL, so it is nobody's default
        return find_spec("pillow_heif") is not None
    if format in MESHES:
        return format != "fbx" and find_spec("trimesh") is not None  # nothing free writes FBX
    return True
