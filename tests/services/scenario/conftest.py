"""The emulated API and its CDN over real HTTP, and services that do not wait long between tries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ipyassets.http import loop
from ipyassets.http.secret import Secret
from ipyassets.sandbox import Sandbox
from ipyassets.services.scenario.auth import BasicKeys
from ipyassets.services.scenario.client import ScenarioService
from tests.services.calls import QUICK

Make = Callable[..., ScenarioService]


@pytest.fixture
def make(sandbox: Sandbox) -> Iterator[Make]:
    """Makes services, with the sandbox's keys unless others are given."""
    info = sandbox.connection_info()["scenario"]
    services: list[ScenarioService] = []

    def made(key: str = info["api_key"], secret: str = info["api_secret"], **options: Any) -> ScenarioService:
        service = ScenarioService(BasicKeys(Secret(key), Secret(secret)), **{"base_url": info["base_url"], **options})
        service._http.policy = service._files.policy = QUICK
        services.append(service)
        return service

    yield made
    for service in services:
        loop.run(service.close())


@pytest.fixture
def service(make: Make) -> ScenarioService:
    return make()
