"""The Admin API's products: search, one product, its posters, what was done with its file."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ipyassets.sandbox.vntana.access import Access
from ipyassets.sandbox.vntana.accounts import ORGANIZATION_WIDE, SEARCHING, WORKSPACES, Workspace
from ipyassets.sandbox.vntana.catalogue import Catalogue
from ipyassets.sandbox.vntana.errors import Refused, answer, grid, guarded
from ipyassets.sandbox.vntana.posters import box, poster
from ipyassets.sandbox.vntana.request import ProductQuery, json_body, page_of
from ipyassets.sandbox.vntana.rows import ACTIONS, Rows
from ipyassets.sandbox.vntana.search import Finder
from ipyassets.sandbox.vntana.tokens import Tokens
from ipyassets.sandbox.world import World

__all__ = ["AdminApi"]


class AdminApi:
    """Products as members of an organization see them."""

    def __init__(self, world: World, tokens: Tokens, catalogue: Catalogue, finder: Finder, rows: Rows) -> None:
        self._world = world
        self._access = Access(tokens, catalogue)
        self._catalogue = catalogue
        self._finder = finder
        self._rows = rows

    def routes(self) -> list[Route]:
        return [
            Route("/v1/products/clients/search", guarded(self.search), methods=["POST"]),
            Route("/v1/products/clients/{client_uuid}/search", guarded(self.search_one), methods=["POST"]),
            Route(
                "/v1/products/{product_uuid}/clients/{client_uuid}/thumbnails/{blob_id}",
                guarded(self.thumbnail),
                methods=["GET"],
            ),
            Route("/v1/products/{product_uuid}/conversion-action-types/status", guarded(self.actions), methods=["GET"]),
            Route("/v1/products/{product_uuid}", guarded(self.product), methods=["GET"]),
            Route(
                "/v1/storage/load/clients/{client_uuid}/thumbnail/{blob_id}", guarded(self.load_open), methods=["GET"]
            ),
            Route("/v1/storage/load/asset/thumbnail", guarded(self.load), methods=["GET"]),
        ]

    async def search(self, request: Request) -> Response:
        """Over several workspaces; for those who may see all of them."""
        token, organization = self._access.scoped(request)
        if token.user.role(organization) not in ORGANIZATION_WIDE:
            raise Refused(403, "FORBIDDEN")
        body = await json_body(request)
        if not body.get("organizationUuid"):
            raise Refused(422, "MISSING_ORGANIZATION_UUID")
        if body["organizationUuid"] != organization.uuid:
            raise Refused(403, "FORBIDDEN")
        in_query = request.query_params.get("clientUuid")
        asked = body.get("clientUuids") or ([in_query] if in_query else [])
        if not asked:
            raise Refused(422, "MISSING_CLIENT_UUID")
        if not isinstance(asked, list):
            raise Refused(400, "BAD_REQUEST")
        own = {workspace.uuid: workspace for workspace in WORKSPACES if workspace.organization == organization}
        if not set(asked) <= own.keys():
            raise Refused(403, "FORBIDDEN")
        narrows = body.get("clientUuids") or self._world.settings.vntana_query_client_filters
        return await self._page(body, [own[uuid] for uuid in asked] if narrows else list(own.values()))

    async def search_one(self, request: Request) -> Response:
        """Over one workspace; also for those who work in that one alone."""
        workspace = self._access.workspace(request, request.path_params["client_uuid"])
        token, organization = self._access.scoped(request)
        if token.user.workspace_role(workspace) not in SEARCHING:
            raise Refused(403, "FORBIDDEN")
        body = await json_body(request)
        if body.get("organizationUuid", organization.uuid) not in (organization.uuid, None):
            raise Refused(403, "FORBIDDEN")
        return await self._page(body, [workspace])

    async def _page(self, body: dict[str, object], workspaces: list[Workspace]) -> Response:
        page, size = page_of(body, self._world.settings.vntana_max_page_size)
        query = ProductQuery.read(body)
        drafts = self._world.settings.vntana_always_show_drafts

        def rows() -> Response:
            found = self._finder.find(query, workspaces, drafts=drafts)
            shown = found[(page - 1) * size : page * size]
            return grid([self._rows.found(int(index)) for index in shown], len(found))

        return await run_in_threadpool(rows)

    async def product(self, request: Request) -> Response:
        return answer(self._rows.product(self._product(request)))

    async def actions(self, request: Request) -> Response:
        index = self._product(request)
        wanted = request.query_params.get("type")
        if wanted is not None and wanted not in ACTIONS:
            raise Refused(422, "INVALID_ASSET_GENERATION_REQUEST_ACTION_TYPE")
        return answer(
            {
                "productUuid": request.path_params["product_uuid"],
                "actionTypes": [
                    {"actionType": action, "status": status}
                    for action, status in self._rows.actions(index).items()
                    if wanted in (None, action)
                ],
            }
        )

    async def thumbnail(self, request: Request) -> Response:
        workspace = self._access.workspace(request, request.path_params["client_uuid"])
        index = self._product(request)
        if self._catalogue.workspace(index) != workspace:
            raise Refused(404, "PRODUCT_NOT_FOUND")
        self._published(index)
        if self._catalogue.thumbnail(index) != request.path_params["blob_id"]:
            raise Refused(404, "THUMBNAIL_NOT_FOUND")
        return await poster(self._catalogue, index, request, box(request))

    async def load(self, request: Request) -> Response:
        for name in ("blobId", "clientUuid"):
            if not request.query_params.get(name):
                raise Refused(400, "BAD_REQUEST")
        workspace = self._access.workspace(request, request.query_params["clientUuid"])
        return await self._stored(request, workspace.uuid, request.query_params["blobId"])

    async def load_open(self, request: Request) -> Response:
        """The one call here whose documents name no token; nobody can guess a blob's id."""
        return await self._stored(request, request.path_params["client_uuid"], request.path_params["blob_id"])

    async def _stored(self, request: Request, workspace_uuid: str, blob_id: str) -> Response:
        index = self._catalogue.find_thumbnail(blob_id)
        if index is None or self._catalogue.workspace(index).uuid != workspace_uuid:
            raise Refused(404, "THUMBNAIL_NOT_FOUND")
        self._published(index)
        return await poster(self._catalogue, index, request)

    def _published(self, index: int) -> None:
        if self._catalogue.status(index) == "DRAFT":
            raise Refused(403, "PRODUCT_IS_NOT_PUBLISHED")

    def _product(self, request: Request) -> int:
        return self._access.product(request, request.path_params["product_uuid"])
