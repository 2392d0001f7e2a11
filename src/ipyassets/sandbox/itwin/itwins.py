"""``/itwins``: the iTwins the caller is a member of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ipyassets.sandbox.itwin import records
from ipyassets.sandbox.itwin.catalogue import ACCOUNT, Catalogue, ITwin
from ipyassets.sandbox.itwin.errors import not_found
from ipyassets.sandbox.itwin.query import Query, base_url, prefer

__all__ = ["ITwinsApi"]

_SUB_CLASSES = ("Account", "Asset", "Project", "Portfolio", "Program", "WorkPackage")
_STATUSES = ("Active", "Inactive", "Trial")
_FIELDS = {"displayName": "display_name", "number": "number", "type": "type"}
_SORTS = ("displayName", "number", "type", "subClass", "status", "createdDateTime")
_SCOPES = ("memberOfItwin", "all", "OrganizationAdmin")
_MOST_RETURNED = 10_000
_KEY = b"itwins"


class ITwinsApi:
    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def endpoints(self) -> Iterable[tuple[str, str, Any]]:
        yield "/itwins", "GET", self.all
        yield "/itwins/favorites", "GET", self.favorites
        yield "/itwins/recents", "GET", self.recents
        yield "/itwins/myprimaryaccount", "GET", self.primary_account
        yield "/itwins/{id}", "GET", self.get
        yield "/itwins/{id}/account", "GET", self.account

    async def all(self, request: Request) -> Response:
        return self._page(request, "/itwins", [itwin for itwin in self._catalogue.itwins if itwin.member])

    async def favorites(self, request: Request) -> Response:
        mine = [itwin for itwin in self._catalogue.itwins if itwin.member and itwin.key in {"main", "crossings"}]
        return self._page(request, "/itwins/favorites", mine)

    async def recents(self, request: Request) -> Response:
        mine = [itwin for itwin in self._catalogue.itwins if itwin.member and itwin.key in {"main", "campus"}]
        return self._page(request, "/itwins/recents", mine)

    async def get(self, request: Request) -> dict[str, Any]:
        return {"iTwin": records.itwin(self._find(request), full=prefer(request, "representation") != "minimal")}

    async def primary_account(self, request: Request) -> dict[str, Any]:
        return {"iTwin": records.itwin(ACCOUNT, full=prefer(request, "representation") != "minimal")}

    async def account(self, request: Request) -> dict[str, Any]:
        self._find(request)
        return await self.primary_account(request)

    def _find(self, request: Request) -> ITwin:
        itwin = self._catalogue.itwin(request.path_params["id"])
        if itwin is None:
            raise not_found("iTwinNotFound")
        return itwin

    def _page(self, request: Request, path: str, itwins: list[ITwin]) -> Response:
        query = Query(request, code="InvalidiTwinsRequest", what="iTwins")
        kinds = query.choices("subClass", _SUB_CLASSES)
        status = query.choice("status", _STATUSES)
        inactive = query.flag("includeInactive")
        query.exclude("status", "includeInactive")
        search = query.text("$search")
        query.exclude("$search", "displayName")
        query.exclude("$search", "number")
        parent = query.guid("parentId")
        account = query.guid("iTwinAccountId")
        order = query.order("$orderby", _SORTS)
        limit = query.header_integer("X-Max-Return", 1000, least=1, most=_MOST_RETURNED)
        query.header_choice("X-iTwin-Query-Scope", _SCOPES)
        window = query.window(_KEY)

        def wanted(itwin: ITwin) -> bool:
            if kinds and itwin.sub_class not in kinds:
                return False
            if itwin.status != status if status else itwin.status == "Inactive" and not inactive:
                return False
            if search and not any(search.casefold() in text.casefold() for text in (itwin.display_name, itwin.number)):
                return False
            above = None if itwin is ACCOUNT else ACCOUNT.id
            if any(given is not None and given != above for given in (parent, account)):
                return False
            return all(query.text(name) in {None, getattr(itwin, field)} for name, field in _FIELDS.items())

        found = [itwin for itwin in itwins if wanted(itwin)]
        for field, descending in reversed(order):
            found.sort(key=lambda itwin: _sort_key(itwin, field), reverse=descending)
        found = found[:limit]
        names = ("subClass", "status", "includeInactive", "$search", "displayName", "number", "type", "parentId",
                 "iTwinAccountId", "$orderby")  # fmt: skip
        full = prefer(request) == "representation"
        body = {
            "iTwins": [records.itwin(itwin, full=full) for itwin in window.of(found)],
            "_links": window.links(
                base_url(request), path, {name: query.text(name) for name in names}, len(found), absent=True
            ),
        }
        headers = {}
        if "x-max-return" in request.headers:
            headers["X-Max-Return"] = str(limit)
        if request.headers.get("x-total-count", "").lower() == "true":
            headers["x-total-count"] = str(len(found))
        return JSONResponse(body, headers=headers)


def _sort_key(itwin: ITwin, field: str) -> str:
    record = records.itwin(itwin, full=True)
    return str(record[field] or "").casefold()
