"""The keywords of a public search: texts, and no order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypedDict

from ipyassets.errors import InvalidRequest
from ipyassets.services.base import Filter
from ipyassets.services.vntana.filters import MOST_PER_PAGE, PAGE_SIZE
from ipyassets.services.vntana.values import texts
from ipyassets.services.wire import check_names, page_size

__all__ = ["FILTERS", "VntanaPublicFilters", "request"]


class VntanaPublicFilters(TypedDict, total=False):
    """Keywords of ``VntanaPublic.search``."""

    name: str
    description: str
    tag_name: str
    location_name: str
    attribute_key: str
    attribute_value: str
    page_size: int
    """Products fetched at a time, 1 to 100 (50)."""


_FIELDS: Final = {
    "name": "productName",
    "description": "description",
    "tag_name": "tagName",
    "location_name": "locationName",
    "attribute_key": "attributeKey",
    "attribute_value": "attributeValue",
}
FILTERS: Final = (
    Filter("tag_name", "Tag"),
    Filter("attribute_key", "Attribute"),
    Filter("attribute_value", "Attribute value"),
)


def request(text: str, sort: str | None, filters: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """The body of a search without its page, and the page size. Raises `InvalidRequest`."""
    check_names(filters, VntanaPublicFilters.__annotations__, "VNTANA Public")
    if sort:
        raise InvalidRequest("The VNTANA Public API cannot sort; leave sort= out.")
    body = {"searchTerm": text.strip()} if text.strip() else {}
    for name, field in _FIELDS.items():
        value = texts(name, filters.get(name))
        if value is not None:
            body[field] = value
    return body, page_size(filters.get("page_size"), PAGE_SIZE, MOST_PER_PAGE)
