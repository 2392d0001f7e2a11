from __future__ import annotations

import json
import pickle

import pytest

from ipyassets.errors import AssetServiceError, BadResponse, InvalidRequest, NotFound, ServiceUnavailable
from ipyassets.http import loop
from ipyassets.services.vntana.webhooks import webhook
from tests.http.conftest import answer
from tests.services.vntana.scripted import ORGANIZATION, refusal

URL = "http://127.0.0.1:9/hooks/vntana"
CATALOGUE = {
    "totalCount": 2,
    "grid": [
        {
            "category": "Renders",
            "uuid": "c1",
            "events": [
                {"name": "renders.completed", "description": "Done", "uuid": "e1"},
                {"name": "renders.failed", "description": "Not done", "uuid": "e2"},
            ],
        },
        {"category": "Conversion", "uuid": "c2", "events": [{"name": "asset.completed", "uuid": "e3"}]},
    ],
}
ROW = {
    "uuid": "h1",
    "name": "Mine",
    "url": URL,
    "secret": "canary-secret",
    "disable": False,
    "description": "For the wall",
    "userEmail": "a@b.example",
    "organizationUuid": ORGANIZATION,
    "clients": ["shop"],
    "events": CATALOGUE,
    "created": "2026-01-29T16:35:59.000",
    "future": {"field": 1},
}


# -- records ------------------------------------------------------------------------------------------------------


def test_a_webhook_is_read_and_its_secret_kept_apart():
    made = webhook(ROW)
    assert (made.id, made.name, made.url, made.enabled) == ("h1", "Mine", URL, True)
    assert made.events == ("renders.completed", "renders.failed", "product.completed")
    assert (made.workspaces, made.email, made.description) == (("shop",), "a@b.example", "For the wall")
    assert made.created.isoformat() == "2026-01-29T16:35:59+00:00"
    assert made.secret.reveal() == "canary-secret"
    assert made.raw["future"] == {"field": 1}
    assert "canary" not in f"{made!r} {made} {dict(made.raw)}"
    with pytest.raises(TypeError):
        pickle.dumps(made)


def test_a_webhook_of_which_little_is_told():
    made = webhook({"uuid": "h1", "clients": [{"uuid": "w1"}, None], "events": None, "disable": None, "secret": ""})
    assert (made.name, made.url, made.events, made.workspaces) == ("h1", "", (), ("w1",))
    assert (made.enabled, made.secret, made.created) == (True, None, None)
    with pytest.raises(BadResponse):
        webhook({"name": "without a uuid"})


# -- the sandbox --------------------------------------------------------------------------------------------------


@pytest.fixture
def webhooks(vntana):
    return vntana.core.webhooks


def test_the_life_of_a_webhook(sandbox, webhooks):
    made = loop.run(webhooks.create(URL, ["renders.*", "product.completed"], name="Mine", workspaces="Showroom"))
    assert made.events == (
        "product.completed",
        "renders.pending",
        "renders.processing",
        "renders.completed",
        "renders.failed",
    )
    assert (made.name, made.url, made.workspaces, made.enabled) == ("Mine", URL, ("showroom",), True)
    assert loop.run(webhooks.get(made.id)) == made
    assert loop.run(webhooks.list()) == (made,)

    changed = loop.run(webhooks.update(made.id, events="turntable.failed", enabled=False))
    assert (changed.events, changed.enabled) == (("turntable.failed",), False)
    assert (changed.name, changed.url, changed.workspaces, changed.email) == (
        made.name,
        made.url,
        made.workspaces,
        made.email,
    )
    assert changed.secret.reveal() == made.secret.reveal()
    assert loop.run(webhooks.update(made.id, name="Ours")).events == ("turntable.failed",)

    renewed = loop.run(webhooks.rotate_secret(made.id))
    assert renewed.secret.reveal() != made.secret.reveal()
    assert loop.run(webhooks.get(made.id)).secret.reveal() == renewed.secret.reveal()

    loop.run(webhooks.delete(made.id))
    assert loop.run(webhooks.list()) == ()
    with pytest.raises(NotFound):
        loop.run(webhooks.get(made.id))


