"""What services could say, and none should: found by fuzzing whole operations (`tests/fuzz/answers.py`)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pytest

from ipyassets.errors import NotFound
from ipyassets.http.address import Address
from ipyassets.http.messages import Answer, Call
from ipyassets.http.partial import Partial
from ipyassets.http.secret import Secret, concealed
from ipyassets.http.tokens import SharedToken, shared_token
from ipyassets.http.transport import _body
from ipyassets.services import wire
from ipyassets.services.base import Record
from ipyassets.services.itwin.auth import _issued
from ipyassets.services.scenario import renditions

HALF = "\ud800"
"""Half a character: JSON can say it, and UTF-8 cannot."""


def test_half_a_character_is_no_id() -> None:
    """An id that a service gave so ended the next request with a bare UnicodeEncodeError."""
    with pytest.raises(NotFound, match=r"'a\\ud800' is not the id of an asset"):
        wire.segment(f"a{HALF}", "an asset")


def test_half_a_character_goes_back_as_it_came() -> None:
    """In a body or a query it was a bare UnicodeEncodeError; a service that gave it may know it again."""
    body = _body(Call("POST", "https://h/", json={"id": HALF, "name": "é"}))
    assert json.loads(body.encode()) == {"id": HALF, "name": "é"}
    there = Address.of("https://h/a")
    assert there is not None
    assert there.with_params([("cursor", HALF)]).target == "/a?cursor=%ED%A0%80"


def test_half_a_character_in_a_token_or_what_it_is_for() -> None:
    token = SharedToken()
    token.set(Secret(f"token{HALF}"))
    token.forget()
    assert shared_token("vntana", HALF) is not shared_token("vntana", "other")


def test_half_a_character_in_the_id_of_a_hit() -> None:
    raw = MappingProxyType({"id": HALF, "url": "https://cdn.example/x/assets/a1?Signature=s"})
    record = Record("scenario", HALF, "x", "image", created=datetime.now(UTC), raw=raw)
    (rendition, *_) = renditions.renditions(record, large=False)
    assert rendition.url == "https://cdn.example/x/thumbnails/%ED%A0%80"


@pytest.mark.parametrize("value", ["x://[y", f"long enough {HALF}", "basic \u00e9\u00e9\u00e9"])
def test_a_secret_may_look_like_anything(value: str) -> None:
    """A password with ``://[`` in it made a bare ValueError of every refusal, while whatever was said was searched."""
    held = Secret(value)
    assert concealed(b"refused", {"Authorization": f"Bearer {value}"}) == b"refused"
    assert HALF in value or value.encode() not in concealed(b"no such key: " + value.encode(), {})
    assert held


@pytest.mark.parametrize(("lifetime", "seconds"), [(b"1" + b"0" * 400, None), (b'"soon"', None), (b"3600", 3600.0)])
def test_the_lifetime_of_a_token(lifetime: bytes, seconds: float | None) -> None:
    """One of more digits than a float has was a bare OverflowError."""
    answer = Answer(200, {}, b'{"access_token": "a", "expires_in": %s}' % lifetime, "POST /connect/token")
    assert _issued(answer)[1] == seconds


@pytest.mark.parametrize("said", ["9" * 5000, "\u0661", "-1"])
def test_the_part_that_a_server_says_it_gives(said: str) -> None:
    """Of 5,000 digits, which Python reads no number of, it was a bare ValueError."""
    partial = Partial(keep=True)
    pieces = partial.begin(200, {"etag": '"a"'})
    assert pieces is not None
    pieces.append(b"x")
    assert partial.headers()["Range"] == "bytes=1-"
    assert partial.begin(206, {"content-range": f"bytes {said}-2/3"}) is None


def test_the_part_that_was_asked_for() -> None:
    partial = Partial(keep=True)
    pieces: Any = partial.begin(200, {"etag": '"a"'})
    pieces.append(b"x")
    assert partial.headers()["If-Range"] == '"a"'
    assert partial.begin(206, {"content-range": "bytes 1-2/3"}) == [b"x"]
