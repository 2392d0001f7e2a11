"""What VNTANA tells by itself: whether a webhook is genuine, and what it says.

The signature is made over the header's timestamp as sent, ``#``, and the raw body, so bytes are checked before
anything is parsed. Catalogue and payloads spell some events differently; here each has one name, the payloads'.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from ipyassets.errors import BadResponse, PermissionDenied
from ipyassets.http.messages import parsed
from ipyassets.http.secret import Secret
from ipyassets.services.events import Event
from ipyassets.services.rendering import Part, Stage
from ipyassets.services.wire import stripped, utc

__all__ = ["SIGNATURE", "TIMESTAMP", "TOLERANCE", "Malformed", "Refused", "canonical", "moment", "read", "verify"]

TIMESTAMP: Final = "X-TIMESTAMP"
SIGNATURE: Final = "X-VNTANA-SIGNATURE"
"""The headers that come with every webhook."""

TOLERANCE: Final = 300.0
"""Seconds a timestamp may be off, either way. The service documents no number."""

_ALIASES: Final[Mapping[str, str]] = {
    "asset": "product",
    "workspace": "client",
    "render": "renders",
    "turntables": "turntable",
    "showroom.asset": "showroom.product",
}
"""How the catalogue and older texts begin the names of events, and how payloads do."""
_PARTS: Final[Mapping[str, Part]] = {"renders": "stills", "turntable": "turntable"}
_STAGES: Final[Mapping[str, Stage]] = {
    "pending": "queued",
    "processing": "running",
    "completed": "completed",
    "failed": "failed",
    "terminated": "failed",
}
_SECONDS: Final = re.compile(r"\d{9,11}(\.\d+)?")
_MILLISECONDS: Final = re.compile(r"\d{12,14}")
_ZONE_NAME: Final = re.compile(r"(\[[^\]]*\]|\s*(UTC|GMT))$", re.IGNORECASE)


class Refused(PermissionDenied):
    """A webhook that is not proven to come from the service, or came at the wrong time.

    ``code``: ``BAD_SIGNATURE``, ``BAD_TIMESTAMP`` (it is none) or ``STALE_TIMESTAMP`` (too old, or of the future).
    """


class Malformed(BadResponse):
    """A webhook that says nothing that can be understood."""


def verify(
    secret: str | Secret,
    timestamp: str,
    body: bytes,
    signature: str,
    *,
    tolerance: float | None = TOLERANCE,
    now: float | None = None,
) -> datetime | None:
    """Check a webhook by its two headers and its raw body; gives when it was sent, in UTC (None: not readable).

    ``tolerance``: seconds the timestamp may be off, either way; None lets any pass. ``now``: seconds since the epoch.
    Takes as long for a good signature as for a bad one. Raises `Refused`.
    """
    key = (secret.reveal() if isinstance(secret, Secret) else secret).encode()
    expected = hmac.new(key, _bytes(timestamp) + b"#" + body, hashlib.sha256).hexdigest()
    given = signature.strip().lower()
    if not key or not hmac.compare_digest(expected.encode(), _bytes(given)):
        raise Refused(
            "A webhook came whose signature is not that of this secret; it was not taken. If it was meant, check the "
            "secret: it may have been rotated.",
            code="BAD_SIGNATURE",
        )
    sent = moment(timestamp)
    if tolerance is None:
        return sent
    if sent is None:
        raise Refused("A webhook came with a timestamp that is none; it was not taken.", code="BAD_TIMESTAMP")
    off = (time.time() if now is None else now) - sent.timestamp()
    if not abs(off) <= tolerance:
        raise Refused(
            f"A webhook came with a timestamp {abs(off):.0f} s in the {'past' if off > 0 else 'future'}, more than the "
            f"{tolerance:g} s allowed; it was not taken. Check the clock of this machine.",
            code="STALE_TIMESTAMP",
        )
    return sent


def moment(timestamp: str) -> datetime | None:
    """The text of a timestamp in UTC; None if it is none.

    ISO 8601 with any decimals and zone (none: UTC), or seconds or milliseconds since the epoch.
    """
    text = timestamp.strip()
    if _MILLISECONDS.fullmatch(text):
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    if _SECONDS.fullmatch(text):
        return datetime.fromtimestamp(float(text), UTC)
    return utc(_ZONE_NAME.sub("", text))


def read(body: bytes, timestamp: str | None = None) -> Event:
    """What a webhook says. Check it with `verify` first.

    Events nobody knows are kept as they are. Raises `Malformed` for what is no event.
    """
    try:
        payload = parsed(body)
    except ValueError:
        raise Malformed("A webhook came whose body is not JSON.") from None
    if not isinstance(payload, dict):
        raise Malformed(f"A webhook came with a JSON {type(payload).__name__} where an object was expected.")
    name = canonical(stripped(payload.get("event")))
    if not name:
        raise Malformed("A webhook came that does not name its event.")
    family, _, word = name.partition(".")
    part = _PARTS.get(family)
    asset = _uuid(payload, "product", "asset")
    if part is not None and asset is None:
        raise Malformed(f"A webhook came for {name:.80} that does not name the product.")
    return Event(
        service="vntana",
        name=name,
        asset=asset,
        workspace=_uuid(payload, "client", "workspace"),
        at=moment(timestamp) if timestamp else None,
        part=part,
        stage=_STAGES.get(word) if part is not None else None,
        raw=MappingProxyType(payload),
    )


def canonical(name: str) -> str:
    """An event's name in one spelling, the payloads', in lower case: ``asset.completed`` is ``product.completed``.

    Patterns such as ``asset.*`` work as well.
    """
    text = name.strip().lower()
    for theirs, ours in _ALIASES.items():
        if text == theirs or text.startswith(f"{theirs}."):
            return ours + text[len(theirs) :]
    return text


def _uuid(payload: Mapping[str, Any], *names: str) -> str | None:
    """The uuid of what the payload is about: in an object of one of these names, or at its top."""
    for name in names:
        about = payload.get(name)
        found = stripped(about.get("uuid")) if isinstance(about, Mapping) else ""
        found = found or stripped(payload.get(f"{name}Uuid"))
        if found:
            return found
    return None


def _bytes(text: str) -> bytes:
    # Servers read headers as Latin-1 or UTF-8, and some keep what they cannot read as surrogates.
    return text.encode("utf-8", "surrogatepass")
