from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time

import pytest

from ipyassets.errors import AuthenticationError, BadResponse, InvalidRequest, PermissionDenied
from ipyassets.http import loop
from ipyassets.services.vntana.choosing import chosen, matching
from ipyassets.services.vntana.records import Organization

MONTH = 31 * 24 * 3600


def steps(sandbox):
    """The requests of the ladder so far, in order."""
    return [seen.path.rpartition("/v1/")[2] for seen in sandbox.faults.requests("/v1/(auth|organizations|clients)")]


@pytest.mark.parametrize("name", ["owner", "supplier"])
def test_administrators_skip_the_workspace_step(sandbox, open_client, name):
    user = getattr(sandbox.vntana_api, name)
    found = open_client(user, organization="harbour-props", workspace="outdoor").search()
    assert len(found) > 0
    assert steps(sandbox) == ["auth/login/token", "organizations", "auth/refresh-token", "clients/client-organizations"]
    assert [seen.path.rpartition("/v1/")[2] for seen in sandbox.faults.requests("/search")] == [
        "products/clients/search"
    ]


@pytest.mark.parametrize("name", ["manager", "assistant"])
def test_everybody_else_takes_a_token_of_the_workspace(sandbox, open_client, name):
    found = open_client(getattr(sandbox.vntana_api, name), workspace="Showroom").search()
    assert found.total == 87
    asked = sandbox.faults.requests("refresh-token")
    assert [("clientuuid" in seen.headers, "organizationuuid" in seen.headers) for seen in asked] == [
        (False, True),
        (True, True),
    ]
    (searched,) = sandbox.faults.requests("/search")
    assert searched.path.endswith(f"/v1/products/clients/{sandbox.vntana_api.workspace.uuid}/search")


def test_the_only_organization_and_workspace_are_taken(sandbox, open_client):
    assert open_client(sandbox.vntana_api.assistant).search().total == 87


def test_email_and_password(sandbox, open_client):
    user = sandbox.vntana_api.assistant
    assert open_client(email=user.email, password=user.password).search().total == 87
    assert steps(sandbox)[0] == "auth/login"


def test_a_viewer_may_not_search(sandbox, open_client):
    with pytest.raises(AuthenticationError, match="role does not allow") as caught:
        len(open_client(sandbox.vntana_api.viewer).search())
    assert (caught.value.status, caught.value.code) == (403, "FORBIDDEN")


@pytest.mark.parametrize("choice", ["uuid", "slug", "name"])
def test_organization_and_workspace_by_uuid_slug_or_name(sandbox, open_client, choice):
    api = sandbox.vntana_api
    client = open_client(organization=getattr(api.organization, choice), workspace=getattr(api.workspace, choice))
    assert client.search().total == 87


def test_several_organizations_without_a_choice_are_named(open_client):
    with pytest.raises(InvalidRequest, match=r"organization=.*'Northlight Home' \(northlight-home\), 'Harbour Props'"):
        len(open_client().search())


def test_several_workspaces_without_a_choice_are_named(sandbox, open_client):
    with pytest.raises(InvalidRequest, match=r"workspace=.*'Showroom' \(showroom\), 'Workshop' \(workshop\)"):
        len(open_client(sandbox.vntana_api.manager).search())


def test_administrators_without_a_choice_search_all_workspaces(open_client):
    client = open_client(organization="northlight-home")
    slugs = {asset.raw["clientSlug"] for asset in client.search(limit=5000)}
    assert {"showroom", "sortiment-deutschland", "unusual-names"} <= slugs


def test_an_unknown_organization_is_told_which_there_are(open_client):
    with pytest.raises(InvalidRequest, match=r"no organization 'acme'.*Northlight Home.*Harbour Props"):
        len(open_client(organization="acme").search())


def test_an_unknown_workspace_is_told_which_there_are(open_client):
    client = open_client(organization="harbour-props")
    with pytest.raises(InvalidRequest, match=r"no workspace 'cellar'.*'Outdoor' \(outdoor\), 'Empty shelf'"):
        len(client.search(workspace="cellar"))
    assert client.search(workspace="outdoor").total > 0


