"""The routes of the emulated API, and who may use them."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ipyassets.sandbox.scenario import models
from ipyassets.sandbox.scenario.archives import Batches
from ipyassets.sandbox.scenario.catalogue import Asset, Project
from ipyassets.sandbox.scenario.cdn import Cdn
from ipyassets.sandbox.scenario.controls import Archives
from ipyassets.sandbox.scenario.downloads import download
from ipyassets.sandbox.scenario.errors import ApiError, bad_request, denied, not_found
from ipyassets.sandbox.scenario.jobs import Jobs
from ipyassets.sandbox.scenario.listing import Listing
from ipyassets.sandbox.scenario.organising import Organising, select, team
from ipyassets.sandbox.scenario.parameters import body, boolean, ids
from ipyassets.sandbox.scenario.records import Records
from ipyassets.sandbox.scenario.search import Search
from ipyassets.sandbox.scenario.seeds import foreign_seeds, own_seeds
from ipyassets.sandbox.scenario.signing import Signer
from ipyassets.sandbox.scenario.similarity import picture_vector
from ipyassets.sandbox.world import World

__all__ = ["ScenarioApi"]

_IN_BULK = 200
_PUBLIC_TOKEN = "public-auth-token"
_Answer = Callable[[Request, Project], Awaitable[dict[str, Any] | Response]]
_ESTIMATE = 269


class ScenarioApi:
    """The REST API and the CDN of one sandbox.

    Two organisations with a project each: the main one, and a foreign one that only shows what it made public.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        main = Project("Product visuals", "Nordkai Studio", own_seeds(), world.settings.assets)
        foreign = Project("Ward interiors", "Southbank Design", foreign_seeds())
        projects = (main, foreign)
        self._signer = Signer(world)
        self._listing = Listing(projects)
        self._search = Search(projects)
        self._organising = Organising(world)
        self._cdn = Cdn(world, projects, self._signer)
        self._foreign = foreign
        self._jobs = Jobs(world)
        self.archives = Archives(self._jobs)
        self._batches = Batches(world, self._signer, self._jobs, self.archives)
        self.api_key, self.api_secret = _credentials()
        self.foreign_api_key, self.foreign_api_secret = _credentials()
        self.project_id = main.id
        self.foreign_project_id = foreign.id
        self._keys = {
            f"{self.api_key}:{self.api_secret}": main,
            f"{self.foreign_api_key}:{self.foreign_api_secret}": foreign,
        }

    @property
    def foreign_asset_ids(self) -> list[str]:
        """Ids of the other organisation's assets; the first is public, the second is not."""
        return [asset.id for asset in self._foreign.assets]

    def cdn_routes(self) -> list[BaseRoute]:
        """Routes of the files, relative to the CDN's prefix, which must end in ``/cdn`` beside the API's ``/v1``."""
        return [*self._batches.file_routes(), *self._cdn.routes()]

    def close(self) -> None:
        """Remove the archives from the disk; they are made again when they are wanted."""
        self._batches.close()

    def thumbnail_routes(self) -> list[BaseRoute]:
        """``/thumbnails`` for the root of the server.

        The service's CDN is a host of its own; who builds the address of a thumbnail from the origin of a file's
        URL, as the service's documents say, arrives there.
        """
        return self._cdn.thumbnail_routes()

    def api_routes(self) -> list[BaseRoute]:
        """Routes of the API, relative to its prefix (which ends in ``/v1``)."""
        table: tuple[tuple[str, str, _Answer], ...] = (
            ("GET", "/assets", self._list),
            ("DELETE", "/assets", self._delete),
            ("POST", "/assets/get-bulk", self._get_bulk),
            ("POST", "/assets/restore", self._restore),
            ("POST", "/assets/download", self._archive),
            ("GET", "/assets/download/{id}", self._archive_status),
            ("POST", "/assets/{id}/download", self._download),
            ("GET", "/jobs", self._job_list),
            ("GET", "/jobs/{id}", self._job),
            ("POST", "/jobs/{id}/action", self._act_on_job),
            ("GET", "/assets/{id}", self._get),
            ("PUT", "/assets/{id}/tags", self._edit_tags),
            ("POST", "/search/assets", self._search_assets),
            ("GET", "/collections", self._collections),
            ("GET", "/collections/{id}", self._collection),
            ("PUT", "/collections/{id}/assets", self._fill_collection),
            ("DELETE", "/collections/{id}/assets", self._fill_collection),
            ("GET", "/tags", self._tags),
            ("GET", "/teams", self._teams),
            ("GET", "/models/{id}", self._model),
        )
        routes: list[BaseRoute] = [
            Route(path, self._guarded(answer, open=answer == self._list), methods=[method])
            for method, path, answer in table
        ]
        routes.append(Route("/{rest:path}", _nothing, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]))
        return routes

    def _guarded(self, answer: _Answer, *, open: bool) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                given = await answer(request, self._project(request, open=open))
                return given if isinstance(given, Response) else JSONResponse(given)
            except ApiError as error:
                return JSONResponse(error.body, status_code=error.status)

        return endpoint

    def _project(self, request: Request, *, open: bool) -> Project:
        """Whose key this is: 401 without a good one, 403 if it asks for another project.

        ``open``: the header that stands for no key at all will do; it belongs to no project, and `_list` knows.
        """
        header = request.headers.get("authorization", "")
        if open and header == _PUBLIC_TOKEN:
            return self._foreign
        scheme, _, value = header.partition(" ")
        project = self._by_key(value) if scheme.lower() == "basic" else None
        if project is None:
            raise denied(401, "Unauthorized")
        wanted = request.query_params.get("projectId")
        if wanted is not None and wanted != project.id:
            raise denied(403, "This API key cannot access the requested project")
        return project

    def _by_key(self, value: str) -> Project | None:
        try:
            given = base64.b64decode(value.strip(), validate=True)
        except binascii.Error:
            return None
        matches = [project for key, project in self._keys.items() if hmac.compare_digest(key.encode(), given)]
        return matches[0] if matches else None

    def _records(self, request: Request) -> Records:
        prefix = request.scope.get("root_path", "").removesuffix("/v1")
        cdn = f"{request.url.scheme}://{request.url.netloc}{prefix}/cdn"
        return Records(cdn, self._signer, boolean(request.query_params, "originalAssets"))

    async def _find(self, request: Request, project: Project) -> Asset:
        asset = await asyncio.to_thread(project.find, request.path_params["id"])
        if asset is None:
            raise not_found("Asset")
        return asset

    async def _list(self, request: Request, project: Project) -> dict[str, Any]:
        public = request.headers.get("authorization") == _PUBLIC_TOKEN
        query, now = request.query_params, self._world.clock()
        assets, following = await asyncio.to_thread(self._listing.page, project, query, now, public=public)
        records = self._records(request)
        return await asyncio.to_thread(lambda: {"assets": [records.asset(asset) for asset in assets], **following})

    async def _get(self, request: Request, project: Project) -> dict[str, Any]:
        asset = await self._find(request, project)
        wanted = boolean(request.query_params, "withEmbedding") and asset.seed.picture is not None
        vector = picture_vector(asset.seed.picture).tolist() if wanted and asset.seed.picture else None
        return {"asset": self._records(request).asset(asset, embedding=vector)}

    async def _get_bulk(self, request: Request, project: Project) -> dict[str, Any]:
        wanted = ids(await body(request), "assetIds", _IN_BULK)
        records = self._records(request)
        return await asyncio.to_thread(
            lambda: {"assets": [records.asset(asset) for asset in select(project, wanted)]},
        )

    async def _search_assets(self, request: Request, project: Project) -> dict[str, Any]:
        question, records = await body(request), self._records(request)
        return await asyncio.to_thread(self._search.answer, project, question, request.query_params, records)

    async def _download(self, request: Request, project: Project) -> dict[str, Any]:
        asset = await self._find(request, project)
        return dict(download(asset, await body(request), self._records(request)))

    async def _archive(self, request: Request, project: Project) -> dict[str, Any] | Response:
        given, dry_run = await body(request), request.query_params.get("dryRun")
        if dry_run not in {None, "true", "api"}:
            raise bad_request("dryRun must be true or api")
        start = dry_run is None
        answer = await asyncio.to_thread(lambda: self._batches.request(project, given, start=start))
        return answer if start else JSONResponse({"creativeUnitsCost": 0}, status_code=_ESTIMATE)

    async def _archive_status(self, request: Request, project: Project) -> dict[str, Any]:
        cdn = self._records(request).cdn
        return await asyncio.to_thread(self._batches.status, project, request.path_params["id"], cdn)

    async def _job_list(self, request: Request, project: Project) -> dict[str, Any]:
        return await asyncio.to_thread(self._jobs.page, project, request.query_params)

    async def _job(self, request: Request, project: Project) -> dict[str, Any]:
        return await asyncio.to_thread(self._jobs.record, project, request.path_params["id"])

    async def _act_on_job(self, request: Request, project: Project) -> dict[str, Any]:
        return await asyncio.to_thread(self._jobs.act, project, request.path_params["id"], await body(request))

    async def _delete(self, request: Request, project: Project) -> dict[str, Any]:
        return await asyncio.to_thread(self._organising.delete, project, await body(request))

    async def _restore(self, request: Request, project: Project) -> dict[str, Any]:
        return await asyncio.to_thread(self._organising.restore, project, await body(request))

    async def _edit_tags(self, request: Request, project: Project) -> dict[str, Any]:
        asset = await self._find(request, project)
        return self._organising.edit_tags(project, asset, await body(request))

    async def _tags(self, request: Request, project: Project) -> dict[str, Any]:
        return await asyncio.to_thread(self._organising.tags, project, request.query_params)

    async def _collections(self, request: Request, project: Project) -> dict[str, Any]:
        records = self._records(request)
        return await asyncio.to_thread(self._organising.collections, project, request.query_params, records)

    async def _collection(self, request: Request, project: Project) -> dict[str, Any]:
        id, records = request.path_params["id"], self._records(request)
        return await asyncio.to_thread(self._organising.collection, project, id, records)

    async def _fill_collection(self, request: Request, project: Project) -> dict[str, Any]:
        id, given, records = request.path_params["id"], await body(request), self._records(request)
        add = request.method == "PUT"
        return await asyncio.to_thread(lambda: self._organising.fill(project, id, given, records, add=add))

    async def _teams(self, request: Request, project: Project) -> dict[str, Any]:
        return {"teams": [team(project)]}

    async def _model(self, request: Request, project: Project) -> dict[str, Any]:
        model = models.models().get(request.path_params["id"])
        if model is None or project is self._foreign:
            raise not_found("Model")
        examples = [a.id for a in project.assets[: len(project.seeds)] if a.seed.model_id == model.id and not a.deleted]
        return {"model": models.record(model, project.team_id, examples[:4])}


def _credentials() -> tuple[str, str]:
    return f"api_{secrets.token_hex(12)}", secrets.token_urlsafe(24)


async def _nothing(request: Request) -> Response:
    return JSONResponse({"message": "Not Found"}, status_code=404)
