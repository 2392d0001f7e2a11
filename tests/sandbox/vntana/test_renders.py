"""Renders over HTTP: the order, its refusals, what the platform tells of it, and what can go wrong on demand."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
import uuid

import httpx
import numpy as np
import pytest
from PIL import Image

from ipyassets.sandbox import Sandbox, Settings
from ipyassets.sandbox.vntana.accounts import HARBOUR, NORTHLIGHT, OUTDOOR, SHOWROOM, WORKSHOP

from . import contract
from .conftest import code
from .test_search import everything

TURNTABLE = {"includeGif": False, "imageCount": 4, "frameRate": 4, "width": 32, "height": 24}
NEVER_RENDERED = range(40, 60)
"""Numbers of products of the main workspace without earlier renders."""


def order(*products, turntable=None, **body):
    body = {
        "productUuids": list(products),
        "imageWidth": 40,
        "imageHeight": 30,
        "imageFormat": "PNG",
        "turntable": {**TURNTABLE, **(turntable or {})},
        **body,
    }
    return {name: value for name, value in body.items() if value is not None}


def place(caller, *products, **changes):
    body = order(*products, **changes)
    contract.check_request("admin", "POST", "/v1/products/renders", body)
    return caller.post("/v1/products/renders", json=body)


def attachments(caller, product):
    body = {"page": 0, "size": 100, "productUuid": product}
    return caller.post("/v1/attachments/search", json=body).json()["response"]["grid"]


def files(caller, product, kind, workspace=SHOWROOM):
    """Name to bytes."""
    return {
        entry["name"]: caller.get(
            f"/v1/comments/images/{entry['blobId']}", params={"clientUuid": workspace.uuid}
        ).content
        for entry in attachments(caller, product)
        if entry["entityType"] == kind
    }


def stills(caller, product, workspace=SHOWROOM):
    return [
        Image.open(io.BytesIO(content))
        for name, content in sorted(files(caller, product, "RENDER", workspace).items())
        if name.startswith("render-")
    ]


def actions(caller, product):
    """Statuses of the two render actions, from the action call; every other call must say the same."""
    path = f"/v1/products/{product}"
    entries = caller.get(f"{path}/conversion-action-types/status").json()["response"]["actionTypes"]
    told = {entry["actionType"]: entry["status"] for entry in entries}
    assert caller.get(path).json()["response"]["asset"]["conversionStatusDetails"] == told
    return tuple(told.get(f"GENERATE_{kind}", "").removeprefix("ACTION_") for kind in ("RENDERS", "TURNTABLE"))


@pytest.fixture(autouse=True)
def draft(sandbox):
    sandbox.settings.render_quality = "draft"


@pytest.fixture
def product(sandbox):
    return sandbox.vntana_api.catalogue.products.uuid(NEVER_RENDERED[0])


@pytest.fixture
def others(sandbox):
    return [sandbox.vntana_api.catalogue.products.uuid(index) for index in NEVER_RENDERED[1:]]


@pytest.fixture
def listen(sandbox):
    """Subscribes to the events of one test."""
    bus = sandbox.vntana_api.bus
    before = list(bus._listeners)
    yield bus.subscribe
    bus._listeners[:] = before


@pytest.fixture
def events(listen):
    """Names of the events of one run, as they come."""
    heard = []
    listen(lambda name, index: heard.append((name, index)))
    return heard


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


# States


def test_states_are_told_in_order_by_every_means(sandbox, admin, product, events):
    renders = sandbox.renders
    index = NEVER_RENDERED[0]
    renders.pause()
    place(admin, product)
    assert actions(admin, product) == ("PENDING", "PENDING")
    assert events == [("renders.pending", index), ("turntable.pending", index)]
    assert attachments(admin, product) == []
    renders.resume()
    renders.wait_idle()
    assert actions(admin, product) == ("COMPLETED", "COMPLETED")
    for part in ("renders", "turntable"):
        told = [name for name, _ in events if name.startswith(part)]
        assert told == [f"{part}.pending", f"{part}.processing", f"{part}.completed"]


def test_held_jobs_stay_running(sandbox, admin, product, listen):
    began = threading.Event()
    seen = set()

    def hear(name, index):
        seen.add(name)
        if {"renders.processing", "turntable.processing"} <= seen:
            began.set()

    listen(hear)
    sandbox.renders.hold()
    place(admin, product)
    assert began.wait(30)
    assert actions(admin, product) == ("RUNNING", "RUNNING")
    with pytest.raises(TimeoutError, match="still queued or running"):
        sandbox.renders.wait_idle(0.05)
    sandbox.renders.resume()
    sandbox.renders.wait_idle()
    assert actions(admin, product) == ("COMPLETED", "COMPLETED")


def test_files_are_there_when_completion_is_told(sandbox, admin, product, listen):
    """Whoever acts on the event at once must find the new files, not the old ones."""
    found = {}

    def hear(name, index):
        if name.endswith(".completed"):
            kept = sandbox.vntana_api._attachments._attachments.of(index)
            found[name] = sorted({entry.entity_type for entry in kept if entry.file.exists()})

    listen(hear)
    place(admin, product)
    sandbox.renders.wait_idle()
    assert "RENDER" in found["renders.completed"]
    assert "TURNTABLE" in found["turntable.completed"]


def test_settings_make_each_stage_last_longer(sandbox, admin, product, others, events):
    """The slow job came first and is done last."""
    sandbox.settings.render_queue_time = 0.3
    place(admin, product)
    sandbox.settings.render_queue_time = 0.0
    sandbox.settings.render_work_time = 0.2
    place(admin, others[0])
    sandbox.renders.wait_idle()
    begun = [index for name, index in events if name == "renders.processing"]
    assert begun == [NEVER_RENDERED[1], NEVER_RENDERED[0]]
    slow, held = (job.stills for job in sandbox.renders.jobs)
    assert slow.state == held.state == "completed"
    assert held.running_for == 0.2


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


# What goes wrong


@pytest.mark.parametrize("which", ["oak table", "desk lamp"])
def test_a_damaged_file_really_fails(sandbox, admin, caplog, which):
    damaged = everything(admin, WORKSHOP, name=f"{which} (damaged file)")[0]
    assert damaged["status"] == "LIVE_PUBLIC"
    with caplog.at_level(logging.WARNING, "ipyassets.sandbox"):
        assert place(admin, damaged["uuid"]).is_success
        sandbox.renders.wait_idle()
    assert actions(admin, damaged["uuid"]) == ("FAILED", "FAILED")
    assert attachments(admin, damaged["uuid"]) == []
    assert "ModelError" in sandbox.renders.jobs[0].stills.error
    assert "ModelError" in caplog.text


@pytest.mark.parametrize(
    ("part", "told", "left"),
    [("stills", ("FAILED", "COMPLETED"), {"TURNTABLE"}), ("turntable", ("COMPLETED", "FAILED"), {"RENDER"})],
)
def test_one_part_fails_on_demand_and_the_other_does_not(sandbox, admin, product, events, part, told, left):
    sandbox.renders.fail(product, part)
    place(admin, product)
    sandbox.renders.wait_idle()
    assert actions(admin, product) == told
    assert {entry["entityType"] for entry in attachments(admin, product)} == left
    first = {"stills": "renders", "turntable": "turntable"}[part]
    assert [name for name, _ in events if name.startswith(first)][-2:] == [f"{first}.processing", f"{first}.failed"]
    place(admin, product)
    sandbox.renders.wait_idle()
    assert actions(admin, product) == ("COMPLETED", "COMPLETED"), "only once"


def test_old_files_stay_when_new_ones_fail(sandbox, admin, product):
    place(admin, product)
    sandbox.renders.wait_idle()
    before = attachments(admin, product)
    sandbox.renders.fail(product, "stills", times=2)
    sandbox.renders.fail(product, "turntable", times=2)
    for _ in range(2):
        place(admin, product)
        sandbox.renders.wait_idle()
        assert actions(admin, product) == ("FAILED", "FAILED")
        assert attachments(admin, product) == before
        assert len(stills(admin, product)) == 5


def test_without_a_video_encoder_the_turntable_fails_and_says_what_to_install(
    sandbox, admin, product, monkeypatch, caplog
):
    monkeypatch.setitem(sys.modules, "av", None)
    with caplog.at_level(logging.WARNING, "ipyassets.sandbox"):
        place(admin, product)
        sandbox.renders.wait_idle()
    assert actions(admin, product) == ("COMPLETED", "FAILED")
    assert 'pip install "ipyassets[sandbox]"' in caplog.text


def test_work_that_the_platform_breaks_off(sandbox, admin, product, events):
    sandbox.renders.pause()
    place(admin, product)
    sandbox.renders.terminate(product)
    assert actions(admin, product) == ("TERMINATED", "TERMINATED")
    assert [name for name, _ in events][-2:] == ["renders.failed", "turntable.failed"]
    sandbox.renders.resume()
    sandbox.renders.wait_idle()
    assert attachments(admin, product) == []


def test_a_deleted_product_is_known_nowhere(sandbox, admin, public, others):
    product, other = others[:2]
    total = len(everything(admin))
    sandbox.renders.pause()
    place(admin, product, other)
    sandbox.renders.delete(product)
    sandbox.renders.resume()
    sandbox.renders.wait_idle()
    gone, done = sandbox.renders.jobs
    assert [part.state for part in gone.parts] == ["dropped", "dropped"]
    assert done.stills.state == "completed"
    path = f"/v1/products/{product}"
    assert code(admin.get(path)) == (404, "PRODUCT_NOT_FOUND")
    assert code(admin.get(f"{path}/conversion-action-types/status")) == (404, "PRODUCT_NOT_FOUND")
    assert code(place(admin, product)) == (404, "PRODUCT_NOT_FOUND")
    body = {"page": 0, "size": 9, "productUuid": product}
    assert code(admin.post("/v1/attachments/search", json=body)) == (404, "PRODUCT_NOT_FOUND")
    assert everything(admin, productsUuids=[product]) == []
    assert len(everything(admin)) == total - 1
    assert public.get(f"/products/{product}/organizations/northlight-home/clients/showroom").status_code == 404
    sandbox.reset()
    assert len(everything(admin)) == total
    with pytest.raises(LookupError, match="no product"):
        sandbox.renders.delete("nobody")


def test_a_reset_takes_everything_back(sandbox, admin, product):
    first = sandbox.vntana_api.catalogue.products.uuid(0)
    before = attachments(admin, first)
    sandbox.renders.fail(product)
    sandbox.renders.pause()
    place(admin, product, first)
    sandbox.reset()
    assert sandbox.renders.jobs == ()
    assert sandbox.renders.wait_idle(0)
    assert actions(admin, product) == ("", "")
    assert attachments(admin, first) == before
    place(admin, product)
    sandbox.renders.wait_idle()
    assert actions(admin, product) == ("COMPLETED", "COMPLETED")


def test_controls_refuse_what_makes_no_sense(sandbox, product):
    with pytest.raises(ValueError, match="stills, turntable"):
        sandbox.renders.fail(product, "movie")
    with pytest.raises(LookupError, match="no product"):
        sandbox.renders.fail("nobody")


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


# Life


def test_nothing_is_started_before_somebody_wants_a_picture():
    before = set(threading.enumerate())
    with Sandbox() as sandbox, httpx.Client() as client:
        client.get(f"{sandbox.origin}/vntana/admin/v1/organizations")
        assert sandbox.renders.pids == []
        begun = {thread.name for thread in set(threading.enumerate()) - before}
        assert not [name for name in begun if name.startswith("ipyassets-render")]


def test_a_sandbox_that_was_stopped_starts_anew():
    own = Sandbox(settings=Settings(render_quality="draft", render_workers=1))
    index = NEVER_RENDERED[0]
    for _ in range(2):
        with own:
            assert own.renders.jobs == ()
            assert own.renders.actions(index) == {}
            job = own.renders.submit(index, *_orders())
            own.renders.wait_idle()
            folder = job.stills.folder
            assert job.stills.state == "completed"
            assert len(own.renders.pids) == 1
        assert not folder.exists()
        assert own.renders.pids == []
    with pytest.raises(RuntimeError, match="not running"):
        own.renders.submit(index, *_orders())


def _orders():
    from ipyassets.sandbox.rendering import Stills, Turntable

    return Stills(16, 16), Turntable(2, 2, 16, 16), {}


def test_a_listener_that_fails_stops_no_job(sandbox, admin, product, listen, caplog):
    def broken(name, index):
        raise ValueError(json.dumps(name))

    listen(broken)
    place(admin, product)
    sandbox.renders.wait_idle()
    assert actions(admin, product) == ("COMPLETED", "COMPLETED")
    assert "a listener failed" in caplog.text
