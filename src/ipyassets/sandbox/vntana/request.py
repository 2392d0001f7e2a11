"""Reads JSON bodies, and checks a product search against the documented fields."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request

from ipyassets.sandbox.vntana.errors import Refused

__all__ = ["ProductQuery", "json_body", "page_of"]

STATUSES = (
    "DRAFT", "WAITING_REVIEW", "APPROVED", "REJECTED", "LIVE_INTERNAL", "LIVE_PUBLIC", "CUSTOMER_REVIEW",
    "CUSTOMER_APPROVED", "CUSTOMER_REJECTED", "CUSTOMER_DROPPED", "CUSTOMER_HOLD", "LIVE", "INTERNAL",
)  # fmt: skip
CONVERSIONS = ("PENDING", "CONVERTING", "COMPLETED", "FAILED", "NO_ASSET", "TERMINATED", "NOT_APPLICABLE")
ASSET_TYPES = (
    "THREE_D", "IMAGE", "VIDEO", "DOCUMENT", "PROJECT", "MATERIAL", "AUDIO", "NATIVE", "TRIM", "AVATAR", "NO_ASSET",
)  # fmt: skip
SORT_FIELDS = (
    "NAME", "CREATED", "UPDATED", "CONVERSION_STATUS", "WORKSPACE_SLUG", "TAGS", "ORIGINAL_POLY_COUNT",
    "OPTIMIZED_POLY_COUNT", "ORIGINAL_FILE_SIZE", "OPTIMIZED_FILE_SIZE", "PIPELINE_NAME",
)  # fmt: skip
MATCH_TYPES = ("MATCH_ALL", "MATCH_ANY", "MATCH_EXACT", "MATCH_FUZZY")
MATCHED_FIELDS = {
    "TAGS_UUIDS": "tagsUuids",
    "SEARCH_TERM": "searchTerm",
    "NAME": "name",
    "ATTRIBUTES_KEYS": "attributesKeys",
    "ATTRIBUTES_VALUES": "attributesValues",
}
SEARCH_TYPES = ("EXTEND_PRODUCTS", "FILTER_PRODUCTS", "EXTEND_PRODUCTS_APPLY_FILTERS")
INTEGRATION_STATUSES = (
    "LOCAL_CREATED", "LOCAL_ERROR", "REMOTE_CREATED", "REMOTE_UPDATED", "REMOTE_PROCESSING", "REMOTE_COMPLETED",
    "REMOTE_FAILED", "REMOTE_REJECTED", "REMOTE_ERROR",
)  # fmt: skip

Reader = Callable[[Any], Any]


async def json_body(request: Request) -> dict[str, Any]:
    """The JSON object a request came with. Refused if it is something else."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused(415, "UNSUPPORTED_MEDIA_TYPE")
    try:
        body = json.loads(await request.body())
    except ValueError:
        raise _malformed() from None
    if not isinstance(body, dict):
        raise _malformed()
    return body


def page_of(body: Mapping[str, Any], largest: int, first: int = 1) -> tuple[int, int]:
    """``(page, size)``; pages count from ``first``."""
    numbers = []
    for name in ("page", "size"):
        value = body.get(name)
        if value is None:
            raise Refused(422, f"MISSING_{name.upper()}")
        number = _integer(value)
        if number < (first if name == "page" else 1) or (name == "size" and number > largest):
            raise Refused(422, f"INVALID_{name.upper()}")
        numbers.append(number)
    return numbers[0], numbers[1]


