from __future__ import annotations

import logging
from typing import Any

import pytest

from ipyassets.errors import BadResponse, InvalidRequest, NotFound, PermissionDenied, RateLimited, ServiceUnavailable
from ipyassets.http import loop
from ipyassets.sandbox import Sandbox
from ipyassets.services.itwin.client import ITwinService
from tests.services.calls import records, walk


def test_pages_to_the_end(sandbox: Sandbox, service: ITwinService) -> None:
    everything = records(service.search())
    assert len(everything) >= 12
    sandbox.faults.log.clear()
    one_by_one = walk(service.search(page_size=1))
    assert [record.id for page in one_by_one for record in page.records] == [record.id for record in everything]
    assert all(page.total is None for page in one_by_one)
    assert len({record.id for record in everything}) == len(everything)
    asked = sandbox.faults.requests("/imodels")
    assert "ContinuationToken=&" in asked[0].query.replace("%24c", "C") + "&"
    assert {seen.headers["prefer"] for seen in asked} == {"return=representation"}
    assert {seen.headers["accept"] for seen in asked} == {"application/vnd.bentley.itwin-platform.v2+json"}
    assert len({seen.headers["authorization"] for seen in asked}) == 1


def test_next_links_are_followed_verbatim(sandbox: Sandbox, service: ITwinService) -> None:
    first = loop.run(service.search("e", sort="-name", page_size=2).page(0))
    assert first.next is not None
    loop.run(service.search("e", sort="-name", page_size=2).page(1, first.next))
    last = sandbox.faults.log[-1]
    assert first.next == f"{sandbox.origin}{last.path}?{last.query}"


def test_records_are_whole(service: ITwinService) -> None:
    record = records(service.search())[0]
    assert record.kind == "imodel"
    assert record.created is not None
    assert record.created.tzinfo is not None
    assert record == loop.run(service.record(record.id))
    assert dict(record.raw) == dict(loop.run(service.record(record.id)).raw)


def test_sorts(service: ITwinService) -> None:
    names = [record.name for record in records(service.search(sort="name"))]
    assert names == sorted(names, key=str.casefold)
    assert [record.name for record in records(service.search(sort="-name"))] == names[::-1]
    dates = [record.created for record in records(service.search(sort="-created"))]
    assert dates == sorted(dates, reverse=True)
    assert dates[0] != dates[-1]


def test_text_name_and_state(service: ITwinService) -> None:
    everything = records(service.search())
    found = records(service.search(" HOUSE "))
    assert 0 < len(found) < len(everything)
    assert all("house" in f"{record.name} {record.raw['description']}".lower() for record in found)
    assert [record.name for record in records(service.search(name=everything[3].name))] == [everything[3].name]
    by_state = {state: records(service.search(state=state)) for state in ("initialized", "notInitialized")}
    assert sum(map(len, by_state.values())) == len(everything)
    assert records(service.search("there is no such iModel")) == []


def test_awkward_texts_arrive_as_they_are(sandbox: Sandbox, service: ITwinService) -> None:
    text = "a&b=c #1 + 100% \u00fc/?"
    loop.run(service.search(text).page(0))
    from urllib.parse import parse_qs

    assert parse_qs(sandbox.faults.log[-1].query)["$search"] == [text]


@pytest.mark.parametrize(
    ("keywords", "says"),
    [
        ({"page_size": 0}, "1 to 1000"),
        ({"page_size": 1001}, "1 to 1000"),
        ({"page_size": "5"}, "1 to 1000"),
        ({"page_size": True}, "1 to 1000"),
        ({"sort": "size"}, "'-created'"),
        ({"state": "asleep"}, "'notInitialized'"),
        ({"name": 5}, "str"),
        ({"nam": "x"}, "Did you mean 'name'"),
    ],
)
def test_bad_keywords_are_refused_before_anything_is_sent(
    sandbox: Sandbox, service: ITwinService, keywords: dict[str, Any], says: str
) -> None:
    with pytest.raises(InvalidRequest, match=says):
        service.search(**keywords)
    assert not sandbox.faults.log


def test_empty_keywords_of_a_form_count_as_unset(service: ITwinService) -> None:
    assert len(records(service.search("  ", name="", state=None, sort=""))) == len(records(service.search()))


