from __future__ import annotations

import logging
from collections import Counter
from typing import Any

import pytest

from ipyassets.errors import (
    AuthenticationError,
    BadResponse,
    InvalidRequest,
    PermissionDenied,
    RateLimited,
    ServiceUnavailable,
)
from ipyassets.http import loop
from ipyassets.sandbox import Sandbox
from ipyassets.services.scenario.client import ScenarioService
from ipyassets.services.scenario.search import AssetSearch
from tests.services.calls import records, walk
from tests.services.scenario.conftest import Make


def first(service: ScenarioService, text: str = "", **keywords: Any) -> list[str]:
    return [record.id for record in loop.run(service.search(text, **keywords).page(0)).records]


# -- the two forms ----------------------------------------------------------------------------------------------------


def test_listing_to_the_end(sandbox: Sandbox, service: ScenarioService) -> None:
    everything = records(service.search())
    assert len(everything) >= 60
    pages = walk(service.search(page_size=7))
    assert [record.id for page in pages for record in page.records] == [record.id for record in everything]
    assert len(pages) == -(-len(everything) // 7)
    assert {page.total for page in pages} == {None}
    assert len({record.id for record in everything}) == len(everything)
    dates = [record.created for record in everything]
    assert dates == sorted(dates, reverse=True)
    assert {seen.method for seen in sandbox.faults.log} == {"GET"}
    assert all("sortBy=createdAt&sortDirection=desc" in seen.query for seen in sandbox.faults.log)


@pytest.mark.parametrize("paging", ["page", "offset"])
def test_both_paging_forms_find_the_same(service: ScenarioService, paging: str) -> None:
    expected = {record.id for record in records(service.search())}
    pages = walk(service.search(paging=paging, page_size=9))
    found = Counter(record.id for page in pages for record in page.records)
    assert set(found) == expected
    assert set(found.values()) == {1}
    assert {page.total for page in pages} == ({len(expected)} if paging == "page" else {None})


def test_any_page_at_once(service: ScenarioService) -> None:
    search = service.search(kind="image", page_size=5)
    assert isinstance(search, AssetSearch)
    assert search.random_access
    pages = walk(search)
    assert [r.id for r in loop.run(search.page(6)).records] == [r.id for r in pages[6].records]
    assert loop.run(search.page(1000)).records == []


def test_paging_stands_in_the_body(sandbox: Sandbox, service: ScenarioService) -> None:
    loop.run(service.search("chair", page_size=5).page(2))
    loop.run(service.search("chair", page_size=5, paging="offset").page(2))
    numbered, by_offset = (seen.json for seen in sandbox.faults.log)
    assert (numbered["page"], numbered["hitsPerPage"]) == (3, 5)
    assert (by_offset["offset"], by_offset["limit"]) == (10, 5)
    assert not any(seen.query for seen in sandbox.faults.log)


def test_listing_needs_its_cursor(service: ScenarioService) -> None:
    with pytest.raises(InvalidRequest, match="page after page"):
        loop.run(service.search().page(2))


# -- filters, against the emulator ------------------------------------------------------------------------------------


def test_text_and_filters_narrow(service: ScenarioService) -> None:
    everything = records(service.search())
    chairs = records(service.search("chair"))
    assert 0 < len(chairs) < len(everything)
    kinds = records(service.search(kind=["3d", "video"]))
    assert {record.kind for record in kinds} == {"3d", "video"}
    assert len(kinds) == sum(record.kind in ("3d", "video") for record in everything)
    tag = Counter(tag for record in everything for tag in record.tags).most_common(1)[0]
    assert len(records(service.search(tags=tag[0]))) == tag[1]
    assert records(service.search(tags='no "such" \\ tag')) == []
    wide = records(service.search(min_width=800))
    assert all(record.attributes["width"] >= 800 for record in wide)
    assert wide


def test_types_models_and_dates(service: ScenarioService) -> None:
    everything = records(service.search())
    uploaded = records(service.search(types=["uploaded", "uploaded-3d"]))
    assert {record.attributes["type"] for record in uploaded} == {"uploaded", "uploaded-3d"}
    model = next(record.attributes["model"] for record in everything if "model" in record.attributes)
    listed = {record.id for record in records(service.search(model=model))}
    assert listed == {record.id for record in everything if record.attributes.get("model") == model}
    assert {record.id for record in records(service.search(model=model, paging="page"))} == listed
    middle = everything[len(everything) // 2]
    later = records(service.search(created_after=middle.created))
    assert {record.id for record in later} == {r.id for r in everything if r.created > middle.created}  # type: ignore[operator]
    assert len(records(service.search(created_after=middle.created, paging="page"))) == len(later)


def test_sorts(service: ScenarioService) -> None:
    widths = [record.attributes["width"] for record in records(service.search(kind="image", sort="-width"))]
    assert widths == sorted(widths, reverse=True)
    oldest = records(service.search(sort="created"))
    assert [r.id for r in oldest] != [r.id for r in records(service.search())]
    assert oldest[0].created < oldest[-1].created  # type: ignore[operator]


def test_likeness(service: ScenarioService) -> None:
    picture = records(service.search("chair", kind="image"))[0]
    alike = first(service, image=picture)
    assert alike
    assert first(service, images={"like": [picture.id]})


def test_collections_and_tags(service: ScenarioService) -> None:
    collections = loop.run(service.collections())
    assert collections
    members = records(service.search(collection=collections[0]))
    assert len(members) == collections[0].assets
    assert len(records(service.search("", collection=collections[0], paging="page"))) == len(members)
    tags = loop.run(service.tags())
    assert tags[0].items is not None
    assert len(records(service.search(tags=tags[0]))) >= 1


def test_tags_over_several_pages(sandbox: Sandbox, service: ScenarioService) -> None:
    whole = [tag.name for tag in loop.run(service.tags())]
    sandbox.faults.add(
        "/v1/tags", status=200, body={"tags": [{"tagName": "first"}], "nextPaginationToken": ""}, count=1
    )
    assert [tag.name for tag in loop.run(service.tags())] == ["first"]
    body = {"tags": [{"tagName": "again"}], "nextPaginationToken": "same"}
    sandbox.faults.add("/v1/tags", status=200, body=body, count=None)
    assert [tag.name for tag in loop.run(service.tags())] == ["again"]
    assert len(whole) > 1


def test_a_filter_the_service_refuses(service: ScenarioService) -> None:
    with pytest.raises(InvalidRequest, match="not filterable") as caught:
        loop.run(service.search(filter="nonsense = 5").page(0))
    assert caught.value.status == 400
    assert any("trace_id" in entry for entry in caught.value.details)


# -- credentials ------------------------------------------------------------------------------------------------------


def test_wrong_keys(make: Make) -> None:
    with pytest.raises(AuthenticationError) as caught:
        loop.run(make("wrong-key", "wrong-secret").search().page(0))
    assert caught.value.status == 401
    assert "wrong-secret" not in str(caught.value)


def test_a_foreign_project(sandbox: Sandbox, make: Make) -> None:
    service = make(project_id=sandbox.scenario_api.foreign_project_id)
    with pytest.raises(PermissionDenied, match="project") as caught:
        loop.run(service.search().page(0))
    assert caught.value.status == 403


def test_the_project_goes_with_everything(sandbox: Sandbox, make: Make) -> None:
    service = make(project_id=f" {sandbox.scenario_api.project_id} ")
    page = loop.run(service.search().page(0))
    loop.run(service.search("chair").page(0))
    loop.run(service.record(page.records[0].id))
    loop.run(service.tags())
    assert all(f"projectId={sandbox.scenario_api.project_id}" in seen.query for seen in sandbox.faults.log)


def test_secrets_are_nowhere_to_be_read(sandbox: Sandbox, make: Make, caplog: pytest.LogCaptureFixture) -> None:
    info = sandbox.connection_info()["scenario"]
    service = make()
    sandbox.faults.add("/v1/assets", status=400, body={"reason": "No"})
    with caplog.at_level(logging.DEBUG), pytest.raises(InvalidRequest) as caught:
        loop.run(service.search().page(0))
    texts = [caplog.text, repr(caught.value), repr(vars(caught.value)), repr(vars(service)), repr(vars(service._keys))]
    assert all(info["api_secret"] not in text and info["api_key"] not in text for text in texts)


def test_a_redirect_to_another_origin_carries_no_keys(sandbox: Sandbox, service: ScenarioService) -> None:
    port = sandbox.origin.rpartition(":")[2]
    sandbox.faults.add("/v1/assets", kind="redirect", location=f"http://localhost:{port}/scenario/v1/assets")
    with pytest.raises(AuthenticationError):
        loop.run(service.search().page(0))
    assert "authorization" in sandbox.faults.log[0].headers
    assert "authorization" not in sandbox.faults.log[1].headers


# -- a service that misbehaves ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", [None, "", 5])
def test_the_token_after_the_last_page(sandbox: Sandbox, service: ScenarioService, token: object) -> None:
    sandbox.faults.add("/v1/assets", status=200, body={"assets": [{"id": "x"}], "nextPaginationToken": token})
    assert loop.run(service.search().page(0)).next is None


def test_a_repeated_token_ends_the_list(
    sandbox: Sandbox, service: ScenarioService, caplog: pytest.LogCaptureFixture
) -> None:
    body = {"assets": [{"id": "x"}], "nextPaginationToken": "again"}
    sandbox.faults.add("/v1/assets", status=200, body=body, count=None)
    with caplog.at_level(logging.WARNING):
        assert len(walk(service.search())) == 2
    assert "list ends here" in caplog.text


def test_assets_that_come_and_go_between_pages(sandbox: Sandbox, service: ScenarioService) -> None:
    """Pages of a search are cut anew each time: the count is the latest, and the walk ends at an empty page."""
    hits = [{"id": f"asset_{n}", "metadata": {}} for n in range(7)]
    before = {"hits": hits[:5], "page": 1, "hitsPerPage": 5, "totalHits": 7, "totalPages": 2}
    after = {"hits": hits[4:6], "page": 2, "hitsPerPage": 5, "totalHits": 6, "totalPages": 2}
    gone = {"hits": [], "page": 3, "hitsPerPage": 5, "totalHits": 6, "totalPages": 2}
    for body in (before, after, gone):
        sandbox.faults.add("/search/assets", status=200, body=body)
    pages = walk(service.search("x", page_size=5))
    assert [page.total for page in pages] == [7, 6, 6]
    assert [record.id for page in pages for record in page.records] == [f"asset_{n}" for n in (0, 1, 2, 3, 4, 4, 5)]


@pytest.mark.parametrize("total", [None, "many", -1, True])
def test_a_count_that_is_none(sandbox: Sandbox, service: ScenarioService, total: object) -> None:
    sandbox.faults.add("/search/assets", status=200, body={"hits": [], "totalHits": total})
    assert loop.run(service.search("x").page(0)).total is None


def test_an_estimate_is_no_count(service: ScenarioService) -> None:
    assert loop.run(service.search("chair", paging="offset").page(0)).total is None


def test_html_and_wrong_shapes(sandbox: Sandbox, service: ScenarioService) -> None:
    sandbox.faults.add("/v1/assets", kind="html")
    with pytest.raises(BadResponse, match="text/html"):
        loop.run(service.search().page(0))
    for body in ("[]", '{"assets": {}}', '{"assets": [5]}', "{}", '{"assets": [{"id": 5}]}', ""):
        sandbox.faults.add("/v1/assets", status=200, body=body)
        with pytest.raises(BadResponse):
            loop.run(service.search().page(0))


def test_a_bad_moment_passes_for_searches_too(sandbox: Sandbox, service: ScenarioService) -> None:
    sandbox.faults.add("/search/assets", status=502, body="<html>", count=1)
    sandbox.faults.add("/search/assets", kind="reset", count=1)
    assert loop.run(service.search("chair").page(0)).records


def test_a_bad_day_does_not(sandbox: Sandbox, service: ScenarioService) -> None:
    sandbox.faults.add("/search/assets", kind="html", status=502, count=None)
    with pytest.raises(ServiceUnavailable) as caught:
        loop.run(service.search("chair").page(0))
    assert caught.value.status == 502


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Retry-After": "0"}, {"reason": "Slow", "remainingSeconds": 0.01}),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, {"reason": "Slow"}),
        ({"Retry-After": "a while"}, {}),
        ({}, {"reason": "Slow"}),
    ],
    ids=["seconds", "date", "garbage", "none"],
)
def test_429_is_waited_for(
    sandbox: Sandbox, service: ScenarioService, headers: dict[str, str], body: dict[str, Any]
) -> None:
    sandbox.faults.add("/search/assets", status=429, headers=headers, body=body, count=2)
    assert loop.run(service.search("chair").page(0)).records
    assert len(sandbox.faults.log) == 3


def test_the_longer_of_two_waits_counts(sandbox: Sandbox, service: ScenarioService) -> None:
    body = {"reason": "Cooldown", "remainingSeconds": 900}
    sandbox.faults.add("/search/assets", status=429, headers={"Retry-After": "0"}, body=body, count=None)
    with pytest.raises(RateLimited, match="Cooldown") as caught:
        loop.run(service.search("chair").page(0))
    assert caught.value.retry_after == 900
    assert len(sandbox.faults.log) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"reason": "Plan", "details": {"actionName": "s", "actionLimit": 5}},
        {"error": "Quota", "code": "QUOTA_EXCEEDED"},
    ],
)
def test_a_plans_ceiling_is_not_tried_again(sandbox: Sandbox, service: ScenarioService, body: dict[str, Any]) -> None:
    sandbox.faults.add("/search/assets", status=429, body=body, count=None)
    with pytest.raises(RateLimited, match="larger plan"):
        loop.run(service.search("chair").page(0))
    assert len(sandbox.faults.log) == 1


def test_there_are_no_workspaces(service: ScenarioService) -> None:
    with pytest.raises(InvalidRequest, match="project"):
        service.search(workspace="x")
    assert loop.run(service.workspaces()) == ()
