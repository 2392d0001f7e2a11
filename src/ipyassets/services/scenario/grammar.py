"""Scenario's filter expressions, built from values that may hold anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ipyassets.errors import InvalidRequest
from ipyassets.services.wire import utc, zulu

__all__ = ["EVERYTHING", "any_of", "compare", "every", "iso", "quoted"]

EVERYTHING: Final = 'createdAt > "1970-01-01T00:00:00.000Z"'
"""True of every asset: a search must have a text, a picture or a filter."""


def quoted(value: str) -> str:
    """``value`` in double quotes, so that it cannot end the expression it stands in."""
    if any(ord(character) < 32 for character in value):
        raise InvalidRequest("A filter value must not hold control characters or line breaks.")
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def any_of(field: str, values: Sequence[str]) -> str:
    """``field`` is one of ``values`` (has one of them, if it is a list)."""
    terms = [f"{field} = {quoted(value)}" for value in values]
    return terms[0] if len(terms) == 1 else f"({' OR '.join(terms)})"


def compare(field: str, operator: str, value: str | int) -> str:
    return f"{field} {operator} {value if isinstance(value, int) else quoted(value)}"


def every(terms: Sequence[str]) -> str:
    """All of ``terms``."""
    return " AND ".join(terms)


def iso(name: str, value: object) -> str:
    """A date or time as Scenario writes it: UTC, milliseconds, Z. Raises `InvalidRequest`."""
    moment = utc(value)
    if moment is None:
        raise InvalidRequest(
            f"{name} must be a datetime, a date or an ISO 8601 text such as '2026-01-31'; got {value!r:.60}."
        )
    return zulu(moment)
