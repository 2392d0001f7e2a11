"""The emulated API and its CDN over real HTTP, and services that do not wait long between tries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ipyassets.http import loop
from ipyassets.http.retry import RetryPolicy
from ipyassets.http.secret import Secret
from ipyassets.sandbox import Sandbox
from ipyassets.services.base import Page, PosterSource, Record, Search, Served
from ipyassets.services.scenario.auth import BasicKeys
from ipyassets.services.scenario.client import ScenarioService

QUICK = RetryPolicy(attempts=3, first=0.001, longest=0.002, retry_after_limit=0.2)


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Iterator[Sandbox]:
    shared_sandbox.faults.log.clear()
    yield shared_sandbox
    shared_sandbox.faults.clear()


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


def walk(search: Search) -> list[Page]:
    """All pages: by cursor, or by number up to the first that is empty."""

    async def go() -> list[Page]:
        pages = [await search.page(0)]
        while pages[-1].records if search.random_access else pages[-1].next is not None:
            pages.append(await search.page(len(pages), pages[-1].next))
        return pages

    return loop.run(go())


def records(search: Search) -> list[Record]:
    return [record for page in walk(search) for record in page.records]


def fetch(source: PosterSource | None) -> Served:
    assert source is not None

    async def go() -> Served:
        return await source.fetch()

    return loop.run(go())
