"""The call that has renders made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from PIL import ImageColor
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ipyassets.sandbox.rendering.orders import FORMATS, Stills, Turntable
from ipyassets.sandbox.vntana.access import Access
from ipyassets.sandbox.vntana.catalogue import Catalogue
from ipyassets.sandbox.vntana.errors import Refused, answer, guarded
from ipyassets.sandbox.vntana.renders import Renders
from ipyassets.sandbox.vntana.request import json_body
from ipyassets.sandbox.world import Settings, World

__all__ = ["RenderApi"]

T = TypeVar("T")

MOST_FRAME_RATE = 240


class RenderApi:
    """``POST /v1/products/renders``."""

    def __init__(self, world: World, access: Access, catalogue: Catalogue, renders: Renders) -> None:
        self._world = world
        self._access = access
        self._catalogue = catalogue
        self._renders = renders

    def routes(self) -> list[Route]:
        return [Route("/v1/products/renders", guarded(self.generate), methods=["POST"])]

    async def generate(self, request: Request) -> Response:
        _, organization = self._access.scoped(request)
        token = self._access.editor(request)
        body = await json_body(request)
        uuids = body.get("productUuids") or []
        if not isinstance(uuids, list) or not all(isinstance(uuid, str) for uuid in uuids):
            raise Refused(400, "BAD_REQUEST")
        if not uuids:
            raise Refused(422, "MISSING_PRODUCT_UUID")
        if body.get("organizationUuid") not in (None, "", organization.uuid):
            raise Refused(403, "FORBIDDEN")
        place = body.get("clientUuid") or None
        if place is not None:
            self._access.workspace(request, str(place))
        stills, turntable = _stills(body, self._world.settings), _turntable(body, self._world.settings)
        found: dict[str, int] = {}
        errors: dict[str, str] = {}
        for uuid in dict.fromkeys(uuids):
            index = self._catalogue.find(self._catalogue.products, uuid)
            workspace = None if index is None else self._catalogue.workspace(index)
            if index is None or workspace is None or not token.opens(workspace) or place not in (None, workspace.uuid):
                errors[uuid] = "PRODUCT_NOT_FOUND"
            elif self._catalogue.conversion(index) in {"PENDING", "CONVERTING"}:
                errors[uuid] = "PRODUCT_CHANGE_IS_UNAVAILABLE"
            elif self._catalogue.source(index) is None or self._catalogue.conversion(index) != "COMPLETED":
                errors[uuid] = "INVALID_PRODUCT"
            else:
                found[uuid] = index
        if not found:
            code = next(iter(errors.values()))
            raise Refused(404 if code == "PRODUCT_NOT_FOUND" else 422, code)

        def submit() -> None:
            for index in found.values():
                self._renders.submit(index, stills, turntable, body)

        # In a thread: it makes folders, and waits for the lock of the queue.
        await run_in_threadpool(submit)
        return answer({"uuids": list(found), "errors": errors or None})


def _stills(body: Mapping[str, Any], settings: Settings) -> Stills:
    format = _value(body, "imageFormat", str).upper()  # the reference's sample has it in lower case
    if format not in FORMATS:
        raise Refused(422, "NOT_SUPPORTED_IMAGE_FORMAT")
    return Stills(
        _side(body, "imageWidth", settings),
        _side(body, "imageHeight", settings),
        format,
        _colour(body, "imageBackground"),
        _value(body, "transparentBackground", bool, False),
        settings.render_stills,
    )


def _turntable(body: Mapping[str, Any], settings: Settings) -> Turntable | None:
    given = body.get("turntable")
    if given is None and not settings.render_requires_turntable:
        return None
    if not isinstance(given, dict):
        raise Refused(400, "BAD_REQUEST")
    frames, rate = _value(given, "imageCount", int), _value(given, "frameRate", int)
    if frames < 1 or not 1 <= rate <= MOST_FRAME_RATE:
        raise Refused(400, "BAD_REQUEST")
    if frames > settings.render_max_frames:
        raise Refused(422, "UNPROCESSABLE_ENTITY")
    return Turntable(
        frames,
        rate,
        _side(given, "width", settings),
        _side(given, "height", settings),
        _value(given, "includeGif", bool),
        _colour(given, "background"),
        _value(given, "transparentBackground", bool, False),
    )


def _value(body: Mapping[str, Any], name: str, kind: type[T], default: T | None = None) -> T:
    value = body.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise Refused(400, "BAD_REQUEST")
    return value


def _side(body: Mapping[str, Any], name: str, settings: Settings) -> int:
    side = _value(body, name, int)
    if side < 1:
        raise Refused(400, "BAD_REQUEST")
    if side > settings.render_max_side:
        raise Refused(422, "UNPROCESSABLE_ENTITY")
    return side


def _colour(body: Mapping[str, Any], name: str) -> str | None:
    text = _value(body, name, str, "").strip()
    if not text:
        return None
    try:
        ImageColor.getrgb(text)
    except ValueError:
        raise Refused(400, "BAD_REQUEST") from None
    return text
