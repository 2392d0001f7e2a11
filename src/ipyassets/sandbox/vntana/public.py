"""The Public API: published products, for anybody who knows the slugs."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ipyassets.sandbox.vntana.accounts import WORKSPACES, Workspace
from ipyassets.sandbox.vntana.catalogue import Catalogue
from ipyassets.sandbox.vntana.errors import Endpoint, Refused, answer, grid, guarded
from ipyassets.sandbox.vntana.posters import poster
from ipyassets.sandbox.vntana.request import ProductQuery, json_body, page_of
from ipyassets.sandbox.vntana.rows import Rows
from ipyassets.sandbox.vntana.search import Finder
from ipyassets.sandbox.world import World

__all__ = ["PublicApi"]

PLACE = "organizations/{organization}/clients/{client}"

FIELDS = {
    "searchTerm": "searchTerm",
    "productName": "name",
    "locationName": "locationName",
    "tagName": "tagName",
    "description": "description",
    "attributeKey": "attributeKey",
    "attributeValue": "attributeValue",
}
"""The Public API's search fields, and what the Admin API calls them."""


class PublicApi:
    """Products as the world sees them."""

    def __init__(self, world: World, catalogue: Catalogue, finder: Finder, rows: Rows) -> None:
        self._world = world
        self._catalogue = catalogue
        self._finder = finder
        self._rows = rows

    def routes(self) -> list[Route]:
        return [
            Route(f"/products/{PLACE}", guarded(self.search), methods=["POST"]),
            Route(f"/products/{{product_uuid}}/{PLACE}", guarded(self.product), methods=["GET"]),
            *_tolerant(f"assets/thumbnail/products/{{product_uuid}}/{PLACE}", self.thumbnail_of_product),
            *_tolerant(f"assets/{PLACE}/thumbnail/{{thumbnail_uuid}}", self.thumbnail),
        ]

    async def search(self, request: Request) -> Response:
        workspace = self._workspace(request)
        body = await json_body(request)
        page, size = page_of(body, self._world.settings.vntana_max_page_size)
        filters: dict[str, Any] = {admin: body.get(public) for public, admin in FIELDS.items()}
        query = ProductQuery.read({**filters, "status": ["LIVE_PUBLIC"]})

        def rows() -> Response:
            found = self._finder.find(query, [workspace])
            shown = found[(page - 1) * size : page * size]
            return grid([self._rows.public_found(int(index)) for index in shown], len(found))

        return await run_in_threadpool(rows)

    async def product(self, request: Request) -> Response:
        return answer(self._rows.public_product(self._product(request)))

    async def thumbnail_of_product(self, request: Request) -> Response:
        return await poster(self._catalogue, self._product(request), request)

    async def thumbnail(self, request: Request) -> Response:
        workspace = self._workspace(request)
        index = self._catalogue.find_thumbnail(request.path_params["thumbnail_uuid"])
        if index is None or self._catalogue.workspace(index) != workspace:
            raise Refused(404, "THUMBNAIL_NOT_FOUND")
        self._shown(index)
        return await poster(self._catalogue, index, request)

    def _workspace(self, request: Request) -> Workspace:
        slugs = (request.path_params["organization"], request.path_params["client"])
        for workspace in WORKSPACES:
            if (workspace.organization.slug, workspace.slug) == slugs:
                return workspace
        # Of the three codes that the documents have for this call, the only one that fits a 404.
        raise Refused(404, "PRODUCT_NOT_FOUND")

    def _product(self, request: Request) -> int:
        workspace = self._workspace(request)
        index = self._catalogue.find(self._catalogue.products, request.path_params["product_uuid"])
        if index is None or self._catalogue.workspace(index) != workspace:
            raise Refused(404, "PRODUCT_NOT_FOUND")
        self._shown(index)
        return index

    def _shown(self, index: int) -> None:
        open_statuses = {"LIVE_PUBLIC"}
        if self._world.settings.vntana_public_shows_internal:
            open_statuses.add("LIVE_INTERNAL")
        if self._catalogue.status(index) not in open_statuses:
            raise Refused(403, "PRODUCT_IS_NOT_PUBLISHED")


def _tolerant(path: str, endpoint: Endpoint) -> list[Route]:
    """Routes for the spellings seen in the vendor's own programs: a slash more before, or behind."""
    return [
        Route(f"{before}{path}{behind}", guarded(endpoint), methods=["GET"])
        for before in ("/", "//")
        for behind in ("", "/")
    ]
