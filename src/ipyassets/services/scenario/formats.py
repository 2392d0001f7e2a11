"""The formats of single downloads: 15 words, and what each means for a kind of asset.

Pictures can be had as other pictures and meshes as other meshes. Audio and video are only given as they are stored,
and so are vector drawings.
"""

from __future__ import annotations

import difflib
import mimetypes
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ipyassets.errors import InvalidRequest
from ipyassets.services.base import Kind, Record
from ipyassets.services.wire import stripped

__all__ = ["FORMATS", "MEDIA_TYPES", "allowed", "ending", "media_type", "understood"]

_RASTER: Final = ("jpeg", "png", "webp", "avif", "tiff", "gif", "heif")
FORMATS: Final[Mapping[Kind, tuple[str, ...]]] = MappingProxyType(
    {"image": (*_RASTER, "svg"), "3d": ("glb", "fbx", "obj"), "video": ("mp4",), "audio": ("mp3",)}
)
"""By kind of asset. ``jpg`` and ``tif`` are the same as ``jpeg`` and ``tiff``."""
MEDIA_TYPES: Final = MappingProxyType(
    {
        **{name: f"image/{name}" for name in _RASTER},
        "svg": "image/svg+xml",
        "glb": "model/gltf-binary",
        "fbx": "application/octet-stream",
        "obj": "model/obj",
        "mp3": "audio/mpeg",
        "mp4": "video/mp4",
    }
)
_ALIASES: Final = {"jpg": "jpeg", "tif": "tiff"}
_STORED_ONLY: Final = frozenset({"svg", "mp3", "mp4"})
_ENDINGS: Final = {
    **{mime: name for name, mime in MEDIA_TYPES.items() if name != "fbx"},
    "image/jpeg": "jpg",
    "image/jpg": "jpg",
    "audio/mp3": "mp3",
    "audio/wav": "wav",
    "model/gltf+json": "gltf",
    "image/vnd.radiance": "hdr",
    "text/plain": "txt",
}


def understood(format: str | None, record: Record) -> str | None:
    """The word to send; None for the original. Raises `InvalidRequest` for a format that ``record`` cannot have."""
    if format is None:
        return None
    if not isinstance(format, str):
        raise InvalidRequest(f"format must be a str such as 'webp', or None for the original; got {format!r:.60}.")
    word = format.strip().lower().removeprefix(".")
    word = _ALIASES.get(word, word)
    if word not in MEDIA_TYPES:
        close = difflib.get_close_matches(word, MEDIA_TYPES, 1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise InvalidRequest(f"Scenario has no format {format!r:.60}.{hint} {allowed(record)}")
    if record.kind == "other":  # a kind that is newer than we are: the service knows
        return word
    stored = media_type(record)
    if word not in FORMATS.get(record.kind, ()):
        raise InvalidRequest(f"{_subject(record)} cannot be had as {word}. {allowed(record)}")
    if word in _STORED_ONLY and stored is not None and ending(stored) != word:
        raise InvalidRequest(f"{_subject(record)} is stored as {stored} and cannot be had as {word}. {allowed(record)}")
    return word


def allowed(record: Record) -> str:
    """What ``record`` can be had as, in a sentence."""
    stored = media_type(record)
    formats = [
        name
        for name in (tuple(MEDIA_TYPES) if record.kind == "other" else FORMATS.get(record.kind, ()))
        if name not in _STORED_ONLY or stored is None or ending(stored) == name
    ]
    if not formats:
        return "It can only be had as it is stored: leave format out."
    return f"It can be had as {', '.join(formats)}; leave format out for the file as it is stored."


def media_type(record: Record) -> str | None:
    """Of the file as it is stored."""
    return stripped(record.raw.get("mimeType")).partition(";")[0].strip().lower() or None


def ending(mime: str | None) -> str | None:
    """Of the name of a file of that media type, without the dot; None if it has none of its own."""
    if mime is None or mime == "application/octet-stream":
        return None
    guessed = mimetypes.guess_extension(mime, strict=False)
    return _ENDINGS.get(mime) or (guessed.removeprefix(".") if guessed else None)


def _subject(record: Record) -> str:
    return f"Asset {record.id:.60} ({'of a new kind' if record.kind == 'other' else record.kind})"