# -- which iTwin ------------------------------------------------------------------------------------------------------


def test_without_an_itwin_the_choice_is_listed(service: ITwinService) -> None:
    service._chosen = None
    places = loop.run(service.workspaces())
    assert len(places) > 1
    with pytest.raises(InvalidRequest, match="ITWIN_ID") as caught:
        loop.run(service.search().page(0))
    assert all(place.name in str(caught.value) and place.id in str(caught.value) for place in places)


def test_the_only_itwin_is_taken(sandbox: Sandbox, service: ITwinService) -> None:
    only, service._chosen = service._chosen, None
    body = {"iTwins": [{"id": only, "displayName": "Mine", "subClass": "Project"}, {"id": "a", "subClass": "Account"}]}
    sandbox.faults.add("/itwins", status=200, body=body)
    assert loop.run(service.search().page(0)).records
    assert loop.run(service.search().page(0)).records
    assert len(sandbox.faults.requests("/itwins$", "GET")) == 1


def test_no_itwin_at_all(sandbox: Sandbox, service: ITwinService) -> None:
    service._chosen = None
    sandbox.faults.add("/itwins", status=200, body={"iTwins": []})
    with pytest.raises(InvalidRequest, match="see no iTwin"):
        loop.run(service.search().page(0))


def test_an_itwin_by_name_or_number(service: ITwinService) -> None:
    place = loop.run(service.workspaces())[1]
    by_id = [record.id for record in records(service.search(workspace=place.id))]
    assert [record.id for record in records(service.search(workspace=place.name))] == by_id
    assert [record.id for record in records(service.search(workspace=place.slug))] == by_id
    with pytest.raises(InvalidRequest, match="No such place"):
        loop.run(service.search(workspace="No such place").page(0))


def test_an_unknown_itwin(service: ITwinService) -> None:
    with pytest.raises(NotFound) as caught:
        loop.run(service.search(workspace="00000000-0000-4000-8000-000000000000").page(0))
    assert caught.value.code == "iTwinNotFound"


def test_itwins_over_several_pages(sandbox: Sandbox, service: ITwinService) -> None:
    link = f"{sandbox.origin}/itwin/itwins?$skip=1&$top=1"
    first = {"iTwins": [{"id": "one", "displayName": "First"}], "_links": {"next": {"href": link}}}
    sandbox.faults.add("/itwins", status=200, body=first)
    places = loop.run(service.workspaces())
    assert places[0].id == "one"
    assert len(places) > 1


# -- a platform that misbehaves ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "href",
    [
        "https://evil.example/imodels?x=1",
        "http://localhost:1/itwin/imodels",
        "//evil.example/imodels",
        "/imodels?relative=1",
        "ftp://127.0.0.1/imodels",
        "http://[broken",
        17,
    ],
)
def test_a_next_link_to_elsewhere_is_not_followed(sandbox: Sandbox, service: ITwinService, href: object) -> None:
    body = {"iModels": [], "_links": {"next": {"href": href}}}
    sandbox.faults.add("/imodels", status=200, body=body)
    with pytest.raises(BadResponse, match="token was not sent"):
        loop.run(service.search().page(0))
    assert len(sandbox.faults.log) == 1


def test_a_next_link_on_another_port_of_the_same_host_is_elsewhere(sandbox: Sandbox, service: ITwinService) -> None:
    sandbox.faults.add(
        "/imodels", status=200, body={"iModels": [], "_links": {"next": {"href": "http://127.0.0.1:1/imodels"}}}
    )
    with pytest.raises(BadResponse):
        loop.run(service.search().page(0))


@pytest.mark.parametrize("links", [None, {}, {"next": None}, {"next": {}}, {"next": {"href": ""}}, []])
def test_missing_links_mean_the_end(sandbox: Sandbox, service: ITwinService, links: object) -> None:
    sandbox.faults.add("/imodels", status=200, body={"iModels": [{"id": "x"}], "_links": links})
    assert loop.run(service.search().page(0)).next is None


