from __future__ import annotations

import io
import json
import logging
from dataclasses import fields, replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from PIL import Image

from ipyassets.clients.vntana import Vntana
from ipyassets.errors import AuthenticationError, BadResponse, NotFound, RateLimited, ServiceUnavailable
from ipyassets.http import loop
from ipyassets.sandbox import Sandbox
from ipyassets.services.rendering import RenderFile, RenderOrder, Turntable
from ipyassets.services.vntana.attachments import render_files
from tests.http.conftest import Server, answer
from tests.services.calls import QUICK
from tests.services.vntana.scripted import WORKSPACE, a_record, refusal

SEARCH = "POST /v1/attachments/search"
SIGN = "POST /v1/storage/download/clients/sign-url"
DIRECT = "GET /v1/comments/images/"
MP4 = b"\0\0\0\x18ftypisom" + b"\0" * 400
PNG = b"\x89PNG\r\n\x1a\n" + bytes(2000)


def row(number, name, entity="RENDER", created="2026-01-01T10:00:00", **more):
    blob = f"blob-{number}.{name.rpartition('.')[2]}"
    return {"uuid": f"a{number}", "name": name, "entityType": entity, "blobId": blob, "created": created, **more}


def a_file(**changes):
    made = RenderFile("p1", "stills", "a1", "render-0-x.png", "png", blob="blob-1.png", workspace=WORKSPACE)
    return replace(made, **changes)


# -- which there are ----------------------------------------------------------------------------------------------


def test_stills_by_number_then_turntables():
    rows = [
        row(1, "turntable-mp4-x.mp4", "TURNTABLE"),
        row(2, "render-10-x.png"),
        row(3, "render-2-x.png"),
        row(4, "turntable-gif-x.gif", "TURNTABLE"),
        row(5, "render-0-x.webp"),
    ]
    files = render_files(rows, "p1", "w1")
    assert [file.id for file in files] == ["a5", "a3", "a2", "a4", "a1"]
    assert [(file.part, file.position, file.media) for file in files] == [
        ("stills", 0, "webp"),
        ("stills", 2, "png"),
        ("stills", 10, "png"),
        ("turntable", 0, "gif"),
        ("turntable", 0, "mp4"),
    ]
    assert {(file.asset, file.workspace) for file in files} == {("p1", "w1")}


def test_old_and_new_of_one_number_by_age():
    rows = [row(1, "render-0-b.png", created="2026-02-01T00:00:00"), row(2, "render-0-a.png")]
    assert [file.id for file in render_files(rows, "p1")] == ["a2", "a1"]


def test_uploads_come_after_by_age_and_name():
    rows = [
        row(1, "retouched.JPEG", created="2026-01-02T00:00:00"),
        row(2, "hero.png", created="2026-01-01T00:00:00"),
        row(3, "detail.png", created="2026-01-01T00:00:00"),
        row(4, "render-1-x.png"),
    ]
    files = render_files(rows, "p1")
    assert [(file.id, file.position, file.media) for file in files] == [
        ("a4", 1, "png"),
        ("a3", 2, "png"),
        ("a2", 3, "png"),
        ("a1", 4, "jpg"),
    ]


@pytest.mark.parametrize(
    ("given", "part"),
    [
        (row(1, "render-0-x.png", "PRODUCT"), "stills"),
        (row(1, "turntable-gif-x.gif", "PRODUCT"), "turntable"),
        (row(1, "render-0-x.png", "render"), "stills"),
        (row(1, "render-0-x.png", None), "stills"),
        (row(1, "spin.gif", "TURNTABLE"), "turntable"),
        (row(1, "qrCode_x.png", "PRODUCT"), None),
        (row(1, "render-0-x.png", "COMMENT"), None),
        (row(1, "brochure.pdf", "RENDER"), None),
        (row(1, "tour.mp4", "RENDER"), None),
        (row(1, "drawing.svg", "RENDER"), None),
        ({"name": "render-0-x.png", "entityType": "RENDER"}, None),
        ({}, None),
    ],
)
def test_what_counts_as_a_render(given, part):
    assert [file.part for file in render_files([given], "p1")] == ([part] if part else [])


