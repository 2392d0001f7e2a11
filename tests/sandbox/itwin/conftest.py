"""One sandbox for all tests of this folder, and callers of its iTwin Platform."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from ipyassets.sandbox import Sandbox
from ipyassets.sandbox.itwin import ITwinApi


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def platform(sandbox: Sandbox) -> ITwinApi:
    return sandbox.itwin_api


@pytest.fixture(scope="module")
def root(sandbox: Sandbox) -> str:
    return f"{sandbox.origin}/itwin"


@pytest.fixture(scope="module")
def http(root: str, platform: ITwinApi) -> Iterator[httpx.Client]:
    """A caller with the token that does not expire."""
    with httpx.Client(base_url=root, headers={"Authorization": f"Bearer {platform.token}"}) as client:
        yield client


@pytest.fixture(scope="module")
def imodels(http: httpx.Client, platform: ITwinApi) -> list[dict]:
    """All iModels of the main iTwin, in full, in the order they are listed."""
    response = http.get("/imodels", params={"iTwinId": platform.itwin_id}, headers={"Prefer": "return=representation"})
    assert response.status_code == 200
    return response.json()["iModels"]
