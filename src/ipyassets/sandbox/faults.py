"""Things that go wrong between a client and a service, on demand, and a record of what clients sent.

The layer sits below the services, on the bare connection, so that a reset is a reset and a cut body a cut body.
It needs no more of the server than the transport of each connection, which `server.Connection` puts into the scope.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import re
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

__all__ = ["Fault", "FaultLayer", "Faults", "Seen"]

Kind: TypeAlias = Literal["status", "html", "reset", "cut", "stall", "wrong_content", "slow", "redirect"]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]

TRANSPORT = "ipyassets.transport"
"""Key of the connection's `asyncio.Transport` in the scope's ``extensions``."""

SECRET_HEADERS = frozenset({"authorization", "x-auth-token", "cookie", "proxy-authorization", "x-api-key"})
SECRET_PATHS = re.compile(r"/auth/|/connect/token")
KEPT_REQUESTS = 20_000
KEPT_BODY = 65_536

HTML = b"<!DOCTYPE html><html><head><title>Bad gateway</title></head><body><h1>502</h1><p>nginx</p></body></html>"


@dataclass(slots=True)
class Fault:
    """One thing to go wrong; see `Faults.add`."""

    path: re.Pattern[str]
    kind: Kind
    method: str | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    count: int | None = 1
    skip: int = 0
    rate: float = 1.0
    seconds: float | None = None
    after: int | None = None
    hits: int = 0
    """How often it struck so far."""

    def matches(self, seen: Seen) -> bool:
        if self.method is not None and self.method != seen.method:
            return False
        return any(self.path.search(text) for text in (seen.path, f"{seen.path}?{seen.query}"))


@dataclass(slots=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    """Lower-case names. A secret is shown as its first word and a short digest, so that two can be compared."""
    body: bytes
    """The first 64 kB; empty where the body is a secret."""
    status: int | None = None
    """What was answered; None before the answer, and where there was none."""
    at: float = field(default_factory=time.monotonic)
    """When it came, by `time.monotonic`."""

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


class Faults:
    """What shall go wrong, and what was asked so far. Safe to use from any thread."""

    def __init__(self, seed: int = 0) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._random = random.Random(seed)
        self.log: deque[Seen] = deque(maxlen=KEPT_REQUESTS)
        """Requests, oldest first (the last 20,000)."""

    def add(
        self,
        path: str,
        method: str | None = None,
        kind: Kind = "status",
        *,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | str | Mapping[str, Any] | None = None,
        location: str | None = None,
        count: int | None = 1,
        skip: int = 0,
        rate: float = 1.0,
        seconds: float | None = None,
        after: int | None = None,
    ) -> Fault:
        """Let requests go wrong whose path (or path and query) holds the regular expression ``path``.

        ``kind``:

        * ``status``: answer ``status`` (503 if not given) with ``headers`` and ``body`` (a mapping is sent as JSON);
        * ``html``: a page where data was asked for, status 200 unless given;
        * ``reset``: the connection is reset before any answer;
        * ``cut``: the true answer, closed after ``after`` bytes of its body (half of it if not given);
        * ``stall``: nothing is sent (or ``after`` bytes of the true body) for ``seconds``, then the connection closes;
          without ``seconds`` the client must give up first;
        * ``wrong_content``: the true answer with ``body`` in place of its own, and ``headers`` over its own;
        * ``slow``: the true answer, ``seconds`` (1 if not given) late;
        * ``redirect``: ``status`` (302 if not given) to ``location``.

        It strikes ``count`` times (None: for ever), after letting ``skip`` requests through, each with probability
        ``rate``. Of several faults that match a request the first added strikes.
        """
        if kind not in get_args(Kind):
            raise ValueError(f"unknown kind of fault {kind!r}; one of {', '.join(get_args(Kind))}")
        extra = dict(headers or {})
        if kind == "redirect":
            if location is None:
                raise ValueError("a redirect needs a location")
            extra["location"] = location
        if isinstance(body, Mapping):
            extra.setdefault("content-type", "application/json")
            body = json.dumps(body)
        fault = Fault(
            path=re.compile(path),
            kind=kind,
            method=method.upper() if method else None,
            status=status,
            headers={name.lower(): value for name, value in extra.items()},
            body=body.encode() if isinstance(body, str) else body,
            count=count,
            skip=skip,
            rate=rate,
            seconds=seconds,
            after=after,
        )
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Let nothing go wrong any more. The log stays; ``faults.log.clear()`` empties it."""
        with self._lock:
            self._faults.clear()

    def requests(self, path: str = "", method: str | None = None) -> list[Seen]:
        """Logged requests whose path (or path and query) holds the regular expression ``path``."""
        probe = Fault(re.compile(path), "status", method.upper() if method else None)
        return [seen for seen in tuple(self.log) if probe.matches(seen)]

    def take(self, seen: Seen) -> Fault | None:
        """The fault that strikes this request, if any; counts it."""
        with self._lock:
            for fault in self._faults:
                if (fault.count is not None and fault.hits >= fault.count) or not fault.matches(seen):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                if fault.rate >= 1 or self._random.random() < fault.rate:
                    fault.hits += 1
                    return fault
        return None


