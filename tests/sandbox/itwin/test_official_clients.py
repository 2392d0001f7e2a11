"""Bentley's own npm clients, pinned and unchanged, against the sandbox."""

from __future__ import annotations

import base64
import importlib.util
import io
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ipyassets.sandbox import Sandbox
from ipyassets.sandbox.itwin import ITwinApi
from ipyassets.sandbox.itwin.errors import rate_limit

pytestmark = pytest.mark.official

HERE = Path(__file__).parent / "official"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
Call = Callable[..., Any]


class Refused(Exception):
    """What the official client raised."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error)
        self.code = error.get("code")
        self.status = error.get("statusCode")
        self.details = error.get("details")


def _npm() -> tuple[list[str], dict[str, str]]:
    path = Path(__file__).parents[3] / "scripts" / "npm.py"
    spec = importlib.util.spec_from_file_location("project_npm", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    command: tuple[list[str], dict[str, str]] = module.npm_command()
    return command


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[str]]:
    folder = tmp_path_factory.mktemp("official")
    for name in ("package.json", "package-lock.json", "driver.mjs"):
        shutil.copy(HERE / name, folder)
    npm, env = _npm()
    subprocess.run(
        [*npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder, env=env, check=True, timeout=240
    )
    node = shutil.which("node", path=env["PATH"])
    assert node is not None
    with subprocess.Popen(
        [node, "driver.mjs"], cwd=folder, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=20) == 0


@pytest.fixture
def call(driver: subprocess.Popen[str], sandbox: Sandbox, root: str, platform: ITwinApi) -> Iterator[Call]:
    """Run one operation of the official clients; `Refused` with what they raised."""

    def run(operation: str, **values: Any) -> Any:
        command = {"operation": operation, "baseUrl": root, "token": platform.token, **values}
        assert driver.stdin is not None
        assert driver.stdout is not None
        driver.stdin.write(json.dumps(command) + "\n")
        driver.stdin.flush()
        answer = json.loads(driver.stdout.readline())
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["result"]

    yield run
    sandbox.faults.clear()


def test_minimal_list(call: Call, platform: ITwinApi, imodels: list[dict]) -> None:
    found = call("minimal", urlParams={"iTwinId": platform.itwin_id})
    assert [one["id"] for one in found] == [one["id"] for one in imodels]
    assert all(set(one) == {"id", "displayName", "dataCenterLocation"} for one in found)


def test_representation_list(call: Call, platform: ITwinApi, imodels: list[dict]) -> None:
    assert call("representation", urlParams={"iTwinId": platform.itwin_id, "$top": 7}) == imodels


def test_pages_follow_the_links(call: Call, platform: ITwinApi, imodels: list[dict]) -> None:
    found = call("pages", urlParams={"iTwinId": platform.itwin_id, "$top": 5})
    assert [len(page) for page in found] == [5, 5, 5, 3]
    assert [one["id"] for page in found for one in page] == [one["id"] for one in imodels]


def test_search_and_order(call: Call, platform: ITwinApi) -> None:
    params = {"iTwinId": platform.itwin_id, "$search": "BRIDGE", "$orderBy": {"property": "name", "operator": "desc"}}
    names = [one["displayName"] for one in call("minimal", urlParams=params)]
    assert names == ["Weir Road Bridge", "North Gate Cable-Stayed Bridge", "Canal Footbridge"]


def test_name_with_a_space(call: Call, platform: ITwinApi, imodels: list[dict]) -> None:
    (found,) = call("minimal", urlParams={"iTwinId": platform.itwin_id, "name": imodels[3]["name"]})
    assert found["id"] == imodels[3]["id"]


def test_single_and_its_creator(call: Call, imodels: list[dict]) -> None:
    assert call("get", iModelId=imodels[0]["id"]) == imodels[0]
    creator = call("creator", iModelId=imodels[0]["id"])
    assert imodels[0]["_links"]["creator"]["href"].endswith(creator["id"])


@pytest.mark.parametrize(("size", "pixels"), [("small", (400, 250)), ("large", (800, 500)), (None, (400, 250))])
def test_thumbnails(call: Call, imodels: list[dict], size: str | None, pixels: tuple[int, int]) -> None:
    for imodel in (imodels[0], imodels[13]):
        thumbnail = call("thumbnail", iModelId=imodel["id"], size=size)
        assert thumbnail["imageType"] == "image/png"
        with Image.open(io.BytesIO(base64.b64decode(thumbnail["image"]))) as image:
            assert (image.format, image.size) == ("PNG", pixels)


def test_upload(call: Call, imodels: list[dict]) -> None:
    out = io.BytesIO()
    Image.new("RGB", (64, 40), "#2040c0").save(out, "JPEG")
    picture = base64.b64encode(out.getvalue()).decode()
    call("upload", iModelId=imodels[17]["id"], imageType="image/jpeg", image=picture)
    thumbnail = call("thumbnail", iModelId=imodels[17]["id"], size="large")
    with Image.open(io.BytesIO(base64.b64decode(thumbnail["image"]))) as image:
        red, green, blue = image.convert("RGB").getpixel((400, 250))
    assert blue > 150 > green > red


def test_what_hangs_on_an_imodel(call: Call, imodels: list[dict]) -> None:
    pushed = next(one for one in imodels if one["lastChangesetPushDateTime"])
    changesets = call("changesets", iModelId=pushed["id"], urlParams={"$top": 2})
    assert [one["index"] for one in changesets] == list(range(1, len(changesets) + 1))
    assert changesets[-1]["pushDateTime"] == pushed["lastChangesetPushDateTime"]
    versions = call("namedVersions", iModelId=pushed["id"])
    assert versions[0]["changesetId"] is None
    assert {one["changesetId"] for one in versions[1:]} <= {one["id"] for one in changesets}
    assert changesets[0]["creatorId"] in {one["id"] for one in call("users", iModelId=pushed["id"])}


def refusal(call: Call, operation: str, **values: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        call(operation, **values)
    return caught.value


def test_unknown_imodel(call: Call) -> None:
    error = refusal(call, "get", iModelId=UNKNOWN)
    assert (error.code, error.status) == ("iModelNotFound", 404)


def test_unknown_itwin(call: Call) -> None:
    error = refusal(call, "minimal", urlParams={"iTwinId": UNKNOWN})
    assert (error.code, error.status) == ("iTwinNotFound", 404)


@pytest.mark.parametrize("token", ["wrong", ""])
def test_bad_token(call: Call, platform: ITwinApi, token: str) -> None:
    error = refusal(call, "minimal", urlParams={"iTwinId": platform.itwin_id}, token=token)
    assert (error.code, error.status) == ("Unauthorized", 401)


def test_bad_query_names_its_target(call: Call) -> None:
    error = refusal(call, "minimal", urlParams={"iTwinId": "harbour", "$top": 1001})
    assert (error.code, error.status) == ("InvalidiModelsRequest", 422)
    assert [(one["code"], one["target"]) for one in error.details] == [
        ("InvalidValue", "iTwinId"),
        ("InvalidValue", "$top"),
    ]


def test_thumbnail_errors_keep_their_status(call: Call, imodels: list[dict]) -> None:
    """The client asks for bytes and does not decode the JSON in them."""
    error = refusal(call, "thumbnail", iModelId=UNKNOWN)
    assert (error.code, error.status) == ("Unrecognized", 404)
    error = refusal(call, "thumbnail", iModelId=imodels[0]["id"], size="huge")
    assert (error.code, error.status) == ("Unrecognized", 422)
    error = refusal(call, "thumbnail", iModelId=imodels[0]["id"], token="wrong")
    assert (error.code, error.status) == ("Unauthorized", 401)


def test_rate_limit_is_raised_at_once(call: Call, sandbox: Sandbox, imodels: list[dict]) -> None:
    fault = sandbox.faults.add(f"/imodels/{imodels[0]['id']}", **rate_limit(3), count=None)
    error = refusal(call, "get", iModelId=imodels[0]["id"])
    assert (error.code, error.status) == ("RateLimitExceeded", 429)
    assert fault.hits == 1


def test_server_errors_are_retried(call: Call, sandbox: Sandbox, imodels: list[dict]) -> None:
    fault = sandbox.faults.add(f"/imodels/{imodels[0]['id']}", status=503, count=1)
    assert call("get", iModelId=imodels[0]["id"])["id"] == imodels[0]["id"]
    assert fault.hits == 1


def test_itwins_client(call: Call, platform: ITwinApi) -> None:
    answer = call("itwins", query={"subClass": "Project", "top": 2}, mode="minimal")
    assert answer["status"] == 200
    assert [one["displayName"] for one in answer["data"]] == ["Harbour Quarter", "Birchwood Campus"]
    answer = call("itwins", query={"includeInactive": True, "search": "mill"}, mode="representation")
    assert [(one["displayName"], one["status"]) for one in answer["data"]] == [("Weaving Mill Conversion", "Inactive")]
    answer = call("itwin", id=platform.itwin_id, mode="representation")
    assert answer["data"]["dataCenterLocation"] == "East US"
    assert call("itwin", id=UNKNOWN, mode="minimal")["error"]["code"] == "iTwinNotFound"
