"""Product search of the Admin API: every documented filter, sort, range and match type."""

from __future__ import annotations

import re

import pytest

from ipyassets.sandbox import library
from ipyassets.sandbox.vntana import accounts
from ipyassets.sandbox.vntana.accounts import SHOWROOM, UNUSUAL, WORKSHOP

from . import contract
from .conftest import code


def search(caller, workspace=SHOWROOM, **body):
    """The ``response`` of a search in one workspace."""
    return ask(caller, workspace, **body).json()["response"]


def ask(caller, workspace=SHOWROOM, *, check=True, **body):
    path = f"/v1/products/clients/{workspace.uuid}/search"
    body = {"page": 1, "size": 500, **body}
    if check:
        contract.check_request("admin", "POST", path, body)
    return caller.post(path, json=body)


def names(found):
    return [row["name"] for row in found["grid"]]


def everything(caller, workspace=SHOWROOM, **body):
    return search(caller, workspace, **body)["grid"]


def test_the_main_workspace_has_every_object_published_with_a_poster(sandbox, admin):
    found = search(admin)
    assert found["totalCount"] == len(found["grid"]) == len(library.objects()) >= 80
    assert sorted(names(found)) == sorted(model.name for model in library.objects())
    assert all(row["asset"]["thumbnailBlobId"] for row in found["grid"])
    assert {row["status"] for row in found["grid"]} == {"LIVE_PUBLIC", "LIVE_INTERNAL"}
    assert sum(row["status"] == "LIVE_PUBLIC" for row in found["grid"]) >= 80
    assert len({row["uuid"] for row in found["grid"]}) == len(found["grid"])


def test_pages_count_from_one_and_cover_everything_once(sandbox, admin):
    whole = search(admin, sorts={"NAME": "ASC"})
    walked, page = [], 1
    while rows := search(admin, page=page, size=20, sorts={"NAME": "ASC"})["grid"]:
        assert len(rows) == 20 or page == 5
        walked += rows
        page += 1
    assert [row["uuid"] for row in walked] == [row["uuid"] for row in whole["grid"]]
    assert search(admin, page=99)["totalCount"] == whole["totalCount"]


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ({"size": 5}, "MISSING_PAGE"),
        ({"page": 1}, "MISSING_SIZE"),
        ({"page": 0, "size": 5}, "INVALID_PAGE"),
        ({"page": -1, "size": 5}, "INVALID_PAGE"),
        ({"page": 1, "size": 0}, "INVALID_SIZE"),
        ({"page": 1, "size": 501}, "INVALID_SIZE"),
    ],
)
def test_wrong_paging(sandbox, admin, page, expected):
    path = f"/v1/products/clients/{SHOWROOM.uuid}/search"
    assert code(admin.post(path, json=page)) == (422, expected)


def test_largest_page_is_a_setting(sandbox, admin):
    sandbox.settings.vntana_max_page_size = 20
    assert code(ask(admin, size=21)) == (422, "INVALID_SIZE")


def test_drafts_are_hidden_unless_asked_for(sandbox, admin):
    drafts = search(admin, status=["DRAFT"])
    assert drafts["totalCount"] == 8
    assert {row["status"] for row in drafts["grid"]} == {"DRAFT"}
    assert search(admin, status=["DRAFT", "LIVE_PUBLIC", "LIVE_INTERNAL"])["totalCount"] == 95
    sandbox.settings.vntana_always_show_drafts = True
    assert search(admin)["totalCount"] == 95


def test_status_filter_and_the_spread_of_statuses(sandbox, admin):
    seen = {row["status"] for row in everything(admin, WORKSHOP, status=["DRAFT", "REJECTED", "CUSTOMER_HOLD"])}
    assert seen == {"DRAFT", "REJECTED", "CUSTOMER_HOLD"}
    assert len({row["status"] for row in everything(admin, WORKSHOP)}) >= 8


def test_products_without_poster_and_without_file(sandbox, admin):
    rows = {row["name"]: row for row in everything(admin, UNUSUAL)}
    assert rows["Chair without poster"]["asset"]["thumbnailBlobId"] is None
    assert rows["Chair without file"]["asset"] is None
    assert rows["Chair without file"]["conversionStatus"] == "NO_ASSET"


