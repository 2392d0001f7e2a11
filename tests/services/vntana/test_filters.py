from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pytest

from ipyassets.errors import InvalidRequest
from ipyassets.services.vntana.filters import FILTERS, PAGE_SIZE, SORTS, VntanaFilters, request

UUID = "11111111-1111-1111-1111-111111111111"


def body(text="chair", sort=None, **filters):
    return request(text, sort, filters)[0]


def test_a_text_alone_keeps_the_order_of_relevance():
    assert request("  chair ", None, {}) == ({"searchTerm": "chair"}, PAGE_SIZE)


def test_without_text_the_newest_come_first():
    assert body("") == {"sorts": {"CREATED": "DESC"}}


@pytest.mark.parametrize(
    ("keyword", "value", "field", "sent"),
    [
        ("name", "x", "name", "x"),
        ("description", "x", "description", "x"),
        ("tag_name", "x", "tagName", "x"),
        ("location_name", "x", "locationName", "x"),
        ("variant_group_name", "x", "variantGroupName", "x"),
        ("attribute_key", "x", "attributeKey", "x"),
        ("attribute_value", "x", "attributeValue", "x"),
        ("status", "live_public", "status", ["LIVE_PUBLIC"]),
        ("status", ["LIVE_PUBLIC", "DRAFT"], "status", ["LIVE_PUBLIC", "DRAFT"]),
        ("conversion_status", ("failed",), "conversionStatuses", ["FAILED"]),
        ("asset_types", "three_d", "assetTypes", ["THREE_D"]),
        ("tags", UUID, "tagsUuids", [UUID]),
        ("locations", [UUID], "locationsUuids", [UUID]),
        ("variant_groups", [UUID], "variantGroupsUuids", [UUID]),
        ("projects", [UUID], "projectsUuids", [UUID]),
        ("products", [UUID], "productsUuids", [UUID]),
        ("pipelines", [UUID], "pipelinesUuids", [UUID]),
        ("attributes_keys", "color", "attributesKeys", ["color"]),
        ("attributes_values", ["red", "blue"], "attributesValues", ["red", "blue"]),
        ("has_attributes", False, "hasAttributes", False),
        ("has_projects", True, "hasProjects", True),
        ("original_size", (1, 2), "originalFileSizeRange", {"minValue": 1, "maxValue": 2}),
        ("optimized_size", (None, 2), "optimizedFileSizeRange", {"maxValue": 2}),
        ("original_poly_count", [np.int64(1), None], "originalPolyCountRange", {"minValue": 1}),
        ("optimized_poly_count", (0, 0), "optimizedPolyCountRange", {"minValue": 0, "maxValue": 0}),
        ("search_type", "filter_products", "searchType", "FILTER_PRODUCTS"),
        ("extended_filters", {"a": {}}, "extendedFilters", {"a": {}}),
        ("integrations_status", {"shop": "remote_error"}, "integrationsStatus", {"shop": ["REMOTE_ERROR"]}),
    ],
)
def test_every_filter(keyword, value, field, sent):
    assert body(**{keyword: value}) == {"searchTerm": "chair", field: sent}


def test_every_keyword_is_read():
    """A keyword that the types allow, but nothing reads, would be dropped in silence."""
    from ipyassets.services.vntana.filters import _APART, _FIELDS

    assert set(_FIELDS) | _APART == set(VntanaFilters.__annotations__)


@pytest.mark.parametrize("keyword", [name for name in VntanaFilters.__annotations__ if name != "page_size"])
def test_none_and_empty_texts_are_not_sent(keyword):
    assert body(**{keyword: None}) == {"searchTerm": "chair"}


@pytest.mark.parametrize("value", ["", "  ", [], ()])
def test_an_empty_choice_is_no_filter(value):
    assert body(status=value, tag_name="") == {"searchTerm": "chair"}


@pytest.mark.parametrize(
    ("value", "start", "end"),
    [
        ((date(2024, 1, 1), date(2024, 1, 31)), "2024-01-01T00:00:00.000Z", "2024-01-31T23:59:59.999Z"),
        (("2024-01-01", None), "2024-01-01T00:00:00.000Z", None),
        ((None, "2024-01-01T12:30:00"), None, "2024-01-01T12:30:00.000Z"),
        (
            (datetime(2024, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))), datetime(2024, 1, 2, 1, 2, 3, 4567)),  # noqa: DTZ001
            "2024-01-01T00:00:00.000Z",
            "2024-01-02T01:02:03.004Z",
        ),
        (
            ("2024-01-01T00:00:00Z", datetime(2024, 1, 1, tzinfo=UTC)),
            "2024-01-01T00:00:00.000Z",
            "2024-01-01T00:00:00.000Z",
        ),
    ],
)
def test_dates(value, start, end):
    sent = {name: value for name, value in (("startDate", start), ("endDate", end)) if value is not None}
    assert body(created=value)["createdDateRange"] == sent
    assert body(updated=value)["updatedDateRange"] == sent


