"""Arguments of people, checked in one way: each check gives the value as it is used, or raises `InvalidRequest`."""

from __future__ import annotations

import inspect
import operator
import threading
from typing import Any

from ipyassets.errors import InvalidRequest

__all__ = ["flag", "patience", "plain_function", "seconds", "whole"]


def whole(name: str, value: Any, least: int = 1, most: int | None = None, *, unit: str = "", none: str = "") -> int:
    """A whole number from ``least`` to ``most``, NumPy's integers too; a bool is none.

    ``unit`` and ``none`` (what None would mean, where the caller takes it) complete the message.
    """
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None or number < least or (most is not None and number > most):
        of = f" of {unit}" if unit else ""
        upto = " or more" if most is None else f" to {most}"
        besides = f", or None {none}" if none else ""
        raise InvalidRequest(f"{name} must be a whole number{of}, {least}{upto}{besides}; got {value!r:.80}.")
    return number


def seconds(name: str, value: Any, none: str = "") -> float | None:
    """A number of seconds, 0 or more; None too, where ``none`` says what it means."""
    if value is None and none:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        besides = f", or None {none}" if none else ""
        raise InvalidRequest(f"{name} must be seconds, 0 or more{besides}; got {value!r:.80}.")
    return float(value)


def patience(timeout: Any) -> float | None:
    """A ``timeout`` in seconds; None to wait for ever, also for what is longer than a thread can wait (292 years)."""
    wait = seconds("timeout", timeout, none="to wait for ever")
    return None if wait is not None and wait > threading.TIMEOUT_MAX else wait


def flag(name: str, value: Any) -> bool:
    """True or False, and nothing that merely counts as such."""
    if not isinstance(value, bool):
        raise InvalidRequest(f"{name} must be True or False; got {value!r:.80}.")
    return value


def plain_function(what: str, value: Any, instead: str) -> None:
    """Something to call; no coroutine function, whose calls nobody would await: ``instead`` says what to do then."""
    if not callable(value) or inspect.iscoroutinefunction(value):
        raise InvalidRequest(f"{what} must be a plain function, which may block; to await, {instead}.")
