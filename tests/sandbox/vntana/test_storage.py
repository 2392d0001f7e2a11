"""Signed URLs: how one is had, what it opens, for how long, and to whom."""

from __future__ import annotations

import re
import uuid
from xml.etree import ElementTree as ET

import httpx
import pytest

from ipyassets.sandbox.renderer.sources import original_file
from ipyassets.sandbox.vntana.accounts import HARBOUR, NORTHLIGHT, WORKSHOP

from . import contract
from .conftest import code
from .renders import attachments
from .test_attachments import load
from .test_search import everything

PATH = "/v1/storage/download/clients/sign-url"
ORIGIN = {"Origin": "https://api-platform.vntana.com"}
OCTETS = {"Content-Type": "application/octet-stream"}


def sign(caller, entity, store="ATTACHMENT", headers=ORIGIN, **body):
    body = {"entityUuid": entity, "storeType": store, **body}
    contract.check_request("admin", "POST", PATH, body)
    return caller.post(PATH, json=body, headers=headers)


def location(answer):
    return answer.json()["response"]["location"]


def refusal(answer):
    """Status and code of an answer of the storage host."""
    assert answer.headers["content-type"] == "application/xml; charset=UTF-8"
    return answer.status_code, ET.fromstring(answer.text).findtext("Code")


@pytest.fixture
def product(sandbox):
    """Has earlier renders, a GIF among them, and a photograph."""
    return sandbox.vntana_api.catalogue.products.uuid(4)  # scissors


@pytest.fixture
def photo(admin, product):
    return next(entry for entry in attachments(admin, product) if entry["name"] == "showroom-photo.png")


@pytest.fixture
def url(admin, photo):
    return location(sign(admin, photo["uuid"]))


def test_every_kind_of_file_by_its_own_store_and_as_an_attachment(admin, product, photo):
    for entry in attachments(admin, product):
        own = "ATTACHMENT" if entry["entityType"] == "PRODUCT" else entry["entityType"]
        answer = sign(admin, entry["uuid"], own).json()["response"]
        assert uuid.UUID(answer["requestUuid"])
        assert answer["blobId"] == entry["blobId"]
        got = httpx.get(answer["location"], headers=OCTETS)
        assert got.status_code == 200
        assert got.content == load(admin, entry).content == httpx.get(location(sign(admin, entry["uuid"]))).content


def test_the_wrong_store_and_the_wrong_id_find_nothing(admin, product, photo):
    still = next(entry for entry in attachments(admin, product) if entry["entityType"] == "RENDER")
    for entity, store in (
        (photo["uuid"], "RENDER"),
        (still["uuid"], "TURNTABLE"),
        (still["entityUuid"], "RENDER"),
        (still["blobId"], "RENDER"),
        (str(uuid.uuid4()), "ATTACHMENT"),
    ):
        assert code(sign(admin, entity, store)) == (404, "BLOB_NOT_FOUND")


def test_refusals_to_sign(sandbox, admin, caller, product, photo):
    assert code(sign(admin, photo["uuid"], headers={})) == (422, "MISSING_ORIGIN")
    assert code(sign(admin, "")) == (422, "MISSING_ENTITY_UUID")
    assert code(sign(admin, photo["uuid"], "")) == (422, "MISSING_STORE_TYPE")
    assert code(sign(admin, photo["uuid"], "ATTIC")) == (422, "NOT_SUPPORTED_STORE_TYPE")
    assert code(admin.post(PATH, json={"entityUuid": 5}, headers=ORIGIN)) == (400, "BAD_REQUEST")
    assert code(sign(caller(), photo["uuid"])) == (403, "FORBIDDEN")
    supplier = caller().enter(sandbox.vntana_api.supplier, HARBOUR)
    assert code(sign(supplier, photo["uuid"])) == (404, "PRODUCT_NOT_FOUND")
    manager = caller().enter(sandbox.vntana_api.manager, NORTHLIGHT, WORKSHOP)
    assert code(sign(manager, photo["uuid"])) == (403, "FORBIDDEN")


