"""The models assets are generated with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ipyassets.sandbox import library

__all__ = ["Model", "models", "record"]

_TRAINED = "2025-11-03T09:20:00.000Z"


@dataclass(frozen=True, slots=True)
class Model:
    id: str
    name: str
    type: str
    base_id: str | None
    capability: str


@lru_cache(maxsize=1)
def models() -> dict[str, Model]:
    """Every model of the sandbox by its id."""
    found = {
        image.model_id: Model(image.model_id, image.model_name, "flux.1-lora", "flux.1-dev", "txt2img")
        for image in library.generated()
    }
    for model in (
        Model("model_camera-moves", "Camera Moves", "custom", None, "img2video"),
        Model("model_struck-tones", "Struck Tones", "custom", None, "txt2audio"),
    ):
        found[model.id] = model
    return found


def record(model: Model, owner: str, examples: list[str]) -> dict[str, Any]:
    """The model as ``GET /models/{id}`` gives it."""
    return {
        "id": model.id,
        "name": model.name,
        "type": model.type,
        "capabilities": [model.capability],
        "collectionIds": [],
        "createdAt": _TRAINED,
        "updatedAt": _TRAINED,
        "custom": True,
        "exampleAssetIds": examples,
        "ownerId": owner,
        "privacy": "private",
        "source": "scenario",
        "status": "trained",
        "tags": [],
        "trainingImagesNumber": 0,
        **({"parentModelId": model.base_id} if model.base_id else {}),
    }
