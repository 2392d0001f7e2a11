"""``GET /assets``: records, filters, order, pages, and who may ask."""

from __future__ import annotations

import base64
import datetime as dt

import httpx
import pytest

from ipyassets.sandbox import Sandbox
from ipyassets.sandbox.scenario import ScenarioApi
from ipyassets.sandbox.scenario.asset_types import TYPES

ALWAYS = {
    "id", "ownerId", "authorId", "createdAt", "updatedAt", "url", "mimeType", "kind", "status", "privacy", "source",
    "tags", "collectionIds", "editCapabilities", "metadata", "properties",
}  # fmt: skip


def ids(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [asset["id"] for asset in response.json()["assets"]]


def reason(response: httpx.Response) -> str:
    assert response.status_code == 400, response.text
    assert set(response.json()) == {"reason", "trace_id"}
    text: str = response.json()["reason"]
    return text


def test_records_are_complete(assets: list[dict]) -> None:
    assert len(assets) > 80
    for asset in assets:
        assert set(asset) >= ALWAYS
        assert asset["metadata"]["kind"] == asset["kind"]
        assert asset["metadata"]["type"] in TYPES
        assert asset["properties"]["size"] > 0
        assert asset["createdAt"].endswith("Z")
        assert len(asset["createdAt"]) == len("2026-01-01T00:00:00.000Z")
        assert dt.datetime.fromisoformat(asset["createdAt"]) < dt.datetime.fromisoformat(asset["updatedAt"])
        assert "name" not in asset


def test_generated_images_say_how_they_were_made(assets: list[dict]) -> None:
    images = [asset for asset in assets if asset["metadata"]["type"] == "inference-txt2img"]
    assert len(images) >= 60
    for asset in images:
        assert {"name", "prompt", "negativePrompt", "seed", "modelId", "width", "height"} <= set(asset["metadata"])
        assert asset["metadata"]["seed"].isdecimal()
        assert asset["properties"]["width"] == asset["metadata"]["width"]


def test_other_kinds(one_of: dict[str, dict]) -> None:
    assert one_of["3d"]["properties"]["vertexCount"] > 0
    assert len(one_of["3d"]["properties"]["dimensions"]) == 3
    assert one_of["video"]["properties"]["nbFrames"] == 36
    assert one_of["video"]["metadata"]["parentId"] == one_of["video"]["thumbnail"]["assetId"]
    assert one_of["audio"]["properties"]["duration"] == 2
    assert one_of["text"]["properties"]["wordCount"] > 100
    assert {kind for kind, asset in one_of.items() if "thumbnail" in asset} == {"3d", "image", "video"}


def test_default_order_and_pages(http: httpx.Client, assets: list[dict]) -> None:
    dates = [asset["createdAt"] for asset in assets]
    assert dates == sorted(dates, reverse=True)
    assert len(ids(http.get("/assets"))) == 50
    assert ids(http.get("/assets", params={"pageSize": 1})) == [assets[0]["id"]]
    upward = ids(http.get("/assets", params={"sortDirection": "asc", "pageSize": 100}))
    assert upward == [asset["id"] for asset in assets][::-1]


def test_last_page_has_no_token(http: httpx.Client, assets: list[dict]) -> None:
    assert "nextPaginationToken" not in http.get("/assets", params={"pageSize": 100}).json()
    assert len(assets) < 100


def test_token_of_another_list_is_refused(http: httpx.Client) -> None:
    token = http.get("/assets", params={"pageSize": 2}).json()["nextPaginationToken"]
    assert http.get("/assets", params={"pageSize": 3, "paginationToken": token}).status_code == 200
    assert "paginationToken" in reason(http.get("/assets", params={"type": "uploaded", "paginationToken": token}))


@pytest.mark.parametrize(
    "params",
    [
        {"pageSize": "0"},
        {"pageSize": "101"},
        {"pageSize": "many"},
        {"pageSize": "1.5"},
        {"sortBy": "name"},
        {"sortDirection": "up"},
        {"type": "uploaded", "types": "uploaded"},
        {"type": "inference-"},
        {"types": "uploaded,nonsense"},
        {"privacy": "secret"},
        {"tags": "chair"},
        {"createdAfter": "2026-02-01T00:00:00Z"},
        {"createdAfter": "2026-02-01T00:00:00Z", "sortBy": "updatedAt"},
        {"updatedBefore": "2026-02-01T00:00:00Z", "sortBy": "createdAt"},
        {"createdBefore": "yesterday", "sortBy": "createdAt"},
        {"paginationToken": "AAAA"},
        {"paginationToken": "é"},
        {"originalAssets": "maybe"},
        {"deleted": "true", "sortBy": "createdAt"},
    ],
)
def test_bad_queries(http: httpx.Client, params: dict[str, str]) -> None:
    assert reason(http.get("/assets", params=params))


def test_types(http: httpx.Client, assets: list[dict]) -> None:
    wanted = {"uploaded", "uploaded-text"}
    found = ids(http.get("/assets", params={"types": ",".join(wanted)}))
    assert found == [asset["id"] for asset in assets if asset["metadata"]["type"] in wanted]
    assert ids(http.get("/assets", params={"type": "skybox-3d"})) == []


def test_dates_are_exclusive(http: httpx.Client, assets: list[dict]) -> None:
    limit = assets[3]["createdAt"]
    params = {"sortBy": "createdAt", "pageSize": 100}
    assert ids(http.get("/assets", params=params | {"createdAfter": limit})) == [a["id"] for a in assets[:3]]
    assert ids(http.get("/assets", params=params | {"createdBefore": limit})) == [a["id"] for a in assets[4:]]
    between = params | {"createdAfter": assets[6]["createdAt"], "createdBefore": limit}
    assert ids(http.get("/assets", params=between)) == [a["id"] for a in assets[4:6]]


def test_equality_filters(http: httpx.Client, one_of: dict[str, dict]) -> None:
    video, image = one_of["video"], one_of["image"]
    assert ids(http.get("/assets", params={"parentAssetId": video["metadata"]["parentId"]})) == [video["id"]]
    assert ids(http.get("/assets", params={"rootAssetId": video["metadata"]["parentId"]})) == [video["id"]]
    assert ids(http.get("/assets", params={"inferenceId": video["metadata"]["inferenceId"]})) == [video["id"]]
    assert len(ids(http.get("/assets", params={"authorId": image["authorId"], "pageSize": 100}))) > 80
    assert ids(http.get("/assets", params={"authorId": "user_unknown"})) == []
    assert ids(http.get("/assets", params={"collectionId": "collection_unknown"})) == []


def test_public_assets_of_everyone(http: httpx.Client, service: ScenarioApi) -> None:
    public, private = service.foreign_asset_ids[:2]
    found = ids(http.get("/assets", params={"privacy": "public", "pageSize": 100}))
    assert public in found
    assert private not in found
    tagged = http.get("/assets", params={"privacy": "public", "tags": "bathroom,nothing"}).json()["assets"]
    assert tagged
    assert all("bathroom" in asset["tags"] for asset in tagged)


def test_public_token_sees_public_assets_only(root: str) -> None:
    header = {"Authorization": "public-auth-token"}
    found = httpx.get(f"{root}/assets", headers=header).json()["assets"]
    assert {asset["privacy"] for asset in found} == {"public"}
    assert httpx.get(f"{root}/assets", params={"privacy": "private"}, headers=header).status_code == 400
    assert httpx.get(f"{root}/tags", headers=header).status_code == 401


@pytest.mark.parametrize("path", ["/assets", "/assets/x", "/tags", "/collections", "/teams", "/models/x"])
def test_every_path_wants_credentials(root: str, service: ScenarioApi, path: str) -> None:
    pair = base64.b64encode(f"{service.api_key}:wrong".encode()).decode()
    for header in ({}, {"Authorization": f"Basic {pair}"}, {"Authorization": "Basic !"}, {"Authorization": "Bearer x"}):
        response = httpx.get(root + path, headers=header)
        assert (response.status_code, set(response.json())) == (401, {"message"})


@pytest.mark.parametrize("path", ["/assets", "/collections", "/tags", "/teams"])
def test_foreign_project_is_forbidden(http: httpx.Client, service: ScenarioApi, path: str) -> None:
    response = http.get(path, params={"projectId": service.foreign_project_id})
    assert (response.status_code, set(response.json())) == (403, {"message"})
    assert http.get(path, params={"projectId": service.project_id, "teamId": "anything"}).status_code == 200


def test_the_other_organisation_has_its_own_key(root: str, service: ScenarioApi) -> None:
    auth = (service.foreign_api_key, service.foreign_api_secret)
    assert set(ids(httpx.get(f"{root}/assets", auth=auth))) == set(service.foreign_asset_ids)


def test_bulk_problems(http: httpx.Client, assets: list[dict]) -> None:
    for body in ({}, {"assetIds": []}, {"assetIds": "x"}, {"assetIds": [1]}, {"assetIds": ["x"] * 201}):
        assert "assetIds" in reason(http.post("/assets/get-bulk", json=body))
    assert "JSON" in reason(http.post("/assets/get-bulk", content=b"{"))
    assert "object" in reason(http.post("/assets/get-bulk", json=[]))
    assert http.post("/assets/get-bulk", json={"assetIds": ["x", "y"]}).status_code == 404
    response = http.post("/assets/get-bulk", json={"assetIds": [assets[0]["id"]] * 200})
    assert ids(response) == [assets[0]["id"]]


def test_strict_tags(http: httpx.Client, assets: list[dict]) -> None:
    path = f"/assets/{assets[12]['id']}/tags"
    present = assets[12]["tags"][0]
    assert "strict" in reason(http.put(path, json={"add": [present], "strict": True}))
    assert "strict" in reason(http.put(path, json={"delete": ["absent"], "strict": True}))
    assert http.put(path, json={"add": [present]}).json() == {"added": [], "deleted": []}
    assert reason(http.put(path, json={}))
    assert http.put("/assets/unknown/tags", json={"add": ["x"]}).status_code == 404


def test_collections(http: httpx.Client, assets: list[dict]) -> None:
    first = http.get("/collections", params={"pageSize": 3}).json()
    rest = http.get("/collections", params={"paginationToken": first["nextPaginationToken"]}).json()
    found = first["collections"] + rest["collections"]
    assert len({one["id"] for one in found}) == len(found) == 5
    for one in found:
        assert http.get(f"/collections/{one['id']}").json() == {"collection": one}
    path = f"/collections/{found[0]['id']}/assets"
    assert "49" in reason(http.put(path, json={"assetIds": [str(n) for n in range(50)]}))
    assert http.put("/collections/unknown/assets", json={"assetIds": [assets[0]["id"]]}).status_code == 404


def test_what_is_not_there(http: httpx.Client) -> None:
    for method, path in (
        ("GET", "/nothing"),
        ("POST", "/assets/archive"),
        ("DELETE", "/assets/x"),
        ("GET", "/models/x"),
    ):
        assert http.request(method, path).status_code == 404


def test_deletions_expire(http: httpx.Client, restored: Sandbox, assets: list[dict]) -> None:
    id = assets[20]["id"]
    assert http.request("DELETE", "/assets", json={"assetIds": [id]}).json() == {}
    assert id not in ids(http.get("/assets", params={"pageSize": 100}))
    now = restored.world.clock()
    restored.world.clock = lambda: now + 31 * 86_400
    assert ids(http.get("/assets", params={"deleted": "true"})) == []
    answer = http.post("/assets/restore", json={"assetIds": [id]}).json()
    assert answer == {"restoredAssetIds": [], "skippedAssets": [{"assetId": id, "reason": "expired"}]}
    restored.world.clock = lambda: now + 60
    assert http.post("/assets/restore", json={"assetIds": [id]}).json()["restoredAssetIds"] == [id]


def test_ids_do_not_change(assets: list[dict], service: ScenarioApi) -> None:
    """Notebooks print them: they are the same on every run and every machine."""
    assert service.project_id == "proj_ZBCoYi7wXNaL9IKVIdAVLysH"
    named = {asset["metadata"]["name"]: asset["id"] for asset in assets}
    assert named["Prompt book.txt"] == "asset_jZs9dqmZqZYk5F8EVlw9Tss2"


def test_grown_catalogue() -> None:
    """Twenty thousand assets: every page differs, searches stay right, and an id found can be looked up."""
    with Sandbox(assets=20_000) as grown:
        service = grown.scenario_api
        auth = (service.api_key, service.api_secret)
        with httpx.Client(base_url=f"{grown.origin}/scenario/v1", auth=auth) as http:
            first = http.get("/assets", params={"pageSize": 100}).json()
            assert len({asset["thumbnail"]["url"] for asset in first["assets"] if "thumbnail" in asset}) > 80
            question = {"filter": 'kind = "image"', "limit": 100, "offset": 19_950}
            last = http.post("/search/assets", json=question).json()
            assert last["estimatedTotalHits"] > 19_900
            assert len(last["hits"]) == last["estimatedTotalHits"] - 19_950
            hits = http.post("/search/assets", json={"query": "forklift v40"}).json()["hits"]
            assert sorted(hit["metadata"]["name"] for hit in hits) == ["Forklift, dramatic v40", "Forklift, studio v40"]
            seed = hits[0]["metadata"]["seed"]
            assert [one["id"] for one in http.post("/search/assets", json={"query": seed}).json()["hits"]] == [
                hits[0]["id"]
            ]
            asset = http.get(f"/assets/{hits[0]['id']}").json()["asset"]
            assert asset["metadata"]["seed"] == seed
            assert http.get(asset["url"]).headers["content-type"] == asset["mimeType"]
