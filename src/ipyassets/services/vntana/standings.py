"""How far renders have come: by the rows of one search for many products, else by a call for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from ipyassets.errors import (
    AssetServiceError,
    AuthenticationError,
    BadResponse,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    ServiceUnavailable,
)
from ipyassets.http.client import HttpClient
from ipyassets.http.gather import gathered
from ipyassets.http.messages import Call
from ipyassets.services.base import Record
from ipyassets.services.rendering import Part, Stage, Standings
from ipyassets.services.vntana.auth import Ladder, Reach
from ipyassets.services.vntana.errors import response
from ipyassets.services.vntana.filters import MOST_PER_PAGE, STATUSES
from ipyassets.services.vntana.records import client_uuid, described
from ipyassets.services.vntana.search import answered, fetched, search_call
from ipyassets.services.wire import segment, stripped

__all__ = ["Watch", "stages"]

_AT_ONCE: Final = 4
"""Calls for single products that run at the same time: this is polling, and others use the service too."""
_SILENCES: Final = 3
"""How often a product's own call may tell nothing of renders; then its files alone tell."""
_SILENT_PRODUCTS: Final = 5
"""So many silent products, and none that ever told, and the service is taken for one that does not."""

_PARTS: Final[Mapping[str, Part]] = {
    "RENDERS": "stills",
    "RENDER": "stills",
    "TURNTABLE": "turntable",
    "TURNTABLES": "turntable",
}
_STAGES: Final[Mapping[str, Stage]] = {
    "PENDING": "queued",
    "QUEUED": "queued",
    "RUNNING": "running",
    "PROCESSING": "running",
    "COMPLETED": "completed",
    "FAILED": "failed",
    "TERMINATED": "failed",
}
_NO_ROUTE: Final = frozenset({None, "HANDLER_NOT_FOUND", "NOT_FOUND", "METHOD_NOT_ALLOWED"})


