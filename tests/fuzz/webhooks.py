"""Webhooks from anywhere: headers and body as they come, signed and not.

An input reads as a request does: header lines, an empty line, the body. ``x-vntana-signature: sign`` stands for the
right signature, ``x-timestamp: now`` for the present time, and ``x-cut: 3`` cuts the body into pieces of three bytes.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import time
from collections.abc import Iterator
from typing import Any, Final

from ipyassets.services.events import Event
from ipyassets.services.vntana import events as vntana
from ipyassets.webhooks.app import WebhookApp
from tests.fuzz.running import run

INSTRUMENTED: Final = ["ipyassets", "json"]
WORDS: Final = [
    b"x-timestamp: ", b"x-vntana-signature: ", b"content-length: ", b"x-cut: ", b"now", b"sign", b'"event":',
    b'"product":', b'"asset":',
    b'"uuid":', b'"client":', b'"productUuid":', b"renders.completed", b"turntable.failed",
    b"\\u0000", b"\\ud800", b"1e999", b"NaN", b"null", b"[[[[[[[[", b'{"a":', b"2024-01-01T00:00:00Z", b"[Etc/UTC]",
]  # fmt: skip
SECRET: Final = "the secret of the fuzzed webhook"
MOST: Final = 4096
STATUSES: Final = {200, 400, 401, 404, 405, 413}


def check(data: bytes) -> None:
    logging.getLogger("ipyassets.webhooks").disabled = True  # it would tell of every refusal
    head, _, body = data.partition(b"\n\n")
    headers, cut, genuine = _headers(head, body)
    _read(body, headers)
    for tolerance in (None, 300.0):
        events: list[Event] = []
        app = WebhookApp(SECRET, tolerance=tolerance, max_body=MOST)
        app.arrivals.subscribe(events.append)
        first = run(_asked(app, headers, body, cut))
        again = run(_asked(app, headers, body, cut))
        assert first in STATUSES
        assert again == first
        assert len(events) == (1 if first == 200 else 0), "an event for each that was taken, and one for its copies"
        assert first != 200 or genuine, "somebody who does not know the secret sent an event"
        assert (app.received, app.duplicates) == ((1, 1) if first == 200 else (0, 0))
        assert app.refused.total() == (0 if first == 200 else 2)
        assert len(body) <= MOST or first != 200


def _headers(head: bytes, body: bytes) -> tuple[list[tuple[bytes, bytes]], int, bool]:
    """The headers of an input, the pieces its body is cut to, and whether it is signed rightly."""
    headers, cut = [], 1 << 20
    for line in head.split(b"\n"):
        name, _, value = line.partition(b":")
        value = value.strip()
        if name.lower() == b"x-cut":
            cut = max(1, int(value)) if value.isdigit() and len(value) < 7 else 1 << 20
            continue
        if name.lower() == b"x-timestamp" and value == b"now":
            value = str(int(time.time())).encode()
        headers.append((name, value))
    stamps = [value for name, value in headers if name.lower() == b"x-timestamp"]
    stamp = stamps[0].decode("latin-1").strip().encode() if len(stamps) == 1 else b""
    right = hmac.new(SECRET.encode(), stamp + b"#" + body, hashlib.sha256).hexdigest().encode()
    signed = [
        (name, right if name.lower() == b"x-vntana-signature" and value == b"sign" else value)
        for name, value in headers
    ]
    given = [value for name, value in signed if name.lower() == b"x-vntana-signature"]
    return signed, cut, len(given) == 1 and given[0].strip().lower() == right


def _read(body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    for stamp in [None, *(value.decode("latin-1") for name, value in headers if name.lower() == b"x-timestamp")]:
        try:
            event = vntana.read(body, stamp)
        except vntana.Malformed:
            continue
        assert event.name == vntana.canonical(event.name)
        assert event.name
        assert event.part is None or event.asset
        assert event.at is None or event.at.utcoffset() is not None
        assert len(repr(event)) < 20 * len(body) + 1000


async def _asked(app: WebhookApp, headers: list[tuple[bytes, bytes]], body: bytes, cut: int) -> int:
    pieces = [body[at : at + cut] for at in range(0, len(body), cut)] or [b""]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
    await app(scope, receive, send)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    status: int = sent[0]["status"]
    return status


def seeds() -> Iterator[tuple[str, bytes]]:
    body = json.dumps(
        {"event": "renders.completed", "product": {"uuid": "1f"}, "client": {"uuid": "2a", "name": "Hall"}}
    ).encode()
    good = b"x-timestamp: now\nx-vntana-signature: sign\n\n"
    yield "good", good + body
    yield "in-pieces", b"x-cut: 7\n" + good + body
    yield "unsigned", b"x-timestamp: now\n\n" + body
    yield "forged", b"x-timestamp: now\nx-vntana-signature: " + b"0" * 64 + b"\n\n" + body
    yield "two-signatures", b"x-timestamp: now\nx-vntana-signature: sign\nx-vntana-signature: sign\n\n" + body
    for n, stamp in enumerate(
        [
            b"2024-01-01T00:00:00.123456789Z",
            b"2024-01-01T00:00:00+02:00[Europe/Berlin]",
            b"1700000000.5",
            b"1700000000000",
            b"99999999999999",
            b"0001-01-01T00:00:00+14:00",
            b"\xff\xfe",
            b"never",
        ]
    ):
        yield f"time-{n}", b"x-timestamp: " + stamp + b"\nx-vntana-signature: sign\n\n" + body
    for n, said in enumerate(
        [
            {"event": "asset.completed", "assetUuid": "1f"},
            {"event": "Turntables.Terminated", "productUuid": "1f"},
            {"event": "showroom.asset.added"},
            {"event": "renders.completed"},
            {"event": 1},
            {"event": "x", "product": ["uuid"]},
            [],
            "text",
            None,
        ]
    ):
        yield f"says-{n}", good + json.dumps(said).encode()
    yield "not-json", good + b"event=renders.completed"
    yield "half-a-pair", good + rb'{"event": "\ud800", "product": {"uuid": "\udc00"}}'
    yield "nested", good + b"[" * 2000
    yield "long-number", good + b'{"event": ' + b"9" * 4000 + b"}"
    yield "too-long", good + b'{"event": "x", "y": "' + b"y" * 4096 + b'"}'
    yield "told-too-long", b"content-length: 99999999999999999999999\n" + good + body
