"""JSON of answers: the same values whether msgspec is installed or not."""

from __future__ import annotations

import gc
import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ipyassets.errors import BadResponse
from ipyassets.http import messages
from ipyassets.http.messages import Answer, parsed

PADDING = b" " * 20_000
"""So that it is worth some care."""
plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters())
values = st.recursive(plain, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12)


@pytest.fixture(params=["msgspec", "json"], autouse=True, scope="module")
def by(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "json":
            patch.setattr(messages, "_quick", lambda: None)
        else:
            pytest.importorskip("msgspec")
        yield


def same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return isinstance(other, dict) and list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    return type(one) is type(other) and bool(one == other)


def whole(value: Any) -> Any:
    """``value`` with halves of characters replaced."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, list):
        return [whole(one) for one in value]
    return {whole(name): whole(one) for name, one in value.items()} if isinstance(value, dict) else value


@given(values)
@example(123456789012345678901234567890)
@example(-(2**63) - 1)
@example(float("inf"))
@example("\ud800")
@example({"a": {"a": -0.0}})
def test_values_are_those_of_the_standard_library(value: Any):
    text = json.dumps(value).encode() + PADDING
    assert same(parsed(text), whole(json.loads(text)))


@pytest.mark.parametrize(
    "text", [b'{"a": 1, "a": 2}', b"\xef\xbb\xbf[1]", '["ä"]'.encode("utf-16-le"), b"[1e400]", b"[5e-324, 0.1e-7]"]
)
def test_what_the_standard_library_takes_is_taken(text: bytes):
    padding = PADDING.decode().encode("utf-16-le") if b"\0" in text else PADDING
    assert parsed(text + padding) == json.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        rb'{"a\udc00": ["cut \ud83d", {"b": "\ud83d"}], "c": "\ud83d\ude00"}',
        b'{"a\xed\xb0\x80": ["cut \xed\xa0\xbd", {"b": "\xed\xa0\xbd"}], "c": "\xed\xa0\xbd\xed\xb8\x80"}',
        rb'{"a\udc00": ["cut \ud83d", {"b": "\ud83d"}], "c": "\ud83d\ude00"}'.decode().encode("utf-16-le"),
    ],
    ids=["escaped", "as it is", "utf-16"],
)
def test_half_a_character_is_replaced(text: bytes):
    """A name that a service had cut in an emoji could not be sent to the browser: its whole batch of tiles failed."""
    found = parsed(text)
    assert found == {"a\ufffd": ["cut \ufffd", {"b": "\ufffd"}], "c": "\U0001f600"}
    json.dumps(found, ensure_ascii=False).encode()
    assert parsed(rb'["\\ud83d"]') == [r"\ud83d"]
    deep = parsed(b"[" * 300 + rb'"\ud83d"' + b"]" * 300)
    while isinstance(deep, list):
        (deep,) = deep
    assert deep == "\ufffd"


def test_a_body_of_many_megabytes_is_not_made_objects_of():
    """64 MB of "[]," were 1.5 GB of lists, and for some seconds nothing else went on."""
    text = b"[" + b"[]," * (6 << 20) + b"[]]"
    with pytest.raises(BadResponse, match="18 MB of JSON"):
        Answer(200, {}, text, "GET https://example.org/x").json()
    with pytest.raises(ValueError, match="too long"):
        parsed(text)


@pytest.mark.parametrize("text", [b"", b"{", b"<html>", b'["\xff"]', b"[1,]", b"[" * 100_000, b"1 2"])
@pytest.mark.parametrize("padding", [b"", PADDING])
def test_what_is_no_json_is_a_bad_response(text: bytes, padding: bytes):
    """Lists in lists by the ten thousand ended in a bare RecursionError."""
    with pytest.raises(BadResponse, match="where JSON was expected"):
        Answer(200, {}, text + padding, "GET https://example.org/x").json()


def test_the_garbage_collector_is_as_it_was():
    for text in (b"[]", b"{"):
        for enabled in (True, False):
            (gc.enable if enabled else gc.disable)()
            try:
                parsed(text + PADDING)
            except ValueError:
                pass
            finally:
                found = gc.isenabled()
                gc.enable()
            assert found is enabled
