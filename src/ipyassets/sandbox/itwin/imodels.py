"""``/imodels``: lists, single iModels, thumbnails, and what hangs on an iModel."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ipyassets.sandbox.itwin import history, records
from ipyassets.sandbox.itwin.catalogue import MAIN, Catalogue, IModel
from ipyassets.sandbox.itwin.errors import PlatformError, not_found
from ipyassets.sandbox.itwin.query import Query, base_url, prefer
from ipyassets.sandbox.itwin.thumbnails import LARGEST_UPLOAD, SIZES, Thumbnails

__all__ = ["IModelsApi"]

_STATES = ("initialized", "notInitialized")
_MOST_RECENTS = 25


class IModelsApi:
    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._thumbnails = Thumbnails()
        main = catalogue.imodels(MAIN)
        self._favorites = {main[i].id: None for i in (3, 4, 5) if i < len(main)}
        self._recents = {main[i].id: None for i in (1, 0) if i < len(main)}

    def endpoints(self) -> Iterable[tuple[str, str, Any]]:
        yield "/imodels", "GET", self.all
        for name in ("favorites", "recents"):
            yield f"/imodels/{name}", "GET", getattr(self, name)
        yield "/imodels/favorites/{id}", "PUT", self.add_favorite
        yield "/imodels/favorites/{id}", "DELETE", self.remove_favorite
        yield "/imodels/recents/{id}", "POST", self.add_recent
        one = "/imodels/{id}"
        yield one, "GET", self.get
        yield f"{one}/thumbnail", "GET", self.thumbnail
        yield f"{one}/thumbnail", "PUT", self.upload_thumbnail
        yield f"{one}/namedversions", "GET", self.named_versions
        yield f"{one}/namedversions/{{version}}", "GET", self.named_version
        yield f"{one}/changesets", "GET", self.changesets
        yield f"{one}/changesets/{{changeset}}", "GET", self.changeset
        yield f"{one}/users", "GET", self.users
        yield f"{one}/users/{{user}}", "GET", self.user

    # Lists

    async def all(self, request: Request) -> dict[str, Any]:
        query = Query(request)
        itwin_id = query.guid("iTwinId", required=True)
        order = query.order("$orderBy", ("name", "createdDateTime"))
        state = query.choice("state", _STATES)
        window = query.window(f"imodels {itwin_id}".encode())
        itwin = self._catalogue.itwin(itwin_id or "")
        if itwin is None:
            raise not_found("iTwinNotFound")
        imodels = self._catalogue.imodels(itwin)
        search, name = query.text("$search"), query.text("name")
        if search or name or state or order:
            # A scan of a grown catalogue takes a good part of a second: not on the event loop.
            rows = await asyncio.to_thread(imodels.matches, search or "", name, state, order)
            found = [imodels[i] for i in window.of(rows)]
            total = len(rows)
        else:
            found, total = list(window.of(imodels)), len(imodels)
        params = {name: query.text(name) for name in ("iTwinId", "$search", "name", "state", "$orderBy")}
        base, full = base_url(request), prefer(request) == "representation"
        return {
            "iModels": [records.imodel(imodel, base, full=full) for imodel in found],
            "_links": window.links(base, "/imodels", params, total),
        }

    async def favorites(self, request: Request) -> dict[str, Any]:
        return self._own_list(request, "favorites", list(self._favorites))

    async def recents(self, request: Request) -> dict[str, Any]:
        return self._own_list(request, "recents", list(self._recents)[::-1][:_MOST_RECENTS])

    def _own_list(self, request: Request, name: str, ids: Sequence[str]) -> dict[str, Any]:
        query = Query(request, what=f"{name} iModels")
        itwin_id = query.guid("iTwinId")
        imodels = [imodel for id in ids if (imodel := self._catalogue.imodel(id)) is not None]
        rows = [imodel for imodel in imodels if itwin_id in {None, imodel.itwin.id}]
        return _page(
            request, query, f"/imodels/{name}", key="iModels", rows=rows,
            form=lambda imodel, base, full: records.imodel(imodel, base, full=full), params={"iTwinId": itwin_id},
        )  # fmt: skip

    async def add_favorite(self, request: Request) -> Response:
        self._favorites[(await self._find(request)).id] = None
        return Response(status_code=204)

    async def remove_favorite(self, request: Request) -> Response:
        self._favorites.pop((await self._find(request)).id, None)
        return Response(status_code=204)

    async def add_recent(self, request: Request) -> Response:
        id = (await self._find(request)).id
        self._recents.pop(id, None)
        self._recents[id] = None
        return Response(status_code=204)

    # One iModel

    async def _find(self, request: Request) -> IModel:
        imodel = await asyncio.to_thread(self._catalogue.imodel, request.path_params["id"])
        if imodel is None:
            raise not_found("iModelNotFound")
        return imodel

    async def get(self, request: Request) -> dict[str, Any]:
        return {"iModel": records.imodel(await self._find(request), base_url(request), full=True)}

    async def thumbnail(self, request: Request) -> Response:
        imodel = await self._find(request)
        query = Query(request, what="Thumbnail")
        size = query.choice("size", tuple(SIZES), "small")
        query.check()
        return Response(await asyncio.to_thread(self._thumbnails.get, imodel, size or "small"), media_type="image/png")

    async def upload_thumbnail(self, request: Request) -> Response:
        imodel = await self._find(request)
        if not imodel.itwin.manages:
            raise PlatformError(
                403, "InsufficientPermissions", "The user has insufficient permissions for the requested operation."
            )
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_UPLOAD:
                raise PlatformError(413, "RequestTooLarge", "The request body exceeds the maximum size of 5 MB.")
        await asyncio.to_thread(self._thumbnails.put, imodel, request.headers.get("content-type"), bytes(body))
        return Response(status_code=201)

    # What hangs on it

    async def named_versions(self, request: Request) -> dict[str, Any]:
        imodel = await self._find(request)
        query = Query(request, what="Named Versions")
        order = query.order("$orderBy", ("changesetIndex", "createdDateTime"))
        state = query.choice("state", ("visible", "hidden"))
        search, name = query.text("$search"), query.text("name")
        rows = [
            version
            for version in history.named_versions(imodel)
            if state in {None, version.state}
            and name in {None, version.name}
            and (search is None or search.casefold() in f"{version.name}\n{version.description}".casefold())
        ]
        # Both orders agree: a version on a later changeset is made later.
        if order and order[0][1]:
            rows.reverse()
        params = {name: query.text(name) for name in ("$search", "name", "state", "$orderBy")}
        return _page(
            request, query, f"/imodels/{imodel.id}/namedversions", key="namedVersions", rows=rows,
            form=lambda version, base, full: records.named_version(version, imodel, base, full=full), params=params,
        )  # fmt: skip

    async def named_version(self, request: Request) -> dict[str, Any]:
        imodel = await self._find(request)
        wanted = request.path_params["version"].lower()
        for version in history.named_versions(imodel):
            if version.id == wanted:
                return {"namedVersion": records.named_version(version, imodel, base_url(request), full=True)}
        raise not_found("NamedVersionNotFound")

    async def changesets(self, request: Request) -> dict[str, Any]:
        imodel = await self._find(request)
        query = Query(request, what="Changesets")
        order = query.order("$orderBy", ("index",))
        after = query.integer("afterIndex", 0)
        last = query.integer("lastIndex", 2**31)
        rows = [changeset for changeset in history.changesets(imodel) if after < changeset.index <= last]
        if order and order[0][1]:
            rows.reverse()
        params = {name: query.text(name) for name in ("afterIndex", "lastIndex", "$orderBy")}
        return _page(
            request, query, f"/imodels/{imodel.id}/changesets", key="changesets", rows=rows,
            form=lambda changeset, base, full: records.changeset(changeset, imodel, base, full=full), params=params,
        )  # fmt: skip

    async def changeset(self, request: Request) -> dict[str, Any]:
        imodel = await self._find(request)
        wanted = request.path_params["changeset"].lower()
        for changeset in history.changesets(imodel):
            if wanted in {changeset.id, str(changeset.index)}:
                return {"changeset": records.changeset(changeset, imodel, base_url(request), full=True)}
        raise not_found("ChangesetNotFound")

    async def users(self, request: Request) -> dict[str, Any]:
        imodel = await self._find(request)
        return _page(
            request, Query(request, what="Users"), f"/imodels/{imodel.id}/users", key="users",
            rows=history.users(imodel.itwin), params={},
            form=lambda user, base, full: _user(user, imodel, base, full=full),
        )  # fmt: skip

    async def user(self, request: Request) -> dict[str, Any]:
        imodel = await self._find(request)
        for user in history.users(imodel.itwin):
            if user.id == request.path_params["user"].lower():
                return {"user": records.user(user, imodel, base_url(request))}
        raise not_found("UserNotFound")


def _user(user: history.User, imodel: IModel, base: str, *, full: bool) -> dict[str, Any]:
    record = records.user(user, imodel, base)
    return record if full else {"id": record["id"], "displayName": record["displayName"], "_links": record["_links"]}


def _page(
    request: Request,
    query: Query,
    path: str,
    *,
    key: str,
    rows: Sequence[Any],
    form: Callable[[Any, str, bool], dict[str, Any]],
    params: dict[str, str | None],
) -> dict[str, Any]:
    """One page of a collection in the frame that all iModels collections share."""
    window = query.window(path.encode())
    base, full = base_url(request), prefer(request) == "representation"
    return {
        key: [form(row, base, full) for row in window.of(rows)],
        "_links": window.links(base, path, params, len(rows)),
    }