def test_the_kind_of_file_from_the_name_else_the_blob():
    (file,) = render_files([row(1, "hero", blobId="b.PNG", updated="2026-01-03T10:00:00.123456")], "p1")
    assert (file.name, file.media, file.blob) == ("hero", "png", "b.PNG")
    assert file.updated == datetime(2026, 1, 3, 10, 0, 0, 123456, tzinfo=UTC)
    (file,) = render_files([{"uuid": "a1", "entityType": "RENDER"}], "p1")
    assert (file.name, file.media, file.blob, file.created) == ("a1", "", None, None)
    assert file.version == ("a1", None, None)


def test_what_somebody_uploaded_is_told_by_its_name():
    names = ("render-0-x.png", "photo.jpg"), ("turntable-mp4-x.mp4", "walk.mp4")
    rows = [row(1, name, "RENDER") for name in names[0]] + [row(2, name, "TURNTABLE") for name in names[1]]
    files = render_files([{**each, "uuid": f"u{n}"} for n, each in enumerate(rows)], "p1")
    assert {file.name: file.uploaded for file in files} == {
        "render-0-x.png": False,
        "photo.jpg": True,
        "turntable-mp4-x.mp4": False,
        "walk.mp4": True,
    }


# -- the sandbox --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def studio():
    """A sandbox that has rendered one product, which is not put back between these tests."""
    with Sandbox() as running:
        running.settings.render_quality = "draft"
        key = running.vntana_api.owner.personal_access_token
        with Vntana(key, base_url=f"{running.origin}/vntana/admin", organization="northlight-home") as client:
            record = client.search("armchair", workspace="showroom")[0]._record
            order = RenderOrder(width=64, height=48, turntable=Turntable(frames=2, width=32, height=32, gif=True))
            loop.run(client.core.submit_renders([record], order))
            running.renders.wait_idle()
        yield running, record


@pytest.fixture
def sandbox(studio):
    running, _ = studio
    before = replace(running.settings)
    running.faults.log.clear()
    yield running
    running.faults.clear()
    for setting in fields(before):
        setattr(running.settings, setting.name, getattr(before, setting.name))


@pytest.fixture
def rendered(studio):
    """The product with five stills, a turntable and its GIF."""
    return studio[1]


def files_of(client, record):
    return loop.run(client.core.render_files(record))


def fetched(client, file):
    return loop.run(client.core.render_file(file))


def test_the_files_of_a_product_and_their_bytes(sandbox, vntana, rendered):
    files = files_of(vntana, rendered)
    (asked,) = sandbox.faults.requests("/attachments/search")
    assert [file.media for file in files] == ["png"] * 5 + ["gif", "mp4"]
    assert asked.json == {"page": 0, "size": 100, "productUuid": rendered.id, "sortDirection": "ASC"}
    stills = files[:5]
    assert [file.position for file in stills] == [0, 1, 2, 3, 4]
    served = fetched(vntana, stills[0])
    image = Image.open(io.BytesIO(served.content))
    assert (image.format, image.size) == ("PNG", (64, 48))
    assert fetched(vntana, files[5]).content.startswith(b"GIF8")
    assert fetched(vntana, files[6]).content[4:8] == b"ftyp"
    signed = sandbox.faults.requests("sign-url")
    assert [seen.json["entityUuid"] for seen in signed] == [files[0].id, files[5].id, files[6].id]
    assert [seen.json["storeType"] for seen in signed] == ["RENDER", "TURNTABLE", "TURNTABLE"]
    assert {seen.headers["origin"] for seen in signed} == {sandbox.origin}
    for seen in sandbox.faults.requests("/vntana/storage/"):
        assert seen.headers["content-type"] == "application/octet-stream"
        assert not {"x-auth-token", "authorization", "cookie"} & set(seen.headers)


