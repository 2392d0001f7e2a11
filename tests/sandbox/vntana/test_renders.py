"""Renders over HTTP: the order, its refusals, the files that come of it, and a second order."""

from __future__ import annotations

import uuid

import numpy as np
import pytest

from ipyassets.sandbox.vntana.accounts import HARBOUR, NORTHLIGHT, OUTDOOR, SHOWROOM, WORKSHOP

from .conftest import code
from .renders import TURNTABLE, actions, attachments, files, order, place, stills
from .test_search import everything

# The order


def test_stills_and_a_turntable_are_made(sandbox, admin, product):
    assert actions(admin, product) == ("", "")
    assert attachments(admin, product) == []
    answer = place(admin, product).json()
    assert answer == {"success": True, "errors": [], "response": {"uuids": [product], "errors": None}}
    sandbox.renders.wait_idle()
    assert actions(admin, product) == ("COMPLETED", "COMPLETED")
    found = attachments(admin, product)
    assert [entry["entityType"] for entry in found].count("RENDER") == 5
    (version,) = {entry["name"].partition("-")[2].partition("-")[2].partition(".")[0] for entry in found}
    assert uuid.UUID(version)
    assert version != product
    assert {entry["name"] for entry in found} == {
        *(f"render-{n}-{version}.png" for n in range(5)),
        f"turntable-mp4-{version}.mp4",
    }
    images = stills(admin, product)
    assert [image.size for image in images] == [(40, 30)] * 5
    assert {image.format for image in images} == {"PNG"}
    assert len({image.tobytes() for image in images}) == 5, "five views, not one"
    (film,) = files(admin, product, "TURNTABLE").values()
    assert film[4:8] == b"ftyp"
    row = everything(admin, productsUuids=[product])[0]
    assert row["conversionStatusDetails"]["GENERATE_RENDERS"] == "ACTION_COMPLETED"


@pytest.mark.parametrize(
    ("format", "ending", "opened"), [("png", "png", "PNG"), ("JPG", "jpg", "JPEG"), ("WEBP", "webp", "WEBP")]
)
def test_every_format(sandbox, admin, product, format, ending, opened):
    """The reference's own sample says "png", the guide "PNG"."""
    place(admin, product, imageFormat=format)
    sandbox.renders.wait_idle()
    names = [entry["name"] for entry in attachments(admin, product) if entry["entityType"] == "RENDER"]
    assert all(name.endswith(f".{ending}") for name in names)
    assert {image.format for image in stills(admin, product)} == {opened}


@pytest.mark.parametrize(
    ("colour", "pixel"),
    [("#f0c", (255, 0, 204)), ("#1f4e79", (31, 78, 121)), ("rebeccapurple", (102, 51, 153)), ("white", (255,) * 3)],
)
def test_the_background_is_the_colour_that_was_asked_for(sandbox, admin, product, colour, pixel):
    place(admin, product, imageBackground=colour)
    sandbox.renders.wait_idle()
    for image in stills(admin, product):
        assert image.mode == "RGB"
        assert np.abs(np.subtract(image.getpixel((0, 0)), pixel)).max() <= 1
        assert np.abs(np.subtract(image.getpixel((39, 0)), pixel)).max() <= 1


def test_transparent_stills(sandbox, admin, product):
    place(admin, product, transparentBackground=True)
    sandbox.renders.wait_idle()
    for image in stills(admin, product):
        assert image.mode == "RGBA"
        assert image.getpixel((0, 0))[3] == 0
        assert image.getextrema()[3][1] == 255


def test_a_transparent_jpg_has_a_background(sandbox, admin, product):
    place(admin, product, transparentBackground=True, imageFormat="JPG", imageBackground="#204060")
    sandbox.renders.wait_idle()
    assert np.abs(np.subtract(stills(admin, product)[0].getpixel((0, 0)), (32, 64, 96))).max() < 8


def test_drafts_are_rendered(sandbox, admin):
    draft = everything(admin, status=["DRAFT"])[0]["uuid"]
    assert place(admin, draft).json()["response"]["uuids"] == [draft]
    sandbox.renders.wait_idle()
    assert len(stills(admin, draft)) == 5


def test_how_many_stills_is_a_setting(sandbox, admin, product):
    sandbox.settings.render_stills = 2
    place(admin, product)
    sandbox.renders.wait_idle()
    assert len(stills(admin, product)) == 2


