"""Scenario's API as the sandbox serves it, in our own words."""

from __future__ import annotations

from typing import Any

from tests.sandbox.schemas.itwin import TEXT, WHOLE, closed, in_path, json_of

MOMENT: dict[str, Any] = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"}
TEXTS: dict[str, Any] = {"type": "array", "items": TEXT}
URL: dict[str, Any] = {"type": "string", "pattern": "^http"}
PRIVACY: dict[str, Any] = {"enum": ["private", "public", "unlisted"]}
FLAG: dict[str, Any] = {"type": "boolean"}
_TYPES = {"enum": ["txt2img", "img2video", "uploaded", "3d"]}

_PICTURE = closed({"assetId": TEXT, "url": URL})
_METADATA = {
    "type": "object",
    "properties": {"kind": TEXT, "type": TEXT, "seed": TEXT, "width": WHOLE, "height": WHOLE, "size": WHOLE},
    "required": ["kind", "type"],
}
_COMMON = {
    "id": {"type": "string", "pattern": "^asset_"},
    "ownerId": TEXT,
    "authorId": TEXT,
    "createdAt": MOMENT,
    "updatedAt": MOMENT,
    "url": URL,
    "mimeType": {"type": "string", "pattern": "^[a-z0-9]+/[a-z0-9.+-]+$"},
    "privacy": PRIVACY,
    "tags": TEXTS,
    "collectionIds": TEXTS,
    "nsfw": TEXTS,
    "metadata": _METADATA,
}
_ASSET = closed(
    {
        **_COMMON,
        "kind": {"enum": ["3d", "audio", "document", "image", "image-hdr", "json", "text", "video"]},
        "status": TEXT,
        "source": TEXT,
        "editCapabilities": {"type": "array"},
        "properties": {"type": "object", "required": ["size"]},
    },
    {
        "thumbnail": _PICTURE,
        "firstFrame": _PICTURE,
        "description": TEXT,
        "automaticCaptioning": TEXT,
        "outputIndex": WHOLE,
        "originalFileUrl": URL,
        "originalMimeType": TEXT,
        "deletedAt": MOMENT,
        "embedding": {"type": "array", "items": {"type": "number"}},
    },
)
_HIT = closed(
    {**_COMMON, "teamId": TEXT},
    {"description": TEXT, "content": TEXT, "score": {"type": "number"}, "thumbnail": _PICTURE},
)
_COLLECTION = closed(
    {
        "id": TEXT,
        "name": TEXT,
        "ownerId": TEXT,
        "assetCount": WHOLE,
        "itemCount": WHOLE,
        "modelCount": WHOLE,
        "createdAt": MOMENT,
        "updatedAt": MOMENT,
    },
    {"thumbnail": _PICTURE},
)
_TAG = closed({"tagName": TEXT, "itemCount": WHOLE, "ownerId": TEXT, "createdAt": MOMENT, "updatedAt": MOMENT})
_JOB = {
    "type": "object",
    "properties": {
        "jobId": TEXT,
        "jobType": TEXT,
        "status": TEXT,
        "progress": {"type": "number", "minimum": 0, "maximum": 1},
        "createdAt": MOMENT,
        "updatedAt": MOMENT,
    },
    "required": ["jobId", "jobType", "status", "progress", "metadata", "statusHistory", "createdAt", "updatedAt"],
}
_REFUSED = closed({"reason": TEXT, "trace_id": {"type": "string", "pattern": "^[0-9a-f]{32}$"}})
_DENIED = closed({"message": TEXT})


def _query(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema}


_PAGE = (_query("pageSize", {"type": "integer", "minimum": 1, "maximum": 100}), _query("paginationToken", TEXT))
_ORIGINAL = _query("originalAssets", FLAG)
_IDS = {"type": "object", "properties": {"assetIds": {**TEXTS, "minItems": 1}}, "required": ["assetIds"]}


