from __future__ import annotations

import json

import pytest

from ipyassets.errors import BadResponse, InvalidRequest, RateLimited, ServiceUnavailable
from ipyassets.http import loop
from tests.services.vntana.scripted import WORKSPACE


def bodies(sandbox):
    return [seen.json for seen in sandbox.faults.requests("/search", "POST")]


def envelope(rows, total):
    return {"success": True, "errors": [], "response": {"totalCount": total, "grid": rows}}


def test_pages_count_from_one(sandbox, vntana):
    search = vntana.core.search("", page_size=20, sort="name")
    first, second, last = (loop.run(search.page(number)) for number in (0, 1, 4))
    assert [len(page.records) for page in (first, second, last)] == [20, 20, 7]
    assert {page.total for page in (first, second, last)} == {87}
    assert not {record.id for record in first.records} & {record.id for record in second.records}
    assert loop.run(search.page(5)).records == []
    assert [body["page"] for body in bodies(sandbox)] == [1, 2, 5, 6]


def test_the_scope_is_in_the_body_and_in_the_query(sandbox, vntana):
    assert vntana.search("chair").total == 11
    (seen,) = sandbox.faults.requests("/search")
    workspace = sandbox.vntana_api.workspace.uuid
    assert seen.query == f"clientUuid={workspace}"
    assert (seen.json["clientUuids"], seen.json["organizationUuid"]) == (
        [workspace],
        sandbox.vntana_api.organization.uuid,
    )
    assert "sorts" not in seen.json


def test_all_workspaces_go_into_one_search(sandbox, open_client):
    client = open_client(organization="northlight-home")
    assert client.search().total > 200
    (seen,) = sandbox.faults.requests("/search")
    assert (seen.query, len(seen.json["clientUuids"])) == ("", 5)


def test_workspaces_are_the_same_in_either_case(api):
    """A service that writes uuids in capitals seemed to have no product at all."""
    row = {"uuid": "B0000000-0000-4000-8000-000000000001", "clientUuid": WORKSPACE.upper()}
    api.routes["POST /v1/products/clients/"] = lambda request: {"totalCount": 1, "grid": [row]}
    assert [record.id for record in loop.run(api.service.search("").page(0)).records] == [row["uuid"]]


def test_random_access_fetches_the_page_it_needs(sandbox, vntana):
    assets = vntana.search(sort="name", page_size=10)
    assert assets[60].name
    assert [body["page"] for body in bodies(sandbox)] == [1, 7]


def test_relevance_is_kept(vntana):
    names = [asset.name for asset in vntana.search("chair")]
    assert names[0] == "Chair"
    assert names != sorted(names)


def test_exact_name(vntana):
    assert {asset.name for asset in vntana.search(exact_name="Chair")} == {"Chair"}
    assert not vntana.search(exact_name="Chai")


def test_sorts(vntana):
    by_name = [asset.name for asset in vntana.search(sort="name")]
    assert [asset.name for asset in vntana.search(sort="-name")] != by_name
    dates = [asset.updated for asset in vntana.search(sort="-updated")]
    assert dates == sorted(dates, reverse=True)
    dates = [asset.created for asset in vntana.search()]
    assert dates == sorted(dates, reverse=True)


def row(vntana):
    return vntana.search("armchair", limit=1)[0]


