"""A search for products, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ipyassets.http.client import HttpClient
from ipyassets.http.messages import Answer, Authorizer, Call
from ipyassets.services.base import Page, Record, Search
from ipyassets.services.vntana.auth import Ladder, Reach
from ipyassets.services.vntana.errors import response
from ipyassets.services.vntana.records import product
from ipyassets.services.wire import listed, segment, stripped

__all__ = ["ProductSearch", "answered", "fetched", "search_call"]

_SEVERAL: Final = "/v1/products/clients/search"


class ProductSearch(Search):
    """Products of one workspace, or of all workspaces of an organization. The service counts pages from 1."""

    random_access = True

    def __init__(
        self,
        http: HttpClient,
        ladder: Ladder,
        base_url: str,
        body: Mapping[str, Any],
        *,
        workspace: str | None = None,
        page_size: int,
        most_per_page: int = 0,
    ) -> None:
        self.page_size = page_size
        self.most_per_page = most_per_page
        self._http = http
        self._ladder = ladder
        self._base_url = base_url
        self._body = body
        self._workspace = workspace
        self._by_path = False

    async def page(self, number: int, cursor: str | None = None) -> Page:
        del cursor
        async with self._ladder.reaching(self._workspace) as reach:
            many = reach.many and not self._by_path
            call = search_call(self._base_url, reach, self._body, page=number + 1, size=self.page_size, many=many)
            answer = await self._http.send(call)
        rows, total = answered(answer)
        if len(reach.workspaces) == 1:
            only = reach.workspaces[0].id.lower()
            wanted = [row for row in rows if (stripped(row.get("clientUuid")).lower() or only) == only]
            if many and len(wanted) < len(rows):
                # The search over several workspaces does not narrow to one at every installation. Dropping rows
                # would leave holes in the pages and a wrong total, so ask by the path of that workspace from now on.
                self._by_path = True
                return await self.page(number)
            rows = wanted
        return Page([product(row) for row in rows], total)


def search_call(base_url: str, reach: Reach, body: Mapping[str, Any], *, page: int, size: int, many: bool) -> Call:
    """One page, from 1, of a search in ``reach``; ``many``: by the path for several workspaces."""
    uuids = [place.id for place in reach.workspaces]
    params = (("clientUuid", uuids[0]),) if many and len(uuids) == 1 else ()
    path = _SEVERAL if many else f"/v1/products/clients/{segment(uuids[0], 'a workspace')}/search"
    return Call(
        "POST",
        base_url + path,
        params=params,
        json={
            **body,
            "page": page,
            "size": size,
            "organizationUuid": reach.organization.id,
            "clientUuids": uuids,
        },
        authorize=reach.scope,
        repeatable=True,
        what="a search",
    )


async def fetched(http: HttpClient, base_url: str, id: str, authorize: Authorizer) -> Record:
    """One product by id. Raises `NotFound`."""
    path = segment(id, "a product")
    call = Call("GET", f"{base_url}/v1/products/{path}", authorize=authorize, what=f"the product {id:.60}")
    return product(response(await http.send(call)))


def answered(answer: Answer) -> tuple[list[Mapping[str, Any]], int | None]:
    """The rows of a search's answer, and the service's own count of all matches.

    Raises `BadResponse` for the wrong shape.
    """
    found = response(answer)
    count = found.get("totalCount")
    counted = isinstance(count, int) and not isinstance(count, bool) and count >= 0
    return listed(found, "grid", answer), count if counted else None
