from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from ipyassets.clients.vntana_public import VntanaPublic
from ipyassets.errors import BadResponse, InvalidRequest, NotFound, PermissionDenied
from ipyassets.http import loop
from ipyassets.sandbox import Sandbox
from ipyassets.services.vntana_public.filters import VntanaPublicFilters, request


@pytest.fixture
def public(sandbox: Sandbox) -> Iterator[VntanaPublic]:
    with sandbox.vntana_public() as client:
        yield client


def test_search_needs_no_credentials(sandbox, public):
    found = public.search("chair")
    assert found.total == len(found) == 10
    assert found[0].service == "vntana_public"
    assert found[0].kind == "3d"
    assert found[0].name == "Chair"
    assert all("x-auth-token" not in seen.headers for seen in sandbox.faults.log)
    assert {seen.method for seen in sandbox.faults.log} == {"POST"}


def test_only_published_products_are_found(public):
    assert public.search().total == 81
    assert not any("(new series)" in asset.name for asset in public.search("new series"))


def test_pages_count_from_one(sandbox, public):
    search = public.core.search("", page_size=50)
    assert [len(loop.run(search.page(number)).records) for number in (0, 1)] == [50, 31]
    assert [seen.json["page"] for seen in sandbox.faults.log] == [1, 2]


@pytest.mark.parametrize(
    ("filters", "everything"),
    [
        ({"name": "armchair"}, False),
        ({"tag_name": "living"}, False),
        ({"description": "armchair"}, False),
        ({"location_name": "a"}, False),
        ({"attribute_key": "creator"}, True),
        ({"attribute_key": "licence", "attribute_value": "CC0-1.0"}, True),
    ],
)
def test_filters(public, filters, everything):
    total = public.search(**filters).total
    assert total == 81 if everything else 0 < total < 81
    assert public.search(**dict.fromkeys(filters, "zeppelin")).total == 0


def test_every_keyword_is_sent():
    names = [name for name in VntanaPublicFilters.__annotations__ if name != "page_size"]
    body, size = request("x", None, {**dict.fromkeys(names, "y"), "page_size": 7})
    assert (body.pop("searchTerm"), size) == ("x", 7)
    assert body == dict.fromkeys(
        ["productName", "description", "tagName", "locationName", "attributeKey", "attributeValue"], "y"
    )


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"status": "DRAFT"}, "no keyword 'status'"),
        ({"sort": "name"}, "cannot sort"),
        ({"workspace": "workshop"}, "is for workspace 'showroom'; make another for 'workshop'"),
        ({"page_size": 1000}, "page_size must be"),
        ({"tag_name": 5}, "tag_name must be a text"),
    ],
)
def test_refused_before_anything_is_sent(sandbox, public, keywords, message):
    with pytest.raises(InvalidRequest, match=message):
        public.search("chair", **keywords)
    assert not sandbox.faults.log


def test_one_product(public):
    found = public.search("armchair")[0]
    asset = public.asset(found.id)
    assert asset == found
    assert asset.attributes["licence"] == "CC0-1.0"
    assert (asset.name, asset.kind, asset.created) == (found.name, found.kind, found.created)


def test_one_product_in_the_wrapper_of_a_search(sandbox, public):
    """The service's own text attaches the search's wrapper to this answer; in truth it is one object."""
    found = public.search("armchair")[0]
    rows = [{"uuid": "other"}, dict(found.raw)]
    for grid, error in ((rows, None), ([{"uuid": "other"}], BadResponse), ([], NotFound)):
        body = {"success": True, "errors": [], "response": {"totalCount": len(grid), "grid": grid}}
        sandbox.faults.add(f"/products/{found.id}", kind="wrong_content", body=json.dumps(body))
        if error is None:
            assert public.asset(found.id).name == found.name
        else:
            with pytest.raises(error):
                public.asset(found.id)


def test_unknown_product(public):
    with pytest.raises(NotFound, match="PRODUCT_NOT_FOUND"):
        public.asset("00000000-0000-0000-0000-000000000000")