@pytest.mark.parametrize(
    "filters",
    [
        lambda a: {"name": a.name},
        lambda a: {"description": a.raw["description"]},
        lambda a: {"tag_name": a.tags[0]},
        lambda a: {"tags": [a.raw["tags"][0]["uuid"]]},
        lambda a: {"tags": [tag["uuid"] for tag in a.raw["tags"]], "match_types": {"tags": "all"}},
        lambda a: {"location_name": a.raw["locations"][0]["name"]},
        lambda a: {"locations": a.raw["locations"][0]["uuid"]},
        lambda a: {"products": [a.id]},
        lambda a: {"pipelines": a.raw["pipelineUuid"]},
        lambda a: {"attribute_key": "creator", "attribute_value": a.attributes["creator"]},
        lambda a: {"attributes_keys": ["creator", "licence"]},
        lambda a: {"attributes_values": [a.attributes["creator"]]},
        lambda a: {"has_attributes": True},
        lambda a: {"status": a.status},
        lambda a: {"conversion_status": a.raw["conversionStatus"]},
        lambda a: {"asset_types": "three_d"},
        lambda a: {"created": (a.created, a.created.replace(microsecond=999_000))},
        lambda a: {"updated": (a.updated.date(), a.updated.date())},
        lambda a: {"original_size": (a.raw["asset"]["assetOriginalSize"],) * 2},
        lambda a: {"original_poly_count": (1, None)},
        lambda a: {"optimized_size": (1, None)},
        lambda a: {"optimized_poly_count": (1, None)},
    ],
)
def test_filters_that_an_asset_fits(vntana, filters):
    asset = row(vntana)
    assert asset in vntana.search(**filters(asset))


@pytest.mark.parametrize(
    "filters",
    [
        {"name": "zeppelin"},
        {"description": "zeppelin"},
        {"tag_name": "zeppelin"},
        {"tags": "00000000-0000-0000-0000-000000000000"},
        {"location_name": "zeppelin"},
        {"locations": "00000000-0000-0000-0000-000000000000"},
        {"variant_groups": "00000000-0000-0000-0000-000000000000"},
        {"variant_group_name": "zeppelin"},
        {"projects": "00000000-0000-0000-0000-000000000000"},
        {"products": "00000000-0000-0000-0000-000000000000"},
        {"pipelines": "00000000-0000-0000-0000-000000000000"},
        {"attribute_key": "zeppelin"},
        {"attribute_value": "zeppelin"},
        {"attributes_keys": "zeppelin"},
        {"attributes_values": "zeppelin"},
        {"has_attributes": False},
        {"conversion_status": "failed"},
        {"asset_types": "audio"},
        {"integrations_status": {"shop": "REMOTE_ERROR"}},
        {"created": (None, "1999-12-31")},
        {"updated": ("2099-01-01", None)},
        {"original_size": (None, 1)},
        {"optimized_size": (None, 1)},
        {"original_poly_count": (None, 1)},
        {"optimized_poly_count": (10**9, None)},
    ],
)
def test_filters_that_nothing_fits(vntana, filters):
    assert vntana.search(**filters).total == 0


def test_projects_split_the_catalogue(vntana):
    inside, outside = (vntana.search(has_projects=flag).total for flag in (True, False))
    assert inside + outside == 87
    assert inside > 0


def test_drafts_come_when_they_are_asked_for(vntana):
    assert vntana.search().total == 87
    drafts = vntana.search(status="DRAFT")
    assert {asset.status for asset in drafts} == {"DRAFT"}
    assert drafts.total == 8
    assert vntana.search(status=["DRAFT", "LIVE_PUBLIC", "LIVE_INTERNAL"]).total == 95


def test_rows_of_other_workspaces_turn_the_search_to_the_path_of_its_own(sandbox, vntana, open_client):
    """The search over several workspaces was seen to answer with rows of all of them; the total was wrong then."""
    workspace = sandbox.vntana_api.workspace.uuid
    everything = open_client(organization="northlight-home").search(limit=50)
    rows = [dict(asset.raw) for asset in everything]
    assert {other["clientUuid"] for other in rows} != {workspace}
    sandbox.faults.log.clear()
    sandbox.faults.add("clients/search", kind="wrong_content", body=json.dumps(envelope(rows, 300)), count=None)
    found = vntana.search()
    assert len(found) == found.total == 87
    assert {asset.raw["clientUuid"] for asset in found} == {workspace}
    paths = [seen.path.partition("/products/")[2] for seen in sandbox.faults.requests("/search")]
    assert paths == ["clients/search", f"clients/{workspace}/search", f"clients/{workspace}/search"]