def test_models(admin, product):
    assert code(sign(admin, product, "MODEL")) == (422, "MISSING_RESOURCE_FORMAT")
    assert code(sign(admin, product, "MODEL", format="MP4")) == (422, "INVALID_RESOURCE_FORMAT")
    assert code(sign(admin, product, "MODEL", format="GLB")) == (404, "BLOB_NOT_FOUND")
    assert code(sign(admin, str(uuid.uuid4()), "ASSET")) == (404, "PRODUCT_NOT_FOUND")
    nothing = everything(admin, WORKSHOP, assetTypes=["NO_ASSET"])[0]["uuid"]
    assert code(sign(admin, nothing, "ASSET")) == (404, "BLOB_NOT_FOUND")
    got = httpx.get(location(sign(admin, product, "ASSET")))
    assert got.content == original_file("object", "scissors")
    damaged = everything(admin, WORKSHOP, name="desk lamp (damaged file)")[0]
    assert damaged["asset"]["assetOriginalName"] == "scan-overwritten.glb"
    answer = sign(admin, damaged["uuid"], "ASSET").json()["response"]
    assert answer["blobId"] == damaged["asset"]["assetBlobId"]
    assert httpx.get(answer["location"]).content[:4] == b"glTF"


def test_ranges(url):
    whole = httpx.get(url).content
    part = httpx.get(url, headers={"Range": f"bytes={len(whole) - 5}-"})
    assert part.status_code == 206
    assert part.content == whole[-5:]
    assert part.headers["content-range"] == f"bytes {len(whole) - 5}-{len(whole) - 1}/{len(whole)}"


def test_a_url_opens_for_a_quarter_of_an_hour(sandbox, url):
    now = sandbox.world.clock()
    sandbox.world.clock = lambda: now + 890
    assert httpx.get(url).status_code == 200
    sandbox.world.clock = lambda: now + 901
    assert refusal(httpx.get(url)) == (403, "ExpiredToken")
    sandbox.settings.vntana_signed_url_expired_status = 400
    assert refusal(httpx.get(url)) == (400, "ExpiredToken")


def test_the_lifetime_is_a_setting(sandbox, admin, photo):
    sandbox.settings.vntana_signed_url_lifetime = 5
    url = location(sign(admin, photo["uuid"]))
    now = sandbox.world.clock()
    sandbox.world.clock = lambda: now + 6
    assert refusal(httpx.get(url)) == (403, "ExpiredToken")


@pytest.mark.parametrize(
    ("pattern", "put"),
    [
        (r"X-Goog-Expires=\d+", "X-Goog-Expires=999999"),
        (r"X-Goog-Date=\d+", "X-Goog-Date=20990101"),
        (r"X-Goog-Signature=.", "X-Goog-Signature=z"),
        (r"/[0-9a-f-]{36}\.png", "/29f59914-ca54-4ade-9236-158d23e898e5.png"),
        (r"$", "&X-Goog-More=1"),
    ],
)
def test_a_changed_url_opens_nothing(url, pattern, put):
    assert refusal(httpx.get(re.sub(pattern, put, url, count=1))) == (403, "SignatureDoesNotMatch")


def test_without_a_signature_nothing_opens(sandbox, url):
    assert refusal(httpx.get(url.partition("?")[0])) == (403, "AccessDenied")
    assert refusal(httpx.get(f"{sandbox.origin}/vntana/storage/elsewhere/file.png")) == (404, "NoSuchKey")


def test_a_file_that_is_no_more(admin, product, photo, url):
    assert admin.delete(f"/v1/attachments/{product}/{photo['uuid']}").is_success
    assert refusal(httpx.get(url)) == (404, "NoSuchKey")


def test_a_token_at_the_storage_host_is_counted_and_refused(sandbox, admin, url):
    """The bytes are on another host: a client that sends its token along gives it away."""
    before = sandbox.vntana_api.storage.tokens_seen
    for name in ("X-AUTH-TOKEN", "Authorization"):
        assert refusal(httpx.get(url, headers={name: "Bearer secret"})) == (403, "AccessDenied")
    assert sandbox.vntana_api.storage.tokens_seen == before + 2


def test_the_content_type_is_demanded_only_in_strict_mode(sandbox, url):
    assert httpx.get(url).status_code == 200
    sandbox.settings.vntana_storage_strict_content_type = True
    assert refusal(httpx.get(url)) == (400, "MalformedSecurityHeader")
    assert httpx.get(url, headers=OCTETS).status_code == 200


def test_an_earlier_file_that_cannot_be_made_is_the_platforms_fault(sandbox, admin, product, monkeypatch):
    """What the client did was right, so it must not be told of a missing file."""
    still = next(entry for entry in attachments(admin, product) if entry["entityType"] == "RENDER")
    monkeypatch.setattr(sandbox.renders._catalogue, "source", lambda index: None)
    assert refusal(httpx.get(location(sign(admin, still["uuid"], "RENDER")))) == (500, "InternalError")
    assert code(load(admin, still)) == (500, "INTERNAL_SERVER_ERROR")