def test_unusual_names_come_back_unchanged(sandbox, admin):
    found = names(search(admin, UNUSUAL))
    assert "<b>chair</b>" in found
    assert "كرسي خشبي" in found
    assert "two\nlines" in found
    assert max(len(name) for name in found) == 200


def test_conversion_statuses_and_asset_types(sandbox, admin):
    assert {r["conversionStatus"] for r in everything(admin, WORKSHOP)} == {
        "PENDING", "CONVERTING", "FAILED", "TERMINATED", "COMPLETED", "NO_ASSET", "NOT_APPLICABLE",
    }  # fmt: skip
    failed = everything(admin, WORKSHOP, conversionStatuses=["FAILED"])
    assert failed
    assert all(row["asset"]["models"][0]["conversionError"]["code"] for row in failed)
    assert all(row["conversionStatusDetails"]["GENERATE_THUMBNAILS"] == "ACTION_FAILED" for row in failed)
    others = everything(admin, WORKSHOP, assetTypes=["IMAGE", "MATERIAL"])
    assert {row["assetType"] for row in others} == {"IMAGE", "MATERIAL"}


# Words


def test_relevance_puts_whole_words_before_parts(sandbox, admin):
    found = names(search(admin, searchTerm="chair"))
    assert found[:4] == ["Chair"] * 4
    assert {"Folding chair", "Deck chair", "Armchair"} <= set(found)
    assert found.index("Folding chair") < found.index("Armchair")


@pytest.mark.parametrize(
    ("term", "first"),
    [("fork", "Forklift"), ("FORKLIFT", "Forklift"), ("forklfit", "Forklift"), ("grand pi", "Grand piano"),
     ("Kühlschrank", "Refrigerator"), ("肘掛け椅子", "Armchair"), ("Кресло", "Armchair")],
)  # fmt: skip
def test_search_term_is_fuzzy_and_knows_other_languages(sandbox, admin, term, first):
    assert names(search(admin, searchTerm=term))[0] == first


def test_search_term_without_any_match(sandbox, admin):
    assert search(admin, searchTerm="xylophonist") == {"totalCount": 0, "grid": []}


def test_names_stand_in_the_language_of_their_workspace(sandbox, admin):
    german = names(search(admin, accounts.GERMAN, searchTerm="Stuhl"))
    assert "Stuhl mit Armlehnen" in german
    assert "肘掛け椅子" in names(search(admin, accounts.JAPANESE, searchTerm="椅子"))


def test_match_types_of_search_term_and_name(sandbox, admin):
    exact = search(admin, searchTerm="piano bench", matchTypes={"SEARCH_TERM": "MATCH_EXACT"})
    assert names(exact) == ["Piano bench"]
    assert set(names(search(admin, searchTerm="piano lamp", matchTypes={"SEARCH_TERM": "MATCH_ANY"}))) >= {
        "Grand piano", "Piano bench", "Lamp", "Desk lamp",
    }  # fmt: skip
    assert names(search(admin, searchTerm="piano lamp")) == []
    assert set(names(search(admin, name="PIANO"))) == {"Grand piano", "Piano bench"}
    assert names(search(admin, name="bench", matchTypes={"NAME": "MATCH_EXACT"})) == ["Bench"]
    assert names(search(admin, name="pino", matchTypes={"NAME": "MATCH_FUZZY"}))[0] in {"Grand piano", "Piano bench"}


def test_exact_name_with_a_number_and_with_markup(sandbox, admin):
    for name in ("Chair 10", "<b>chair</b>", "كرسي خشبي", "🪑 🛋️ set", "two\nlines"):
        assert names(search(admin, UNUSUAL, name=name, matchTypes={"NAME": "MATCH_EXACT"})) == [name]
    assert set(names(search(admin, UNUSUAL, name="chair 1"))) == {"Chair 1", "Chair 10", "Chair 11", "Chair 100"}


# Terms and attributes


