"""Reading what the browser says with suspicion: every value is checked for type and bounds, or refused, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["Refused", "edge", "index", "is_index", "listed", "optional", "text", "word"]

LARGEST_INDEX: Final = 2**40
LONGEST_TEXT: Final = 1_000
LONGEST_WORD: Final = 64


class Refused(Exception):
    """The browser asked for something that cannot be."""


def listed(content: Mapping[str, Any], name: str, most: int) -> list[Any]:
    value = content.get(name)
    if not isinstance(value, list) or len(value) > most:
        raise Refused(f"{name} must be a list of at most {most}.")
    return value


def text(value: object, name: str, longest: int = LONGEST_TEXT) -> str:
    if not isinstance(value, str) or len(value) > longest:
        raise Refused(f"{name} must be a text of at most {longest} characters.")
    return value


def optional(value: object, name: str) -> str | None:
    return None if value is None else text(value, name)


def is_index(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_INDEX


def index(content: Mapping[str, Any], name: str) -> int:
    value = content.get(name)
    if not is_index(value):
        raise Refused(f"{name} must be a whole number, 0 or more.")
    assert isinstance(value, int)
    return value


def word(value: object, name: str) -> str:
    """A short text, such as the mark of a request."""
    return text(value, name, LONGEST_WORD)


def edge(content: Mapping[str, Any], bounds: tuple[int, int]) -> int:
    """The most pixels a side that a picture may have."""
    pixels = index(content, "edge")
    if not bounds[0] <= pixels <= bounds[1]:
        raise Refused(f"edge must be {bounds[0]} to {bounds[1]} pixels.")
    return pixels