def test_a_next_link_to_itself_ends_the_list(
    sandbox: Sandbox, service: ITwinService, caplog: pytest.LogCaptureFixture
) -> None:
    link = f"{sandbox.origin}/itwin/imodels?again=1"
    sandbox.faults.add(
        "/imodels", status=200, count=None, body={"iModels": [{"id": "x"}], "_links": {"next": {"href": link}}}
    )
    with caplog.at_level(logging.WARNING):
        assert len(walk(service.search())) == 2
    assert "same page" in caplog.text


def test_a_redirect_to_another_origin_carries_no_token(sandbox: Sandbox, service: ITwinService) -> None:
    port = sandbox.origin.rpartition(":")[2]
    sandbox.faults.add("/imodels", kind="redirect", location=f"http://localhost:{port}/itwin/imodels")
    with pytest.raises(Exception, match="401"):
        loop.run(service.search().page(0))
    first, second = sandbox.faults.log
    assert "authorization" in first.headers
    assert second.headers["host"].startswith("localhost")
    assert "authorization" not in second.headers


def test_html_and_wrong_shapes(sandbox: Sandbox, service: ITwinService) -> None:
    sandbox.faults.add("/imodels", kind="html")
    with pytest.raises(BadResponse, match="text/html"):
        loop.run(service.search().page(0))
    for body in ("[]", "7", '{"iModels": 5}', '{"iModels": ["x"]}', "{}", '{"iModels": [{}]}', ""):
        sandbox.faults.add("/imodels", status=200, body=body)
        with pytest.raises(BadResponse):
            loop.run(service.search().page(0))


def test_a_bad_moment_passes(sandbox: Sandbox, service: ITwinService) -> None:
    sandbox.faults.add("/imodels", status=502, body="<html>", count=1)
    sandbox.faults.add("/imodels", kind="reset", count=1)
    assert loop.run(service.search().page(0)).records


def test_a_bad_day_does_not(sandbox: Sandbox, service: ITwinService) -> None:
    sandbox.faults.add("/imodels", status=500, count=None)
    with pytest.raises(ServiceUnavailable) as caught:
        loop.run(service.search().page(0))
    assert caught.value.status == 500


def test_permission_denied_tells_what_to_do(sandbox: Sandbox, service: ITwinService) -> None:
    body = {"error": {"code": "InsufficientPermissions", "message": "No."}}
    sandbox.faults.add("/imodels", status=403, body=body)
    with pytest.raises(PermissionDenied, match="imodels_webview") as caught:
        loop.run(service.search().page(0))
    assert caught.value.code == "InsufficientPermissions"


def test_422_keeps_details_with_targets(service: ITwinService) -> None:
    search = service.search()
    search._query[0] = ("$top", "0")
    with pytest.raises(InvalidRequest) as caught:
        loop.run(search.page(0))
    assert (caught.value.status, caught.value.code) == (422, "InvalidiModelsRequest")
    assert [(entry["code"], entry["target"]) for entry in caught.value.details] == [("InvalidValue", "$top")]


@pytest.mark.parametrize(
    "headers",
    [{"Retry-After": "0"}, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, {"Retry-After": "a while"}, {}],
    ids=["seconds", "date", "garbage", "none"],
)
def test_429_is_waited_for(sandbox: Sandbox, service: ITwinService, headers: dict[str, str]) -> None:
    body = {"error": {"code": "RateLimitExceeded", "message": "Slow down."}}
    sandbox.faults.add("/imodels", status=429, headers=headers, body=body, count=2)
    assert loop.run(service.search().page(0)).records
    assert len(sandbox.faults.log) == 3


@pytest.mark.parametrize("header", ["Retry-After", "ITwinPlatform-RateLimit-Retry-After-Seconds"])
def test_a_long_wait_is_told_and_not_made(sandbox: Sandbox, service: ITwinService, header: str) -> None:
    body = {"error": {"code": "RateLimitExceeded", "message": "Slow down."}}
    sandbox.faults.add("/imodels", status=429, headers={header: "900"}, body=body, count=None)
    with pytest.raises(RateLimited) as caught:
        loop.run(service.search().page(0))
    assert (caught.value.retry_after, caught.value.code) == (900, "RateLimitExceeded")
    assert len(sandbox.faults.log) == 1


def test_pages_are_walked_in_order_only(service: ITwinService) -> None:
    with pytest.raises(InvalidRequest, match="one after the other"):
        loop.run(service.search().page(3))