def test_tags_by_name_and_uuid(sandbox, admin):
    seats = everything(admin, tagName="seat")
    assert seats
    assert all("Seat" in {tag["name"] for tag in row["tags"]} for row in seats)
    uuids = {tag["name"]: tag["uuid"] for row in seats for tag in row["tags"]}
    both = [uuids["Seat"], uuids["Office"]]
    some = everything(admin, tagsUuids=both)
    every = everything(admin, tagsUuids=both, matchTypes={"TAGS_UUIDS": "MATCH_ALL"})
    assert 0 < len(every) < len(some)
    assert all(set(both) <= {tag["uuid"] for tag in row["tags"]} for row in every)
    assert everything(admin, tagsUuids=["no-such-uuid"]) == []


@pytest.mark.parametrize(
    ("field", "by_name", "by_uuid"),
    [
        ("locations", "locationName", "locationsUuids"),
        ("variantGroups", "variantGroupName", "variantGroupsUuids"),
        ("projects", None, "projectsUuids"),
    ],
)
def test_locations_variant_groups_and_projects(sandbox, admin, field, by_name, by_uuid):
    term = next(row[field][0] for row in everything(admin) if row[field])
    found = everything(admin, **{by_uuid: [term["uuid"]]})
    assert found
    assert [row for row in everything(admin) if term in row[field]] == found
    if by_name:
        assert everything(admin, **{by_name: term["name"].upper()}) == found


def test_pipelines_products_and_projects_flags(sandbox, admin):
    rows = everything(admin)
    pipeline = rows[0]["pipelineUuid"]
    assert everything(admin, pipelinesUuids=[pipeline]) == [row for row in rows if row["pipelineUuid"] == pipeline]
    wanted = [rows[3]["uuid"], rows[11]["uuid"], "no-such-uuid", rows[5]["asset"]["thumbnailBlobId"]]
    assert {row["uuid"] for row in everything(admin, productsUuids=wanted)} == set(wanted[:2])
    assert everything(admin, hasProjects=True) == [row for row in rows if row["projects"]]
    assert everything(admin, hasProjects=False) == [row for row in rows if not row["projects"]]
    assert everything(admin, WORKSHOP, hasAttributes=False) == [
        row for row in everything(admin, WORKSHOP) if not row["attributes"]
    ]
    assert everything(admin, integrationsStatus={"shop": ["REMOTE_COMPLETED"]}) == []


def test_attributes(sandbox, admin):
    rows = everything(admin)

    def having(**wanted):
        return [r for r in rows if wanted.items() <= {a["key"]: a["value"] for a in r["attributes"]}.items()]

    assert everything(admin, attributeKey="category", attributeValue="Kitchen") == having(category="Kitchen")
    assert everything(admin, attributeKey="creator", attributeValue="Kitchen") == []
    assert everything(admin, attributesValues=["Kitchen", "Office"]) == [
        row for row in rows if row in having(category="Kitchen") or row in having(category="Office")
    ]
    match_all = {"ATTRIBUTES_VALUES": "MATCH_ALL"}
    assert everything(admin, attributesValues=["Kitchen", "TreyClaine"], matchTypes=match_all) == having(
        category="Kitchen", creator="TreyClaine"
    )
    fuzzy = {"ATTRIBUTES_VALUES": "MATCH_FUZZY"}
    assert everything(admin, attributesValues=["kitch"], matchTypes=fuzzy) == having(category="Kitchen")
    assert len(everything(admin, attributesKeys=["creator"])) == len(rows)
    keys = {"ATTRIBUTES_KEYS": "MATCH_ALL"}
    assert everything(admin, attributesKeys=["creator", "no-such-key"], matchTypes=keys) == []


def test_description(sandbox, admin):
    assert names(search(admin, description="by treyclaine")) == ["Coffee brewer"]


# Ranges


@pytest.mark.parametrize("field", ["created", "updated"])
def test_date_ranges(sandbox, admin, field):
    rows = everything(admin)
    moments = sorted(row[field] for row in rows)
    start, end = moments[20], moments[60]
    between = everything(admin, **{f"{field}DateRange": {"startDate": start, "endDate": end}})
    assert sorted(row[field] for row in between) == moments[20:61]
    assert len(everything(admin, **{f"{field}DateRange": {"startDate": f"{start}Z", "endDate": None}})) == 67
    assert len(everything(admin, **{f"{field}DateRange": {"endDate": end}})) == 61


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("originalFileSizeRange", lambda row: row["asset"]["assetOriginalSize"]),
        ("optimizedFileSizeRange", lambda row: row["asset"]["models"][0]["modelSize"]),
        ("originalPolyCountRange", lambda row: row["asset"]["models"][0]["originalThreeDComponents"]["poly"]),
        ("optimizedPolyCountRange", lambda row: row["asset"]["models"][0]["optimizationThreeDComponents"]["poly"]),
    ],
)
def test_number_ranges(sandbox, admin, field, value):
    values = sorted(value(row) for row in everything(admin))
    low, high = values[10], values[40]
    found = everything(admin, **{field: {"minValue": low, "maxValue": high}})
    assert sorted(value(row) for row in found) == [v for v in values if low <= v <= high]
    assert len(everything(admin, **{field: {"minValue": low}})) == sum(v >= low for v in values)


