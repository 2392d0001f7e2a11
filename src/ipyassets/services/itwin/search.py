"""Searching the iModels of one iTwin: checked keywords, and pages by the platform's own links."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Literal, TypedDict

from ipyassets.errors import BadResponse, InvalidRequest
from ipyassets.http.client import HttpClient
from ipyassets.http.messages import Answer, Call
from ipyassets.services.base import Choice, Filter, Page, Search
from ipyassets.services.itwin.records import imodel
from ipyassets.services.wire import check_names, listed, origin, page_size

__all__ = ["ACCEPT_IMODELS", "FILTERS", "MAX_PAGE", "SORTS", "IModelFilters", "IModelSearch", "next_link", "parameters"]

log = logging.getLogger("ipyassets.itwin")

ACCEPT_IMODELS: Final = "application/vnd.bentley.itwin-platform.v2+json"
MAX_PAGE: Final = 1000
DEFAULT_PAGE: Final = 100
_ORDERS: Final = {
    "name": "name",
    "-name": "name desc",
    "created": "createdDateTime",
    "-created": "createdDateTime desc",
}
_STATES: Final = ("initialized", "notInitialized")

SORTS: Final = (
    Choice("name", "Name"),
    Choice("-name", "Name, backwards"),
    Choice("-created", "Newest first"),
    Choice("created", "Oldest first"),
)
FILTERS: Final = (
    Filter("name", "Exact name"),
    Filter(
        "state", "State", "choice", (Choice("initialized", "Initialized"), Choice("notInitialized", "Not initialized"))
    ),
)


class IModelFilters(TypedDict, total=False):
    """The keywords of an iModel search."""

    name: str | None
    """The exact name."""
    state: Literal["initialized", "notInitialized"] | None
    page_size: int | None
    """iModels per request, 1 to 1000; 100 unless told."""


def parameters(text: str, sort: str | None, filters: Mapping[str, Any]) -> tuple[list[tuple[str, str]], int]:
    """The query of a search without its iTwin and its page size, and that size.

    Raises `InvalidRequest`; sends nothing.
    """
    check_names(filters, IModelFilters.__annotations__, "iTwin")
    size = page_size(filters.get("page_size"), DEFAULT_PAGE, MAX_PAGE)
    query = [("$continuationToken", "")]
    if sort:
        if sort not in _ORDERS:
            raise InvalidRequest(f"iTwin cannot sort by {sort!r}; sort is one of {', '.join(map(repr, _ORDERS))}.")
        query.append(("$orderBy", _ORDERS[sort]))
    if text.strip():
        query.append(("$search", text.strip()))
    name, state = filters.get("name"), filters.get("state")
    if name:
        if not isinstance(name, str):
            raise InvalidRequest(f"name must be a str, not {type(name).__name__}.")
        query.append(("name", name))
    if state:
        if state not in _STATES:
            raise InvalidRequest(f"state must be one of {', '.join(map(repr, _STATES))}; got {state!r}.")
        query.append(("state", state))
    return query, size


class IModelSearch(Search):
    """One question about the iModels of one iTwin. Sequential: the platform tells the next page, and no total."""

    random_access = False

    def __init__(
        self,
        http: HttpClient,
        base_url: str,
        itwin: Callable[[], Awaitable[str]],
        query: list[tuple[str, str]],
        *,
        page_size: int,
        most_per_page: int = 0,
    ) -> None:
        self.page_size = page_size
        self.most_per_page = most_per_page
        self._http = http
        self._base_url = base_url
        self._itwin = itwin
        self._query = query

    async def page(self, number: int, cursor: str | None = None) -> Page:
        """The first page, or the one that ``cursor`` (the page before's ``next``) leads to."""
        if number == 0 or cursor is None:
            if number:
                raise InvalidRequest("iTwin pages come one after the other: a page needs the `next` of the one before.")
            place = (("iTwinId", await self._itwin()), ("$top", str(self.page_size)))
            call = self._call(f"{self._base_url}/imodels", (*place, *self._query))
        else:
            call = self._call(cursor, ())
        answer = await self._http.send(call)
        body = answer.json_object()
        records = [imodel(entity) for entity in listed(body, "iModels", answer)]
        following = next_link(body, answer, self._base_url)
        if following is not None and following == cursor:
            log.warning("%s gave a next link to the same page; the list ends here.", answer.asked)
            following = None
        return Page(records, next=following)

    @staticmethod
    def _call(url: str, params: tuple[tuple[str, str], ...]) -> Call:
        headers = {"Accept": ACCEPT_IMODELS, "Prefer": "return=representation"}
        return Call("GET", url, headers=headers, params=params, what="a list of iModels")


def next_link(body: Mapping[str, Any], answer: Answer, base_url: str) -> str | None:
    """``_links.next.href``, to be followed as it stands; None at the end.

    Raises `BadResponse` if it leads to another origin than ``base_url``: the token must not go there.
    """
    links = body.get("_links")
    following = links.get("next") if isinstance(links, dict) else None
    href = following.get("href") if isinstance(following, dict) else None
    if not href:
        return None
    if not isinstance(href, str) or origin(href) is None or origin(href) != origin(base_url):
        raise BadResponse(
            f"{answer.asked} answered with a next page at another place than {base_url}; the token was not sent there. "
            "Is a proxy in between that does not rewrite links?",
            advice="",
            status=answer.status,
        )
    return href
