"""One product, its posters, and the Public API."""

from __future__ import annotations

import io
import uuid
from datetime import datetime

import pytest
from PIL import Image

from ipyassets.sandbox.vntana import accounts
from ipyassets.sandbox.vntana.accounts import SHOWROOM, UNUSUAL, WORKSHOP

from .conftest import code
from .test_search import everything

PLACE = "organizations/northlight-home/clients/showroom"


def image(response):
    assert response.status_code == 200
    assert response.headers["content-type"] == "image/png"
    opened = Image.open(io.BytesIO(response.content))
    opened.load()
    assert opened.format == "PNG"
    return opened


def poster_path(row, blob=None):
    blob = blob or row["asset"]["thumbnailBlobId"]
    return f"/v1/products/{row['uuid']}/clients/{row['clientUuid']}/thumbnails/{blob}"


@pytest.fixture
def row(sandbox, admin):
    return everything(admin, name="Forklift")[0]


def test_one_product_has_another_shape_than_its_row(sandbox, admin, row):
    one = admin.get(f"/v1/products/{row['uuid']}").json()["response"]
    assert one["name"] == row["name"]
    assert one["attributes"] == {entry["key"]: entry["value"] for entry in row["attributes"]}
    assert one["organizationUuid"] == accounts.NORTHLIGHT.uuid
    assert "clientSlug" not in one
    assert one["asset"]["thumbnailBlobId"] == row["asset"]["thumbnailBlobId"]
    assert one["asset"]["conversionStatusDetails"] == row["conversionStatusDetails"]
    assert "conversionError" not in one["asset"]["models"][0]
    assert admin.get(f"/v1/products/{row['uuid']}?clientUuid={row['clientUuid']}").is_success


def test_variant_groups_have_other_keys_in_one_product(sandbox, admin):
    chair = everything(admin, name="Chair", matchTypes={"NAME": "MATCH_EXACT"})[0]
    (group,) = chair["variantGroups"]
    one = admin.get(f"/v1/products/{chair['uuid']}").json()["response"]
    assert one["variantGroups"] == [{"variantGroupUuid": group["uuid"], "variantGroupName": group["name"]}]


def test_every_product_answers_in_the_documented_shape(sandbox, admin):
    for workspace in (WORKSHOP, UNUSUAL):
        for row in everything(admin, workspace, status=["DRAFT"]) + everything(admin, workspace):
            assert admin.get(f"/v1/products/{row['uuid']}").json()["response"]["name"] == row["name"]


def test_identifiers_are_the_same_in_every_run(row):
    assert row["uuid"] == "af013adc-abc3-5260-a446-77d9e1d4be3f"
    assert uuid.UUID(row["uuid"]).version == 5


def test_dates_are_local_and_without_zone_with_fractions_of_every_length(sandbox, admin):
    texts = [row[field] for row in everything(admin) for field in ("created", "updated")]
    assert {len(text.partition(".")[2]) for text in texts} == {0, 3, 6}
    assert all(datetime.fromisoformat(text).tzinfo is None for text in texts)
    assert all(row["created"] <= row["updated"] for row in everything(admin))


def test_refusals_for_one_product(sandbox, admin, caller):
    assert code(admin.get(f"/v1/products/{uuid.uuid4()}")) == (404, "PRODUCT_NOT_FOUND")
    assert code(admin.get("/v1/products/not-a-uuid")) == (404, "PRODUCT_NOT_FOUND")
    supplier = caller().enter(sandbox.vntana_api.supplier, accounts.HARBOUR)
    foreign = everything(supplier, accounts.OUTDOOR)[0]
    assert code(admin.get(f"/v1/products/{foreign['uuid']}")) == (404, "PRODUCT_NOT_FOUND")
    manager = caller().enter(sandbox.vntana_api.manager, accounts.NORTHLIGHT, WORKSHOP)
    elsewhere = everything(admin)[0]
    assert code(manager.get(f"/v1/products/{elsewhere['uuid']}")) == (403, "FORBIDDEN")


