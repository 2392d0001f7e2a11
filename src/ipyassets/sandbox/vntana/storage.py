"""The storage host behind signed URLs, and the call that signs them. Signatures look like Google Cloud Storage's V4."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import logging
import secrets
import uuid
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode
from xml.sax.saxutils import escape

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ipyassets.sandbox.vntana.access import Access
from ipyassets.sandbox.vntana.attachments import Attachments, serve
from ipyassets.sandbox.vntana.catalogue import Catalogue
from ipyassets.sandbox.vntana.errors import Refused, answer, guarded
from ipyassets.sandbox.vntana.request import json_body
from ipyassets.sandbox.world import World

__all__ = ["StorageApi"]

BUCKET = "northlight-clean"
OCTETS = "application/octet-stream"
MODEL_FORMATS = ("GLB", "USDZ", "FBX", "OBJ", "STEP")
ENTITIES = {"RENDER": ("RENDER",), "TURNTABLE": ("TURNTABLE",), "ATTACHMENT": ("PRODUCT", "RENDER", "TURNTABLE")}
"""What each kind of store holds; as an attachment everything may be asked for."""

log = logging.getLogger("ipyassets.sandbox.storage")


class StorageApi:
    """``tokens_seen`` counts requests to the storage host that carried a credential: they must not."""

    def __init__(self, world: World, access: Access, catalogue: Catalogue, attachments: Attachments) -> None:
        self._world = world
        self._access = access
        self._catalogue = catalogue
        self._attachments = attachments
        self._key = secrets.token_bytes(32)
        self.tokens_seen = 0

    def admin_routes(self) -> list[Route]:
        return [Route("/v1/storage/download/clients/sign-url", guarded(self.sign), methods=["POST"])]

    def routes(self) -> list[BaseRoute]:
        """Of the storage host, relative to its prefix."""
        return [
            Route(f"/{BUCKET}/{{name:path}}", self.load, methods=["GET"]),
            Route("/{rest:path}", _nothing),
        ]

    async def sign(self, request: Request) -> Response:
        """A URL that gives one file to whoever has it, for some minutes."""
        self._access.scoped(request)
        body = await json_body(request)
        if not request.headers.get("origin"):
            raise Refused(422, "MISSING_ORIGIN")
        entity, store, format = (_text(body, name) for name in ("entityUuid", "storeType", "format"))
        if not entity:
            raise Refused(422, "MISSING_ENTITY_UUID")
        if not store:
            raise Refused(422, "MISSING_STORE_TYPE")
        if store in ENTITIES:
            name = self._attachment(request, entity, store)
        elif store == "ASSET":
            name = self._original(self._access.product(request, entity))
        elif store == "MODEL":
            self._model(self._access.product(request, entity), format)
        else:
            raise Refused(422, "NOT_SUPPORTED_STORE_TYPE")
        location = self._signed(f"/vntana/storage/{BUCKET}/{quote(name)}")
        return answer({"requestUuid": str(uuid.uuid4()), "location": location, "blobId": name})

    def _attachment(self, request: Request, entity: str, store: str) -> str:
        attachment = self._attachments.find(entity)
        if attachment is None or attachment.entity_type not in ENTITIES[store]:
            raise Refused(404, "BLOB_NOT_FOUND")
        self._access.product(request, self._catalogue.products.uuid(attachment.index))
        return attachment.blob_id

    def _original(self, index: int) -> str:
        source = self._catalogue.source(index)
        if source is None:
            raise Refused(404, "BLOB_NOT_FOUND")
        ending = source.key.rpartition(".")[2] if source.kind == "file" else "obj"
        return f"{self._catalogue.blobs.uuid(index)}.{ending}"

    def _model(self, index: int, format: str | None) -> str:
        if not format:
            raise Refused(422, "MISSING_RESOURCE_FORMAT")
        if format not in MODEL_FORMATS:
            raise Refused(422, "INVALID_RESOURCE_FORMAT")
        # Converted models are told of, not made: nothing here writes GLB or USDZ.
        raise Refused(404, "BLOB_NOT_FOUND")

    # Signatures

    def _signed(self, path: str) -> str:
        now = dt.datetime.fromtimestamp(self._world.clock(), dt.UTC)
        query = {
            "X-Goog-Algorithm": "GOOG4-HMAC-SHA256",
            "X-Goog-Credential": f"sandbox@northlight.example/{now:%Y%m%d}/auto/storage/goog4_request",
            "X-Goog-Date": f"{now:%Y%m%dT%H%M%SZ}",
            "X-Goog-Expires": str(round(self._world.settings.vntana_signed_url_lifetime)),
            "X-Goog-SignedHeaders": "content-type;host",
        }
        return f"{self._world.origin}{path}?{urlencode({**query, 'X-Goog-Signature': self._mark(path, query)})}"

    def _mark(self, path: str, query: dict[str, str]) -> str:
        message = f"GET\n{path}\n{urlencode(sorted(query.items()))}"
        return hmac.new(self._key, message.encode(), hashlib.sha256).hexdigest()

    def _objection(self, request: Request) -> Response | None:
        """Why the URL of ``request`` opens nothing; None if it is good."""
        query = dict(parse_qsl(request.url.query, keep_blank_values=True))
        mark = query.pop("X-Goog-Signature", None)
        if mark is None:
            return _refusal(403, "AccessDenied", "Access denied.", "Anonymous caller does not have access.")
        path = quote(request.scope["path"])
        if not hmac.compare_digest(mark.encode(), self._mark(path, query).encode()):
            told = "Access denied.", "The request signature we calculated does not match the signature you provided."
            return _refusal(403, "SignatureDoesNotMatch", *told)
        signed = dt.datetime.strptime(query["X-Goog-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC).timestamp()
        if self._world.clock() >= signed + int(query["X-Goog-Expires"]):
            status = self._world.settings.vntana_signed_url_expired_status
            told = "Invalid argument.", "The provided token has expired."
            return _refusal(status, "ExpiredToken", *told)
        return None

    # The storage host

    async def load(self, request: Request) -> Response:
        if {"x-auth-token", "authorization"} & set(request.headers.keys()):
            self.tokens_seen += 1
            log.warning("a request to the storage host carried a credential, which belongs to the API alone")
            return _refusal(403, "AccessDenied", "Access denied.", "This host takes no tokens.")
        if (objection := self._objection(request)) is not None:
            return objection
        strict = self._world.settings.vntana_storage_strict_content_type
        if strict and request.headers.get("content-type") != OCTETS:
            told = f"Content-Type must be {OCTETS}, as it was signed."
            return _refusal(400, "MalformedSecurityHeader", "Your request has a malformed header.", told)
        name = request.path_params["name"]
        attachment = self._attachments.find_blob(name)
        if attachment is None:
            return await self._original_file(request, name)
        try:
            path = await attachment.path()
        except Refused:
            return _refusal(500, "InternalError", "We encountered an internal error. Please try again.")
        return serve(path, attachment) if path.exists() else await _nothing(request)

    async def _original_file(self, request: Request, name: str) -> Response:
        """A model as it was uploaded; for its materials and textures there is no call."""
        from ipyassets.sandbox.renderer.sources import original_file

        index = self._catalogue.find(self._catalogue.blobs, name.rpartition(".")[0])
        source = None if index is None else self._catalogue.source(index)
        if source is None:
            return await _nothing(request)
        return Response(await run_in_threadpool(original_file, source.kind, source.key), media_type=OCTETS)


def _text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise Refused(400, "BAD_REQUEST")
    return value


def _refusal(status: int, code: str, message: str, details: str = "") -> Response:
    more = f"<Details>{escape(details)}</Details>" if details else ""
    body = (
        f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{escape(message)}</Message>"
        f"{more}</Error>"
    )
    return Response(body, status_code=status, media_type="application/xml; charset=UTF-8")


async def _nothing(request: Request) -> Response:
    return _refusal(404, "NoSuchKey", "The specified key does not exist.")