def test_a_product_named_twice_is_rendered_once(sandbox, admin, product):
    assert place(admin, product, product).json()["response"]["uuids"] == [product]
    assert len(sandbox.renders.jobs) == 1
    assert sandbox.renders.jobs[0].product == product
    assert sandbox.renders.jobs[0].request["imageWidth"] == 40


# Refusals


def test_codes_of_single_products_where_others_are_valid(sandbox, admin, caller, product):
    supplier = caller().enter(sandbox.vntana_api.supplier, HARBOUR)
    foreign = everything(supplier, OUTDOOR)[0]["uuid"]
    waiting, converting = (
        everything(admin, WORKSHOP, conversionStatuses=[state])[0]["uuid"] for state in ("PENDING", "CONVERTING")
    )
    nothing, picture = (everything(admin, WORKSHOP, assetTypes=[kind])[0]["uuid"] for kind in ("NO_ASSET", "IMAGE"))
    failed = everything(admin, WORKSHOP, conversionStatuses=["FAILED"])[0]["uuid"]
    unknown = str(uuid.uuid4())
    sandbox.renders.pause()
    answer = place(admin, product, unknown, "no uuid", foreign, waiting, converting, nothing, picture, failed).json()
    assert answer["success"] is True
    assert answer["response"] == {
        "uuids": [product],
        "errors": {
            **dict.fromkeys((unknown, "no uuid", foreign), "PRODUCT_NOT_FOUND"),
            **dict.fromkeys((waiting, converting), "PRODUCT_CHANGE_IS_UNAVAILABLE"),
            **dict.fromkeys((nothing, picture, failed), "INVALID_PRODUCT"),
        },
    }
    assert code(place(admin, unknown)) == (404, "PRODUCT_NOT_FOUND")
    assert code(place(admin, nothing)) == (422, "INVALID_PRODUCT")
    assert code(place(admin, product, clientUuid=WORKSHOP.uuid)) == (404, "PRODUCT_NOT_FOUND")
    assert place(admin, product, clientUuid=SHOWROOM.uuid, organizationUuid=NORTHLIGHT.uuid).is_success


@pytest.mark.parametrize(
    ("changes", "status", "refusal"),
    [
        ({"productUuids": []}, 422, "MISSING_PRODUCT_UUID"),
        ({"productUuids": None}, 422, "MISSING_PRODUCT_UUID"),
        ({"productUuids": "x"}, 400, "BAD_REQUEST"),
        ({"imageFormat": "TIFF"}, 422, "NOT_SUPPORTED_IMAGE_FORMAT"),
        ({"imageFormat": None}, 400, "BAD_REQUEST"),
        ({"imageWidth": 0}, 400, "BAD_REQUEST"),
        ({"imageWidth": True}, 400, "BAD_REQUEST"),
        ({"imageHeight": None}, 400, "BAD_REQUEST"),
        ({"imageHeight": 4097}, 422, "UNPROCESSABLE_ENTITY"),
        ({"imageBackground": "mauve-ish"}, 400, "BAD_REQUEST"),
        ({"turntable": None}, 400, "BAD_REQUEST"),
        ({"turntable": {**TURNTABLE, "imageCount": 721}}, 422, "UNPROCESSABLE_ENTITY"),
        ({"turntable": {**TURNTABLE, "imageCount": 0}}, 400, "BAD_REQUEST"),
        ({"turntable": {**TURNTABLE, "frameRate": 0}}, 400, "BAD_REQUEST"),
        ({"turntable": {**TURNTABLE, "width": 9999}}, 422, "UNPROCESSABLE_ENTITY"),
        ({"organizationUuid": "x"}, 403, "FORBIDDEN"),
        ({"clientUuid": "x"}, 403, "FORBIDDEN"),
    ],
)
def test_bad_orders(sandbox, admin, product, changes, status, refusal):
    body = {**order(product), **changes}
    body = {name: value for name, value in body.items() if value is not None}
    assert code(admin.post("/v1/products/renders", json=body)) == (status, refusal)
    assert sandbox.renders.jobs == ()


