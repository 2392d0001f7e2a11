from __future__ import annotations

import io

import pytest
from PIL import Image

from ipyassets.errors import BadResponse, InvalidRequest, NotFound, RateLimited
from ipyassets.http import loop
from ipyassets.http.secret import Secret
from ipyassets.sandbox import Sandbox
from ipyassets.services.base import Record, Served
from ipyassets.services.itwin.auth import GivenToken
from ipyassets.services.itwin.client import ITwinService
from tests.services.calls import fetch


@pytest.fixture
def record(service: ITwinService) -> Record:
    return loop.run(service.search().page(0)).records[0]


def size(served: Served) -> tuple[int, int]:
    return Image.open(io.BytesIO(served.content)).size


def test_thumbnails_small_and_large(service: ITwinService, record: Record) -> None:
    small, large = (fetch(service.poster_source(record, size=word)) for word in ("small", "large"))
    assert (size(small), size(large)) == ((400, 250), (800, 500))
    assert small.content_type == "image/png"
    assert fetch(service.poster_source(record)).content == small.content


@pytest.mark.parametrize(
    ("box", "word"),
    [
        ((None, None), "small"),
        ((400, 250), "small"),
        ((256, 256), "small"),
        ((400, None), "small"),
        ((None, 250), "small"),
        ((401, None), "large"),
        ((None, 251), "large"),
        ((512, 512), "large"),
        ((4000, 4000), "large"),
    ],
)
def test_the_thumbnail_that_fills_the_box(
    service: ITwinService, record: Record, box: tuple[int | None, int | None], word: str
) -> None:
    assert service.poster_source(record, width=box[0], height=box[1]).key[3] == word


def test_a_given_size_wins_over_the_box(service: ITwinService, record: Record) -> None:
    assert service.poster_source(record, width=2000, size="small").key[3] == "small"


def test_an_unknown_size_is_refused(service: ITwinService, record: Record) -> None:
    with pytest.raises(InvalidRequest, match="'small' or 'large'"):
        service.poster_source(record, size="medium")


def test_key_names_the_last_change_and_no_secret(sandbox: Sandbox, service: ITwinService, record: Record) -> None:
    source = service.poster_source(record, size="large")
    address = sandbox.origin.removeprefix("http://")
    assert source.key == ("itwin", address, record.id, "large", record.raw["lastChangesetPushDateTime"] or "")
    assert source.lifetime == 600


def test_no_thumbnail_is_not_found(sandbox: Sandbox, service: ITwinService, record: Record) -> None:
    body = {"error": {"code": "iModelNotFound", "message": "Requested iModel is not available."}}
    sandbox.faults.add("/thumbnail", status=404, body=body)
    with pytest.raises(NotFound, match="no poster") as caught:
        fetch(service.poster_source(record))
    assert (caught.value.status, caught.value.code) == (404, "iModelNotFound")


def test_thumbnail_refused_for_its_rate(sandbox: Sandbox, service: ITwinService, record: Record) -> None:
    sandbox.faults.add("/thumbnail", status=429, headers={"Retry-After": "3600"}, count=None)
    with pytest.raises(RateLimited, match="small thumbnail") as caught:
        fetch(service.poster_source(record))
    assert caught.value.retry_after == 3600


def test_a_thumbnail_on_other_storage_is_fetched_without_the_token(
    sandbox: Sandbox, service: ITwinService, record: Record
) -> None:
    port = sandbox.origin.rpartition(":")[2]
    elsewhere = f"http://localhost:{port}/storage/picture.png?sig=SECRET"
    sandbox.faults.add("/thumbnail", kind="redirect", location=elsewhere)
    sandbox.faults.add("/storage", status=200, body=b"picture", headers={"Content-Type": "image/png"})
    assert fetch(service.poster_source(record)).content == b"picture"
    assert "authorization" not in sandbox.faults.log[-1].headers


@pytest.mark.parametrize("id", ["nope", "00000000-0000-4000-8000-000000000000"])
def test_an_unknown_imodel(service: ITwinService, id: str) -> None:
    with pytest.raises(NotFound) as caught:
        loop.run(service.record(id))
    assert caught.value.code == "iModelNotFound"


@pytest.mark.parametrize("id", ["", "  ", ".", "..", "favorites", "recents", "x" * 301])
def test_what_cannot_be_an_id_is_not_asked_for(sandbox: Sandbox, service: ITwinService, id: str) -> None:
    with pytest.raises(NotFound):
        loop.run(service.record(id))
    assert not sandbox.faults.log


def test_an_id_stays_within_its_path(sandbox: Sandbox, service: ITwinService) -> None:
    with pytest.raises(NotFound):
        loop.run(service.record("../itwins?x=1#y"))
    assert sandbox.faults.log[-1].path.startswith("/itwin/imodels/")


def test_an_answer_without_the_imodel(sandbox: Sandbox, service: ITwinService) -> None:
    sandbox.faults.add("/imodels/", status=200, body={"iModels": []})
    with pytest.raises(BadResponse, match="'iModel'"):
        loop.run(service.record("5e19bee0-3aea-4355-a9f0-c6df9989ee7d"))


@pytest.mark.parametrize(
    "url", ["api.bentley.com", "ftp://api.bentley.com", "https://u:p@api.bentley.com", "https://h/?a=1", "http://h:x"]
)
def test_base_url_is_checked(url: str) -> None:
    with pytest.raises(InvalidRequest, match="base_url"):
        ITwinService(GivenToken(Secret("t")), base_url=url)


def test_closing_twice_does_no_harm(service: ITwinService) -> None:
    loop.run(service.workspaces())
    loop.run(service.close())
    loop.run(service.close())
    with pytest.raises(InvalidRequest, match="closed"):
        loop.run(service.workspaces())
