"""The routes of the emulated platform."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ipyassets.sandbox.itwin.catalogue import MAIN, Catalogue
from ipyassets.sandbox.itwin.errors import PlatformError, to_response
from ipyassets.sandbox.itwin.imodels import IModelsApi
from ipyassets.sandbox.itwin.itwins import ITwinsApi
from ipyassets.sandbox.itwin.oauth import Identity
from ipyassets.sandbox.world import World

__all__ = ["ITwinApi"]

_Endpoint = Callable[[Request], Awaitable[Response]]


class ITwinApi:
    """iTwins, iModels and the token endpoint of one sandbox, below one prefix.

    Its account may look at every iTwin it is a member of, and upload thumbnails in all of those but one.
    """

    def __init__(self, world: World) -> None:
        self._identity = Identity(world)
        self._catalogue = Catalogue(world.settings.assets)
        self._itwins = ITwinsApi(self._catalogue)
        self._imodels = IModelsApi(self._catalogue)
        self.token = self._identity.token
        """A bearer token that does not expire."""
        self.client_id = self._identity.client_id
        self.client_secret = self._identity.client_secret
        self.itwin_id = MAIN.id
        """The iTwin with the most iModels."""

    def routes(self) -> list[BaseRoute]:
        """Routes relative to the prefix. Paths of collections work with and without a slash at the end."""
        routes: list[BaseRoute] = [
            Route("/connect/token", self._identity.token_endpoint, methods=["POST"]),
            Route("/.well-known/openid-configuration", self._identity.discovery),
        ]
        for path, method, endpoint in (*self._itwins.endpoints(), *self._imodels.endpoints()):
            guarded = self._guard(endpoint)
            routes += [Route(end, guarded, methods=[method]) for end in (path, f"{path}/")]
        routes.append(Route("/{rest:path}", _nothing, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]))
        return routes

    def _guard(self, endpoint: Callable[[Request], Awaitable[Any]]) -> _Endpoint:
        async def guarded(request: Request) -> Response:
            try:
                self._identity.check(request)
                answer = await endpoint(request)
            except PlatformError as error:
                return await to_response(request, error)
            return answer if isinstance(answer, Response) else JSONResponse(answer)

        return guarded


async def _nothing(request: Request) -> Response:
    # What the gateway in front of the services answers: not their error body, and clients have to bear it.
    return JSONResponse({"statusCode": 404, "message": "Resource not found"}, status_code=404)
