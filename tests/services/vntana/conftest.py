"""Clients of the emulated Admin API."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from ipyassets.clients.vntana import Vntana
from ipyassets.http import loop, tokens
from ipyassets.sandbox import Sandbox
from tests.http.conftest import Server
from tests.services.vntana.scripted import Api


@pytest.fixture
def open_client(sandbox: Sandbox) -> Iterator[Callable[..., Vntana]]:
    """Makes clients of the Admin API without a choice of organization or workspace, and closes them."""
    made: list[Vntana] = []

    def make(user: object = None, **arguments: object) -> Vntana:
        if "personal_access_token" not in arguments and "email" not in arguments:
            arguments["personal_access_token"] = (user or sandbox.vntana_api.owner).personal_access_token
        made.append(Vntana(base_url=f"{sandbox.origin}/vntana/admin", **arguments))
        return made[-1]

    yield make
    for client in made:
        client.close()
    sandbox.vntana_api.tokens.revoke_all()
    tokens._tokens.clear()  # an error's traceback may keep one alive until the collector comes by


@pytest.fixture
def vntana(open_client: Callable[..., Vntana]) -> Vntana:
    """The owner's client in the main workspace."""
    return open_client(organization="northlight-home", workspace="showroom")


@pytest.fixture
def api() -> Iterator[Api]:
    """An Admin API whose answers the test writes, and a service that asks it."""
    server = Server()
    made = Api(server)
    yield made
    loop.run(made.service.close())
    server.stop()
