"""Products as JSON. Four shapes: they differ from call to call, and clients have to bear it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ipyassets.sandbox.vntana.catalogue import Catalogue
from ipyassets.sandbox.vntana.ids import Numbered, named

__all__ = ["Rows", "moment"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FORMATS = ("GLB", "USDZ")
ENDINGS = {"THREE_D": "obj", "IMAGE": "png", "VIDEO": "mp4", "DOCUMENT": "pdf", "MATERIAL": "zip"}
ACTIONS = ("GENERATE_WEB_FORMATS", "GENERATE_THUMBNAILS")
VIEWER_SETTINGS = {
    "value": '{"autoRotate":false}',
    "presetUuid": named("preset", "studio"),
    "showHotspotNumbers": True,
    "config": '{"environment":"studio","exposure":1}',
    "ui": "{}",
}

_ACTION_OF = {
    "COMPLETED": "ACTION_COMPLETED",
    "PENDING": "ACTION_PENDING",
    "CONVERTING": "ACTION_RUNNING",
    "FAILED": "ACTION_FAILED",
    "TERMINATED": "ACTION_TERMINATED",
}


def moment(microseconds: int) -> str:
    """A local date-time without a zone, and 0, 3 or 6 digits of fraction, as the service prints them."""
    local = (EPOCH + timedelta(microseconds=microseconds)).replace(tzinfo=None)
    if local.microsecond and local.microsecond % 1000 == 0:
        return local.isoformat(timespec="milliseconds")
    return local.isoformat()


class Rows:
    """Makes the JSON of products from their numbers."""

    def __init__(self, catalogue: Catalogue, rendered: Callable[[int], Mapping[str, str]] | None = None) -> None:
        self._catalogue = catalogue
        self._rendered = rendered
        self._models = {name: Numbered(f"model/{name}") for name in FORMATS}
        self._requests = Numbered("generation-request")

    def found(self, index: int) -> dict[str, Any]:
        """A row of the Admin API's search."""
        terms = self._catalogue.variant(index).taxonomy
        workspace = self._catalogue.workspace(index)
        return {
            **self._common(index),
            "clientUuid": workspace.uuid,
            "clientSlug": workspace.slug,
            "attributes": self._attribute_list(index),
            "variantGroups": [term.json for term in terms.groups],
            "projects": [term.json for term in terms.projects],
            "pipelineUuid": terms.pipeline.uuid if terms.pipeline else None,
            "pipelineName": terms.pipeline.name if terms.pipeline else None,
            "conversionStatusDetails": self.actions(index),
            "integrationsStatus": {},
            "asset": self._asset(index, status=True, error="conversionError"),
        }

    def product(self, index: int) -> dict[str, Any]:
        """The Admin API's answer for one product."""
        terms = self._catalogue.variant(index).taxonomy
        workspace = self._catalogue.workspace(index)
        asset = self._asset(index, status=False, error="error")
        if asset is not None:
            asset["retry"] = False
            asset["conversionStatusDetails"] = self.actions(index)
        return {
            **self._common(index),
            "updatable": True,
            "isUpdatable": True,
            "clientUuid": workspace.uuid,
            "organizationUuid": workspace.organization.uuid,
            "attributes": dict(self._catalogue.variant(index).attributes),
            "variantGroups": [{"variantGroupUuid": t.uuid, "variantGroupName": t.name} for t in terms.groups],
            "pipelineUuid": terms.pipeline.uuid if terms.pipeline else None,
            "materialBlobId": None,
            "autoPublish": False,
            "modelOpsParameters": {},
            "presetUuid": None,
            "presetName": None,
            "integrationAttributes": {},
            "asset": asset,
        }

    def public_found(self, index: int) -> dict[str, Any]:
        """A row of the Public API's search."""
        terms = self._catalogue.variant(index).taxonomy
        return {
            "uuid": self._catalogue.products.uuid(index),
            "name": self._catalogue.name(index),
            "locations": [term.json for term in terms.locations],
            "tags": [term.json for term in terms.tags],
            "asset": self._public_asset(index),
            "created": moment(int(self._catalogue.columns.created[index])),
        }

    def public_product(self, index: int) -> dict[str, Any]:
        """The Public API's answer for one product."""
        variant = self._catalogue.variant(index)
        return {
            "watermark": False,
            **self.public_found(index),
            "description": variant.description,
            "attributes": self._attribute_list(index),
            "pipelineUuid": variant.taxonomy.pipeline.uuid if variant.taxonomy.pipeline else None,
            "rendererConfigs": None,
            "viewerSettings": VIEWER_SETTINGS,
            "embedSettings": {"config": {}},
        }

    def actions(self, index: int) -> dict[str, str]:
        """What the platform did with the file of a product, by kind of action."""
        rendered = self._rendered(index) if self._rendered else {}
        status = _ACTION_OF.get(self._catalogue.conversion(index))
        if status is None:
            return {**rendered}
        poster = self._catalogue.poster_actions.get(index, status)
        return {"GENERATE_WEB_FORMATS": status, "GENERATE_THUMBNAILS": poster, **rendered}

    def _common(self, index: int) -> dict[str, Any]:
        catalogue = self._catalogue
        variant = catalogue.variant(index)
        conversion = catalogue.conversion(index)
        malware = "NO_FILE" if variant.model is None else "SCANNING" if conversion == "PENDING" else "SUCCEEDED"
        return {
            "uuid": catalogue.products.uuid(index),
            "name": catalogue.name(index),
            "description": variant.description,
            "status": catalogue.status(index),
            "conversionStatus": conversion,
            "assetType": catalogue.asset_type(index),
            "malwareProcessingStatus": malware,
            "created": moment(int(catalogue.columns.created[index])),
            "updated": moment(int(catalogue.columns.updated[index])),
            "locations": [term.json for term in variant.taxonomy.locations],
            "tags": [term.json for term in variant.taxonomy.tags],
            "rendererConfigs": None,
            "viewerSettings": VIEWER_SETTINGS,
            "embedSettings": {"config": {}},
        }

    def _attribute_list(self, index: int) -> list[dict[str, str]]:
        return [{"key": key, "value": value} for key, value in self._catalogue.variant(index).attributes.items()]

    def _asset(self, index: int, *, status: bool, error: str) -> dict[str, Any] | None:
        """The file of a product; None if it has none. ``status``: whether models tell the product's own."""
        catalogue, columns = self._catalogue, self._catalogue.columns
        model = catalogue.variant(index).model
        if model is None:
            return None
        ending = ENDINGS[catalogue.asset_type(index)]
        original_name = catalogue.files.get(index) or f"{model.key}.{ending}"
        ending = original_name.rpartition(".")[2]
        original = _components(int(columns.original_poly[index]))
        optimized = _components(int(columns.optimized_poly[index]))
        models = [
            {
                "uuid": identifiers.uuid(index),
                "conversionFormat": name,
                "modelBlobId": f"{catalogue.blobs.uuid(index)}.{name.lower()}" if optimized else None,
                "conversionStatus": catalogue.conversion(index),
                "modelSize": max(0, int(columns.optimized_size[index])),
                "originalThreeDComponents": original,
                "optimizationThreeDComponents": optimized,
                error: _failure(catalogue.conversion(index)),
                **({"status": catalogue.status(index), "assetOriginalName": original_name} if status else {}),
            }
            for name, identifiers in self._models.items()
            if catalogue.asset_type(index) == "THREE_D"
        ]
        return {
            "generationRequestUuid": self._requests.uuid(index),
            "thumbnailBlobId": catalogue.thumbnail(index),
            "assetBlobId": f"{catalogue.blobs.uuid(index)}.{ending}",
            "assetOriginalName": original_name,
            "assetOriginalSize": int(columns.original_size[index]),
            "conversionFormats": [m["conversionFormat"] for m in models],
            "attributes": {},
            "models": models,
        }

    def _public_asset(self, index: int) -> dict[str, Any] | None:
        asset = self._asset(index, status=True, error="conversionError")
        if asset is None:
            return None
        told = ("uuid", "conversionFormat", "modelBlobId", "status", "assetOriginalName")
        return {
            "thumbnailBlobId": asset["thumbnailBlobId"],
            "assetBlobId": asset["assetBlobId"],
            "assetOriginalName": asset["assetOriginalName"],
            "conversionFormats": asset["conversionFormats"],
            "models": [{name: model[name] for name in told} for model in asset["models"]],
        }


def _components(polygons: int) -> dict[str, int] | None:
    return None if polygons < 0 else {"poly": polygons, "tri": polygons, "vertex": polygons // 2 + 2}


def _failure(conversion: str) -> dict[str, str] | None:
    if conversion != "FAILED":
        return None
    return {"code": "UNSUPPORTED_GEOMETRY", "description": "The file holds no closed surface."}