def test_unknown_workspace(sandbox):
    # The advice was to check a product's uuid, where none was asked for.
    with sandbox.vntana_public(workspace="cellar") as client, pytest.raises(NotFound, match=r"clients/cellar.* slugs"):
        len(client.search())


def test_a_draft_is_denied(sandbox, public):
    with sandbox.vntana() as admin:
        draft = admin.search(status="DRAFT")[0]
    with pytest.raises(PermissionDenied, match="Publish the product first"):
        public.asset(draft.id)


def test_the_poster_comes_by_its_blob(sandbox, public):
    asset = public.search("armchair")[0]
    assert max(asset.poster(width=100).size) == 100
    (seen,) = sandbox.faults.requests("/assets/")
    place = "organizations/northlight-home/clients/showroom"
    assert seen.path == f"/vntana/public/assets/{place}/thumbnail/{asset.raw['asset']['thumbnailBlobId']}"
    assert seen.query == ""
    source = public.core.poster_source(asset._record, width=100)
    host = sandbox.origin.removeprefix("http://")
    assert source.key == ("vntana_public", host, place, asset.id, asset.raw["asset"]["thumbnailBlobId"])


@pytest.mark.parametrize("kind", ["status", "wrong_content"])
def test_the_poster_by_product_where_the_blob_gives_none(sandbox, public, kind):
    """Asked for the wrong blob, the service was seen to answer 200 with no bytes."""
    asset = public.search("armchair")[0]
    sandbox.faults.add("/clients/showroom/thumbnail/", kind=kind, status=404 if kind == "status" else None, body=b"")
    assert asset.poster(width=100).width <= 100
    assert [seen.path.partition("/assets/")[2].partition("/")[0] for seen in sandbox.faults.requests("/assets/")] == [
        "organizations",
        "thumbnail",
    ]


def test_no_bytes_at_all(sandbox, public):
    asset = public.search("armchair")[0]
    sandbox.faults.add("/assets/", kind="wrong_content", body=b"", count=None)
    with pytest.raises(BadResponse, match="empty body"):
        asset.poster()


def test_no_poster_at_all(sandbox, public):
    asset = public.search("armchair")[0]
    body = {"success": False, "errors": ["THUMBNAIL_NOT_FOUND"], "response": None}
    sandbox.faults.add("/assets/", status=404, body=body, count=None)
    with pytest.raises(NotFound, match="THUMBNAIL_NOT_FOUND"):
        asset.poster()


@pytest.mark.parametrize("slug", ["Northlight Home", "a/b", "..", "37f965f4-98e1-51f4-a0df-b90570d25fd5", " "])
def test_names_and_uuids_are_no_slugs(slug):
    with pytest.raises(InvalidRequest, match=r"slug|needs organization="):
        VntanaPublic(slug, "showroom")
    with pytest.raises(InvalidRequest, match=r"slug|needs organization="):
        VntanaPublic("northlight-home", slug)


def test_both_slugs_are_needed(monkeypatch):
    with pytest.raises(InvalidRequest, match="VNTANA_ORGANIZATION"):
        VntanaPublic()
    monkeypatch.setenv("VNTANA_ORGANIZATION", "northlight-home")
    with pytest.raises(InvalidRequest, match="needs organization= and workspace="):
        VntanaPublic()
    assert VntanaPublic.from_environment() is None
    monkeypatch.setenv("VNTANA_WORKSPACE", "showroom")
    monkeypatch.setenv("VNTANA_PUBLIC_URL", "https://api.stg.vntana.com/")
    client = VntanaPublic.from_environment()
    assert client is not None
    assert client.base_url == "https://api.stg.vntana.com"
    client.close()


def test_a_size_word_is_refused(sandbox, public):
    """``size="huge"`` was ignored, and the poster came in its full size."""
    asset = public.search("chair")[0]
    sandbox.faults.log.clear()
    with pytest.raises(InvalidRequest, match="VNTANA Public has no sizes by name: give width and height"):
        asset.poster(size="huge")
    assert len(sandbox.faults.log) == 0