def test_a_manager_moves_between_workspaces(sandbox, open_client):
    client = open_client(sandbox.vntana_api.manager, workspace="showroom")
    assert client.search().total == 87
    assert {asset.raw["clientSlug"] for asset in client.search(workspace="workshop", limit=60)} == {"workshop"}
    assert client.search("chair").total > 0
    assert len(sandbox.faults.requests("auth/login")) == 1


def test_workspaces_are_those_of_the_organization(sandbox, open_client):
    assert [place.slug for place in open_client(sandbox.vntana_api.manager).workspaces()] == ["showroom", "workshop"]
    assert [place.slug for place in open_client(organization="harbour-props").workspaces()] == [
        "outdoor",
        "empty-shelf",
    ]


@pytest.mark.parametrize("status", [401, 403])
def test_wrong_credentials(sandbox, open_client, status):
    sandbox.settings.vntana_bad_credentials_status = status
    client = open_client(personal_access_token="not-the-token")
    with pytest.raises(AuthenticationError, match=r"the login.*BAD_CREDENTIALS.*personal access token") as caught:
        len(client.search())
    assert (caught.value.status, caught.value.code) == (status, "BAD_CREDENTIALS")
    assert "not-the-token" not in str(caught.value)


def test_a_refused_login_is_not_repeated_for_every_request(sandbox, open_client):
    client = open_client(email="ada@northlight-home.example", password="wrong")
    for _ in range(5):
        with pytest.raises(AuthenticationError):
            client.asset("00000000-0000-0000-0000-000000000000")
    assert len(sandbox.faults.requests("auth/login")) == 1


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("name", ["owner", "manager"])
def test_an_expired_token_is_renewed_once(sandbox, open_client, status, name):
    sandbox.settings.vntana_expired_token_status = status
    user = getattr(sandbox.vntana_api, name)
    client = open_client(user, organization="northlight-home", workspace="showroom")
    assert client.search().total == 87
    sandbox.world.clock = lambda: time.time() + MONTH
    assert client.search("chair").total == 11
    assert len(sandbox.faults.requests("auth/login")) == 2
    searches = sandbox.faults.requests("/search")
    assert [seen.status for seen in searches] == [200, status, 200]


def test_a_revoked_token_costs_one_login_for_a_whole_batch(sandbox, vntana):
    chairs = vntana.search("chair")
    assert len(chairs) == 11
    sandbox.vntana_api.tokens.revoke_all()
    assert chairs.posters(width=64).failures == []
    assert len(sandbox.faults.requests("auth/login")) == 2


def test_one_token_at_a_time_is_enough(sandbox, open_client):
    sandbox.settings.vntana_single_token = True
    first = open_client(sandbox.vntana_api.manager, workspace="showroom")
    second = open_client(sandbox.vntana_api.manager, workspace="workshop")
    for _ in range(2):
        assert first.search().total == 87
        assert second.search(status="APPROVED").total > 0


def test_still_forbidden_after_one_login_is_an_authentication_error(sandbox, vntana):
    vntana.workspaces()
    refuse = {"success": False, "errors": ["FORBIDDEN"], "response": None}
    sandbox.faults.add("/search", status=403, body=refuse, count=None)
    with pytest.raises(AuthenticationError, match=r"a search.*FORBIDDEN"):
        len(vntana.search())
    assert len(sandbox.faults.requests("/search")) == 2


def test_two_processes_with_one_account_do_not_fail_each_other(sandbox):
    """Each new token ends that of the other process; a third of the posters failed when two notebooks were open."""
    code = (
        "import ipyassets as ia; ia.cache.enabled = False\n"
        "with ia.Vntana() as v: print(sum(len(v.search().posters(width=w).failures) for w in (90, 91, 92)))"
    )
    environment = {**os.environ, **sandbox.environment()}
    running = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert [process.communicate(timeout=120)[0] for process in running] == ["0\n", "0\n"]


