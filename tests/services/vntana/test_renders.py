from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from ipyassets.errors import (
    AuthenticationError,
    BadResponse,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    RateLimited,
    ServiceUnavailable,
)
from ipyassets.http import loop
from ipyassets.services.rendering import RenderOrder, Turntable
from ipyassets.services.vntana.renders import MOST_PER_ORDER, order_body
from tests.http.conftest import answer
from tests.services.calls import QUICK
from tests.services.vntana.scripted import ORGANIZATION, WORKSPACE, a_record, good, refusal

ORDER = "POST /v1/products/renders"
SMALL = RenderOrder(width=64, height=48, turntable=Turntable(frames=2, width=32, height=32))


def submit(service, records, order=SMALL):
    return loop.run(service.submit_renders(records, order))


def ids(records):
    return tuple(record.id for record in records)


def wanted(request):
    return json.loads(request.body)["productUuids"]


def taken(request):
    return {"uuids": wanted(request), "errors": None}


# -- the body -----------------------------------------------------------------------------------------------------


def test_the_whole_documented_body():
    turntable = Turntable(frames=120, fps=30, width=1280, height=720, gif=True, background="#ffffff")
    order = RenderOrder(width=1920, height=1080, format="jpeg", background="black", turntable=turntable)
    assert order_body(order) == {
        "imageWidth": 1920,
        "imageHeight": 1080,
        "imageFormat": "JPG",
        "imageBackground": "#000000",
        "transparentBackground": False,
        "turntable": {
            "includeGif": True,
            "imageCount": 120,
            "frameRate": 30,
            "width": 1280,
            "height": 720,
            "background": "#ffffff",
            "transparentBackground": False,
        },
    }


def test_the_turntable_is_complete_without_being_asked_for():
    body = order_body(RenderOrder(transparent=True))
    assert body["transparentBackground"] is True
    assert body["turntable"].keys() >= {"includeGif", "imageCount", "frameRate", "width", "height"}
    assert "imageBackground" not in body
    assert "background" not in body["turntable"]


# -- the sandbox --------------------------------------------------------------------------------------------------


def test_an_order_is_taken(sandbox, vntana):
    sandbox.renders.pause()
    records = [asset._record for asset in vntana.search("armchair", limit=2)]
    submitted = submit(vntana.core, records)
    assert submitted.accepted == ids(records)
    assert submitted.refused == {}
    assert abs(datetime.now(UTC) - submitted.at) < timedelta(minutes=1)
    assert [job.product for job in sandbox.renders.jobs] == list(ids(records))
    (asked,) = sandbox.faults.requests("/products/renders")
    assert asked.json == {
        "organizationUuid": sandbox.vntana_api.organization.uuid,
        "clientUuid": sandbox.vntana_api.workspace.uuid,
        "productUuids": list(ids(records)),
        **order_body(SMALL),
    }


def test_products_of_several_workspaces_go_out_by_workspace(sandbox, open_client):
    sandbox.renders.pause()
    client = open_client(organization="northlight-home")
    records = [
        client.search(workspace=place, asset_types="THREE_D", conversion_status="COMPLETED")[number]._record
        for number in (0, 1)
        for place in ("showroom", "workshop")
    ]
    assert set(submit(client.core, records).accepted) == set(ids(records))
    bodies = [seen.json for seen in sandbox.faults.requests("/products/renders")]
    assert len({body["clientUuid"] for body in bodies}) == len(bodies) == 2
    assert sorted(uuid for body in bodies for uuid in body["productUuids"]) == sorted(ids(records))


def test_a_half_refused_order(sandbox, open_client):
    sandbox.renders.pause()
    client = open_client(organization="northlight-home", workspace="unusual-names")
    without = client.search(asset_types="NO_ASSET")[0]._record
    good_one = next(a._record for a in client.search(conversion_status="COMPLETED", asset_types="THREE_D"))
    submitted = submit(client.core, [without, good_one])
    assert submitted.accepted == (good_one.id,)
    error = submitted.refused[without.id]
    assert isinstance(error, InvalidRequest)
    assert error.code == "INVALID_PRODUCT"
    assert without.name in str(error)
    assert "no 3D file" in str(error)


def test_a_viewer_may_not_order(sandbox, vntana, open_client):
    record = vntana.search("armchair")[0]._record
    client = open_client(sandbox.vntana_api.viewer, organization="northlight-home", workspace="showroom")
    with pytest.raises((PermissionDenied, AuthenticationError), match="role"):
        submit(client.core, [record])


