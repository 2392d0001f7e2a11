from __future__ import annotations

import io
import logging

import pytest
from PIL import Image

from ipyassets.errors import BadResponse, InvalidRequest, NotFound, PermissionDenied
from ipyassets.sandbox import Sandbox


def opened(content):
    return Image.open(io.BytesIO(content))


@pytest.fixture
def chair(vntana):
    return vntana.search("armchair")[0]


def asked(sandbox):
    return sandbox.faults.requests("/thumbnails/")


def test_the_service_resizes(sandbox, chair):
    assert max(chair.poster(width=200).size) == 200
    assert opened(chair.poster_bytes(width=64, height=48)).size <= (64, 48)
    assert [seen.query for seen in asked(sandbox)] == ["width=200", "width=64&height=48"]


def test_a_poster_is_kept_by_its_blob_and_size(sandbox, vntana, chair):
    for _ in range(2):
        chair.poster(width=100)
    assert len(asked(sandbox)) == 1
    source = vntana.core.poster_source(chair._record, width=100)
    asset = chair.raw["asset"]["thumbnailBlobId"]
    host = sandbox.origin.removeprefix("http://")
    assert source.key == ("vntana", host, chair.id, chair.raw["clientUuid"], asset, "100", "")
    assert source.lifetime is None


def test_a_poster_by_its_three_ids(sandbox, vntana, chair):
    blob = chair.raw["asset"]["thumbnailBlobId"]
    image = vntana.poster(chair.id, chair.raw["clientUuid"], blob, width=128)
    assert image.size == chair.poster(width=128).size
    assert vntana.poster(chair.id, "Showroom", blob, width=96).width == 96
    assert vntana.poster_bytes(chair.id, chair.raw["clientUuid"], blob)[:4] == b"\x89PNG"


def test_a_poster_by_its_three_ids_as_first_request(sandbox, open_client, chair):
    blob, workspace = chair.raw["asset"]["thumbnailBlobId"], chair.raw["clientUuid"]
    client = open_client(sandbox.vntana_api.manager)  # of two workspaces; none is chosen, none needs to be
    assert client.poster(chair.id, workspace, blob, width=80).width == 80


def test_a_draft_has_no_poster_and_costs_no_login(sandbox, vntana):
    drafts = vntana.search(status="DRAFT")
    posters = drafts.posters(width=64)
    assert posters.images == [None] * 8
    error = posters.failures[0][2]
    assert isinstance(error, PermissionDenied)
    assert (error.code, error.status) == ("PRODUCT_IS_NOT_PUBLISHED", 403)
    assert "Publish the product first" in str(error)
    assert len(sandbox.faults.requests("auth/login")) == 1


def test_a_draft_that_is_merely_forbidden(sandbox, vntana):
    body = {"success": False, "errors": ["FORBIDDEN"], "response": None}
    sandbox.faults.add("/thumbnails/", status=403, body=body, count=None)
    posters = vntana.search(status="DRAFT").posters(width=64)
    assert all(isinstance(error, PermissionDenied) for _, _, error in posters.failures)
    assert "publish the product first" in str(posters.failures[0][2])
    assert len(sandbox.faults.requests("auth/")) == 2


@pytest.mark.parametrize("which", ["product", "blob"])
def test_unknown_ids(vntana, chair, which):
    unknown = "00000000-0000-0000-0000-000000000000"
    product = unknown if which == "product" else chair.id
    blob = unknown if which == "blob" else chair.raw["asset"]["thumbnailBlobId"]
    with pytest.raises(NotFound) as caught:
        vntana.poster(product, chair.raw["clientUuid"], blob)
    assert caught.value.code == {"product": "PRODUCT_NOT_FOUND", "blob": "THUMBNAIL_NOT_FOUND"}[which]


@pytest.mark.parametrize("id", ["", ".", "..", " "])
def test_ids_that_would_name_another_path(vntana, id):
    with pytest.raises(NotFound, match="is not the id"):
        vntana.poster(id, "showroom", "blob")
    with pytest.raises(NotFound, match="is not the id"):
        vntana.asset(id)


def test_ids_are_quoted(sandbox, vntana):
    with pytest.raises(NotFound, match=r"PRODUCT_NOT_FOUND|HANDLER_NOT_FOUND"):
        vntana.asset("../organizations?x=#y")
    (seen,) = sandbox.faults.requests("/v1/products/")
    assert (seen.path, seen.query) == ("/vntana/admin/v1/products/../organizations?x=#y", "")


