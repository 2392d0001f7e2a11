"""How VNTANA says no, and how its answers are unwrapped.

Every answer is ``{"success", "errors", "response"}``. ``errors`` are codes; objects and maps are read too, and some
refusals come with status 200.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ipyassets.errors import (
    AssetServiceError,
    AuthenticationError,
    BadResponse,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    RateLimited,
    ServiceUnavailable,
)
from ipyassets.http.messages import Answer, Explanation
from ipyassets.services.wire import error_body, shortened

__all__ = ["codes", "confirm", "declined", "explain", "refusal", "response", "token_is_stale"]

_AUTH_PATH: Final = "/v1/auth/"
_LONGEST_CODE: Final = 100
_SMALL: Final = 1 << 16
"""Refusals hold no rows; a larger JSON body is an answer and need not be read twice."""

_STALE: Final = frozenset({"FORBIDDEN", "UNAUTHORIZED", "BAD_CREDENTIALS", "TOKEN_NOT_FOUND", "MISSING_TOKEN"})

_KINDS: Final[Mapping[str, type[AssetServiceError]]] = {
    "API_RATE_LIMIT_EXCEEDED": RateLimited,
    "BAD_CREDENTIALS": AuthenticationError,
    "UNAUTHORIZED": AuthenticationError,
    "TOKEN_NOT_FOUND": AuthenticationError,
    "MISSING_TOKEN": AuthenticationError,
    "FORBIDDEN": PermissionDenied,
    "UNAUTHORIZED_IP": PermissionDenied,
    "ACCESS_DENIED": PermissionDenied,
    "CLIENT_BLOCKED": PermissionDenied,
    "SUBSCRIPTION_NOT_FOUND": PermissionDenied,
    "SUBSCRIPTION_SUSPENDED": PermissionDenied,
    "INVALID_OPERATION_FOR_ROLE": PermissionDenied,
    "PRODUCT_IS_NOT_PUBLISHED": PermissionDenied,
    "NOT_FOUND": NotFound,
    "INTERNAL_SERVER_ERROR": ServiceUnavailable,
    "BAD_GATEWAY": ServiceUnavailable,
}
_ADVICE: Final[Mapping[str, str]] = {
    "BAD_CREDENTIALS": "Check the personal access token (generating a new key in VNTANA ends the old one), "
    "or the e-mail and password.",
    "FORBIDDEN": "The token is expired or of another scope, the role does not allow it, or this address is not on the "
    "organization's allow-list; ask its administrator.",
    "UNAUTHORIZED_IP": "This address is not on the organization's allow-list; ask its administrator.",
    "PRODUCT_IS_NOT_PUBLISHED": "Publish the product first (Live Internal or Live Public); drafts give no files.",
    "SUBSCRIPTION_SUSPENDED": "The organization's subscription is suspended.",
    "INVALID_OPERATION_FOR_ROLE": "This role may not do that; ask an administrator of the organization.",
    "PRODUCT_NOT_FOUND": "Check the product's uuid, and that this account can see its workspace.",
    "INVALID_PRODUCT": "It has no 3D file that was converted, or may not be rendered: upload one, or wait until its "
    "conversion is complete.",
    "PRODUCT_CHANGE_IS_UNAVAILABLE": "Other work on it is going on, such as its conversion or a render: try again when "
    "that is over.",
    "PRODUCT_NOT_UPDATABLE": "Other work on it is going on: try again when that is over.",
    "FORBIDDEN_OPERATION_WITH_FAILED_OR_SCANNING_MALWARE_STATUS": "Its file is being scanned for malware, or did not "
    "pass: try again later, or upload another.",
    "NOT_SUPPORTED_IMAGE_FORMAT": "Order PNG, JPG or WEBP.",
    "BLOB_NOT_FOUND": "It may have been replaced meanwhile; look at the files again.",
    "WEBHOOK_NOT_FOUND": "It may have been deleted; list the webhooks.",
    "THUMBNAIL_NOT_FOUND": "The poster may have been replaced; fetch the product again for its present blob id.",
}
_MISSING_SLUG: Final = ("MISSING_CLIENT_SLUG", "MISSING_ORGANIZATION_SLUG")


def explain(answer: Answer) -> Explanation:
    """What a refusal says, in common terms."""
    body = error_body(answer)
    entries = _entries(body.get("errors"))
    said = [code for code, _ in entries if code]
    words = [text for _, text in entries if text]
    if not said and not words:  # a gateway in front of the service
        words = [text for text in (shortened(body.get("message")), shortened(body.get("error"))) if text][:1]
    code = said[0] if said else None
    return Explanation(
        code=code,
        message=shortened("; ".join([*said[1:], *words])),
        details=tuple(_details(body.get("errors"))),
        error=_kind(answer, code),
        retry=_retry(answer, code),
        advice=_ADVICE.get(code or ""),
    )


def refusal(entry: Any, title: str, what: str, *, status: int | None = None) -> AssetServiceError:
    """The error for one thing that a good answer says was not done; ``entry``: what it says of it."""
    pairs = _entries(entry)
    code = next((code for code, _ in pairs if code), None)
    said = ": ".join(part for pair in pairs for part in pair if part)
    kind: type[AssetServiceError] = _KINDS.get(code or "", InvalidRequest)
    if code is not None and code not in _KINDS and code.endswith("_NOT_FOUND"):
        kind = NotFound
    text = f"{title} refused {what} ({said or 'without a reason'}). {_ADVICE.get(code or '', '')}"
    return kind(text.rstrip(), status=status, code=code, details=_details(entry))


def codes(answer: Answer) -> tuple[str, ...]:
    """The codes an answer names."""
    return tuple(code for code, _ in _entries(error_body(answer).get("errors")) if code)


def declined(answer: Answer) -> bool:
    """Whether an answer with a good status is a refusal all the same."""
    if not answer.content_type.endswith("json") or len(answer.content) > _SMALL:
        return False
    return error_body(answer).get("success") is False


def token_is_stale(answer: Answer) -> bool:
    """Whether a refusal may be due to the token: expired, revoked, or of another scope."""
    named = codes(answer)
    if named:
        return bool(_STALE.intersection(named))
    return answer.status in (401, 403)


def confirm(answer: Answer) -> None:
    """Raises `BadResponse` where what came is no answer of VNTANA's, such as the page of a proxy: nothing was done."""
    if answer.content:
        answer.json_object()


