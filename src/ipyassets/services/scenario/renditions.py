"""Which pictures an asset can be shown by, best first, for a box.

Signed URLs are taken as they are: a changed one is refused. The public thumbnail that every image has is found beside
the asset's own URL, on whatever host that is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlsplit, urlunsplit

from ipyassets.errors import InvalidRequest
from ipyassets.services.base import Record
from ipyassets.services.scenario.records import part
from ipyassets.services.wire import stripped

__all__ = ["Rendition", "renditions", "unsigned", "wants_large"]

_RASTER: Final = frozenset(f"image/{name}" for name in ("png", "jpeg", "jpg", "webp", "gif", "avif", "tiff", "bmp"))
_GRID: Final = 384
"""Pixels up to which the small thumbnail serves; its true size is not documented."""
_SHOWN_KINDS: Final = ("image", "video", "3d")


@dataclass(frozen=True, slots=True)
class Rendition:
    """One picture of an asset."""

    word: str
    url: str = field(repr=False)
    public: bool = False
    """Whether the URL is good as it stands, without a signature."""


def wants_large(width: int | None, height: int | None, size: str | None) -> bool:
    """Whether the thumbnail is too small for the box. Raises `InvalidRequest` for an unknown ``size``."""
    if size is not None:
        if size not in ("small", "large"):
            raise InvalidRequest(f"size must be 'small' (the thumbnail) or 'large' (the picture itself); got {size!r}.")
        return size == "large"
    edges = [edge for edge in (width, height) if edge is not None]
    return not edges or max(edges) > _GRID


def renditions(record: Record, *, large: bool) -> list[Rendition]:
    """The pictures of ``record``, best first; empty if it has none."""
    raw = record.raw
    metadata = part(raw, "metadata")
    thumbnail = _link("thumbnail", raw) or _link("thumbnail", metadata)
    views = [_link("preview", raw), _link("firstFrame", raw)]
    own = _own(record)
    guess = _beside(record) if thumbnail is None and _may_have_thumbnail(record) else None
    order = [own, *views, thumbnail, guess] if large else [thumbnail, guess, *views, own]
    return [found for found in order if found is not None]


def unsigned(record: Record) -> dict[str, Any]:
    """What of ``raw`` says which pictures there are, in the same places; URLs without their signatures."""
    raw = record.raw
    kept = {name: raw[name] for name in ("mimeType", "updatedAt") if name in raw}
    kept |= {"url": _bare(raw["url"])} if "url" in raw else {}
    kept |= {"properties": {}} if "properties" in raw else {}
    kept |= _bare_links(raw, "thumbnail", "preview", "firstFrame")
    inner = _bare_links(part(raw, "metadata"), "thumbnail")
    return kept | ({"metadata": inner} if inner else {})


def _bare_links(where: Mapping[str, Any], *names: str) -> dict[str, Any]:
    found = {name: _link(name, where) for name in names}
    return {name: {"url": _bare(link.url)} for name, link in found.items() if link is not None}


def _bare(url: object) -> str | None:
    """``url`` without user, query and fragment; None for what is none."""
    try:
        parts = urlsplit(url) if isinstance(url, str) else None
    except ValueError:
        return None
    if parts is None:
        return None
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _own(record: Record) -> Rendition | None:
    url, mime = record.raw.get("url"), stripped(record.raw.get("mimeType"))
    if record.kind != "image" or mime not in _RASTER or not isinstance(url, str) or not url:
        return None
    return Rendition("picture", url)


def _link(name: str, where: Mapping[str, Any]) -> Rendition | None:
    url = part(where, name).get("url")
    return Rendition(name, url) if isinstance(url, str) and url else None


def _may_have_thumbnail(record: Record) -> bool:
    """Hits leave thumbnails out. A full record of a mesh or video without one has none."""
    return record.kind == "image" or (record.kind in _SHOWN_KINDS and "properties" not in record.raw)


def _beside(record: Record) -> Rendition | None:
    """``…/thumbnails/{id}`` beside the asset's own ``…/assets/{id}`` or ``…/assets-transform/{id}``, unsigned."""
    url = record.raw.get("url")
    if not isinstance(url, str):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    folder = parts.path.rpartition("/")[0]
    place, _, name = folder.rpartition("/")
    if parts.scheme not in ("http", "https") or name not in ("assets", "assets-transform"):
        return None
    path = f"{place}/thumbnails/{quote(record.id, safe='', errors='surrogatepass')}"
    return Rendition("thumbnail", urlunsplit((parts.scheme, parts.netloc, path, "", "")), public=True)
