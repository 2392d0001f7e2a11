"""Values of search keywords: each kind is read in one way, and refused with a message that says what is allowed."""

from __future__ import annotations

import contextlib
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Final, TypeVar

from ipyassets.errors import InvalidRequest
from ipyassets.services.wire import utc, zulu

__all__ = ["among", "as_is", "dates", "listed", "numbers", "one_among", "several", "texts", "uuids"]

V = TypeVar("V")

_UUID: Final = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.IGNORECASE)


def texts(name: str, value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidRequest(f"{name} must be a text; got {value!r:.80}.")
    return value.strip() or None


def listed(name: str, value: Any) -> list[str]:
    values = [value] if isinstance(value, str) else value
    if isinstance(values, Mapping | bytes) or not isinstance(values, Iterable):
        raise InvalidRequest(f"{name} must be a text or a list of texts; got {value!r:.80}.")
    found = list(values)
    for entry in found:
        if not isinstance(entry, str):
            raise InvalidRequest(f"{name} must be a text or a list of texts; it holds {entry!r:.80}.")
    return [entry.strip() for entry in found if entry.strip()]


def several(name: str, value: Any) -> list[str] | None:
    return listed(name, value) or None


def uuids(name: str, value: Any) -> list[str] | None:
    found = listed(name, value)
    for entry in found:
        if not _UUID.fullmatch(entry):
            singular = {"tags": "tag_name", "locations": "location_name", "variant_groups": "variant_group_name"}
            other = f"; {singular[name]}= takes a name" if name in singular else ""
            raise InvalidRequest(f"{name} takes uuids{other}; got {entry!r:.80}.")
    if name == "products" and not found:
        # Left out, it would mean all products, which nobody means by an empty list.
        raise InvalidRequest("products=[] asks for nothing; leave it out to search all products.")
    return found or None


def among(allowed: Sequence[str]) -> Callable[[str, Any], list[str] | None]:
    def read(name: str, value: Any) -> list[str] | None:
        found = [entry.upper() for entry in listed(name, value)]
        for entry in found:
            if entry not in allowed:
                raise InvalidRequest(f"{name} must be among {', '.join(allowed)}; got {entry!r:.80}.")
        return found or None

    return read


def one_among(allowed: Sequence[str]) -> Callable[[str, Any], str | None]:
    def read(name: str, value: Any) -> str | None:
        found = among(allowed)(name, texts(name, value) or [])
        return found[0] if found else None

    return read


def _pair(name: str, value: Any, what: str) -> tuple[Any, Any]:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        raise InvalidRequest(f"{name} must be a pair of {what}, None for an open end; got {value!r:.80}.")
    return value[0], value[1]


def numbers(name: str, value: Any) -> dict[str, int] | None:
    low, high = _pair(name, value, "whole numbers (least, most)")
    low, high = _number(name, low), _number(name, high)
    if low is not None and high is not None and low > high:
        raise InvalidRequest(f"{name} runs from {low} to {high}: the least comes first.")
    return _range("minValue", low, "maxValue", high)


def _range(first: str, low: V | None, second: str, high: V | None) -> dict[str, V] | None:
    """Both ends; an open one is left out."""
    return {name: end for name, end in ((first, low), (second, high)) if end is not None} or None


def _number(name: str, value: Any) -> int | None:
    try:
        found = None if value is None or isinstance(value, bool) else operator.index(value)  # NumPy's integers too
    except TypeError:
        found = -1
    if (found is None and value is not None) or (found is not None and found < 0):
        raise InvalidRequest(f"{name} must hold whole numbers of 0 or more, or None; got {value!r:.80}.")
    return found


def dates(name: str, value: Any) -> dict[str, str] | None:
    start, end = _pair(name, value, "dates (from, to)")
    low, high = _moment(name, start, last=False), _moment(name, end, last=True)
    if low is not None and high is not None and low > high:
        raise InvalidRequest(f"{name} runs from {low:%Y-%m-%d} to {high:%Y-%m-%d}: the earlier comes first.")
    return _range("startDate", _written(low), "endDate", _written(high))


def _moment(name: str, value: Any, *, last: bool) -> datetime | None:
    if value is None or value == "":
        return None
    day = value
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            day = date.fromisoformat(value.strip())
    if last and isinstance(day, date) and not isinstance(day, datetime):
        return datetime.combine(day, time.max, UTC)
    moment = utc(day)
    if moment is None:
        raise InvalidRequest(f"{name} takes datetimes, dates or ISO 8601 texts; got {value!r:.80}.")
    return moment


def _written(moment: datetime | None) -> str | None:
    return None if moment is None else zulu(moment)


def as_is(name: str, value: Any) -> dict[str, Any] | None:
    if not isinstance(value, Mapping):
        raise InvalidRequest(f"{name} must be a mapping; got {value!r:.80}.")
    return dict(value) or None
