from __future__ import annotations

import json

import pytest

from ipyassets.errors import AuthenticationError, NotFound, ServiceUnavailable
from ipyassets.http import loop
from ipyassets.services.rendering import RenderOrder, Turntable
from ipyassets.services.vntana.standings import stages
from tests.http.conftest import answer
from tests.services.calls import QUICK
from tests.services.vntana.scripted import WORKSPACE, a_record, refusal

SEARCH = "POST /v1/products/clients"
DONE = {"GENERATE_RENDERS": "ACTION_COMPLETED", "GENERATE_TURNTABLE": "ACTION_COMPLETED"}
SMALL = RenderOrder(width=64, height=48, turntable=Turntable(frames=2, width=32, height=32))


def standings(service, records):
    return loop.run(service.render_standings(records))


def status_path(record):
    return f"GET /v1/products/{record.id}/conversion-action-types/status"


# -- reading ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "stage"),
    [
        ("ACTION_PENDING", "queued"),
        ("ACTION_RUNNING", "running"),
        ("ACTION_COMPLETED", "completed"),
        ("ACTION_FAILED", "failed"),
        ("ACTION_TERMINATED", "failed"),
        ("completed", "completed"),
    ],
)
def test_words_of_stages(word, stage):
    assert stages({"conversionStatusDetails": {"GENERATE_RENDERS": word}}) == {"stills": stage}


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"conversionStatusDetails": DONE}, {"stills": "completed", "turntable": "completed"}),
        ({"asset": {"conversionStatusDetails": DONE}}, {"stills": "completed", "turntable": "completed"}),
        ({"conversionStatusDetails": {"generate_turntable": {"status": "ACTION_RUNNING"}}}, {"turntable": "running"}),
        (
            {"conversionStatusDetails": [{"actionType": "GENERATE_RENDERS", "status": "ACTION_PENDING"}]},
            {"stills": "queued"},
        ),
        ({"conversionStatusDetails": {"GENERATE_ORTHOGONAL_RENDERS": "ACTION_COMPLETED"}}, {}),
        ({"conversionStatusDetails": {"GENERATE_RENDERS": "NO_ASSET"}}, {}),
        ({"conversionStatusDetails": {"GENERATE_RENDERS": "ACTION_DREAMING"}}, {}),
        ({"conversionStatusDetails": {"GENERATE_RENDERS": None, "GENERATE_TURNTABLE": 5}}, {}),
        ({"conversionStatusDetails": "soon", "asset": "none"}, {}),
        ({"conversionStatusDetails": None, "asset": None}, {}),
        ({}, {}),
    ],
)
def test_stages_in_any_shape(row, told):
    assert stages(row) == told


# -- the sandbox --------------------------------------------------------------------------------------------------


@pytest.fixture
def chairs(vntana):
    return [asset._record for asset in vntana.search("armchair", limit=2)]


def test_one_search_tells_of_many(sandbox, vntana, chairs):
    sandbox.renders.pause()
    loop.run(vntana.core.submit_renders(chairs, SMALL))
    sandbox.faults.log.clear()
    told = standings(vntana.core, [*chairs, chairs[0]])
    assert told.stages == {record.id: {"stills": "queued", "turntable": "queued"} for record in chairs}
    assert told.gone == {}
    (asked,) = sandbox.faults.log
    assert asked.path.endswith("/v1/products/clients/search")
    assert asked.json["productsUuids"] == [record.id for record in chairs]
    assert {"DRAFT", "LIVE_PUBLIC"} < set(asked.json["status"])


def test_a_job_broken_off_has_failed(sandbox, vntana, chairs):
    sandbox.renders.hold()
    loop.run(vntana.core.submit_renders(chairs[:1], SMALL))
    sandbox.renders.terminate(chairs[0].id)
    assert standings(vntana.core, chairs[:1]).stages == {chairs[0].id: {"stills": "failed", "turntable": "failed"}}


def test_a_manager_asks_by_workspace(sandbox, open_client):
    sandbox.renders.pause()
    client = open_client(sandbox.vntana_api.manager, organization="northlight-home", workspace="showroom")
    records = [
        client.search(workspace=place, asset_types="THREE_D", conversion_status="COMPLETED")[0]._record
        for place in ("showroom", "workshop")
    ]
    loop.run(client.core.submit_renders(records, SMALL))
    sandbox.faults.log.clear()
    assert set(standings(client.core, records).stages) == {record.id for record in records}
    assert len(sandbox.faults.requests("/search")) == 2


def test_drafts_come_too(sandbox, vntana):
    sandbox.renders.pause()
    drafts = vntana.search(status="DRAFT", asset_types="THREE_D", conversion_status="COMPLETED")
    record = drafts[0]._record
    loop.run(vntana.core.submit_renders([record], SMALL))
    assert set(standings(vntana.core, [record]).stages) == {record.id}
    assert not sandbox.faults.requests("conversion-action-types")


