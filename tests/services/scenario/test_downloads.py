"""Single files over real HTTP, and what goes wrong with them."""

from __future__ import annotations

import dataclasses
import io
import logging
from types import MappingProxyType
from typing import Any

import pytest
from PIL import Image, features

from ipyassets.errors import BadResponse, InvalidRequest, NotFound, PermissionDenied, RateLimited
from ipyassets.http import loop
from ipyassets.http.remote import RemoteFile
from ipyassets.sandbox import Sandbox
from ipyassets.services.base import Record
from ipyassets.services.scenario.client import ScenarioService
from tests.services.calls import records
from tests.services.scenario.conftest import Make


def one(service: ScenarioService, kind: str = "image", mime: str | None = None) -> Record:
    found = records(service.search(kind=kind, page_size=1, **({"mime_type": mime} if mime else {})))
    return found[0]


def content(file: RemoteFile) -> bytes:
    async def go() -> bytes:
        return b"".join([piece async for piece in file.stream()])

    return loop.run(go())


def fetched(service: ScenarioService, record: Record, format: str | None = None) -> bytes:
    return content(loop.run(service.download(record, format)))


@pytest.mark.parametrize(
    ("format", "pillow", "promised", "ending"),
    [
        ("jpeg", "JPEG", "image/jpeg", "jpg"),
        ("jpg", "JPEG", "image/jpeg", "jpg"),
        ("PNG", "PNG", "image/png", "png"),
        ("webp", "WEBP", "image/webp", "webp"),
        ("avif", "AVIF", "image/avif", "avif"),
        ("tif", "TIFF", "image/tiff", "tiff"),
        ("tiff", "TIFF", "image/tiff", "tiff"),
        ("gif", "GIF", "image/gif", "gif"),
    ],
)
def test_a_picture_in_every_raster_format(
    service: ScenarioService, format: str, pillow: str, promised: str, ending: str
) -> None:
    if pillow == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    record = one(service)
    file = loop.run(service.download(record, format))
    assert (file.media_type, file.name) == (promised, f"{record.id}.{ending}")
    with Image.open(io.BytesIO(content(file))) as image:
        assert image.format == pillow
        assert image.size == (record.attributes["width"], record.attributes["height"])


@pytest.mark.parametrize(
    ("kind", "mime", "format", "start"),
    [
        ("3d", "model/obj", "glb", b"glTF"),
        ("3d", "model/gltf-binary", "glb", b"glTF"),
        ("video", None, "mp4", None),
        ("audio", "audio/mpeg", "MP3", None),
        ("image", "image/svg+xml", "svg", b"<"),
    ],
)
def test_the_other_kinds_in_their_formats(
    service: ScenarioService, kind: str, mime: str | None, format: str, start: bytes | None
) -> None:
    got = fetched(service, one(service, kind, mime), format)
    assert got.startswith(start or b"")
    assert start is not None or b"ftyp" in got[:16] or got[:3] in (b"ID3", b"\xff\xfb\x90") or got[0] == 0xFF


@pytest.mark.parametrize("kind", ["image", "3d", "video", "audio", "text"])
def test_the_original_of_everything(sandbox: Sandbox, service: ScenarioService, kind: str) -> None:
    record = loop.run(service.record(one(service, kind).id))
    sandbox.faults.log.clear()
    file = loop.run(service.download(record))
    assert len(content(file)) == record.raw["properties"]["size"]
    assert file.media_type == record.raw["mimeType"]
    assert [(seen.method, seen.path.split("/")[2]) for seen in sandbox.faults.log] == [("POST", "v1"), ("GET", "cdn")]
    asked, fetch = sandbox.faults.log
    assert asked.json == {}
    assert "authorization" in asked.headers
    assert not {"authorization", "cookie", "x-api-key"} & fetch.headers.keys()


def test_the_name_it_was_uploaded_under(service: ScenarioService) -> None:
    record = one(service, "text")
    raw = {**record.raw, "metadata": {**record.raw["metadata"], "fileName": "../notes: one.txt"}}
    named = dataclasses.replace(record, raw=MappingProxyType(raw))
    assert loop.run(service.download(named)).name == "notes: one.txt"
    assert loop.run(service.download(record)).name == f"{record.id}.txt"


@pytest.mark.parametrize(("kind", "format"), [("image", "glb"), ("3d", "png"), ("text", "webp"), ("image", "bmp")])
def test_wrong_pairs_are_refused_before_anything_is_sent(
    sandbox: Sandbox, service: ScenarioService, kind: str, format: str
) -> None:
    record = one(service, kind)
    sandbox.faults.log.clear()
    with pytest.raises(InvalidRequest, match="as it is stored"):
        loop.run(service.download(record, format))
    assert not sandbox.faults.log


def test_a_refusal_by_the_service_tells_what_may_work(service: ScenarioService) -> None:
    """Nothing free writes FBX, so the emulated service refuses it, as the real one may refuse others."""
    with pytest.raises(InvalidRequest, match=r"Invalid target format.* glb, fbx, obj") as caught:
        loop.run(service.download(one(service, "3d"), "fbx"))
    assert caught.value.status == 400


def test_part_of_a_file(service: ScenarioService) -> None:
    record = one(service)
    whole = fetched(service, record)

    async def go() -> tuple[Any, ...]:
        file = await service.download(record)
        return await file.ranges(), await file.size(), await file.read(10, 200)

    assert loop.run(go()) == (True, len(whole), whole[10:200])


