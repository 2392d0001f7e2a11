"""``POST /assets/download``: who may have what in an archive, how its job goes, and the file."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from ipyassets.sandbox import Sandbox
from ipyassets.sandbox.scenario import ScenarioApi

Start = Callable[..., httpx.Response]
Fetch = Callable[..., zipfile.ZipFile]


@pytest.fixture(autouse=True)
def at_once(restored: Sandbox) -> None:
    restored.settings.archive_polls = 0


@pytest.fixture(scope="module")
def start(http: httpx.Client) -> Start:
    """Ask for an archive of ``assets`` (ids)."""

    def start(
        *assets: str,
        inferences: tuple[str, ...] = (),
        models: tuple[str, ...] = (),
        params: dict[str, str] | None = None,
        **options: Any,
    ) -> httpx.Response:
        query = {"assetIds": assets, "inferenceIds": inferences, "modelIds": models}
        body = {"options": {"fileNameTemplate": "<id>", **options}, "query": query}
        return http.post("/assets/download", params=params, json=body)

    return start


@pytest.fixture(scope="module")
def url_of(http: httpx.Client) -> Callable[[httpx.Response], str]:
    def url_of(started: httpx.Response) -> str:
        assert started.status_code == 200, started.text
        url: str = http.get(f"/assets/download/{started.json()['jobId']}").json()["downloadUrl"]
        return url

    return url_of


@pytest.fixture(scope="module")
def fetch(start: Start, anyone: httpx.Client, url_of: Callable[[httpx.Response], str]) -> Fetch:
    """The archive of ``assets``, opened."""

    def fetch(*assets: str, **options: Any) -> zipfile.ZipFile:
        response = anyone.get(url_of(start(*assets, **options)))
        assert response.status_code == 200, response.text
        return zipfile.ZipFile(io.BytesIO(response.content))

    return fetch


@pytest.fixture(scope="module")
def images(assets: list[dict]) -> list[dict]:
    return [asset for asset in assets if asset["mimeType"] == "image/webp"]


def reason(response: httpx.Response, status: int = 400) -> str:
    assert response.status_code == status, response.text
    assert set(response.json()) == {"reason", "trace_id"}
    text: str = response.json()["reason"]
    return text


def test_the_archive_holds_the_files(fetch: Fetch, anyone: httpx.Client, assets: list[dict]) -> None:
    archive = fetch(*(asset["id"] for asset in assets), flat=True)
    assert archive.testzip() is None
    endings = {
        "image/webp": "webp", "image/png": "png", "image/svg+xml": "svg", "model/gltf-binary": "glb",
        "model/obj": "obj", "video/mp4": "mp4", "audio/mpeg": "mp3", "audio/wav": "wav", "text/plain": "txt",
    }  # fmt: skip
    assert archive.namelist() == [f"{asset['id']}.{endings[asset['mimeType']]}" for asset in assets]
    for asset, info in zip(assets, archive.infolist(), strict=True):
        assert info.compress_type == zipfile.ZIP_STORED
        assert info.file_size == asset["properties"]["size"]
        updated = dt.datetime.fromisoformat(asset["updatedAt"])
        assert abs(dt.datetime(*info.date_time, tzinfo=dt.UTC) - updated) < dt.timedelta(seconds=2)
    assert archive.read(archive.namelist()[0]) == anyone.get(assets[0]["url"]).content


def test_union_without_duplicates(fetch: Fetch, images: list[dict]) -> None:
    first, second = images[0], images[1]
    model = second["metadata"]["modelId"]
    archive = fetch(
        first["id"], first["id"], inferences=(first["metadata"]["inferenceId"],), models=(model, model), flat=True
    )
    made_with = {image["id"] for image in images if image["metadata"]["modelId"] == model}
    names = [name.removesuffix(".webp") for name in archive.namelist()]
    assert names[0] == first["id"]
    assert len(names) == len(set(names))
    assert set(names) == {first["id"]} | made_with


def test_unknown_ids_are_left_out(fetch: Fetch, start: Start, service: ScenarioApi, images: list[dict]) -> None:
    foreign = service.foreign_asset_ids
    archive = fetch("asset_unknown", images[0]["id"], *foreign, inferences=("inference_x",), models=("model_x",))
    assert len(archive.namelist()) == 1
    assert reason(start("asset_unknown", *foreign), 404) == "Assets not found"
    assert reason(start(inferences=("inference_x",), models=("model_x",)), 404)


def test_deleted_assets_are_left_out(http: httpx.Client, fetch: Fetch, start: Start, images: list[dict]) -> None:
    gone, kept = images[3], images[4]
    http.request("DELETE", "/assets", json={"assetIds": [gone["id"]]})
    try:
        assert fetch(gone["id"], kept["id"], flat=True).namelist() == [f"{kept['id']}.webp"]
        assert reason(start(gone["id"], inferences=(gone["metadata"]["inferenceId"],)), 404)
    finally:
        http.post("/assets/restore", json={"assetIds": [gone["id"]]})


def test_groups_and_flat(fetch: Fetch, assets: list[dict], images: list[dict], restored: Sandbox) -> None:
    image, mesh = images[0], next(asset for asset in assets if asset["kind"] == "3d")
    ids = image["id"], mesh["id"]
    ending = "glb" if mesh["mimeType"] == "model/gltf-binary" else "obj"

    def folders(**options: Any) -> list[str]:
        names = fetch(*ids, **options).namelist()
        assert [name.rpartition("/")[2] for name in names] == [f"{ids[0]}.webp", f"{ids[1]}.{ending}"]
        return [name.rpartition("/")[0] for name in names]

    assert folders(flat=True) == ["", ""]
    assert folders() == folders(flat=False) == [image["metadata"]["inferenceId"], "uploads"]
    nested = folders(fileNameTemplate="shots/<id>")
    assert nested == [f"{image['metadata']['inferenceId']}/shots", "uploads/shots"]
    assert folders(fileNameTemplate="shots/<id>", flat=True) == ["shots", "shots"]
    restored.settings.archive_grouping = "type"
    assert folders() == [image["metadata"]["type"], mesh["metadata"]["type"]]
    restored.settings.archive_grouping = "model"
    assert folders()[1] == "uploads"
    assert folders()[0] != image["metadata"]["inferenceId"]


def test_names_come_from_the_template(fetch: Fetch, http: httpx.Client, images: list[dict]) -> None:
    image = images[0]
    model = http.get(f"/models/{image['metadata']['modelId']}").json()["model"]["name"]
    (name,) = fetch(image["id"], flat=True, fileNameTemplate="<generator>/<seed>-<num>-<id>").namelist()
    assert name == f"{model}/{image['metadata']['seed']}-0-{image['id']}.webp"
    (name,) = fetch(image["id"], flat=True, fileNameTemplate="<prompt>").namelist()
    words = name.removesuffix(".webp").split("_")
    assert 1 < len(words) <= 8
    assert all(word in image["metadata"]["prompt"].lower() for word in words)
    assert not {"a", "the", "of", "with"} & set(words)
    (name,) = fetch(image["id"], flat=True, fileNameTemplate="<description>").namelist()
    assert name.startswith("rendered_picture")
    clashing = fetch(*(one["id"] for one in images[:3]), flat=True, fileNameTemplate="same").namelist()
    assert clashing == ["same.webp", "same_2.webp", "same_3.webp"]
    assert fetch(image["id"], flat=True, fileNameTemplate="Größe 椅子 <num>").namelist() == ["Größe 椅子 0.webp"]


def test_prefer_original(fetch: Fetch, anyone: httpx.Client, assets: list[dict], images: list[dict]) -> None:
    (sound,) = [asset for asset in assets if "originalFileUrl" in asset]
    ids = sound["id"], images[0]["id"]
    assert fetch(*ids, flat=True).namelist() == [f"{ids[0]}.mp3", f"{ids[1]}.webp"]
    archive = fetch(*ids, flat=True, preferOriginal=True)
    assert archive.namelist() == [f"{ids[0]}.wav", f"{ids[1]}.webp"]
    assert archive.read(f"{ids[0]}.wav") == anyone.get(sound["originalFileUrl"]).content


def test_archive_name(
    start: Start, anyone: httpx.Client, url_of: Callable[[httpx.Response], str], images: list[dict], restored: Sandbox
) -> None:
    def name(**options: str) -> str:
        return anyone.head(url_of(start(images[0]["id"], **options))).headers["content-disposition"]

    restored.world.clock = lambda: dt.datetime(2026, 3, 9, 12, tzinfo=dt.UTC).timestamp()
    assert name() == 'attachment; filename="20260309-export.zip"'
    assert name(archiveName="chairs") == 'attachment; filename="chairs.zip"'
    assert name(archiveName="Stühle") == "attachment; filename*=utf-8''St%C3%BChle.zip"
    assert name(archiveName="../../etc/x") == 'attachment; filename=".._.._etc_x.zip"'


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"options": {"fileNameTemplate": "<id>"}},
        {"query": {"assetIds": ["x"], "inferenceIds": [], "modelIds": []}},
        {"options": {}, "query": {"assetIds": ["x"], "inferenceIds": [], "modelIds": []}},
        {"options": {"fileNameTemplate": ""}, "query": {"assetIds": ["x"], "inferenceIds": [], "modelIds": []}},
        {"options": {"fileNameTemplate": "<id>"}, "query": {"assetIds": ["x"]}},
        {"options": {"fileNameTemplate": "<id>"}, "query": {"assetIds": "x", "inferenceIds": [], "modelIds": []}},
        {"options": {"fileNameTemplate": "<id>"}, "query": {"assetIds": [1], "inferenceIds": [], "modelIds": []}},
        {"options": {"fileNameTemplate": "<id>"}, "query": {"assetIds": [], "inferenceIds": [], "modelIds": []}},
        {"options": {"fileNameTemplate": "<id>", "flat": "perhaps"}, "query": {}},
        {"options": {"fileNameTemplate": "<id>", "archiveName": 3}, "query": {}},
    ],
)
def test_bad_requests(http: httpx.Client, body: dict) -> None:
    assert reason(http.post("/assets/download", json=body))


def test_dry_run_begins_no_job(http: httpx.Client, start: Start, images: list[dict]) -> None:
    for word in ("true", "api"):
        response = start(images[0]["id"], params={"dryRun": word})
        assert (response.status_code, response.json()) == (269, {"creativeUnitsCost": 0})
    assert reason(start(images[0]["id"], params={"dryRun": "false"}))
    assert reason(start("asset_unknown", params={"dryRun": "true"}), 404)
    assert http.get("/jobs").json() == {"jobs": []}


def test_the_route_of_the_guide_is_not_there(http: httpx.Client) -> None:
    assert http.post("/assets/archive", json={}).status_code == 404


def test_only_the_owner_sees_the_job(
    http: httpx.Client, root: str, start: Start, service: ScenarioApi, images: list[dict]
) -> None:
    id = start(images[0]["id"]).json()["jobId"]
    paths = f"/assets/download/{id}", f"/jobs/{id}"
    assert [http.get(path).status_code for path in paths] == [200, 200]
    assert [http.get(path, params={"projectId": service.foreign_project_id}).status_code for path in paths] == [403] * 2
    with httpx.Client(base_url=root, auth=(service.foreign_api_key, service.foreign_api_secret)) as other:
        assert [reason(other.get(path), 404) for path in paths] == ["Job not found"] * 2
        assert other.get("/jobs").json() == {"jobs": []}
    assert [reason(http.get(path + "x"), 404) for path in paths] == ["Job not found"] * 2
    assert [httpx.get(root + path).status_code for path in paths] == [401] * 2


def test_states_by_time(http: httpx.Client, start: Start, images: list[dict], restored: Sandbox) -> None:
    restored.settings.archive_polls = None
    restored.settings.archive_queue_time, restored.settings.archive_work_time = 10, 40
    began = 1_770_000_000.0
    restored.world.clock = lambda: began
    id = start(images[0]["id"]).json()["jobId"]
    seen = []
    for later in (0, 9.9, 10, 30, 49.9, 50, 99):
        restored.world.clock = lambda later=later: began + later
        status, job = http.get(f"/assets/download/{id}").json(), http.get(f"/jobs/{id}").json()["job"]
        assert status["jobId"] == job["jobId"] == id
        assert status["jobStatus"] == job["status"]
        assert ("downloadUrl" in status) == (status["jobStatus"] == "success")
        seen.append((status["jobStatus"], job["progress"]))
    assert seen == [
        ("queued", 0), ("queued", 0), ("in-progress", 0), ("in-progress", 0.5), ("in-progress", 0.99),
        ("success", 1), ("success", 1),
    ]  # fmt: skip
    moments = {entry["status"]: dt.datetime.fromisoformat(entry["date"]).timestamp() for entry in job["statusHistory"]}
    assert moments == {"queued": began, "in-progress": began + 10, "success": began + 50}


def test_states_by_polls(http: httpx.Client, start: Start, images: list[dict], restored: Sandbox) -> None:
    restored.settings.archive_polls = 2
    id = start(images[0]["id"]).json()["jobId"]
    words = [http.get(f"/assets/download/{id}").json()["jobStatus"] for _ in range(6)]
    assert words == ["queued"] * 2 + ["in-progress"] * 2 + ["success"] * 2


def test_job_record(http: httpx.Client, start: Start, images: list[dict], service: ScenarioApi) -> None:
    id = start(images[0]["id"], archiveName="one").json()["jobId"]
    job = http.get(f"/jobs/{id}").json()["job"]
    assert set(job) == {
        "jobId", "jobType", "status", "progress", "metadata", "statusHistory", "createdAt", "updatedAt", "authorId",
        "ownerId", "billing",
    }  # fmt: skip
    assert (job["jobType"], job["metadata"]["input"]["options"]["archiveName"]) == ("assets-download", "one")
    assert (job["authorId"], job["ownerId"]) == (images[0]["authorId"], images[0]["ownerId"])
    refusal = http.post(f"/jobs/{id}/action", json={"action": "cancel"})
    assert reason(refusal) == "Only inference jobs can be canceled"
    assert reason(http.post(f"/jobs/{id}/action", json={"action": "explode"}))
    assert reason(http.post("/jobs/job_x/action", json={"action": "cancel"}), 404)


def test_list_of_jobs(http: httpx.Client, start: Start, images: list[dict], restored: Sandbox) -> None:
    ids = []
    for n in range(3):
        restored.world.clock = lambda n=n: 1_770_000_000.0 + n
        ids.append(start(images[n]["id"]).json()["jobId"])

    def listed(**params: str) -> list[str]:
        response = http.get("/jobs", params=params)
        assert response.status_code == 200, response.text
        return [job["jobId"] for job in response.json()["jobs"]]

    assert listed() == ids[::-1]
    page = http.get("/jobs", params={"pageSize": 2}).json()
    assert [job["jobId"] for job in page["jobs"]] == ids[:0:-1]
    assert listed(pageSize="2", paginationToken=page["nextPaginationToken"]) == ids[:1]
    assert listed(status="success") == listed(types="assets-download,upload") == ids[::-1]
    assert listed(types="assets-download", type="upload") == ids[::-1], "types wins"
    assert listed(status="queued") == listed(type="upload") == listed(workflowId="w") == listed(authorId="x") == []
    assert listed(createdAfter="2026-02-02T02:40:00.500Z") == ids[:0:-1]
    assert listed(updatedAfter="2026-02-02T02:40:00.500Z", type="assets-download") == ids[::-1]
    for params in (
        {"pageSize": "0"}, {"pageSize": "101"}, {"status": "done"}, {"type": "nonsense"}, {"hideResults": "perhaps"},
        {"createdAfter": "2026-01-01", "status": "success"}, {"updatedAfter": "2026-01-01"}, {"paginationToken": "x"},
    ):  # fmt: skip
        assert reason(http.get("/jobs", params=params))


def test_the_file_in_ranges(
    anyone: httpx.Client, start: Start, url_of: Callable[[httpx.Response], str], images: list[dict]
) -> None:
    started = start(*(image["id"] for image in images[:20]))
    url = url_of(started)
    whole = anyone.get(url)
    size, etag = len(whole.content), whole.headers["etag"]
    assert whole.headers["content-type"] == "application/zip"
    assert whole.headers["accept-ranges"] == "bytes"
    head = anyone.head(url)
    assert (head.headers["content-length"], head.headers["etag"], head.content) == (str(size), etag, b"")
    part = anyone.get(url, headers={"Range": "bytes=100-299", "If-Range": etag})
    assert (part.status_code, part.content) == (206, whole.content[100:300])
    assert part.headers["content-range"] == f"bytes 100-299/{size}"
    assert anyone.get(url, headers={"Range": "bytes=-50"}).content == whole.content[-50:]
    stale = anyone.get(url, headers={"Range": "bytes=100-299", "If-Range": '"other"'})
    assert (stale.status_code, stale.content) == (200, whole.content)
    assert anyone.get(url, headers={"Range": f"bytes={size}-"}).status_code == 416
    again = anyone.head(url_of(started))
    assert again.headers["etag"] == etag, "the file is the same under every URL of its job"


def test_urls_of_archives_expire_and_are_signed_anew(
    http: httpx.Client,
    anyone: httpx.Client,
    start: Start,
    url_of: Callable[[httpx.Response], str],
    images: list[dict],
    restored: Sandbox,
) -> None:
    restored.settings.archive_url_lifetime = 60
    started = start(images[0]["id"])
    url = url_of(started)
    assert "Authorization" not in anyone.get(url).request.headers
    for wrong in (url.partition("?")[0], url.replace("?p=100", "?p=7"), url[:-2], url.replace("/job_", "/job_0")):
        response = anyone.get(wrong)
        assert (response.status_code, "AccessDenied" in response.text) == (403, True)
    now = restored.world.clock()
    restored.world.clock = lambda: now + 61
    assert anyone.get(url).status_code == 403
    assert anyone.get(url_of(started)).status_code == 200


def test_files_go_with_the_sandbox(images: list[dict]) -> None:
    with Sandbox() as own:
        own.settings.archive_polls = 0
        service = own.scenario_api
        with httpx.Client(base_url=f"{own.origin}/scenario/v1", auth=(service.api_key, service.api_secret)) as http:
            query = {"assetIds": [images[0]["id"]], "inferenceIds": [], "modelIds": []}
            body = {"options": {"fileNameTemplate": "<id>"}, "query": query}
            for _ in range(14):
                id = http.post("/assets/download", json=body).json()["jobId"]
                url = http.get(f"/assets/download/{id}").json()["downloadUrl"]
            batches = service._batches
            folder = batches._folder
            assert folder is not None
            assert len(list(folder.glob("*.zip"))) == 12, "no more than the last few are kept"
            first = own.archives.jobs[0].id
            url = http.get(f"/assets/download/{first}").json()["downloadUrl"]
            assert httpx.get(url).status_code == 200, "and the others are made again"
    assert not folder.exists()


@pytest.fixture(scope="module")
def thousands() -> Iterator[tuple[Sandbox, httpx.Client, list[dict]]]:
    with Sandbox(assets=1_100) as big:
        service = big.scenario_api
        auth = (service.api_key, service.api_secret)
        with httpx.Client(base_url=f"{big.origin}/scenario/v1", auth=auth) as http:
            found: list[dict] = []
            token = ""
            while token is not None:
                page = http.get("/assets", params={"pageSize": "100", "paginationToken": token}).json()
                found += page["assets"]
                token = page.get("nextPaginationToken")
            big.settings.archive_polls = 0
            yield big, http, found


def test_a_thousand_and_no_more(thousands: tuple[Sandbox, httpx.Client, list[dict]]) -> None:
    _, http, found = thousands
    ids = [asset["id"] for asset in found]

    def ask(**query: list[str]) -> httpx.Response:
        empty: dict[str, list[str]] = {"assetIds": [], "inferenceIds": [], "modelIds": []}
        options = {"fileNameTemplate": "<prompt>", "flat": True}
        return http.post("/assets/download", json={"options": options, "query": empty | query})

    started = ask(assetIds=ids[:1000])
    url = http.get(f"/assets/download/{started.json()['jobId']}").json()["downloadUrl"]
    archive = zipfile.ZipFile(io.BytesIO(httpx.get(url).content))
    assert len(set(archive.namelist())) == 1000
    assert any(name.endswith("_13.webp") for name in archive.namelist())
    with archive.open(archive.namelist()[-1]) as file, Image.open(file) as image:
        image.load()
    limit = "Batch download is limited to 1000 assets"
    assert reason(ask(assetIds=ids[:1001])) == limit
    assert reason(ask(assetIds=[f"asset_{n}" for n in range(1001)])) == limit, "before they are looked up"
    used = sorted({asset["metadata"].get("modelId", "") for asset in found} - {""})
    assert reason(ask(modelIds=used)) == limit
    fresh = [asset["metadata"]["inferenceId"] for asset in found if "inferenceId" in asset["metadata"]]
    assert reason(ask(assetIds=ids[:990], inferenceIds=fresh[-60:])) == limit


def test_an_inference_has_several_assets(thousands: tuple[Sandbox, httpx.Client, list[dict]]) -> None:
    _, http, found = thousands
    inference = found[-1]["metadata"]["inferenceId"]
    together = [asset for asset in found if asset["metadata"].get("inferenceId") == inference]
    assert len(together) > 1
    assert {asset["outputIndex"] for asset in together} == set(range(len(together)))
    assert len({asset["metadata"]["seed"] for asset in together}) == len(together)
    listed = http.get("/assets", params={"inferenceId": inference}).json()["assets"]
    assert {asset["id"] for asset in listed} == {asset["id"] for asset in together}
    body = {
        "options": {"fileNameTemplate": "<num>"},
        "query": {"assetIds": [], "inferenceIds": [inference], "modelIds": []},
    }
    id = http.post("/assets/download", json=body).json()["jobId"]
    url = http.get(f"/assets/download/{id}").json()["downloadUrl"]
    names = zipfile.ZipFile(io.BytesIO(httpx.get(url).content)).namelist()
    assert sorted(names) == [f"{inference}/{n}.webp" for n in range(len(together))]
