from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest

from ipyassets.errors import InvalidRequest
from ipyassets.services.scenario.filters import SORTS, Listing, Query, understood
from ipyassets.services.scenario.records import Collection, Tag


def listing(sort: str | None = None, **filters: Any) -> dict[str, str]:
    request = understood("", sort, filters)
    assert isinstance(request, Listing)
    return dict(request.params)


def body(text: str = "", sort: str | None = None, **filters: Any) -> dict[str, Any]:
    request = understood(text, sort, filters)
    assert isinstance(request, Query)
    return dict(request.body)


def test_nothing_asked_is_a_listing_with_its_order_sent() -> None:
    assert listing() == {"sortBy": "createdAt", "sortDirection": "desc"}
    assert listing("updated")["sortBy"] == "updatedAt"
    assert listing("updated")["sortDirection"] == "asc"


def test_a_text_is_a_search() -> None:
    assert body(" red chair ") == {"query": "red chair"}
    assert body("chair", "-width") == {"query": "chair", "sortBy": ["width:desc"]}


def test_listing_keywords() -> None:
    sent = listing(
        collection=Collection("c1", "Seating"), model="m1", author="u1", types=["uploaded", "canvas"], page_size=7
    )
    assert sent["collectionId"] == "c1"
    assert sent["modelId"] == "m1"
    assert sent["authorId"] == "u1"
    assert sent["types"] == "uploaded,canvas"
    assert "pageSize" not in sent  # said with each page
    assert understood("", None, {"page_size": 7}).page_size == 7
    sent = listing(type="uploaded", inference="i1", parent=SimpleNamespace(id="a1"), root="a0", privacy="public")
    assert (sent["type"], sent["inferenceId"], sent["parentAssetId"]) == ("uploaded", "i1", "a1")
    assert (sent["rootAssetId"], sent["privacy"]) == ("a0", "public")


def test_dates_of_a_listing_bring_their_order() -> None:
    sent = listing(created_after="2026-01-01", created_before=dt.date(2026, 2, 1))
    assert (sent["createdAfter"], sent["createdBefore"]) == ("2026-01-01T00:00:00.000Z", "2026-02-01T00:00:00.000Z")
    assert sent["sortBy"] == "createdAt"
    sent = listing(updated_after="2026-01-01")
    assert (sent["sortBy"], sent["sortDirection"]) == ("updatedAt", "desc")
    assert listing("updated", updated_before="2026-01-01")["sortDirection"] == "asc"


def test_dates_a_listing_cannot_mix_are_searched() -> None:
    mixed = body(created_after="2026-01-01", updated_before="2026-02-01")
    assert mixed["filter"] == 'createdAt > "2026-01-01T00:00:00.000Z" AND updatedAt < "2026-02-01T00:00:00.000Z"'
    assert body(sort="updated", created_after="2026-01-01")["sortBy"] == ["updatedAt:asc"]


def test_search_keywords_become_filter_terms() -> None:
    sent = body(
        "chair", kind=["image", "3d"], tags="night, red", collection=["c1", Collection("c2", "x")], model="m1", seed=7,
        min_width=512, max_height=0, aspect_ratio="16:9", name="A, B", filter="guidance > 3 OR guidance < 2",
        privacy="private",
    )  # fmt: skip
    assert sent["filter"] == (
        '(kind = "image" OR kind = "3d") AND name = "A, B" AND modelId = "m1" AND '
        '(collectionIds = "c1" OR collectionIds = "c2") AND aspectRatio = "16:9" AND seed = "7" AND tags = "night" AND '
        'tags = "red" AND privacy = "private" AND width >= 512 AND height <= 0 AND (guidance > 3 OR guidance < 2)'
    )


def test_values_cannot_leave_their_quotes() -> None:
    assert body(tags=['x" OR privacy = "public'])["filter"] == 'tags = "x\\" OR privacy = \\"public"'


def test_tags_by_object() -> None:
    assert body(tags=Tag("night"))["filter"] == 'tags = "night"'