def test_what_the_service_refuses_at_all_is_raised(sandbox, vntana):
    record = vntana.search("armchair")[0]._record
    body = {"success": False, "errors": ["NOT_SUPPORTED_IMAGE_FORMAT"], "response": None}
    sandbox.faults.add("/products/renders", status=422, body=body)
    with pytest.raises(InvalidRequest, match="NOT_SUPPORTED_IMAGE_FORMAT") as caught:
        submit(vntana.core, [record])
    assert "PNG, JPG or WEBP" in str(caught.value)


@pytest.mark.parametrize("kind", ["reset", "html"])
def test_an_order_whose_answer_was_lost_is_sent_again(sandbox, vntana, kind):
    """It cannot be known whether it was taken; a second order replaces the first, so nothing is lost by it."""
    sandbox.renders.pause()
    vntana.core._http.policy = QUICK
    record = vntana.search("armchair")[0]._record
    sandbox.faults.add("/products/renders", kind=kind, status=503)
    assert submit(vntana.core, [record]).accepted == (record.id,)
    assert len(sandbox.faults.requests("/products/renders")) == 2


def test_a_token_that_was_revoked_is_renewed(sandbox, vntana):
    sandbox.renders.pause()
    record = vntana.search("armchair")[0]._record
    sandbox.vntana_api.tokens.revoke_all()
    assert submit(vntana.core, [record]).accepted == (record.id,)


# -- answers of other installations -------------------------------------------------------------------------------


def test_250_products_are_three_requests(api):
    api.routes[ORDER] = taken
    records = [a_record(number) for number in range(250)]
    assert submit(api.service, [*records, records[0]]).accepted == ids(records)
    bodies = api.bodies(ORDER)
    assert [len(body["productUuids"]) for body in bodies] == [MOST_PER_ORDER, MOST_PER_ORDER, 50]
    assert {(body["organizationUuid"], body["clientUuid"]) for body in bodies} == {(ORGANIZATION, WORKSPACE)}


def test_a_failing_request_loses_no_other(api):
    records = [a_record(number) for number in range(250)]
    failing = {records[100].id}
    api.routes[ORDER] = lambda request: answer(b"{}", 500) if failing & set(wanted(request)) else taken(request)
    submitted = submit(api.service, records)
    assert submitted.accepted == ids([*records[:100], *records[200:]])
    assert set(submitted.refused) == set(ids(records[100:200]))
    assert all(isinstance(error, ServiceUnavailable) for error in submitted.refused.values())


@pytest.mark.parametrize("bad", [{3}, {0, 99}, {41, 42}])
def test_one_bad_product_spoils_no_others(api, bad):
    """Some installations refuse a whole request for one product, and do not say which."""
    records = [a_record(number) for number in range(100)]
    spoiled = {records[number].id for number in bad}
    api.routes[ORDER] = lambda request: (
        refusal(404, "PRODUCT_NOT_FOUND") if spoiled & set(wanted(request)) else taken(request)
    )
    submitted = submit(api.service, records)
    assert set(submitted.refused) == spoiled
    assert set(submitted.accepted) == set(ids(records)) - spoiled
    assert all(isinstance(error, NotFound) for error in submitted.refused.values())
    assert len(api.asked(ORDER)) <= 33


def test_a_request_of_bad_products_alone_is_not_halved_without_end(api):
    api.routes[ORDER] = lambda request: refusal(404, "PRODUCT_NOT_FOUND")
    submitted = submit(api.service, [a_record(number) for number in range(100)])
    assert (submitted.accepted, len(submitted.refused)) == ((), 100)
    assert {type(error) for error in submitted.refused.values()} == {NotFound}
    assert len(api.asked(ORDER)) <= 33


def test_reasons_of_single_products_are_kept_where_nothing_at_all_was_taken(api):
    """The first product's reason was given for all of them."""
    records = [a_record(1), a_record(2)]
    said = {records[0].id: "INVALID_PRODUCT", records[1].id: "PRODUCT_NOT_FOUND"}
    api.routes[ORDER] = lambda request: {"uuids": [], "errors": said}
    submitted = submit(api.service, records)
    assert {id: error.code for id, error in submitted.refused.items()} == said


