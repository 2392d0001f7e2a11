"""Ordering renders: one request for many products of a workspace, and what became of each."""

from __future__ import annotations

import email.utils
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from ipyassets.errors import AssetServiceError, AuthenticationError, BadResponse
from ipyassets.http.client import HttpClient
from ipyassets.http.messages import Answer, Call
from ipyassets.services.base import Record
from ipyassets.services.rendering import RenderOrder, Submitted
from ipyassets.services.vntana.auth import Ladder
from ipyassets.services.vntana.errors import refusal
from ipyassets.services.vntana.records import client_uuid, described
from ipyassets.services.vntana.search import fetched
from ipyassets.services.wire import stripped, utc

__all__ = ["MOST_PER_ORDER", "Renders", "order_body"]

MOST_PER_ORDER: Final = 100
"""Products in one request. The service documents no limit. As many as a page of a search: 1,000 products are ten
requests, and one that fails takes few with it."""

_HALVINGS: Final = 32
"""Further requests for one that was refused because of some product in it: enough to find two bad ones in 100."""

_ABOUT_A_PRODUCT: Final = frozenset(
    {
        "PRODUCT_NOT_FOUND",
        "INVALID_PRODUCT",
        "PRODUCT_CHANGE_IS_UNAVAILABLE",
        "PRODUCT_NOT_UPDATABLE",
        "PRODUCT_IS_NOT_PUBLISHED",
        "FORBIDDEN_OPERATION_WITH_FAILED_OR_SCANNING_MALWARE_STATUS",
    }
)
"""Codes that may be meant for one product, though the whole request was refused with them."""


class Renders:
    """Orders renders for one account."""

    def __init__(self, http: HttpClient, ladder: Ladder, base_url: str) -> None:
        self._http = http
        self._ladder = ladder
        self._base_url = base_url

    async def submit(self, records: Sequence[Record], order: RenderOrder) -> Submitted:
        """Order renders of ``records``, by workspace and `MOST_PER_ORDER` at a time, in their order.

        What is refused for one product or one request is no error for the others. Raises if all of them were refused
        for the same reason.
        """
        wanted = {record.id: record for record in records}
        taken: set[str] = set()
        refused: dict[str, AssetServiceError] = {}
        moments: list[datetime] = []
        waiting = deque((workspace, batch, 0) for workspace, batch in await self._batches(wanted.values(), refused))
        extra = _HALVINGS
        while waiting:
            workspace, batch, depth = waiting.popleft()
            if not depth:
                extra = _HALVINGS
            try:
                answer = await self._send(workspace, batch, order)
                accepted, declined = _outcome(answer, batch)
            except AuthenticationError as error:
                # The rest of the workspace would be refused as well, each request after a new login.
                same = [batch, *(rest for place, rest, _ in waiting if place == workspace)]
                refused.update({record.id: error for rest in same for record in rest})
                waiting = deque(entry for entry in waiting if entry[0] != workspace)
                continue
            except AssetServiceError as error:
                if len(batch) > 1 and extra >= 2 and error.code in _ABOUT_A_PRODUCT:
                    # One product spoiled it for all: nothing was taken, so the halves may be ordered by themselves.
                    extra -= 2
                    middle = len(batch) // 2
                    waiting.extendleft((workspace, part, depth + 1) for part in (batch[middle:], batch[:middle]))
                else:
                    refused.update({record.id: error for record in batch})
                continue
            taken.update(accepted)
            refused.update(declined)
            moments.extend(filter(None, [_sent(answer)]))
        if not taken and len(reasons := {id(error): error for error in refused.values()}) == 1:
            raise next(iter(reasons.values()))
        return Submitted(
            tuple(id for id in wanted if id in taken),
            {id: refused[id] for id in wanted if id in refused},
            min(moments, default=None),
        )

    async def _batches(
        self, records: Iterable[Record], refused: dict[str, AssetServiceError]
    ) -> list[tuple[str, list[Record]]]:
        """``records`` by workspace; those whose workspace nobody knows and cannot be found go to ``refused``."""
        places: dict[str, list[Record]] = {}
        for record in records:
            workspace = client_uuid(record)
            if workspace is None:
                try:
                    found = await fetched(self._http, self._base_url, record.id, await self._ladder.scope())
                    workspace = client_uuid(found)
                    if workspace is None:
                        raise BadResponse(f"VNTANA does not say which workspace {described(record)} is in.")
                except AssetServiceError as error:
                    refused[record.id] = error
                    continue
            places.setdefault(workspace, []).append(record)
        return [
            (workspace, held[start : start + MOST_PER_ORDER])
            for workspace, held in places.items()
            for start in range(0, len(held), MOST_PER_ORDER)
        ]

    async def _send(self, workspace: str, batch: Sequence[Record], order: RenderOrder) -> Answer:
        place = await self._ladder.organization()
        call = Call(
            "POST",
            f"{self._base_url}/v1/products/renders",
            json={
                "organizationUuid": place.id,
                "clientUuid": workspace,
                "productUuids": [record.id for record in batch],
                **order_body(order),
            },
            authorize=await self._ladder.scope(workspace),
            # Ordered twice because an answer was lost, a product is rendered twice and the later replaces the former:
            # that costs the service some work. Not repeated, renders that are being made would count as failed.
            repeatable=True,
            what=f"renders of {described(batch[0]) if len(batch) == 1 else f'{len(batch)} products'}",
        )
        return await self._http.send(call)