def test_action_types(sandbox, admin, row):
    path = "/v1/products/{}/conversion-action-types/status"
    done = admin.get(path.format(row["uuid"])).json()["response"]
    assert done == {
        "productUuid": row["uuid"],
        "actionTypes": [
            {"actionType": "GENERATE_WEB_FORMATS", "status": "ACTION_COMPLETED"},
            {"actionType": "GENERATE_THUMBNAILS", "status": "ACTION_COMPLETED"},
        ],
    }
    one = admin.get(path.format(row["uuid"]), params={"type": "GENERATE_THUMBNAILS"}).json()["response"]
    assert [entry["actionType"] for entry in one["actionTypes"]] == ["GENERATE_THUMBNAILS"]
    wrong = admin.get(path.format(row["uuid"]), params={"type": "GENERATE_MAGIC"})
    assert code(wrong) == (422, "INVALID_ASSET_GENERATION_REQUEST_ACTION_TYPE")
    running = everything(admin, WORKSHOP, conversionStatuses=["CONVERTING"])[0]
    statuses = admin.get(path.format(running["uuid"])).json()["response"]["actionTypes"]
    assert {entry["status"] for entry in statuses} == {"ACTION_RUNNING"}


# Posters


def test_posters_fit_into_the_box_and_are_never_enlarged(sandbox, admin, row):
    full = image(admin.get(poster_path(row)))
    assert min(full.size) >= 512
    wide, high = full.size
    assert image(admin.get(poster_path(row), params={"width": 200})).size == (200, round(high * 200 / wide))
    assert image(admin.get(poster_path(row), params={"height": 100})).size == (round(wide * 100 / high), 100)
    assert image(admin.get(poster_path(row), params={"width": 300, "height": 90})).height == 90
    assert image(admin.get(poster_path(row), params={"width": 9000, "height": 9000})).size == full.size


@pytest.mark.parametrize("width", ["0", "-5", "abc", "1.5", "99999999999"])
def test_senseless_sizes(sandbox, admin, row, width):
    assert code(admin.get(poster_path(row), params={"width": width})) == (400, "BAD_REQUEST")


def test_download_names_the_file(sandbox, admin, row):
    assert "content-disposition" not in admin.get(poster_path(row)).headers
    saved = admin.get(poster_path(row), params={"download": "true"})
    assert saved.headers["content-disposition"].startswith('attachment; filename="')


def test_refusals_of_posters(sandbox, admin, caller, row):
    other = everything(admin, name="Couch")[0]
    for blob in (str(uuid.uuid4()), "nonsense", other["asset"]["thumbnailBlobId"]):
        assert code(admin.get(poster_path(row, blob))) == (404, "THUMBNAIL_NOT_FOUND")
    draft = everything(admin, status=["DRAFT"])[0]
    assert code(admin.get(poster_path(draft))) == (403, "PRODUCT_IS_NOT_PUBLISHED")
    wrong_workspace = poster_path({**row, "clientUuid": WORKSHOP.uuid})
    assert code(admin.get(wrong_workspace)) == (404, "PRODUCT_NOT_FOUND")
    manager = caller().enter(sandbox.vntana_api.manager, accounts.NORTHLIGHT, WORKSHOP)
    assert code(manager.get(poster_path(row))) == (403, "FORBIDDEN")
    viewer = caller().enter(sandbox.vntana_api.viewer, accounts.NORTHLIGHT, SHOWROOM)
    image(viewer.get(poster_path(row)))


def test_storage_serves_the_same_poster(sandbox, admin, caller, row):
    blob = row["asset"]["thumbnailBlobId"]
    poster = admin.get(poster_path(row)).content
    open_path = f"/v1/storage/load/clients/{SHOWROOM.uuid}/thumbnail/{blob}"
    assert caller().get(open_path).content == poster
    params = {"blobId": blob, "clientUuid": SHOWROOM.uuid}
    assert admin.get("/v1/storage/load/asset/thumbnail", params=params).content == poster
    assert code(caller().get("/v1/storage/load/asset/thumbnail", params=params)) == (403, "FORBIDDEN")
    assert code(admin.get("/v1/storage/load/asset/thumbnail", params={"blobId": blob})) == (400, "BAD_REQUEST")
    wrong = f"/v1/storage/load/clients/{WORKSHOP.uuid}/thumbnail/{blob}"
    assert code(caller().get(wrong)) == (404, "THUMBNAIL_NOT_FOUND")
    draft = everything(admin, status=["DRAFT"])[0]["asset"]["thumbnailBlobId"]
    hidden = f"/v1/storage/load/clients/{SHOWROOM.uuid}/thumbnail/{draft}"
    assert code(caller().get(hidden)) == (403, "PRODUCT_IS_NOT_PUBLISHED")


