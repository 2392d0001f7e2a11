"""Files behind URLs that expire, served by answers that each test writes itself."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import logging
import tracemalloc
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from ipyassets import errors
from ipyassets.http import loop
from ipyassets.http.client import HttpClient
from ipyassets.http.messages import Explanation
from ipyassets.http.remote import SignedFile
from ipyassets.http.retry import DEFAULT_POLICY
from ipyassets.http.secret import Secret
from tests.http.conftest import Request, Server, answer

T = TypeVar("T")

QUICK = replace(DEFAULT_POLICY, first=0.001, longest=0.002, retry_after_limit=0.2)
WHOLE = bytes(range(256)) * 40
PACKED = gzip.compress(b"a part of what?")


class Files:
    """A file server: WHOLE behind ``/file?Signature=canary-N``, of which only the newest is good."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.content = WHOLE
        self.headers: dict[str, str] = {"etag": '"one"'}
        self.parts = True
        self.good = 0
        self.cuts: list[int] = []
        """Bytes after which the next bodies break off."""
        server.handler = self.serve

    async def fresh(self) -> Secret:
        self.good += 1
        return Secret(f"{self.server.url}/file?Signature=canary-{self.good}")

    def serve(self, request: Request) -> bytes:
        if not request.target.endswith(f"canary-{self.good}"):
            return answer(b"<Error><Code>AccessDenied</Code></Error>", 403)
        size = len(self.content)
        start, stop, status, headers = 0, size, 200, dict(self.headers)
        asked = request.headers.get("range")
        validators = (self.headers.get("etag"), self.headers.get("last_modified"))
        if asked and self.parts and request.headers.get("if-range", validators[0]) in validators:
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start, stop, status = int(first), min(size, int(last) + 1 if last else size), 206
            if start >= size:
                return answer(b"", 416, content_range=f"bytes */{size}")
            headers["content_range"] = f"bytes {start}-{stop - 1}/{size}"
        body = self.content[start:stop]
        cut = self.cuts.pop(0) if self.cuts else None
        if cut is not None and cut < len(body):
            return answer(body[:cut], status, length=len(body), close=True, **headers)
        return answer(body, status, **headers)

    @property
    def asked(self) -> list[tuple[str | None, str | None]]:
        return [(r.headers.get("range"), r.headers.get("if-range")) for r in self.server.requests]


def chunked(*chunks: bytes, status: int = 200, end: bool = True, **headers: str) -> bytes:
    """An answer that does not tell its length beforehand; without its ``end`` it breaks off."""
    lines = [f"HTTP/1.1 {status} X", "Transfer-Encoding: chunked"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines += [] if end else ["Connection: close"]
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + (b"0\r\n\r\n" if end else b"")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@pytest.fixture
def files(server: Server) -> Files:
    return Files(server)


def use(files: Files, work: Callable[[SignedFile], Any], *, http: HttpClient | None = None, **options: Any) -> Any:
    """What ``work`` brings of the file; the client is closed afterwards."""
    client = http or HttpClient("Test files", explain=lambda _: Explanation(), policy=QUICK)

    async def go() -> Any:
        try:
            return await work(SignedFile(client, files.fresh, what="the film", **options))
        finally:
            await client.close()

    return loop.run(go())


async def whole(file: SignedFile, start: int = 0) -> bytes:
    return b"".join([piece async for piece in file.stream(start)])


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


async def facts(file: SignedFile) -> tuple[Any, ...]:
    return await file.size(), await file.ranges(), await file.version() is not None, file.name


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
    files.server.handler = lambda _: answer(b"", 403)
    with pytest.raises(errors.PermissionDenied, match="the film"):
        use(files, whole)
    assert [r.target[-1] for r in files.server.requests] == ["1", "2", "3"]


def test_readers_of_one_file_renew_its_url_together(files: Files):
    """A refusal that arrives late, of a URL that was renewed meanwhile, must not throw the new one away."""
    renew, serve = files.fresh, files.serve
    renewed, late = asyncio.Event(), [0]

    async def fresh() -> Secret:
        await asyncio.sleep(0.01)  # the others come while it is under way
        url = await renew()
        if files.good == 3:
            files.server._loop.call_soon_threadsafe(renewed.set)
        return url

    async def hold(request: Request) -> bytes:
        given = serve(request)
        late[0] += request.target.endswith("canary-1")
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


def test_silence_in_the_middle_ends(files: Files):
    async def stall(request: Request) -> bytes:
        if len(files.server.requests) > 1:
            return files.serve(request)
        return await begun_and_silent(files.server, WHOLE[:5000], len(WHOLE))

    files.server.handler = lambda request: stall(request)
    http = HttpClient("Test files", explain=lambda _: Explanation(), policy=QUICK, read_timeout=0.1)
    assert use(files, whole, http=http) == WHOLE


async def begun_and_silent(server: Server, content: bytes, length: int) -> bytes:
    """The beginning of a body; the rest never comes, and the connection stays."""
    return answer(content, length=length, etag='"one"')


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ((100, 200), answer(b"x" * 100, 206, content_range="bytes 0-99/10240")),
        ((100, 200), answer(b"x" * 200, 206, content_range="bytes 100-299/10240")),
        ((100, 200), answer(b"x" * 99, 206, content_range="bytes 100-199/10240")),
        ((100, 200), answer(b"x" * 100, 206, content_range="bytes 100-199/150")),
        ((100, 200), answer(b"x" * 100, 206, content_range="bytes 199-100/10240")),
        ((100, 200), answer(b"x" * 100, 206, content_range="nonsense")),
        ((100, 200), answer(b"x" * 100, 206)),
        (
            (100, 100 + len(PACKED)),
            answer(
                PACKED,
                206,
                content_range=f"bytes 100-{99 + len(PACKED)}/10240",
                content_encoding="gzip",
            ),
        ),
        (None, answer(b"x" * 100, 206, content_range="bytes 0-99/100")),
    ],
    ids=["earlier", "more", "length", "beyond", "backwards", "nonsense", "unsaid", "packed", "unasked"],
)
def test_parts_other_than_asked_for_are_refused(files: Files, asked: tuple[int, int] | None, given: bytes):
    files.server.handler = lambda _: given
    with pytest.raises(errors.BadResponse):
        use(files, lambda file: file.read(*asked) if asked else whole(file))