def test_the_whole_organization_and_an_address_for_trouble(sandbox, webhooks):
    made = loop.run(webhooks.create(URL, "asset.completed", email="ops@b.example", description="For the wall"))
    assert (made.workspaces, made.email, made.description) == ((), "ops@b.example", "For the wall")
    assert loop.run(webhooks.update(made.id, workspaces=["showroom"])).workspaces == ("showroom",)
    assert loop.run(webhooks.update(made.id, workspaces=())).workspaces == ()


@pytest.mark.parametrize("name", ["product.completed", "asset.completed", "Asset.Completed"])
def test_events_in_either_spelling_by_the_catalogues_own_ids(sandbox, webhooks, name):
    loop.run(webhooks.create(URL, name))
    (asked,) = sandbox.faults.requests("/v1/webhooks/$", "POST")
    (kind,) = [kind for kind in loop.run(webhooks.catalogue()) if kind.name == "product.completed"]
    (sent,) = asked.json["events"]
    assert (sent["uuid"], sent["name"], sent["category"]) == (kind.id, "asset.completed", kind.category)
    # Asked once: a try with a token that another test's client ended meanwhile is none.
    assert [
        seen.status for seen in sandbox.faults.requests("/v1/webhooks/events") if seen.status not in (401, 403)
    ] == [200]


def test_an_event_there_is_not(sandbox, webhooks):
    with pytest.raises(InvalidRequest, match=r"'render.complete'.*Did you mean 'renders.completed'.*There are:"):
        loop.run(webhooks.create(URL, ["render.complete"]))
    with pytest.raises(InvalidRequest, match="at least one event"):
        loop.run(webhooks.create(URL, []))
    assert not sandbox.faults.requests("/v1/webhooks/$")


@pytest.mark.parametrize("url", ["", "example.org/hooks", "ftp://example.org/", None, 5])
def test_an_address_that_is_none(sandbox, webhooks, url):
    with pytest.raises(InvalidRequest, match="whole address"):
        loop.run(webhooks.create(url, "renders.completed"))
    assert not sandbox.faults.requests("/v1/webhooks/$")


def test_a_workspace_there_is_not(webhooks):
    with pytest.raises(InvalidRequest, match="no workspace 'attic'"):
        loop.run(webhooks.create(URL, "renders.completed", workspaces="attic"))


def test_ids_that_are_none(webhooks):
    for work in (webhooks.get, webhooks.delete, webhooks.rotate_secret):
        with pytest.raises(NotFound):
            loop.run(work(".."))
        with pytest.raises(NotFound, match="WEBHOOK_NOT_FOUND"):
            loop.run(work("00000000-0000-0000-0000-000000000000"))


def test_a_manager_has_those_of_the_workspace(sandbox, open_client, webhooks):
    ours = loop.run(webhooks.create(URL, "renders.completed"))
    client = open_client(sandbox.vntana_api.manager, organization="northlight-home", workspace="showroom")
    theirs = loop.run(client.core.webhooks.create(URL, "renders.completed", workspaces="showroom"))
    assert [made.id for made in loop.run(client.core.webhooks.list())] == [theirs.id]
    assert {made.id for made in loop.run(webhooks.list())} == {ours.id, theirs.id}


# -- other installations ------------------------------------------------------------------------------------------


def hosted(api, *, slash, plural):
    """Serves the paths in one spelling alone; the other is no path."""
    end = "/" if slash else ""
    place = "organizations" if plural else "organization"

    def serve(request):
        own = {
            f"GET /v1/webhooks/events{end}": CATALOGUE,
            f"POST /v1/webhooks{end}": ROW,
            f"GET /v1/webhooks/{place}/{ORGANIZATION}": {"totalCount": 1, "grid": [ROW]},
        }
        return own.get(f"{request.method} {request.path}", refusal(404, "HANDLER_NOT_FOUND"))

    for method in ("GET", "POST"):
        api.routes[f"{method} /v1/webhooks"] = serve


