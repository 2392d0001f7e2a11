"""Files converted, posters made anew, products published: rows, pictures, states and webhooks have to agree."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator

import pytest
from PIL import ImageChops, ImageStat

from ipyassets.sandbox import Sandbox
from ipyassets.sandbox.vntana.accounts import HARBOUR, NORTHLIGHT, OUTDOOR, SHOWROOM, WORKSHOP

from . import contract
from .conftest import code
from .receiver import Receiver, receiving
from .test_products import PLACE, image, poster_path
from .test_search import everything
from .test_webhooks import create

CONVERSION = ("asset.pending", "asset.processing", "asset.completed", "asset.failed")
PUBLISHING = ("asset.published", "asset.published_internal", "asset.deactivated")
STATUS = "/v1/products/status"
REGENERATE = "/v1/products/regenerate-thumbnails"


@pytest.fixture(autouse=True)
def quick(sandbox: Sandbox) -> Iterator[None]:
    sandbox.settings.vntana_conversion_time = 0.0
    yield
    sandbox.reset()


@pytest.fixture
def receiver(sandbox: Sandbox) -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def heard(sandbox: Sandbox) -> list[tuple[str, str, dict[str, str]]]:
    """Each event of a product, with the state of conversion and the actions that were to be seen when it was told."""
    api = sandbox.vntana_api
    told: list[tuple[str, str, dict[str, str]]] = []

    def listen(event, index):
        row = api._admin._rows.found(index)
        told.append((event, row["conversionStatus"], row["conversionStatusDetails"]))

    api.bus.subscribe(listen)
    yield told
    api.bus._listeners.remove(listen)


def waiting(admin, conversion="PENDING"):
    return everything(admin, WORKSHOP, conversionStatuses=[conversion])[0]


def row_of(admin, uuid):
    body = {"page": 1, "size": 5, "productsUuids": [uuid], "organizationUuid": NORTHLIGHT.uuid}
    body["clientUuids"] = [SHOWROOM.uuid, WORKSHOP.uuid]
    (row,) = admin.post("/v1/products/clients/search", json=body).json()["response"]["grid"]
    return row


def actions(admin, uuid):
    answer = admin.get(f"/v1/products/{uuid}/conversion-action-types/status").json()["response"]
    return {each["actionType"]: each["status"] for each in answer["actionTypes"]}


def both(status):
    return {"GENERATE_WEB_FORMATS": f"ACTION_{status}", "GENERATE_THUMBNAILS": f"ACTION_{status}"}


# Conversion


def test_from_product_completed_to_its_poster(sandbox, admin, receiver, heard):
    """The documented recipe: three ids from the webhook and one call more lead to a picture."""
    create(admin, *CONVERSION, url=receiver.url, clients=["workshop"])
    product = waiting(admin)
    assert product["asset"]["thumbnailBlobId"] is None
    assert sandbox.convert(product["uuid"]).result(60) == "COMPLETED"
    *_, completed = receiver.wait(3)
    assert receiver.events == ["product.pending", "product.processing", "product.completed"]
    told = completed.json
    assert (told["product"]["uuid"], told["client"]["uuid"]) == (product["uuid"], WORKSHOP.uuid)
    blob = admin.get(f"/v1/products/{told['product']['uuid']}").json()["response"]["asset"]["thumbnailBlobId"]
    poster = image(admin.get(poster_path(product, blob)))
    assert poster.size == (640, 640)
    assert ImageStat.Stat(poster.convert("L")).stddev[0] > 10
    assert [(event, state) for event, state, _ in heard] == [
        ("product.pending", "PENDING"), ("product.processing", "CONVERTING"), ("product.completed", "COMPLETED"),
    ]  # fmt: skip
    assert [steps["GENERATE_THUMBNAILS"] for *_, steps in heard] == [
        "ACTION_PENDING", "ACTION_PENDING", "ACTION_COMPLETED",
    ]  # fmt: skip
    assert [steps["GENERATE_WEB_FORMATS"] for *_, steps in heard] == [
        "ACTION_PENDING", "ACTION_RUNNING", "ACTION_COMPLETED",
    ]  # fmt: skip


def test_every_call_agrees_on_a_converted_product(sandbox, admin, caller):
    before = waiting(admin, "CONVERTING")
    sandbox.convert(before["uuid"]).result(60)
    row = row_of(admin, before["uuid"])
    one = admin.get(f"/v1/products/{row['uuid']}").json()["response"]
    blob = row["asset"]["thumbnailBlobId"]
    assert one["asset"]["thumbnailBlobId"] == blob
    assert str(uuid.UUID(blob)) == blob
    assert row["conversionStatus"] == one["conversionStatus"] == "COMPLETED"
    assert actions(admin, row["uuid"]) == row["conversionStatusDetails"] == both("COMPLETED")
    assert row["malwareProcessingStatus"] == "SUCCEEDED"
    model = row["asset"]["models"][0]
    assert model["modelBlobId"].endswith(".glb")
    assert 0 < model["modelSize"] < row["asset"]["assetOriginalSize"]
    assert model["conversionError"] is None
    assert row["updated"] > before["updated"]
    content = admin.get(poster_path(row)).content
    storage = f"/v1/storage/load/clients/{WORKSHOP.uuid}/thumbnail/{blob}"
    assert caller().get(storage).content == content
    params = {"blobId": blob, "clientUuid": WORKSHOP.uuid}
    assert admin.get("/v1/storage/load/asset/thumbnail", params=params).content == content
    assert image(admin.get(poster_path(row), params={"width": 200})).size == (200, 200)
    assert image(admin.get(poster_path(row), params={"width": 9000})).size == (640, 640)
    assert not everything(admin, WORKSHOP, conversionStatuses=["CONVERTING"], name=before["name"])


def test_a_poster_that_was_replaced_is_gone(sandbox, admin, public):
    row = everything(admin, name="Forklift")[0]
    old = image(admin.get(poster_path(row)))
    sandbox.convert(row["uuid"]).result(60)
    new = row_of(admin, row["uuid"])
    assert new["asset"]["thumbnailBlobId"] != row["asset"]["thumbnailBlobId"]
    assert code(admin.get(poster_path(row))) == (404, "THUMBNAIL_NOT_FOUND")
    path = f"/assets/{PLACE}/thumbnail/"
    assert code(public.get(path + row["asset"]["thumbnailBlobId"])) == (404, "THUMBNAIL_NOT_FOUND")
    poster = image(public.get(path + new["asset"]["thumbnailBlobId"]))
    assert poster.tobytes() == image(public.get(f"/assets/thumbnail/products/{row['uuid']}/{PLACE}")).tobytes()
    # Another rendering of the same thing from the same side, so much like the first one.
    difference = ImageChops.difference(old.convert("RGB"), poster.convert("RGB"))
    assert 0 < max(ImageStat.Stat(difference).mean) < 25
    again = sandbox.convert(row["uuid"])
    assert again.result(60) == "COMPLETED"
    assert row_of(admin, row["uuid"])["asset"]["thumbnailBlobId"] != new["asset"]["thumbnailBlobId"]


def test_the_old_poster_shows_while_a_new_one_is_made(sandbox, admin):
    sandbox.settings.vntana_conversion_time = 120.0
    row = everything(admin, name="Forklift")[0]
    sandbox.convert(row["uuid"])
    now = row_of(admin, row["uuid"])
    assert (now["conversionStatus"], now["malwareProcessingStatus"]) == ("PENDING", "SCANNING")
    assert actions(admin, row["uuid"])["GENERATE_THUMBNAILS"] == "ACTION_PENDING"
    assert now["asset"]["thumbnailBlobId"] == row["asset"]["thumbnailBlobId"]
    image(admin.get(poster_path(row)))
    with pytest.raises(ValueError, match="at work"):
        sandbox.convert(row["uuid"])
    sandbox.reset()
    assert row_of(admin, row["uuid"]) == row


def test_a_conversion_that_fails(sandbox, admin, receiver):
    create(admin, *CONVERSION, url=receiver.url)
    row = waiting(admin)
    assert sandbox.convert(row["uuid"], fails=True).result(60) == "FAILED"
    receiver.wait(3)
    assert receiver.events == ["product.pending", "product.processing", "product.failed"]
    failed = row_of(admin, row["uuid"])
    assert failed["conversionStatus"] == "FAILED"
    assert failed["asset"]["models"][0]["conversionError"]["code"] == "UNSUPPORTED_GEOMETRY"
    assert failed["asset"]["thumbnailBlobId"] is None
    assert actions(admin, row["uuid"]) == both("FAILED")
    assert sandbox.convert(row["uuid"]).result(60) == "COMPLETED"


def test_a_broken_model_really_fails(sandbox, admin):
    for row in everything(admin, WORKSHOP, name="damaged file"):
        assert sandbox.convert(row["uuid"]).result(60) == "FAILED"
        assert row_of(admin, row["uuid"])["conversionStatus"] == "FAILED"


def test_what_cannot_be_converted(sandbox, admin):
    with pytest.raises(LookupError, match="no product"):
        sandbox.convert(str(uuid.uuid4()))
    for row in everything(admin, WORKSHOP, conversionStatuses=["NO_ASSET", "NOT_APPLICABLE"]):
        with pytest.raises(ValueError, match="no 3D file"):
            sandbox.convert(row["uuid"])
    stopped = Sandbox()
    with pytest.raises(RuntimeError, match="not running"):
        stopped.convert(row_of(admin, waiting(admin)["uuid"])["uuid"])
    assert stopped.vntana_api.changes._before == {}


def test_a_product_that_is_deleted_meanwhile_is_heard_of_no_more(sandbox, admin, heard):
    sandbox.settings.vntana_conversion_time = 120.0
    future = sandbox.convert(waiting(admin)["uuid"])
    sandbox.renders.delete(waiting(admin)["uuid"])
    assert future.cancelled()
    assert [event for event, *_ in heard] == ["product.pending", "product.deleted"]


def test_stopping_in_the_middle_tells_of_no_failure():
    before = set(threading.enumerate())
    told: list[str] = []
    with Sandbox() as sandbox:
        sandbox.settings.vntana_conversion_time = 0.0
        catalogue = sandbox.vntana_api.catalogue
        began = threading.Event()

        def listen(event, index):
            told.append(event)
            if event == "product.processing":
                began.set()

        sandbox.vntana_api.bus.subscribe(listen)
        future = sandbox.convert(catalogue.products.uuid(0))
        assert began.wait(20)
    assert future.cancelled()
    assert told == ["product.pending", "product.processing"]
    assert [thread.name for thread in set(threading.enumerate()) - before if thread.is_alive()] == []


def test_a_product_is_sent_to_conversion_by_a_call(sandbox, admin, caller, receiver):
    create(admin, *CONVERSION, url=receiver.url)
    row = waiting(admin)
    path = "/v1/products/reconvert"
    assert admin.put(path, params={"uuid": row["uuid"]}).json()["response"] == {"uuid": row["uuid"]}
    assert receiver.wait(3)[2].json["event"] == "product.completed"
    assert sandbox.vntana_api.conversions.wait_idle(60)
    image(admin.get(poster_path(row_of(admin, row["uuid"]))))
    sandbox.settings.vntana_conversion_time = 120.0
    assert admin.put(path, params={"uuid": row["uuid"]}).is_success
    bare = everything(admin, WORKSHOP, conversionStatuses=["NO_ASSET"])[0]
    for refused in (row, bare):
        assert code(admin.put(path, params={"uuid": refused["uuid"]})) == (409, "RECONVERT_NOT_ALLOWED")
    assert code(admin.put(path)) == code(admin.put(path, params={"uuid": "x"})) == (404, "PRODUCT_NOT_FOUND")
    viewer = caller().enter(sandbox.vntana_api.viewer, NORTHLIGHT, SHOWROOM)
    other = everything(admin)[0]
    assert code(viewer.put(path, params={"uuid": other["uuid"]})) == (403, "FORBIDDEN")


# Posters made anew


def regenerate(admin, uuids, workspace=SHOWROOM, **body):
    given = {"clientUuid": workspace.uuid, "organizationUuid": NORTHLIGHT.uuid, "uuids": uuids, **body}
    given = {name: value for name, value in given.items() if value is not ...}
    return admin.post(REGENERATE, json=given, headers={"organizationUuid": NORTHLIGHT.uuid})


def test_posters_are_made_anew_under_new_ids(sandbox, admin, heard, monkeypatch):
    rows = everything(admin, searchTerm="cup", size=2)
    conversions = sandbox.vntana_api.conversions
    make, seen = conversions._paint, []

    async def paint(index):
        seen.append(sandbox.vntana_api._admin._rows.actions(index)["GENERATE_THUMBNAILS"])
        return await make(index)

    monkeypatch.setattr(conversions, "_paint", paint)
    answer = regenerate(admin, [row["uuid"] for row in rows])
    assert answer.json()["response"] == {"uuids": [row["uuid"] for row in rows]}
    assert conversions.wait_idle(60)
    assert seen == ["ACTION_RUNNING"] * 2
    for row in rows:
        new = row_of(admin, row["uuid"])
        assert new["asset"]["thumbnailBlobId"] != row["asset"]["thumbnailBlobId"]
        assert new["conversionStatus"] == "COMPLETED"
        assert actions(admin, row["uuid"])["GENERATE_THUMBNAILS"] == "ACTION_COMPLETED"
        image(admin.get(poster_path(new)))
    assert heard == []  # the documents know no event for it


def test_a_poster_that_cannot_be_made_anew_stays(sandbox, admin):
    row = everything(admin, WORKSHOP, name="damaged file")[0]
    assert regenerate(admin, [row["uuid"]], WORKSHOP).is_success
    assert sandbox.vntana_api.conversions.wait_idle(60)
    assert actions(admin, row["uuid"]) == {**both("COMPLETED"), "GENERATE_THUMBNAILS": "ACTION_FAILED"}
    assert row_of(admin, row["uuid"])["asset"] == row["asset"]
    image(admin.get(poster_path(row)))


def test_whose_posters_are_made_anew(sandbox, admin, caller):
    row, stuck = everything(admin)[0], waiting(admin)
    assert code(regenerate(admin, [])) == (422, "MISSING_UUIDS")
    assert code(regenerate(admin, "x")) == (400, "BAD_REQUEST")
    assert code(regenerate(admin, [["x"]])) == (400, "BAD_REQUEST")
    assert code(regenerate(admin, [row["uuid"]], clientUuid=...)) == (422, "MISSING_CLIENT_UUID")
    assert code(regenerate(admin, [row["uuid"]], organizationUuid=...)) == (422, "MISSING_ORGANIZATION_UUID")
    assert code(regenerate(admin, [row["uuid"]], organizationUuid=HARBOUR.uuid)) == (403, "FORBIDDEN")
    assert code(regenerate(admin, [row["uuid"]], OUTDOOR)) == (403, "FORBIDDEN")
    assert code(regenerate(admin, [str(uuid.uuid4()), "x"])) == (404, "PRODUCT_NOT_FOUND")
    assert code(regenerate(admin, [row["uuid"]], WORKSHOP)) == (404, "PRODUCT_NOT_FOUND")
    assert code(regenerate(admin, [stuck["uuid"]], WORKSHOP)) == (409, "PRODUCT_CHANGE_IS_UNAVAILABLE")
    headless = {"clientUuid": SHOWROOM.uuid, "organizationUuid": NORTHLIGHT.uuid, "uuids": [row["uuid"]]}
    assert code(admin.post(REGENERATE, json=headless)) == (422, "MISSING_ORGANIZATION_UUID")
    viewer = caller().enter(sandbox.vntana_api.viewer, NORTHLIGHT, SHOWROOM)
    assert code(regenerate(viewer, [row["uuid"]])) == (403, "FORBIDDEN")
    answer = regenerate(admin, ["x", row["uuid"], row["uuid"]])
    assert answer.json()["response"] == {"uuids": [row["uuid"]]}
    assert sandbox.vntana_api.conversions.wait_idle(60)
    manager = caller().enter(sandbox.vntana_api.manager, NORTHLIGHT, SHOWROOM)
    assert regenerate(manager, [row["uuid"]]).is_success
    assert sandbox.vntana_api.conversions.wait_idle(60)


# Statuses


def publish(admin, *items):
    body = {"items": [{"uuid": uuid, "status": status} for uuid, status in items]}
    contract.check_request("admin", "PUT", STATUS, body)
    return admin.put(STATUS, json=body)


def test_publishing_and_the_way_back(sandbox, admin, public, receiver):
    create(admin, *PUBLISHING, url=receiver.url)
    draft, other = everything(admin, status=["DRAFT"])[0], everything(admin, status=["LIVE_PUBLIC"])[0]
    details, poster = f"/products/{draft['uuid']}/{PLACE}", poster_path(draft)
    assert code(admin.get(poster)) == (403, "PRODUCT_IS_NOT_PUBLISHED")
    assert publish(admin, (draft["uuid"], "LIVE_INTERNAL")).json()["response"] == {}
    image(admin.get(poster))
    assert code(public.get(details)) == (403, "PRODUCT_IS_NOT_PUBLISHED")
    publish(admin, (draft["uuid"], "LIVE_PUBLIC"), (other["uuid"], "LIVE_INTERNAL"))
    assert public.get(details).is_success
    assert draft["uuid"] in {row["uuid"] for row in everything(admin, status=["LIVE_PUBLIC"])}
    publish(admin, (draft["uuid"], "LIVE_PUBLIC"))  # it is so already: nothing happens
    publish(admin, (draft["uuid"], "DRAFT"))
    assert draft["uuid"] not in {row["uuid"] for row in everything(admin)}
    told = [(post.json["event"], post.json["product"]["status"]) for post in receiver.wait(4)]
    assert told == [
        ("product.published_internal", "LIVE_INTERNAL"), ("product.published", "LIVE_PUBLIC"),
        ("product.published_internal", "LIVE_INTERNAL"), ("product.deactivated", "DRAFT"),
    ]  # fmt: skip


def test_statuses_that_are_refused(sandbox, admin, caller, heard):
    row, stuck = everything(admin)[0]["uuid"], waiting(admin)["uuid"]

    def put(items, who=admin):
        return code(who.put(STATUS, json={"items": items}))

    assert put([]) == (422, "MISSING_UUIDS")
    assert put("x") == put(["x"]) == put([{"uuid": 7}]) == put([{"uuid": row, "status": []}]) == (400, "BAD_REQUEST")
    assert put([{"status": "DRAFT"}]) == (422, "MISSING_UUID")
    assert put([{"uuid": row}]) == (422, "MISSING_PRODUCT_STATUS")
    assert put([{"uuid": row, "status": "APPROVED"}]) == (422, "INVALID_PRODUCT_STATUS")
    drafted = {"uuid": row, "status": "DRAFT"}
    assert put([drafted, {"uuid": str(uuid.uuid4()), "status": "DRAFT"}]) == (404, "PRODUCT_NOT_FOUND")
    scanning = (409, "FORBIDDEN_OPERATION_WITH_FAILED_OR_SCANNING_MALWARE_STATUS")
    assert put([drafted, {"uuid": stuck, "status": "DRAFT"}]) == scanning
    assert put([drafted], caller().enter(sandbox.vntana_api.viewer, NORTHLIGHT, SHOWROOM)) == (403, "FORBIDDEN")
    assert put([drafted], caller().enter(sandbox.vntana_api.manager, NORTHLIGHT, WORKSHOP)) == (403, "FORBIDDEN")
    assert put([drafted], caller().enter(sandbox.vntana_api.supplier, HARBOUR)) == (404, "PRODUCT_NOT_FOUND")
    assert row_of(admin, row)["status"] != "DRAFT"
    assert heard == []