def test_a_product_deleted_meanwhile_is_gone(sandbox, vntana, chairs):
    sandbox.renders.pause()
    loop.run(vntana.core.submit_renders(chairs, SMALL))
    sandbox.renders.delete(chairs[0].id)
    told = standings(vntana.core, chairs)
    assert set(told.stages) == {chairs[1].id}
    error = told.gone[chairs[0].id]
    assert isinstance(error, NotFound)
    assert error.code == "PRODUCT_NOT_FOUND"
    assert chairs[0].name in str(error)
    assert "deleted" in str(error)


def test_a_token_revoked_in_mid_poll_makes_no_product_gone(sandbox, vntana, chairs):
    sandbox.renders.pause()
    loop.run(vntana.core.submit_renders(chairs, SMALL))
    row_less = {"success": True, "errors": [], "response": {"totalCount": 0, "grid": []}}
    sandbox.faults.add("/clients/search", kind="wrong_content", body=json.dumps(row_less))
    one, other = chairs  # asked for side by side, in any order
    sandbox.faults.add(f"/v1/products/{one.id}$", status=403, body={"success": False, "errors": ["FORBIDDEN"]})
    sandbox.faults.add(f"/v1/products/{other.id}$", status=401, body={"success": False, "errors": ["UNAUTHORIZED"]})
    told = standings(vntana.core, chairs)
    assert set(told.stages) == {record.id for record in chairs}
    assert told.gone == {}


@pytest.mark.parametrize("status", [429, 503])
def test_a_passing_trouble_is_waited_out(sandbox, vntana, chairs, status):
    sandbox.renders.pause()
    vntana.core._http.policy = QUICK
    loop.run(vntana.core.submit_renders(chairs, SMALL))
    sandbox.faults.add("/clients/search", status=status)
    assert len(standings(vntana.core, chairs).stages) == 2


# -- other installations ------------------------------------------------------------------------------------------


def rows(api, records, **more):
    return lambda request: {"totalCount": len(records), "grid": [{**record.raw, **more} for record in records]}


def told_by_actions(status="ACTION_RUNNING"):
    kinds = ("GENERATE_WEB_FORMATS", "GENERATE_RENDERS", "GENERATE_TURNTABLE")
    return lambda request: {"actionTypes": [{"actionType": kind, "status": status} for kind in kinds]}


def test_250_products_are_three_searches(api):
    records = [a_record(number) for number in range(250)]
    by_id = {record.id: record for record in records}

    def found(request):
        asked = [by_id[uuid] for uuid in api.bodies(SEARCH)[-1]["productsUuids"]]
        return rows(api, asked, conversionStatusDetails=DONE)(request)

    api.routes[SEARCH] = found
    assert len(standings(api.service, records).stages) == 250
    assert [body["size"] for body in api.bodies(SEARCH)] == [100, 100, 50]


def test_smaller_pages_than_asked_for_are_walked(api):
    records = [a_record(number) for number in range(7)]

    def found(request):
        page = api.bodies(SEARCH)[-1]["page"]
        part = records[(page - 1) * 3 : page * 3]
        return {"totalCount": 7, "grid": [{**r.raw, "conversionStatusDetails": DONE} for r in part]}

    api.routes[SEARCH] = found
    assert len(standings(api.service, records).stages) == 7
    assert len(api.asked(SEARCH)) == 3


def test_where_rows_are_silent_each_product_is_asked(api):
    records = [a_record(number) for number in range(3)]
    api.routes[SEARCH] = rows(api, records)
    for record in records:
        api.routes[status_path(record)] = told_by_actions()
    running = {"stills": "running", "turntable": "running"}
    assert standings(api.service, records).stages == {record.id: running for record in records}
    (asked, *_) = api.asked(status_path(records[0]))
    assert "?" not in asked.target  # `type=` takes only actions that are not about renders


@pytest.mark.parametrize("refused", [refusal(404, "HANDLER_NOT_FOUND"), refusal(405, "METHOD_NOT_ALLOWED")])
def test_a_service_without_that_call_is_not_asked_again(api, refused):
    records = [a_record(number) for number in range(30)]
    api.routes[SEARCH] = rows(api, records)
    api.routes["GET /v1/products/"] = lambda request: refused
    for _ in range(3):
        told = standings(api.service, records)
        assert (told.stages, told.gone) == ({}, {})
    assert len(api.asked("GET /v1/products/")) <= 4


def test_a_silent_product_is_asked_three_times(api):
    record = a_record(1)
    api.routes[SEARCH] = rows(api, [record])
    api.routes[status_path(record)] = lambda request: {"productUuid": record.id, "actionTypes": []}
    for _ in range(6):
        assert standings(api.service, [record]).stages == {}
    assert len(api.asked(status_path(record))) == 3
    api.routes["POST /v1/products/renders"] = lambda request: {"uuids": [record.id], "errors": None}
    loop.run(api.service.submit_renders([record], SMALL))
    api.routes[status_path(record)] = told_by_actions()
    assert standings(api.service, [record]).stages[record.id]["stills"] == "running"