def test_another_loop_need_not_wait_for_one_that_may_be_gone(api, monkeypatch):
    """A child forked while the organization was being chosen waited for ever: the lock stayed held."""
    ladder, asked = api.service._ladder, threading.Event()
    send = ladder._http.send

    async def stuck(call: object) -> None:
        del call
        asked.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patched:
        patched.setattr(ladder._http, "send", stuck)
        waiting = loop.submit(ladder.organization())
        assert asked.wait(10)
    assert ladder._http.send == send

    async def elsewhere() -> Organization:
        try:
            async with asyncio.timeout(10):
                return await ladder.organization()
        finally:
            await ladder._http._exchange.drop()

    assert asyncio.run(elsewhere()).slug == "org"
    waiting.cancel()


def test_a_token_in_any_answer_is_adopted(sandbox, vntana):
    vntana.workspaces()
    api = sandbox.vntana_api
    newer = api.tokens.issue(api.owner, api.organization)
    sandbox.faults.add(
        "client-organizations", kind="wrong_content", headers={"X-AUTH-TOKEN": newer.text}, body=WORKSPACES
    )
    api.tokens._live[_older(vntana)] = newer  # the older token still opens, until the newer one is seen
    vntana.workspaces()
    assert vntana.search().total == 87
    tokens = [seen.headers["x-auth-token"] for seen in sandbox.faults.requests("client-organizations|/search")]
    assert tokens[0] == tokens[1] != tokens[2]
    assert len(sandbox.faults.requests("auth/login")) == 1


def test_what_cannot_be_a_token_is_not_adopted(sandbox, vntana):
    """It stayed, could not be sent, and every later request of the client was refused before it was sent."""
    vntana.workspaces()
    headers = {"X-AUTH-TOKEN": "t\u00f6ken"}
    sandbox.faults.add("client-organizations", kind="wrong_content", headers=headers, body=WORKSPACES)
    vntana.workspaces()
    assert vntana.search().total == 87


def _older(client):
    (scope,) = client.core._ladder._scopes.values()
    return scope.token.peek().reveal()


WORKSPACES = '{"success": true, "errors": [], "response": {"totalCount": 0, "grid": []}}'


def test_two_clients_share_one_login(sandbox, open_client):
    first, second = (open_client(organization=choice) for choice in ("northlight-home", "Northlight Home"))
    assert first.search(workspace="showroom").total == second.search(workspace="showroom").total
    assert len(sandbox.faults.requests("auth/login")) == 1
    assert len(sandbox.faults.requests("refresh-token")) == 1


def test_closing_one_client_leaves_the_other_logged_in(sandbox, open_client):
    first, second = (open_client(organization="northlight-home") for _ in range(2))
    assert len(first.workspaces()) == len(second.workspaces()) == 5
    first.close()
    first.close()
    assert second.search(workspace="showroom").total == 87
    assert len(sandbox.faults.requests("auth/login")) == 1


def test_logout_ends_the_tokens_and_the_next_request_logs_in(sandbox, vntana):
    assert vntana.search().total == 87
    vntana.logout()
    assert sandbox.vntana_api.tokens._live == {}
    assert vntana.search("chair").total == 11
    assert len(sandbox.faults.requests("auth/login")) == 2


def test_logout_ends_the_other_tokens_where_one_cannot_be_ended(sandbox, vntana):
    """The first token that the service could not be told of left the others alive, and in use."""
    assert vntana.search().total == 87
    alive = len(sandbox.vntana_api.tokens._live)
    sandbox.faults.add("auth/logout", status=400)
    with pytest.raises(InvalidRequest):
        vntana.logout()
    assert len(sandbox.vntana_api.tokens._live) == 1 < alive
    assert vntana.search("chair").total == 11
    assert len(sandbox.faults.requests("auth/login")) == 2


