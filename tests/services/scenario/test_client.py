from __future__ import annotations

import dataclasses
import io
import logging
from types import MappingProxyType
from typing import Any

import pytest
from PIL import Image

from ipyassets.errors import AuthenticationError, BadResponse, InvalidRequest, NotFound, PermissionDenied
from ipyassets.http import loop
from ipyassets.http.secret import Secret
from ipyassets.sandbox import Sandbox
from ipyassets.services.base import Record, Served
from ipyassets.services.scenario.auth import BasicKeys
from ipyassets.services.scenario.client import ScenarioService
from tests.services.calls import fetch, records
from tests.services.scenario.conftest import Make


def one(service: ScenarioService, kind: str, *, hit: bool) -> Record:
    """A record of a kind: as a search finds it, or whole."""
    found = next(iter(records(service.search(kind=kind, page_size=1))))
    return found if hit else loop.run(service.record(found.id))


def size(served: Served) -> tuple[int, int]:
    return Image.open(io.BytesIO(served.content)).size


def changed(record: Record, **fields: Any) -> Record:
    """The record, its raw object with other fields (None: without them)."""
    raw = {name: value for name, value in {**record.raw, **fields}.items() if value is not None}
    return dataclasses.replace(record, raw=MappingProxyType(raw))


def pass_a_month(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    later = sandbox.world.clock() + 31 * 86_400
    monkeypatch.setattr(sandbox.world, "clock", lambda: later)


@pytest.mark.parametrize("hit", [True, False])
def test_pictures_of_an_image(sandbox: Sandbox, service: ScenarioService, hit: bool) -> None:
    record = one(service, "image", hit=hit)
    sandbox.faults.log.clear()
    small = fetch(service.poster_source(record, width=200))
    large = fetch(service.poster_source(record))
    assert small.content_type == "image/jpeg"
    assert max(size(small)) <= 512
    assert size(large) == (record.attributes["width"], record.attributes["height"])
    assert [seen.path.split("/")[3] for seen in sandbox.faults.log] == ["thumbnails", "assets-transform"]
    assert not any("authorization" in seen.headers for seen in sandbox.faults.log)


@pytest.mark.parametrize("kind", ["video", "3d"])
@pytest.mark.parametrize("hit", [True, False])
def test_pictures_of_a_video_and_a_mesh(service: ScenarioService, kind: str, hit: bool) -> None:
    record = one(service, kind, hit=hit)
    assert min(size(fetch(service.poster_source(record)))) > 0
    assert min(size(fetch(service.poster_source(record, width=100)))) > 0


@pytest.mark.parametrize("kind", ["audio", "text"])
@pytest.mark.parametrize("hit", [True, False])
def test_what_has_no_picture(service: ScenarioService, kind: str, hit: bool) -> None:
    assert service.poster_source(one(service, kind, hit=hit)) is None


def test_key_holds_no_signature(sandbox: Sandbox, service: ScenarioService) -> None:
    record = one(service, "image", hit=True)
    small, large = service.poster_source(record, width=200), service.poster_source(record)
    assert small is not None
    assert large is not None
    address = sandbox.origin.removeprefix("http://")
    assert small.key == ("scenario", address, record.id, "thumbnail", record.raw["updatedAt"])
    assert large.key == ("scenario", address, record.id, "picture", record.raw["updatedAt"])


def test_an_expired_url_is_renewed(
    sandbox: Sandbox, service: ScenarioService, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    record = one(service, "image", hit=True)
    pass_a_month(sandbox, monkeypatch)
    sandbox.faults.log.clear()
    with caplog.at_level(logging.DEBUG):
        assert size(fetch(service.poster_source(record)))
    assert [(seen.path.split("/")[2], seen.status) for seen in sandbox.faults.log] == [
        ("cdn", 403), ("v1", 200), ("cdn", 200),
    ]  # fmt: skip
    assert "Signature" not in caplog.text
    assert "Policy" not in caplog.text


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_any_refusal_of_a_link_brings_a_fresh_one(sandbox: Sandbox, service: ScenarioService, status: int) -> None:
    record = one(service, "image", hit=False)
    sandbox.faults.add("/cdn/", status=status)
    assert size(fetch(service.poster_source(record)))


def test_a_link_is_renewed_once_only(
    sandbox: Sandbox, service: ScenarioService, caplog: pytest.LogCaptureFixture
) -> None:
    record = one(service, "image", hit=False)
    sandbox.faults.add("/cdn/", status=403, count=None, body="<Error><Code>AccessDenied</Code></Error>")
    sandbox.faults.log.clear()
    with caplog.at_level(logging.DEBUG), pytest.raises(PermissionDenied, match="AccessDenied") as caught:
        fetch(service.poster_source(record))
    assert len(sandbox.faults.requests("/v1/assets/")) == 1
    signature = record.raw["url"].rpartition("Signature=")[2]
    assert all(signature not in text for text in (str(caught.value), repr(vars(caught.value)), caplog.text))


def test_an_asset_deleted_meanwhile(sandbox: Sandbox, service: ScenarioService) -> None:
    record = one(service, "image", hit=True)
    sandbox.faults.add("/cdn/", status=403)
    sandbox.faults.add("/v1/assets/", status=404, body={"reason": "Asset not found"})
    with pytest.raises(NotFound, match="Asset not found"):
        fetch(service.poster_source(record))


@pytest.mark.parametrize("status", [404, 502])
def test_the_thumbnail_may_not_exist(sandbox: Sandbox, service: ScenarioService, status: int) -> None:
    """The live file server answers 502 for thumbnails it does not have."""
    record = one(service, "image", hit=True)
    sandbox.faults.add("/thumbnails/", status=status, count=None)
    assert size(fetch(service.poster_source(record, width=100))) == (
        record.attributes["width"], record.attributes["height"],
    )  # fmt: skip


def test_file_server_may_redirect(sandbox: Sandbox, service: ScenarioService) -> None:
    record = one(service, "image", hit=False)
    port = sandbox.origin.rpartition(":")[2]
    thumbnail = f"http://localhost:{port}/scenario/cdn/thumbnails/{record.id}"
    sandbox.faults.add("/assets-transform/", kind="redirect", location=thumbnail)
    assert fetch(service.poster_source(record)).content_type == "image/jpeg"


def test_signed_urls_are_sent_as_they_are(sandbox: Sandbox, service: ScenarioService) -> None:
    record = one(service, "image", hit=False)
    url = record.raw["url"].replace("?", "?p=100&")
    sandbox.faults.log.clear()
    fetch(service.poster_source(changed(record, url=url), width=2000))
    seen = sandbox.faults.log[0]
    assert f"{sandbox.origin}{seen.path}?{seen.query}" == url


@pytest.mark.parametrize("url", ["ftp://h/x", "data:image/png;base64,AA", "file:///etc/passwd", "//h/x", "http://[x"])
def test_links_to_strange_places_are_not_asked(sandbox: Sandbox, service: ScenarioService, url: str) -> None:
    record = changed(one(service, "video", hit=False), thumbnail={"url": url}, firstFrame=None)
    sandbox.faults.log.clear()
    with pytest.raises(BadResponse, match="not safe"):
        fetch(service.poster_source(record))
    assert not sandbox.faults.log


def test_a_link_without_tls_is_not_followed_from_a_service_with_it(make: Make) -> None:
    service = make(base_url="https://api.example/v1")
    record = Record(
        "scenario", "a", "a", "image", raw={"url": "http://cdn.example/assets/a?Signature=s", "mimeType": "image/png"}
    )
    with pytest.raises(BadResponse, match="not safe") as caught:
        fetch(service.poster_source(record))
    assert "Signature" not in str(caught.value)


def test_one_asset_by_id(service: ScenarioService) -> None:
    found = one(service, "image", hit=True)
    whole = loop.run(service.record(found.id))
    assert (whole, whole.name, whole.kind, whole.created) == (found, found.name, found.kind, found.created)
    assert whole.status == "success"


@pytest.mark.parametrize("id", ["asset_nope", "../teams", "a?b#c", "", ".."])
def test_an_unknown_asset(sandbox: Sandbox, service: ScenarioService, id: str) -> None:
    with pytest.raises(NotFound):
        loop.run(service.record(id))
    assert all(seen.path.startswith("/scenario/v1/assets/") for seen in sandbox.faults.log)


def test_an_answer_without_the_asset(sandbox: Sandbox, service: ScenarioService) -> None:
    sandbox.faults.add("/v1/assets/", status=200, body={"assets": []})
    with pytest.raises(BadResponse, match="'asset'"):
        loop.run(service.record("asset_1"))


@pytest.mark.parametrize(("key", "secret"), [("", "s"), ("k", " "), ("k:x", "s")])
def test_keys_that_cannot_be(key: str, secret: str) -> None:
    with pytest.raises(AuthenticationError):
        BasicKeys(Secret(key), Secret(secret))


def test_closing_twice_does_no_harm(service: ScenarioService) -> None:
    loop.run(service.tags())
    loop.run(service.close())
    loop.run(service.close())
    with pytest.raises(InvalidRequest, match="closed"):
        loop.run(service.tags())