def test_ranges_leave_out_what_has_no_such_number(sandbox, admin):
    found = everything(admin, WORKSHOP, optimizedPolyCountRange={"minValue": None, "maxValue": None})
    assert found
    assert {row["conversionStatus"] for row in found} == {"COMPLETED"}
    assert all(row["asset"] for row in everything(admin, WORKSHOP, originalFileSizeRange={"minValue": 0}))


# Sorts


def natural(text):
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", text.casefold())]


SORTED = {
    "NAME": lambda row: natural(row["name"]),
    "CREATED": lambda row: row["created"],
    "UPDATED": lambda row: row["updated"],
    "CONVERSION_STATUS": lambda row: row["conversionStatus"],
    "WORKSPACE_SLUG": lambda row: row["clientSlug"],
    "TAGS": lambda row: ",".join(tag["name"] for tag in row["tags"]),
    "ORIGINAL_POLY_COUNT": lambda row: row["asset"]["models"][0]["originalThreeDComponents"]["poly"],
    "OPTIMIZED_POLY_COUNT": lambda row: row["asset"]["models"][0]["optimizationThreeDComponents"]["poly"],
    "ORIGINAL_FILE_SIZE": lambda row: row["asset"]["assetOriginalSize"],
    "OPTIMIZED_FILE_SIZE": lambda row: row["asset"]["models"][0]["modelSize"],
    "PIPELINE_NAME": lambda row: row["pipelineName"],
}


@pytest.mark.parametrize("field", SORTED)
def test_sorts(sandbox, admin, field):
    up = [SORTED[field](row) for row in everything(admin, sorts={field: "ASC"})]
    down = [SORTED[field](row) for row in everything(admin, sorts={field: "DESC"})]
    assert up == sorted(up)
    assert down == sorted(up, reverse=True)


def test_conversion_status_sorts_by_its_name(sandbox, admin):
    up = [row["conversionStatus"] for row in everything(admin, WORKSHOP, sorts={"CONVERSION_STATUS": "ASC"})]
    assert up == sorted(up)
    assert len(set(up)) == 7


def test_numbers_in_names_sort_as_numbers(sandbox, admin):
    found = names(search(admin, UNUSUAL, name="Chair ", sorts={"NAME": "ASC"}))
    assert found[:5] == ["Chair 1", "Chair 2", "Chair 10", "Chair 11", "Chair 100"]


def test_the_first_sort_field_leads(sandbox, admin):
    rows = everything(admin, sorts={"PIPELINE_NAME": "DESC", "NAME": "ASC"})
    keys = [(row["pipelineName"], natural(row["name"])) for row in rows]
    groups = [[name for pipeline, name in keys if pipeline == p] for p in sorted({k[0] for k in keys}, reverse=True)]
    assert [name for group in groups for name in group] == [name for _, name in keys]
    assert all(group == sorted(group) for group in groups)


# Which endpoint for whom


def multi(caller, organization=accounts.NORTHLIGHT, query="", **body):
    path = "/v1/products/clients/search"
    return caller.post(path + query, json={"page": 1, "size": 500, "organizationUuid": organization.uuid, **body})


def test_search_over_several_workspaces(sandbox, admin):
    found = multi(admin, clientUuids=[SHOWROOM.uuid, UNUSUAL.uuid], sorts={"WORKSPACE_SLUG": "DESC"})
    slugs = [row["clientSlug"] for row in found.json()["response"]["grid"]]
    assert set(slugs) == {"showroom", "unusual-names"}
    assert slugs == sorted(slugs, reverse=True)