class Watch:
    """Looks how the renders of an account's products stand, and remembers where there is nothing to see."""

    def __init__(self, http: HttpClient, ladder: Ladder, base_url: str) -> None:
        self._http = http
        self._ladder = ladder
        self._base_url = base_url
        self._silences: dict[str, int] = {}
        self._ordered: set[str] = set()
        self._told = False
        self._mute = False

    def expect(self, ids: Iterable[str]) -> None:
        """Renders of these products were ordered: what was never told of them may be told now."""
        for id in ids:
            self._silences.pop(id, None)
            self._ordered.add(id)

    async def standings(self, records: Sequence[Record]) -> Standings:
        """The stages of ``records`` as far as they are told, and those that are no more."""
        wanted = list({record.id: record for record in records}.values())
        rows = await self._rows(wanted)
        known = {id: stages(row) for id, row in rows.items()}
        gone: dict[str, AssetServiceError] = {}

        async def look(record: Record) -> None:
            found = await self._fetched(record)
            if isinstance(found, AssetServiceError):
                gone[record.id] = found
            else:
                known[record.id] = stages(found.raw)

        await gathered(look, [record for record in wanted if record.id not in rows], _AT_ONCE)

        troubles: list[AssetServiceError] = []

        async def ask(record: Record) -> None:
            if len(troubles) < _AT_ONCE:  # else the call is out of order just now, and the next look is soon enough
                known[record.id] = await self._actions(record, troubles)

        if not self._mute:
            quiet = [r for r in wanted if r.id in known and not known[r.id]]
            await gathered(ask, [r for r in quiet if self._silences.get(r.id, 0) < _SILENCES], _AT_ONCE)
        return Standings({id: told for id, told in known.items() if told}, gone)

    # -- many at once ---------------------------------------------------------------------------------------------

    async def _rows(self, records: Sequence[Record]) -> dict[str, Mapping[str, Any]]:
        """The rows of a search by uuid, a hundred products at a time; drafts come as all statuses are asked for."""
        by_workspace: dict[str, list[str]] = {}
        for record in records:
            workspace = client_uuid(record)
            if workspace is not None:
                by_workspace.setdefault(workspace, []).append(record.id)
        rows: dict[str, Mapping[str, Any]] = {}
        for reach in await self._ladder.reaches(by_workspace):
            ids = [id for place in reach.workspaces for id in by_workspace[place.id]]
            try:
                for start in range(0, len(ids), MOST_PER_PAGE):
                    rows.update(await self._found(reach, ids[start : start + MOST_PER_PAGE]))
            except (NotFound, PermissionDenied):  # a workspace that is no more: its products are looked for by id
                continue
        return rows

    async def _found(self, reach: Reach, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        body = {"productsUuids": list(ids), "status": list(STATUSES), "sorts": {"CREATED": "DESC"}}
        asked = {id.lower(): id for id in ids}
        rows: dict[str, Mapping[str, Any]] = {}
        for page in range(1, len(ids) + 1):  # mostly one; more where the service gives smaller pages than asked for
            call = search_call(self._base_url, reach, body, page=page, size=len(ids), many=reach.many)
            found, total = answered(await self._http.send(call))
            new = {asked[row["uuid"].lower()]: row for row in found if stripped(row.get("uuid")).lower() in asked}
            before = len(rows)
            rows.update(new)
            if len(rows) in (before, len(ids)) or total is None or page * len(found) >= total:
                break
        return rows

    # -- one at a time --------------------------------------------------------------------------------------------

    async def _fetched(self, record: Record) -> Record | AssetServiceError:
        """A product that no search lists; the error if there is none, or none for this account."""
        scope = await self._ladder.scope(client_uuid(record))
        try:
            return await fetched(self._http, self._base_url, record.id, scope)
        except (NotFound, PermissionDenied) as error:
            cause: AssetServiceError = error
        except AuthenticationError as error:
            if error.status != 403 or not await scope.alive():
                raise
            cause = error
        words = "is no more: it was deleted" if isinstance(cause, NotFound) else "may not be seen any more"
        return NotFound(
            f"VNTANA: {described(record)} {words} while its renders were awaited.",
            status=cause.status,
            code=cause.code,
            details=cause.details,
        )

    async def _actions(self, record: Record, troubles: list[AssetServiceError]) -> dict[Part, Stage]:
        """What the product's own call tells; nothing where it tells nothing."""
        if self._mute:  # found out by another product meanwhile
            return {}
        scope = await self._ladder.scope(client_uuid(record))
        # `type=` would leave out the very actions that matter here.
        call = Call(
            "GET",
            f"{self._base_url}/v1/products/{segment(record.id, 'a product')}/conversion-action-types/status",
            authorize=scope,
            what=f"the state of the renders of {described(record)}",
        )
        told: dict[Part, Stage] = {}
        try:
            told = _listed(response(await self._http.send(call)).get("actionTypes"))
        except AuthenticationError as error:
            if error.status != 403 or not await scope.alive():
                raise
        except ServiceUnavailable as error:
            if error.status is None:  # the network, not this call
                raise
            troubles.append(error)
        except (NotFound, InvalidRequest) as error:
            self._mute = self._mute or (error.status in (404, 405) and error.code in _NO_ROUTE)
        except (PermissionDenied, BadResponse):
            pass
        if told:
            self._told = True
            self._silences.pop(record.id, None)
        else:
            self._silences[record.id] = self._silences.get(record.id, 0) + 1
            # Of products that nobody ordered renders of there may be nothing to tell.
            silent = sum(self._silences.get(id, 0) >= _SILENCES for id in self._ordered)
            self._mute = self._mute or (silent >= _SILENT_PRODUCTS and not self._told)
        return told


def stages(row: Mapping[str, Any]) -> dict[Part, Stage]:
    """What a search row tells of renders, or a fetched product, which has it one level down."""
    asset = row.get("asset")
    for holder in (row, asset if isinstance(asset, Mapping) else {}):
        told = _listed(holder.get("conversionStatusDetails"))
        if told:
            return told
    return {}


def _listed(value: Any) -> dict[Part, Stage]:
    """Stages of a map of action to status, or of a list of objects with both."""
    pairs: list[tuple[Any, Any]] = []
    if isinstance(value, Mapping):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = [(entry.get("actionType"), entry.get("status")) for entry in value if isinstance(entry, Mapping)]
    told: dict[Part, Stage] = {}
    for action, status in pairs:
        if isinstance(status, Mapping):
            status = status.get("status")  # noqa: PLW2901
        part = _PARTS.get(stripped(action).upper().removeprefix("GENERATE_"))
        stage = _STAGES.get(stripped(status).upper().removeprefix("ACTION_"))
        if part is not None and stage is not None:
            told[part] = stage
    return told
