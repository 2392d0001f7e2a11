"""What file servers answer that is not quite what was asked for."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import logging
import tracemalloc
import zlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from ipyassets import errors
from ipyassets.http import loop
from ipyassets.http.client import HttpClient
from ipyassets.http.messages import Explanation
from ipyassets.http.remote import SignedFile
from ipyassets.http.secret import Secret
from ipyassets.http.served import Body, file_name
from tests.http.conftest import Request, Server, answer
from tests.http.files import PACKED, QUICK, WHOLE, Files, chunked, facts, use, whole


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


@pytest.mark.parametrize("mark", [{"etag": '"\u00fc"'}, {"last_modified": "\u00fcbermorgen"}], ids=["tag", "date"])
def test_a_mark_that_cannot_be_sent_back_is_none(files: Files, mark: dict[str, str]):
    """What was to be gone on with was refused before it was sent: "a header holds … a character that is not ASCII"."""
    files.headers, files.cuts = mark, [4000]
    assert use(files, whole) == WHOLE
    assert use(files, lambda file: whole(file, 4000)) == WHOLE[4000:]


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
        answer(b"ok", 206, content_range=f"bytes 0-1/{'9' * 5000}"),
        answer(b"ok", 206, content_range=f"bytes {'0' * 5000}-1/2"),
    ],
    ids=["no gzip", "half gzip", "unasked encoding", "web page", "endless size", "endless start"],
)
def test_what_is_no_such_file_is_a_bad_response(files: Files, given: bytes):
    """A size of some thousand digits was a bare ValueError: Python reads no such number."""
    files.server.handler = lambda _: given
    with pytest.raises(errors.BadResponse):
        use(files, whole, media_type="image/png")


@pytest.mark.parametrize("length", ["9" * 5000, "20\x1d", "\u0663", "-1", "1e3", ""])
def test_a_length_that_is_none_is_not_believed(length: str):
    """Behind a proxy, where another parser reads the head: it ended in a bare ValueError."""
    arriving: Any = SimpleNamespace(headers={"content-length": length}, status=200, content_type="", asked="GET /x")
    assert Body.of(arriving, None).length is None


@pytest.mark.parametrize("disposition", ["inline; filename*=UTF-8''a; filename*2=b", "inline; filename*0*=x''a; x"])
def test_a_name_that_cannot_be_read_is_none(disposition: str):
    """The standard library's parser fell over parts of a name without numbers, with a bare TypeError."""
    assert file_name({"content-disposition": disposition}) in (None, "a", "ab")  # 3.14 puts the parts together


def test_a_name_of_sixty_kilobytes_is_none():
    """The standard library took ten seconds to read one of semicolons, and nothing else went on meanwhile."""
    assert file_name({"content-disposition": f'attachment; filename="{";" * 60_000}"'}) is None


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
