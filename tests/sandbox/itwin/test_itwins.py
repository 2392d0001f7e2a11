"""``/itwins``: what the account is a member of."""

from __future__ import annotations

import httpx
import pytest

from ipyassets.sandbox.itwin import ITwinApi

UNKNOWN = "00000000-0000-4000-8000-000000000000"


def names(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [itwin["displayName"] for itwin in response.json()["iTwins"]]


def test_inactive_ones_are_hidden_and_foreign_ones_absent(http: httpx.Client) -> None:
    active = names(http.get("/itwins"))
    everything = names(http.get("/itwins/", params={"includeInactive": "true"}))
    assert active[0] == "Harbour Quarter"
    assert set(everything) - set(active) == {"Weaving Mill Conversion"}
    assert "Southbank Stadium" not in everything


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"subClass": "Asset"}, ["River Crossings"]),
        ({"subClass": "Asset,workpackage"}, ["River Crossings", "Tender Sandbox"]),
        ({"status": "Trial"}, ["Birchwood Campus"]),
        ({"status": "Inactive"}, ["Weaving Mill Conversion"]),
        ({"$search": "nk-23"}, ["Harbour Quarter"]),
        ({"$search": "CAMPUS"}, ["Birchwood Campus"]),
        ({"displayName": "River Crossings"}, ["River Crossings"]),
        ({"displayName": "river crossings"}, []),
        ({"number": "NK-2410"}, ["Tender Sandbox"]),
        ({"type": "Bridge"}, ["River Crossings"]),
        ({"parentId": UNKNOWN}, []),
        ({"subClass": "Project", "$orderby": "displayName"}, ["Birchwood Campus", "Harbour Quarter"]),
    ],
)
def test_filters(http: httpx.Client, params: dict[str, str], found: list[str]) -> None:
    assert names(http.get("/itwins", params=params)) == found


@pytest.mark.parametrize(
    ("params", "code", "target"),
    [
        ({"subClass": "Bridge"}, "InvalidValue", "subClass"),
        ({"status": "Asleep"}, "InvalidValue", "status"),
        ({"status": "Active", "includeInactive": "true"}, "MutuallyExclusiveParametersProvided", "includeInactive"),
        ({"$search": "a", "displayName": "a"}, "MutuallyExclusiveParametersProvided", "displayName"),
        ({"$search": "a", "number": "a"}, "MutuallyExclusiveParametersProvided", "number"),
        ({"$top": "1001"}, "InvalidValue", "$top"),
        ({"$skip": "-1"}, "InvalidValue", "$skip"),
        ({"parentId": "x"}, "InvalidValue", "parentId"),
        ({"$orderby": "colour"}, "InvalidValue", "$orderby"),
    ],
)
def test_bad_queries(http: httpx.Client, params: dict[str, str], code: str, target: str) -> None:
    response = http.get("/itwins", params=params)
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (422, "InvalidiTwinsRequest")
    assert [(one["code"], one["target"]) for one in error["details"]] == [(code, target)]


def test_pages_leave_absent_links_out(http: httpx.Client) -> None:
    first = http.get("/itwins", params={"$top": 2}).json()
    assert set(first["_links"]) == {"self", "next"}
    second = http.get(first["_links"]["next"]["href"]).json()
    assert set(second["_links"]) == {"self", "prev", "next"}
    last = http.get(second["_links"]["next"]["href"]).json()
    assert set(last["_links"]) == {"self", "prev"}
    ids = [one["id"] for page in (first, second, last) for one in page["iTwins"]]
    assert len(ids) == len(set(ids)) == 5


def test_forms(http: httpx.Client, platform: ITwinApi) -> None:
    minimal = {"id", "class", "subClass", "type", "number", "displayName"}
    assert set(http.get("/itwins").json()["iTwins"][0]) == minimal
    full = http.get("/itwins", headers={"Prefer": "return=representation"}).json()["iTwins"][0]
    assert full["status"] == "Active"
    assert full["createdDateTime"] == "2023-02-06T09:30:00.000Z"
    path = f"/itwins/{platform.itwin_id}"
    assert http.get(path).json()["iTwin"] == full
    assert set(http.get(path, headers={"Prefer": "return=minimal"}).json()["iTwin"]) == minimal
    account = http.get(f"{path}/account").json()["iTwin"]
    assert account == http.get("/itwins/myprimaryaccount").json()["iTwin"]
    assert account["id"] == full["iTwinAccountId"]


def test_headers(http: httpx.Client) -> None:
    response = http.get("/itwins", headers={"X-Max-Return": "2", "x-total-count": "true"})
    assert (response.headers["x-max-return"], response.headers["x-total-count"]) == ("2", "2")
    assert len(names(response)) == 2
    for header in ({"X-Max-Return": "10001"}, {"X-iTwin-Query-Scope": "mine"}):
        response = http.get("/itwins", headers=header)
        assert response.json()["error"]["details"][0]["code"] == "InvalidHeaderValue"


def test_favorites_and_recents(http: httpx.Client) -> None:
    assert names(http.get("/itwins/favorites")) == ["Harbour Quarter", "River Crossings"]
    assert names(http.get("/itwins/recents")) == ["Harbour Quarter", "Birchwood Campus"]


@pytest.mark.parametrize("id", [UNKNOWN, "malformed"])
def test_unknown(http: httpx.Client, id: str) -> None:
    response = http.get(f"/itwins/{id}")
    assert (response.status_code, response.json()["error"]["code"]) == (404, "iTwinNotFound")


def test_foreign_one_is_not_there(http: httpx.Client, platform: ITwinApi) -> None:
    foreign = next(one.id for one in platform._catalogue.itwins if not one.member)
    assert http.get(f"/itwins/{foreign}").status_code == 404