@dataclass(frozen=True, slots=True)
class ProductQuery:
    """A checked search. Filters that are absent, null or empty are not in ``filters``."""

    filters: Mapping[str, Any]
    sorts: tuple[tuple[str, bool], ...] = ()
    """``(field, descending)``, the most important first."""
    match: Mapping[str, str] | None = None
    """Field of ``filters`` to match type."""

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> ProductQuery:
        filters = {}
        for name, read in _READERS.items():
            value = body.get(name)
            if value is not None and value not in ("", [], {}):
                filters[name] = read(value)
        match = {}
        for key, kind in _mapping(body.get("matchTypes") or {}).items():
            if key not in MATCHED_FIELDS or kind not in MATCH_TYPES:
                raise _malformed()
            if MATCHED_FIELDS[key] not in filters:
                raise Refused(422, "INVALID_SEARCH_FIELD")
            match[MATCHED_FIELDS[key]] = kind
        return cls(filters, tuple(_sorts(body.get("sorts") or {})), match)

    def matching(self, field: str, otherwise: str) -> str:
        """How ``field`` is to be matched."""
        return (self.match or {}).get(field, otherwise)

    @property
    def key(self) -> str:
        """The same for equal questions."""
        parts = [dict(self.filters), self.sorts, dict(self.match or {})]
        return json.dumps(parts, sort_keys=True, default=str)


def _sorts(given: Any) -> list[tuple[str, bool]]:
    sorts = []
    for field, order in _mapping(given).items():
        if field not in SORT_FIELDS:
            raise Refused(422, "INVALID_SORT_FIELD")
        if order not in ("ASC", "DESC"):
            raise Refused(422, "INVALID_SORT_ORDER")
        sorts.append((field, order == "DESC"))
    return sorts


def _malformed() -> Refused:
    return Refused(400, "BAD_REQUEST")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _malformed()
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _malformed()
    return value


def _integer(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _malformed()
    return value


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise _malformed()
    return [_text(item) for item in value]


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _malformed()
    return value


def _among(allowed: tuple[str, ...]) -> Reader:
    def read(value: Any) -> list[str]:
        given = _texts(value)
        if not set(given) <= set(allowed):
            raise _malformed()
        return given

    return read


def _one_of(allowed: tuple[str, ...]) -> Reader:
    def read(value: Any) -> str:
        if value not in allowed:
            raise _malformed()
        return _text(value)

    return read


def _dates(value: Any) -> tuple[int | None, int | None]:
    """Both ends in microseconds since the epoch; an open end is None."""
    ends = _mapping(value)
    return _moment(ends.get("startDate")), _moment(ends.get("endDate"))


def _moment(value: Any) -> int | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(_text(value))
    except ValueError:
        raise _malformed() from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1_000_000)


def _numbers(value: Any) -> tuple[int | None, int | None]:
    ends = _mapping(value)
    low, high = (ends.get(name) for name in ("minValue", "maxValue"))
    return None if low is None else _integer(low), None if high is None else _integer(high)


def _integrations(value: Any) -> dict[str, list[str]]:
    return {name: _among(INTEGRATION_STATUSES)(statuses) for name, statuses in _mapping(value).items()}


_READERS: dict[str, Reader] = {
    **dict.fromkeys(
        (
            "searchTerm", "name", "description", "tagName", "locationName", "variantGroupName",
            "attributeKey", "attributeValue",
        ),
        _text,
    ),
    **dict.fromkeys(
        (
            "tagsUuids", "locationsUuids", "variantGroupsUuids", "projectsUuids", "productsUuids", "pipelinesUuids",
            "attributesKeys", "attributesValues",
        ),
        _texts,
    ),
    **dict.fromkeys(("hasAttributes", "hasProjects"), _flag),
    **dict.fromkeys(("createdDateRange", "updatedDateRange"), _dates),
    **dict.fromkeys(
        ("originalFileSizeRange", "optimizedFileSizeRange", "originalPolyCountRange", "optimizedPolyCountRange"),
        _numbers,
    ),
    "status": _among(STATUSES),
    "conversionStatuses": _among(CONVERSIONS),
    "assetTypes": _among(ASSET_TYPES),
    "searchType": _one_of(SEARCH_TYPES),
    "extendedFilters": _mapping,
    "integrationsStatus": _integrations,
}  # fmt: skip
