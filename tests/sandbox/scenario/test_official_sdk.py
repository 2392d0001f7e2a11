"""The service's own Python SDK, unchanged, against the sandbox.

Its strict mode is on: an answer that lacks a field, or has a word the API does not know, fails.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

import httpx
import pytest
import scenario_sdk
from PIL import Image
from scenario_sdk import Scenario

from ipyassets.sandbox import Sandbox
from ipyassets.sandbox.scenario import ScenarioApi
from ipyassets.sandbox.scenario.errors import rate_limit

pytestmark = pytest.mark.official


@pytest.fixture(scope="module")
def sdk(root: str, service: ScenarioApi) -> Iterator[Scenario]:
    with Scenario(
        api_key=service.api_key, api_secret=service.api_secret, base_url=root, _strict_response_validation=True
    ) as client:
        yield client


@pytest.fixture(autouse=True)
def no_faults(sandbox: Sandbox) -> Iterator[None]:
    yield
    sandbox.faults.clear()


def test_version() -> None:
    assert scenario_sdk.__version__ == "2.4.0"


def test_list_and_iterate(sdk: Scenario, assets: list[dict]) -> None:
    page = sdk.assets.list(page_size=20)
    assert len(page.assets) == 20
    assert page.has_next_page()
    assert [asset.id for asset in sdk.assets.list(page_size=20)] == [asset["id"] for asset in assets]


def test_every_record_passes_the_strict_mode(sdk: Scenario) -> None:
    kinds = {asset.kind for asset in sdk.assets.list(page_size=100)}
    assert kinds == {"3d", "audio", "image", "text", "video"}


def test_filters_of_the_list(sdk: Scenario, assets: list[dict]) -> None:
    meshes = sdk.assets.list(types=["uploaded-3d", "img2video"]).assets
    assert {asset.kind for asset in meshes} == {"3d", "video"}
    middle = assets[40]["createdAt"]
    newer = list(sdk.assets.list(created_after=middle, sort_by="createdAt", sort_direction="asc"))
    assert [asset.id for asset in newer] == [asset["id"] for asset in assets[:40]][::-1]
    model = next(asset["metadata"]["modelId"] for asset in assets if "modelId" in asset["metadata"])
    assert {asset.metadata.api_model_id for asset in sdk.assets.list(model_id=model)} == {model}


def test_retrieve(sdk: Scenario, assets: list[dict]) -> None:
    asset = sdk.assets.retrieve(assets[0]["id"]).asset
    assert asset.metadata.name == assets[0]["metadata"]["name"]
    assert isinstance(asset.metadata.seed, str)
    assert "/assets-transform/" in asset.url
    assert "/assets/" in sdk.assets.retrieve(asset.id, original_assets=True).asset.url
    embedding = sdk.assets.retrieve(asset.id, with_embedding=True).asset.embedding
    assert embedding is not None
    assert sum(embedding) == pytest.approx(1)


def test_get_bulk_keeps_the_order_and_skips_unknown_ids(sdk: Scenario, assets: list[dict]) -> None:
    wanted = [assets[5]["id"], assets[1]["id"], "asset_unknown", assets[3]["id"]]
    found = sdk.assets.get_bulk(asset_ids=wanted).assets
    assert [asset.id for asset in found] == [id for id in wanted if id != "asset_unknown"]


def test_search_iterator_ends(sdk: Scenario) -> None:
    """The SDK asks for the next page by the query string and repeats the first body: read only the body, and it
    never ends."""
    first = sdk.search.asset_search(filter="kind = image", limit=7, offset=0)
    assert first.estimated_total_hits is not None
    found = [hit.id for hit in first]
    assert len(found) == len(set(found)) == first.estimated_total_hits > 70


def test_search_text(sdk: Scenario) -> None:
    names = [hit.metadata.name for hit in sdk.search.asset_search(query="forklift", limit=10).hits]
    assert names
    assert all(name is not None and name.startswith("Forklift") for name in names)
    assert {hit.metadata.name for hit in sdk.search.asset_search(query="forklfit", limit=10).hits} == set(names)


def test_search_filter_sort_and_image(sdk: Scenario, assets: list[dict]) -> None:
    hits = sdk.search.asset_search(filter='tags = chair AND aspectRatio = "1:1"', sort_by=["createdAt:asc"]).hits
    assert hits
    assert [hit.created_at for hit in hits] == sorted(hit.created_at for hit in hits)
    assert all("chair" in hit.tags and hit.metadata.width == hit.metadata.height for hit in hits)
    similar = sdk.search.asset_search(image=assets[0]["id"], limit=5).hits
    assert (similar[0].id, similar[0].score) == (assets[0]["id"], 1)


def test_public_search_reaches_the_other_organisation(sdk: Scenario, service: ScenarioApi) -> None:
    found = {hit.id for hit in sdk.search.asset_search(filter="kind = image", public=True, limit=100)}
    public, private = service.foreign_asset_ids[:2]
    assert public in found
    assert private not in found


def test_collections_tags_teams_models(sdk: Scenario, service: ScenarioApi, assets: list[dict]) -> None:
    seating = next(one for one in sdk.collections.list(page_size=2) if one.name == "Seating")
    members = list(sdk.assets.list(collection_id=seating.id))
    assert len(members) == seating.asset_count > 10
    assert seating.thumbnail is not None
    tags = {tag.tag_name: tag.item_count for tag in sdk.tags.list(page_size=100)}
    assert tags["chair"] == sum("chair" in asset["tags"] for asset in assets)
    (team,) = sdk.teams.list().teams
    assert [project.id for project in team.projects] == [service.project_id]
    model = sdk.models.retrieve(assets[0]["metadata"]["modelId"]).model
    assert model.name == "Studio Objects XL"
    assert assets[0]["metadata"]["modelType"] == model.type


def test_organising(sdk: Scenario, assets: list[dict]) -> None:
    id = assets[7]["id"]
    answer = sdk.assets.update_tags(id, add=["hero shot", "chair"], delete=["nothing"])
    assert (set(answer.added) - {"chair"}, answer.deleted) == ({"hero shot"}, [])
    assert [hit.id for hit in sdk.search.asset_search(filter='tags = "hero shot"').hits] == [id]
    assert [hit.id for hit in sdk.search.asset_search(query="hero").hits] == [id]
    night = next(one for one in sdk.collections.list() if one.name == "Night shots")
    grown = sdk.collections.assets.add(night.id, asset_ids=[id]).collection
    assert grown.asset_count == night.asset_count + 1
    assert sdk.collections.assets.remove(night.id, asset_ids=[id]).collection.asset_count == night.asset_count
    sdk.assets.update_tags(id, delete=answer.added)


def test_delete_and_restore(sdk: Scenario, assets: list[dict]) -> None:
    ids = [assets[10]["id"], assets[11]["id"]]
    sdk.assets.delete_multiple(asset_ids=ids)
    with pytest.raises(scenario_sdk.NotFoundError):
        sdk.assets.retrieve(ids[0])
    gone = sdk.assets.list(deleted=True).assets
    assert {asset.id for asset in gone} == set(ids)
    assert all(asset.deleted_at for asset in gone)
    answer = sdk.assets.restore_multiple(asset_ids=[*ids, assets[0]["id"], "asset_unknown"])
    assert answer.restored_asset_ids == ids
    assert [skipped.reason for skipped in answer.skipped_assets] == ["not-deleted", "not-found"]
    assert sdk.assets.retrieve(ids[0]).asset.deleted_at is None


def test_download_in_several_formats(sdk: Scenario, anyone: httpx.Client) -> None:
    found = next(iter(sdk.search.asset_search(filter="mimeType = image/webp", limit=5)))
    asset = sdk.assets.retrieve(found.id).asset
    original = sdk.assets.download.request(asset.id)
    assert (original.mime_type, len(anyone.get(original.url).content)) == (asset.mime_type, asset.properties.size)
    for format, made in (("png", "PNG"), ("jpeg", "JPEG"), ("gif", "GIF"), ("tiff", "TIFF")):
        answer = sdk.assets.download.request(asset.id, target_format=format)
        with Image.open(io.BytesIO(anyone.get(answer.url).content)) as image:
            assert (image.format, image.width) == (made, asset.properties.width)
    (mesh,) = sdk.search.asset_search(filter="mimeType = model/gltf-binary").hits
    assert anyone.get(sdk.assets.download.request(mesh.id, target_format="glb").url).content[:4] == b"glTF"
    for id, format in ((asset.id, "glb"), (asset.id, "svg"), (mesh.id, "png"), (mesh.id, "fbx"), (asset.id, "bmp")):
        with pytest.raises(scenario_sdk.BadRequestError) as caught:
            sdk.assets.download.request(id, target_format=format)
        assert caught.value.body["reason"] == "Invalid target format"
    with pytest.raises(scenario_sdk.NotFoundError):
        sdk.assets.download.request("asset_unknown")


@pytest.mark.parametrize("flat", [True, False])
def test_archive(sdk: Scenario, anyone: httpx.Client, restored: Sandbox, *, flat: bool) -> None:
    restored.settings.archive_polls = 1
    hits = list(sdk.search.asset_search(filter="kind = image OR kind = video", limit=30))
    one = sdk.assets.retrieve(hits[0].id).asset
    assert one.metadata.inference_id is not None
    started = sdk.assets.download.request_batch(
        options={"file_name_template": "<prompt>-<id>", "flat": flat, "archive_name": "mine", "prefer_original": True},
        query={
            "asset_ids": [hit.id for hit in hits] + [hits[0].id, "asset_unknown"],
            "inference_ids": [one.metadata.inference_id],
            "model_ids": ["model_struck-tones"],
        },
    )
    words = []
    while (status := sdk.assets.download.get_status(started.job_id)).download_url is None:
        words.append(status.job_status)
        assert sdk.jobs.retrieve(started.job_id).job.status in {"queued", "in-progress", "success"}
    assert words
    assert set(words) <= {"queued", "in-progress"}
    assert (status.job_id, status.job_status) == (started.job_id, "success")
    job = sdk.jobs.retrieve(started.job_id).job
    assert (job.job_type, job.status, job.progress) == ("assets-download", "success", 1)
    assert [entry.status for entry in job.status_history] == ["queued", "in-progress", "success"]
    assert [listed.job_id for listed in sdk.jobs.list(types=["assets-download"], status="success")] == [job.job_id]
    with pytest.raises(scenario_sdk.BadRequestError):
        sdk.jobs.trigger_action(job.job_id, action="cancel")
    response = anyone.get(status.download_url)
    assert response.headers["content-disposition"] == 'attachment; filename="mine.zip"'
    archive = zipfile.ZipFile(io.BytesIO(response.content))
    assert archive.testzip() is None
    names = archive.namelist()
    assert len(names) == len(hits) + 2, "and the two tones of that model"
    assert all(("/" in name) != flat for name in names)
    ids = {name.rpartition("-")[2].rpartition("/")[2].partition(".")[0] for name in names}
    assert {hit.id for hit in hits} < ids


def test_archives_that_are_refused(sdk: Scenario, assets: list[dict]) -> None:
    def ask(ids: list[str], template: str = "<id>") -> None:
        sdk.assets.download.request_batch(
            options={"file_name_template": template}, query={"asset_ids": ids, "inference_ids": [], "model_ids": []}
        )

    with pytest.raises(scenario_sdk.BadRequestError) as caught:
        ask([f"asset_{n}" for n in range(1_001)])
    assert "1000" in caught.value.body["reason"]
    for ids, template in (([], "<id>"), ([assets[0]["id"]], "")):
        with pytest.raises(scenario_sdk.BadRequestError):
            ask(ids, template)
    with pytest.raises(scenario_sdk.NotFoundError):
        ask(["asset_unknown"])
    with pytest.raises(scenario_sdk.NotFoundError):
        sdk.assets.download.get_status("job_unknown")
    with pytest.raises(scenario_sdk.NotFoundError):
        sdk.jobs.retrieve("job_unknown")


def test_dry_run_of_an_archive(sdk: Scenario, assets: list[dict]) -> None:
    response = sdk.assets.download.with_raw_response.request_batch(
        options={"file_name_template": "<id>"},
        query={"asset_ids": [assets[0]["id"]], "inference_ids": [], "model_ids": []},
        dry_run="api",
    )
    assert (response.status_code, response.json()) == (269, {"creativeUnitsCost": 0})


def test_wrong_credentials(root: str, service: ScenarioApi) -> None:
    for key, secret in ((service.api_key, "wrong"), ("wrong", service.api_secret), ("", "")):
        with (
            Scenario(api_key=key, api_secret=secret, base_url=root) as client,
            pytest.raises(scenario_sdk.AuthenticationError) as caught,
        ):
            client.assets.list()
        assert caught.value.body == {"message": "Unauthorized"}
        with (
            Scenario(api_key=key, api_secret=secret, base_url=root) as client,
            pytest.raises(scenario_sdk.AuthenticationError),
        ):
            client.assets.download.get_status("job_x")


def test_foreign_project_and_foreign_asset(sdk: Scenario, service: ScenarioApi) -> None:
    with pytest.raises(scenario_sdk.PermissionDeniedError) as caught:
        sdk.assets.list(project_id=service.foreign_project_id)
    assert set(caught.value.body) == {"message"}
    assert sdk.assets.list(project_id=service.project_id).assets
    for id in (*service.foreign_asset_ids, "asset_unknown"):
        with pytest.raises(scenario_sdk.NotFoundError) as missing:
            sdk.assets.retrieve(id)
        assert set(missing.value.body) == {"reason", "trace_id"}


def test_bad_requests(sdk: Scenario, assets: list[dict]) -> None:
    wrong = [
        lambda: sdk.assets.list(page_size=0),
        lambda: sdk.assets.list(page_size=101),
        lambda: sdk.assets.list(type="uploaded", types=["uploaded"]),
        lambda: sdk.assets.list(created_after="2026-01-01T00:00:00Z"),
        lambda: sdk.assets.list(pagination_token="made-up"),
        lambda: sdk.assets.get_bulk(asset_ids=["x"] * 201),
        lambda: sdk.assets.delete_multiple(asset_ids=[f"{n}" for n in range(101)]),
        lambda: sdk.search.asset_search(),
        lambda: sdk.search.asset_search(query="chair", limit=101),
        lambda: sdk.search.asset_search(filter="kind = "),
        lambda: sdk.search.asset_search(filter="colour = red"),
        lambda: sdk.search.asset_search(image=assets[0]["id"], images={"like": [assets[1]["id"]]}),
    ]
    for ask in wrong:
        with pytest.raises(scenario_sdk.BadRequestError) as caught:
            ask()
        assert caught.value.body["reason"]


def test_rate_limit_is_retried_then_raised(sdk: Scenario, sandbox: Sandbox) -> None:
    limited = rate_limit(1)
    limited["headers"] = {"retry-after-ms": "5"}
    fault = sandbox.faults.add("/scenario/v1/tags", **limited, count=2)
    assert sdk.tags.list(page_size=1).tags
    assert fault.hits == 2
    fault = sandbox.faults.add("/scenario/v1/tags", **limited, count=None)
    with pytest.raises(scenario_sdk.RateLimitError) as caught:
        sdk.tags.list()
    assert fault.hits == 3, "the first try and two more"
    assert caught.value.body == {"reason": "Too many requests", "remainingSeconds": 1}
