"""The keywords of a Scenario search, checked, and turned into the one of its two forms that can answer.

Without a text or a keyword that only searching knows, assets are listed: newest first, page after page, uncounted. All
else is a search: counted, any page at once, and on a quota of its own.
"""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias, TypedDict

from ipyassets.errors import InvalidRequest
from ipyassets.services.base import Choice, Filter
from ipyassets.services.scenario.grammar import EVERYTHING, any_of, compare, every, iso
from ipyassets.services.scenario.records import Collection, Tag
from ipyassets.services.scenario.types import TYPES
from ipyassets.services.wire import check_names, page_size

__all__ = ["FILTERS", "SORTS", "AssetFilters", "Listing", "Query", "understood"]

MAX_PAGE: Final = 100
DEFAULT_PAGE: Final = 50
Moment: TypeAlias = dt.datetime | dt.date | str

_KINDS: Final = ("3d", "audio", "document", "image", "image-hdr", "json", "text", "video")
_PRIVACY: Final = ("public", "private", "unlisted")
_DATES: Final = {
    "created_after": ("createdAt", ">"),
    "created_before": ("createdAt", "<"),
    "updated_after": ("updatedAt", ">"),
    "updated_before": ("updatedAt", "<"),
}
_BOUNDS: Final = {
    "min_width": ("width", ">="),
    "max_width": ("width", "<="),
    "min_height": ("height", ">="),
    "max_height": ("height", "<="),
}
_EQUAL: Final = {
    "kind": "kind",
    "name": "name",
    "model": "modelId",
    "base_model": "baseModelId",
    "collection": "collectionIds",
    "author": "authorId",
    "aspect_ratio": "aspectRatio",
    "mime_type": "mimeType",
    "seed": "seed",
}
_LISTED: Final = {
    "type": "type",
    "types": "types",
    "collection": "collectionId",
    "model": "modelId",
    "author": "authorId",
    "inference": "inferenceId",
    "parent": "parentAssetId",
    "root": "rootAssetId",
}
_SINGLE: Final = ("collection", "model", "author")
"""What a listing takes one of, and a search several."""
_ONLY_LISTED: Final = frozenset({"type", "types", "inference", "parent", "root", "deleted"})
_ONLY_SEARCHED: Final = frozenset(
    {"kind", "name", "base_model", "aspect_ratio", "mime_type", "seed", "tags", "filter", "image", "images", "paging"}
    | {"semantic_ratio", "image_semantic_ratio", *_BOUNDS}
)
_SORT_FIELDS: Final = {
    "created": "createdAt",
    "updated": "updatedAt",
    "width": "width",
    "height": "height",
    "score": "score",
}

SORTS: Final = (
    Choice("-created", "Newest first"),
    Choice("created", "Oldest first"),
    Choice("-updated", "Last changed first"),
    Choice("-width", "Widest first"),
    Choice("-height", "Tallest first"),
)
FILTERS: Final = (
    Filter(
        "kind",
        "Kind",
        "choices",
        (
            Choice("image", "Image"),
            Choice("3d", "3D"),
            Choice("video", "Video"),
            Choice("audio", "Audio"),
            Choice("text", "Text"),
        ),
    ),
    Filter("tags", "Tags"),
    Filter("model", "Model id"),
    Filter("collection", "Collection id"),
    Filter("aspect_ratio", "Aspect ratio"),
    Filter("privacy", "Privacy", "choice", (Choice("private", "Private"), Choice("public", "Everyone's public"))),
)


class AssetFilters(TypedDict, total=False):
    """The keywords of a Scenario search. Several values of one keyword: a sequence, or one str with commas."""

    kind: str | Sequence[str] | None
    """3d, audio, document, image, image-hdr, json, text or video; one of them."""
    tags: str | Tag | Sequence[str | Tag] | None
    """All of them."""
    model: str | Sequence[str] | None
    """Id of the model that made the asset."""
    collection: str | Collection | Sequence[str | Collection] | None
    """In one of them: `Collection` or id."""
    author: str | None
    name: str | None
    """The exact name."""
    base_model: str | None
    aspect_ratio: str | None
    """Such as ``"16:9"``."""
    mime_type: str | Sequence[str] | None
    seed: str | int | None
    privacy: Literal["public", "private", "unlisted"] | None
    """``"public"``: everyone's public assets instead of one's own."""
    created_after: Moment | None
    created_before: Moment | None
    updated_after: Moment | None
    updated_before: Moment | None
    min_width: int | None
    max_width: int | None
    min_height: int | None
    max_height: int | None
    filter: str | None
    """An expression in Scenario's own filter language, besides all other keywords."""
    image: Any
    """Assets that look like this one: an asset, its id, or a data URL."""
    images: Mapping[str, Sequence[Any]] | None
    """``{"like": […], "unlike": […]}`` of the same."""
    semantic_ratio: float | None
    """0 (words only) to 1 (meaning only)."""
    image_semantic_ratio: float | None
    paging: Literal["page", "offset"] | None
    """How a search is paged: by number with an exact count (``"page"``), or by offset without one. Without a text and
    filters it makes a search of the listing, so that any page can be had at once."""
    page_size: int | None
    """Assets per request, 1 to 100; 50 unless told."""
    type: str | None
    """How the asset came to be, such as ``"uploaded"``; only without a text and other search keywords."""
    types: str | Sequence[str] | None
    """Several of those; not together with ``type``."""
    inference: str | None
    parent: Any
    root: Any
    deleted: bool | None
    """What was deleted in the last 30 days; goes with no other keyword."""


