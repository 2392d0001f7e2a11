"""Assets, search hits, collections and tags as Scenario describes them, in our terms.

A hit is not an asset: kind and size stand below ``metadata`` there, and much is missing. Both become the same Record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from ipyassets.services.base import Kind, Record
from ipyassets.services.packed import Packed
from ipyassets.services.wire import identity, stripped, utc

__all__ = ["Collection", "Tag", "asset", "collection", "part", "tag"]

_KINDS: Final[dict[str, Kind]] = {
    "3d": "3d",
    "audio": "audio",
    "document": "document",
    "image": "image",
    "image-hdr": "image",
    "json": "text",
    "text": "text",
    "video": "video",
}
_MIME_KINDS: Final[dict[str, Kind]] = {
    "image": "image",
    "video": "video",
    "audio": "audio",
    "text": "text",
    "model": "3d",
}
_FROM_METADATA: Final = {
    "type": "type",
    "prompt": "prompt",
    "negative_prompt": "negativePrompt",
    "seed": "seed",
    "model": "modelId",
    "model_type": "modelType",
    "base_model": "baseModelId",
    "aspect_ratio": "aspectRatio",
    "guidance": "guidance",
    "steps": "numInferenceSteps",
    "scheduler": "scheduler",
    "strength": "strength",
    "style": "style",
    "inference": "inferenceId",
    "parent": "parentId",
    "file_name": "fileName",
}
_FROM_PROPERTIES: Final = {
    "duration": "duration",
    "frame_rate": "frameRate",
    "vertices": "vertexCount",
    "faces": "faceCount",
    "dimensions": "dimensions",
    "format": "format",
    "characters": "charCount",
}
_WHOLE: Final = ("width", "height", "size")
_LONGEST_NAME: Final = 80


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection of assets; ``id`` is what ``search(collection=…)`` takes."""

    id: str
    name: str
    assets: int | None = None
    """How many assets are in it."""
    raw: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag in use; ``name`` is what ``search(tags=…)`` takes."""

    name: str
    items: int | None = None
    """How many assets and models have it."""


def asset(entity: Mapping[str, Any]) -> Record:
    """An asset or a hit. Raises `BadResponse` if it has no id."""
    id = identity(entity, "id", "An asset of Scenario")
    metadata = part(entity, "metadata")
    tags = entity.get("tags")
    return Record(
        service="scenario",
        id=id,
        name=_name(metadata) or id,
        kind=_kind(entity, metadata),
        status=stripped(entity.get("status")) or None,
        created=utc(entity.get("createdAt")),
        updated=utc(entity.get("updatedAt")),
        tags=tuple(entry for entry in tags if isinstance(entry, str)) if isinstance(tags, list) else (),
        attributes=MappingProxyType(_attributes(entity, metadata)),
        raw=Packed(entity),
    )


def collection(entity: Mapping[str, Any]) -> Collection:
    """A collection. Raises `BadResponse` if it has no id."""
    id = identity(entity, "id", "A collection of Scenario")
    return Collection(
        id, stripped(entity.get("name")) or id, _whole(entity.get("assetCount")), MappingProxyType(dict(entity))
    )


def tag(entity: Mapping[str, Any]) -> Tag:
    """A tag. Raises `BadResponse` if it has no name."""
    return Tag(identity(entity, "tagName", "A tag of Scenario"), _whole(entity.get("itemCount")))


def part(entity: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An inner object, empty if there is none."""
    value = entity.get(name)
    return value if isinstance(value, dict) else {}


def _name(metadata: Mapping[str, Any]) -> str:
    """The asset's name, else the beginning of its prompt: assets need not have a name."""
    name = stripped(metadata.get("name"))
    if name:
        return name
    prompt = " ".join(stripped(metadata.get("prompt")).split())
    if len(prompt) <= _LONGEST_NAME:
        return prompt
    return (
        prompt[:_LONGEST_NAME].rpartition(" ")[0].rstrip(" ,;.") + "…"
        if " " in prompt[:_LONGEST_NAME]
        else (prompt[: _LONGEST_NAME - 1] + "…")
    )


def _kind(entity: Mapping[str, Any], metadata: Mapping[str, Any]) -> Kind:
    word = entity.get("kind") or metadata.get("kind")
    if isinstance(word, str) and word in _KINDS:
        return _KINDS[word]
    if word:  # a kind that is newer than we are
        return "other"
    return _MIME_KINDS.get(stripped(entity.get("mimeType")).partition("/")[0], "other")


def _attributes(entity: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
    properties = part(entity, "properties")
    found: dict[str, Any] = {name: metadata.get(field) for name, field in _FROM_METADATA.items()}
    if isinstance(found["seed"], int | float):  # a text as a rule, a number now and then
        seed = _whole(found["seed"])
        found["seed"] = None if seed is None else str(seed)
    for name in _WHOLE:
        value = _whole(properties.get(name))
        found[name] = value if value is not None else _whole(metadata.get(name))
    found |= {name: properties.get(field) for name, field in _FROM_PROPERTIES.items()}
    found["mime_type"] = entity.get("mimeType")
    found["description"] = entity.get("description")
    found["privacy"] = entity.get("privacy")
    found["nsfw"] = entity.get("nsfw")
    found["collections"] = entity.get("collectionIds")
    return {name: value for name, value in found.items() if value is not None and value not in ("", [])}


def _whole(value: object) -> int | None:
    """A number that may have come as a float, as a whole one."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return int(value)
    except (ValueError, OverflowError):
        return None
