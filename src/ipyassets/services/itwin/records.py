"""iModels and iTwins as the platform describes them, in our terms."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from ipyassets.errors import BadResponse
from ipyassets.services.base import Record, Workspace
from ipyassets.services.wire import utc

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
    id = entity.get("id")
    if not isinstance(id, str) or not id:
        raise BadResponse("Bentley iTwin listed an iModel without an id.")
    found = ((name, entity.get(field)) for name, field in _ATTRIBUTES.items())
    return Record(
        service="itwin",
        id=id,
        name=_text(entity.get("displayName")) or _text(entity.get("name")) or id,
        kind="imodel",
        status=_text(entity.get("state")) or None,
        created=utc(entity.get("createdDateTime")),
        updated=utc(entity.get("lastChangesetPushDateTime")),
        attributes=MappingProxyType({name: value for name, value in found if value not in (None, "")}),
        raw=MappingProxyType(dict(entity)),
    )


def workspace(entity: Mapping[str, Any]) -> Workspace:
    """An iTwin; its number stands as ``slug``. Raises `BadResponse` if it has no id."""
    id = entity.get("id")
    if not isinstance(id, str) or not id:
        raise BadResponse("Bentley iTwin listed an iTwin without an id.")
    return Workspace(
        id=id,
        name=_text(entity.get("displayName")) or _text(entity.get("number")) or id,
        slug=_text(entity.get("number")) or None,
        raw=MappingProxyType(dict(entity)),
    )


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