def test_a_product_that_is_no_more_has_no_files(sandbox, vntana):
    record = vntana.search("sofa")[0]._record
    sandbox.renders.delete(record.id)
    with pytest.raises(NotFound, match="PRODUCT_NOT_FOUND") as caught:
        files_of(vntana, record)
    assert record.name in str(caught.value)


def test_uploads_are_told_from_other_attachments(sandbox, vntana):
    """Of what people hung on products, the Renders tab shows what has that type, not every picture."""
    found = [file for asset in vntana.search() for file in files_of(vntana, asset._record)]
    uploads = {file.name for file in found if not file.name.startswith(("render-", "turntable-"))}
    assert uploads == {"campaign-hero.png", "retouched.png"}


@pytest.mark.parametrize("status", [400, 403])
def test_a_signed_url_that_expired_is_renewed_once(sandbox, vntana, rendered, status):
    file = files_of(vntana, rendered)[0]
    sandbox.faults.add("/vntana/storage/", status=status, body="<Error><Code>ExpiredToken</Code></Error>")
    assert fetched(vntana, file).content
    assert len(sandbox.faults.requests("sign-url")) == len(sandbox.faults.requests("/vntana/storage/")) == 2
    assert not sandbox.faults.requests("/comments/images/")


def test_signed_urls_that_never_open_give_way_to_the_direct_route(sandbox, vntana, rendered):
    sandbox.settings.vntana_signed_url_lifetime = -1.0
    file = files_of(vntana, rendered)[0]
    assert fetched(vntana, file).content.startswith(b"\x89PNG")
    assert len(sandbox.faults.requests("sign-url")) == 2
    (direct,) = sandbox.faults.requests("/comments/images/")
    assert direct.query == f"clientUuid={file.workspace}"


@pytest.mark.parametrize(
    ("status", "code", "again"),
    [
        (400, "INVALID_STORE_TYPE", 2),
        (403, "ACCESS_DENIED", 2),
        (404, "HANDLER_NOT_FOUND", 1),
        (405, "METHOD_NOT_ALLOWED", 1),
        (422, "NOT_SUPPORTED_STORE_TYPE", 1),
        (500, "INTERNAL_SERVER_ERROR", 2 * QUICK.attempts),
    ],
)
def test_where_signing_is_refused_the_service_serves_itself(sandbox, vntana, rendered, status, code, again):
    vntana.core._http.policy = QUICK
    file = files_of(vntana, rendered)[0]
    body = {"success": False, "errors": [code], "response": None}
    sandbox.faults.add("sign-url", status=status, body=body, count=None)
    for _ in range(2):
        assert fetched(vntana, file).content.startswith(b"\x89PNG")
    assert len(sandbox.faults.requests("sign-url")) == again
    assert len(sandbox.faults.requests("/comments/images/")) == 2


def test_a_cut_file_is_completed(sandbox, vntana, rendered):
    vntana.core._http.policy = QUICK
    file = files_of(vntana, rendered)[0]
    whole = fetched(vntana, file).content
    sandbox.faults.add("/vntana/storage/", kind="cut")
    assert fetched(vntana, file).content == whole
    rest = sandbox.faults.requests("/vntana/storage/")[-1]
    assert rest.headers["range"] == f"bytes={len(whole) // 2}-"
    assert rest.status == 206


def test_a_file_that_is_always_cut_is_an_error(sandbox, vntana, rendered):
    vntana.core._http.policy = QUICK
    file = files_of(vntana, rendered)[0]
    sandbox.faults.add("/vntana/storage/|/comments/images/", kind="cut", after=10, count=None)
    with pytest.raises(ServiceUnavailable, match="connection broke"):
        fetched(vntana, file)


