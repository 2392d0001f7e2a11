"""Bentley's iTwins and iModels as the sandbox serves them, in our own words: their texts may not be copied."""

from __future__ import annotations

from typing import Any

TEXT: dict[str, Any] = {"type": "string"}
TEXT_OR_NONE: dict[str, Any] = {"type": ["string", "null"]}
WHOLE: dict[str, Any] = {"type": "integer"}
GUID: dict[str, Any] = {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
MOMENT: dict[str, Any] = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$"}
LINK: dict[str, Any] = {
    "type": ["object", "null"],
    "properties": {"href": {"type": "string", "pattern": "^http"}},
    "required": ["href"],
    "additionalProperties": False,
}


def closed(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """An object of these members and no others."""
    properties = {**required, **(optional or {})}
    return {"type": "object", "properties": properties, "required": [*required], "additionalProperties": False}


def json_of(schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": "", "content": {"application/json": {"schema": schema}}}


_DETAIL = closed({"code": TEXT, "message": TEXT}, {"target": TEXT, "innerError": closed({"code": TEXT})})
_ERROR = closed({"error": closed({"code": TEXT, "message": TEXT}, {"details": {"type": "array", "items": _DETAIL}})})
_GATEWAY = closed({"statusCode": {"const": 404}, "message": TEXT})
_POINT = closed({"latitude": {"type": "number"}, "longitude": {"type": "number"}})
_LINKS = closed({"self": LINK}, {"prev": LINK, "next": LINK})
_IMODEL = closed(
    {"id": GUID, "displayName": TEXT, "dataCenterLocation": TEXT},
    {
        "name": TEXT,
        "description": TEXT_OR_NONE,
        "state": {"enum": ["initialized", "notInitialized"]},
        "createdDateTime": MOMENT,
        "lastChangesetPushDateTime": {"anyOf": [MOMENT, {"type": "null"}]},
        "iTwinId": GUID,
        "isSecured": {"type": "boolean"},
        "extent": {"anyOf": [closed({"southWest": _POINT, "northEast": _POINT}), {"type": "null"}]},
        "containersEnabled": WHOLE,
        "_links": closed({"creator": LINK, "changesets": LINK, "namedVersions": LINK}),
    },
)
_ITWIN = closed(
    {
        "id": GUID,
        "class": TEXT,
        "subClass": TEXT,
        "type": TEXT_OR_NONE,
        "number": TEXT,
        "displayName": TEXT,
    },
    {
        **dict.fromkeys(
            ("geographicLocation", "ianaTimeZone", "dataCenterLocation", "imageName", "image"), TEXT_OR_NONE
        ),
        **{key: {"type": ["number", "null"]} for key in ("latitude", "longitude")},
        "status": {"enum": ["Active", "Inactive", "Trial"]},
        **{key: {"anyOf": [GUID, {"type": "null"}]} for key in ("parentId", "iTwinAccountId")},
        **dict.fromkeys(("createdDateTime", "lastModifiedDateTime"), MOMENT),
        **dict.fromkeys(("createdBy", "lastModifiedBy"), GUID),
    },
)
_VERSION = closed(
    {"id": GUID, "displayName": TEXT, "changesetId": TEXT_OR_NONE, "changesetIndex": WHOLE},
    {
        "name": TEXT,
        "description": TEXT_OR_NONE,
        "createdDateTime": MOMENT,
        "state": {"enum": ["visible", "hidden"]},
        "application": {"type": "null"},
        "_links": closed({"creator": LINK, "changeset": LINK}),
    },
)
_CHANGESET = {
    "type": "object",
    "properties": {"id": TEXT, "displayName": TEXT, "index": WHOLE, "pushDateTime": MOMENT, "fileSize": WHOLE},
    "required": ["id", "displayName", "description", "index", "parentId", "creatorId", "pushDateTime", "_links"],
}
_USER = {
    "type": "object",
    "properties": {"id": GUID, "displayName": TEXT, "email": TEXT},
    "required": ["id", "displayName", "_links"],
}


def _query(name: str, schema: dict[str, Any], *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "schema": schema}


_PAGE = (
    _query("$top", {"type": "integer", "minimum": 1, "maximum": 1000}),
    _query("$skip", {"type": "integer", "minimum": 0}),
    _query("$continuationToken", TEXT),
)
_PREFER = {"name": "Prefer", "in": "header", "schema": {"enum": ["return=minimal", "return=representation"]}}
_ORDER = _query(
    "$orderBy", {"type": "string", "pattern": "^(name|createdDateTime|index|changesetIndex)( (asc|desc))?$"}
)
_SEARCH = _query("$search", TEXT)
_NAME = _query("name", TEXT)
_ITWINS = (
    _query("subClass", {"enum": ["Account", "Asset", "Project", "Portfolio", "Program", "WorkPackage"]}),
    _query("status", {"enum": ["Active", "Inactive", "Trial"]}),
    _query("includeInactive", {"enum": ["true", "false"]}),
    _query("displayName", TEXT),
    _query("number", TEXT),
    _query("parentId", GUID),
    _query("$orderby", {"enum": ["displayName", "number desc", "type asc", "createdDateTime"]}),
    {"name": "X-Max-Return", "in": "header", "schema": {"type": "integer", "minimum": 1, "maximum": 10_000}},
    _SEARCH,
)


def _page(key: str, one: dict[str, Any]) -> dict[str, Any]:
    return closed({key: {"type": "array", "items": one}, "_links": _LINKS})


def _operation(good: dict[str, Any] | None, *parameters: dict[str, Any], status: str = "200") -> dict[str, Any]:
    answer = {"description": "", "content": {}} if good is None else json_of(good)
    refusals = {code: json_of(_ERROR) for code in ("400", "401", "403", "413", "415", "422")}
    responses = {status: answer, **refusals, "404": json_of({"anyOf": [_ERROR, _GATEWAY]})}
    return {"parameters": list(parameters), "responses": responses}


def _paths() -> dict[str, Any]:
    itwins, imodels = _page("iTwins", _ITWIN), _page("iModels", _IMODEL)
    one = "/imodels/{imodel}"
    thumbnail = _operation(None, _query("size", {"enum": ["small", "large"]}))
    thumbnail["responses"]["200"]["content"] = {"image/png": {}}
    upload = _operation(None, status="201")
    picture = {"schema": {"type": "string", "format": "binary"}}
    upload["requestBody"] = {"required": True, "content": {"image/png": picture, "image/jpeg": picture}}
    paths: dict[str, Any] = {
        "/itwins": {"get": _operation(itwins, *_PAGE, *_ITWINS, _PREFER)},
        "/itwins/favorites": {"get": _operation(itwins, *_PAGE, *_ITWINS, _PREFER)},
        "/itwins/recents": {"get": _operation(itwins, *_PAGE, *_ITWINS, _PREFER)},
        "/itwins/myprimaryaccount": {"get": _operation(closed({"iTwin": _ITWIN}), _PREFER)},
        "/itwins/{itwin}": {"get": _operation(closed({"iTwin": _ITWIN}), _PREFER)},
        "/itwins/{itwin}/account": {"get": _operation(closed({"iTwin": _ITWIN}), _PREFER)},
        "/imodels": {
            "get": _operation(
                imodels,
                _query("iTwinId", GUID, required=True),
                *_PAGE,
                _SEARCH,
                _NAME,
                _query("state", {"enum": ["initialized", "notInitialized"]}),
                _ORDER,
                _PREFER,
            )
        },
        "/imodels/favorites": {"get": _operation(imodels, *_PAGE, _query("iTwinId", GUID), _PREFER)},
        "/imodels/recents": {"get": _operation(imodels, *_PAGE, _query("iTwinId", GUID), _PREFER)},
        "/imodels/favorites/{imodel}": {
            "put": _operation(None, status="204"),
            "delete": _operation(None, status="204"),
        },
        "/imodels/recents/{imodel}": {"post": _operation(None, status="204")},
        one: {"get": _operation(closed({"iModel": _IMODEL}))},
        f"{one}/thumbnail": {"get": thumbnail, "put": upload},
        f"{one}/namedversions": {
            "get": _operation(
                _page("namedVersions", _VERSION), *_PAGE, _SEARCH, _NAME, _ORDER, _PREFER,
                _query("state", {"enum": ["visible", "hidden"]}),
            )
        },
        f"{one}/namedversions/{{version}}": {"get": _operation(closed({"namedVersion": _VERSION}))},
        f"{one}/changesets": {
            "get": _operation(
                _page("changesets", _CHANGESET), *_PAGE, _ORDER, _PREFER, _query("afterIndex", WHOLE),
                _query("lastIndex", WHOLE),
            )
        },
        f"{one}/changesets/{{changeset}}": {"get": _operation(closed({"changeset": _CHANGESET}))},
        f"{one}/users": {"get": _operation(_page("users", _USER), *_PAGE, _PREFER)},
        f"{one}/users/{{user}}": {"get": _operation(closed({"user": _USER}))},
        "/.well-known/openid-configuration": {"get": _operation({"type": "object", "required": ["token_endpoint"]})},
    }  # fmt: skip
    token = _operation(
        closed({"access_token": TEXT, "expires_in": WHOLE, "token_type": {"const": "Bearer"}, "scope": TEXT})
    )
    for status in ("400", "401"):
        token["responses"][status] = json_of(closed({"error": {"pattern": "^[a-z_]+$", "type": "string"}}))
    form = {"type": "object", "properties": dict.fromkeys(("grant_type", "client_id", "client_secret", "scope"), TEXT)}
    token["requestBody"] = {"content": {"application/x-www-form-urlencoded": {"schema": form}}}
    paths["/connect/token"] = {"post": token}
    return paths


def in_path(paths: dict[str, Any]) -> dict[str, Any]:
    """``paths``, each operation with the parameters that stand in its path: texts."""
    for path, operations in paths.items():
        names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
        for operation in operations.values():
            operation["parameters"] += [
                {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
                for name in names
            ]
    return paths


def schema() -> dict[str, Any]:
    return {"openapi": "3.1.0", "info": {"title": "iTwin", "version": "1"}, "paths": in_path(_paths())}
