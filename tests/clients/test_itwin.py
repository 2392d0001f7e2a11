from __future__ import annotations

import pickle
from collections.abc import Iterator

import pytest

from ipyassets.clients.itwin import AsyncITwin, ITwin
from ipyassets.collections.asset_list import AssetList
from ipyassets.errors import AuthenticationError, InvalidRequest, NotFound
from ipyassets.http import credentials
from ipyassets.sandbox import Sandbox
from ipyassets.services.itwin.auth import ClientCredentials, GivenToken


@pytest.fixture
def itwin(sandbox: Sandbox) -> Iterator[ITwin]:
    with sandbox.itwin() as client:
        yield client


def test_search_to_posters(itwin: ITwin) -> None:
    houses = itwin.search("house", sort="name", page_size=1)
    assert isinstance(houses, AssetList)
    assert len(houses) > 1
    assert houses.total is None
    assert houses[0].kind == "imodel"
    assert houses[0].poster().size == (400, 250)
    assert houses[0].poster(size="large").size == (800, 500)
    assert houses[0].poster(512).size == (512, 320)
    assert len(itwin.search("house", limit=1)) == 1
    batch = houses[:2].posters(width=200)
    assert [image.size for image in batch.images if image] == [(200, 125)] * 2


def test_one_asset(itwin: ITwin) -> None:
    first = itwin.search()[0]
    assert itwin.asset(first.id) == first
    assert itwin.asset(first.id).raw["iTwinId"]
    with pytest.raises(NotFound):
        itwin.asset("00000000-0000-4000-8000-000000000000")


def test_itwins_are_workspaces(itwin: ITwin) -> None:
    places = itwin.itwins()
    assert places == itwin.workspaces()
    assert itwin.capabilities.workspaces == "iTwin"
    other = [asset.id for asset in itwin.search(workspace=places[1].id)]
    assert not set(other) & {asset.id for asset in itwin.search()}


def test_abilities_and_address(sandbox: Sandbox, itwin: ITwin) -> None:
    assert itwin.base_url == f"{sandbox.origin}/itwin"
    assert "search" in itwin.capabilities
    assert "poster" in itwin.capabilities
    assert "render" not in itwin.capabilities


def test_unknown_keyword_is_refused_at_once(itwin: ITwin) -> None:
    with pytest.raises(InvalidRequest, match="stat"):
        itwin.search(stat="initialized")  # type: ignore[call-arg]


async def test_awaited(sandbox: Sandbox) -> None:
    info = sandbox.connection_info()["itwin"]
    async with AsyncITwin(info["token"], itwin=info["itwin_id"], base_url=info["base_url"]) as itwin:
        found = itwin.search("house")
        names = [asset.name async for asset in found]
        assert len(names) > 1
        first = (await found.page(0))[0]
        assert (await first.poster(size="large")).size == (800, 500)
        assert (await itwin.asset(first.id)) == first
        assert await itwin.itwins() == await itwin.workspaces()


# -- where the credentials come from ----------------------------------------------------------------------------------


def test_from_the_environment(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in sandbox.environment().items():
        if name.startswith("ITWIN_"):
            monkeypatch.setenv(name, value)
    with ITwin() as itwin:
        assert isinstance(itwin.core._authorizer, ClientCredentials)
        assert len(itwin.search("house")) > 1
    monkeypatch.setenv("ITWIN_ACCESS_TOKEN", sandbox.connection_info()["itwin"]["token"])
    with ITwin() as itwin:
        assert isinstance(itwin.core._authorizer, GivenToken)
        assert len(itwin.search("house")) > 1


def test_arguments_come_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ITWIN_ACCESS_TOKEN", "from.environment")
    monkeypatch.setenv("ITWIN_BASE_URL", "https://qa-api.bentley.com")
    with ITwin(client_id="me", client_secret="secret") as itwin:
        assert isinstance(itwin.core._authorizer, ClientCredentials)
        assert itwin.base_url == "https://qa-api.bentley.com"
    with ITwin("token", base_url="https://dev-api.bentley.com/") as itwin:
        assert itwin.core._authorizer._headers == {"Authorization": "Bearer token"}
        assert itwin.base_url == "https://dev-api.bentley.com"


def test_defaults() -> None:
    with ITwin(client_id="me", client_secret="secret") as itwin:
        assert itwin.base_url == "https://api.bentley.com"
        assert itwin.core._authorizer._url == "https://ims.bentley.com/connect/token"


def test_without_credentials() -> None:
    with pytest.raises(AuthenticationError, match=r"ITWIN_ACCESS_TOKEN.*ITWIN_CLIENT_SECRET"):
        ITwin()
    with pytest.raises(AuthenticationError, match="client_secret"):
        ITwin(client_id="me")


def test_a_person_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(credentials, "person_at_prompt", lambda: True)
    monkeypatch.setattr(credentials.getpass, "getpass", lambda text: asked.append(text) or "typed")
    with ITwin() as itwin:
        assert itwin.core._authorizer._headers == {"Authorization": "Bearer typed"}
    with ITwin(client_id="me") as itwin:
        assert isinstance(itwin.core._authorizer, ClientCredentials)
    assert asked == ["Bentley iTwin access token: ", "iTwin client secret (for ITWIN_CLIENT_ID): "]


def test_secrets_are_not_shown(sandbox: Sandbox, itwin: ITwin) -> None:
    info = sandbox.connection_info()["itwin"]
    found = itwin.search("house")
    shown = f"{itwin!r} {found!r} {found[0]!r} {found[0].attributes!r} {itwin.core!r}"
    assert info["client_secret"] not in shown
    assert info["token"] not in shown
    with pytest.raises(TypeError, match="credentials"):
        pickle.dumps(itwin)


def test_a_closed_client_says_so(sandbox: Sandbox) -> None:
    itwin = sandbox.itwin()
    assert itwin.itwins()
    itwin.close()
    itwin.close()
    with pytest.raises(InvalidRequest, match="closed"):
        itwin.itwins()
