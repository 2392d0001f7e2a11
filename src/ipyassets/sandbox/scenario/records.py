"""The JSON forms: the asset record, and the different one a search hit has."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import Any

from ipyassets.sandbox.scenario.catalogue import Asset, stamp
from ipyassets.sandbox.scenario.models import models
from ipyassets.sandbox.scenario.signing import Signer

__all__ = ["Records", "aspect_ratio"]

# The styles the API has words for; the others are left to the tags.
_STYLES = {"studio": "photography", "catalogue": "photography", "pastel": "pastel", "dramatic": "cinematic"}


def aspect_ratio(asset: Asset) -> str | None:
    if asset.seed.pixels is None:
        return None
    width, height = asset.seed.pixels
    common = gcd(width, height)
    return f"{width // common}:{height // common}"


@dataclass(frozen=True, slots=True)
class Records:
    """Builds records whose links point at ``cdn``, signed at this moment."""

    cdn: str
    """Absolute address of the CDN, without a slash at the end."""
    signer: Signer
    original: bool = False
    """Whether ``url`` shall point at the untransformed file."""

    def url(self, asset: Asset) -> str:
        return self.signer.sign(f"{self.cdn}/{'assets' if self.original else 'assets-transform'}/{asset.id}")

    def file(self, asset: Asset, format: str | None = None) -> str:
        """A signed URL of the file as it is stored, or in ``format``."""
        if format is None:
            return self.signer.sign(f"{self.cdn}/assets/{asset.id}")
        return self.signer.sign(f"{self.cdn}/assets-transform/{asset.id}?format={format}")

    def picture(self, asset: Asset) -> dict[str, str] | None:
        """``{assetId, url}`` of the image an asset is shown by; None if nothing shows it."""
        shown = asset if asset.seed.kind == "image" else self._parent(asset)
        return None if shown is None else {"assetId": shown.id, "url": f"{self.cdn}/thumbnails/{shown.id}"}

    @staticmethod
    def _parent(asset: Asset) -> Asset | None:
        return asset.project.asset_of(asset.seed.parent) if asset.seed.parent else None

    def asset(self, asset: Asset, *, embedding: list[float] | None = None) -> dict[str, Any]:
        seed = asset.seed
        optional: dict[str, Any] = {
            "thumbnail": self.picture(asset),
            "firstFrame": self.picture(asset) if seed.kind == "video" else None,
            "description": seed.description or seed.caption,
            "automaticCaptioning": seed.caption,
            "outputIndex": asset.output_index,
            "originalFileUrl": seed.upload and self.signer.sign(f"{self.cdn}/uploads/{asset.id}"),
            "originalMimeType": seed.upload and seed.upload[1],
            "deletedAt": None if asset.deleted is None else stamp(asset.deleted),
            "embedding": embedding,
        }
        return {
            "id": asset.id,
            "ownerId": asset.project.team_id,
            "authorId": asset.project.author_id,
            "createdAt": stamp(asset.created),
            "updatedAt": stamp(asset.updated),
            "url": self.url(asset),
            "mimeType": seed.mime,
            "kind": seed.kind,
            "status": "success",
            "privacy": asset.privacy,
            "source": seed.source,
            "tags": list(asset.tags),
            "collectionIds": list(asset.collections),
            "editCapabilities": seed.edits,
            "nsfw": list(seed.nsfw),
            "metadata": self._metadata(asset),
            "properties": dict(seed.properties),
            **{name: value for name, value in optional.items() if value is not None},
        }

    def _metadata(self, asset: Asset) -> dict[str, Any]:
        seed = asset.seed
        parent = self._parent(asset) if seed.type in {"img2video", "vectorization"} else None
        values: dict[str, Any] = {
            **seed.parameters,
            **self._common(asset),
            "numOutputs": asset.outputs,
            "style": _STYLES.get(seed.style or ""),
            "inferenceId": asset.inference_id,
            "outputIndex": asset.output_index,
            "parentId": parent and parent.id,
            "rootParentId": parent and parent.id,
        }
        if parent is not None:
            values["image"] = parent.id
        return {name: value for name, value in values.items() if value is not None}

    @staticmethod
    def _common(asset: Asset) -> dict[str, Any]:
        """What a record's and a hit's metadata share."""
        seed = asset.seed
        model = models().get(seed.model_id or "")
        width, height = seed.pixels or (None, None)
        return {
            "kind": seed.kind,
            "type": seed.type,
            "name": asset.name,
            "prompt": seed.prompt,
            "negativePrompt": seed.negative_prompt,
            "seed": None if asset.number is None else str(asset.number),
            "modelId": seed.model_id,
            "modelType": model and model.type,
            "baseModelId": model and model.base_id,
            "width": width,
            "height": height,
            "size": seed.properties["size"],
            "aspectRatio": aspect_ratio(asset),
        }

    def hit(self, asset: Asset, score: float | None) -> dict[str, Any]:
        """A search hit: no ``kind``, ``properties``, ``status``, ``source``; images carry no thumbnail."""
        seed = asset.seed
        metadata = self._common(asset) | {
            name: seed.parameters[name]
            for name in ("guidance", "numInferenceSteps", "scheduler")
            if name in seed.parameters
        }
        optional: dict[str, Any] = {
            "description": seed.description or seed.caption,
            "content": seed.load().decode() if seed.kind == "text" else None,
            "score": score,
            "thumbnail": None if seed.kind == "image" else self.picture(asset),
        }
        return {
            "id": asset.id,
            "authorId": asset.project.author_id,
            "ownerId": asset.project.team_id,
            "teamId": asset.project.team_id,
            "collectionIds": list(asset.collections),
            "createdAt": stamp(asset.created),
            "updatedAt": stamp(asset.updated),
            "metadata": {name: value for name, value in metadata.items() if value is not None},
            "mimeType": seed.mime,
            "nsfw": list(seed.nsfw),
            "privacy": asset.privacy,
            "tags": list(asset.tags),
            "url": self.url(asset),
            **{name: value for name, value in optional.items() if value is not None},
        }