def test_a_product_without_a_poster(open_client):
    client = open_client(organization="northlight-home", workspace="unusual-names")
    (asset,) = client.search(exact_name="Chair without poster")
    with pytest.raises(NotFound, match="has no poster"):
        asset.poster()


def test_an_empty_poster(sandbox, chair):
    sandbox.faults.add("/thumbnails/", kind="wrong_content", body=b"")
    with pytest.raises(BadResponse, match="empty body"):
        chair.poster()


def test_a_text_as_a_poster(sandbox, chair):
    sandbox.faults.add("/thumbnails/", kind="wrong_content")
    with pytest.raises(BadResponse, match="not a picture"):
        chair.poster()


def test_an_error_as_a_poster_with_status_200(sandbox, chair):
    body = {"success": False, "errors": ["THUMBNAIL_NOT_FOUND"], "response": None}
    sandbox.faults.add("/thumbnails/", status=200, body=body)
    with pytest.raises(NotFound, match="THUMBNAIL_NOT_FOUND"):
        chair.poster()


def test_a_redirect_carries_no_token_and_brings_none(sandbox, vntana, chair):
    """A storage host behind a redirect must see no token, and what it answers says nothing about ours."""
    with Sandbox() as elsewhere:
        workspace = f"{elsewhere.origin}/vntana/public/assets/organizations/northlight-home/clients/showroom"
        location = f"{workspace}/thumbnail/{chair.raw['asset']['thumbnailBlobId']}"
        sandbox.faults.add("/thumbnails/", kind="redirect", location=location, count=None)
        elsewhere.faults.add("/thumbnail/", status=403, headers={"X-AUTH-TOKEN": "theirs"})
        with pytest.raises(PermissionDenied):
            chair.poster(width=30)
        elsewhere.faults.add("/thumbnail/", kind="wrong_content", headers={"X-AUTH-TOKEN": "theirs"}, body=_png())
        assert chair.poster(width=32).width == 32
        assert all("x-auth-token" not in seen.headers for seen in elsewhere.faults.log)
        assert len(elsewhere.faults.log) == 2
    sandbox.faults.clear()
    assert vntana.search("chair").total == 11
    assert len(sandbox.faults.requests("auth/login")) == 1


def _png():
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64)).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_login_is_not_sent_on_to_another_host(sandbox, open_client):
    with Sandbox() as elsewhere:
        location = f"{elsewhere.origin}/vntana/admin/v1/auth/login/token"
        sandbox.faults.add("auth/login", kind="redirect", status=307, location=location)
        with pytest.raises(BadResponse, match="another host"):
            open_client().workspaces()
        assert not elsewhere.faults.log


def test_secrets_are_nowhere_to_be_seen(sandbox, open_client, caplog):
    user = sandbox.vntana_api.owner
    caplog.set_level(logging.DEBUG)
    client = open_client(email=user.email, password=user.password, organization="northlight-home")
    chairs = client.search("chair", workspace="showroom")
    shown = [repr(client), repr(client.core), repr(client.core._ladder._login), repr(chairs), repr(chairs[0])]
    sandbox.faults.add("/search", status=422, body={"success": False, "errors": ["INVALID_PAGE"]})
    with pytest.raises(InvalidRequest) as caught:
        len(client.search("lamp", workspace="showroom"))
    wrong = open_client(email=user.email, password=user.password + "x")
    with pytest.raises(Exception, match="BAD_CREDENTIALS") as refused:
        wrong.workspaces()
    shown += [caplog.text, repr(caught.value.__dict__), str(caught.value), str(refused.value), repr(refused.value.args)]
    tokens = list(sandbox.vntana_api.tokens._live)
    assert tokens
    for secret in [user.password, user.password + "x", *tokens]:
        assert not any(secret in text for text in shown)
    assert not any(user.email in text for text in shown)


def test_a_size_word_is_refused(sandbox, chair):
    """``size="huge"`` was ignored, and the poster came in its full size."""
    with pytest.raises(InvalidRequest, match="VNTANA has no sizes by name: give width and height"):
        chair.poster(size="huge")
    assert asked(sandbox) == []


def test_the_error_of_a_poster_by_ids_names_the_product(sandbox, vntana, chair):
    """It was "What came is not a picture" and nothing more."""
    sandbox.faults.add(path="/thumbnails/", kind="wrong_content", body=b"no picture")
    with pytest.raises(BadResponse, match=f"^VNTANA: the poster of product {chair.id} is not a picture"):
        vntana.poster(chair.id, chair.raw["clientUuid"], chair.raw["asset"]["thumbnailBlobId"])
