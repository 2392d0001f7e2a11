"""One sandbox for all tests of a module, and callers of its Scenario API."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace

import httpx
import pytest

from ipyassets.sandbox import Sandbox
from ipyassets.sandbox.scenario import ScenarioApi


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def restored(sandbox: Sandbox) -> Iterator[Sandbox]:
    """The sandbox, whose clock and settings may be changed for one test, and whose archives are forgotten after it."""
    clock, settings = sandbox.world.clock, replace(sandbox.settings)
    yield sandbox
    sandbox.world.clock = clock
    sandbox.faults.clear()
    sandbox.archives.reset()
    for field in fields(settings):
        setattr(sandbox.settings, field.name, getattr(settings, field.name))


@pytest.fixture(scope="module")
def service(sandbox: Sandbox) -> ScenarioApi:
    return sandbox.scenario_api


@pytest.fixture(scope="module")
def root(sandbox: Sandbox) -> str:
    return f"{sandbox.origin}/scenario/v1"


@pytest.fixture(scope="module")
def http(root: str, service: ScenarioApi) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=root, auth=(service.api_key, service.api_secret)) as client:
        yield client


@pytest.fixture(scope="module")
def anyone() -> Iterator[httpx.Client]:
    """Somebody without credentials."""
    with httpx.Client() as client:
        yield client


@pytest.fixture(scope="module")
def assets(http: httpx.Client) -> list[dict]:
    """Every asset of the main project, newest first."""
    found: list[dict] = []
    params: dict[str, str] = {"pageSize": "100"}
    while True:
        page = http.get("/assets", params=params).json()
        found += page["assets"]
        if "nextPaginationToken" not in page:
            return found
        params["paginationToken"] = page["nextPaginationToken"]


@pytest.fixture(scope="module")
def one_of(assets: list[dict]) -> dict[str, dict]:
    """One asset of each kind."""
    return {asset["kind"]: asset for asset in assets}
