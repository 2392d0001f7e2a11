"""Attachments over HTTP: the search, what hangs on products from the beginning, their bytes, and taking them off."""

from __future__ import annotations

import io
import uuid
from datetime import datetime

import pytest
from PIL import Image

from ipyassets.sandbox.vntana.accounts import HARBOUR, NORTHLIGHT, OUTDOOR, SHOWROOM, WORKSHOP

from . import contract
from .conftest import code
from .renders import actions, attachments, place
from .test_search import everything

PATH = "/v1/attachments/search"


def search(caller, **body):
    body = {"page": 0, "size": 50, **body}
    contract.check_request("admin", "POST", PATH, body)
    return caller.post(PATH, json=body)


def load(caller, entry, workspace=SHOWROOM, **headers):
    path = f"/v1/comments/images/{entry['blobId']}"
    return caller.get(path, params={"clientUuid": workspace.uuid}, headers=headers)


@pytest.fixture
def products(sandbox):
    """Of the main workspace, in the catalogue's order; the first twelve have earlier renders."""
    return [sandbox.vntana_api.catalogue.products.uuid(index) for index in range(40)]


# From the beginning


def test_some_products_have_earlier_renders(admin, products):
    rendered = [row["uuid"] for row in everything(admin) if "GENERATE_RENDERS" in row["conversionStatusDetails"]]
    assert sorted(rendered) == sorted(products[:12])
    for product in products[:12]:
        found = attachments(admin, product)
        kinds = {entry["entityType"] for entry in found}
        assert "RENDER" in kinds
        assert actions(admin, product) == ("COMPLETED", "COMPLETED" if "TURNTABLE" in kinds else "")
        assert {(entry["type"], entry["productUuid"], entry["entityUuid"]) for entry in found} == {
            ("PRODUCT", product, product)
        }
        product_made = next(row for row in everything(admin, productsUuids=[product]))["created"]
        assert all(datetime.fromisoformat(entry["created"]) > datetime.fromisoformat(product_made) for entry in found)
    assert attachments(admin, products[12]) == []


def test_identifiers_of_earlier_renders_are_the_same_in_every_run(admin, products):
    first = attachments(admin, products[0])[0]
    assert first["uuid"] == "2753f5f0-dba0-5d98-82dc-11bd8dc2fd82"
    assert first["blobId"] == "6f25eba6-ef09-59b2-b058-d27c1afc4b89.png"


def test_a_still_may_be_missing_and_uploads_lie_among_the_renders(admin, products):
    numbers = [entry["name"].split("-")[1] for entry in attachments(admin, products[3])]
    assert "".join(number for number in numbers if number.isdecimal()) == "0134"
    names = {entry["name"]: entry["entityType"] for entry in attachments(admin, products[2])}
    assert names["campaign-hero.png"] == "RENDER"
    assert names["showroom-photo.png"] == "PRODUCT"
    assert [entry["name"] for entry in attachments(admin, products[20])] == ["showroom-photo.png"]
    assert actions(admin, products[20]) == ("", "")


def test_earlier_files_are_really_there_and_stay_the_same(sandbox, admin, products):
    (film,) = (entry for entry in attachments(admin, products[1]) if entry["entityType"] == "TURNTABLE")
    answer = load(admin, film)
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.content[4:8] == b"ftyp"
    pictures = [entry for entry in attachments(admin, products[1]) if entry["entityType"] == "RENDER"]
    shown = [load(admin, entry) for entry in pictures]
    assert {answer.headers["content-type"] for answer in shown} == {"image/jpeg"}
    opened = [Image.open(io.BytesIO(answer.content)) for answer in shown]
    assert {image.size for image in opened} == {(640, 640)}
    assert len({answer.content for answer in shown}) == 5
    assert [load(admin, entry).content for entry in pictures] == [answer.content for answer in shown]
    assert sandbox.renders.jobs == (), "nobody asked for these"


def test_earlier_files_are_made_while_jobs_are_paused(sandbox, admin, products):
    """Or whoever pauses the jobs to look at old files in peace waits for ever."""
    sandbox.renders.pause()
    place(admin, products[20])
    (photo,) = attachments(admin, products[31])
    assert Image.open(io.BytesIO(load(admin, photo).content)).size == (720, 540)
    assert actions(admin, products[20]) == ("PENDING", "PENDING")


def test_uploads_stay_when_renders_are_replaced(sandbox, admin, products):
    before = attachments(admin, products[2])
    place(admin, products[2])
    sandbox.renders.wait_idle()
    after = attachments(admin, products[2])
    uploads = [entry for entry in before if not entry["name"].startswith(("render-", "turntable-"))]
    assert [entry for entry in after if entry in before] == uploads


# The search


def test_pages_count_from_zero(admin, products):
    every = attachments(admin, products[0])
    assert len(every) == 7
    pages = [search(admin, productUuid=products[0], page=page, size=3).json()["response"] for page in range(4)]
    assert [len(page["grid"]) for page in pages] == [3, 3, 1, 0]
    assert {page["totalCount"] for page in pages} == {7}
    assert [entry for page in pages for entry in page["grid"]] == every


