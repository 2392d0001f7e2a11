"""Faults in one line of text, as the command line takes them: ``'/thumbnails/ status status=429 rate=0.1'``."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any, Final

from ipyassets.sandbox.faults import KINDS, Faults

__all__ = ["HELP", "fault_arguments"]

HELP: Final = (
    "A fault is PATH KIND [NAME=VALUE ...], such as: /thumbnails/ status status=429 retry-after=2 "
    "rate=0.1\nPATH is a regular expression. Kinds: "
    + ", ".join(KINDS)
    + ".\nNames: method, status, body, location, count, skip, rate, seconds, after, jitter, change; others are "
    "headers. It strikes for ever unless count says how often."
)
_READ: Final[dict[str, Callable[[str], Any]]] = {
    "method": str,
    "status": int,
    "body": str,
    "location": str,
    "count": int,
    "skip": int,
    "rate": float,
    "seconds": float,
    "after": int,
    "jitter": float,
    "change": str,
}


def fault_arguments(text: str) -> dict[str, Any]:
    """The arguments of `Faults.add` that ``text`` stands for. Raises `ValueError`, naming what is wrong."""
    words = shlex.split(text)
    if len(words) < 2:
        raise ValueError(f"a fault is 'PATH KIND [NAME=VALUE …]', not {text!r:.80}")
    path, kind, *pairs = words
    headers: dict[str, str] = {}
    given: dict[str, Any] = {"path": path, "kind": kind, "count": None, "headers": headers}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise ValueError(f"NAME=VALUE was expected, not {pair!r:.40}")
        if name not in _READ:
            headers[name] = value
            continue
        try:
            given[name] = _READ[name](value)
        except ValueError:
            raise ValueError(f"{name} takes a number, not {value!r:.40}") from None
    Faults().add(**given)  # what cannot be is said now
    return given
