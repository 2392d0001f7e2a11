"""The token endpoint, and what a bearer token is worth."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from urllib.parse import quote_plus

import httpx
import pytest

from ipyassets.sandbox import Sandbox
from ipyassets.sandbox.itwin import ITwinApi

FORM = {"grant_type": "client_credentials", "scope": "itwin-platform"}


@pytest.fixture(autouse=True)
def real_clock(sandbox: Sandbox) -> Iterator[None]:
    before = sandbox.world.clock
    yield
    sandbox.world.clock = before


def ask(root: str, form: dict[str, str], **kwargs) -> httpx.Response:
    return httpx.post(f"{root}/connect/token", data=form, **kwargs)


def use(root: str, platform: ITwinApi, token: str) -> httpx.Response:
    return httpx.get(f"{root}/itwins/{platform.itwin_id}", headers={"Authorization": f"Bearer {token}"})


def test_credentials_in_the_form(root: str, platform: ITwinApi) -> None:
    response = ask(root, {**FORM, "client_id": platform.client_id, "client_secret": platform.client_secret})
    answer = response.json()
    assert response.status_code == 200
    assert (answer["expires_in"], answer["token_type"], answer["scope"]) == (3600, "Bearer", "itwin-platform")
    assert "refresh_token" not in answer
    assert use(root, platform, answer["access_token"]).status_code == 200


def test_credentials_as_basic_of_percent_encoded_values(root: str, platform: ITwinApi) -> None:
    pair = f"{quote_plus(platform.client_id)}:{quote_plus(platform.client_secret)}"
    header = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    assert ask(root, FORM, headers=header).status_code == 200


def test_token_expires_by_the_clock(sandbox: Sandbox, root: str, platform: ITwinApi) -> None:
    token = ask(root, FORM, auth=(platform.client_id, platform.client_secret)).json()["access_token"]
    now = sandbox.world.clock()
    sandbox.world.clock = lambda: now + 3590
    assert use(root, platform, token).status_code == 200
    sandbox.world.clock = lambda: now + 3610
    response = use(root, platform, token)
    assert (response.status_code, response.json()["error"]["code"]) == (401, "InvalidToken")
    assert use(root, platform, platform.token).status_code == 200, "the well-known token lives on"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "invalid_request"),
        ({"scope": "openid itwin-platform"}, "invalid_scope"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "someone"}, "invalid_client"),
    ],
)
def test_refusals(root: str, platform: ITwinApi, form: dict[str, str], error: str) -> None:
    good = {**FORM, "client_id": platform.client_id, "client_secret": platform.client_secret}
    response = ask(root, good | form)
    assert (response.status_code, response.json()) == (400, {"error": error})


def test_wrong_basic_is_401(root: str, platform: ITwinApi) -> None:
    response = ask(root, FORM, auth=(platform.client_id, "wrong"))
    assert (response.status_code, response.json()) == (401, {"error": "invalid_client"})


def test_discovery_leads_to_the_token_endpoint(root: str) -> None:
    answer = httpx.get(f"{root}/.well-known/openid-configuration").json()
    assert answer["token_endpoint"] == f"{root}/connect/token"


@pytest.mark.parametrize("path", ["/imodels", "/itwins", "/imodels/favorites", "/itwins/x", "/imodels/x/thumbnail"])
def test_every_path_wants_a_token(root: str, platform: ITwinApi, path: str) -> None:
    missing = httpx.get(root + path)
    assert (missing.status_code, missing.json()["error"]["code"]) == (401, "HeaderNotFound")
    for value in ("Bearer x", "Bearer a.b.c", f"Basic {platform.token}", f"Bearer {platform.token}x", "Bearer"):
        wrong = httpx.get(root + path, headers={"Authorization": value})
        assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "InvalidToken")
