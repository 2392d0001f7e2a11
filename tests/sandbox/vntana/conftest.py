"""One sandbox for all tests of this folder, and callers whose every answer is held against VNTANA's own text."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest

from ipyassets.sandbox import Sandbox, Settings
from ipyassets.sandbox.vntana.accounts import Organization, User, Workspace

from . import contract
from .renders import NEVER_RENDERED


class Caller(httpx.Client):
    """An HTTP client of one of the two APIs."""

    def __init__(self, api: str, base_url: str) -> None:
        prefix = httpx.URL(base_url).path

        def check(response: httpx.Response) -> None:
            response.read()
            contract.check(api, response, response.url.path.removeprefix(prefix))

        super().__init__(base_url=base_url, event_hooks={"response": [check]}, timeout=60)
        self.api = api

    def token(self, response: httpx.Response) -> str:
        assert response.status_code == 200, response.text
        return response.headers["X-AUTH-TOKEN"]

    def login(self, user: User) -> str:
        return self.token(self.post("/v1/auth/login", json={"email": user.email, "password": user.password}))

    def refresh(self, token: str, organization: Organization, workspace: Workspace | None = None) -> str:
        headers = {"X-AUTH-TOKEN": f"Bearer {token}", "organizationUuid": organization.uuid}
        if workspace is not None:
            headers["clientUuid"] = workspace.uuid
        return self.token(self.post("/v1/auth/refresh-token", headers=headers))

    def use(self, token: str) -> Caller:
        self.headers["X-AUTH-TOKEN"] = f"Bearer {token}"
        return self

    def enter(self, user: User, organization: Organization, workspace: Workspace | None = None) -> Caller:
        """Go up the whole ladder as ``user``."""
        token = self.refresh(self.login(user), organization)
        if workspace is not None:
            token = self.refresh(token, organization, workspace)
        return self.use(token)


def code(response: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    (error,) = response.json()["errors"]
    return response.status_code, error


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[Sandbox]:
    """Its renders are drafts: nobody looks at them here."""
    with Sandbox(settings=Settings(render_quality="draft")) as running:
        yield running


@pytest.fixture
def product(sandbox: Sandbox) -> str:
    """One that was never rendered."""
    return sandbox.vntana_api.catalogue.products.uuid(NEVER_RENDERED[0])


@pytest.fixture
def others(sandbox: Sandbox) -> list[str]:
    """More of the kind."""
    return [sandbox.vntana_api.catalogue.products.uuid(index) for index in NEVER_RENDERED[1:]]


@pytest.fixture
def caller(sandbox: Sandbox) -> Iterator[Callable[[], Caller]]:
    """Makes callers of the Admin API."""
    made: list[Caller] = []

    def make() -> Caller:
        made.append(Caller("admin", sandbox.connection_info()["vntana"]["admin_url"]))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def admin(sandbox: Sandbox, caller: Callable[[], Caller]) -> Caller:
    """The owner, in the main organization."""
    return caller().enter(sandbox.vntana_api.owner, sandbox.vntana_api.organization)


@pytest.fixture
def public(sandbox: Sandbox) -> Iterator[Caller]:
    with Caller("public", sandbox.connection_info()["vntana"]["public_url"]) as each:
        yield each


@pytest.fixture
def listen(sandbox):
    """Subscribes to the events of one test."""
    bus = sandbox.vntana_api.bus
    before = list(bus._listeners)
    yield bus.subscribe
    bus._listeners[:] = before


@pytest.fixture
def events(listen):
    """Names of the events of one run, as they come."""
    heard = []
    listen(lambda name, index: heard.append((name, index)))
    return heard
