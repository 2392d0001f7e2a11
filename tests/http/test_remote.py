"""Files behind URLs that expire: streams, parts, versions, renewals."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from ipyassets import errors
from ipyassets.http.remote import SignedFile
from ipyassets.http.secret import Secret
from tests.http.conftest import Request, Server, answer
from tests.http.files import QUICK, WHOLE, Files, facts, use, whole
from tests.waiting import PATIENCE


def test_a_file_is_streamed_and_nothing_but_it_is_asked(files: Files):
    assert use(files, whole) == WHOLE
    (request,) = files.server.requests
    assert request.target == "/file?Signature=canary-1"
    assert request.headers["accept-encoding"] == "identity"
    assert not {"authorization", "cookie", "range"} & request.headers.keys()


def test_a_stream_goes_on_where_it_broke_off(files: Files):
    files.cuts = [4000, 3000, 0, 1000]
    assert use(files, whole) == WHOLE
    assert files.asked == [
        (None, None),
        ("bytes=4000-", '"one"'),
        ("bytes=7000-", '"one"'),
        ("bytes=7000-", '"one"'),
        ("bytes=8000-", '"one"'),
    ]


def test_a_stream_that_brings_nothing_more_ends_in_an_error(files: Files):
    files.cuts = [4000, *[0] * 20]
    with pytest.raises(errors.ServiceUnavailable, match="the film"):
        use(files, whole)
    assert len(files.server.requests) == QUICK.attempts


@pytest.mark.parametrize("start", [0, 1, 4000, len(WHOLE) - 1, len(WHOLE)])
def test_a_stream_may_begin_anywhere(files: Files, start: int):
    assert use(files, lambda file: whole(file, start)) == WHOLE[start:]


def test_a_stream_cannot_begin_beyond_the_end(files: Files):
    with pytest.raises(errors.InvalidRequest, match=f"{len(WHOLE)} bytes"):
        use(files, lambda file: whole(file, len(WHOLE) + 1))
    with pytest.raises(errors.InvalidRequest, match="byte 0"):
        use(files, lambda file: whole(file, -1))


def test_without_parts_what_came_is_fetched_again_and_left_out(files: Files):
    files.parts, files.cuts = False, [4000, 5000]
    assert use(files, whole) == WHOLE
    assert files.asked == [(None, None), ("bytes=4000-", '"one"'), (None, None)]
    files.cuts = [4000]
    assert use(files, lambda file: whole(file, 3000)) == WHOLE[3000:]
    with pytest.raises(errors.InvalidRequest):
        use(files, lambda file: whole(file, len(WHOLE) + 1))


@pytest.mark.parametrize("headers", [{"last_modified": "Sun, 22 Nov 2026 20:00:00 GMT"}, {"etag": 'W/"x"'}, {}])
@pytest.mark.parametrize("parts", [True, False])
@pytest.mark.parametrize("start", [0, 100])
def test_servers_that_name_no_version_are_read_whole_nevertheless(
    files: Files, headers: dict[str, str], parts: bool, start: int
):
    files.headers, files.parts, files.cuts = headers, parts, [4000, 6000, 0, 200]
    assert use(files, lambda file: whole(file, start)) == WHOLE[start:]
    assert not any((tag or "").startswith("W/") for _, tag in files.asked)  # it may stand for other bytes


@pytest.mark.parametrize(
    "headers",
    [({"etag": '"one"'}, {"etag": '"two"'}), ({"last_modified": "a"}, {"last_modified": "b"}), ({}, {}),
     ({"etag": '"one"'}, {})],
    ids=["tag", "date", "nothing", "tag lost"],
)  # fmt: skip
@pytest.mark.parametrize("parts", [True, False])
@pytest.mark.parametrize("same_size", [True, False])
def test_a_file_that_changed_in_the_middle_is_not_mixed(
    files: Files, headers: tuple[dict[str, str], dict[str, str]], parts: bool, same_size: bool
):
    """Half of one picture and half of another decode without an error, and nobody would know."""
    files.headers, files.parts, files.cuts = headers[0], parts, [4000]

    async def change(file: SignedFile) -> bytes:
        got = b""
        async for piece in file.stream():
            got += piece
            files.content = b"another" * (len(WHOLE) // 7 + 1)
            files.content = files.content[: len(WHOLE)] if same_size else files.content
            files.headers = headers[1]
        return got

    with pytest.raises(errors.BadResponse, match="changed"):
        use(files, change)


def test_a_file_that_changed_between_two_parts_is_not_mixed(files: Files):
    async def change(file: SignedFile) -> None:
        assert await file.read(0, 10) == WHOLE[:10]
        files.headers, files.content = {"etag": '"two"'}, WHOLE[::-1]
        await file.read(10, 20)

    with pytest.raises(errors.BadResponse, match="changed"):
        use(files, change)
    assert files.asked[1] == ("bytes=10-19", '"one"')


def test_a_file_that_changed_is_read_anew(files: Files):
    """It said "begin again", and there was no way to."""

    async def change(file: SignedFile) -> tuple[bytes, bytes]:
        await file.read(0, 10)
        assert not file.changed
        files.headers, files.content = {"etag": '"two"'}, WHOLE[::-1]
        for _ in range(2):
            with pytest.raises(errors.BadResponse, match="changed"):
                await file.read(10, 20)
        assert file.changed
        new = file.anew()
        assert (new.what, new.name, new.media_type, new.changed) == (file.what, file.name, file.media_type, False)
        return await new.read(10, 20), await whole(new)

    assert use(files, change) == (WHOLE[::-1][10:20], WHOLE[::-1])


def test_parts_are_read_by_range(files: Files):
    async def some(file: SignedFile) -> list[bytes]:
        return [await file.read(*span) for span in ((0, 1), (5, 5), (100, 5000), (len(WHOLE) - 22, len(WHOLE)))]

    assert use(files, some) == [WHOLE[:1], b"", WHOLE[100:5000], WHOLE[-22:]]
    assert [range for range, _ in files.asked] == ["bytes=0-0", "bytes=100-4999", f"bytes={len(WHOLE) - 22}-10239"]


def test_a_part_that_breaks_off_is_gone_on_with(files: Files):
    files.cuts = [10, 0, 20]
    assert use(files, lambda file: file.read(100, 200)) == WHOLE[100:200]
    assert [range for range, _ in files.asked] == [
        "bytes=100-199", "bytes=110-199", "bytes=110-199", "bytes=130-199",
    ]  # fmt: skip


@pytest.mark.parametrize("span", [(-1, 5), (5, 4)])
def test_parts_that_cannot_be(files: Files, span: tuple[int, int]):
    with pytest.raises(errors.InvalidRequest):
        use(files, lambda file: file.read(*span))
    assert files.server.requests == []


@pytest.mark.parametrize("span", [(10_000, 10_241), (10_240, 10_241), (20_000, 30_000)])
def test_parts_beyond_the_end(files: Files, span: tuple[int, int]):
    with pytest.raises(errors.InvalidRequest):
        use(files, lambda file: file.read(*span))


def test_no_parts_where_the_server_gives_none(files: Files):
    files.parts = False
    for span in ((0, 1), (5, 10), (0, len(WHOLE))):
        with pytest.raises(errors.BadResponse, match="as a whole"):
            use(files, lambda file, span=span: file.read(*span))


def test_what_a_server_says_before_it_sends(files: Files):
    files.headers["content_disposition"] = 'attachment; filename="mine.zip"'
    assert use(files, facts) == (len(WHOLE), True, True, "mine.zip")
    assert files.asked == [("bytes=0-0", None)]
    files.parts, files.headers = False, {}
    assert use(files, facts) == (len(WHOLE), False, False, None)
    assert len(files.server.requests) == 2


def test_of_an_empty_file(files: Files):
    files.content = b""
    assert use(files, facts)[:2] == (0, True)
    assert use(files, whole) == b""
    files.parts = False
    assert use(files, facts)[:2] == (0, False)


def test_the_version_is_the_same_later_and_another_for_other_content(files: Files):
    async def version(file: SignedFile) -> str | None:
        return await file.version()

    first, second = use(files, version), use(files, version)
    assert first == second
    files.headers = {"etag": '"two"'}
    assert use(files, version) != first


def test_a_size_that_was_learned_by_the_way_is_not_asked_for(files: Files):
    async def both(file: SignedFile) -> int | None:
        await whole(file)
        return await file.size()

    assert use(files, both) == len(WHOLE)
    assert len(files.server.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_url_that_expired_before_is_renewed(files: Files, status: int):
    first = Secret(f"{files.server.url}/file?Signature=canary-0")
    serve = files.serve
    files.server.handler = lambda r: answer(b"", status) if r.target.endswith("canary-0") else serve(r)
    assert use(files, whole, first=first) == WHOLE
    assert [r.target[-1] for r in files.server.requests] == ["0", "1"]


def test_a_url_that_expires_in_the_middle_is_renewed_each_time(files: Files):
    files.cuts = [1000] * 9

    async def expiring(file: SignedFile) -> bytes:
        got = b""
        async for piece in file.stream():
            got += piece
            files.good += 1  # what was good is so no more
        return got

    assert use(files, expiring) == WHOLE
    assert len(files.server.requests) > QUICK.attempts * 2


def test_a_url_is_renewed_a_few_times_only(files: Files):
    """The advice was to ask for a fresh link, which had been done."""
    files.server.handler = lambda _: answer(b"", 403)
    with pytest.raises(errors.PermissionDenied, match="new links that were asked for"):
        use(files, whole)
    assert [r.target[-1] for r in files.server.requests] == ["1", "2", "3"]


def test_readers_of_one_file_renew_its_url_together(files: Files):
    """A refusal that arrives late, of a URL that was renewed meanwhile, must not throw the new one away."""
    renew, serve = files.fresh, files.serve
    renewed, late, all_came = asyncio.Event(), [0], threading.Event()

    async def fresh() -> Secret:
        if files.good == 2:
            assert await asyncio.to_thread(all_came.wait, PATIENCE)  # the others come while it is under way
        url = await renew()
        if files.good == 3:
            files.server._loop.call_soon_threadsafe(renewed.set)
        return url

    async def hold(request: Request) -> bytes:
        given = serve(request)
        late[0] += request.target.endswith("canary-1")
        if late[0] == 8:
            all_came.set()
        if request.target.endswith("canary-1") and late[0] > 5:
            await renewed.wait()
        return given

    async def many(file: SignedFile) -> list[bytes]:
        await file.read(0, 1)
        files.good += 1
        files.server.handler = lambda request: hold(request)
        return await asyncio.gather(*(file.read(n, n + 10) for n in range(8)))

    files.fresh = fresh  # type: ignore[method-assign]
    assert use(files, many) == [WHOLE[n : n + 10] for n in range(8)]
    assert files.good == 3


def test_why_there_is_no_new_url_is_said(files: Files):
    async def gone() -> Secret:
        raise errors.NotFound("There is no such job.")

    first = Secret(f"{files.server.url}/file?Signature=canary-9")
    files.fresh = gone  # type: ignore[method-assign]
    with pytest.raises(errors.NotFound, match="no such job"):
        use(files, whole, first=first)


def test_trouble_of_the_server_is_waited_out(files: Files):
    serve = files.serve
    files.server.handler = lambda r: answer(b"", 503) if len(files.server.requests) < 3 else serve(r)
    assert use(files, whole) == WHOLE


def test_a_wait_longer_than_we_make_is_said(files: Files):
    files.server.handler = lambda _: answer(b"", 429, retry_after="900")
    with pytest.raises(errors.RateLimited) as caught:
        use(files, whole)
    assert caught.value.retry_after == 900
    assert len(files.server.requests) == 1


def test_a_redirect_is_followed_with_range_and_without_credentials(files: Files, other_server: Server):
    here = files.server
    elsewhere = Files(other_server)
    elsewhere.good, elsewhere.cuts = 7, [4000]
    here.handler = lambda _: answer(b"", 302, location=f"{other_server.url}/file?Signature=canary-7")
    assert use(files, whole) == WHOLE
    assert elsewhere.asked == [(None, None), ("bytes=4000-", '"one"')]
    assert not any("authorization" in r.headers for r in other_server.requests)


@pytest.mark.parametrize("read", [whole, lambda file: file.read(100, 9_000)], ids=["stream", "part"])
def test_a_file_that_comes_a_few_bytes_at_a_time_is_an_error_in_the_end(files: Files, read: Any) -> None:
    """Each answer brought twenty bytes and broke off: that counted as progress, and went on for hours."""
    files.cuts = [20] * 10_000
    with pytest.raises(errors.ServiceUnavailable):
        use(files, read)
    assert len(files.asked) < 10
