"""What the browser may ask, read with suspicion: anything ill-typed or out of bounds is refused, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from ipyassets.widgets import reading
from ipyassets.widgets.ranges import Ranges
from ipyassets.widgets.reading import Cancel, Hello, Refused, edge, index, is_index, listed, optional, text

__all__ = [
    "Ask",
    "Cancel",
    "Detail",
    "FilterValue",
    "Frames",
    "Hello",
    "Query",
    "Search",
    "Select",
    "Tiles",
    "Use",
    "ranges",
    "read",
]

MOST_TILES: Final = 2_000
MOST_RANGES: Final = 20_000
MOST_FILTERS: Final = 64
MOST_CHOICES: Final = 200
EDGES: Final = (16, 512)
DETAIL_EDGES: Final = (64, 4096)

FilterValue: TypeAlias = str | list[str] | bool


@dataclass(frozen=True, slots=True)
class Query:
    """A question to one service."""

    service: str
    place: str | None
    text: str
    filters: Mapping[str, FilterValue]
    sort: str | None


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
    ahead: bool = False
    """Whether none of them shows yet."""


@dataclass(frozen=True, slots=True)
class Detail:
    """One asset: its large picture and what is known of it."""

    generation: int
    index: int
    edge: int


@dataclass(frozen=True, slots=True)
class Frames:
    """What turns at this place, if anything does: some frames all around, of at most ``edge`` pixels a side."""

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


Ask: TypeAlias = Search | Tiles | Detail | Frames | Select | Use | Hello | Cancel


def read(content: object) -> tuple[str, Ask]:
    """The request's own word and what it asks. Raises `Refused`."""
    return reading.read(content, _asked)


def _asked(content: Mapping[str, Any]) -> Ask | None:
    match content.get("op"):
        case "use":
            return Use()
        case "search":
            return Search(_query(content.get("query")))
        case "select":
            return Select(index(content, "generation"), ranges(content))
        case "tiles":
            wanted = ranges(content)
            if len(wanted) > MOST_TILES:
                raise Refused(f"At most {MOST_TILES} tiles are given at once.")
            return Tiles(index(content, "generation"), wanted, edge(content, EDGES), content.get("ahead") is True)
        case "detail":
            return Detail(index(content, "generation"), index(content, "index"), edge(content, DETAIL_EDGES))
        case "frames":
            return Frames(index(content, "generation"), index(content, "index"), edge(content, EDGES))
        case _:
            return None


def _query(value: object) -> Query:
    if not isinstance(value, Mapping):
        raise Refused("query must be an object.")
    filters = value.get("filters")
    if not isinstance(filters, Mapping) or len(filters) > MOST_FILTERS:
        raise Refused("filters must be an object of filter values.")
    return Query(
        service=text(value.get("service"), "service"),
        place=optional(value.get("place"), "place"),
        text=text(value.get("text"), "text"),
        filters={text(name, "filters"): _filter(setting) for name, setting in filters.items()},
        sort=optional(value.get("sort"), "sort"),
    )


def _filter(value: object) -> FilterValue:
    if isinstance(value, bool):
        return value
    if isinstance(value, list):
        if len(value) > MOST_CHOICES:
            raise Refused(f"A filter takes at most {MOST_CHOICES} values.")
        return [text(choice, "filters") for choice in value]
    return text(value, "filters")


def ranges(content: Mapping[str, Any]) -> Ranges:
    """Places, as pairs of the first and the last."""
    pairs = []
    for pair in listed(content, "ranges", MOST_RANGES):
        if not isinstance(pair, list) or len(pair) != 2 or not all(is_index(end) for end in pair):
            raise Refused("ranges must be pairs of positions.")
        if pair[0] > pair[1]:
            raise Refused("A range must not end before it begins.")
        pairs.append((pair[0], pair[1]))
    return Ranges.of(pairs)
