"""Tokens: the client-credentials grant of the identity server, and the check of what it issued.

A token is a JWT signed with a key that lives as long as the sandbox; nothing is stored, expiry is judged by the
sandbox's clock.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from typing import Any
from urllib.parse import parse_qs, unquote_plus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ipyassets.sandbox.itwin.errors import PlatformError
from ipyassets.sandbox.world import World

__all__ = ["SCOPE", "Identity"]

SCOPE = "itwin-platform"
_NEVER = 2**40


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Identity:
    """The identity server of one sandbox and its single service client."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._key = secrets.token_bytes(32)
        self.client_id = f"service-{secrets.token_hex(12)}"
        self.client_secret = secrets.token_urlsafe(32)
        self.token = self._issue(_NEVER)

    def _issue(self, expires: float) -> str:
        claims: dict[str, Any] = {
            "iss": "ims",
            "client_id": self.client_id,
            "preferred_username": f"{self.client_id}@apps.imsoidc.bentley.com",
            "scope": [SCOPE],
            "nbf": int(self._world.clock()),
            "exp": int(expires),
            "jti": secrets.token_hex(8),
        }
        head = _encode(b'{"alg":"HS256","typ":"JWT"}') + "." + _encode(json.dumps(claims).encode())
        return f"{head}.{self._sign(head)}"

    def _sign(self, head: str) -> str:
        return _encode(hmac.new(self._key, head.encode(), hashlib.sha256).digest())

    def _valid(self, token: str) -> bool:
        head, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._sign(head).encode()):
            return False
        claims = json.loads(_decode(head.partition(".")[2]))
        return bool(claims["exp"] > self._world.clock())

    def check(self, request: Request) -> None:
        """Raise 401 unless the request carries a bearer token of ours that has not expired."""
        header = request.headers.get("authorization")
        if header is None:
            raise PlatformError(401, "HeaderNotFound", "Header Authorization was not found in the request.")
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not self._valid(token.strip()):
            raise PlatformError(401, "InvalidToken", "The access_token is invalid, expired or not for this service.")

    async def token_endpoint(self, request: Request) -> Response:
        """``POST connect/token``: client credentials in the form or as HTTP Basic of the percent-encoded values."""
        form = {k: v[-1] for k, v in parse_qs((await request.body()).decode("utf-8", "replace")).items()}
        grant = form.get("grant_type")
        if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded") or not grant:
            return _refuse(400, "invalid_request")
        basic = request.headers.get("authorization", "").lower().startswith("basic ")
        client = _basic(request) if basic else (form.get("client_id", ""), form.get("client_secret", ""))
        # Both halves are compared at once, so that the time taken does not tell which one is wrong.
        if not hmac.compare_digest("\n".join(client).encode(), f"{self.client_id}\n{self.client_secret}".encode()):
            return _refuse(401 if basic else 400, "invalid_client")
        if grant != "client_credentials":
            return _refuse(400, "unsupported_grant_type")
        if form.get("scope", SCOPE).split() != [SCOPE]:
            return _refuse(400, "invalid_scope")
        lifetime = self._world.settings.itwin_token_lifetime
        body = {
            "access_token": self._issue(self._world.clock() + lifetime),
            "expires_in": int(lifetime),
            "token_type": "Bearer",
            "scope": SCOPE,
        }
        return JSONResponse(body, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})

    async def discovery(self, request: Request) -> Response:
        """``GET .well-known/openid-configuration``, as far as there is something to discover."""
        base = str(request.url.replace(query="", path=request.scope.get("root_path", ""))).rstrip("/")
        return JSONResponse(
            {
                "issuer": base,
                "token_endpoint": f"{base}/connect/token",
                "grant_types_supported": ["client_credentials"],
                "scopes_supported": [SCOPE],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            }
        )


def _basic(request: Request) -> tuple[str, str]:
    try:
        text = base64.b64decode(request.headers["authorization"][6:], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    name, _, secret = text.partition(":")
    return unquote_plus(name), unquote_plus(secret)


def _refuse(status: int, error: str) -> Response:
    headers = {"WWW-Authenticate": "Basic"} if status == 401 else {}
    return JSONResponse({"error": error}, status_code=status, headers=headers)
