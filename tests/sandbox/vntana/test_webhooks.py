"""Managing webhooks, as the documents tell it, in every spelling of the paths they know."""

from __future__ import annotations

import uuid

import httpx
import pytest

from ipyassets.sandbox.vntana.accounts import GERMAN, HARBOUR, NORTHLIGHT, OUTDOOR, SHOWROOM, WORKSHOP

from . import contract
from .conftest import code

HOOKS = "/v1/webhooks/"
LIST = f"/v1/webhooks/organization/{NORTHLIGHT.uuid}"


def listed(admin):
    return {e["name"]: e for row in admin.get("/v1/webhooks/events/").json()["response"]["grid"] for e in row["events"]}


def request(admin, *names, **fields):
    events = listed(admin)
    body = {
        "userEmail": "ops@northlight-home.example",
        "name": "Renders to the shop",
        "description": "New pictures",
        "disable": False,
        "events": [events[name] for name in names or ("renders.completed",)],
        "clients": [],
        "organizationUuid": NORTHLIGHT.uuid,
        "url": "http://127.0.0.1:9/hook",
        **fields,
    }
    return {name: value for name, value in body.items() if value is not ...}


def create(admin, *names, **fields):
    body = request(admin, *names, **fields)
    contract.check_request("admin", "POST", HOOKS, body)
    response = admin.post(HOOKS, json=body)
    assert response.status_code == 200, response.text
    return response.json()["response"]


def names(webhook):
    return [event["name"] for row in webhook["events"]["grid"] for event in row["events"]]


def test_the_catalogue_lists_every_documented_event_by_category(sandbox, admin):
    catalogue = admin.get("/v1/webhooks/events/").json()["response"]
    rows = catalogue["grid"]
    assert catalogue["totalCount"] == len(rows) == 11
    assert all(row["totalCount"] == len(row["events"]) for row in rows)
    found = listed(admin)
    assert len(found) == 46
    assert {
        "asset.completed", "asset.client.hold", "asset.viewer_settings.updated", "renders.pending", "turntable.failed",
        "project.published_internal", "workspace.added", "user.revoked", "showroom.order.item.added",
        "viewer_preset.deleted",
    } <= found.keys()  # fmt: skip
    uuids = [event["uuid"] for event in found.values()] + [row["uuid"] for row in rows]
    assert len({str(uuid.UUID(text)) for text in uuids}) == 46 + 11


def test_a_webhook_comes_back_as_it_was_made(sandbox, admin):
    made = create(admin, "renders.completed", "asset.completed", "renders.failed", clients=["showroom", WORKSHOP.uuid])
    assert made["userEmail"] == "ops@northlight-home.example"
    assert (made["name"], made["description"], made["disable"]) == ("Renders to the shop", "New pictures", False)
    assert made["organizationUuid"] == NORTHLIGHT.uuid
    assert made["clients"] == ["showroom", WORKSHOP.uuid]
    assert made["events"]["totalCount"] == 2
    assert names(made) == ["asset.completed", "renders.completed", "renders.failed"]
    assert made["created"] == made["updated"]
    assert len(made["secret"]) >= 32
    assert admin.get(f"/v1/webhooks/{made['uuid']}").json()["response"] == made
    assert admin.get(LIST).json()["response"] == {"totalCount": 1, "grid": [made]}


def test_all_spellings_of_a_path_are_one(sandbox, admin):
    made = create(admin)
    # A caller that does not hold answers against the reference: it takes the guide's paths for something else.
    with httpx.Client(base_url=admin.base_url, headers=admin.headers) as guided:
        assert guided.get("/v1/webhooks/events").json() == admin.get("/v1/webhooks/events/").json()
        also = guided.post("/v1/webhooks", json=request(admin)).json()["response"]
        for path in ("organization", "organizations"):
            for whose in ("", f"/{NORTHLIGHT.uuid}"):
                for slash in ("", "/"):
                    answer = guided.get(f"/v1/webhooks/{path}{whose}{slash}").json()["response"]
                    assert [webhook["uuid"] for webhook in answer["grid"]] == [made["uuid"], also["uuid"]]
        assert guided.get(f"/v1/webhooks/{made['uuid']}/").json()["response"] == made
        assert guided.put(f"/v1/webhooks/{made['uuid']}/", json=request(admin)).is_success
        assert guided.patch(f"/v1/webhooks/{made['uuid']}/secret/").is_success
        assert guided.delete(f"/v1/webhooks/{made['uuid']}/").is_success
        assert code(guided.post(f"/v1/webhooks/{made['uuid']}")) == (405, "METHOD_NOT_ALLOWED")


def test_update_changes_all_but_the_secret(sandbox, admin):
    made = create(admin, "renders.completed", clients=["showroom"])
    later = sandbox.world.clock() + 60
    sandbox.world.clock = lambda: later
    body = request(admin, "user.added", name="Other", url="https://example.com/x", disable=True, description=...)
    contract.check_request("admin", "PUT", f"/v1/webhooks/{made['uuid']}", body)
    changed = admin.put(f"/v1/webhooks/{made['uuid']}", json=body).json()["response"]
    assert (changed["uuid"], changed["secret"], changed["created"]) == (made["uuid"], made["secret"], made["created"])
    assert (changed["name"], changed["url"], changed["disable"]) == ("Other", "https://example.com/x", True)
    assert (changed["description"], changed["clients"], names(changed)) == ("", [], ["user.added"])
    assert changed["updated"] > made["updated"]
    assert admin.get(f"/v1/webhooks/{made['uuid']}").json()["response"] == changed


