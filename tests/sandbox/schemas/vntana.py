"""VNTANA's two APIs, as its own text has them and `contract` corrects it."""

from __future__ import annotations

import json
from typing import Any

from tests.sandbox.vntana.contract import CODES, SCHEMAS, SPECS, declared

_GATEWAY = (400, 401, 403, 404, 405, 409, 415, 422)
"""What any call may be refused with, in the usual envelope; the text names these for some calls alone."""
_PICTURES = ("image/png", "image/jpeg", "image/webp")
_MOMENT = r'"pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?Z?)?$"'
_FILES = {
    "/v1/products/{productUuid}/clients/{clientUuid}/thumbnails/{thumbnailBlobId}",
    "/v1/storage/load/clients/{clientUuid}/thumbnail/{blobId}",
    "/v1/storage/load/asset/thumbnail",
    "/v1/comments/images/{blobId}",
    "/assets/thumbnail/products/{productUuid}/organizations/{organizationSlug}/clients/{clientSlug}",
    "/assets/organizations/{organizationSlug}/clients/{clientSlug}/thumbnail/{thumbnailUuid}",
}
_TEXT = {"/v1/storage/download/clients/sign-url", "/v1/products/regenerate-thumbnails"}
"""Calls of which the text does not say what a good answer is."""


def schema(api: str) -> dict[str, Any]:
    """``api``: admin or public."""
    return {
        "openapi": "3.1.0",
        "info": {"title": f"VNTANA {api}", "version": "1"},
        "paths": {
            path: {method: _operation(api, path, method, given) for method, given in operations.items()}
            for path, operations in SPECS[api]["paths"].items()
        },
        # Its moments have no zone, which the text's "date-time" asks for.
        "components": {"schemas": json.loads(json.dumps(SCHEMAS[api]).replace('"format": "date-time"', _MOMENT))},
    }


def _operation(api: str, path: str, method: str, given: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "parameters": [
            {"name": one["name"], "in": one["in"], "required": bool(one.get("required")), "schema": _plain(one)}
            for one in given.get("parameters", ())
            # The text repeats the members of bodies as parameters of the query.
            if one["in"] == "path" or method != "post"
        ],
        "responses": _responses(api, path, method),
    }
    if "body" in given:
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": given["body"]}}}
    return made


def _plain(parameter: dict[str, Any]) -> dict[str, Any]:
    return parameter.get("schema") or {"type": "string"}


def _responses(api: str, path: str, method: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for status in _GATEWAY:
        name = declared(api, method, path, status)
        codes = set(CODES)
        if name is not None:
            codes |= set(SPECS[api]["schemas"][name]["properties"]["errors"]["items"]["enum"])
        found[str(status)] = _json(_refusal(codes if name is not None else None))
    good = declared(api, method, path, 200)
    if path in _FILES:
        found["200"] = {"description": "a picture", "content": {kind: {} for kind in _PICTURES}}
    elif path in _TEXT:
        found["200"] = _json({})
    else:
        found["200"] = _json({"type": "object"} if good is None else {"$ref": f"#/components/schemas/{good}"})
    return found


def _refusal(codes: set[str] | None) -> dict[str, Any]:
    code: dict[str, Any] = {"type": "string", "pattern": "^[A-Z][A-Z_]+$"}
    if codes is not None:
        code = {"enum": sorted(codes)}
    return {
        "type": "object",
        "properties": {
            "success": {"const": False},
            "errors": {"type": "array", "minItems": 1, "maxItems": 1, "items": code},
            "response": {"type": "null"},
        },
        "required": ["success", "errors", "response"],
        "additionalProperties": False,
    }


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": "", "content": {"application/json": {"schema": schema}}}