@pytest.mark.parametrize(
    "answer",
    [
        {"success": True, "errors": [], "response": None},
        {"success": True, "errors": [], "response": []},
        {"success": True, "errors": [], "response": {"totalCount": 1}},
        {"success": True, "errors": [], "response": {"totalCount": 1, "grid": {}}},
        {"success": True, "errors": [], "response": {"totalCount": 1, "grid": [None]}},
        {"success": True, "errors": [], "response": {"totalCount": 1, "grid": [{"name": "no uuid"}]}},
    ],
)
def test_the_wrong_shape_is_a_bad_response(sandbox, vntana, answer):
    sandbox.faults.add("/search", kind="wrong_content", body=answer)
    with pytest.raises(BadResponse):
        len(vntana.search())


def test_html_instead_of_json(sandbox, vntana):
    sandbox.faults.add("/search", kind="html")
    with pytest.raises(BadResponse, match=r"text/html.*base URL"):
        len(vntana.search())


def test_a_count_that_is_none_does_not_hide_assets(sandbox, vntana):
    rows = [dict(asset.raw) for asset in vntana.search("chair")]
    for page in (rows, []):
        sandbox.faults.add("/search", kind="wrong_content", body=json.dumps(envelope(page, None)))
    assert len(vntana.search("chair")) == 11


def test_success_false_with_status_200_is_an_error(sandbox, vntana):
    body = {"success": False, "errors": ["INVALID_SORT_FIELD"], "response": None}
    sandbox.faults.add("/search", status=200, headers={"content-type": "application/json"}, body=body)
    with pytest.raises(InvalidRequest, match="INVALID_SORT_FIELD") as caught:
        len(vntana.search())
    assert (caught.value.status, caught.value.code) == (200, "INVALID_SORT_FIELD")


@pytest.mark.parametrize("status", [429, 403, 200])
def test_a_rate_limit_is_waited_for_whatever_its_status(sandbox, vntana, status):
    body = {"success": False, "errors": ["API_RATE_LIMIT_EXCEEDED"], "response": None}
    sandbox.faults.add("/search", status=status, headers={"retry-after": "0"}, body=body, count=2)
    assert vntana.search("chair").total == 11
    assert [seen.status for seen in sandbox.faults.requests("/search")] == [status, status, 200]
    assert len(sandbox.faults.requests("auth/login")) == 1


def test_a_rate_limit_that_lasts_too_long_is_told(sandbox, vntana):
    sandbox.faults.add("/search", status=429, headers={"retry-after": "3600"}, count=None)
    with pytest.raises(RateLimited) as caught:
        len(vntana.search())
    assert (caught.value.retry_after, caught.value.status) == (3600, 429)
    assert len(sandbox.faults.requests("/search")) == 1


def test_a_broken_connection_is_tried_again(sandbox, vntana):
    assert len(vntana.workspaces()) == 5
    sandbox.faults.add("/search", kind="reset")
    assert vntana.search("chair").total == 11


def test_a_dead_server(open_client):
    from ipyassets.clients.vntana import Vntana
    from ipyassets.http.retry import RetryPolicy

    with Vntana("token", base_url="http://127.0.0.1:9") as client:
        client.core._http.policy = RetryPolicy(attempts=2, first=0.01)
        with pytest.raises(ServiceUnavailable, match=r"could not be reached for the login \(no connection\)"):
            len(client.search())


def test_one_product(vntana):
    found = vntana.search("armchair")[0]
    asset = vntana.asset(found.id)
    assert asset == found
    assert (asset.name, asset.kind, asset.status, asset.tags) == (found.name, found.kind, found.status, found.tags)
    assert dict(asset.attributes) == dict(found.attributes)
    assert (asset.created, asset.updated) == (found.created, found.updated)
    assert asset.raw["organizationUuid"]


def test_one_product_of_a_workspace_member(sandbox, open_client):
    client = open_client(sandbox.vntana_api.assistant)
    found = client.search("armchair")[0]
    assert client.asset(found.id) == found
