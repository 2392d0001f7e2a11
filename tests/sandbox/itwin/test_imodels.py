"""Lists of iModels, single ones, and the links between pages."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from ipyassets.sandbox import Sandbox
from ipyassets.sandbox.itwin import ITwinApi

UNKNOWN = "00000000-0000-4000-8000-000000000000"
FULL = {"Prefer": "return=representation"}


def names(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [imodel["displayName"] for imodel in response.json()["iModels"]]


def problems(response: httpx.Response, code: str = "InvalidiModelsRequest") -> list[tuple[str, str | None]]:
    assert response.status_code == 422, response.text
    error = response.json()["error"]
    assert error["code"] == code
    assert error["message"]
    return [(detail["code"], detail.get("target")) for detail in error["details"]]


@pytest.fixture
def listing(http: httpx.Client, platform: ITwinApi):
    def get(path: str = "/imodels", headers: dict[str, str] | None = None, **params: Any) -> httpx.Response:
        sent = {"iTwinId": platform.itwin_id} | {name.replace("_", "$"): value for name, value in params.items()}
        return http.get(path, params=sent, headers=headers)

    return get


def test_slash_at_the_end_makes_no_difference(listing) -> None:
    assert names(listing("/imodels/")) == names(listing("/imodels"))


def test_main_itwin_is_worth_exploring(listing, imodels: list[dict]) -> None:
    assert len(imodels) >= 8
    assert len(names(listing(_search="bridge"))) == 3
    assert len({one["name"] for one in imodels}) == len(imodels)


def test_full_form(imodels: list[dict], platform: ITwinApi, root: str) -> None:
    for one in imodels:
        assert one["displayName"] == one["name"]
        assert one["iTwinId"] == platform.itwin_id
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z", one["createdDateTime"])
        assert one["extent"]["southWest"]["latitude"] < one["extent"]["northEast"]["latitude"]
        assert one["_links"]["namedVersions"]["href"] == f"{root}/imodels/{one['id']}/namedversions"
    assert {one["state"] for one in imodels} == {"initialized", "notInitialized"}
    assert any(one["lastChangesetPushDateTime"] is None for one in imodels)


def test_default_order_is_by_creation(imodels: list[dict]) -> None:
    dates = [one["createdDateTime"] for one in imodels]
    assert dates == sorted(dates)


def test_frame_of_a_single_page(listing, platform: ITwinApi, root: str) -> None:
    links = listing().json()["_links"]
    assert links == {
        "self": {"href": f"{root}/imodels?iTwinId={platform.itwin_id}&$skip=0&$top=100"},
        "prev": None,
        "next": None,
    }


def walk(http: httpx.Client, first: httpx.Response) -> list[list[str]]:
    """Every page from here on, and back again by the other links."""
    pages, response = [names(first)], first
    while link := response.json()["_links"]["next"]:
        response = http.get(link["href"])
        pages.append(names(response))
    back = [names(response)]
    while link := response.json()["_links"]["prev"]:
        response = http.get(link["href"])
        back.append(names(response))
    assert back[::-1] == pages
    return pages


def test_pages_by_skip(http: httpx.Client, listing) -> None:
    first = listing(_top=5, _orderBy="name desc")
    assert "$skip=5&$top=5" in first.json()["_links"]["next"]["href"]
    pages = walk(http, first)
    assert [len(page) for page in pages] == [5, 5, 5, 3]
    assert [name for page in pages for name in page] == names(listing(_orderBy="name desc"))


def test_pages_by_continuation_token(http: httpx.Client, listing) -> None:
    first = listing(_continuationToken="", _top=7, _search="house")
    pages = walk(http, listing(_continuationToken="", _top=7))
    assert [len(page) for page in pages] == [7, 7, 4]
    assert "$skip" not in first.json()["_links"]["self"]["href"]


def test_skip_beyond_the_end(listing) -> None:
    assert names(listing(_skip=5000)) == []


@pytest.mark.parametrize("token", ["abc", "AAAA", "é", "MTIz"])
def test_made_up_continuation_token(listing, token: str) -> None:
    assert problems(listing(_continuationToken=token)) == [("InvalidValue", "$continuationToken")]


def test_token_of_another_list(http: httpx.Client, listing, imodels: list[dict]) -> None:
    link = listing(_continuationToken="", _top=1).json()["_links"]["next"]["href"]
    token = httpx.URL(link).params["$continuationToken"]
    response = http.get(f"/imodels/{imodels[0]['id']}/users", params={"$continuationToken": token})
    assert problems(response) == [("InvalidValue", "$continuationToken")]


@pytest.mark.parametrize("top", ["0", "-1", "1001", "ten", "1.5", "", "٣", "9" * 5000])
def test_bad_top(listing, top: str) -> None:
    assert problems(listing(_top=top)) == [("InvalidValue", "$top")]


@pytest.mark.parametrize("top", [1, 1000])
def test_bounds_of_top(listing, top: int) -> None:
    assert listing(_top=top).status_code == 200


def test_order_by_several(listing, imodels: list[dict]) -> None:
    assert names(listing(_orderBy="name,createdDateTime desc")) == sorted(one["name"] for one in imodels)
    assert names(listing(_orderBy="createdDateTime desc, name asc")) == [one["name"] for one in imodels][::-1]


@pytest.mark.parametrize("order", ["size", "name up", "name asc asc"])
def test_bad_order(listing, order: str) -> None:
    assert problems(listing(_orderBy=order)) == [("InvalidValue", "$orderBy")]


def test_search_looks_into_descriptions(listing) -> None:
    assert "Hilltop Water Tower" in names(listing(_search="conical TANK"))
    assert names(listing(_search="no such thing")) == []


def test_name_is_exact(listing) -> None:
    assert names(listing(name="Weaving Mill")) == ["Weaving Mill"]
    assert names(listing(name="weaving mill")) == []


def test_state(listing, imodels: list[dict]) -> None:
    empty = [one["name"] for one in imodels if one["state"] == "notInitialized"]
    assert names(listing(state="notInitialized")) == empty
    assert len(names(listing(state="initialized"))) == len(imodels) - len(empty)
    assert problems(listing(state="broken")) == [("InvalidValue", "state")]


def test_names_of_parameters_in_any_case(http: httpx.Client, platform: ITwinApi) -> None:
    assert len(names(http.get("/imodels", params={"itwinid": platform.itwin_id.upper(), "$TOP": 2}))) == 2


@pytest.mark.parametrize(
    ("itwin", "found"),
    [
        (None, "MissingRequiredParameter"),
        ("", "MissingRequiredParameter"),
        ("12", "InvalidValue"),
        ("{}", "InvalidValue"),
    ],
)
def test_missing_or_malformed_itwin(http: httpx.Client, itwin: str | None, found: str) -> None:
    response = http.get("/imodels", params={} if itwin is None else {"iTwinId": itwin})
    assert problems(response) == [(found, "iTwinId")]


def test_unknown_and_foreign_itwin(http: httpx.Client, platform: ITwinApi) -> None:
    foreign = next(one.id for one in platform._catalogue.itwins if not one.member)
    for id in (UNKNOWN, foreign):
        response = http.get("/imodels", params={"iTwinId": id})
        assert (response.status_code, response.json()["error"]["code"]) == (404, "iTwinNotFound")


def test_foreign_imodel_is_not_there(http: httpx.Client, platform: ITwinApi) -> None:
    foreign = next(one for one in platform._catalogue.itwins if not one.member)
    hidden = platform._catalogue.imodels(foreign)[0].id
    for id in (hidden, UNKNOWN, "not-a-guid"):
        response = http.get(f"/imodels/{id}")
        assert (response.status_code, response.json()["error"]["code"]) == (404, "iModelNotFound")


def test_single_is_always_full(http: httpx.Client, imodels: list[dict]) -> None:
    for one in imodels[:3]:
        response = http.get(f"/imodels/{one['id'].upper()}", headers={"Prefer": "return=minimal"})
        assert response.json() == {"iModel": one}


def test_favorites_and_recents_are_no_ids(http: httpx.Client, platform: ITwinApi, imodels: list[dict]) -> None:
    id = imodels[9]["id"]
    before = names(http.get("/imodels/favorites", params={"iTwinId": platform.itwin_id}))
    assert before
    assert http.put(f"/imodels/favorites/{id}").status_code == 204
    assert names(http.get("/imodels/favorites")) == [*before, imodels[9]["name"]]
    assert http.delete(f"/imodels/favorites/{id}").status_code == 204
    assert names(http.get("/imodels/favorites")) == before
    assert http.post(f"/imodels/recents/{id}").status_code == 204
    assert names(http.get("/imodels/recents"))[0] == imodels[9]["name"]
    assert http.put(f"/imodels/favorites/{UNKNOWN}").json()["error"]["code"] == "iModelNotFound"


def test_named_versions(http: httpx.Client, imodels: list[dict]) -> None:
    path = max(
        (f"/imodels/{one['id']}/namedversions" for one in imodels),
        key=lambda path: len(http.get(path).json()["namedVersions"]),
    )
    found = http.get(path, headers=FULL).json()["namedVersions"]
    assert len(found) >= 3
    assert (found[0]["changesetIndex"], found[0]["changesetId"], found[0]["_links"]["changeset"]) == (0, None, None)
    hidden = [one["name"] for one in found if one["state"] == "hidden"]
    listed = http.get(path, params={"state": "hidden"}).json()["namedVersions"]
    assert [one["displayName"] for one in listed] == hidden != []
    newest = http.get(path, params={"$orderBy": "changesetIndex desc", "$top": 1}).json()
    assert newest["namedVersions"][0]["id"] == found[-1]["id"]
    assert "$orderBy=changesetIndex%20desc" in newest["_links"]["next"]["href"]
    assert http.get(f"{path}/{found[1]['id']}").json() == {"namedVersion": found[1]}
    assert http.get(f"{path}/{UNKNOWN}").json()["error"]["code"] == "NamedVersionNotFound"
    assert http.get(found[1]["_links"]["changeset"]["href"]).json()["changeset"]["id"] == found[1]["changesetId"]


def test_changesets(http: httpx.Client, imodels: list[dict]) -> None:
    path = max(
        (f"/imodels/{one['id']}/changesets" for one in imodels),
        key=lambda path: len(http.get(path).json()["changesets"]),
    )
    found = http.get(path).json()["changesets"]
    assert len(found) >= 4
    assert [one["parentId"] for one in found] == ["", *(one["id"] for one in found[:-1])]
    some = http.get(path, params={"afterIndex": 1, "lastIndex": 3, "$orderBy": "index desc"}).json()["changesets"]
    assert [one["index"] for one in some] == [3, 2]
    by_index, by_id = http.get(f"{path}/2").json(), http.get(f"{path}/{found[1]['id']}").json()
    assert by_index == by_id
    assert "download" in by_id["changeset"]["_links"]
    assert http.get(f"{path}/99").json()["error"]["code"] == "ChangesetNotFound"
    user = http.get(found[0]["_links"]["creator"]["href"]).json()["user"]
    assert user["id"] == found[0]["creatorId"]
    assert http.get(f"{path}/../users/{UNKNOWN}").json()["error"]["code"] == "UserNotFound"


def test_unknown_path_gets_the_gateways_answer(http: httpx.Client) -> None:
    response = http.get("/reality-data")
    assert (response.status_code, "error" in response.json()) == (404, False)


def test_grown_catalogue() -> None:
    """Twenty thousand iModels: names stay unique and searchable, ids can be looked up, pages cover all of them once."""
    with Sandbox(assets=20_000) as grown:
        platform = grown.itwin_api
        headers = {"Authorization": f"Bearer {platform.token}"}
        with httpx.Client(base_url=f"{grown.origin}/itwin", headers=headers) as http:
            ask = {"iTwinId": platform.itwin_id, "$top": 1000}
            seen: set[str] = set()
            url: str | None = str(http.build_request("GET", "/imodels", params=ask).url)
            while url:
                page = http.get(url).json()
                seen.update(one["id"] for one in page["iModels"])
                url = page["_links"]["next"] and page["_links"]["next"]["href"]
            assert len(seen) == 20_000
            found = http.get("/imodels", params=ask | {"$search": "viaduct stage 1000"}).json()["iModels"]
            assert [one["displayName"] for one in found] == ["Mill Valley Viaduct stage 1000"]
            assert http.get(f"/imodels/{found[0]['id']}").json()["iModel"]["name"] == found[0]["displayName"]
            exact = http.get("/imodels", params=ask | {"name": "FZK House stage 7"}).json()["iModels"]
            assert len(exact) == 1
