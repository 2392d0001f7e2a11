"""What the browser may ask, read with suspicion: anything ill-typed or out of bounds is refused, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from ipyassets.widgets.ranges import Ranges

__all__ = [
    "Ask",
    "Cancel",
    "Detail",
    "FilterValue",
    "Hello",
    "Query",
    "Refused",
    "Search",
    "Select",
    "Tiles",
    "Use",
    "read",
]

MOST_TILES: Final = 2_000
MOST_RANGES: Final = 20_000
MOST_REQUESTS: Final = 1_000
LARGEST_INDEX: Final = 2**40
LONGEST_TEXT: Final = 1_000
MOST_FILTERS: Final = 64
MOST_CHOICES: Final = 200
EDGES: Final = (16, 512)
DETAIL_EDGES: Final = (64, 2048)

FilterValue: TypeAlias = str | list[str] | bool


class Refused(Exception):
    """The browser asked for something that cannot be."""


@dataclass(frozen=True, slots=True)
class Query:
    """A question to one service."""

    service: str
    place: str | None
    text: str
    filters: Mapping[str, FilterValue]
    sort: str | None


@dataclass(frozen=True, slots=True)
class Hello:
    """A front end is there."""


@dataclass(frozen=True, slots=True)
class Search:
    """Begin a new result."""

    query: Query


@dataclass(frozen=True, slots=True)
class Tiles:
    """The tiles at these places, with pictures of at most ``edge`` pixels a side."""

    generation: int
    ranges: Ranges
    edge: int


@dataclass(frozen=True, slots=True)
class Detail:
    """One asset: its large picture and what is known of it."""

    generation: int
    index: int
    edge: int


@dataclass(frozen=True, slots=True)
class Select:
    """The selection is now these places."""

    generation: int
    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Use:
    """The person pressed "Use selection"."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Nobody wants these any more."""

    requests: tuple[str, ...]


Ask: TypeAlias = Hello | Search | Tiles | Detail | Select | Use | Cancel


def read(content: object) -> tuple[str, Ask]:
    """The request's own word and what it asks. Raises `Refused`."""
    if not isinstance(content, Mapping):
        raise Refused("A message must be an object.")
    if content.get("op") == "cancel":
        requests = _list(content, "requests", MOST_REQUESTS)
        return "", Cancel(tuple(_text(request, "requests", 64) for request in requests))
    return _text(content.get("request"), "request", 64), _ask(content)


def _ask(content: Mapping[str, Any]) -> Ask:
    match content.get("op"):
        case "hello":
            return Hello()
        case "use":
            return Use()
        case "search":
            return Search(_query(content.get("query")))
        case "select":
            return Select(_index(content, "generation"), _ranges(content))
        case "tiles":
            ranges = _ranges(content)
            if len(ranges) > MOST_TILES:
                raise Refused(f"At most {MOST_TILES} tiles are given at once.")
            return Tiles(_index(content, "generation"), ranges, _edge(content, EDGES))
        case "detail":
            return Detail(_index(content, "generation"), _index(content, "index"), _edge(content, DETAIL_EDGES))
        case _:
            raise Refused("There is no such request.")


def _query(value: object) -> Query:
    if not isinstance(value, Mapping):
        raise Refused("query must be an object.")
    filters = value.get("filters")
    if not isinstance(filters, Mapping) or len(filters) > MOST_FILTERS:
        raise Refused("filters must be an object of filter values.")
    return Query(
        service=_text(value.get("service"), "service"),
        place=_optional(value.get("place"), "place"),
        text=_text(value.get("text"), "text"),
        filters={_text(name, "filters"): _filter(setting) for name, setting in filters.items()},
        sort=_optional(value.get("sort"), "sort"),
    )


def _filter(value: object) -> FilterValue:
    if isinstance(value, bool):
        return value
    if isinstance(value, list):
        if len(value) > MOST_CHOICES:
            raise Refused(f"A filter takes at most {MOST_CHOICES} values.")
        return [_text(choice, "filters") for choice in value]
    return _text(value, "filters")


def _ranges(content: Mapping[str, Any]) -> Ranges:
    pairs = []
    for pair in _list(content, "ranges", MOST_RANGES):
        if not isinstance(pair, list) or len(pair) != 2 or not all(_is_index(end) for end in pair):
            raise Refused("ranges must be pairs of positions.")
        if pair[0] > pair[1]:
            raise Refused("A range must not end before it begins.")
        pairs.append((pair[0], pair[1]))
    return Ranges.of(pairs)


def _list(content: Mapping[str, Any], name: str, most: int) -> list[Any]:
    value = content.get(name)
    if not isinstance(value, list) or len(value) > most:
        raise Refused(f"{name} must be a list of at most {most}.")
    return value


def _text(value: object, name: str, longest: int = LONGEST_TEXT) -> str:
    if not isinstance(value, str) or len(value) > longest:
        raise Refused(f"{name} must be a text of at most {longest} characters.")
    return value


def _optional(value: object, name: str) -> str | None:
    return None if value is None else _text(value, name)


def _is_index(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_INDEX


def _index(content: Mapping[str, Any], name: str) -> int:
    value = content.get(name)
    if not _is_index(value):
        raise Refused(f"{name} must be a whole number, 0 or more.")
    assert isinstance(value, int)
    return value


def _edge(content: Mapping[str, Any], bounds: tuple[int, int]) -> int:
    edge = _index(content, "edge")
    if not bounds[0] <= edge <= bounds[1]:
        raise Refused(f"edge must be {bounds[0]} to {bounds[1]} pixels.")
    return edge