def test_a_part_of_more_bytes_than_it_says_is_refused(files: Files):
    said = {"content_range": "bytes 100-199/10240", "etag": '"one"'}
    files.server.handler = lambda _: chunked(WHOLE[100:300], status=206, **said)
    with pytest.raises(errors.BadResponse, match="more bytes"):
        use(files, lambda file: file.read(100, 200))


def test_a_part_of_fewer_bytes_than_it_says_broke_off(files: Files):
    said = {"content_range": "bytes 100-199/10240", "etag": '"one"'}
    good = files.serve
    files.server.handler = lambda request: (
        chunked(WHOLE[100:150], status=206, **said) if len(files.server.requests) < 2 else good(request)
    )
    assert use(files, lambda file: file.read(100, 200)) == WHOLE[100:200]
    assert [range for range, _ in files.asked] == ["bytes=100-199", "bytes=150-199"]


def test_parts_smaller_than_asked_for_are_added_up(files: Files):
    def serve(request: Request) -> bytes:
        first, _, last = request.headers["range"].removeprefix("bytes=").partition("-")
        start = int(first)
        part = WHOLE[start : min(start + 3000, int(last or len(WHOLE)) + 1)]
        return answer(part, 206, content_range=f"bytes {start}-{start + len(part) - 1}/{len(WHOLE)}", etag='"one"')

    files.server.handler = serve
    assert use(files, lambda file: file.read(100, 10_000)) == WHOLE[100:10_000]
    assert use(files, lambda file: whole(file, 100)) == WHOLE[100:]


def test_a_server_that_gives_the_same_again_and_again_is_left(files: Files):
    files.server.handler = lambda _: answer(WHOLE[5:10], 206, content_range="bytes 5-9/10240")
    with pytest.raises(errors.BadResponse, match="again and again"):
        use(files, lambda file: whole(file, 5))


def test_a_part_of_a_file_of_unknown_size(files: Files):
    def serve(request: Request) -> bytes:
        start = int(request.headers["range"].removeprefix("bytes=").partition("-")[0])
        if start >= len(WHOLE):
            return answer(b"", 416)
        return answer(WHOLE[start:], 206, content_range=f"bytes {start}-{len(WHOLE) - 1}/*", etag='"one"')

    files.server.handler = serve
    assert use(files, lambda file: whole(file, 5)) == WHOLE[5:]


def test_a_body_of_untold_length(files: Files):
    files.server.handler = lambda _: chunked(WHOLE[:4000], WHOLE[4000:])
    assert use(files, whole) == WHOLE
    assert use(files, facts)[:2] == (None, False)


def test_a_body_of_untold_length_that_breaks_off(files: Files):
    bodies = [chunked(WHOLE[:4000], end=False), chunked(WHOLE[:4000], WHOLE[4000:])]
    files.server.handler = lambda _: bodies[min(len(files.server.requests), 2) - 1]
    assert use(files, whole) == WHOLE


def test_a_body_of_untold_length_that_became_shorter(files: Files):
    bodies = [chunked(WHOLE[:4000], end=False), chunked(WHOLE[:3000])]
    files.server.handler = lambda _: bodies[min(len(files.server.requests), 2) - 1]
    with pytest.raises(errors.BadResponse, match="changed"):
        use(files, whole)