def order_body(order: RenderOrder) -> dict[str, Any]:
    """An order in the service's words. The turntable is always complete: the guide demands all its members."""
    turn = order.turntable
    stills = {
        "imageWidth": order.width,
        "imageHeight": order.height,
        "imageFormat": order.format,
        "imageBackground": order.background,
        "transparentBackground": order.transparent,
    }
    turntable = {
        "includeGif": turn.gif,
        "imageCount": turn.frames,
        "frameRate": turn.fps,
        "width": turn.width,
        "height": turn.height,
        "background": turn.background,
        "transparentBackground": turn.transparent,
    }
    return {**_told(stills), "turntable": _told(turntable)}


def _told(members: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is None: a colour that is not wished for is the service's own choice."""
    return {name: value for name, value in members.items() if value is not None}


def _outcome(answer: Answer, batch: Sequence[Record]) -> tuple[set[str], dict[str, AssetServiceError]]:
    """The ids that were taken, and the errors of all others of ``batch``."""
    body = answer.json_object().get("response")
    found = body if isinstance(body, Mapping) else {}
    errors = _errors(found.get("errors"), batch)
    echoed = found.get("uuids")
    named = {stripped(uuid).lower() for uuid in echoed} if isinstance(echoed, list) else None
    accepted: set[str] = set()
    refused: dict[str, AssetServiceError] = {}
    for record in batch:
        key = record.id.lower()
        if key in errors:
            what = f"renders of {described(record)}"
            refused[record.id] = refusal(errors[key], "VNTANA", what, status=answer.status)
        elif named is None or key in named:
            accepted.add(record.id)
        else:
            refused[record.id] = BadResponse(
                f"VNTANA did not say that it took the order for renders of {described(record)}, nor why not. "
                "Order it again; its files tell whether it was rendered after all.",
                advice="",
                status=answer.status,
            )
    return accepted, refused


def _errors(value: Any, batch: Sequence[Record]) -> dict[str, Any]:
    """What was said of single products, by uuid in lower case: of a map, a list of objects, or of the only product."""
    if isinstance(value, Mapping):
        return {key.lower(): said for key, said in value.items() if said}
    found: dict[str, Any] = {}
    for entry in value if isinstance(value, list) else ():
        if isinstance(entry, Mapping):
            uuid = stripped(entry.get("uuid")) or stripped(entry.get("productUuid"))
            found[uuid.lower()] = {name: said for name, said in entry.items() if name not in ("uuid", "productUuid")}
    if not found and value and len(batch) == 1:
        found[batch[0].id.lower()] = value
    return found


def _sent(answer: Answer) -> datetime | None:
    """The service's own clock at the time of its answer, to the second."""
    try:
        return utc(email.utils.parsedate_to_datetime(answer.headers.get("date", "")))
    except (TypeError, ValueError):
        return None
