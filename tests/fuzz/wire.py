"""What a server sends: heads, bodies in every coding, and what headers say of a file.

Must raise `WireError` (`BadResponse` where headers are read) and nothing else, say the same however the bytes are cut,
keep no more than it may, and where it and h11 both find a whole answer, find the same one. ``{x*1000}`` in an input
stands for a thousand times x.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import re
import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final

import h11

from ipyassets.errors import BadResponse, ServiceUnavailable
from ipyassets.http import unpacking
from ipyassets.http.head import Fields, WireError
from ipyassets.http.partial import Partial
from ipyassets.http.retry import retry_after_seconds
from ipyassets.http.served import Body, file_name
from ipyassets.http.wire import _QUEUED, WHOLE
from tests.fuzz.running import run
from tests.http.scripted import Line

INSTRUMENTED: Final = ["ipyassets", "email"]
WORDS: Final = [
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 ", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 304 ", b"Content-Length: ",
    b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n", b"Content-Range: bytes 0-1/2\r\n", b"0\r\n\r\n",
    b"Retry-After: ", b"retry-after-ms: ", b"Fri, 31 Dec 9999 23:59:59 -9999", b"1e999", b'ETag: "a"\r\n',
    b"Content-Encoding: gzip\r\n", b"Content-Disposition: attachment; filename*=UTF-8''a", b"filename*0*=", b"\r\n\r\n",
    b"\n\n", b"ffffffff\r\n", b"; x=y\r\n", b"\x1f\x8b\x08", b"\x78\x9c",
]  # fmt: skip
LARGEST: Final = 2 * WHOLE + (1 << 19)
"""Bytes a connection may have room for: a whole body, and a head before it."""
_PIECES: Final = 1 << 18
_TIMES: Final = re.compile(rb"\{([^{}]{1,40})\*([0-9]{1,7})\}")
MOST: Final = _QUEUED + (1 << 20)
"""Bytes that an input stands for at most: more than are kept before anybody reads them."""


@dataclass
class Outcome:
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    trouble: str | None
    kept: bool


def check(data: bytes) -> None:
    data = _written_out(data)
    for bodyless in (False, True):
        outcomes = run(_all_cuts(data, bodyless=bodyless))
        whole = outcomes[0]
        for outcome in outcomes[1:]:
            assert (outcome.status, outcome.headers) == (whole.status, whole.headers)
            assert outcome.trouble == whole.trouble
            assert outcome.kept == whole.kept
            if whole.trouble is None:
                assert outcome.body == whole.body
        _beside_h11(data, whole, bodyless=bodyless)
        if whole.status:
            _file(whole)


def _written_out(data: bytes) -> bytes:
    room = MOST

    def times(found: re.Match[bytes]) -> bytes:
        nonlocal room
        made = found[1] * min(int(found[2]), max(0, room) // len(found[1]))
        room -= len(made)
        return made

    return _TIMES.sub(times, data)


async def _all_cuts(data: bytes, *, bodyless: bool) -> list[Outcome]:
    cuts = [1 << 30, 7, 1] if len(data) < 3000 else [1 << 30, 1021] if len(data) < 100_000 else [1 << 30, 50_021]
    return [await _heard(data, cut, bodyless=bodyless) for cut in cuts]


async def _heard(data: bytes, cut: int, *, bodyless: bool) -> Outcome:
    line = Line(bodyless=bodyless)
    asking = line.ask()
    await asyncio.sleep(0)
    saying = asyncio.create_task(_said(line, data, cut))
    trouble, body, status, headers = None, b"", 0, []
    try:
        answer = await asking
        status, headers = answer.status, answer.headers
        async for piece in answer.pieces():
            body += piece
    except WireError as error:
        trouble = error.trouble
    kept = await saying
    await line.pool.aclose()
    return Outcome(status, headers, body, trouble, kept)


async def _said(line: Line, data: bytes, cut: int) -> bool:
    """Say it as a socket does: no more while nobody reads. Whether the connection was kept before it hung up."""
    view = memoryview(data)
    while view and not line.is_closing():
        if line.paused:
            await asyncio.sleep(0)
            continue
        view = view[line.read(view[:cut]) :]
        answer = line.connection._answer
        assert answer is None or answer._queued <= _QUEUED + _PIECES
    kept = line.kept
    assert len(line.connection._room) <= LARGEST
    line.hang_up()
    await asyncio.sleep(0)
    return kept


def _beside_h11(data: bytes, ours: Outcome, *, bodyless: bool) -> None:
    """The same answer, where both find a whole one: else two programs on the way could see different ones."""
    if ours.trouble is not None:
        return
    theirs = h11.Connection(h11.CLIENT)
    theirs.send(h11.Request(method="HEAD" if bodyless else "GET", target="/", headers=[("Host", "here")]))
    theirs.send(h11.EndOfMessage())
    body, status = b"", None
    try:
        theirs.receive_data(data)
        theirs.receive_data(b"")
        while True:
            event = theirs.next_event()
            if isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                break
            elif not isinstance(event, h11.InformationalResponse):
                return
    except (h11.RemoteProtocolError, RuntimeError):
        return
    assert (ours.status, ours.body) == (status, body)


def _file(whole: Outcome) -> None:
    headers = Fields(whole.headers)
    assert repr(headers)
    name = file_name(headers)
    assert name is None or (name.strip(". ") and not set(name) & set("/\\\0\r\n"))

    wait = retry_after_seconds(headers)
    assert wait is None or wait >= 0
    partial = Partial(keep=True)
    for status in (200, 206, 416):  # as if each were the answer to what the one before left
        pieces_so_far = partial.begin(status, headers)
        if pieces_so_far is not None:
            pieces_so_far.append(b"x")
        assert all(value.isascii() or value == headers.get("etag") for value in partial.headers().values())

    async def pieces() -> AsyncIterator[bytes]:
        yield whole.body

    arriving: Any = SimpleNamespace(
        headers=headers,
        status=206 if "content-range" in headers else 200,
        content_type=headers.get("content-type", "").partition(";")[0].strip().lower(),
        asked="GET /x",
        pieces=pieces,
    )
    with contextlib.suppress(BadResponse, ServiceUnavailable):
        run(_through(Body.of(arriving, "image/png")))


async def _through(body: Body) -> None:
    assert body.start >= 0
    assert body.length is None or body.length >= 0
    come = 0
    async for piece in body.pieces("the file"):
        assert 0 < len(piece) <= unpacking.PIECE == _PIECES
        come += len(piece)
        if come > 1 << 24:  # a small body may stand for very much; the reader sets the pace
            return


def seeds() -> Iterator[tuple[str, bytes]]:
    ok = b"HTTP/1.1 200 OK\r\n"
    chunked = ok + b"Transfer-Encoding: chunked\r\n\r\n"
    yield "length", ok + b"Content-Length: 2\r\nX: a\r\n\r\nok"
    yield "chunks", chunked + b"1\r\no\r\n1;x=y\r\nk\r\n0\r\nTrailer: x\r\n\r\n"
    yield "to-the-end", b"HTTP/1.0 200 OK\r\n\r\nall of it"
    yield (
        "interim",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + ok + b"Content-Length: 0\r\n\r\n",
    )
    yield "nothing", b"HTTP/1.1 204 No Content\r\n\r\n"
    yield "not-modified", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"
    yield "folded", ok + b"X: a\r\n\tb\r\n c\r\nContent-Length: 0\r\n\r\n"
    yield "bare-line-feeds", b"HTTP/1.1 200\nContent-Length: 2\n\nok"
    yield "surplus", ok + b"Content-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n"
    yield "two-lengths", ok + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok!"
    yield "two-codings", ok + b"Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    yield "upgrade", b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n"
    yield "more-than-is-kept", ok + b"Content-Length: 3000000\r\n\r\n{x*3000000}"
    yield "more-chunks-than-are-kept", chunked + b"186a0\r\n{y*100000}\r\n" * 25 + b"0\r\n\r\n"
    yield "small-chunks", chunked + b"{1\r\nz\r\n*15000}0\r\n\r\n"
    yield "a-whole-one", ok + b"Content-Length: 1048576\r\n\r\n{x*1048576}"
    yield "more-to-the-end", b"HTTP/1.0 200 OK\r\n\r\n{to the end*100000}"
    yield "a-long-head", ok + b"X: {x*65000}\r\nY: {y*600}\r\n\r\n"
    yield "many-headers", ok + b"{X: y\r\n*9000}\r\n"
    yield "many-interim", b"{HTTP/1.1 100 Continue\r\n\r\n*15000}" + ok + b"Content-Length: 0\r\n\r\n"
    yield "long", ok + b"Content-Length: 2000000\r\n\r\n" + b"x" * 100
    yield "endless-chunk", chunked + b"fffffffffffffff\r\nx"
    yield "bad-chunk", chunked + b"-1\r\n\r\n"
    yield "long-chunk", chunked + b"1\r\ntoo long\r\n"
    yield "short", ok + b"Content-Length: 20\r\n\r\nnot all"
    yield "no-http", b"SSH-2.0-OpenSSH_9.2\r\n\r\n"
    yield "empty", b""
    part = b"HTTP/1.1 206 Partial Content\r\nContent-Length: 2\r\n"
    yield "part", part + b'Content-Range: bytes 3-4/9\r\nETag: "a"\r\n\r\nok'
    for n, wait in enumerate((b"3", b"1.5", b"nan", b"Wed, 21 Oct 2015 07:28:00 GMT", b"Mon, 01 Jan 0001 00:00 +2359")):
        yield f"wait-{n}", ok + b"Retry-After: " + wait + b"\r\nContent-Length: 0\r\n\r\n"
    yield "part-of-any", part + b"Content-Range: bytes 3-4/*\r\n\r\nok"
    yield "wrong-part", part + b"Content-Range: bytes 4-3/9\r\n\r\nok"
    named = b"Content-Length: 0\r\nContent-Disposition: attachment; "
    yield "named", ok + named + b'filename="a\\"b.zip"\r\n\r\n'
    yield "named-twice", ok + named + b"filename=a; filename*=UTF-8''%c3%a9..%2f\r\n\r\n"
    yield "named-in-parts", ok + named + b"filename*0*=latin-1''a; filename*1=b; filename*2*=%ff\r\n\r\n"
    yield "named-in-no-set", ok + named + b"filename*=none-such''a%80\r\n\r\n"
    for name, content in (("gzip", gzip.compress(b"x" * 3000, mtime=0)), ("deflate", zlib.compress(b"x" * 3000))):
        head = ok + f"Content-Encoding: {name}\r\nContent-Length: {len(content)}\r\n\r\n".encode()
        yield name, head + content
        yield f"{name}-half", ok + f"Content-Encoding: {name}\r\n\r\n".encode() + content[:12]