@pytest.mark.parametrize("missing", sorted(TURNTABLE))
def test_the_turntable_must_be_complete(admin, product, missing):
    body = order(product)
    del body["turntable"][missing]
    assert code(admin.post("/v1/products/renders", json=body)) == (400, "BAD_REQUEST")


def test_stills_alone_where_the_turntable_is_optional(sandbox, admin, product):
    sandbox.settings.render_requires_turntable = False
    body = order(product)
    del body["turntable"]
    assert admin.post("/v1/products/renders", json=body).is_success
    sandbox.renders.wait_idle()
    assert actions(admin, product) == ("COMPLETED", "")
    assert sandbox.renders.jobs[0].turntable is None


def test_who_may_order(sandbox, admin, caller, product):
    api = sandbox.vntana_api
    assistant = caller().enter(api.assistant, NORTHLIGHT, SHOWROOM)
    assert place(assistant, product).is_success
    manager = caller().enter(api.manager, NORTHLIGHT, WORKSHOP)
    assert code(place(manager, product)) == (404, "PRODUCT_NOT_FOUND")
    for user in (api.viewer, api.assistant):
        workspace = SHOWROOM if user is api.viewer else None
        assert code(place(caller().enter(user, NORTHLIGHT, workspace), product)) == (403, "FORBIDDEN")
    assert code(place(caller(), product)) == (403, "FORBIDDEN")
    login = caller()
    assert code(place(login.use(login.login(api.owner)), product)) == (403, "FORBIDDEN")


# Again


def test_new_renders_take_the_place_of_the_old_ones_at_completion(sandbox, admin, product):
    place(admin, product, turntable={"includeGif": True})
    sandbox.renders.wait_idle()
    before = attachments(admin, product)
    assert {entry["name"].rpartition(".")[2] for entry in before} == {"png", "mp4", "gif"}
    old = files(admin, product, "RENDER")
    sandbox.renders.pause()
    place(admin, product, imageWidth=50)
    assert attachments(admin, product) == before
    assert files(admin, product, "RENDER") == old
    sandbox.renders.resume()
    sandbox.renders.wait_idle()
    after = attachments(admin, product)
    assert not {entry["uuid"] for entry in before} & {entry["uuid"] for entry in after}
    assert not {entry["blobId"] for entry in before} & {entry["blobId"] for entry in after}
    assert {entry["name"] for entry in after} < {entry["name"] for entry in before}, "same names, without the GIF"
    assert {image.size for image in stills(admin, product)} == {(50, 30)}
    gone = admin.get(f"/v1/comments/images/{before[0]['blobId']}", params={"clientUuid": SHOWROOM.uuid})
    assert code(gone) == (404, "BLOB_NOT_FOUND")


def test_a_newer_order_takes_the_place_of_one_that_is_not_done(sandbox, admin, product, events):
    sandbox.renders.pause()
    place(admin, product, imageWidth=41)
    place(admin, product, imageWidth=42)
    sandbox.renders.resume()
    sandbox.renders.wait_idle()
    older, newer = sandbox.renders.jobs
    assert [part.state for part in older.parts] == ["dropped", "dropped"]
    assert [part.state for part in newer.parts] == ["completed", "completed"]
    assert {image.width for image in stills(admin, product)} == {42}
    assert [name for name, _ in events].count("renders.completed") == 1


def test_what_completes_after_an_order_is_of_that_order(sandbox, admin, product, events):
    """A running job is dropped too: else its files, which are new, would pass for those of the newer order."""
    sandbox.renders.hold()
    place(admin, product, imageWidth=41)
    place(admin, product, imageWidth=42)
    sandbox.renders.resume()
    sandbox.renders.wait_idle()
    assert [name for name, _ in events].count("renders.completed") == 1
    assert {image.width for image in stills(admin, product)} == {42}


# Much


def test_many_products_in_one_order(sandbox, admin, others):
    products = [row["uuid"] for row in everything(admin)][:16]
    place(admin, *products, imageWidth=24, imageHeight=24, turntable={"imageCount": 2})
    sandbox.renders.wait_idle(120)
    rows = everything(admin, productsUuids=products)
    assert len(rows) == 16
    for row in rows:
        assert row["conversionStatusDetails"]["GENERATE_RENDERS"] == "ACTION_COMPLETED"
        assert row["conversionStatusDetails"]["GENERATE_TURNTABLE"] == "ACTION_COMPLETED"
