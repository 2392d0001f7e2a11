"""What a connection makes of the bytes it gets, in whatever pieces, and with nobody at the other end."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from ipyassets.http import wire
from ipyassets.http.head import WireError
from ipyassets.http.wire import WHOLE
from tests.http.scripted import ORIGIN, Line, content

OK = b"HTTP/1.1 200 OK\r\n"


def of(length: int) -> bytes:
    """Bytes of which no part could be taken for another."""
    return b"".join(number.to_bytes(4, "big") for number in range(length // 4 + 1))[:length]


@pytest.mark.parametrize(
    ("said", "status", "headers", "body", "kept"),
    [
        (OK + b"Content-Length: 2\r\nX:\t a b \r\n\r\nok", 200, [b"2", b"a b"], b"ok", True),
        (OK + b"Content-Length: 0\r\n\r\n", 200, [b"0"], b"", True),
        (OK + b"Content-Length: 1, 1\r\ncontent-length: 1\r\n\r\n!", 200, [b"1, 1", b"1"], b"!", True),
        (b"HTTP/1.1 200\nContent-Length: 2\n\nok", 200, [b"2"], b"ok", True),
        (b"HTTP/1.1 404 \r\nContent-Length: 2\r\n\r\nno", 404, [b"2"], b"no", True),
        (OK + b"X: a\r\n\tb\r\n  c \r\nContent-Length: 0\r\n\r\n", 200, [b"a b c", b"0"], b"", True),
        (OK + b"X: caf\xe9\r\nContent-Length: 0\r\n\r\n", 200, [b"caf\xe9", b"0"], b"", True),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nok", 200, [b"2"], b"ok", True),
        (b"HTTP/1.1 103 E\r\nLink: x\r\n\r\n" * 3 + OK + b"Content-Length: 2\r\n\r\nok", 200, [b"2"], b"ok", True),
        (b"HTTP/1.1 204 No\r\n\r\n", 204, [], b"", True),
        (b"HTTP/1.1 304 No\r\nContent-Length: 9\r\n\r\n", 304, [b"9"], b"", True),
        (b"HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n", 204, [b"chunked"], b"", True),
        (OK + b"Transfer-Encoding: Chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n", 200, [b"Chunked"], b"ok", True),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, [b"chunked"], b"", True),
        (OK + b"Connection: x, Close\r\nContent-Length: 2\r\n\r\nok", 200, [b"x, Close", b"2"], b"ok", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, [b"2"], b"ok", False),
        (
            b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
            200,
            [b"keep-alive", b"2"],
            b"ok",
            True,
        ),
        # Two lengths: the coding counts, and the connection serves no other answer.
        (
            OK + b"Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            200,
            [b"9", b"chunked"],
            b"ok",
            False,
        ),
    ],
)
async def test_an_answer_in_any_pieces(said: bytes, status: int, headers: list[bytes], body: bytes, *, kept: bool):
    for cut in (1, 2, 3, 7, 1000):
        line = Line()
        asked = line.ask()
        await asyncio.sleep(0)
        line.say(said, cut)
        answer = await asked
        assert (answer.status, [value for _, value in answer.headers]) == (status, headers)
        assert await content(answer) == body
        assert line.kept == kept


@pytest.mark.parametrize("cut", [1, 1000])
async def test_to_head_no_body_comes_whatever_length_it_says(cut: int):
    line = Line(bodyless=True)
    for said in (b"Content-Length: 100\r\n", b"Transfer-Encoding: chunked\r\n", b""):
        asked = line.ask()
        await asyncio.sleep(0)
        line.say(OK + said + b"\r\n", cut)
        assert await content(await asked) == b""
        assert line.kept


@pytest.mark.parametrize(
    "length",
    [1, wire._ROOM - 60, wire._ROOM - 1, wire._ROOM, wire._ROOM + 1, WHOLE - 1, WHOLE, WHOLE + 1, 2 * WHOLE - 7],
)
async def test_bodies_about_as_long_as_the_room_for_them(length: int):
    line = Line()
    for body, cut in [(of(length), 1 << 30), (of(10), 4), (of(length)[::-1], 65_536), (of(length), 5_000)]:
        asked = line.ask()
        await asyncio.sleep(0)
        line.say(OK + b"Content-Length: %d\r\n\r\n" % len(body) + body, cut)
        got = await content(await asked)
        assert got == body  # not by pytest: it would look for the difference
        assert line.kept


@pytest.mark.parametrize("length", [WHOLE, WHOLE + 1])
async def test_a_body_is_told_of_once_it_is_whole_unless_it_is_long(length: int):
    line = Line()
    asked = line.ask()
    await asyncio.sleep(0)
    line.say(OK + b"Content-Length: %d\r\n\r\n" % length + of(length - 1))
    for _ in range(3):
        await asyncio.sleep(0)
    assert asked.done() == (length > WHOLE)
    line.say(b"!")
    assert len(await content(await asked)) == length


@pytest.mark.parametrize(
    "wrong",
    [
        b"\r\n\r\n",
        b"hello\r\n\r\n",
        b"\x15\x03\x03\x00\x02\x02\x16\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.2 200 OK\r\n\r\n",
        b"HTTP/1.1 99 OK\r\n\r\n",
        b"HTTP/1.1 1000 OK\r\n\r\n",
        b"HTTP/1.1 200OK\r\n\r\n",
        b"HTTP/1.1 200 O\0K\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        OK + b"no colon\r\n\r\n",
        OK + b": no name\r\n\r\n",
        OK + b"X : blank\r\n\r\n",
        OK + b" folded: but onto what\r\n\r\n",
        OK + b"X: a\0b\r\n\r\n",
        OK + b"X: a\rb\r\n\r\n",
        OK + b"X: a\r\n b\0\r\n\r\n",
        OK + b"X: a\r\n \rb\r\n\r\n",
        OK + b"X: " + b"x" * wire._LONGEST_HEAD + b"\r\n\r\n",
        OK + b"X: " + b"x" * wire._LONGEST_HEAD,
        b"x" * (wire._LONGEST_HEAD + 1),
    ],
    ids=lambda wrong: repr(wrong[:40]),
)
async def test_a_head_that_is_none_is_refused(wrong: bytes):
    """A head longer than any may be was taken if it came in one piece."""
    for cut in (100, 1 << 30):
        line = Line()
        asked = line.ask()
        await asyncio.sleep(0)
        line.say(wrong, cut)
        with pytest.raises(WireError) as caught:
            await asked
        assert caught.value.trouble == "protocol"
        assert line.is_closing()


@pytest.mark.parametrize(
    "wrong",
    [
        b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        b"Content-Length: 5, 6\r\n\r\nabcdef",
        b"Content-Length: -1\r\n\r\n",
        b"Content-Length: +5\r\n\r\nabcde",
        b"Content-Length: 5_0\r\n\r\n",
        b"Content-Length: \r\n\r\n",
        b"Content-Length: 1e3\r\n\r\n",
        b"Content-Length: " + b"9" * 19 + b"\r\n\r\n",
        b"Transfer-Encoding: gzip\r\n\r\n",
        b"Transfer-Encoding: chunked, chunked\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nnone\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n2\r\noks\r\n0\r\n\r\n",
    ],
    ids=lambda wrong: repr(wrong[:50]),
)
async def test_a_body_whose_length_is_unclear_is_refused(wrong: bytes):
    line = Line()
    asked = line.ask()
    await asyncio.sleep(0)
    line.say(OK + wrong)
    with pytest.raises(WireError) as caught:
        await content(await asked)
    assert caught.value.trouble == "protocol"
    assert line.is_closing()


@pytest.mark.timeout(30)
@pytest.mark.parametrize("end", [b"x\r\n\r\n", b"\r\r\n\r\n", b"\0\r\n\r\n"], ids=repr)
async def test_a_header_of_many_blanks_does_not_keep_the_loop_busy(end: bytes):
    """The expression for a header tried all ways to share 60,000 blanks out: minutes, in which nothing else ran."""
    line = Line()
    asked = line.ask()
    await asyncio.sleep(0)
    line.say(OK + b"Content-Length: 0\r\nX: a" + b" " * 60_000 + end)
    if end[0] == ord("x"):
        assert (await asked).headers[1] == (b"X", b"a" + b" " * 60_000 + b"x")
    else:
        with pytest.raises(WireError):
            await asked


@pytest.mark.parametrize("length", [2, 200_000, WHOLE])
@pytest.mark.parametrize("together", [True, False])
async def test_what_comes_along_behind_a_body_is_not_the_next_answer(length: int, *, together: bool):
    """A body was read up to its last byte and no further: what came with it was taken for the next answer."""
    line = Line()
    asked = line.ask()
    await asyncio.sleep(0)
    head, body = OK + b"Content-Length: %d\r\n\r\n" % length, of(length)
    forged = OK + b"Content-Length: 6\r\n\r\nforged"
    if together:
        line.say(head + body + forged)
    else:
        line.say(head + body[: length // 2])
        line.read(body[length // 2 :] + forged)  # and not yet what is left of it: the next request may be quicker
        assert not line.kept
    assert await content(await asked) == body
    assert not line.kept
    assert line.is_closing()


async def test_nor_is_what_comes_behind_chunks_or_a_long_body():
    for said in (
        b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % (WHOLE + 1) + of(WHOLE + 1) + b"\r\n0\r\n\r\n",
        b"Content-Length: %d\r\n\r\n" % (WHOLE + 1) + of(WHOLE + 1),
        b"Content-Length: 0\r\n\r\n",
    ):
        line = Line()
        asked = line.ask()
        await asyncio.sleep(0)
        line.say(OK + said + OK + b"\r\n")
        assert len(await content(await asked)) in (0, WHOLE + 1)
        assert line.is_closing()


async def test_bytes_that_nobody_asked_for_end_a_kept_connection():
    line = Line()
    asked = line.ask()
    await asyncio.sleep(0)
    line.say(OK + b"Content-Length: 0\r\n\r\n")
    await asked
    assert line.kept
    line.say(b"\r\n")
    assert line.is_closing()
    assert not line.kept


async def test_many_small_chunks_are_given_as_one_piece():
    """Each chunk of a byte or two was a piece of its own: a hundred thousand wake-ups for one body, and 40 times its
    memory while nobody took them."""
    line = Line()
    asked = line.ask()
    await asyncio.sleep(0)
    line.say(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    line.say(b"1\r\nx\r\n" * 10_000)
    line.say(b"0\r\n\r\n")
    answer = await asked
    assert [piece async for piece in answer.pieces()] == [b"x" * 10_000]


async def test_a_body_that_ends_with_the_connection():
    line = Line()
    asked = line.ask()
    await asyncio.sleep(0)
    line.say(OK + b"\r\nall ")
    line.say(b"of it")
    line.hang_up()
    assert await content(await asked) == b"all of it"


async def test_a_body_cut_off_by_ourselves_is_not_whole():
    """Closing the client made whoever read a body that ends with its connection believe that it had ended."""
    line = Line()
    asked = line.ask()
    await asyncio.sleep(0)
    line.say(OK + b"\r\nnot all ")
    answer = await asked
    await line.pool.aclose()
    pieces = answer.pieces()
    assert await anext(pieces) == b"not all "
    with pytest.raises(WireError, match="broken"):
        await anext(pieces)


@pytest.mark.parametrize("coded", [b"Content-Length: 10\r\n\r\nhalf", b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf"])
@pytest.mark.parametrize("how", ["silent", "broken"])
async def test_what_came_of_a_body_that_broke_off_is_given_first(coded: bytes, how: str):
    """Where the server fell silent in the middle of a body of up to 1 MB, what had come of it was thrown away."""
    line = Line()
    asked = line.ask(patience=0.01 if how == "silent" else 5.0)
    await asyncio.sleep(0)
    line.say(OK + coded)
    if how == "broken":
        line.hang_up()
    answer = await asked
    pieces = answer.pieces()
    assert await anext(pieces) == b"half"
    with pytest.raises(WireError) as caught:
        await anext(pieces)
    assert caught.value.trouble == how
    assert line.is_closing()


@pytest.mark.parametrize("some", [b"", b"HTTP/1.1 100 Continue\r\n\r\n", OK])
async def test_silence_before_a_head(some: bytes):
    line = Line()
    asked = line.ask(patience=0.01)
    await asyncio.sleep(0)
    line.say(some)
    with pytest.raises(WireError, match="silent"):
        await asked
    assert line.is_closing()


@pytest.mark.parametrize("coded", [False, True], ids=["length", "chunked"])
async def test_a_slow_reader_keeps_memory_bounded_and_is_no_silence(*, coded: bool):
    line = Line()
    asked = line.ask()
    await asyncio.sleep(0)
    piece = of(200_000)
    written = b"%x\r\n" % len(piece) + piece + b"\r\n" if coded else piece
    said = b"Transfer-Encoding: chunked" if coded else b"Content-Length: %d" % (40 * len(piece))
    line.say(OK + said + b"\r\n\r\n")
    answer = await asked
    sent = 0
    for _ in itertools.takewhile(lambda _: not line.paused, range(40)):
        line.say(written)
        sent += 1
    assert line.paused
    assert answer._queued <= wire._QUEUED + wire._ROOM
    line.connection._heard -= 60  # twelve times as long as a server may be silent
    line.connection._look()
    assert not line.is_closing()
    got = b""
    async for some in answer.pieces():
        got += some
        while not line.paused and sent < 40:
            line.say(written)
            sent += 1
        if sent == 40 and coded:
            line.say(b"0\r\n\r\n")
            sent += 1
    assert got == piece * 40
    assert line.kept
    assert not line.paused


async def test_an_answer_let_go_of_ends_its_connection_and_a_whole_one_does_not():
    for said, ends in [(b"Content-Length: 2\r\n\r\nok", False), (b"Transfer-Encoding: chunked\r\n\r\n2\r\no", True)]:
        line = Line()
        asked = line.ask()
        await asyncio.sleep(0)
        line.say(OK + said)
        answer = await asked
        answer.close()
        assert line.is_closing() == ends
        assert line.kept != ends


async def test_cancelled_in_the_instant_the_answer_came_the_connection_is_still_good():
    line = Line()
    asked = line.ask()
    await asyncio.sleep(0)
    line.say(OK + b"Content-Length: 2\r\n\r\nok")
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert line.pool._idle[ORIGIN] == [line.connection]
    assert line.kept