def test_filters_alone_come_newest_first() -> None:
    assert body(kind="image")["sortBy"] == ["createdAt:desc"]
    assert "sortBy" not in body("chair", kind="image")


def test_paging_makes_a_search_of_a_listing() -> None:
    request = understood("", None, {"paging": "offset", "page_size": 10})
    assert isinstance(request, Query)
    assert (request.paging, request.page_size) == ("offset", 10)
    assert request.body["filter"]
    assert body(sort="-width")["filter"]


def test_likeness() -> None:
    assert body(image="asset_1")["image"] == "asset_1"
    assert body(image=SimpleNamespace(id="asset_2"), image_semantic_ratio=0)["imageSemanticRatio"] == 0
    assert body(image="data:image/png;base64,AAAA")["image"].startswith("data:")
    sent = body(images={"like": ["a", SimpleNamespace(id="b")], "unlike": "c"})
    assert sent["images"] == {"like": ["a", "b"], "unlike": ["c"]}
    assert "filter" not in sent
    assert "sortBy" not in sent


def test_everyones_public_assets() -> None:
    assert body("chair", privacy="public") == {"query": "chair", "public": True}


def test_deleted_goes_alone() -> None:
    assert listing(deleted=True) == {"deleted": "true"}
    assert "deleted" not in listing(deleted=False)


def test_empty_fields_of_a_form_count_as_unset() -> None:
    assert listing(kind=[], tags="", model=None, collection="  ", filter="") == listing()


def test_offered_sorts_are_understood() -> None:
    for choice in SORTS:
        understood("chair", choice.value, {})
        understood("", choice.value, {})


@pytest.mark.parametrize(
    ("text", "keywords", "says"),
    [
        ("", {"page_size": 0}, "1 to 100"),
        ("", {"page_size": 101}, "1 to 100"),
        ("", {"page_size": 2.0}, "1 to 100"),
        ("", {"sort": "size"}, "'-created'"),
        ("", {"type": "a", "types": ["b"]}, "not both"),
        ("", {"type": "uplaoded"}, "uploaded"),
        ("", {"parent": ["a", "b"]}, "one parent"),
        ("chair", {"type": "uploaded"}, "makes this a search"),
        ("", {"inference": "i", "kind": "image"}, "'kind' makes this a search"),
        ("", {"deleted": True, "model": "m"}, "no other keyword"),
        ("", {"deleted": True, "sort": "created"}, "no other keyword"),
        ("", {"kind": "picture"}, "image-hdr"),
        ("", {"privacy": "secret"}, "'unlisted'"),
        ("", {"min_width": -1}, "whole number"),
        ("", {"min_width": "5"}, "whole number"),
        ("", {"created_after": "tomorrow"}, "ISO 8601"),
        ("", {"image": "a", "images": {"like": ["b"]}}, "not both"),
        ("", {"images": {"love": ["b"]}}, '"like"'),
        ("", {"images": ["b"]}, '"like"'),
        ("", {"image": "https://example.com/x.png"}, "no other URLs"),
        ("", {"image": 5}, "ids"),
        ("chair", {"semantic_ratio": 1.5}, "0 to 1"),
        ("chair", {"semantic_ratio": "high"}, "0 to 1"),
        ("", {"semantic_ratio": 0.5}, "search text"),
        ("chair", {"image_semantic_ratio": 0.5}, "image or images"),
        ("", {"paging": "cursor"}, "'offset'"),
        ("", {"filter": 5}, "filter language"),
        ("", {"tags": [5]}, "texts or ids"),
        ("", {"tags": " , "}, "empty"),
        ("", {"colour": "red"}, "no keyword 'colour'"),
    ],
)
def test_refused_before_anything_is_sent(text: str, keywords: dict[str, Any], says: str) -> None:
    sort = keywords.pop("sort", None)
    with pytest.raises(InvalidRequest, match=says):
        understood(text, sort, keywords)
