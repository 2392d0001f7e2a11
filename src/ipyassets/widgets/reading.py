"""Reading what the browser says with suspicion: every value is checked for type and bounds, or refused, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

__all__ = ["Cancel", "Hello", "Refused", "edge", "index", "is_index", "listed", "optional", "read", "text", "word"]

A = TypeVar("A")

LARGEST_INDEX: Final = 2**40
LONGEST_TEXT: Final = 1_000
LONGEST_WORD: Final = 64
MOST_REQUESTS: Final = 1_000


class Refused(Exception):
    """The browser asked for something that cannot be."""


@dataclass(frozen=True, slots=True)
class Hello:
    """A front end is there."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Nobody wants the answers to these requests any more."""

    requests: tuple[str, ...]


def read(content: object, asked: Callable[[Mapping[str, Any]], A | None]) -> tuple[str, A | Hello | Cancel]:
    """The request's own word and what it asks: what every widget is asked, else what ``asked`` makes of it.

    Raises `Refused`, also where ``asked`` knows no such request and gives None.
    """
    if not isinstance(content, Mapping):
        raise Refused("A message must be an object.")
    if content.get("op") == "cancel":
        requests = listed(content, "requests", MOST_REQUESTS)
        return "", Cancel(tuple(word(request, "requests") for request in requests))
    request = word(content.get("request"), "request")
    ask = Hello() if content.get("op") == "hello" else asked(content)
    if ask is None:
        raise Refused("There is no such request.")
    return request, ask


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
