"""The emulated platform over real HTTP, and services that do not wait long between tries."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from ipyassets.http import loop
from ipyassets.http.secret import Secret
from ipyassets.sandbox import Sandbox
from ipyassets.services.itwin.auth import ClientCredentials, GivenToken
from ipyassets.services.itwin.client import ITwinService
from tests.services.calls import QUICK


def quick(service: ITwinService) -> ITwinService:
    service._http.policy = QUICK
    if isinstance(service._authorizer, ClientCredentials):
        service._authorizer._http.policy = QUICK
    return service


@pytest.fixture
def made() -> Iterator[list[ITwinService]]:
    services: list[ITwinService] = []
    yield services
    for service in services:
        loop.run(service.close())


@pytest.fixture
def service(sandbox: Sandbox, made: list[ITwinService]) -> ITwinService:
    """With the sandbox's lasting token, in its main iTwin."""
    info = sandbox.connection_info()["itwin"]
    authorizer = GivenToken(Secret(info["token"]))
    made.append(quick(ITwinService(authorizer, itwin=info["itwin_id"], base_url=info["base_url"])))
    return made[-1]


@pytest.fixture
def with_credentials(sandbox: Sandbox, made: list[ITwinService]) -> Callable[[], ITwinService]:
    """Makes services with the sandbox's client credentials, not logged in yet."""
    info = sandbox.connection_info()["itwin"]
    # Tokens are shared while anybody holds them, and a service of the test before may not be collected yet.
    ClientCredentials(Secret(info["client_id"]), Secret(info["client_secret"]), info["token_url"])._token.forget()

    def make(client_secret: str = info["client_secret"]) -> ITwinService:
        authorizer = ClientCredentials(Secret(info["client_id"]), Secret(client_secret), info["token_url"])
        made.append(quick(ITwinService(authorizer, itwin=info["itwin_id"], base_url=info["base_url"])))
        return made[-1]

    return make