def _operation(good: dict[str, Any], *parameters: dict[str, Any], body: dict[str, Any] | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {
        "parameters": list(parameters),
        "responses": {
            "200": json_of(good),
            "400": json_of(_REFUSED),
            "401": json_of(_DENIED),
            "403": json_of(_DENIED),
            "404": json_of({"anyOf": [_REFUSED, _DENIED]}),
        },
    }
    if body is not None:
        made["requestBody"] = {"content": {"application/json": {"schema": body}}}
    return made


def _of(key: str, one: dict[str, Any], *parameters: dict[str, Any]) -> dict[str, Any]:
    """A page of a list."""
    good = closed({key: {"type": "array", "items": one}}, {"nextPaginationToken": {"type": "string", "minLength": 1}})
    return _operation(good, *_PAGE, *parameters)


def _listing() -> dict[str, Any]:
    equal = ("modelId", "inferenceId", "authorId", "parentAssetId", "rootAssetId", "collectionId", "tags")
    dates = ("createdAfter", "createdBefore", "updatedAfter", "updatedBefore")
    return _of(
        "assets",
        _ASSET,
        *(_query(name, TEXT) for name in equal),
        *(_query(name, {"type": "string", "format": "date-time"}) for name in dates),
        _query("sortBy", {"enum": ["createdAt", "updatedAt"]}),
        _query("sortDirection", {"enum": ["asc", "desc"]}),
        _query("type", _TYPES),
        _query("types", _TYPES),
        _query("privacy", PRIVACY),
        _query("deleted", FLAG),
        _query("projectId", TEXT),
        _ORIGINAL,
    )


def _search() -> dict[str, Any]:
    sort = {"type": "string", "pattern": "^(createdAt|updatedAt|width|height|score):(asc|desc)$"}
    body = {
        "type": "object",
        "properties": {
            "query": TEXT,
            "filter": {
                "anyOf": [TEXT, {"enum": ['kind = "image"', "width > 10 AND NOT tags = x", 'type IN [a, "b"]']}]
            },
            "image": TEXT,
            "images": {"type": "object", "properties": {"like": TEXTS, "unlike": TEXTS}},
            "imageSemanticRatio": {"type": "number", "minimum": 0, "maximum": 1},
            "querySemanticRatio": {"type": "number", "minimum": 0, "maximum": 1},
            "sortBy": {"type": "array", "items": sort},
            "public": FLAG,
            "page": {"type": "integer", "minimum": 1},
            "hitsPerPage": {"type": "integer", "minimum": 1, "maximum": 100},
            "offset": {"type": "integer", "minimum": 0},
            "limit": {"type": "integer", "minimum": 1, "maximum": 100},
        },
    }
    hits = {"type": "array", "items": _HIT}
    paged = closed({"hits": hits, "page": WHOLE, "hitsPerPage": WHOLE, "totalHits": WHOLE, "totalPages": WHOLE})
    offset = closed({"hits": hits, "offset": WHOLE, "limit": WHOLE, "estimatedTotalHits": WHOLE})
    return _operation({"anyOf": [paged, offset]}, _query("offset", WHOLE), _ORIGINAL, body=body)


def _archive() -> dict[str, Any]:
    options = {
        "type": "object",
        "properties": {"fileNameTemplate": TEXT, "archiveName": TEXT, "flat": FLAG, "preferOriginal": FLAG},
        "required": ["fileNameTemplate"],
    }
    query = dict.fromkeys(("assetIds", "inferenceIds", "modelIds"), TEXTS)
    body = {
        "type": "object",
        "properties": {"options": options, "query": {"type": "object", "properties": query, "required": [*query]}},
        "required": ["options", "query"],
    }
    made = _operation(closed({"jobId": TEXT}), _query("dryRun", {"enum": ["true", "api"]}), body=body)
    made["responses"]["269"] = json_of(closed({"creativeUnitsCost": {"type": "number"}}))
    return made


def _paths() -> dict[str, Any]:
    tags = {"type": "object", "properties": {"add": TEXTS, "delete": TEXTS, "strict": FLAG}}
    restored = closed(
        {
            "restoredAssetIds": TEXTS,
            "skippedAssets": {"type": "array", "items": closed({"assetId": TEXT, "reason": TEXT})},
        }
    )
    format = {"type": "object", "properties": {"targetFormat": {"enum": ["png", "webp", "jpeg", "glb", "mp4", "svg"]}}}
    return {
        "/assets": {"get": _listing(), "delete": _operation(closed({}), body=_IDS)},
        "/assets/get-bulk": {
            "post": _operation(closed({"assets": {"type": "array", "items": _ASSET}}), _ORIGINAL, body=_IDS)
        },
        "/assets/restore": {"post": _operation(restored, body=_IDS)},
        "/assets/download": {"post": _archive()},
        "/assets/download/{job}": {
            "get": _operation(closed({"jobId": TEXT, "jobStatus": TEXT}, {"downloadUrl": URL}))
        },
        "/assets/{asset}/download": {"post": _operation(closed({"url": URL, "mimeType": TEXT}), body=format)},
        "/assets/{asset}": {
            "get": _operation(closed({"asset": _ASSET}), _ORIGINAL, _query("withEmbedding", FLAG))
        },
        "/assets/{asset}/tags": {"put": _operation(closed({"added": TEXTS, "deleted": TEXTS}), body=tags)},
        "/search/assets": {"post": _search()},
        "/jobs": {
            "get": _of(
                "jobs", _JOB, _query("status", TEXT), _query("types", TEXT), _query("workflowId", TEXT),
                _query("authorId", TEXT), _query("hideResults", FLAG),
                _query("createdAfter", {"type": "string", "format": "date-time"}),
                _query("updatedAfter", {"type": "string", "format": "date-time"}),
            )
        },
        "/jobs/{job}": {"get": _operation(closed({"job": _JOB}))},
        "/jobs/{job}/action": {
            "post": _operation(
                closed({"job": _JOB}), body={"type": "object", "properties": {"action": {"enum": ["cancel"]}}}
            )
        },
        "/collections": {"get": _of("collections", _COLLECTION)},
        "/collections/{collection}": {"get": _operation(closed({"collection": _COLLECTION}))},
        "/collections/{collection}/assets": {
            method: _operation(closed({"collection": _COLLECTION}), body=_IDS) for method in ("put", "delete")
        },
        "/tags": {"get": _of("tags", _TAG)},
        "/teams": {"get": _operation(closed({"teams": {"type": "array", "items": {"type": "object"}}}))},
        "/models/{model}": {"get": _operation(closed({"model": {"type": "object", "required": ["id", "name"]}}))},
    }  # fmt: skip


def schema() -> dict[str, Any]:
    return {"openapi": "3.1.0", "info": {"title": "Scenario", "version": "1"}, "paths": in_path(_paths())}
