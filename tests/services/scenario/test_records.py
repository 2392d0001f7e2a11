from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ipyassets.errors import BadResponse
from ipyassets.services.scenario.records import asset, collection, tag

FULL: dict[str, Any] = {
    "id": "asset_1",
    "ownerId": "team_1",
    "createdAt": "2026-03-04T05:06:07.008Z",
    "updatedAt": "2026-03-05T05:06:07.008Z",
    "url": "https://cdn.example/assets-transform/asset_1?Policy=p&Signature=SIGNATURE",
    "mimeType": "image/png",
    "kind": "image",
    "status": "success",
    "privacy": "private",
    "tags": ["chair", 5, "night"],
    "collectionIds": ["collection_1"],
    "metadata": {"kind": "image", "type": "txt2img", "prompt": "a chair", "seed": 17.0, "modelId": "m", "width": 1},
    "properties": {"size": 2048.0, "width": 1024.0, "height": 768},
    "tomorrow": {"a": 1},
}


def hit(**metadata: Any) -> dict[str, Any]:
    return {
        "id": "asset_2",
        "mimeType": "image/webp",
        "metadata": metadata,
        "url": "https://cdn.example/assets/asset_2",
    }


def test_an_asset() -> None:
    record = asset(FULL)
    assert (record.service, record.id, record.name, record.kind, record.status) == (
        "scenario", "asset_1", "a chair", "image", "success",
    )  # fmt: skip
    assert record.created == datetime(2026, 3, 4, 5, 6, 7, 8000, UTC)
    assert record.updated == datetime(2026, 3, 5, 5, 6, 7, 8000, UTC)
    assert record.tags == ("chair", "night")
    given = record.attributes
    assert (given["seed"], given["model"], given["width"], given["height"], given["size"]) == (
        "17",
        "m",
        1024,
        768,
        2048,
    )
    assert record.raw["tomorrow"] == {"a": 1}


def test_a_hit_is_an_asset_too() -> None:
    record = asset(hit(kind="video", name="Pan", width=640, height=480, size=9, seed="5"))
    assert (record.name, record.kind, record.status) == ("Pan", "video", None)
    assert (record.attributes["width"], record.attributes["height"], record.attributes["seed"]) == (640, 480, "5")
    assert record == asset({"id": "asset_2"})


@pytest.mark.parametrize(
    ("word", "kind"),
    [("3d", "3d"), ("image-hdr", "image"), ("json", "text"), ("document", "document"), ("hologram", "other")],
)
def test_kinds(word: str, kind: str) -> None:
    assert asset({"id": "x", "kind": word}).kind == kind
    assert asset({"id": "x", "metadata": {"kind": word}}).kind == kind


@pytest.mark.parametrize(
    ("mime", "kind"), [("image/png", "image"), ("model/gltf-binary", "3d"), ("x/y", "other"), (5, "other")]
)
def test_kind_by_mime_type_where_none_is_told(mime: object, kind: str) -> None:
    assert asset({"id": "x", "mimeType": mime}).kind == kind


def test_names() -> None:
    assert asset(hit(name=" Chair ", prompt="p")).name == "Chair"
    assert asset(hit(name="", prompt="a  red\nchair")).name == "a red chair"
    assert asset(hit()).name == "asset_2"
    long = asset(hit(prompt="a wooden chair, " * 20)).name
    assert len(long) <= 81
    assert long.endswith("…")
    assert not long.endswith(" …")
    assert len(asset(hit(prompt="x" * 500)).name) == 80


def test_signed_urls_are_not_printed() -> None:
    """The repr of a record held the whole of `raw`, and with it the signed URL."""
    record = asset(FULL)
    assert "SIGNATURE" not in repr(record)
    assert "SIGNATURE" not in repr(dict(record.attributes))


@pytest.mark.parametrize(
    "entity",
    [
        {"metadata": "x", "properties": [], "tags": "chair", "kind": 5, "createdAt": 7},
        {"metadata": None, "properties": None, "tags": None, "status": 5},
        {"properties": {"width": float("inf"), "height": True, "size": "big"}},
    ],
)
def test_wrong_types_are_passed_over(entity: dict[str, Any]) -> None:
    record = asset({"id": "x", **entity})
    assert record.name == "x"
    assert record.tags == ()
    assert not {"width", "height", "size"} & record.attributes.keys()


@pytest.mark.parametrize("read", [asset, collection, tag])
@pytest.mark.parametrize("entity", [{}, {"id": 5, "tagName": 5}, {"id": "", "tagName": ""}])
def test_without_an_id_it_is_refused(read: Any, entity: dict[str, Any]) -> None:
    with pytest.raises(BadResponse):
        read(entity)


def test_collections_and_tags() -> None:
    assert collection({"id": "c", "name": "Seating", "assetCount": 4}).assets == 4
    assert collection({"id": "c"}).name == "c"
    assert (tag({"tagName": "night", "itemCount": 3}).name, tag({"tagName": "night"}).items) == ("night", None)
