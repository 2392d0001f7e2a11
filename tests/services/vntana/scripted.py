"""An Admin API of a few lines for what the sandbox never says: a test writes each answer itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeAlias

from ipyassets.http.secret import Secret
from ipyassets.services.base import Record
from ipyassets.services.vntana.client import VntanaService
from ipyassets.services.vntana.login import TokenLogin
from tests.http.conftest import Request, Server, answer
from tests.services.calls import QUICK

ORGANIZATION = "0c5f0d5e-0000-4000-8000-000000000001"
WORKSPACE = "0c5f0d5e-0000-4000-8000-000000000002"

Route: TypeAlias = Callable[[Request], Any]
"""Gives bytes (a whole answer), None (the connection is closed without one), or what becomes ``response``."""


class Api:
    """Logs anybody in as ``role``; ``routes`` answer the rest, by method and path (the longest that fits)."""

    def __init__(self, server: Server, role: str = "ORGANIZATION_OWNER") -> None:
        self.server = server
        self.role = role
        self.routes: dict[str, Route] = {}
        self.logins = 0
        server.handler = self._handle
        self.service = VntanaService(TokenLogin(Secret("key")), base_url=server.url)
        self.service._http.policy = QUICK

    def _handle(self, request: Request) -> bytes | None:
        path = request.path
        if path == "/v1/auth/login/token":
            self.logins += 1
            return good({"email": "a@b.example"}, X_AUTH_TOKEN=f"login-{self.logins}")
        if path == "/v1/auth/refresh-token":
            return good({"email": "a@b.example"}, X_AUTH_TOKEN=f"scoped-{self.logins}-{len(self.server.requests)}")
        if path == "/v1/organizations":
            return good({"grid": [{"uuid": ORGANIZATION, "slug": "org", "name": "Org", "role": self.role}]})
        if path == "/v1/clients/client-organizations":
            return good({"grid": [{"uuid": WORKSPACE, "slug": "shop", "name": "Shop"}]})
        key = f"{request.method} {path}"
        fitting = sorted((route for route in self.routes if key.startswith(route)), key=len)
        given = self.routes[fitting[-1]](request) if fitting else refusal(404, "HANDLER_NOT_FOUND")
        return given if isinstance(given, bytes) or given is None else good(given)

    def asked(self, route: str) -> list[Request]:
        return [request for request in self.server.requests if f"{request.method} {request.path}".startswith(route)]

    def bodies(self, route: str) -> list[Any]:
        return [json.loads(request.body) for request in self.asked(route)]


def good(response: Any, **headers: str) -> bytes:
    body = json.dumps({"success": True, "errors": [], "response": response}).encode()
    return answer(body, content_type="application/json", **headers)


def refusal(status: int, *codes: str) -> bytes:
    body = json.dumps({"success": False, "errors": codes, "response": None}).encode()
    return answer(body, status, content_type="application/json")


def a_record(number: int, workspace: str | None = WORKSPACE, **row: Any) -> Record:
    id = f"b0000000-0000-4000-8000-{number:012}"
    raw = {"uuid": id, **({"clientUuid": workspace} if workspace else {}), **row}
    return Record("vntana", id, f"Chair {number}", raw=raw)