def test_client_uuid_in_the_query_allows_but_does_not_narrow(sandbox, admin):
    query = f"?clientUuid={SHOWROOM.uuid}"
    rows = multi(admin, query=query).json()["response"]["grid"]
    assert len({row["clientSlug"] for row in rows}) == 5
    sandbox.settings.vntana_query_client_filters = True
    rows = multi(admin, query=query).json()["response"]["grid"]
    assert {row["clientSlug"] for row in rows} == {"showroom"}


def test_refusals_of_the_search_over_several_workspaces(sandbox, admin):
    assert code(multi(admin)) == (422, "MISSING_CLIENT_UUID")
    assert code(multi(admin, clientUuids=[accounts.OUTDOOR.uuid])) == (403, "FORBIDDEN")
    assert code(multi(admin, clientUuids="showroom")) == (400, "BAD_REQUEST")
    assert code(multi(admin, accounts.HARBOUR, clientUuids=[accounts.OUTDOOR.uuid])) == (403, "FORBIDDEN")
    missing = admin.post("/v1/products/clients/search", json={"page": 1, "size": 1, "clientUuids": [SHOWROOM.uuid]})
    assert code(missing) == (422, "MISSING_ORGANIZATION_UUID")


def test_a_content_manager_searches_one_workspace_only(sandbox, caller):
    manager = caller().enter(sandbox.vntana_api.manager, accounts.NORTHLIGHT, WORKSHOP)
    assert search(manager, WORKSHOP)["totalCount"] > 0
    assert code(multi(manager, clientUuids=[WORKSHOP.uuid])) == (403, "FORBIDDEN")


def test_a_viewer_may_not_search(sandbox, caller):
    viewer = caller().enter(sandbox.vntana_api.viewer, accounts.NORTHLIGHT, SHOWROOM)
    assert code(ask(viewer)) == (403, "FORBIDDEN")
    assert code(multi(viewer, clientUuids=[SHOWROOM.uuid])) == (403, "FORBIDDEN")


def test_the_other_organization(sandbox, caller):
    supplier = caller().enter(sandbox.vntana_api.supplier, accounts.HARBOUR)
    assert search(supplier, accounts.OUTDOOR)["totalCount"] > 10
    assert search(supplier, accounts.EMPTY) == {"totalCount": 0, "grid": []}
    assert code(ask(supplier, SHOWROOM)) == (403, "FORBIDDEN")
    other = ask(supplier, accounts.OUTDOOR, organizationUuid=accounts.NORTHLIGHT.uuid)
    assert code(other) == (403, "FORBIDDEN")


# Malformed


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"sorts": {"SIZE": "ASC"}}, (422, "INVALID_SORT_FIELD")),
        ({"sorts": {"NAME": "UP"}}, (422, "INVALID_SORT_ORDER")),
        ({"matchTypes": {"NAME": "MATCH_EXACT"}}, (422, "INVALID_SEARCH_FIELD")),
        ({"matchTypes": {"SIZE": "MATCH_EXACT"}, "name": "a"}, (400, "BAD_REQUEST")),
        ({"status": ["PUBLISHED"]}, (400, "BAD_REQUEST")),
        ({"status": "DRAFT"}, (400, "BAD_REQUEST")),
        ({"createdDateRange": {"startDate": "yesterday"}}, (400, "BAD_REQUEST")),
        ({"page": "1"}, (400, "BAD_REQUEST")),
        ({"page": True}, (400, "BAD_REQUEST")),
    ],
)
def test_malformed_searches(sandbox, admin, body, expected):
    assert code(ask(admin, check=False, **body)) == expected


FIELDS = contract.SCHEMAS["admin"]["ProductSearchRequest"]["properties"]


@pytest.mark.parametrize("field", sorted(set(FIELDS) - {"page", "size", "clientUuids", "organizationUuid"}))
def test_every_documented_field_is_read(sandbox, admin, field):
    """A field that were ignored would accept a value of any type."""
    assert ask(admin, check=False, **{field: 5}).status_code == 400
    assert ask(admin, check=False, **{field: None}).status_code == 200


def test_unknown_fields_are_ignored(sandbox, admin):
    assert ask(admin, check=False, notAField=5).status_code == 200
