"""Checks requests and answers against VNTANA's own OpenAPI text.

``openapi.json`` holds the parts of VNTANA's ``vntana-admin-api-docs.yaml`` and ``vntana-public-api-docs.yaml``
(github.com/VNTANA-3D/vntana-n8n-node, MIT, licence in ``openapi.LICENSE``) that the sandbox serves, unchanged.
Where that text is known to be wrong, `SLIPS` and `CODES` say so.
"""

from __future__ import annotations

import copy
import functools
import json
import re
from pathlib import Path

import httpx
import jsonschema

SPECS = json.loads(Path(__file__).with_name("openapi.json").read_text(encoding="utf-8"))

SLIPS = {
    # Real answers carry a list here; the generator made it a plain object.
    ("admin", "LoginUserResultResponseOk", "errors"): {"type": "array", "items": {"type": "string"}},
    # Null where every product was taken: so the guide's sample.
    ("admin", "RenderGenerateResponseModel", "errors"): {
        "type": ["object", "null"],
        "additionalProperties": {"enum": ["PRODUCT_NOT_FOUND", "INVALID_PRODUCT", "PRODUCT_CHANGE_IS_UNAVAILABLE"]},
    },
}
DETAILS = "/products/{uuid}/organizations/{organizationSlug}/clients/{clientSlug}"

CODES = {"BAD_CREDENTIALS", "PRODUCT_IS_NOT_PUBLISHED", "THUMBNAIL_NOT_FOUND", "MISSING_PAGE", "MISSING_SIZE"} | {
    # Codes of the gateway, which stands before every call.
    "FORBIDDEN", "UNAUTHORIZED", "BAD_REQUEST", "UNSUPPORTED_MEDIA_TYPE", "METHOD_NOT_ALLOWED", "HANDLER_NOT_FOUND",
    "INVALID_PAGE", "INVALID_SIZE", "MISSING_PRODUCT_OR_VARIANT_GROUP_UUID",
}  # fmt: skip

NULLABLE = {
    "asset", "thumbnailBlobId", "imageBlobId", "removed", "pipelineUuid", "pipelineName", "rendererConfigs",
    "conversionError", "error", "optimizationThreeDComponents", "originalThreeDComponents", "modelBlobId",
    "materialBlobId", "presetUuid", "presetName", "startDate", "endDate", "minValue", "maxValue",
    "variantGroupUuid",
}  # fmt: skip
"""The text marks nothing as nullable; consumers of the live service handle null in these."""


def _schemas(api: str) -> dict:
    """JSON schemas of one API: no unknown fields, and null only where it is known to occur."""
    schemas = copy.deepcopy(SPECS[api]["schemas"])
    for name, schema in schemas.items():
        properties = schema.get("properties", {})
        for field, replacement in SLIPS.items():
            if field[:2] == (api, name):
                properties[field[2]] = replacement
        for field, given in properties.items():
            if field in NULLABLE:
                properties[field] = {"anyOf": [given, {"type": "null"}]}
        if properties:
            schema["additionalProperties"] = False
    return schemas


SCHEMAS = {api: _schemas(api) for api in SPECS}


def route(api: str, method: str, path: str) -> str | None:
    """The path of the text that ``path`` is an instance of."""
    for template, operations in sorted(SPECS[api]["paths"].items(), key=lambda item: item[0].count("{")):
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) and method.lower() in operations:
            return template
    return None


@functools.cache
def validator(api: str, name: str) -> jsonschema.Draft202012Validator:
    """For the schema ``name``."""
    text = json.dumps({"$ref": f"#/$defs/{name}", "$defs": SCHEMAS[api]})
    return jsonschema.Draft202012Validator(json.loads(text.replace("#/components/schemas/", "#/$defs/")))


_checked: set[tuple[str, str]] = set()


def _unchecked(name: str, body: dict) -> dict:
    """``body`` without the rows that were found right before: the same products come again and again."""
    response = body.get("response")
    if not isinstance(response, dict) or "grid" not in response:
        return body
    rows = [row for row in response["grid"] if (name, json.dumps(row)) not in _checked]
    _checked.update((name, json.dumps(row)) for row in rows)
    return {**body, "response": {**response, "grid": rows}}


def declared(api: str, method: str, template: str, status: int) -> str | None:
    """The schema of an answer; None where the text has none, or one that is known to be wrong."""
    name = _name(SPECS[api]["paths"][template][method.lower()]["responses"].get(str(status)))
    if api == "public" and template == DETAILS and status == 200:
        return "ApiGetProductResponse"  # the text attaches the search's answer
    if template == "/v1/webhooks/events/":
        # The text has it at the 403, and another call's answer at the 200.
        return "EventGetAllResponse" if status < 300 else None
    if template == "/v1/attachments/search" and status < 300:
        return "GetAttachmentsResultResponse"  # the text has it at the 403, and at the 200 the answer of another call
    return name


def check(api: str, response: httpx.Response, path: str) -> None:
    """Fail if this answer is not one that VNTANA's text allows."""
    body = response.json() if response.headers.get("content-type") == "application/json" else None
    if not response.is_success:
        assert body is not None, f"{path}: a failure without the envelope"
        assert body["success"] is False
        assert body["response"] is None
        assert all(isinstance(code, str) for code in body["errors"])
        assert len(body["errors"]) == 1
    template = route(api, response.request.method, path)
    if template is None:
        return
    name = declared(api, response.request.method, template, response.status_code)
    if body is None or name is None:
        return
    if response.is_success:
        validator(api, name).validate(_unchecked(name, body))
    else:
        allowed = CODES | set(SPECS[api]["schemas"][name]["properties"]["errors"]["items"]["enum"])
        assert set(body["errors"]) <= allowed, f"{template}: unknown code {body['errors']}"


def check_request(api: str, method: str, path: str, body: dict) -> None:
    """Fail if ``body`` is not one that VNTANA's text allows."""
    template = route(api, method, path)
    assert template is not None
    name = _name(SPECS[api]["paths"][template][method.lower()]["body"])
    assert name is not None
    validator(api, name).validate(body)


def _name(schema: dict | None) -> str | None:
    """The schema a reference names; None where the text has none, or an untyped object."""
    return (schema or {}).get("$ref", "").rpartition("/")[2] or None