def response(answer: Answer) -> dict[str, Any]:
    """The ``response`` object of a good answer. Raises `BadResponse` if there is none."""
    body = answer.json_object()
    found = body.get("response")
    if body.get("success") is False or not isinstance(found, dict):
        raise BadResponse(
            f"{answer.asked} answered without the object 'response' it documents.",
            status=answer.status,
            code=next(iter(codes(answer)), None),
        )
    return found


def _retry(answer: Answer, code: str | None) -> bool | None:
    if code == "API_RATE_LIMIT_EXCEEDED":
        return True
    # Here 409 comes for what is plainly wrong as well, such as a webhook that does not exist.
    return False if answer.status == 409 and code not in (None, "CONFLICT") else None


def _kind(answer: Answer, code: str | None) -> type[AssetServiceError] | None:
    """The error to raise, where the status alone would mislead; None: by the status."""
    if code is not None and code in _KINDS and code != "FORBIDDEN":
        named = _KINDS[code]
        # A refused login is one of credentials, whatever else the code says of it.
        return AuthenticationError if named is PermissionDenied and _is_login(answer) else named
    if _is_login(answer) and answer.status in (401, 403):
        return AuthenticationError
    if code == "FORBIDDEN":
        return PermissionDenied if answer.status < 400 else None
    if code is not None and code.endswith("_NOT_FOUND"):
        return NotFound
    if code in _MISSING_SLUG:
        return NotFound
    return BadResponse if answer.status < 300 and code is None else None


def _is_login(answer: Answer) -> bool:
    return _AUTH_PATH in answer.asked


def _entries(errors: Any) -> list[tuple[str | None, str | None]]:
    """Pairs of code and words, from codes, from objects and from a map of field to code."""
    if isinstance(errors, str):
        return [_entry(errors)]
    if isinstance(errors, Mapping):
        if {"code", "message"} & errors.keys():
            return [(shortened(errors.get("code")), shortened(errors.get("message")))]
        pairs = ((shortened(key), _entry(value)) for key, value in errors.items() if isinstance(value, str))
        return [(code, f"{key}: {text}" if text else None) for key, (code, text) in pairs]
    if isinstance(errors, list):
        return [pair for entry in errors for pair in _entries(entry)]
    return []


def _entry(text: str) -> tuple[str | None, str | None]:
    is_code = 0 < len(text) <= _LONGEST_CODE and text.replace("_", "").isalnum() and text == text.upper()
    return (text, None) if is_code else (None, shortened(text))


def _details(errors: Any) -> list[Any]:
    if isinstance(errors, Mapping) and not {"code", "message"} & errors.keys():
        return [{"target": key, "code": value} for key, value in errors.items()]
    return errors if isinstance(errors, list) else [errors] if errors else []
