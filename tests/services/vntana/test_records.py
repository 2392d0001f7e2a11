from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ipyassets.errors import BadResponse
from ipyassets.services.vntana.records import Organization, blob, client_uuid, organization, product, workspace

ROW = {
    "uuid": "11111111-1111-1111-1111-111111111111",
    "name": "Chair",
    "clientUuid": "22222222-2222-2222-2222-222222222222",
    "clientSlug": "shop",
    "status": "LIVE_PUBLIC",
    "assetType": "THREE_D",
    "created": "2020-01-31T19:17:23.972",
    "updated": "2022-06-20T14:42:15.488732",
    "tags": [{"uuid": "t", "name": "wood"}, {"uuid": "u", "name": ""}, "oak", None],
    "attributes": [{"key": "color", "value": "red"}, {"key": "size", "value": "L"}, {"key": "size", "value": "M"}, "?"],
    "asset": {"thumbnailBlobId": "blob.png"},
    "somethingNew": 1,
}


def test_a_search_row():
    record = product(ROW)
    assert (record.service, record.id, record.name, record.kind, record.status) == (
        "vntana",
        ROW["uuid"],
        "Chair",
        "3d",
        "LIVE_PUBLIC",
    )
    assert record.created == datetime(2020, 1, 31, 19, 17, 23, 972000, UTC)
    assert record.updated == datetime(2022, 6, 20, 14, 42, 15, 488732, UTC)
    assert record.tags == ("wood", "oak")
    assert dict(record.attributes) == {"color": "red", "size": ["L", "M"]}
    assert (blob(record), client_uuid(record)) == ("blob.png", ROW["clientUuid"])
    assert dict(record.raw) == ROW


def test_a_fetched_product_has_a_map_of_attributes():
    assert dict(product({**ROW, "attributes": {"color": "red"}}).attributes) == {"color": "red"}


def test_almost_nothing_is_enough():
    record = product({"uuid": "x", "asset": None, "tags": None, "attributes": None})
    assert (record.name, record.kind, record.status, record.created, record.tags) == ("x", "other", None, None, ())
    assert blob(record) is None
    assert client_uuid(record) is None


@pytest.mark.parametrize("row", [{}, {"uuid": None}, {"uuid": 5}, {"uuid": ""}])
def test_without_a_uuid_it_is_no_product(row):
    with pytest.raises(BadResponse, match="without its uuid"):
        product(row)


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2020-01-31T19:17:23", datetime(2020, 1, 31, 19, 17, 23, 0, UTC)),
        ("2020-01-31T19:17:23Z", datetime(2020, 1, 31, 19, 17, 23, 0, UTC)),
        ("2020-01-31T19:17:23.5Z", datetime(2020, 1, 31, 19, 17, 23, 500000, UTC)),
        ("2020-01-31T21:17:23+02:00", datetime(2020, 1, 31, 19, 17, 23, 0, UTC)),
        ("yesterday", None),
        (1580498243, None),
    ],
)
def test_dates_with_and_without_zone(written, moment):
    assert product({**ROW, "created": written}).created == moment


@pytest.mark.parametrize(
    ("sent", "read"), [("LIVE", "LIVE_PUBLIC"), ("INTERNAL", "LIVE_INTERNAL"), ("SOMETHING_NEW", "SOMETHING_NEW")]
)
def test_legacy_and_unknown_statuses(sent, read):
    record = product({**ROW, "status": sent})
    assert (record.status, record.raw["status"]) == (read, sent)


@pytest.mark.parametrize(
    ("asset_type", "kind"),
    [
        ("THREE_D", "3d"),
        ("NATIVE", "3d"),
        ("IMAGE", "image"),
        ("VIDEO", "video"),
        ("AUDIO", "audio"),
        ("DOCUMENT", "document"),
        ("MATERIAL", "other"),
        ("NO_ASSET", "other"),
        ("SOMETHING_NEW", "other"),
    ],
)
def test_kinds(asset_type, kind):
    assert product({**ROW, "assetType": asset_type}).kind == kind


@pytest.mark.parametrize(
    ("asset", "kind"),
    [
        ({"conversionFormats": ["GLB"]}, "3d"),
        ({"models": [{"uuid": "m"}]}, "3d"),
        ({"assetOriginalName": "chair.png"}, "image"),
        ({"assetOriginalName": "chair.mp4"}, "video"),
        ({"assetOriginalName": "chair.pdf"}, "document"),
        ({"assetOriginalName": "chair"}, "other"),
        (None, "other"),
    ],
)
def test_kinds_where_no_type_is_told(asset, kind):
    assert product({"uuid": "x", "asset": asset}).kind == kind


def test_a_workspace_may_lack_name_and_slug():
    assert workspace({"uuid": "x", "name": "Shop", "slug": "shop"}).slug == "shop"
    assert workspace({"uuid": "x"}).name == "x"


@pytest.mark.parametrize(
    ("role", "administered"),
    [
        ("ORGANIZATION_OWNER", True),
        ("ORGANIZATION_ADMIN", True),
        ("CLIENT_ORGANIZATION_ADMIN", False),
        ("CLIENT_ORGANIZATION_VIEWER", False),
        ("SOMETHING_NEW", None),
        (None, None),
    ],
)
def test_who_skips_the_workspace_step(role, administered):
    assert organization({"uuid": "x", "role": role}).administered is administered
    assert Organization("x", "X", role=role).administered is administered
