"""Products, workspaces and organizations as VNTANA describes them, in our terms.

A search row and a fetched product differ: attributes are a list of pairs in one and a map in the other, and so on.
Both are read here, and both stay whole in ``raw``.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from ipyassets.services.base import Kind, Record, Workspace
from ipyassets.services.packed import Packed, look
from ipyassets.services.wire import identity, stripped, utc

__all__ = ["Organization", "blob", "client_uuid", "described", "organization", "poster_ids", "product", "workspace"]

_KINDS: Final[Mapping[str, Kind]] = {
    "THREE_D": "3d",
    "NATIVE": "3d",
    "AVATAR": "3d",
    "IMAGE": "image",
    "VIDEO": "video",
    "AUDIO": "audio",
    "DOCUMENT": "document",
}
_CLIENT: Final = ("clientUuid",)
_BLOB: Final = ("asset", "thumbnailBlobId")
_LEGACY_STATUSES: Final = {"LIVE": "LIVE_PUBLIC", "INTERNAL": "LIVE_INTERNAL"}
_KINDS_OF_FILES: Final[Mapping[str, Kind]] = {
    "model": "3d",
    "image": "image",
    "video": "video",
    "audio": "audio",
    "text": "text",
}

_SKIP_WORKSPACE: Final = frozenset({"ORGANIZATION_OWNER", "ORGANIZATION_ADMIN"})
_TAKE_WORKSPACE: Final = frozenset(
    {
        "ORGANIZATION_CLIENT_MEMBER",
        "CLIENT_ORGANIZATION_ADMIN",
        "CLIENT_ORGANIZATION_CONTENT_MANAGER",
        "CLIENT_ORGANIZATION_RESTRICTED_ACCESS",
        "CLIENT_ORGANIZATION_VIEWER",
        "CLIENT_ORGANIZATION_CUSTOMER",
        "ORGANIZATION_SHOWROOM_MEMBER",
        "SHOWROOM_SHARELINK_EDITOR",
        "SHOWROOM_SHARELINK_VIEWER",
    }
)


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization of the account, and the account's role in it."""

    id: str
    name: str
    slug: str | None = None
    role: str | None = None

    @property
    def administered(self) -> bool | None:
        """Whether the role reaches all workspaces with the organization's own token; None if the role is unknown."""
        if self.role in _SKIP_WORKSPACE:
            return True
        return False if self.role in _TAKE_WORKSPACE else None


def product(row: Mapping[str, Any], service: str = "vntana") -> Record:
    """A product: a search row or a fetched one. Raises `BadResponse` if it has no uuid."""
    id = identity(row, "uuid", "A product of VNTANA")
    status = stripped(row.get("status"))
    return Record(
        service=service,
        id=id,
        name=stripped(row.get("name")) or id,
        kind=_kind(row),
        status=_LEGACY_STATUSES.get(status, status) or None,
        created=utc(row.get("created")),
        updated=utc(row.get("updated")),
        tags=tuple(_names(row.get("tags"))),
        attributes=MappingProxyType(_attributes(row.get("attributes"))),
        raw=Packed(row, (_CLIENT, _BLOB)),
    )


def blob(record: Record) -> str | None:
    """The blob id of the poster; None where the product has none."""
    return stripped(look(record.raw, *_BLOB)) or None


def client_uuid(record: Record) -> str | None:
    """The workspace the product is in."""
    return stripped(look(record.raw, *_CLIENT)) or None


def poster_ids(record: Record) -> dict[str, Any]:
    """What of ``raw`` says where the poster is, in the same places."""
    return {"asset": {"thumbnailBlobId": blob(record)}, "clientUuid": client_uuid(record)}


def described(record: Record) -> str:
    """A product, for messages."""
    named = record.name and record.name != record.id
    return f"the product {record.name!r:.80} ({record.id:.60})" if named else f"the product {record.id:.60}"


def workspace(row: Mapping[str, Any]) -> Workspace:
    """A workspace ("client" to the API). Raises `BadResponse` if it has no uuid."""
    id, slug = identity(row, "uuid", "A workspace of VNTANA"), stripped(row.get("slug")) or None
    return Workspace(id=id, name=stripped(row.get("name")) or slug or id, slug=slug, raw=MappingProxyType(dict(row)))


def organization(row: Mapping[str, Any]) -> Organization:
    """An organization of the account. Raises `BadResponse` if it has no uuid."""
    id, slug = identity(row, "uuid", "An organization of VNTANA"), stripped(row.get("slug")) or None
    return Organization(id, stripped(row.get("name")) or slug or id, slug, stripped(row.get("role")) or None)


def _kind(row: Mapping[str, Any]) -> Kind:
    """By the asset type; the Public API tells none, so there by the formats and the name of the file."""
    named = stripped(row.get("assetType"))
    if named:
        return _KINDS.get(named, "other")
    asset = row.get("asset")
    if not isinstance(asset, Mapping):
        return "other"
    if asset.get("conversionFormats") or asset.get("models"):
        return "3d"
    guess, _ = mimetypes.guess_type(stripped(asset.get("assetOriginalName")), strict=False)
    if guess == "application/pdf":
        return "document"
    return _KINDS_OF_FILES.get((guess or "").partition("/")[0], "other")


def _attributes(value: object) -> dict[str, Any]:
    """A map as it is; of a list of pairs, values of a repeated key in a list."""
    if isinstance(value, Mapping):
        return dict(value)
    entries = value if isinstance(value, list) else []
    pairs = [(e["key"], e.get("value")) for e in entries if isinstance(e, dict) and isinstance(e.get("key"), str)]
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    grouped: dict[str, list[Any]] = {}
    for key, entry in pairs:
        grouped.setdefault(key, []).append(entry)
    return {key: values[0] if len(values) == 1 else values for key, values in grouped.items()}


def _names(value: object) -> list[str]:
    """Names of tags: objects with one, or bare texts."""
    entries = value if isinstance(value, list) else []
    names = (stripped(entry.get("name") if isinstance(entry, dict) else entry) for entry in entries)
    return [name for name in names if name]