@pytest.mark.parametrize("body", [b"", b"This is not what was asked for.\n", b"<html>login</html>", b"{}"])
def test_what_is_no_picture_is_fetched_the_other_way_else_refused(sandbox, vntana, rendered, body):
    file = files_of(vntana, rendered)[0]
    sandbox.faults.add("/vntana/storage/", kind="wrong_content", body=body)
    assert fetched(vntana, file).content.startswith(b"\x89PNG")
    sandbox.faults.add("/vntana/storage/|/comments/images/", kind="wrong_content", body=body, count=2)
    with pytest.raises(BadResponse, match=r"empty body|neither a picture nor a film") as caught:
        fetched(vntana, file)
    assert file.name in str(caught.value) or file.blob in str(caught.value)


def test_a_file_replaced_meanwhile(sandbox, vntana, rendered):
    file = replace(files_of(vntana, rendered)[0], id="0" * 8, blob="gone.png")
    with pytest.raises(NotFound, match="replaced or deleted meanwhile"):
        fetched(vntana, file)


def test_a_token_revoked_between_two_files(sandbox, vntana, rendered):
    files = files_of(vntana, rendered)
    assert fetched(vntana, files[0]).content
    sandbox.vntana_api.tokens.revoke_all()
    assert fetched(vntana, files[1]).content
    assert not sandbox.faults.requests("/comments/images/")


def test_a_signed_url_is_nowhere_to_be_seen(sandbox, vntana, rendered, caplog):
    caplog.set_level(logging.DEBUG)
    vntana.core._http.policy = QUICK
    file = files_of(vntana, rendered)[0]
    sandbox.faults.add("/vntana/storage/", status=503, count=None)
    sandbox.faults.add("/comments/images/", status=404, body={"success": False, "errors": ["HANDLER_NOT_FOUND"]})
    with pytest.raises(ServiceUnavailable) as caught:
        fetched(vntana, file)
    assert file.name in str(caught.value)
    error, shown = caught.value, caplog.text
    while error is not None:
        shown += f"{error!r} {vars(error)!r}"
        trace = error.__traceback__
        while trace is not None:
            if "/ipyassets/" in trace.tb_frame.f_code.co_filename:
                shown += repr(trace.tb_frame.f_locals)
            trace = trace.tb_next
        error = error.__cause__ or error.__context__
    used = [urlsplit(f"{seen.path}?{seen.query}") for seen in sandbox.faults.requests("/vntana/storage/")]
    assert used
    assert "X-Goog" not in shown
    assert all(url.path not in shown for url in used)


# -- other installations ------------------------------------------------------------------------------------------


def listing(api, rows, *, page_size=100, counted=True, ignores_pages=False):
    def found(request):
        page = 0 if ignores_pages else json.loads(request.body)["page"]
        part = rows[page * page_size : (page + 1) * page_size]
        return {"grid": part, **({"totalCount": len(rows)} if counted else {})}

    api.routes[SEARCH] = found


@pytest.mark.parametrize("counted", [True, False])
def test_all_pages_are_read_and_filtered_here(api, counted):
    rows = [row(n, f"photo-{n}.png", "PRODUCT") for n in range(230)] + [row(999, "render-0-x.png")]
    listing(api, rows, counted=counted)
    files = loop.run(api.service.render_files(a_record(1)))
    assert [file.id for file in files] == ["a999"]
    assert [body["page"] for body in api.bodies(SEARCH)] == [0, 1, 2]
    assert all("entityType" not in body for body in api.bodies(SEARCH))


def test_smaller_pages_than_asked_for(api):
    listing(api, [row(n, f"render-{n}-x.png") for n in range(25)], page_size=10)
    assert len(loop.run(api.service.render_files(a_record(1)))) == 25


@pytest.mark.parametrize("counted", [True, False])
def test_a_service_that_ignores_the_page_ends(api, counted):
    listing(api, [row(n, f"render-{n}-x.png") for n in range(150)], ignores_pages=True, counted=counted)
    assert len(loop.run(api.service.render_files(a_record(1)))) == 100
    assert len(api.asked(SEARCH)) == 2


def test_no_files(api):
    listing(api, [])
    assert loop.run(api.service.render_files(a_record(1))) == ()


@pytest.fixture
def storage():
    made = Server()
    yield made
    made.stop()