@dataclass(frozen=True, slots=True)
class Listing:
    """``GET /assets``, without its paging."""

    params: tuple[tuple[str, str], ...]
    page_size: int


@dataclass(frozen=True, slots=True)
class Query:
    """``POST /search/assets``, without its paging."""

    body: Mapping[str, Any] = field(hash=False)
    page_size: int
    paging: Literal["page", "offset"]


def understood(text: str, sort: str | None, filters: Mapping[str, Any]) -> Listing | Query:
    """The request that answers the search. Raises `InvalidRequest`; sends nothing."""
    check_names(filters, AssetFilters.__annotations__, "Scenario")
    given = {name: value for name, value in filters.items() if not _unset(value)}
    size = page_size(given.pop("page_size", None), DEFAULT_PAGE, MAX_PAGE)
    if sort and sort.removeprefix("-") not in _SORT_FIELDS:
        allowed = ", ".join(f"'{name}', '-{name}'" for name in _SORT_FIELDS)
        raise InvalidRequest(f"Scenario cannot sort by {sort!r}; sort is one of {allowed}.")
    _check_privacy(given.get("privacy"))
    searching = _reasons_to_search(text, sort, given)
    listing = sorted(_ONLY_LISTED & given.keys())
    if searching and listing:
        raise InvalidRequest(
            f"Only listings of all assets know {listing[0]!r}, and {searching[0]} makes this a search. "
            "Leave out one of them; kind=… narrows a search."
        )
    if searching:
        return _query(text.strip(), sort, given, size)
    return _listing(sort, given, size)


def _reasons_to_search(text: str, sort: str | None, given: Mapping[str, Any]) -> list[str]:
    """What only a search can do, in words; empty if a listing will do."""
    reasons = ["a text"] if text.strip() else []
    reasons += [repr(name) for name in sorted(_ONLY_SEARCHED & given.keys())]
    dated = {field for name, (field, _) in _DATES.items() if name in given}
    by = _SORT_FIELDS[sort.removeprefix("-")] if sort else None
    if by not in (None, "createdAt", "updatedAt"):
        reasons.append(f"sort={sort!r}")
    elif len(dated) > 1 or (by is not None and dated - {by}):
        reasons.append("such a mix of dates and sort")  # a listing goes by one date, and sorts by the same
    if given.get("privacy") in ("private", "unlisted"):
        reasons.append("privacy")
    reasons += [f"more than one {name}" for name in _SINGLE if name in given and len(_texts(name, given[name])) > 1]
    return reasons


def _listing(sort: str | None, given: dict[str, Any], size: int) -> Listing:
    params: list[tuple[str, str]] = []
    if given.get("deleted"):
        if len(given) > 1 or sort:
            raise InvalidRequest("deleted=True goes with no other keyword, and in no other order.")
        return Listing((("deleted", "true"),), size)
    if "type" in given and "types" in given:
        raise InvalidRequest("Give type or types, not both.")
    dated = next((field for name, (field, _) in _DATES.items() if name in given), "createdAt")
    by = _SORT_FIELDS[sort.removeprefix("-")] if sort else dated
    params += [("sortBy", by), ("sortDirection", "asc" if sort and not sort.startswith("-") else "desc")]
    for name, field_name in _LISTED.items():
        if name in given:
            values = _texts(name, given[name])
            if name in ("type", "types"):
                _check_types(values)
            elif len(values) > 1:  # a search takes several of the others
                raise InvalidRequest(f"A listing takes one {name}.")
            params.append((field_name, ",".join(values)))
    for name in _DATES:
        if name in given:
            field_name = name.replace("_a", "A").replace("_b", "B")
            params.append((field_name, iso(name, given[name])))
    if given.get("privacy"):
        params.append(("privacy", given["privacy"]))
    return Listing(tuple(params), size)


def _query(text: str, sort: str | None, given: dict[str, Any], size: int) -> Query:
    paging = given.get("paging", "page")
    if paging not in ("page", "offset"):
        raise InvalidRequest(f"paging must be 'page' or 'offset'; got {paging!r}.")
    body: dict[str, Any] = {"query": text} if text else {}
    body |= _pictures(given)
    body |= _ratios(text, given)
    terms = _terms(given)
    if given.get("privacy") == "public":
        body["public"] = True
    if not terms and not body.keys() & {"query", "image", "images"}:
        terms.append(EVERYTHING)
    if terms:
        body["filter"] = every(terms)
    if sort is None and not body.keys() & {"query", "image", "images"}:
        sort = "-created"  # nothing to be relevant to: as a listing has it
    if sort:
        body["sortBy"] = [f"{_SORT_FIELDS[sort.removeprefix('-')]}:{'desc' if sort.startswith('-') else 'asc'}"]
    return Query(body, size, paging)