def test_a_url_that_expired_before_it_was_used(
    sandbox: Sandbox, service: ScenarioService, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    record = one(service)
    with caplog.at_level(logging.DEBUG):
        file = loop.run(service.download(record, "png"))
        later = sandbox.world.clock() + 31 * 86_400
        monkeypatch.setattr(sandbox.world, "clock", lambda: later)
        sandbox.faults.log.clear()
        assert content(file).startswith(b"\x89PNG")
    assert [(seen.path.split("/")[2], seen.status) for seen in sandbox.faults.log] == [
        ("cdn", 403), ("v1", 200), ("cdn", 200),
    ]  # fmt: skip
    assert "Signature" not in caplog.text
    assert "Policy" not in caplog.text


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_a_refused_url_is_renewed_a_few_times_only(sandbox: Sandbox, service: ScenarioService, status: int) -> None:
    record = one(service)
    sandbox.faults.add("/cdn/", status=status, count=1)
    assert fetched(service, record)
    sandbox.faults.add("/cdn/", status=status, count=None)
    sandbox.faults.log.clear()
    with pytest.raises((InvalidRequest, PermissionDenied, NotFound), match=f"asset {record.id}"):
        fetched(service, record)
    assert len(sandbox.faults.requests("/cdn/")) == 3


def test_an_asset_that_was_deleted_meanwhile(sandbox: Sandbox, service: ScenarioService) -> None:
    file = loop.run(service.download(one(service)))
    sandbox.faults.add("/cdn/", status=403)
    sandbox.faults.add("/download", status=404, body={"reason": "Asset not found"})
    with pytest.raises(NotFound, match="Asset not found"):
        content(file)


def test_an_unknown_asset(service: ScenarioService) -> None:
    with pytest.raises(NotFound):
        loop.run(service.download(Record("scenario", "asset_nope", "x", "image")))


def test_a_file_that_breaks_off_is_gone_on_with(sandbox: Sandbox, service: ScenarioService) -> None:
    record = one(service)
    whole = fetched(service, record)
    sandbox.faults.add("/cdn/", kind="cut", after=1000)
    sandbox.faults.log.clear()
    assert fetched(service, record) == whole
    assert sandbox.faults.log[-1].headers["range"] == "bytes=1000-"


def test_the_file_server_may_redirect(sandbox: Sandbox, service: ScenarioService) -> None:
    record = one(service)
    port = sandbox.origin.rpartition(":")[2]
    elsewhere = f"http://localhost:{port}/scenario/cdn/thumbnails/{record.id}"
    sandbox.faults.add("/cdn/", kind="redirect", location=elsewhere)
    sandbox.faults.log.clear()
    assert fetched(service, record).startswith(b"\xff\xd8")
    assert not any("authorization" in seen.headers for seen in sandbox.faults.requests("/cdn/"))


def test_a_web_page_instead_of_the_file(sandbox: Sandbox, service: ScenarioService) -> None:
    sandbox.faults.add("/cdn/", kind="html")
    with pytest.raises(BadResponse, match="web page"):
        fetched(service, one(service))


def test_a_cooldown_is_waited_out(sandbox: Sandbox, service: ScenarioService) -> None:
    record = one(service)
    body = {"reason": "Too many requests", "remainingSeconds": 0.01}
    sandbox.faults.add("/download", status=429, body=body, count=2)
    assert fetched(service, record)


def test_a_long_cooldown_is_said(sandbox: Sandbox, service: ScenarioService) -> None:
    record = one(service)
    sandbox.faults.add("/download", status=429, body={"reason": "Too many requests", "remainingSeconds": 900})
    with pytest.raises(RateLimited, match="900 s") as caught:
        loop.run(service.download(record))
    assert caught.value.retry_after == 900


def test_a_ceiling_of_the_plan_is_not_waited_for(sandbox: Sandbox, service: ScenarioService) -> None:
    record = one(service)
    details = {"actionName": "assets-download", "actionLimit": 50}
    sandbox.faults.add("/download", status=429, body={"reason": "Limit reached", "details": details}, count=None)
    sandbox.faults.log.clear()
    with pytest.raises(RateLimited, match="larger plan"):
        loop.run(service.download(record))
    assert len(sandbox.faults.log) == 1


@pytest.mark.parametrize(
    "url", ["ftp://h/x", "file:///etc/passwd", "http://me:pw@127.0.0.1/x", "/relative", "http://[x", "", None, 5]
)
def test_urls_to_strange_places_are_not_asked(sandbox: Sandbox, service: ScenarioService, url: Any) -> None:
    record = one(service)
    sandbox.faults.add("/download", status=200, body={"url": url})
    sandbox.faults.log.clear()
    with pytest.raises(BadResponse, match="safe"):
        loop.run(service.download(record))
    assert len(sandbox.faults.log) == 1


def test_the_project_is_named(sandbox: Sandbox, make: Make) -> None:
    service = make(project_id="proj_nope")
    record = Record("scenario", "asset_x", "x", "image")
    with pytest.raises((PermissionDenied, NotFound)):
        loop.run(service.download(record))
    assert sandbox.faults.log[-1].query == "projectId=proj_nope"
