"""Reading query strings and JSON bodies, with the 400 that says what is wrong."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Mapping
from typing import Any

from starlette.requests import Request

from ipyassets.sandbox.scenario.errors import bad_request

__all__ = ["body", "boolean", "ids", "integer", "moment", "one_of"]


def integer(values: Mapping[str, Any], name: str, default: int, *, least: int, most: int | None = None) -> int:
    """A whole number from a query string (text) or a body (where 20.0 counts as 20)."""
    value = values.get(name)
    if value is None:
        return default
    try:
        number = float(value) if not isinstance(value, bool) else None
    except (TypeError, ValueError):
        number = None
    if number is None or number != number // 1 or number < least or (most is not None and number > most):
        raise bad_request(f"{name} must be an integer from {least}" + ("" if most is None else f" to {most}"))
    return int(number)


def boolean(values: Mapping[str, Any], name: str) -> bool:
    value = values.get(name)
    if value in (None, False, "false", ""):
        return False
    if value in (True, "true"):
        return True
    raise bad_request(f"{name} must be true or false")


def one_of(values: Mapping[str, Any], name: str, allowed: Collection[str], default: str) -> str:
    value = values.get(name) or default
    if value not in allowed:
        raise bad_request(f"{name} must be one of {', '.join(allowed)}")
    return str(value)


def moment(values: Mapping[str, Any], name: str) -> float | None:
    value = values.get(name)
    if not value:
        return None
    try:
        when = dt.datetime.fromisoformat(value)
    except ValueError:
        raise bad_request(f"{name} must be an ISO 8601 date") from None
    return when.replace(tzinfo=when.tzinfo or dt.UTC).timestamp()


async def body(request: Request) -> dict[str, Any]:
    """The JSON object of a request; an absent body counts as an empty one."""
    raw = await request.body()
    try:
        value = json.loads(raw) if raw.strip() else {}
    except ValueError:
        raise bad_request("The request body is not valid JSON") from None
    if not isinstance(value, dict):
        raise bad_request("The request body must be a JSON object")
    return value


def ids(values: Mapping[str, Any], name: str, most: int) -> list[str]:
    """A non-empty list of at most ``most`` strings, each once, in order."""
    value = values.get(name)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value) or not value:
        raise bad_request(f"{name} must be a non-empty array of strings")
    if len(value) > most:
        raise bad_request(f"{name} must not hold more than {most} items")
    return list(dict.fromkeys(value))
