"""Faults in one line of text, as the command line takes them: ``'/thumbnails/ status status=429 rate=0.1'``."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import Any, Final

from ipyassets.sandbox.faults import Faults, Kind

__all__ = ["EXAMPLES", "HELP", "fault_arguments"]

EXAMPLES: Final[Mapping[Kind, tuple[str, str]]] = {
    "status": ("/thumbnails/ status status=429 retry-after=2 rate=0.1", "a status, headers and a body"),
    "html": ("/search html status=502", "a page where data was asked for"),
    "redirect": ("/imodels redirect location=http://localhost:9/", "to another place"),
    "loop": ("/cdn/ loop", "a redirect to what was asked for"),
    "slow": ("/search slow seconds=3 jitter=1", "the answer, late"),
    "trickle": ("/cdn/ trickle seconds=20", "the answer, in pieces"),
    "reset": ("/storage/ reset after=1000 count=2", "the connection is reset, at once or after some bytes"),
    "cut": ("/thumbnails/ cut rate=0.05", "half of the answer, or its first bytes"),
    "stall": ("/search stall seconds=30", "silence, at once or after some bytes"),
    "length": ("/cdn/ length after=-7", "a Content-Length that is wrong"),
    "wrong_content": ("/organizations wrong_content body={}", "another body under the true head"),
    "empty": ("/search empty", "no body"),
    "shape": ("/search shape", "lists where objects should be, and the other way round"),
    "extra": ("/search extra", "fields that nobody has heard of"),
    "missing": ("/search missing", "no fields but ids"),
    "unknown": ("/status unknown", "words that stand in no list"),
    "duplicate": ("/imodels duplicate", "an item twice"),
    "drift": ("/search drift change=removed", "a list that changes between its pages"),
    "clock": ("/cdn/ clock seconds=3600", "a clock that is ahead: tokens and URLs have expired"),
    "revoked": ("/products/ revoked count=1", "credentials or a signature that are not known"),
    "wrong_type": ("/thumbnails/ wrong_type", "a drawing in the place of a picture"),
    "truncated": ("/cdn/ truncated", "the beginning of a file"),
    "corrupt": ("/storage/ corrupt", "a file with another second half"),
    "giant": ("/thumbnails/ giant", "a picture of 50,000 x 50,000 pixels"),
}
"""For each kind a fault as a text, and what it does."""
HELP: Final = (
    "A fault is PATH KIND [NAME=VALUE ...]. PATH is a regular expression. Kinds, with an example of each:\n\n"
    + "\n".join(f"  {text:<55}  {what}" for text, what in EXAMPLES.values())
    + "\n\nNames: method, status, body, location, count, skip, rate, seconds, after, jitter, change; others are "
    "headers. It strikes for ever unless count says how often, and only where there is something to strike."
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