def test_an_open_range_is_no_filter():
    assert body(created=(None, None), original_size=(None, None)) == {"searchTerm": "chair"}


def test_an_exact_name():
    assert body("", exact_name="Chair", sort="name") == {
        "name": "Chair",
        "matchTypes": {"NAME": "MATCH_EXACT"},
        "sorts": {"NAME": "ASC"},
    }


def test_match_types_in_our_words_and_in_theirs():
    assert body(tags=[UUID], match_types={"tags": "all", "SEARCH_TERM": "MATCH_EXACT"})["matchTypes"] == {
        "TAGS_UUIDS": "MATCH_ALL",
        "SEARCH_TERM": "MATCH_EXACT",
    }


@pytest.mark.parametrize(
    ("sort", "sent"),
    [
        ("name", {"NAME": "ASC"}),
        ("-updated", {"UPDATED": "DESC"}),
        ("workspace, -original_size", {"WORKSPACE_SLUG": "ASC", "ORIGINAL_FILE_SIZE": "DESC"}),
    ],
)
def test_sorts(sort, sent):
    assert body(sort=sort)["sorts"] == sent
    assert list(body(sort=sort)["sorts"]) == list(sent)


def test_what_a_widget_is_offered_can_be_sent():
    for sort in SORTS:
        assert body(sort=sort.value)["sorts"]
    for offered in FILTERS:
        for choice in offered.choices:
            assert body(**{offered.name: [choice.value]})


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"statuses": "DRAFT"}, "no keyword 'statuses'.*Did you mean 'status'"),
        ({"status": "published"}, "status must be among DRAFT, .*LIVE_PUBLIC.*got 'PUBLISHED'"),
        ({"status": 5}, "status must be a text or a list of texts"),
        ({"status": {"DRAFT": 1}}, "status must be a text or a list of texts"),
        ({"asset_types": ["THREE_D", None]}, "asset_types must be a text or a list of texts; it holds None"),
        ({"conversion_status": "done"}, "conversion_status must be among PENDING"),
        ({"tags": ["wood"]}, "tags takes uuids; tag_name= takes a name; got 'wood'"),
        ({"projects": ["x"]}, "projects takes uuids; got 'x'"),
        ({"products": []}, "asks for nothing"),
        ({"name": 5}, "name must be a text; got 5"),
        ({"has_projects": "yes"}, "has_projects must be True or False; got 'yes'"),
        ({"created": "2024-01-01"}, r"created must be a pair of dates \(from, to\), None for an open end"),
        ({"created": ("soon", None)}, "created takes datetimes, dates or ISO 8601 texts; got 'soon'"),
        ({"created": (5, None)}, "created takes datetimes, dates or ISO 8601 texts; got 5"),
        ({"created": ("2024-02-01", "2024-01-01")}, "created runs from 2024-02-01 to 2024-01-01: the earlier"),
        ({"original_size": 5}, r"original_size must be a pair of whole numbers \(least, most\)"),
        ({"original_size": (-1, None)}, "original_size must hold whole numbers of 0 or more"),
        ({"original_size": (1.5, None)}, "original_size must hold whole numbers of 0 or more"),
        ({"original_size": (True, None)}, "original_size must hold whole numbers of 0 or more"),
        ({"original_size": (2, 1)}, "the least comes first"),
        ({"match_types": {"tags": "all"}}, "needs the filter it is about"),
        ({"match_types": {"status": "all"}}, "no key 'status'; it has tags, text, name"),
        ({"match_types": {"text": "some"}}, "must be all, any, exact or fuzzy; got 'some'"),
        ({"match_types": "all"}, "must be a mapping"),
        ({"search_type": "other"}, "search_type must be among EXTEND_PRODUCTS"),
        ({"integrations_status": {"shop": "fine"}}, r"integrations_status\['shop'\] must be among LOCAL_CREATED"),
        ({"extended_filters": 5}, "extended_filters must be a mapping"),
        ({"exact_name": "a", "name": "b"}, "cannot be given together"),
        ({"page_size": 0}, "page_size must be a whole number, 1 to 100; got 0"),
        ({"page_size": 101}, "page_size must be a whole number, 1 to 100; got 101"),
    ],
)
def test_refused_before_anything_is_sent(filters, message):
    with pytest.raises(InvalidRequest, match=message):
        request("chair", None, filters)


@pytest.mark.parametrize("sort", ["size", "NAME", 5])
def test_unknown_sorts(sort):
    with pytest.raises(InvalidRequest, match="sort"):
        body(sort=sort)
