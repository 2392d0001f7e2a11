"""Attachments of products, renders among them: what there is, the search for them, and their bytes."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from ipyassets.sandbox.vntana.access import Access
from ipyassets.sandbox.vntana.catalogue import Catalogue
from ipyassets.sandbox.vntana.errors import Refused, answer, grid, guarded
from ipyassets.sandbox.vntana.request import json_body, page_of
from ipyassets.sandbox.vntana.rows import moment
from ipyassets.sandbox.world import World

__all__ = ["ENTITY_TYPES", "TYPES", "Attachment", "AttachmentApi", "Attachments", "serve"]

ENTITY_TYPES = (
    "COMMENT", "ANNOTATION", "PRODUCT", "ANNOTATION_COMMENT", "VARIANT_GROUP", "RENDER", "TURNTABLE",
)  # fmt: skip

TYPES = {
    "png": "image/png", "jpg": "image/jpeg", "webp": "image/webp", "gif": "image/gif", "mp4": "video/mp4",
    "obj": "application/octet-stream",
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Attachment:
    """One file that hangs on a product."""

    index: int
    """Of the product."""
    entity_type: str
    name: str
    moment: int
    """When it was made, in microseconds since the epoch."""
    file: Path | Callable[[], Future[list[Path]]]
    """Where its bytes are, or how to have them made, maybe among others."""
    place: int = 0
    """Which of those it is."""
    generated: bool = True
    """Whether a new render of the product replaces it."""
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    blob: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def ending(self) -> str:
        return self.name.rpartition(".")[2]

    @property
    def blob_id(self) -> str:
        return f"{self.blob}.{self.ending}"

    async def path(self) -> Path:
        """Of its bytes, once they are there. Refused if they cannot be made, or are no more."""
        if isinstance(self.file, Path):
            return self.file
        try:
            return (await asyncio.wrap_future(self.file()))[self.place]
        except Exception:  # noqa: BLE001 - the queue logged why; to the client it is the platform's fault
            raise Refused(500, "INTERNAL_SERVER_ERROR") from None


class Attachments:
    """The attachments of one sandbox. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: dict[int, tuple[Attachment, ...]] = {}
        self._by_uuid: dict[str, Attachment] = {}
        self._by_blob: dict[str, Attachment] = {}

    def of(self, index: int) -> tuple[Attachment, ...]:
        return self._of.get(index, ())

    def find(self, uuid: str) -> Attachment | None:
        return self._by_uuid.get(uuid.lower())

    def find_blob(self, blob_id: str) -> Attachment | None:
        return self._by_blob.get(blob_id.lower())

    def put(self, index: int, made: list[Attachment], *, instead_of: Callable[[Attachment], bool]) -> None:
        """Hang ``made`` on a product and take off those of its attachments that they replace, all at once."""
        with self._lock:
            old = self._of.get(index, ())
            gone = {attachment.uuid for attachment in old if instead_of(attachment)}
            self._of[index] = (*(each for each in old if each.uuid not in gone), *made)
            for attachment in old:
                if attachment.uuid in gone:
                    del self._by_uuid[attachment.uuid], self._by_blob[attachment.blob_id]
            for attachment in made:
                self._by_uuid[attachment.uuid] = self._by_blob[attachment.blob_id] = attachment

    def clear(self) -> None:
        with self._lock:
            self._of, self._by_uuid, self._by_blob = {}, {}, {}


class AttachmentApi:
    """The Admin API's calls about them."""

    def __init__(self, world: World, access: Access, catalogue: Catalogue, attachments: Attachments) -> None:
        self._world = world
        self._access = access
        self._catalogue = catalogue
        self._attachments = attachments

    def routes(self) -> list[Route]:
        return [
            Route("/v1/attachments/search", guarded(self.search), methods=["POST"]),
            Route("/v1/attachments/{product_uuid}/{uuid}", guarded(self.delete), methods=["DELETE"]),
            Route("/v1/comments/images/{blob_id}", guarded(self.load), methods=["GET"]),
        ]

    async def search(self, request: Request) -> Response:
        """Those of one product. Pages count from 0, unlike everywhere else."""
        self._access.scoped(request)
        body = await json_body(request)
        page, size = page_of(body, self._world.settings.vntana_max_page_size, first=0)
        product, group = (body.get(name) for name in ("productUuid", "variantGroupUuid"))
        if not product and not group:
            raise Refused(422, "MISSING_PRODUCT_OR_VARIANT_GROUP_UUID")
        if not all(isinstance(value, str | None) for value in (product, group)):
            raise Refused(400, "BAD_REQUEST")
        entity, order = body.get("entityType"), body.get("sortDirection") or "UNSORTED"
        if entity not in (None, *ENTITY_TYPES) or order not in {"ASC", "DESC", "UNSORTED"}:
            raise Refused(400, "BAD_REQUEST")
        # Files hang on products here, none on a variant group.
        found = list(self._attachments.of(self._access.product(request, product))) if product else []
        if entity and self._world.settings.vntana_attachments_by_entity_type:
            found = [attachment for attachment in found if attachment.entity_type == entity]
        if order != "UNSORTED":
            found.sort(key=lambda attachment: attachment.moment, reverse=order == "DESC")
        return grid([self._row(attachment) for attachment in found[page * size : (page + 1) * size]], len(found))

    async def delete(self, request: Request) -> Response:
        self._access.editor(request)
        index = self._access.product(request, request.path_params["product_uuid"])
        attachment = self._attachments.find(request.path_params["uuid"])
        if attachment is None or attachment.index != index:
            raise Refused(404, "ATTACHMENT_NOT_FOUND")
        self._attachments.put(index, [], instead_of=lambda each: each is attachment)
        return answer({"uuid": attachment.uuid})

    async def load(self, request: Request) -> Response:
        """The bytes of an attachment, of whatever kind: the path speaks of comments alone."""
        if not request.query_params.get("clientUuid"):
            raise Refused(400, "BAD_REQUEST")
        workspace = self._access.workspace(request, request.query_params["clientUuid"])
        attachment = self._attachments.find_blob(request.path_params["blob_id"])
        if attachment is None or self._catalogue.workspace(attachment.index) != workspace:
            raise Refused(404, "BLOB_NOT_FOUND")
        path = await attachment.path()
        if not path.exists():
            raise Refused(404, "BLOB_NOT_FOUND")
        return serve(path, attachment)

    def _row(self, attachment: Attachment) -> dict[str, Any]:
        product = self._catalogue.products.uuid(attachment.index)
        return {
            "uuid": attachment.uuid,
            "malwareProcessingStatus": "SUCCEEDED",
            "type": "PRODUCT",
            "name": attachment.name,
            "entityType": attachment.entity_type,
            "entityUuid": product,
            "blobId": attachment.blob_id,
            "created": moment(attachment.moment),
            "updated": moment(attachment.moment),
            "productUuid": product,
            "variantGroupUuid": None,
        }


def serve(path: Path, attachment: Attachment) -> Response:
    """The file, or the range of it that was asked for."""
    return FileResponse(path, media_type=TYPES.get(attachment.ending, "application/octet-stream"))