@pytest.mark.parametrize("length", [100, 10_000])
def test_more_than_the_promised_length_is_never_taken_for_content(files: Files, length: int):
    """What follows on the wire may be another answer, or somebody's attempt at one."""
    files.server.handler = lambda _: answer(WHOLE, length=length, close=True, etag='"one"')
    with contextlib.suppress(errors.AssetServiceError):
        assert use(files, whole) == WHOLE[:length]


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_packed_body_is_unpacked(files: Files, encoding: str, pack: Callable[[bytes], bytes]):
    packed = pack(WHOLE)
    files.server.handler = lambda _: answer(packed, content_encoding=encoding, etag='"packed"')
    assert use(files, whole) == WHOLE
    assert use(files, lambda file: whole(file, 4000)) == WHOLE[4000:]
    assert use(files, facts)[:2] == (None, False)


def test_a_packed_body_that_breaks_off_is_begun_again(files: Files):
    packed = gzip.compress(b"".join(n.to_bytes(8, "big") for n in range(50_000)))
    cut = answer(packed[:40_000], length=len(packed), close=True, content_encoding="gzip", etag='"one"')
    good = answer(packed, content_encoding="gzip", etag='"one"')
    files.server.handler = lambda _: cut if len(files.server.requests) < 2 else good
    assert use(files, whole) == gzip.decompress(packed)


def test_a_packed_body_is_unpacked_little_by_little(files: Files):
    """64 kB can stand for 64 MB, and those for more than memory holds."""
    packed = gzip.compress(bytes(64 << 20))
    files.server.handler = lambda _: answer(packed, content_encoding="gzip")

    async def largest(file: SignedFile) -> tuple[int, int]:
        sizes = [len(piece) async for piece in file.stream()]
        return max(sizes), sum(sizes)

    tracemalloc.start()
    try:
        most, all_of_it = use(files, largest)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most <= 256 * 1024
    assert all_of_it == 64 << 20
    assert peak < 16 << 20


@pytest.mark.parametrize(
    "given",
    [
        answer(b"no gzip at all", content_encoding="gzip"),
        answer(gzip.compress(WHOLE)[:-20], content_encoding="gzip"),
        answer(b"??", content_encoding="br"),
        answer(b"<html>Sign in</html>", content_type="text/html; charset=utf-8"),
    ],
    ids=["no gzip", "half gzip", "unasked encoding", "web page"],
)
def test_what_is_no_such_file_is_a_bad_response(files: Files, given: bytes):
    files.server.handler = lambda _: given
    with pytest.raises(errors.BadResponse):
        use(files, whole, media_type="image/png")


def test_the_reader_sets_the_pace(files: Files):
    """Else a reader that decodes pictures between two pieces would soon have the whole archive in memory."""
    block, blocks = bytes(1 << 20), 64
    written: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(block) * blocks))
            for n in range(blocks):
                writer.write(block)
                await writer.drain()
                written.append(n)
        writer.close()

    async def go() -> tuple[int, int, int]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = Secret(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        http = HttpClient("Test files", explain=lambda _: Explanation(), policy=QUICK)

        async def fresh() -> Secret:
            return url

        async with contextlib.aclosing(SignedFile(http, fresh, what="the film").stream()) as stream:
            pieces = [len(await anext(stream))]
            before = -1
            while before != len(written):  # until nothing more wants to come
                before = len(written)
                await asyncio.sleep(0.1)
            pieces += [len(piece) async for piece in stream]
        await http.close()
        server.close()
        return before, max(pieces), sum(pieces)

    early, most, total = loop.run(go())
    assert early < blocks / 2
    assert most <= 256 * 1024
    assert total == len(block) * blocks


@pytest.mark.parametrize(
    "given",
    [
        answer(b"", 503),
        answer(b"", 403),
        answer(WHOLE, length=20_000, close=True),
        None,
        answer(b"", 302, location="/again?Signature=canary-3"),
        answer(b"", 206, content_range="bytes 7-9/3"),
        answer(b"<html>", content_type="text/html"),
    ],
    ids=["503", "403", "cut", "hang-up", "circle", "wrong part", "web page"],
)
def test_a_signed_url_is_nowhere_to_be_seen(files: Files, caplog: pytest.LogCaptureFixture, given: bytes | None):
    from tests.http.test_client import shown

    caplog.set_level(logging.DEBUG)
    files.server.handler = lambda _: given
    seen: list[SignedFile] = []

    async def all_of_it(file: SignedFile) -> bytes:
        seen.append(file)
        return await whole(file)

    with pytest.raises(errors.AssetServiceError) as caught:
        use(files, all_of_it, media_type="image/png")
    assert "the film" in str(caught.value)
    assert "canary" not in caplog.text + shown(caught.value) + repr(seen)


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="a b.zip"', "a b.zip"),
        ("attachment; filename*=UTF-8''gr%C3%BCn.zip", "grün.zip"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        (r'attachment; filename="C:\\x\\y.zip"', "y.zip"),
        ('attachment; filename=".."', None),
        ('attachment; filename=""', None),
        ("inline", None),
    ],
)
def test_names_come_without_folders(files: Files, disposition: str, name: str | None):
    files.headers["content_disposition"] = disposition
    assert use(files, facts)[3] == name
