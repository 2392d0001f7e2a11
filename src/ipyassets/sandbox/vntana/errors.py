"""The envelope every JSON answer comes in, and refusals."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Match, Route

__all__ = ["Endpoint", "Refused", "answer", "grid", "guarded", "nothing_else"]

Endpoint = Callable[[Request], Awaitable[Response]]


class Refused(Exception):
    """An answer that is an error: HTTP status and VNTANA's own code."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


def answer(response: Any, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"success": True, "errors": [], "response": response}, headers=headers)


def grid(rows: list[dict[str, Any]], total: int | None = None) -> JSONResponse:
    """A list: ``totalCount`` counts all there are, not those in ``rows``."""
    return answer({"totalCount": len(rows) if total is None else total, "grid": rows})


def guarded(endpoint: Endpoint) -> Endpoint:
    """``endpoint``, with its refusals turned into answers."""

    async def guard(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Refused as error:
            body = {"success": False, "errors": [error.code], "response": None}
            return JSONResponse(body, status_code=error.status)

    return guard


def nothing_else(routes: list[Route]) -> list[BaseRoute]:
    """``routes`` and, behind them, the answer for every other path and method."""

    async def refuse(request: Request) -> Response:
        if any(route.matches(request.scope)[0] is Match.PARTIAL for route in routes):
            raise Refused(405, "METHOD_NOT_ALLOWED")
        raise Refused(404, "HANDLER_NOT_FOUND")

    methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    return [*routes, Route("/{rest:path}", guarded(refuse), methods=methods)]
