"""Senders of webhooks, honest and otherwise."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

SECRET = "a secret of the tests"
PRODUCT = "11111111-1111-1111-1111-111111111111"


def payload(event: str = "renders.completed", product: str = PRODUCT, **more: Any) -> bytes:
    return json.dumps({"event": event, "product": {"uuid": product, "name": "Chair"}, **more}).encode()


def stamp(seconds_ago: float = 0) -> str:
    moment = datetime.fromtimestamp(datetime.now(UTC).timestamp() - seconds_ago, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def signature(secret: str, timestamp: str, body: bytes) -> str:
    return hmac.new(secret.encode(), timestamp.encode() + b"#" + body, hashlib.sha256).hexdigest()


def signed(body: bytes, *, secret: str = SECRET, timestamp: str | None = None) -> dict[str, str]:
    """The two headers that go with ``body``."""
    timestamp = stamp() if timestamp is None else timestamp
    return {"X-TIMESTAMP": timestamp, "X-VNTANA-SIGNATURE": signature(secret, timestamp, body)}


def post(url: str, body: bytes, headers: dict[str, str] | None = None, method: str = "POST") -> tuple[int, bytes]:
    """Status and body of the answer."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    try:
        connection.request(method, parts.path, body, signed(body) if headers is None else headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