def test_a_service_that_never_tells_is_found_out(api):
    records = [a_record(number) for number in range(12)]
    api.routes[SEARCH] = rows(api, records)
    api.routes["POST /v1/products/renders"] = lambda request: {"uuids": [r.id for r in records], "errors": None}
    api.routes["GET /v1/products/"] = lambda request: {"actionTypes": [{"actionType": "GENERATE_THUMBNAILS"}]}
    loop.run(api.service.submit_renders(records, SMALL))
    for _ in range(5):
        standings(api.service, records)
    before = len(api.asked("GET /v1/products/"))
    assert before <= 36
    loop.run(api.service.submit_renders(records, SMALL))
    standings(api.service, records)
    assert len(api.asked("GET /v1/products/")) == before


def test_trouble_with_one_product_is_not_the_others(api):
    records = [a_record(1), a_record(2)]
    api.routes[SEARCH] = rows(api, records)
    api.routes[status_path(records[0])] = lambda request: answer(b"oops", 500)
    api.routes[status_path(records[1])] = told_by_actions("ACTION_COMPLETED")
    assert set(standings(api.service, records).stages) == {records[1].id}


def test_a_call_out_of_order_is_not_made_for_every_product(api):
    records = [a_record(number) for number in range(60)]
    api.routes[SEARCH] = rows(api, records)
    api.routes["GET /v1/products/"] = lambda request: answer(b"oops", 500)
    assert standings(api.service, records).stages == {}
    assert len({request.path for request in api.asked("GET /v1/products/")}) <= 8


def test_a_network_that_is_down_is_said(api):
    record = a_record(1)
    api.routes[SEARCH] = lambda request: None
    with pytest.raises(ServiceUnavailable):
        standings(api.service, [record])
    api.routes[SEARCH] = rows(api, [record])
    api.routes[status_path(record)] = lambda request: None
    with pytest.raises(ServiceUnavailable):
        standings(api.service, [record])


def test_what_no_search_lists_is_fetched(api):
    listed, hidden, gone = a_record(1), a_record(2), a_record(3)
    api.routes[SEARCH] = rows(api, [listed], conversionStatusDetails=DONE)
    api.routes[f"GET /v1/products/{hidden.id}"] = lambda request: {
        **hidden.raw,
        "asset": {"conversionStatusDetails": {"GENERATE_RENDERS": "ACTION_FAILED"}},
    }
    api.routes[f"GET /v1/products/{gone.id}"] = lambda request: refusal(404, "PRODUCT_NOT_FOUND")
    told = standings(api.service, [listed, hidden, gone])
    assert told.stages[hidden.id] == {"stills": "failed"}
    assert set(told.stages) == {listed.id, hidden.id}
    assert set(told.gone) == {gone.id}


def test_a_product_that_may_not_be_seen_any_more_is_gone(api):
    record = a_record(1)
    api.routes[SEARCH] = rows(api, [])
    api.routes[f"GET /v1/products/{record.id}"] = lambda request: refusal(403, "FORBIDDEN")
    error = standings(api.service, [record]).gone[record.id]
    assert "may not be seen" in str(error)


def test_a_login_that_ended_makes_no_product_gone(api):
    """With its key replaced at the service, an account sees nothing; that says nothing of the products."""
    record = a_record(1)
    api.routes[SEARCH] = rows(api, [])

    def shut(request):
        api.server.handler = lambda request: refusal(403, "BAD_CREDENTIALS")
        return refusal(403, "FORBIDDEN")

    api.routes[f"GET /v1/products/{record.id}"] = shut
    with pytest.raises(AuthenticationError):
        standings(api.service, [record])


@pytest.mark.parametrize("role", ["ORGANIZATION_OWNER", "CLIENT_ORGANIZATION_ADMIN"])
def test_a_workspace_deleted_meanwhile(api, role):
    api.role = role
    record = a_record(1)
    api.routes[SEARCH] = lambda request: refusal(404, "CLIENT_NOT_FOUND")
    api.routes[f"GET /v1/products/{record.id}"] = lambda request: refusal(404, "PRODUCT_NOT_FOUND")
    assert set(standings(api.service, [record]).gone) == {record.id}


def test_a_product_of_no_known_workspace(api):
    record = a_record(1, None)
    api.routes[f"GET /v1/products/{record.id}"] = lambda request: {
        "uuid": record.id,
        "clientUuid": WORKSPACE,
        "conversionStatusDetails": DONE,
    }
    assert standings(api.service, [record]).stages[record.id] == {"stills": "completed", "turntable": "completed"}
    assert not api.asked(SEARCH)
