"""The keywords of a product search: read once, checked before anything is sent, written in the service's own words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Final, TypeAlias, TypedDict

from ipyassets.arguments import flag
from ipyassets.errors import InvalidRequest
from ipyassets.services.base import Choice, Filter
from ipyassets.services.vntana.values import among, as_is, dates, numbers, one_among, several, texts, uuids
from ipyassets.services.wire import check_names, page_size

__all__ = ["FILTERS", "MOST_PER_PAGE", "PAGE_SIZE", "SORTS", "STATUSES", "VntanaFilters", "request"]

PAGE_SIZE: Final = 50
MOST_PER_PAGE: Final = 100

STATUSES: Final = (
    "DRAFT",
    "WAITING_REVIEW",
    "APPROVED",
    "REJECTED",
    "LIVE_INTERNAL",
    "LIVE_PUBLIC",
    "CUSTOMER_REVIEW",
    "CUSTOMER_APPROVED",
    "CUSTOMER_REJECTED",
    "CUSTOMER_DROPPED",
    "CUSTOMER_HOLD",
    "LIVE",
    "INTERNAL",
)
CONVERSION_STATUSES: Final = (
    "PENDING",
    "CONVERTING",
    "COMPLETED",
    "FAILED",
    "NO_ASSET",
    "TERMINATED",
    "NOT_APPLICABLE",
)
ASSET_TYPES: Final = (
    "THREE_D",
    "IMAGE",
    "VIDEO",
    "DOCUMENT",
    "PROJECT",
    "MATERIAL",
    "AUDIO",
    "NATIVE",
    "TRIM",
    "AVATAR",
    "NO_ASSET",
)
INTEGRATION_STATUSES: Final = (
    "LOCAL_CREATED",
    "LOCAL_ERROR",
    "REMOTE_CREATED",
    "REMOTE_UPDATED",
    "REMOTE_PROCESSING",
    "REMOTE_COMPLETED",
    "REMOTE_FAILED",
    "REMOTE_REJECTED",
    "REMOTE_ERROR",
)
SEARCH_TYPES: Final = ("EXTEND_PRODUCTS", "FILTER_PRODUCTS", "EXTEND_PRODUCTS_APPLY_FILTERS")
MATCHES: Final = ("MATCH_ALL", "MATCH_ANY", "MATCH_EXACT", "MATCH_FUZZY")

Moment: TypeAlias = datetime | date | str | None
"""A point in time: a datetime (without a zone: UTC), a date or an ISO 8601 text; None leaves that end open."""
Moments: TypeAlias = tuple[Moment, Moment]
Numbers: TypeAlias = tuple[int | None, int | None]
Several: TypeAlias = str | Sequence[str]


class VntanaFilters(TypedDict, total=False):
    """Keywords of ``Vntana.search``. Values of enumerations may be written in lower case; one alone needs no list."""

    exact_name: str
    """Products of exactly this name."""
    name: str
    description: str
    tag_name: str
    location_name: str
    variant_group_name: str
    attribute_key: str
    attribute_value: str
    status: Several
    """``"LIVE_PUBLIC"``, ``"LIVE_INTERNAL"``, ``"DRAFT"`` and so on. Drafts come only when asked for."""
    conversion_status: Several
    asset_types: Several
    """``"THREE_D"``, ``"IMAGE"``, ``"VIDEO"`` and so on."""
    tags: Several
    """Uuids of tags (``tag_name`` takes a name)."""
    locations: Several
    variant_groups: Several
    projects: Several
    products: Several
    """Uuids of the products to look among: the way to fetch many known ones at once."""
    pipelines: Several
    attributes_keys: Several
    attributes_values: Several
    has_attributes: bool
    has_projects: bool
    created: Moments
    """From and to, both included; a date without a time stands for the whole day, in UTC."""
    updated: Moments
    original_size: Numbers
    """Bytes, least and most, of the file as uploaded."""
    optimized_size: Numbers
    original_poly_count: Numbers
    optimized_poly_count: Numbers
    match_types: Mapping[str, str]
    """How a filter matches: keys ``tags``, ``text``, ``name``, ``attributes_keys``, ``attributes_values``; values
    ``all``, ``any``, ``exact``, ``fuzzy``."""
    integrations_status: Mapping[str, Several]
    search_type: str
    extended_filters: Mapping[str, Any]
    """Sent as it is; the service does not document it."""
    page_size: int
    """Products fetched at a time, 1 to 100 (50)."""


_SORTS: Final[Mapping[str, str]] = {
    "name": "NAME",
    "created": "CREATED",
    "updated": "UPDATED",
    "conversion_status": "CONVERSION_STATUS",
    "workspace": "WORKSPACE_SLUG",
    "tags": "TAGS",
    "original_poly_count": "ORIGINAL_POLY_COUNT",
    "optimized_poly_count": "OPTIMIZED_POLY_COUNT",
    "original_size": "ORIGINAL_FILE_SIZE",
    "optimized_size": "OPTIMIZED_FILE_SIZE",
    "pipeline": "PIPELINE_NAME",
}
SORTS: Final = (
    Choice("name", "Name, A to Z"),
    Choice("-name", "Name, Z to A"),
    Choice("-created", "Newest first"),
    Choice("created", "Oldest first"),
    Choice("-updated", "Recently updated"),
    Choice("-optimized_poly_count", "Most polygons"),
    Choice("-optimized_size", "Largest file"),
)
_NEWEST_FIRST: Final = {"CREATED": "DESC"}
_MATCH_KEYS: Final[Mapping[str, tuple[str, str]]] = {
    "tags": ("TAGS_UUIDS", "tagsUuids"),
    "text": ("SEARCH_TERM", "searchTerm"),
    "name": ("NAME", "name"),
    "attributes_keys": ("ATTRIBUTES_KEYS", "attributesKeys"),
    "attributes_values": ("ATTRIBUTES_VALUES", "attributesValues"),
}


def _choices(values: Iterable[str], *, without: frozenset[str] = frozenset()) -> tuple[Choice, ...]:
    special = {"THREE_D": "3D", "NO_ASSET": "No file"}
    return tuple(
        Choice(value, special.get(value, value.replace("_", " ").capitalize()))
        for value in values
        if value not in without
    )


FILTERS: Final = (
    Filter("status", "Status", "choices", _choices(STATUSES, without=frozenset({"LIVE", "INTERNAL"}))),
    Filter("conversion_status", "Conversion", "choices", _choices(CONVERSION_STATUSES)),
    Filter("asset_types", "Type", "choices", _choices(ASSET_TYPES)),
    Filter("tag_name", "Tag"),
    Filter("attribute_key", "Attribute"),
    Filter("attribute_value", "Attribute value"),
    Filter("has_attributes", "Has attributes", "flag"),
)


def request(text: str, sort: str | None, filters: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """The body of a search, without page and scope, and the page size.

    Raises `InvalidRequest` for a keyword or a value that makes no sense.
    """
    check_names(filters, VntanaFilters.__annotations__, "VNTANA")
    body: dict[str, Any] = {"searchTerm": text.strip()} if text.strip() else {}
    given = {name: value for name, value in filters.items() if value is not None and name not in _APART}
    for name, value in given.items():
        field, read = _FIELDS[name]
        meant = read(name, value)
        if meant is not None:
            body[field] = meant
    matches = _matches(filters.get("match_types"), body)
    exact = texts("exact_name", filters.get("exact_name"))
    if exact is not None:
        if "name" in body:
            raise InvalidRequest("name= and exact_name= cannot be given together.")
        body["name"], matches["NAME"] = exact, "MATCH_EXACT"
    if matches:
        body["matchTypes"] = matches
    order = _order(sort)
    if not order and not text.strip():
        order = dict(_NEWEST_FIRST)  # without one, rows might move from page to page; a text is ordered by relevance
    if order:
        body["sorts"] = order
    return body, page_size(filters.get("page_size"), PAGE_SIZE, MOST_PER_PAGE)


def _order(sort: str | None) -> dict[str, str]:
    """The ``sorts`` map for ``"name"``, ``"-updated"``, or several with commas between."""
    order: dict[str, str] = {}
    if sort is not None and not isinstance(sort, str):
        raise InvalidRequest(f'sort must be a text such as "name" or "-updated"; got {sort!r:.80}.')
    for part in (sort or "").split(","):
        key = part.strip().removeprefix("-")
        if not key:
            continue
        if key not in _SORTS:
            raise InvalidRequest(f"VNTANA cannot sort by {key!r}; it can by {', '.join(_SORTS)} (-name: backwards).")
        order[_SORTS[key]] = "DESC" if part.strip().startswith("-") else "ASC"
    return order


def _matches(value: Any, body: Mapping[str, Any]) -> dict[str, str]:
    if not value:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidRequest(f'match_types must be a mapping such as {{"tags": "all"}}; got {value!r:.80}.')
    found: dict[str, str] = {}
    theirs = {key: (key, field) for key, field in _MATCH_KEYS.values()}
    for key, word in value.items():
        if key not in _MATCH_KEYS and key not in theirs:
            raise InvalidRequest(f"match_types has no key {key!r}; it has {', '.join(_MATCH_KEYS)}.")
        wanted, field = _MATCH_KEYS.get(key) or theirs[key]
        match = str(word).upper()
        match = match if match.startswith("MATCH_") else f"MATCH_{match}"
        if match not in MATCHES:
            raise InvalidRequest(f"match_types[{key!r}] must be all, any, exact or fuzzy; got {word!r:.80}.")
        if field not in body:
            raise InvalidRequest(f"match_types[{key!r}] needs the filter it is about to be given too.")
        found[wanted] = match
    return found


def _integrations(name: str, value: Any) -> dict[str, list[str]] | None:
    given = as_is(name, value) or {}
    read = among(INTEGRATION_STATUSES)
    return {str(key): read(f"{name}[{key!r}]", entry) or [] for key, entry in given.items()} or None


_APART: Final = frozenset({"exact_name", "match_types", "page_size"})
_FIELDS: Final[Mapping[str, tuple[str, Callable[[str, Any], Any]]]] = MappingProxyType(
    {
        "name": ("name", texts),
        "description": ("description", texts),
        "tag_name": ("tagName", texts),
        "location_name": ("locationName", texts),
        "variant_group_name": ("variantGroupName", texts),
        "attribute_key": ("attributeKey", texts),
        "attribute_value": ("attributeValue", texts),
        "status": ("status", among(STATUSES)),
        "conversion_status": ("conversionStatuses", among(CONVERSION_STATUSES)),
        "asset_types": ("assetTypes", among(ASSET_TYPES)),
        "tags": ("tagsUuids", uuids),
        "locations": ("locationsUuids", uuids),
        "variant_groups": ("variantGroupsUuids", uuids),
        "projects": ("projectsUuids", uuids),
        "products": ("productsUuids", uuids),
        "pipelines": ("pipelinesUuids", uuids),
        "attributes_keys": ("attributesKeys", several),
        "attributes_values": ("attributesValues", several),
        "has_attributes": ("hasAttributes", flag),
        "has_projects": ("hasProjects", flag),
        "created": ("createdDateRange", dates),
        "updated": ("updatedDateRange", dates),
        "original_size": ("originalFileSizeRange", numbers),
        "optimized_size": ("optimizedFileSizeRange", numbers),
        "original_poly_count": ("originalPolyCountRange", numbers),
        "optimized_poly_count": ("optimizedPolyCountRange", numbers),
        "integrations_status": ("integrationsStatus", _integrations),
        "search_type": ("searchType", one_among(SEARCH_TYPES)),
        "extended_filters": ("extendedFilters", as_is),
    }
)
