"""The sandbox against its OpenAPI texts: whatever is asked, a documented answer comes, of the documented shape."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from ipyassets.sandbox import Sandbox, Settings
from tests.sandbox.schemas import itwin, scenario, vntana

CHECKS: Any = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SCHEMAS = {
    "admin": vntana.schema("admin"),
    "public": vntana.schema("public"),
    "itwin": itwin.schema(),
    "scenario": scenario.schema(),
}
OPERATIONS = [
    pytest.param(api, path, method, id=f"{api} {method.upper()} {path}")
    for api, schema in SCHEMAS.items()
    for path, operations in schema["paths"].items()
    for method in operations
]
COSTLY = {"/v1/products/renders", "/v1/products/regenerate-thumbnails", "/v1/products/reconvert", "/v1/products/status"}
"""Calls that begin work, or take products off the shelf: they are asked with ids of nothing."""
FEW, MANY = 4, 100
"""Requests to each call: in CI, and with ``--hypothesis-profile=deep``."""


@dataclass
class Api:
    """One of the four, with credentials and the ids of what there is."""

    base_url: str
    schema: Any
    headers: dict[str, str] = field(default_factory=dict)
    ids: dict[str, list[str]] = field(default_factory=dict)
    session: requests.Session = field(default_factory=requests.Session)


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox(settings=Settings(archive_queue_time=0, archive_work_time=0)) as sandbox:
        yield sandbox


@pytest.fixture
def api(running: Sandbox, request: pytest.FixtureRequest) -> Iterator[Api]:
    """The API of the test's own parameter, as new."""
    made = {"admin": _admin, "public": _public, "itwin": _itwin, "scenario": _scenario}[request.param](running)
    yield made
    made.session.close()
    running.reset()


def _admin(sandbox: Sandbox) -> Api:
    info = sandbox.connection_info()["vntana"]
    with sandbox.vntana() as vntana:
        some = list(vntana.search("", limit=5))
    # Last: a later login of the same account would end the token.
    with httpx.Client(base_url=info["admin_url"], timeout=60) as http:

        def token(path: str, **options: Any) -> str:
            return http.post(path, **options).raise_for_status().headers["X-AUTH-TOKEN"]

        found = token("/v1/auth/login", json={"email": info["email"], "password": info["password"]})
        headers = {"X-AUTH-TOKEN": f"Bearer {found}", "organizationUuid": info["organization_uuid"]}
        found = token("/v1/auth/refresh-token", headers=headers)
        headers["X-AUTH-TOKEN"] = f"Bearer {found}"
        http.get("/v1/clients/client-organizations", headers=headers).raise_for_status()
    products = [asset.id for asset in some]
    ids = {
        **dict.fromkeys(("uuid", "productUuid"), products),
        **{key: [info["workspace_uuid"]] for key in ("clientUuid", "clientUuids")},
        **{key: [asset.raw["asset"]["thumbnailBlobId"] for asset in some] for key in ("blobId", "thumbnailBlobId")},
        "organizationUuid": [info["organization_uuid"]],
        "email": [info["email"]],
        "password": [info["password"]],
        "personalAccessToken": [info["personal_access_token"]],
    }
    return Api(info["admin_url"], _loaded("admin"), headers, ids)


def _public(sandbox: Sandbox) -> Api:
    info = sandbox.connection_info()["vntana"]
    with sandbox.vntana_public() as public:
        some = list(public.search("", limit=5))
    ids = {
        **{key: [asset.id for asset in some] for key in ("uuid", "productUuid")},
        "thumbnailUuid": [asset.raw["asset"]["thumbnailBlobId"] for asset in some],
        "organizationSlug": [info["organization_slug"]],
        "clientSlug": [info["workspace_slug"]],
    }
    return Api(info["public_url"], _loaded("public"), {}, ids)


def _itwin(sandbox: Sandbox) -> Api:
    info = sandbox.connection_info()["itwin"]
    with sandbox.itwin() as itwin:
        imodels = [asset.id for asset in itwin.search("", page_size=5)[:5]]
    ids = {
        **{key: [info["itwin_id"]] for key in ("itwin", "iTwinId", "parentId")},
        "imodel": imodels,
        "changeset": ["1"],
        "client_id": [info["client_id"]],
        "client_secret": [info["client_secret"]],
        "grant_type": ["client_credentials"],
    }
    return Api(info["base_url"], _loaded("itwin"), {"Authorization": f"Bearer {info['token']}"}, ids)


def _scenario(sandbox: Sandbox) -> Api:
    info = sandbox.connection_info()["scenario"]
    authorization = requests.auth._basic_auth_str(info["api_key"], info["api_secret"])
    with sandbox.scenario() as scenario:
        some = list(scenario.search("", limit=8))
        collections = [one.id for one in scenario.collections()]
    assets = [asset.id for asset in some]
    ids = {
        **dict.fromkeys(("asset", "image", "parentAssetId"), assets),
        **dict.fromkeys(("assetIds", "like", "unlike"), assets),
        **dict.fromkeys(("collection", "collectionId"), collections),
        **{key: [asset.attributes.get("model", "model_x") for asset in some] for key in ("model", "modelId")},
        "fileNameTemplate": ["<prompt>/<id>", "<id>"],
    }
    return Api(info["base_url"], _loaded("scenario"), {"Authorization": authorization}, ids)


def _loaded(name: str) -> Any:
    return schemathesis.openapi.from_dict(SCHEMAS[name])


@pytest.mark.parametrize(("api", "path", "method"), OPERATIONS, indirect=["api"])
def test_whatever_is_asked_the_answer_is_a_documented_one(api: Api, path: str, method: str):
    operation = api.schema[path][method]
    modes = [operation.as_strategy(generation_mode=GenerationMode.POSITIVE)]
    if operation.definition.raw.get("parameters") or "requestBody" in operation.definition.raw:
        modes.append(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    ids = {} if path in COSTLY else api.ids

    @settings(max_examples=FEW if settings.default.max_examples < 1000 else MANY)
    @given(st.one_of(modes), st.data())
    def asked(case: Any, data: st.DataObject) -> None:
        _made_real(case, ids, data)
        response = case.call(base_url=api.base_url, headers=api.headers, session=api.session, timeout=60)
        case.validate_response(response, checks=CHECKS)

    asked()


def _made_real(case: Any, ids: dict[str, list[str]], data: st.DataObject) -> None:
    """Put ids of what there is in the place of some: at random nobody would hit one."""
    waiting: list[Any] = [case.path_parameters, case.query, case.body]
    while waiting:
        holder = waiting.pop()
        if not isinstance(holder, dict):
            continue
        for name, value in holder.items():
            if isinstance(value, dict):
                waiting.append(value)
            elif name in ids and data.draw(st.booleans(), label=f"a real {name}"):
                real = data.draw(st.sampled_from(ids[name]), label=name)
                holder[name] = [real] if isinstance(value, list) else real