@pytest.mark.parametrize(
    "said",
    [
        lambda uuid: {uuid: "PRODUCT_NOT_FOUND"},
        lambda uuid: {uuid.upper(): ["PRODUCT_NOT_FOUND"]},
        lambda uuid: {uuid: {"code": "PRODUCT_NOT_FOUND", "message": "gone"}},
        lambda uuid: [{"uuid": uuid, "code": "PRODUCT_NOT_FOUND"}],
        lambda uuid: [{"productUuid": uuid, "code": "PRODUCT_NOT_FOUND", "message": "gone"}],
    ],
)
def test_errors_of_single_products_in_any_shape(api, said):
    good_one, bad = a_record(1), a_record(2)
    api.routes[ORDER] = lambda request: {"uuids": wanted(request), "errors": said(bad.id)}
    submitted = submit(api.service, [good_one, bad])
    assert submitted.accepted == (good_one.id,)
    error = submitted.refused[bad.id]
    assert isinstance(error, NotFound)
    assert (error.code, error.status) == ("PRODUCT_NOT_FOUND", 200)
    assert "Chair 2" in str(error)


def test_an_error_without_a_product_is_that_of_the_only_one(api):
    api.routes[ORDER] = lambda request: {"uuids": [], "errors": ["INVALID_PRODUCT"]}
    with pytest.raises(InvalidRequest, match="INVALID_PRODUCT"):
        submit(api.service, [a_record(1)])


def test_products_nothing_is_said_of_are_reported(api):
    records = [a_record(1), a_record(2)]
    api.routes[ORDER] = lambda request: {"uuids": [records[0].id.upper()], "errors": None}
    submitted = submit(api.service, records)
    assert submitted.accepted == (records[0].id,)
    assert isinstance(submitted.refused[records[1].id], BadResponse)
    assert "did not say" in str(submitted.refused[records[1].id])


@pytest.mark.parametrize("response", [None, {}, {"uuids": None, "errors": {}}])
def test_a_success_that_lists_nothing_counts_for_all(api, response):
    api.routes[ORDER] = lambda request: good(response)
    assert submit(api.service, [a_record(1)]).accepted == (a_record(1).id,)


def test_a_workspace_nobody_told_is_looked_up(api):
    known, unknown, lost = a_record(1), a_record(2, None), a_record(3, None)
    api.routes[ORDER] = taken
    api.routes[f"GET /v1/products/{unknown.id}"] = lambda request: {"uuid": unknown.id, "clientUuid": WORKSPACE}
    api.routes[f"GET /v1/products/{lost.id}"] = lambda request: refusal(404, "PRODUCT_NOT_FOUND")
    submitted = submit(api.service, [known, unknown, lost])
    assert submitted.accepted == (known.id, unknown.id)
    assert isinstance(submitted.refused[lost.id], NotFound)


def test_a_refused_login_ends_it(api):
    records = [a_record(number) for number in range(250)]
    first = set(ids(records[:100]))
    api.routes[ORDER] = lambda request: taken(request) if first & set(wanted(request)) else refusal(401, "UNAUTHORIZED")
    submitted = submit(api.service, records)
    assert len(submitted.accepted) == 100
    assert set(submitted.refused) == set(ids(records[100:]))
    assert all(isinstance(error, AuthenticationError) for error in submitted.refused.values())


def test_a_role_may_order_in_one_workspace_and_not_in_another(api):
    other = "0c5f0d5e-0000-4000-8000-000000000003"
    watched = [a_record(number, other) for number in range(150)]
    edited = [a_record(500), a_record(501)]
    api.routes[ORDER] = lambda request: (
        refusal(403, "FORBIDDEN") if json.loads(request.body)["clientUuid"] == other else taken(request)
    )
    submitted = submit(api.service, [*watched, *edited])
    assert submitted.accepted == ids(edited)
    assert set(submitted.refused) == set(ids(watched))
    assert len(api.asked(ORDER)) == 3  # one of the first workspace, again after a new login, and one of the second


def test_a_rate_limit_is_waited_for_and_then_said(api):
    limited = [refusal(429, "API_RATE_LIMIT_EXCEEDED")]
    api.routes[ORDER] = lambda request: limited.pop() if limited else taken(request)
    assert submit(api.service, [a_record(1)]).accepted
    api.routes[ORDER] = lambda request: refusal(200, "API_RATE_LIMIT_EXCEEDED")
    with pytest.raises(RateLimited):
        submit(api.service, [a_record(1)])
