"""The Admin API's calls that change products: their status, the conversion of their file, their poster."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ipyassets.sandbox.vntana.access import Access
from ipyassets.sandbox.vntana.bus import Bus
from ipyassets.sandbox.vntana.catalogue import Catalogue
from ipyassets.sandbox.vntana.changes import Changes
from ipyassets.sandbox.vntana.conversions import Conversions
from ipyassets.sandbox.vntana.errors import Refused, answer, guarded
from ipyassets.sandbox.vntana.request import json_body

__all__ = ["ProductChangesApi"]

EVENTS = {
    "LIVE_PUBLIC": "product.published",
    "LIVE_INTERNAL": "product.published_internal",
    "DRAFT": "product.deactivated",
}
"""Statuses a caller may give, and what is told of them."""


class ProductChangesApi:
    """For whoever may work on a workspace's products."""

    def __init__(
        self, access: Access, catalogue: Catalogue, changes: Changes, conversions: Conversions, bus: Bus
    ) -> None:
        self._access = access
        self._catalogue = catalogue
        self._changes = changes
        self._conversions = conversions
        self._bus = bus

    def routes(self) -> list[Route]:
        return [
            Route("/v1/products/status", guarded(self.status), methods=["PUT"]),
            Route("/v1/products/reconvert", guarded(self.reconvert), methods=["PUT"]),
            Route("/v1/products/regenerate-thumbnails", guarded(self.regenerate), methods=["POST"]),
        ]

    async def status(self, request: Request) -> Response:
        """All of the items or none. The reference's ``uuid`` and ``status`` in the query are stale: not looked at."""
        self._access.editor(request)
        items = (await json_body(request)).get("items")
        if not items:
            raise Refused(422, "MISSING_UUIDS")
        if not isinstance(items, list) or not all(_item(item) for item in items):
            raise Refused(400, "BAD_REQUEST")
        wanted: dict[int, str] = {}
        for item in items:
            uuid, status = item.get("uuid"), item.get("status")
            if not uuid:
                raise Refused(422, "MISSING_UUID")
            if not status:
                raise Refused(422, "MISSING_PRODUCT_STATUS")
            if status not in EVENTS:
                raise Refused(422, "INVALID_PRODUCT_STATUS")
            index = self._access.product(request, uuid)
            if self._catalogue.conversion(index) == "PENDING":  # its file is still looked through
                raise Refused(409, "FORBIDDEN_OPERATION_WITH_FAILED_OR_SCANNING_MALWARE_STATUS")
            wanted[index] = status
        for index, status in wanted.items():
            if self._catalogue.status(index) != status:
                self._changes.status(index, status)
                self._bus.emit(EVENTS[status], index)
        return answer({})

    async def reconvert(self, request: Request) -> Response:
        """Converts the file of one product anew, named in the query."""
        self._access.editor(request)
        uuid = request.query_params.get("uuid", "")
        index = self._access.product(request, uuid)
        try:
            self._conversions.convert(uuid)
        except ValueError:  # no file, or at work
            raise Refused(409, "RECONVERT_NOT_ALLOWED") from None
        return answer({"uuid": self._catalogue.products.uuid(index)})

    async def regenerate(self, request: Request) -> Response:
        """Makes posters anew, of those products where it can; the answer names them."""
        _, organization = self._access.scoped(request)
        self._access.editor(request)
        body = await json_body(request)
        for given in (body.get("organizationUuid"), request.headers.get("organizationUuid")):
            if not given:
                raise Refused(422, "MISSING_ORGANIZATION_UUID")
            if given != organization.uuid:
                raise Refused(403, "FORBIDDEN")
        if not body.get("clientUuid"):
            raise Refused(422, "MISSING_CLIENT_UUID")
        workspace = self._access.workspace(request, str(body["clientUuid"]))
        uuids: Any = body.get("uuids")
        if not uuids:
            raise Refused(422, "MISSING_UUIDS")
        if not isinstance(uuids, list) or not all(isinstance(uuid, str) for uuid in uuids):
            raise Refused(400, "BAD_REQUEST")
        found = [self._catalogue.find(self._catalogue.products, uuid) for uuid in dict.fromkeys(uuids)]
        known = [index for index in found if index is not None and self._catalogue.workspace(index) == workspace]
        if not known:
            raise Refused(404, "PRODUCT_NOT_FOUND")
        able = [index for index in known if self._repaint(index)]
        if not able:
            raise Refused(409, "PRODUCT_CHANGE_IS_UNAVAILABLE")
        return answer({"uuids": [self._catalogue.products.uuid(index) for index in able]})

    def _repaint(self, index: int) -> bool:
        """Whether there is a converted model to take a picture of, and nobody at work on it."""
        if self._catalogue.conversion(index) != "COMPLETED":
            return False
        try:
            self._conversions.repaint(index)
        except ValueError:
            return False
        return True


def _item(item: Any) -> bool:
    """Whether it is an object with texts in its two fields, as far as it has them."""
    return isinstance(item, dict) and all(isinstance(item.get(name, ""), str | None) for name in ("uuid", "status"))