def test_logout_of_tokens_that_ended_already(sandbox, vntana):
    vntana.workspaces()
    sandbox.vntana_api.tokens.revoke_all()
    vntana.logout()
    vntana.logout()
    assert len(vntana.workspaces()) == 5


def test_a_role_we_do_not_know_tries_the_workspace_step(sandbox, open_client):
    api = sandbox.vntana_api
    rows = [
        {"uuid": api.organization.uuid, "slug": "northlight-home", "name": "Northlight Home", "role": "SOMETHING_NEW"}
    ]
    body = {"success": True, "errors": [], "response": {"totalCount": 1, "grid": rows}}
    sandbox.faults.add("/v1/organizations", status=200, body=body, count=None)
    for user in (api.owner, api.manager):  # one who must skip the step, one who must take it
        assert open_client(user, workspace="showroom").search().total == 87


def test_an_account_without_organizations(sandbox, open_client):
    body = {"success": True, "errors": [], "response": {"totalCount": 0, "grid": []}}
    sandbox.faults.add("/v1/organizations", status=200, body=body, count=None)
    with pytest.raises(PermissionDenied, match="no organization"):
        len(open_client().search())


@pytest.mark.parametrize(
    ("headers", "response"),
    [
        ({}, {"token": "Bearer {}"}),
        ({}, {"session": {"accessToken": "{}"}}),
        ({"X-AUTH-TOKEN": "Bearer {}"}, {"email": "ada@northlight-home.example"}),
    ],
)
def test_other_places_of_the_login_token(sandbox, open_client, headers, response):
    api = sandbox.vntana_api
    token = api.tokens.issue(api.owner).text
    filled = {
        key: value.format(token) if isinstance(value, str) else {k: v.format(token) for k, v in value.items()}
        for key, value in response.items()
    }
    body = {"success": True, "errors": [], "response": filled}
    sandbox.faults.add(
        "auth/login", status=200, headers={key: value.format(token) for key, value in headers.items()}, body=body
    )
    assert len(open_client(organization="northlight-home").workspaces()) == 5


@pytest.mark.parametrize("more", [{}, {"token": "two words"}, {"token": "t\u00f6ken"}])
def test_a_login_without_a_token_is_a_bad_response(sandbox, open_client, more):
    body = {"success": True, "errors": [], "response": {"email": "ada@northlight-home.example", **more}}
    sandbox.faults.add("auth/login", status=200, body=body)
    with pytest.raises(BadResponse, match="without a token in its X-AUTH-TOKEN header"):
        open_client().workspaces()


def test_concurrent_first_requests_log_in_once(sandbox, vntana):
    import asyncio

    async def both():
        return await asyncio.gather(*(vntana.core.search(text).page(0) for text in ("chair", "table", "lamp")))

    assert all(page.records for page in loop.run(both()))
    assert len(sandbox.faults.requests("auth/login")) == 1
    assert len(sandbox.faults.requests("/v1/organizations")) == 1
    assert len(sandbox.faults.requests("refresh-token")) == 1


def test_choice_prefers_uuid_to_slug_to_name_and_exact_to_any_case():
    places = [Organization("1", "Chairs", "tables"), Organization("2", "tables", "chairs"), Organization("3", "x", "X")]
    assert chosen(places, "tables", "organization").id == "1"
    assert chosen(places, "Chairs", "organization").id == "1"
    assert chosen(places, "TABLES", "organization").id == "1"
    assert [place.id for place in matching(places, "x")] == ["3"]


def test_a_name_that_two_have_is_refused():
    places = [Organization("1", "Shop", "shop-a"), Organization("2", "Shop", "shop-b")]
    with pytest.raises(InvalidRequest, match=r"use the slug.*shop-a.*shop-b"):
        chosen(places, "shop", "workspace")


def test_a_workspace_made_since_is_found(sandbox, vntana):
    sandbox.faults.add("client-organizations", kind="wrong_content", body=WORKSPACES)
    assert vntana.search().total == 87
    assert [seen.status for seen in sandbox.faults.requests("client-organizations")] == [200, 200]
