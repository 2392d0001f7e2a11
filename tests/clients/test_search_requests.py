"""How many requests a search costs, counted at the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import ipyassets as ia
from ipyassets.errors import InvalidRequest
from ipyassets.http import tokens
from ipyassets.http.client import HttpClient
from ipyassets.http.messages import Answer, Call
from ipyassets.sandbox import Sandbox


@pytest.fixture(autouse=True)
def nobody_is_logged_in() -> None:
    """A token of an earlier test may be alive until the garbage collector comes by."""
    tokens._tokens.clear()


def vntana(sandbox: Sandbox) -> Any:
    return sandbox.vntana()


def vntana_public(sandbox: Sandbox) -> Any:
    return sandbox.vntana_public()


def itwin(sandbox: Sandbox) -> Any:
    return sandbox.itwin()


def scenario(sandbox: Sandbox) -> Any:
    return sandbox.scenario()


def by_name(sandbox: Sandbox) -> Any:
    """An iTwin client that knows its iTwin by name only."""
    with sandbox.itwin() as found:
        place = found.itwins()[0]
    info = sandbox.connection_info()["itwin"]
    return ia.ITwin(token=info["token"], base_url=info["base_url"], itwin=place.name)


def asked(sandbox: Sandbox) -> list[str]:
    """What was asked since the last time, without what is before and behind it."""
    seen = [f"{entry.method} {entry.path.rpartition('/')[2]}" for entry in sandbox.faults.log]
    sandbox.faults.log.clear()
    return seen


@pytest.mark.parametrize("client", [vntana, vntana_public, itwin, by_name, scenario])
def test_a_warm_search_costs_one_request(sandbox: Sandbox, client: Callable[[Sandbox], Any]):
    """An iTwin called by its name was looked up anew for each search."""
    with client(sandbox) as service:
        assert service.search()
        asked(sandbox)
        for touch in (bool, lambda found: found[0], lambda found: list(found[:5]), lambda found: found.total):
            touch(service.search("a"))
            assert len(asked(sandbox)) == 1
        if client is scenario:  # the other of its two ways to search
            assert service.search(kind="image")
            assert len(asked(sandbox)) == 1


@pytest.mark.parametrize(("client", "number"), [(vntana_public, 1), (scenario, 1), (itwin, 2)])
def test_a_cold_search_asks_for_nothing_but_its_login(sandbox: Sandbox, client: Callable[[Sandbox], Any], number: int):
    with client(sandbox) as service:
        assert service.search()
        assert len(asked(sandbox)) == number


@pytest.mark.parametrize(("user", "requests"), [("owner", 5), ("manager", 6)])
def test_a_cold_search_of_vntana_climbs_side_by_side_where_uuids_are_given(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, user: str, requests: int
):
    """Each step waited for the one before: the organization's token for the list of organizations, the search for the
    list of workspaces."""
    events: list[str] = []
    send = HttpClient.send

    async def watched(self: HttpClient, call: Call) -> Answer:
        what = call.what or ""
        events.append(what)
        answer = await send(self, call)
        events.append(f"{what} came")
        return answer

    monkeypatch.setattr(HttpClient, "send", watched)
    info = sandbox.connection_info()["vntana"]
    with ia.Vntana(
        personal_access_token=getattr(sandbox.vntana_api, user).personal_access_token,
        organization=info["organization_uuid"],
        workspace=info["workspace_uuid"],
        base_url=info["admin_url"],
    ) as client:
        assert client.search()
    at = {event: number for number, event in enumerate(events)}
    assert len(events) == 2 * requests
    assert at["a token for the organization"] < at["the list of organizations came"]
    assert at["a search"] < at["the list of workspaces came"]


def test_a_workspace_that_is_not_there_is_named_as_such_also_where_it_was_searched_at_once(sandbox: Sandbox):
    info = sandbox.connection_info()["vntana"]
    with ia.Vntana(
        personal_access_token=info["personal_access_token"],
        organization=info["organization_uuid"],
        workspace="01234567-89ab-cdef-0123-456789abcdef",
        base_url=info["admin_url"],
    ) as client:
        with pytest.raises(InvalidRequest, match=r"no workspace .* There are: "):
            bool(client.search())
        assert sandbox.faults.requests("/search")  # it was, and what came does not count
        with pytest.raises(InvalidRequest, match=r"no workspace .* There are: "):
            bool(client.search())
        assert client.search(workspace=info["workspace_uuid"])
    sandbox.faults.add("/search", status=400, count=None)
    with sandbox.vntana() as client, pytest.raises(InvalidRequest, match="a search"):
        bool(client.search())