def test_the_signed_url_reaches_the_storage_as_it_was_given(api, storage):
    """A re-quoted query breaks the signature."""
    target = "/bucket/a%2Fb.png?X-Goog-Signature=%24%2F%3D~&empty="
    api.routes[SIGN] = lambda request: {"location": storage.url + target}
    storage.handler = lambda request: answer(PNG)
    assert loop.run(api.service.render_file(a_file())).content == PNG
    assert storage.requests[0].target == target
    assert storage.requests[0].headers["origin"] == api.service.base_url
    assert "x-auth-token" not in storage.requests[0].headers


def test_a_redirect_of_the_storage_keeps_the_content_type(api, storage):
    api.routes[SIGN] = lambda request: {"location": f"{api.server.url}/moved?sig=1"}
    api.routes["GET /moved"] = lambda request: answer(b"", 307, location=f"{storage.url}/there?sig=2")
    storage.handler = lambda request: answer(MP4)
    film = a_file(part="turntable", name="turntable-mp4-x.mp4", media="mp4")
    assert loop.run(api.service.render_file(film)).content == MP4
    assert storage.requests[0].headers["content-type"] == "application/octet-stream"
    assert not {"x-auth-token", "origin", "cookie"} & set(storage.requests[0].headers)
    assert api.bodies(SIGN) == [{"entityUuid": "a1", "storeType": "TURNTABLE"}]


@pytest.mark.parametrize("location", ["", None, 5, "ftp://host/x", "/relative", "http://[bad", "javascript:alert(1)"])
def test_a_location_that_is_none_gives_way_to_the_direct_route(api, location):
    api.routes[SIGN] = lambda request: {"location": location}
    api.routes[DIRECT] = lambda request: answer(PNG)
    assert loop.run(api.service.render_file(a_file())).content == PNG
    assert api.asked(DIRECT)[0].target == f"/v1/comments/images/blob-1.png?clientUuid={WORKSPACE}"


def test_a_file_of_no_known_workspace(api):
    api.routes["GET /v1/products/p1"] = lambda request: {"uuid": "p1", "clientUuid": WORKSPACE}
    api.routes[DIRECT] = lambda request: answer(PNG)
    assert loop.run(api.service.render_file(a_file(workspace=None))).content == PNG
    assert api.asked(DIRECT)[0].target.endswith(f"clientUuid={WORKSPACE}")


def test_a_file_without_a_blob_where_nothing_is_signed(api):
    with pytest.raises(NotFound, match="names no blob"):
        loop.run(api.service.render_file(a_file(blob=None)))


def test_a_storage_that_is_shut_is_not_told_as_a_replaced_file(api, storage):
    api.routes[SIGN] = lambda request: {"location": f"{storage.url}/x?sig=1"}
    storage.handler = lambda request: answer(b"<Error/>", 503)
    with pytest.raises(ServiceUnavailable):
        loop.run(api.service.render_file(a_file()))


def test_a_rate_limit_is_no_reason_to_ask_twice_as_much(api):
    api.routes[SIGN] = lambda request: refusal(429, "API_RATE_LIMIT_EXCEEDED")
    with pytest.raises(RateLimited):
        loop.run(api.service.render_file(a_file()))
    assert not api.asked(DIRECT)


def test_a_login_that_ended_is_said(api):
    api.routes[SIGN] = lambda request: refusal(401, "UNAUTHORIZED")
    with pytest.raises(AuthenticationError):
        loop.run(api.service.render_file(a_file()))
    assert not api.asked(DIRECT)


def test_a_file_too_large_is_refused(api, storage):
    api.routes[SIGN] = lambda request: {"location": f"{storage.url}/x?sig=1"}
    storage.handler = lambda request: answer(b"", length=1 << 30, close=True)
    api.routes[DIRECT] = lambda request: answer(b"", length=1 << 30, close=True)
    with pytest.raises(BadResponse, match="more than 512 MB"):
        loop.run(api.service.render_file(a_file()))
