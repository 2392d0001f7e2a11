"""The CDN: originals and transformed files for who has a signed URL, small JPEGs for everyone."""

from __future__ import annotations

import io
from functools import lru_cache
from urllib.parse import parse_qsl

from PIL import Image
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ipyassets.sandbox import library
from ipyassets.sandbox.scenario.catalogue import Asset, Project
from ipyassets.sandbox.scenario.errors import ApiError, access_denied, bad_request
from ipyassets.sandbox.scenario.formats import CDN_FORMATS, MESHES, RASTERS, extension, plain, possible
from ipyassets.sandbox.scenario.meshes import converted
from ipyassets.sandbox.scenario.seeds import Picture, Seed
from ipyassets.sandbox.scenario.sending import send
from ipyassets.sandbox.scenario.signing import SIGNED, Signer
from ipyassets.sandbox.scenario.transforms import Transform
from ipyassets.sandbox.world import World

__all__ = ["Cdn"]

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
            Route("/uploads/{id}", self.uploaded),
            Route("/thumbnails/{id}", self.thumbnail),
            Route("/{rest:path}", access_denied),
        ]

    def thumbnail_routes(self) -> list[BaseRoute]:
        return [Route("/{id}", self.thumbnail)]

    def _find(self, id: str) -> Asset | None:
        return next((asset for project in self._projects if (asset := project.find(id)) is not None), None)

    def _signed(self, request: Request) -> tuple[Asset, str] | None:
        """The asset a good URL is for, and what was signed of it."""
        signed = self._signer.signed(request)
        asset = self._find(request.path_params["id"]) if signed is not None else None
        return None if asset is None or signed is None else (asset, signed)

    def original(self, request: Request) -> Response:
        found = self._signed(request)
        if found is None:
            return access_denied(request)
        return send(request, found[0].seed.load(), found[0].seed.mime)

    def uploaded(self, request: Request) -> Response:
        """The file as it was before it was re-encoded, for assets that kept it."""
        found = self._signed(request)
        if found is None or found[0].seed.upload is None:
            return access_denied(request)
        load, mime = found[0].seed.upload
        return send(request, load(), mime)

    def transformed(self, request: Request) -> Response:
        found = self._signed(request)
        if found is None:
            return access_denied(request)
        asset, signed = found
        agreed = parse_qsl(signed.partition("?")[2])
        added = [pair for pair in request.query_params.multi_items() if pair[0] not in SIGNED and pair not in agreed]
        if added and self._settings.scenario_strict_transforms:
            return access_denied(request)
        try:
            format = dict(added).get("format", "origin")
            if plain(format.lower()) in RASTERS and format.lower() not in CDN_FORMATS:
                raise bad_request("Invalid target format")  # only POST /assets/{id}/download gives these
            query = dict(agreed) | dict(added)
            content, mime = _transform(asset.seed, query, request.headers.get("accept", ""))
        except ApiError as error:
            return JSONResponse(error.body, status_code=error.status)
        return send(request, content, mime, {"Cache-Control": "private, max-age=86400"})

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


def _transform(seed: Seed, query: dict[str, str], accept: str) -> tuple[bytes, str]:
    if seed.mime in RASTERS.values():
        transform = Transform.read(query)
        if transform.idle:
            return seed.load(), seed.mime
        return transform.resolved(accept, seed.mime).apply(seed.load())
    format = query.get("format", "origin").lower()
    if format in {"origin", "auto", extension(seed.mime)}:
        return seed.load(), seed.mime
    mime = possible(seed.mime, format)
    if mime is None or format not in MESHES:
        raise bad_request("Invalid target format")
    return converted(seed.load, extension(seed.mime), format, seed.beside), mime
