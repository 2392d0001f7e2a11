"""Error answers. The service has no single form; these are the attested ones.

400 and 404 ``{"reason", "trace_id"}``, 401 and 403 ``{"message"}``, 429 ``{"reason", "remainingSeconds"}``.
"""

from __future__ import annotations

import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

__all__ = ["ApiError", "access_denied", "bad_request", "denied", "not_found", "rate_limit"]


_DENIED = (
    '<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'
)


class ApiError(Exception):
    """An answer that is an error. Raised anywhere below an endpoint."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(str(body))
        self.status = status
        self.body = body


def bad_request(reason: str) -> ApiError:
    return ApiError(400, {"reason": reason, "trace_id": uuid.uuid4().hex})


def not_found(what: str) -> ApiError:
    return ApiError(404, {"reason": f"{what} not found", "trace_id": uuid.uuid4().hex})


def denied(status: int, message: str) -> ApiError:
    return ApiError(status, {"message": message})


def access_denied(request: Request) -> Response:
    """What the CDN says to a bad URL, whatever is wrong with it."""
    return Response(_DENIED, status_code=403, media_type="application/xml")


def rate_limit(seconds: int = 1, *, ceiling: int | None = None) -> dict[str, Any]:
    """Status, headers and body of a 429, for a fault: ``faults.add(path="/scenario/", **rate_limit(2))``.

    A cooldown that is over in ``seconds``; with ``ceiling``, a plan's limit that no waiting lifts.
    """
    if ceiling is not None:
        details = {"actionName": "assets-search", "actionLimit": ceiling}
        return {"status": 429, "body": {"reason": "Plan limit reached", "details": details}}
    return {
        "status": 429,
        "headers": {"Retry-After": str(seconds)},
        "body": {"reason": "Too many requests", "remainingSeconds": seconds},
    }
