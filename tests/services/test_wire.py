from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyassets.errors import BadResponse, InvalidRequest, NotFound
from ipyassets.http.messages import Answer
from ipyassets.services import wire


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2021-10-05T16:31:18.1030000Z", datetime(2021, 10, 5, 16, 31, 18, 103000, UTC)),
        ("2021-10-05T16:31:18Z", datetime(2021, 10, 5, 16, 31, 18, tzinfo=UTC)),
        ("2021-10-05T16:31:18.5+02:00", datetime(2021, 10, 5, 14, 31, 18, 500000, UTC)),
        ("2021-10-05T16:31:18", datetime(2021, 10, 5, 16, 31, 18, tzinfo=UTC)),
        ("2021-10-05", datetime(2021, 10, 5, tzinfo=UTC)),
        ("soon", None),
        ("", None),
        (None, None),
        (1633451478, None),
        ("9999-12-31T23:59:59-14:00", None),
        (date(2021, 10, 5), datetime(2021, 10, 5, tzinfo=UTC)),
        (datetime(2021, 10, 5, 16), datetime(2021, 10, 5, 16, tzinfo=UTC)),  # noqa: DTZ001  # no zone: UTC
        (datetime(2021, 10, 5, 16, tzinfo=timezone(timedelta(hours=2))), datetime(2021, 10, 5, 14, tzinfo=UTC)),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-14))), None),
    ],
)
def test_utc(text: object, moment: datetime | None) -> None:
    found = wire.utc(text)
    assert found == moment
    assert found is None or found.tzinfo is UTC


@given(st.datetimes(timezones=st.timezones() | st.just(UTC)), st.sampled_from(["auto", "microseconds"]))
def test_a_moment_is_read_as_it_was_meant(moment: datetime, form: str) -> None:
    try:
        meant = moment.astimezone(UTC)
    except OverflowError:
        meant = None
    assert wire.utc(moment) == meant
    if meant is not None and not moment.utcoffset().seconds % 60:  # type: ignore[union-attr]
        assert wire.utc(moment.isoformat(timespec=form)) == meant
        assert wire.utc(f" {meant.isoformat(timespec=form).replace('+00:00', 'Z')}\n") == meant
        assert wire.utc(wire.zulu(meant)) == meant.replace(microsecond=meant.microsecond // 1000 * 1000)


@given(st.text() | st.text("0123456789-:.TZ+W ", max_size=30))
def test_whatever_is_written_it_is_a_moment_in_utc_or_none(text: str) -> None:
    found = wire.utc(text)
    assert found is None or found.tzinfo is UTC


def test_zulu_writes_milliseconds() -> None:
    assert wire.zulu(datetime(2021, 10, 5, 16, 31, 18, 103999, UTC)) == "2021-10-05T16:31:18.103Z"
    assert wire.zulu(datetime(2021, 10, 5, tzinfo=UTC)) == "2021-10-05T00:00:00.000Z"


def test_base_address_keeps_its_path() -> None:
    assert wire.base_address(" http://127.0.0.1:8000/scenario/v1// ", "X") == "http://127.0.0.1:8000/scenario/v1"


@pytest.mark.parametrize(
    "url",
    ["", "host", "file:///x", "http://", "http://h:99999", "http://h?key=secret", "http://me:secret@h", "http://h#s"],
)
def test_bad_addresses_are_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        wire.base_address(url, "X")
    assert "secret" not in str(caught.value)


def test_origins() -> None:
    assert wire.origin("https://Host/a") == wire.origin("https://host:443/b") == ("https", "host", 443)
    assert wire.origin("http://host") != wire.origin("https://host")
    assert wire.origin("data:image/png;base64,AA") is None
    assert wire.origin("http://[broken") is None
    assert wire.host("http://h:1/x") == "h:1"


def test_segment_keeps_an_id_in_its_place() -> None:
    assert wire.segment("a/../b?c#d e", "x") == "a%2F..%2Fb%3Fc%23d%20e"
    for id in ("", " ", ".", "..", None, 5, "x" * 301):
        with pytest.raises(NotFound):
            wire.segment(id, "a thing")


def test_check_names_suggests() -> None:
    wire.check_names(["tags"], ["tags", "kind"], "X")
    with pytest.raises(InvalidRequest, match=r"Did you mean 'tags'.*kind, tags"):
        wire.check_names(["tagz"], ["tags", "kind"], "X")


def test_listed_refuses_other_shapes() -> None:
    answer = Answer(200, {}, b"", "GET x")
    assert wire.listed({"a": [{}]}, "a", answer) == [{}]
    for body in ({}, {"a": None}, {"a": {}}, {"a": ["x"]}):
        with pytest.raises(BadResponse, match="'a'"):
            wire.listed(body, "a", answer)


def test_page_size() -> None:
    assert [wire.page_size(value, 50, 100) for value in (None, 1, 100)] == [50, 1, 100]
    for value in (0, 101, True, 2.0, "50"):
        with pytest.raises(InvalidRequest, match="1 to 100; got"):
            wire.page_size(value, 50, 100)


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b"null", b'"x"', b"\xff\x00"])
def test_an_error_body_of_another_shape_is_empty(content: bytes) -> None:
    assert wire.error_body(Answer(502, {}, content, "GET x")) == {}
    assert wire.error_body(Answer(502, {}, b'{"a": 1}', "GET x")) == {"a": 1}


@pytest.mark.parametrize("id", ["1f0c-2d", "a.b_c~d", "a/b", "..a", "ü", "a b", "a%2F", "line\n", "a?b#c"])
def test_an_id_in_a_path_is_quoted_as_urllib_does(id: str) -> None:
    assert wire.segment(id, "an asset") == quote(id, safe="")


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"a":' * 100_000, b'{"error": ' + b"9" * 5000 + b"}"])
def test_an_answer_that_json_cannot_read_is_a_bad_response(content: bytes) -> None:
    """A hundred thousand brackets were a bare RecursionError: in a refusal, a page of assets, a webhook."""
    answer = Answer(500, {}, content, "GET /x")
    assert wire.error_body(answer) == {}
    with pytest.raises(BadResponse, match="where JSON was expected"):
        answer.json()
