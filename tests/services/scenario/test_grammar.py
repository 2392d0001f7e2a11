from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyassets.errors import InvalidRequest
from ipyassets.services.scenario.grammar import any_of, compare, every, iso, quoted


@given(st.text(st.characters(min_codepoint=32)))
def test_a_quoted_value_ends_where_it_should(value: str) -> None:
    text = quoted(value)
    assert text[0] == text[-1] == '"'
    read, escaped = "", False
    for character in text[1:-1]:
        if not escaped and character == "\\":
            escaped = True
            continue
        assert escaped or character != '"'
        read += character
        escaped = False
    assert not escaped
    assert read == value


@pytest.mark.parametrize("value", ["a\nb", "\x00", "a\tb"])
def test_control_characters_are_refused(value: str) -> None:
    with pytest.raises(InvalidRequest):
        quoted(value)


def test_terms() -> None:
    assert any_of("tags", ["a"]) == 'tags = "a"'
    assert any_of("kind", ["3d", "image"]) == '(kind = "3d" OR kind = "image")'
    assert compare("width", ">=", 1024) == "width >= 1024"
    assert every(['a = "1"', "b > 2"]) == 'a = "1" AND b > 2'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (dt.date(2026, 1, 31), "2026-01-31T00:00:00.000Z"),
        (dt.datetime(2026, 1, 31, 12, tzinfo=dt.timezone(dt.timedelta(hours=2))), "2026-01-31T10:00:00.000Z"),
        (dt.datetime(2026, 1, 31, 12), "2026-01-31T12:00:00.000Z"),  # noqa: DTZ001
        ("2026-01-31", "2026-01-31T00:00:00.000Z"),
        ("2026-01-31T10:00:00.1234Z", "2026-01-31T10:00:00.123Z"),
    ],
)
def test_dates(value: object, text: str) -> None:
    assert iso("created_after", value) == text


@pytest.mark.parametrize("value", ["last week", 20260131, [], True])
def test_what_is_no_date(value: object) -> None:
    with pytest.raises(InvalidRequest, match="created_after must be"):
        iso("created_after", value)