@pytest.mark.parametrize("slash", [True, False])
@pytest.mark.parametrize("plural", [True, False])
def test_either_spelling_of_the_paths(api, slash, plural):
    hosted(api, slash=slash, plural=plural)
    for _ in range(2):
        assert loop.run(api.service.webhooks.create(URL, "renders.completed")).id == "h1"
        assert [made.id for made in loop.run(api.service.webhooks.list())] == ["h1"]
    asked = [f"{r.method} {r.path}" for r in api.server.requests if "/webhooks" in r.path]
    # What works is remembered, and the catalogue is read once.
    assert len(asked) == 5 + (0 if slash else 2) + (1 if plural else 0)


def test_where_neither_spelling_is_served_the_first_refusal_is_raised(api):
    api.routes["GET /v1/webhooks"] = lambda request: refusal(404, "HANDLER_NOT_FOUND")
    with pytest.raises(NotFound, match="the list of webhooks"):
        loop.run(api.service.webhooks.list())


def test_other_refusals_are_not_asked_twice(api):
    api.routes["GET /v1/webhooks"] = lambda request: refusal(409, "WEBHOOK_LIMIT")
    with pytest.raises(InvalidRequest, match="WEBHOOK_LIMIT"):
        loop.run(api.service.webhooks.list())
    assert len(api.asked("GET /v1/webhooks")) == 1


@pytest.mark.parametrize("grid", [None, [], [None], [{"category": "Renders"}]])
def test_a_catalogue_without_events(api, grid):
    api.routes["GET /v1/webhooks/events"] = lambda request: {"grid": grid}
    with pytest.raises(BadResponse, match="without events"):
        loop.run(api.service.webhooks.catalogue())


def test_a_catalogue_that_is_a_plain_list(api):
    events = [{"name": "renders.completed", "uuid": "e1", "category": "Renders"}]
    api.routes["GET /v1/webhooks/events"] = lambda request: {"totalCount": 1, "grid": events}
    (kind,) = loop.run(api.service.webhooks.catalogue())
    assert (kind.id, kind.name, kind.category) == ("e1", "renders.completed", "Renders")


@pytest.mark.parametrize("lost", [None, answer(b"{}", 503)])
def test_a_webhook_is_not_made_twice_over_a_lost_answer(api, lost):
    hosted(api, slash=True, plural=False)
    api.routes["POST /v1/webhooks/"] = lambda request: lost
    with pytest.raises(ServiceUnavailable):
        loop.run(api.service.webhooks.create(URL, "renders.completed"))
    assert len(api.asked("POST /v1/webhooks")) == 1


def test_an_update_sends_all_fields(api):
    api.routes["GET /v1/webhooks/h1"] = lambda request: ROW
    api.routes["PUT /v1/webhooks/h1"] = lambda request: {**ROW, **json.loads(request.body), "events": CATALOGUE}
    assert loop.run(api.service.webhooks.update("h1", url="https://new.example/x")).url == "https://new.example/x"
    (body,) = api.bodies("PUT /v1/webhooks/h1")
    assert body == {
        "uuid": "h1",
        "organizationUuid": ORGANIZATION,
        "name": "Mine",
        "description": "For the wall",
        "disable": False,
        "url": "https://new.example/x",
        "events": [
            {"name": "renders.completed", "description": "Done", "uuid": "e1", "category": "Renders"},
            {"name": "renders.failed", "description": "Not done", "uuid": "e2", "category": "Renders"},
            {"name": "asset.completed", "description": "", "uuid": "e3", "category": "Conversion"},
        ],
        "clients": ["shop"],
        "userEmail": "a@b.example",
    }


def test_a_deletion_answered_without_a_body(api):
    api.routes["DELETE /v1/webhooks/h1"] = lambda request: answer(b"", 204)
    loop.run(api.service.webhooks.delete("h1"))


def test_no_error_holds_a_secret(api):
    api.routes["GET /v1/webhooks/h1"] = lambda request: {**ROW, "uuid": None}
    with pytest.raises(AssetServiceError) as caught:
        loop.run(api.service.webhooks.get("h1"))
    assert "canary" not in f"{caught.value!r} {vars(caught.value)!r}"
