"""The platform's error body, and the errors of it that the emulator answers.

``{"error": {"code", "message", "target"?, "details"?: [{"code", "message", "target"?, "innerError"?}]}}``
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

__all__ = ["PlatformError", "detail", "invalid", "missing_parameter", "not_found", "rate_limit", "to_response"]


class PlatformError(Exception):
    """An answer that is an error. Raised anywhere below an endpoint."""

    def __init__(self, status: int, code: str, message: str, *, details: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = tuple(details)

    @property
    def body(self) -> dict[str, Any]:
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.details:
            error["details"] = list(self.details)
        return {"error": error}


def detail(code: str, message: str, target: str | None = None, *, inner: str | None = None) -> dict[str, Any]:
    """One entry of ``details``."""
    entry: dict[str, Any] = {"code": code, "message": message}
    if target is not None:
        entry["target"] = target
    if inner is not None:
        entry["innerError"] = {"code": inner}
    return entry


def invalid(target: str, value: object, allowed: str) -> dict[str, Any]:
    """The ``InvalidValue`` detail: names the value and what would have been right."""
    return detail("InvalidValue", f"'{value}' is not a valid value for '{target}'. Valid values: {allowed}.", target)


def missing_parameter(target: str) -> dict[str, Any]:
    return detail("MissingRequiredParameter", f"Required query parameter '{target}' is missing.", target)


_NOUNS = {
    "iModelNotFound": "iModel",
    "iTwinNotFound": "iTwin",
    "NamedVersionNotFound": "Named Version",
    "ChangesetNotFound": "Changeset",
    "UserNotFound": "User",
}


def not_found(code: str) -> PlatformError:
    """404, also for what the caller may not see."""
    return PlatformError(404, code, f"Requested {_NOUNS[code]} is not available.")


def rate_limit(seconds: int = 1, *, tier: str = "Community") -> dict[str, Any]:
    """Status, headers and body of the platform's 429, for a fault: ``faults.add(path="/itwin/", **rate_limit(2))``."""
    return {
        "status": 429,
        "headers": {
            "Retry-After": str(seconds),
            "iTwinPlatform-RateLimit-RemainingCalls": "0",
            "iTwinPlatform-RateLimit-Retry-After-Seconds": str(seconds),
            "iTwinPlatform-Tier": tier,
        },
        "body": PlatformError(
            429, "RateLimitExceeded", "The client sent more requests than allowed by this service for the tier."
        ).body,
    }


async def to_response(request: Request, error: Exception) -> Response:
    assert isinstance(error, PlatformError)
    return JSONResponse(error.body, status_code=error.status)
