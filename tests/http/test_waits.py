"""The waits that services ask for, in whatever words."""

from __future__ import annotations

import email.utils
from datetime import UTC, datetime, timedelta, timezone
from unittest.mock import patch

from hypothesis import example, given
from hypothesis import strategies as st

from ipyassets.http.retry import retry_after_seconds

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
NUMBERS = st.one_of(st.text(), st.integers().map(str), st.floats().map(str), st.text("0123456789.eE+- _", max_size=9))


@given(st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms"]), NUMBERS))
@example({"retry-after-ms": "nan"})
@example({"retry-after": "9" * 5000})
@example({"retry-after": "Mon, 01 Jan 0001 00:00:00 +2359"})
@example({"retry-after": "Fri, 31 Dec 9999 23:59:59 -9999"})
def test_a_wait_is_never_less_than_nothing(headers: dict[str, str]):
    wait = retry_after_seconds(headers)
    assert wait is None or wait >= 0


@given(st.integers(-100_000, 10_000_000), st.integers(-14, 14))
def test_a_date_is_a_wait_until_then(seconds: int, zone: int):
    then = (NOW + timedelta(seconds=seconds)).astimezone(timezone(timedelta(hours=zone)))
    written = email.utils.format_datetime(then)
    with patch("ipyassets.http.retry.time.time", return_value=NOW.timestamp()):
        assert retry_after_seconds({"retry-after": written}) == max(0, seconds)


@given(st.integers(0, 10_000_000), st.sampled_from(["", " ", "\t"]))
def test_seconds_are_seconds_and_milliseconds_come_first(wait: int, blank: str):
    assert retry_after_seconds({"retry-after": f"{blank}{wait}{blank}"}) == wait
    assert retry_after_seconds({"retry-after": "1", "retry-after-ms": str(wait)}) == wait / 1000