class FaultLayer:
    """ASGI layer that keeps the log, adds the latency and makes the faults happen."""

    def __init__(self, app: App, faults: Faults, latency: Callable[[], float]) -> None:
        self.app = app
        self.faults = faults
        self.latency = latency

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = await _read(receive)
        if body is None:
            return
        seen = _seen(scope, body)
        self.faults.log.append(seen)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.status = message["status"]
            await send(message)

        fault = self.faults.take(seen)
        exchange = _Exchange(self.app, scope, _replayed(body, receive), receive, answer)
        if not await exchange.pause(self.latency()):
            return
        if fault is None:
            await exchange.serve()
        else:
            await _ACTIONS[fault.kind](exchange, fault)


@dataclass(slots=True)
class _Exchange:
    app: App
    scope: Message
    replayed: Receive
    receive: Receive
    send: Send

    async def serve(self) -> None:
        await self.app(self.scope, self.replayed, self.send)

    async def true_answer(self) -> tuple[Message, bytes]:
        """The head and the whole body the service would have sent."""
        head: Message = {}
        body = bytearray()

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                head.update(message)
            else:
                body.extend(message.get("body", b""))

        await self.app(self.scope, self.replayed, collect)
        return head, bytes(body)

    async def respond(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        raw = {"content-length": str(len(body)), **headers}
        await self.send(_head(status, raw))
        await self.send({"type": "http.response.body", "body": b"" if self.scope["method"] == "HEAD" else body})

    @property
    def transport(self) -> asyncio.Transport:
        transport: asyncio.Transport = self.scope["extensions"][TRANSPORT]
        return transport

    async def gone(self) -> None:
        """Return when the client is no longer there."""
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def pause(self, seconds: float | None) -> bool:
        """Wait (None: for ever), but no longer than the client does; False if it is no longer there."""
        if seconds is not None and seconds <= 0:
            return True
        try:
            await asyncio.wait_for(self.gone(), seconds)
        except TimeoutError:
            return True
        return False


def _head(status: int, headers: Mapping[str, str]) -> Message:
    pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": pairs}


def _headers(head: Message) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in head["headers"]}


async def _status(exchange: _Exchange, fault: Fault) -> None:
    await exchange.respond(fault.status or 503, fault.headers, fault.body or b"")


async def _html(exchange: _Exchange, fault: Fault) -> None:
    headers = {"content-type": "text/html; charset=utf-8", **fault.headers}
    await exchange.respond(fault.status or 200, headers, fault.body or HTML)


async def _redirect(exchange: _Exchange, fault: Fault) -> None:
    await exchange.respond(fault.status or 302, fault.headers, fault.body or b"")


async def _slow(exchange: _Exchange, fault: Fault) -> None:
    if await exchange.pause(1.0 if fault.seconds is None else fault.seconds):
        await exchange.serve()


async def _reset(exchange: _Exchange, fault: Fault) -> None:
    connection = exchange.transport.get_extra_info("socket")
    # Lingering for no time makes closing send RST instead of FIN.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    exchange.transport.abort()
    await exchange.gone()


async def _cut(exchange: _Exchange, fault: Fault) -> None:
    head, body = await exchange.true_answer()
    await _begin(exchange, head, body, len(body) // 2 if fault.after is None else fault.after)
    exchange.transport.close()
    await exchange.gone()


async def _stall(exchange: _Exchange, fault: Fault) -> None:
    if fault.after is not None:
        await _begin(exchange, *await exchange.true_answer(), fault.after)
    if await exchange.pause(fault.seconds):
        exchange.transport.close()
        await exchange.gone()


async def _begin(exchange: _Exchange, head: Message, body: bytes, length: int) -> None:
    """Send the head, which promises all of ``body``, and its first ``length`` bytes (one less than all at most)."""
    await exchange.send(_head(head["status"], {**_headers(head), "content-length": str(len(body))}))
    part = body[: min(length, max(0, len(body) - 1))]
    await exchange.send({"type": "http.response.body", "body": part, "more_body": True})


async def _wrong_content(exchange: _Exchange, fault: Fault) -> None:
    head, _ = await exchange.true_answer()
    body = b"This is not what was asked for.\n" if fault.body is None else fault.body
    headers = {**_headers(head), "content-length": str(len(body)), **fault.headers}
    await exchange.respond(fault.status or head["status"], headers, body)


_ACTIONS: dict[Kind, Callable[[_Exchange, Fault], Awaitable[None]]] = {
    "status": _status,
    "html": _html,
    "reset": _reset,
    "cut": _cut,
    "stall": _stall,
    "wrong_content": _wrong_content,
    "slow": _slow,
    "redirect": _redirect,
}


async def _read(receive: Receive) -> bytes | None:
    """The whole request body, None if the client left before it was sent."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body.extend(message.get("body", b""))
        if not message.get("more_body"):
            return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    pending = [body]

    async def replay() -> Message:
        if pending:
            return {"type": "http.request", "body": pending.pop(), "more_body": False}
        return await receive()

    return replay


def _seen(scope: Message, body: bytes) -> Seen:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    secret = SECRET_PATHS.search(scope["path"])
    return Seen(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers={name: _masked(value) if name in SECRET_HEADERS else value for name, value in headers.items()},
        body=b"" if secret else body[:KEPT_BODY],
    )


def _masked(secret: str) -> str:
    scheme, _, rest = secret.rpartition(" ")
    return f"{scheme} #{hashlib.sha256(rest.encode()).hexdigest()[:8]}".strip()
