"""iModels and iTwins as the platform describes them, in our terms."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from ipyassets.services.base import Record, Workspace
from ipyassets.services.packed import Packed
from ipyassets.services.wire import identity, stripped, utc

__all__ = ["imodel", "workspace"]

_ATTRIBUTES: Final = {
    "description": "description",
    "data_center": "dataCenterLocation",
    "extent": "extent",
    "secured": "isSecured",
    "containers": "containersEnabled",
}


def imodel(entity: Mapping[str, Any]) -> Record:
    """An iModel, minimal or full. Raises `BadResponse` if it has no id."""
    id = identity(entity, "id", "An iModel of Bentley iTwin")
    found = ((name, entity.get(field)) for name, field in _ATTRIBUTES.items())
    return Record(
        service="itwin",
        id=id,
        name=stripped(entity.get("displayName")) or stripped(entity.get("name")) or id,
        kind="imodel",
        status=stripped(entity.get("state")) or None,
        created=utc(entity.get("createdDateTime")),
        updated=utc(entity.get("lastChangesetPushDateTime")),
        attributes=MappingProxyType({name: value for name, value in found if value not in (None, "")}),
        raw=Packed(entity),
    )


def workspace(entity: Mapping[str, Any]) -> Workspace:
    """An iTwin; its number stands as ``slug``. Raises `BadResponse` if it has no id."""
    id = identity(entity, "id", "An iTwin of Bentley iTwin")
    return Workspace(
        id=id,
        name=stripped(entity.get("displayName")) or stripped(entity.get("number")) or id,
        slug=stripped(entity.get("number")) or None,
        raw=MappingProxyType(dict(entity)),
    )
