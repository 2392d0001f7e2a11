"""The CDN: originals and transformed files for who has a signed URL, small JPEGs for everyone."""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ipyassets.sandbox import library
from ipyassets.sandbox.scenario.catalogue import Asset, Project
from ipyassets.sandbox.scenario.errors import ApiError, bad_request
from ipyassets.sandbox.scenario.seeds import Picture
from ipyassets.sandbox.scenario.signing import SIGNED, Signer
from ipyassets.sandbox.scenario.transforms import Transform
from ipyassets.sandbox.world import World

__all__ = ["Cdn"]

_DENIED = (
    '<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'
)
_THUMBNAIL_SIDE = 320


class Cdn:
    """Serves the files of all projects of one sandbox. Endpoints are plain functions: they run in worker threads."""

    def __init__(self, world: World, projects: tuple[Project, ...], signer: Signer) -> None:
        self._settings = world.settings
        self._projects = projects
        self._signer = signer

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/assets/{id}", self.original),
            Route("/assets-transform/{id}", self.transformed),
            Route("/thumbnails/{id}", self.thumbnail),
            Route("/{rest:path}", _denied),
        ]

    def thumbnail_routes(self) -> list[BaseRoute]:
        return [Route("/{id}", self.thumbnail)]

    def _find(self, id: str) -> Asset | None:
        return next((asset for project in self._projects if (asset := project.find(id)) is not None), None)

    def original(self, request: Request) -> Response:
        asset = self._find(request.path_params["id"]) if self._signer.valid(request) else None
        if asset is None:
            return _denied(request)
        return Response(asset.seed.load(), media_type=asset.seed.mime)

    def transformed(self, request: Request) -> Response:
        asset = self._find(request.path_params["id"]) if self._signer.valid(request) else None
        query = {name: value for name, value in request.query_params.items() if name not in SIGNED}
        if asset is None or (query and self._settings.scenario_strict_transforms):
            return _denied(request)
        try:
            content, mime = self._transform(asset, query, request.headers.get("accept", ""))
        except ApiError as error:
            return JSONResponse(error.body, status_code=error.status)
        return Response(content, media_type=mime, headers={"Cache-Control": "private, max-age=86400"})

    @staticmethod
    def _transform(asset: Asset, query: dict[str, str], accept: str) -> tuple[bytes, str]:
        seed = asset.seed
        if seed.kind != "image":
            # Nothing is converted here: files of other kinds are served in the format they have.
            stored = str(seed.properties.get("format", seed.mime.partition("/")[2]))
            if query.get("format", "origin") not in {"origin", "auto", stored}:
                raise bad_request("Invalid target format")
            return seed.load(), seed.mime
        transform = Transform.read(query)
        if transform.idle:
            return seed.load(), seed.mime
        return transform.resolved(accept, seed.mime).apply(seed.load())

    def thumbnail(self, request: Request) -> Response:
        asset = self._find(request.path_params["id"])
        if asset is None or asset.seed.picture is None:
            return JSONResponse({"message": "Not Found"}, status_code=404)
        headers = {"Cache-Control": "public, max-age=86400"}
        return Response(_thumbnail(asset.seed.picture), media_type="image/jpeg", headers=headers)


@lru_cache(maxsize=512)
def _thumbnail(picture: Picture) -> bytes:
    with Image.open(io.BytesIO(library.picture(*picture))) as stored:
        image = stored.convert("RGB")
    image.thumbnail((_THUMBNAIL_SIDE, _THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80, optimize=True)
    return out.getvalue()


def _denied(request: Request) -> Response:
    return Response(_DENIED, status_code=403, media_type="application/xml")
