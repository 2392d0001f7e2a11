from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyassets.http.chunks import Chunks


@st.composite
def coded(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A body, and one of the many ways to write it down."""
    end = draw(st.sampled_from([b"\r\n", b"\n"]))
    extension = draw(st.sampled_from([b"", b";a", b";a=b", b' ; a="b c"', b"\t"]))
    zeros = b"0" * draw(st.integers(0, 20))
    upper = draw(st.booleans())
    pieces = draw(st.lists(st.binary(min_size=1, max_size=40), max_size=8))
    written = b""
    for piece in pieces:
        size = f"{len(piece):X}" if upper else f"{len(piece):x}"
        written += zeros + size.encode() + extension + end + piece + end
    trailer = b"".join(draw(st.lists(st.sampled_from([b"X-Sum: 1" + end, b"Other: \t x" + end]), max_size=3)))
    return b"".join(pieces), written + b"0" + extension + end + trailer + end


def cut(data: bytes, at: list[int]) -> list[bytes]:
    borders = [0, *sorted(min(place, len(data)) for place in at), len(data)]
    return [data[a:b] for a, b in pairwise(borders)]


@given(coded(), st.lists(st.integers(0, 400), max_size=30), st.binary(max_size=3))
def test_however_it_is_cut_it_says_the_same(written: tuple[bytes, bytes], at: list[int], more: bytes):
    said, data = written
    chunks = Chunks()
    got = b""
    for piece in cut(data, at):
        assert not chunks.over or not piece
        got += b"".join(chunks.feed(piece))
    assert (got, chunks.over, chunks.surplus) == (said, True, False)
    together = Chunks()
    assert b"".join(together.feed(data + more)) == said
    assert (together.over, together.surplus) == (True, bool(more))


@given(coded(), st.data())
def test_what_is_cut_off_is_not_over(written: tuple[bytes, bytes], data: st.DataObject):
    chunks = Chunks()
    shorter = written[1][: data.draw(st.integers(0, len(written[1]) - 1))]
    assert written[0].startswith(b"".join(chunks.feed(shorter)))
    assert not chunks.over


@pytest.mark.parametrize(
    "wrong",
    [
        b"\r\n",
        b"x\r\n",
        b"-5\r\nabcde\r\n",
        b"+5\r\nabcde\r\n",
        b"0x5\r\nabcde\r\n",
        b"5_0\r\n",
        b" 5\r\nabcde\r\n",
        b"5 5\r\nabcde\r\n",
        b"5\0\r\n",
        b"5;a\0b\r\n",
        b"5\r\r\nabcde\r\n",
        b"5;\r\r\nabcde\r\n",
        b"5\r\nabcdef\r\n",
        b"5\r\nabcde\r\r\n",
        b"5\r\nabcde0\r\n\r\n",
        b"1" * 16 + b"\r\n",
        b"5;" + b"x" * 8192 + b"\r\n",
        b"5" * 9000,
        b"0\r\n" + b"X: 12345678\r\n" * 7000,
    ],
    ids=lambda wrong: repr(wrong[:20]),
)
def test_what_is_not_of_this_form_is_refused(wrong: bytes):
    """Line ends of several carriage returns were taken for one, and a size with many zeros was refused."""
    for size in (1, 5, 1 << 20):
        chunks = Chunks()
        with pytest.raises(ValueError, match=r"chunk|long"):
            for at in range(0, len(wrong), size):
                chunks.feed(wrong[at : at + size])