def test_the_entity_type_filters_only_where_it_is_set_to(sandbox, admin, products):
    asked = {"productUuid": products[0], "entityType": "TURNTABLE"}
    assert search(admin, **asked).json()["response"]["totalCount"] == 7
    sandbox.settings.vntana_attachments_by_entity_type = True
    found = search(admin, **asked).json()["response"]
    assert found["totalCount"] == 2
    assert {entry["entityType"] for entry in found["grid"]} == {"TURNTABLE"}


def test_sorting(admin, products):
    def created(direction):
        grid = search(admin, productUuid=products[2], sortDirection=direction).json()["response"]["grid"]
        return [entry["created"] for entry in grid]

    assert created("ASC") == sorted(created("ASC"))
    assert created("DESC") == sorted(created("DESC"), reverse=True)
    assert len(set(created("ASC"))) > 1


def test_a_variant_group_has_no_files(admin):
    assert search(admin, variantGroupUuid=str(uuid.uuid4())).json()["response"] == {"totalCount": 0, "grid": []}


@pytest.mark.parametrize(
    ("changes", "status", "refusal"),
    [
        ({"page": None}, 422, "MISSING_PAGE"),
        ({"size": None}, 422, "MISSING_SIZE"),
        ({"page": -1}, 422, "INVALID_PAGE"),
        ({"size": 0}, 422, "INVALID_SIZE"),
        ({"size": 501}, 422, "INVALID_SIZE"),
        ({"page": "0"}, 400, "BAD_REQUEST"),
        ({"productUuid": None}, 422, "MISSING_PRODUCT_OR_VARIANT_GROUP_UUID"),
        ({"productUuid": 5}, 400, "BAD_REQUEST"),
        ({"productUuid": "nobody"}, 404, "PRODUCT_NOT_FOUND"),
        ({"entityType": "PICTURE"}, 400, "BAD_REQUEST"),
        ({"sortDirection": "UP"}, 400, "BAD_REQUEST"),
    ],
)
def test_bad_searches(admin, products, changes, status, refusal):
    body = {"page": 0, "size": 10, "productUuid": products[0], **changes}
    body = {name: value for name, value in body.items() if value is not None}
    assert code(admin.post(PATH, json=body)) == (status, refusal)


def test_who_may_search_and_load(sandbox, admin, caller, products):
    api = sandbox.vntana_api
    entry = attachments(admin, products[0])[0]
    login = caller()
    assert code(search(login.use(login.login(api.owner)), productUuid=products[0])) == (403, "FORBIDDEN")
    manager = caller().enter(api.manager, NORTHLIGHT, WORKSHOP)
    assert code(search(manager, productUuid=products[0])) == (403, "FORBIDDEN")
    assert code(load(manager, entry)) == (403, "FORBIDDEN")
    supplier = caller().enter(api.supplier, HARBOUR)
    assert code(search(supplier, productUuid=products[0])) == (404, "PRODUCT_NOT_FOUND")
    assert code(load(supplier, entry, OUTDOOR)) == (404, "BLOB_NOT_FOUND")
    assert code(load(admin, entry, WORKSHOP)) == (404, "BLOB_NOT_FOUND")
    assert code(admin.get(f"/v1/comments/images/{entry['blobId']}")) == (400, "BAD_REQUEST")
    assert code(load(admin, {"blobId": f"{uuid.uuid4()}.png"})) == (404, "BLOB_NOT_FOUND")
    viewer = caller().enter(api.viewer, NORTHLIGHT, SHOWROOM)
    assert search(viewer, productUuid=products[0]).json()["response"]["totalCount"] == 7


def test_a_range_of_a_file(sandbox, admin, products):
    (photo,) = attachments(admin, products[31])
    whole = load(admin, photo).content
    part = load(admin, photo, Range="bytes=10-19")
    assert part.status_code == 206
    assert part.headers["content-range"] == f"bytes 10-19/{len(whole)}"
    assert part.content == whole[10:20]


# Taking off


def test_an_attachment_is_taken_off(sandbox, admin, caller, products):
    product = products[0]
    before = attachments(admin, product)
    path = f"/v1/attachments/{product}/{before[1]['uuid']}"
    viewer = caller().enter(sandbox.vntana_api.viewer, NORTHLIGHT, SHOWROOM)
    assert code(viewer.delete(path)) == (403, "FORBIDDEN")
    elsewhere = f"/v1/attachments/{products[1]}/{before[1]['uuid']}"
    assert code(admin.delete(elsewhere)) == (404, "ATTACHMENT_NOT_FOUND")
    assert admin.delete(path).is_success
    assert attachments(admin, product) == [before[0], *before[2:]]
    assert code(admin.delete(path)) == (404, "ATTACHMENT_NOT_FOUND")
    assert code(load(admin, before[1])) == (404, "BLOB_NOT_FOUND")
    sandbox.reset()
    assert attachments(admin, product) == before
