"""The two forms of a Scenario search, page by page."""

from __future__ import annotations

import logging
from typing import Any

from ipyassets.errors import InvalidRequest
from ipyassets.http.client import HttpClient
from ipyassets.http.messages import Call
from ipyassets.services.base import Page, Search
from ipyassets.services.scenario.filters import Listing, Query
from ipyassets.services.scenario.records import asset
from ipyassets.services.wire import listed

__all__ = ["AssetListing", "AssetSearch", "next_token"]

log = logging.getLogger("ipyassets.scenario")


class AssetListing(Search):
    """``GET /assets``. Sequential and uncounted: each page hands out the token of the next."""

    random_access = False

    def __init__(
        self, http: HttpClient, url: str, scope: tuple[tuple[str, str], ...], listing: Listing, most_per_page: int = 0
    ) -> None:
        self.page_size = listing.page_size
        self.most_per_page = most_per_page
        self._http = http
        self._url = url
        self._params = (*scope, *listing.params)

    async def page(self, number: int, cursor: str | None = None) -> Page:
        """The first page, or the one that ``cursor`` (the page before's ``next``) leads to."""
        if number and cursor is None:
            raise InvalidRequest("Scenario listings come page after page: a page needs the `next` of the one before.")
        params = [("pageSize", str(self.page_size)), *self._params]
        if number and cursor is not None:
            params.append(("paginationToken", cursor))
        answer = await self._http.send(Call("GET", self._url, params=params, what="a list of assets"))
        body = answer.json_object()
        records = [asset(entity) for entity in listed(body, "assets", answer)]
        return Page(records, next=next_token(body, cursor))


class AssetSearch(Search):
    """``POST /search/assets``. Any page at once; counted exactly where it pages by number."""

    random_access = True

    def __init__(
        self, http: HttpClient, url: str, scope: tuple[tuple[str, str], ...], query: Query, most_per_page: int = 0
    ) -> None:
        self.page_size = query.page_size
        self.most_per_page = most_per_page
        self._http = http
        self._url = url
        self._scope = scope
        self._query = query

    async def page(self, number: int, cursor: str | None = None) -> Page:
        """Page ``number``, from 0."""
        del cursor
        # In the body, and there only: paging by the query string is a slip of the official SDK's.
        place: dict[str, Any] = (
            {"page": number + 1, "hitsPerPage": self.page_size}
            if self._query.paging == "page"
            else {"offset": number * self.page_size, "limit": self.page_size}
        )
        call = Call(
            "POST",
            self._url,
            params=self._scope,
            json={**self._query.body, **place},
            repeatable=True,
            what="a search for assets",
        )
        answer = await self._http.send(call)
        body = answer.json_object()
        total = body.get("totalHits")
        exact = isinstance(total, int) and not isinstance(total, bool) and total >= 0
        return Page([asset(entity) for entity in listed(body, "hits", answer)], total if exact else None)


def next_token(body: dict[str, Any], cursor: str | None) -> str | None:
    """The token of the next page; absent, null, empty and repeated all mean that there is none."""
    token = body.get("nextPaginationToken")
    if not isinstance(token, str) or not token:
        return None
    if token == cursor:
        log.warning("Scenario gave the token of a page again; the list ends here.")
        return None
    return token
