from __future__ import annotations

import asyncio
import pickle
import re
import traceback

import pytest

from ipyassets.clients.vntana import AsyncVntana, Vntana
from ipyassets.clients.vntana_public import AsyncVntanaPublic
from ipyassets.errors import AuthenticationError, InvalidRequest, NotFound
from ipyassets.http import credentials


def at_prompt(monkeypatch, answer):
    asked = []
    monkeypatch.setattr(credentials, "person_at_prompt", lambda: True)
    monkeypatch.setattr(credentials.getpass, "getpass", lambda label: asked.append(label) or answer)
    return asked


def test_everything_from_the_environment(sandbox, monkeypatch):
    for name, value in sandbox.environment().items():
        monkeypatch.setenv(name, value)
    with Vntana() as client:
        assert client.search().total == 87
        assert client.base_url == f"{sandbox.origin}/vntana/admin"


def test_email_and_password_from_the_environment(sandbox, monkeypatch):
    user = sandbox.vntana_api.assistant
    monkeypatch.setenv("VNTANA_EMAIL", user.email)
    monkeypatch.setenv("VNTANA_PASSWORD", user.password)
    with Vntana(base_url=f"{sandbox.origin}/vntana/admin") as client:
        assert client.search().total == 87
    assert Vntana.from_environment() is not None


def test_an_argument_goes_before_the_environment(sandbox, monkeypatch):
    user = sandbox.vntana_api.assistant
    monkeypatch.setenv("VNTANA_PERSONAL_ACCESS_TOKEN", "of somebody else")
    with Vntana(email=user.email, password=user.password, base_url=f"{sandbox.origin}/vntana/admin") as client:
        assert client.search().total == 87


def test_the_keyring(sandbox, monkeypatch):
    stored = {"VNTANA_PERSONAL_ACCESS_TOKEN": sandbox.vntana_api.assistant.personal_access_token}
    monkeypatch.setattr(
        "keyring.get_password", lambda service, name: stored.get(name) if service == "ipyassets" else None
    )
    with Vntana(base_url=f"{sandbox.origin}/vntana/admin") as client:
        assert client.search().total == 87


def test_a_person_is_asked_for_the_token(sandbox, monkeypatch):
    asked = at_prompt(monkeypatch, sandbox.vntana_api.assistant.personal_access_token)
    with Vntana(base_url=f"{sandbox.origin}/vntana/admin") as client:
        assert client.search().total == 87
    assert asked == ["VNTANA personal access token: "]


def test_a_person_is_asked_for_the_password(sandbox, monkeypatch):
    """The question named the account, and front ends keep questions in the notebook."""
    user = sandbox.vntana_api.assistant
    asked = at_prompt(monkeypatch, user.password)
    with Vntana(email=user.email, base_url=f"{sandbox.origin}/vntana/admin") as client:
        assert client.search().total == 87
    assert asked == ["VNTANA password (for VNTANA_EMAIL): "]


def test_without_credentials_and_without_a_person(monkeypatch):
    with pytest.raises(AuthenticationError, match=r"VNTANA_PERSONAL_ACCESS_TOKEN.*VNTANA_EMAIL.*Sandbox"):
        Vntana()
    with pytest.raises(AuthenticationError, match="VNTANA_PASSWORD"):
        Vntana(email="ada@northlight-home.example")
    assert Vntana.from_environment() is None


def test_a_search_in_what_is_no_text_is_refused():
    """It was "AttributeError: 'int' object has no attribute 'strip'", and only when the list was touched."""
    client = Vntana("token")
    for keyword in ("workspace", "sort"):
        with pytest.raises(InvalidRequest, match=f"{keyword} must be a str, not int"):
            client.search("chair", **{keyword: 5})


def test_a_base_url_that_is_none():
    with pytest.raises(InvalidRequest, match="base_url must start with http"):
        Vntana("token", base_url="api-platform.vntana.com")


def test_a_client_shows_and_pickles_no_secret():
    client = Vntana("the-token", organization="northlight-home")
    assert "the-token" not in repr(client) + repr(vars(client)) + repr(vars(client.core))
    with pytest.raises(TypeError, match="credentials"):
        pickle.dumps(client)


@pytest.mark.parametrize("service", ["vntana", "itwin", "scenario"])
def test_a_traceback_with_its_local_variables_shows_no_credential(sandbox, service):
    """IPython's ``%xmode Verbose`` printed the headers that were sent, and a saved notebook then held the token."""
    with getattr(sandbox, service)() as client, pytest.raises(NotFound) as caught:
        client.asset("00000000-0000-4000-8000-000000000000")
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    text = "".join(shown.format())
    assert "client = <" in text, "it shows no local variables"
    assert "http/client.py" not in text, "the variables of our own are in it"
    assert not re.search(r"(Bearer|Basic) \w{8}", text)


def test_a_closed_client_says_so(sandbox):
    client = sandbox.vntana()
    assert client.search().total == 87
    client.close()
    client.close()
    with pytest.raises(InvalidRequest, match="closed"):
        len(client.search())


def test_abilities(sandbox):
    with sandbox.vntana() as client:
        assert "search" in client.capabilities
        assert "poster" in client.capabilities
        assert "render" in client.capabilities
        assert "events" in client.capabilities
        assert "archive" not in client.capabilities
        assert client.capabilities.workspaces == "Workspace"
        assert {choice.value for choice in client.capabilities.sorts} >= {"name", "-created", "-updated"}


async def test_async(sandbox):
    info = sandbox.connection_info()["vntana"]
    async with AsyncVntana(
        info["personal_access_token"],
        organization=info["organization_slug"],
        workspace=info["workspace_slug"],
        base_url=info["admin_url"],
    ) as client:
        chairs = client.search("chair")
        names = [asset.name async for asset in chairs]
        assert len(names) == chairs.total == 11
        first = await chairs.get(0)
        assert await client.asset(first.id) == first
        ids = (first.id, first.raw["clientUuid"], first.raw["asset"]["thumbnailBlobId"])
        images = await asyncio.gather(client.poster(*ids, width=64), first.poster(width=64))
        assert [max(image.size) for image in images] == [64, 64]
        assert (await client.poster_bytes(*ids))[:4] == b"\x89PNG"
        assert "showroom" in {place.slug for place in await client.workspaces()}
        await client.logout()
        assert (await chairs[:2].posters(width=64)).failures == []


async def test_async_public(sandbox):
    info = sandbox.connection_info()["vntana"]
    async with AsyncVntanaPublic(
        info["organization_slug"], info["workspace_slug"], base_url=info["public_url"]
    ) as client:
        found = client.search("chair")
        assert len([asset async for asset in found]) == 10
        assert (await (await found.get(0)).poster(width=64)).width <= 64
