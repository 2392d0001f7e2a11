"""How the error bodies of the iTwin Platform and of its identity server read.

``{"error": {"code", "message", "target", "details"}}`` is the documented form; the same without the wrapper, the
OAuth form ``{"error": "invalid_client"}``, no body and a gateway's HTML occur as well.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from ipyassets.errors import AuthenticationError
from ipyassets.http.messages import Answer, Explanation
from ipyassets.services.wire import error_body, shortened

__all__ = ["explain"]

_WAIT_HEADER: Final = "itwinplatform-ratelimit-retry-after-seconds"
_ADVICE: Final = {
    401: "The access token is missing, expired or not for this platform; get a new one, or give client_id and "
    "client_secret, which renew it by themselves.",
    403: "Ask for a role with the permission imodels_webview. A service client sees nothing until its address "
    "(<client id>@apps.imsoidc.bentley.com) is added to the iTwin.",
    404: "Check the id, and that these credentials can see it. A service client sees nothing until its address "
    "(<client id>@apps.imsoidc.bentley.com) is added to the iTwin.",
}


def explain(answer: Answer) -> Explanation:
    """What an error answer says, whatever its form."""
    body = error_body(answer)
    wait = _seconds(answer.headers.get(_WAIT_HEADER))
    error = body.get("error", body)
    if isinstance(error, str):
        return _refused_login(answer, body, wait)
    if not isinstance(error, dict):
        return Explanation(retry_after=wait, advice=_ADVICE.get(answer.status))
    details = tuple(entry for entry in _list(error.get("details")) if isinstance(entry, dict))
    if error.get("target") and not any(entry.get("target") == error["target"] for entry in details):
        details = ({"code": error.get("code"), "target": error["target"]}, *details)
    return Explanation(
        code=shortened(error.get("code")),
        message=_message(error.get("message"), details),
        details=details,
        retry_after=wait,
        advice=_ADVICE.get(answer.status),
    )


def _refused_login(answer: Answer, body: Mapping[str, Any], wait: float | None) -> Explanation:
    if answer.status not in (400, 401, 403):
        return Explanation(shortened(body.get("error")), shortened(body.get("error_description")), retry_after=wait)
    return Explanation(
        code=shortened(body.get("error")),
        message=shortened(body.get("error_description")),
        retry_after=wait,
        error=AuthenticationError,
        advice="Check client_id, client_secret and token_url; the client must be of the Service type.",
    )


def _message(message: object, details: tuple[Mapping[str, Any], ...]) -> str | None:
    """The message, and after it what each detail says of its target."""
    said = [shortened(message)]
    for entry in details:
        words = shortened(entry.get("message")) or shortened(entry.get("code"))
        target = entry.get("target")
        said.append(f"{target}: {words}" if target and words else words)
    return shortened("; ".join(part for part in said if part))


def _seconds(value: str | None) -> float | None:
    try:
        seconds = float(value or "")
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
