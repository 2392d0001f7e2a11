"""The iTwin Platform: iTwins as workspaces, iModels as assets, their thumbnails as posters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from ipyassets.errors import BadResponse, InvalidRequest, NotFound
from ipyassets.http.client import HttpClient
from ipyassets.http.loop import LoopLock
from ipyassets.http.messages import Call
from ipyassets.services.base import (
    AssetService,
    Capabilities,
    PosterSource,
    Record,
    Served,
    Workspace,
    arguments,
    lightened,
)
from ipyassets.services.itwin.auth import ClientCredentials, GivenToken
from ipyassets.services.itwin.errors import explain
from ipyassets.services.itwin.records import imodel, workspace
from ipyassets.services.itwin.search import (
    ACCEPT_IMODELS,
    FILTERS,
    MAX_PAGE,
    SORTS,
    IModelSearch,
    next_link,
    parameters,
)
from ipyassets.services.wire import base_address, host, is_uuid, listed, segment
from ipyassets.texts import shown

__all__ = ["BASE_URL", "TOKEN_URL", "ITwinService"]

BASE_URL: Final = "https://api.bentley.com"
TOKEN_URL: Final = "https://ims.bentley.com/connect/token"  # noqa: S105  # an address, no token

_ACCEPT_ITWINS: Final = "application/vnd.bentley.itwin-platform.v1+json"
_MOST_ITWINS: Final = 10_000
_NAMED_IN_MESSAGES: Final = 10
_SMALL: Final = (400, 250)
"""Pixels of the small thumbnail; the large one has twice as many each way."""
_SIZES: Final = ("small", "large")
_LIFETIME: Final = 600.0
"""Seconds a thumbnail is kept: nothing in an iModel tells that a new one was uploaded."""
_CHANGED: Final = "lastChangesetPushDateTime"
_NOT_IDS: Final = ("favorites", "recents")


class ITwinService(AssetService):
    """The iModels that one set of credentials can see."""

    name: ClassVar[str] = "itwin"
    title: ClassVar[str] = "Bentley iTwin"
    capabilities: ClassVar[Capabilities] = Capabilities(workspaces="iTwin", filters=FILTERS, sorts=SORTS)

    def __init__(
        self, authorizer: GivenToken | ClientCredentials, *, itwin: str | None = None, base_url: str = BASE_URL
    ) -> None:
        self.base_url = base_address(base_url, self.title)
        self._authorizer = authorizer
        self._chosen = itwin.strip() if itwin else None
        self._only: str | None = None
        self._called: dict[str, str] = {}
        """Ids of the iTwins that were asked for by name or number."""
        self._lock = LoopLock()
        self._http = HttpClient(self.title, explain=explain, authorizer=authorizer)

    def search(
        self, text: str = "", *, workspace: str | None = None, sort: str | None = None, **filters: Any
    ) -> IModelSearch:
        """The iModels of one iTwin whose name or description has ``text`` in it; keywords: `IModelFilters`."""
        query, size = parameters(text, sort, filters)
        most = MAX_PAGE if filters.get("page_size") is None else size
        return IModelSearch(
            self._http, self.base_url, lambda: self._itwin(workspace), query, page_size=size, most_per_page=most
        )

    async def record(self, id: str) -> Record:
        path = segment(id, "an iModel")
        if id in _NOT_IDS:
            raise NotFound(f"{id!r} is not the id of an iModel.")
        call = Call(
            "GET", f"{self.base_url}/imodels/{path}", headers={"Accept": ACCEPT_IMODELS}, what=f"the iModel {id:.60}"
        )
        answer = await self._http.send(call)
        entity = answer.json_object().get("iModel")
        if not isinstance(entity, dict):
            raise BadResponse(f"{answer.asked} answered without the object 'iModel'.", status=answer.status)
        return imodel(entity)

    def poster_source(
        self, record: Record, *, width: int | None = None, height: int | None = None, size: str | None = None
    ) -> PosterSource:
        """The thumbnail: ``size`` is small or large; by default the small one where it fills the box."""
        chosen = size or _fitting(width, height)
        if chosen not in _SIZES:
            raise InvalidRequest(f"iModel thumbnails are 'small' or 'large'; got size={size!r}.")
        url = f"{self.base_url}/imodels/{segment(record.id, 'an iModel')}/thumbnail"
        changed = str(record.raw.get(_CHANGED) or "")

        async def fetch() -> Served:
            call = Call(
                "GET",
                url,
                headers={"Accept": ACCEPT_IMODELS},  # the version of the API; a PNG comes all the same
                params=(("size", chosen),),
                what=f"the {chosen} thumbnail of iModel {record.id}",
            )
            try:
                answer = await self._http.send(call)
            except NotFound as error:
                raise NotFound(
                    f"{self.title} has no poster (thumbnail) for iModel {record.id}: {error}",
                    status=error.status,
                    code=error.code,
                    details=error.details,
                ) from None
            return Served(answer.content, answer.content_type or None)

        return PosterSource(("itwin", host(self.base_url), record.id, chosen, changed), fetch, _LIFETIME)

    async def workspaces(self) -> Sequence[Workspace]:
        """The iTwins these credentials are a member of."""
        headers = {"Accept": _ACCEPT_ITWINS, "Prefer": "return=minimal", "X-Max-Return": str(_MOST_ITWINS)}
        url = f"{self.base_url}/itwins"
        params: tuple[tuple[str, str], ...] = (("$top", "1000"),)
        found: dict[str, Workspace] = {}
        seen: set[str] = set()
        while url not in seen and len(found) < _MOST_ITWINS:
            seen.add(url)
            answer = await self._http.send(Call("GET", url, headers=headers, params=params, what="the list of iTwins"))
            body = answer.json_object()
            for entity in listed(body, "iTwins", answer):
                place = workspace(entity)
                found.setdefault(place.id, place)
            url, params = next_link(body, answer, self.base_url) or "", ()
            if not url:
                break
        return tuple(found.values())

    def reference(self) -> Mapping[str, str]:
        # Where tokens come from belongs to the credentials, and those are of the other process.
        return arguments(base_url=self.base_url, itwin=self._chosen)

    def portable(self, record: Record) -> Record:
        return lightened(record, {_CHANGED: record.raw.get(_CHANGED)})

    async def restored(self, record: Record) -> Record:
        return record

    async def close(self) -> None:
        await self._authorizer.close()
        await self._http.close()

    # -- which iTwin ----------------------------------------------------------------------------------------------

    async def _itwin(self, wanted: str | None) -> str:
        """The id of the iTwin to search: the one asked for (by id, name or number), else the only one."""
        wanted = wanted or self._chosen
        if wanted is not None and is_uuid(wanted):
            return wanted
        if wanted is not None:
            async with self._lock:
                if wanted not in self._called:
                    self._called[wanted] = await self._named(wanted)
                return self._called[wanted]
        async with self._lock:
            if self._only is None:
                places = await self.workspaces()
                # The organization's own account is listed too, beside the one project a person thinks of.
                likely = [place for place in places if place.raw.get("subClass") != "Account"] or list(places)
                if len(likely) != 1:
                    raise InvalidRequest(_which(places))
                self._only = likely[0].id
            return self._only

    async def _named(self, wanted: str) -> str:
        places = await self.workspaces()
        found = [place for place in places if wanted in (place.id, place.name, place.slug)]
        if len(found) != 1:
            what = "None" if not found else f"{len(found)}"
            raise InvalidRequest(f"{what} of the iTwins you can see is called {wanted!r}. {_names(places)}")
        return found[0].id


def _fitting(width: int | None, height: int | None) -> str:
    """The thumbnail for a box: small where it fills the box one way or the other, and where no box is given."""
    if width is None and height is None:
        return "small"
    fills = (width is not None and width <= _SMALL[0]) or (height is not None and height <= _SMALL[1])
    return "small" if fills else "large"


def _which(places: Sequence[Workspace]) -> str:
    if not places:
        return (
            "These credentials see no iTwin. A service client must first be added to one, by its address "
            "<client id>@apps.imsoidc.bentley.com; or give itwin=<id> if you know the id."
        )
    return f"Which iTwin? Give itwin=<id>, search(workspace=<id>) or set ITWIN_ID. {_names(places)}"


def _names(places: Sequence[Workspace]) -> str:
    if not places:
        return "You can see none."
    names = ", ".join(f"{shown(place.name)} ({place.id})" for place in places[:_NAMED_IN_MESSAGES])
    rest = len(places) - _NAMED_IN_MESSAGES
    return f"You can see: {names}{f' and {rest} more' if rest > 0 else ''}."