def test_a_new_secret_and_the_end(sandbox, admin):
    made = create(admin)
    path = f"/v1/webhooks/{made['uuid']}"
    renewed = admin.patch(f"{path}/secret").json()["response"]
    assert renewed["secret"] != made["secret"]
    assert {**renewed, "secret": "", "updated": ""} == {**made, "secret": "", "updated": ""}
    assert admin.get(path).json()["response"] == renewed
    assert admin.delete(path).json()["response"]["uuid"] == made["uuid"]
    assert admin.get(LIST).json()["response"] == {"totalCount": 0, "grid": []}
    for gone in (
        admin.get(path),
        admin.delete(path),
        admin.patch(f"{path}/secret"),
        admin.get("/v1/webhooks/nonsense"),
    ):
        assert code(gone) == (409, "WEBHOOK_NOT_FOUND")


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"name": ...}, (409, "MISSING_NAME")),
        ({"name": "  "}, (409, "MISSING_NAME")),
        ({"url": ...}, (409, "MISSING_URL")),
        ({"url": "ftp://127.0.0.1/x"}, (409, "INVALID_URL")),
        ({"url": "http://"}, (409, "INVALID_URL")),
        ({"url": "http://127.0.0.1:99999/x"}, (409, "INVALID_URL")),
        ({"url": "http://[::1/x"}, (409, "INVALID_URL")),
        ({"events": []}, (409, "MISSING_EVENTS")),
        ({"events": [{"name": "renders.completed"}]}, (409, "MISSING_EVENT_UUID")),
        ({"events": [{"uuid": str(uuid.uuid4())}]}, (409, "EVENT_NOT_FOUND")),
        ({"events": ["renders.completed"]}, (400, "BAD_REQUEST")),
        ({"clients": ["nowhere"]}, (409, "INVALID_CLIENT_UUID")),
        ({"clients": [OUTDOOR.uuid]}, (409, "INVALID_CLIENT_UUID")),
        ({"clients": "showroom"}, (400, "BAD_REQUEST")),
        ({"clients": [7]}, (400, "BAD_REQUEST")),
        ({"disable": "no"}, (400, "BAD_REQUEST")),
        ({"organizationUuid": ...}, (409, "MISSING_ORGANIZATION_UUID")),
        ({"organizationUuid": HARBOUR.uuid}, (403, "FORBIDDEN")),
    ],
)
def test_what_is_refused(sandbox, admin, fields, refusal):
    made = create(admin)
    body = request(admin, **fields)
    assert code(admin.post(HOOKS, json=body)) == refusal
    assert code(admin.put(f"/v1/webhooks/{made['uuid']}", json=body)) == refusal
    assert admin.get(LIST).json()["response"] == {"totalCount": 1, "grid": [made]}


def test_the_status_of_refusals_is_a_choice(sandbox, admin):
    sandbox.settings.vntana_webhook_invalid_status = 404
    assert code(admin.get(f"/v1/webhooks/{uuid.uuid4()}")) == (404, "WEBHOOK_NOT_FOUND")


def test_who_is_told_of_trouble_if_nobody_is_named(sandbox, admin):
    assert create(admin, userEmail=...)["userEmail"] == sandbox.vntana_api.owner.email


def test_who_may(sandbox, admin, caller):
    made = create(admin)
    paths = [("GET", LIST), ("GET", f"/v1/webhooks/{made['uuid']}"), ("DELETE", f"/v1/webhooks/{made['uuid']}")]
    logged_in = caller()
    logged_in.use(logged_in.login(sandbox.vntana_api.owner))
    api = sandbox.vntana_api
    refused = [
        caller(),
        logged_in,
        caller().enter(api.manager, NORTHLIGHT),  # has to choose a workspace
        caller().enter(api.viewer, NORTHLIGHT, SHOWROOM),
    ]
    for each in refused:
        for method, path in paths:
            assert code(each.request(method, path)) == (403, "FORBIDDEN")
        assert code(each.post(HOOKS, json=request(admin))) == (403, "FORBIDDEN")
    assert code(caller().get("/v1/webhooks/events/")) == (403, "FORBIDDEN")
    stranger = caller().enter(api.supplier, HARBOUR)
    assert code(stranger.get(LIST)) == (403, "FORBIDDEN")
    assert stranger.get(f"/v1/webhooks/organization/{HARBOUR.uuid}").json()["response"]["totalCount"] == 0
    for method, path in paths[1:]:
        assert code(stranger.request(method, path)) == (409, "WEBHOOK_NOT_FOUND")
    assert admin.get(LIST).json()["response"]["totalCount"] == 1


def test_a_manager_has_the_webhooks_of_one_workspace(sandbox, admin, caller):
    whole = create(admin)
    both = create(admin, clients=["showroom", "workshop"])
    given = create(admin, clients=["showroom"])
    manager = caller().enter(sandbox.vntana_api.manager, NORTHLIGHT, SHOWROOM)
    own = create(manager, clients=[SHOWROOM.uuid])
    rows = manager.get(LIST).json()["response"]["grid"]
    assert [row["uuid"] for row in rows] == [given["uuid"], own["uuid"]]
    for webhook in (whole, both):
        for method, behind in (("GET", ""), ("PATCH", "/secret"), ("DELETE", "")):
            refused = manager.request(method, f"/v1/webhooks/{webhook['uuid']}{behind}")
            assert code(refused) == (403, "FORBIDDEN")
    for clients in ([], ["workshop"], ["showroom", "workshop"], [GERMAN.slug]):
        assert code(manager.post(HOOKS, json=request(admin, clients=clients))) == (403, "FORBIDDEN")
        body = request(admin, clients=clients)
        assert code(manager.put(f"/v1/webhooks/{own['uuid']}", json=body)) == (403, "FORBIDDEN")
    assert manager.delete(f"/v1/webhooks/{own['uuid']}").is_success
