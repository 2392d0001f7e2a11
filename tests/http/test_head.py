from __future__ import annotations

import httpx
from hypothesis import given
from hypothesis import strategies as st

from ipyassets.http.head import Fields

NAMES = st.sampled_from([b"Content-Type", b"content-type", b"X-AUTH-TOKEN", b"ETag", b"Set-Cookie"])
VALUES = st.one_of(
    st.text(st.characters(min_codepoint=32, max_codepoint=126)).map(str.encode), st.text().map(str.encode)
)


@given(st.lists(st.tuples(NAMES, VALUES)))
def test_headers_read_as_httpx_reads_them(headers: list[tuple[bytes, bytes]]):
    ours, theirs = Fields(headers), httpx.Headers(headers)
    assert dict(ours) == dict(theirs)
    for name in ("content-TYPE", "X-Auth-Token", "absent"):
        assert (name in ours) == (name in theirs)
        assert ours.get(name) == theirs.get(name)


def test_what_is_no_utf_8_is_read_as_latin_1():
    assert Fields([(b"Content-Disposition", b"attachment; filename=\xfc.png")])["content-disposition"].endswith("ü.png")


def test_headers_print_their_names_alone():
    """Tracebacks show local variables, and an answer may bring a new token among its headers."""
    assert "canary" not in repr(Fields([(b"X-AUTH-TOKEN", b"canary")]))