def _terms(given: Mapping[str, Any]) -> list[str]:
    terms = []
    for name, field_name in _EQUAL.items():
        if name in given:
            values = _texts(name, given[name], split=name not in ("name", "seed"))
            if name == "kind" and (unknown := set(values) - set(_KINDS)):
                raise InvalidRequest(f"kind must be of {', '.join(_KINDS)}; got {min(unknown)!r}.")
            terms.append(any_of(field_name, values))
    if "tags" in given:
        terms += [any_of("tags", [value]) for value in _texts("tags", given["tags"])]
    if given.get("privacy") in ("private", "unlisted"):
        terms.append(compare("privacy", "=", given["privacy"]))
    for name, (field_name, operator) in _DATES.items():
        if name in given:
            terms.append(compare(field_name, operator, iso(name, given[name])))
    for name, (field_name, operator) in _BOUNDS.items():
        if name in given:
            value = given[name]
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise InvalidRequest(f"{name} must be a whole number of pixels, 0 or more; got {value!r:.60}.")
            terms.append(compare(field_name, operator, value))
    if "filter" in given:
        if not isinstance(given["filter"], str):
            raise InvalidRequest("filter must be a str in Scenario's filter language, such as 'width >= 1024'.")
        terms.append(f"({given['filter'].strip()})")
    return terms


def _pictures(given: Mapping[str, Any]) -> dict[str, Any]:
    if "image" in given and "images" in given:
        raise InvalidRequest("Give image or images, not both.")
    if "image" in given:
        return {"image": _one("image", given["image"], pictures=True)}
    if "images" not in given:
        return {}
    images = given["images"]
    if not isinstance(images, Mapping) or not images or images.keys() - {"like", "unlike"}:
        raise InvalidRequest('images must be {"like": […], "unlike": […]}, or one of the two.')
    return {
        "images": {
            side: [_one("images", value, pictures=True) for value in ([few] if isinstance(few, str) else few)]
            for side, few in images.items()
        }
    }


def _ratios(text: str, given: Mapping[str, Any]) -> dict[str, float]:
    ratios = {}
    for name, field_name, needed in (
        ("semantic_ratio", "querySemanticRatio", bool(text)),
        ("image_semantic_ratio", "imageSemanticRatio", bool(given.keys() & {"image", "images"})),
    ):
        if name not in given:
            continue
        value = given[name]
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
            raise InvalidRequest(f"{name} must be a number from 0 to 1; got {value!r:.60}.")
        if not needed:
            what = "a search text" if name == "semantic_ratio" else "image or images"
            raise InvalidRequest(f"{name} needs {what} beside it.")
        ratios[field_name] = value
    return ratios


def _texts(name: str, value: Any, *, split: bool = True) -> list[str]:
    """The values of a keyword; one str may hold several, with commas between them."""
    if isinstance(value, str):
        parts = [part.strip() for part in value.split(",")] if split else [value]
    elif isinstance(value, Sequence | set | frozenset):
        parts = [_one(name, entry) for entry in value]
    else:
        parts = [_one(name, value)]
    found = [part for part in parts if part]
    if not found:
        raise InvalidRequest(f"{name} is empty; leave it out.")
    return found


def _one(name: str, value: Any, *, pictures: bool = False) -> str:
    """A text, a number, the id of an asset or a collection, the name of a tag."""
    found = value if isinstance(value, str) else getattr(value, "id", None) or getattr(value, "name", None)
    if name == "seed" and isinstance(value, int) and not isinstance(value, bool):
        found = str(value)
    if not isinstance(found, str) or not found.strip():
        raise InvalidRequest(f"{name} takes texts or ids; got {value!r:.60}.")
    if pictures and ":" in found and not found.startswith("data:image/"):
        raise InvalidRequest(f"{name} takes assets, their ids, or data:image/… URLs; no other URLs.")
    return found


def _check_types(values: Sequence[str]) -> None:
    for value in values:
        if value not in TYPES:
            close = difflib.get_close_matches(value, TYPES, 3)
            hint = f" Close to it: {', '.join(close)}." if close else ""
            raise InvalidRequest(f"{value!r:.60} is none of Scenario's {len(TYPES)} asset types.{hint}")


def _check_privacy(value: Any) -> None:
    if value is not None and value not in _PRIVACY:
        raise InvalidRequest(f"privacy must be one of {', '.join(map(repr, _PRIVACY))}; got {value!r:.60}.")


def _unset(value: Any) -> bool:
    """Whether a keyword was left empty, as an untouched field of a form is. 0 is a value."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or value is False or (isinstance(value, Sequence | set | frozenset) and not value)
