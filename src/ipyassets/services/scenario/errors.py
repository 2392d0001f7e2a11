"""How Scenario's error bodies read. There is no single form; five are attested, and a proxy's HTML besides.

``reason`` (with ``trace_id``), ``message``, ``error`` (with ``code``) and ``detail`` are tried in that order.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from ipyassets.errors import PermissionDenied
from ipyassets.http.messages import Answer, Explanation
from ipyassets.services.wire import error_body, shortened

__all__ = ["explain", "explain_file"]

_QUOTA: Final = "QUOTA_EXCEEDED"
_XML_CODE: Final = re.compile(rb"<Code>([A-Za-z]{1,60})</Code>")
_ADVICE: Final = {
    401: "Check the API key and its secret; both belong to one project.",
    403: "Check the API key and its secret, and that they belong to the project asked for.",
}
_CEILING: Final = "This is a limit of the plan: waiting does not help, a larger plan does."


def explain(answer: Answer) -> Explanation:
    """What an error answer of the API says, whatever its form."""
    body = error_body(answer)
    inner = body.get("details")
    details = _details(body, inner)
    code = shortened(body.get("code"))
    ceiling = code == _QUOTA or (isinstance(inner, dict) and "actionLimit" in inner)
    return Explanation(
        code=code,
        message=_message(body),
        details=details,
        retry_after=_seconds(body.get("remainingSeconds")),
        retry=False if ceiling else None,
        error=PermissionDenied if answer.status == 402 else None,
        advice=_CEILING if ceiling else _ADVICE.get(answer.status),
    )


def explain_file(answer: Answer) -> Explanation:
    """What the file server says: XML with a code, or JSON. What may quote the signed URL is left out."""
    found = _XML_CODE.search(answer.content[:4096])
    message = _message(error_body(answer))
    if message is not None and ("/" in message or "=" in message):
        message = None
    advice = "The link may have expired; ask for a fresh one." if answer.status in (401, 403, 410) else None
    return Explanation(code=found[1].decode() if found else None, message=message, advice=advice)


def _message(body: Mapping[str, Any]) -> str | None:
    for name in ("reason", "message", "error", "detail"):
        value = body.get(name)
        if isinstance(value, dict):  # some gateways wrap it once more
            value = value.get("message") or value.get("reason")
        if isinstance(value, list):
            value = "; ".join(str(entry.get("msg", "")) for entry in value if isinstance(entry, dict))
        text = shortened(value)
        if text:
            return text
    return None


def _details(body: Mapping[str, Any], inner: object) -> tuple[Any, ...]:
    """What the service said besides; the trace id is what its support asks for."""
    found: list[Any] = []
    if isinstance(inner, dict):
        found.append(inner)
    elif isinstance(inner, list):
        found.extend(inner)
    trace = body.get("trace_id") or body.get("traceId")
    if trace:
        found.append({"trace_id": trace})
    return tuple(found)


def _seconds(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        seconds = float(value)
    except OverflowError:  # a whole number of some hundred digits
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
