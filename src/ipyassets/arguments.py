"""Arguments that several classes here take."""

from __future__ import annotations

from typing import Any

from ipyassets.errors import InvalidRequest

__all__ = ["seconds", "whole"]


def seconds(name: str, value: Any, none: str | None = None) -> float | None:
    """A number of seconds, 0 or more; None too, where ``none`` says what it means. Raises `InvalidRequest`."""
    if value is None and none is not None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        besides = "" if none is None else f", or None {none}"
        raise InvalidRequest(f"{name} must be seconds, 0 or more{besides}; got {value!r:.80}.")
    return float(value)


def whole(name: str, value: Any, least: int, most: int | None = None) -> int:
    """A whole number from ``least`` to ``most``. Raises `InvalidRequest`."""
    fits = isinstance(value, int) and not isinstance(value, bool) and least <= value and (most is None or value <= most)
    if not fits:
        upto = " or more" if most is None else f" to {most}"
        raise InvalidRequest(f"{name} must be a whole number, {least}{upto}; got {value!r:.80}.")
    return int(value)