# The Public API


def public_search(public, place=PLACE, **body):
    return public.post(f"/products/{place}", json={"page": 1, "size": 500, **body})


def test_public_search_gives_public_products_only(sandbox, admin, public):
    found = public_search(public).json()["response"]
    expected = {row["uuid"] for row in everything(admin, status=["LIVE_PUBLIC"])}
    assert {row["uuid"] for row in found["grid"]} == expected
    assert found["totalCount"] == len(expected) >= 80
    assert "status" not in found["grid"][0]


def test_public_search_fields(sandbox, public):
    def found(**body):
        return [row["name"] for row in public_search(public, **body).json()["response"]["grid"]]

    assert found(searchTerm="forklfit") == ["Forklift"]
    assert found(productName="forkl") == ["Forklift"]
    assert found(description="by treyclaine") == ["Coffee brewer"]
    assert found(attributeKey="creator", attributeValue="TreyClaine") == ["Coffee brewer"]
    assert 0 < len(found(tagName="Seat")) < 20
    assert 0 < len(found(locationName="Hamburg")) < 40
    assert len(found(size=7)) == 7


def test_public_refusals(sandbox, admin, public):
    nowhere = "organizations/northlight-home/clients/no-such-place"
    assert code(public_search(public, nowhere)) == (404, "PRODUCT_NOT_FOUND")
    assert code(public_search(public, page=0)) == (422, "INVALID_PAGE")
    assert code(public.get(f"/products/{uuid.uuid4()}/{PLACE}")) == (404, "PRODUCT_NOT_FOUND")
    internal = everything(admin, status=["LIVE_INTERNAL"])[0]
    draft = everything(admin, status=["DRAFT"])[0]
    for hidden in (internal, draft):
        for path in (
            f"/products/{hidden['uuid']}/{PLACE}",
            f"/assets/thumbnail/products/{hidden['uuid']}/{PLACE}",
            f"/assets/{PLACE}/thumbnail/{hidden['asset']['thumbnailBlobId']}",
        ):
            assert code(public.get(path)) == (403, "PRODUCT_IS_NOT_PUBLISHED")
    sandbox.settings.vntana_public_shows_internal = True
    assert public.get(f"/products/{internal['uuid']}/{PLACE}").is_success
    assert code(public.get(f"/products/{draft['uuid']}/{PLACE}")) == (403, "PRODUCT_IS_NOT_PUBLISHED")


def test_public_details_are_json_and_no_poster(sandbox, public, row):
    one = public.get(f"/products/{row['uuid']}/{PLACE}").json()["response"]
    assert one["name"] == "Forklift"
    assert one["asset"]["thumbnailBlobId"] == row["asset"]["thumbnailBlobId"]
    assert {"key": "creator", "value": "TheGIWI"} in one["attributes"]


def test_public_posters_in_every_spelling_seen(sandbox, public, row):
    by_product = f"assets/thumbnail/products/{row['uuid']}/{PLACE}"
    by_blob = f"assets/{PLACE}/thumbnail/{row['asset']['thumbnailBlobId']}"
    base = sandbox.connection_info()["vntana"]["public_url"]
    contents = {
        image(public.get(f"{base}{before}{path}{behind}")).tobytes()
        for path in (by_product, by_blob)
        for before in ("/", "//")
        for behind in ("", "/")
    }
    assert len(contents) == 1
    saved = public.get(f"/{by_blob}", params={"download": "true"})
    assert "attachment" in saved.headers["content-disposition"]


def test_public_poster_of_a_product_without_one(sandbox, admin, public):
    bare = everything(admin, UNUSUAL, name="without poster")[0]
    place = "organizations/northlight-home/clients/unusual-names"
    assert code(public.get(f"/assets/thumbnail/products/{bare['uuid']}/{place}")) == (404, "THUMBNAIL_NOT_FOUND")
