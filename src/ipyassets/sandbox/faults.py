"""Things that go wrong between a client and a service, on demand, and a record of what clients sent.

The layer sits below the services, on the bare connection; what each kind does is in `fault_actions`. It needs no
more of the server than the transport of each connection, which `runner.Connection` puts into the scope.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias, get_args

from ipyassets.sandbox.fault_actions import ACTIONS, Exchange
from ipyassets.sandbox.fault_bodies import CREDENTIALS

__all__ = ["KINDS", "App", "Change", "Fault", "FaultLayer", "Faults", "Kind", "Message", "Receive", "Seen", "Send"]

Instead: TypeAlias = Literal["status", "html", "redirect", "loop"]
Late: TypeAlias = Literal["slow", "trickle", "reset", "cut", "stall", "length"]
Altered: TypeAlias = Literal["wrong_content", "empty", "shape", "extra", "missing", "unknown", "duplicate", "drift"]
Refused: TypeAlias = Literal["clock", "revoked"]
Spoilt: TypeAlias = Literal["wrong_type", "truncated", "corrupt", "giant"]
Kind: TypeAlias = Literal[Instead, Late, Altered, Refused, Spoilt]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
Change: TypeAlias = Literal["added", "removed"]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]

SECRET_PATHS = re.compile(r"/auth/|/connect/token")
KEPT_REQUESTS = 20_000
KEPT_BODY = 65_536


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
    jitter: float = 0.0
    change: Change = "added"
    hits: int = 0
    """How often it struck so far."""
    before: list[Any] | None = None
    """Of a drifting list, the end of the page given last."""

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
        jitter: float = 0.0,
        change: Change = "added",
    ) -> Fault:
        """Let requests go wrong whose path (or path and query) holds the regular expression ``path``.

        ``kind``, in place of an answer:

        * ``status``: answer ``status`` (503 if not given) with ``headers`` and ``body`` (a mapping is sent as JSON);
        * ``html``: a page where data was asked for, status 200 unless given;
        * ``redirect``: ``status`` (302 if not given) to ``location``; ``loop``: 307 to what was asked for.

        Late, or not all of it:

        * ``slow``: the true answer, ``seconds`` (1 if not given) late, and by chance up to ``jitter`` later;
        * ``trickle``: the true answer, its body in 20 pieces over ``seconds``;
        * ``reset``: the connection is reset before any answer, or ``after`` bytes of the true body;
        * ``cut``: the true answer, closed after ``after`` bytes of its body (half of it if not given);
        * ``stall``: nothing is sent (or ``after`` bytes of the true body) for ``seconds``, then the connection closes;
          without ``seconds`` the client must give up first;
        * ``length``: the true answer, its ``Content-Length`` wrong by ``after`` bytes (-7 if not given).

        The true answer, but:

        * ``wrong_content``: with ``body`` in place of its own, and ``headers`` over its own; ``empty``: with none;
        * of JSON: ``shape`` (objects for lists, a list for the whole), ``extra`` (unknown fields), ``missing`` (no
          fields but ids), ``unknown`` (words of no list), ``duplicate`` (an item twice);
        * ``drift``: pages after the first as if an item at the front had been ``change``: ``added`` or ``removed``;
        * of files: ``wrong_type`` (a drawing for a picture), ``truncated``, ``corrupt``, ``giant`` (a picture of
          50,000 x 50,000 pixels by its own word);
        * ``clock``: by a clock that is ``seconds`` ahead, 30 years if not given: tokens and signed URLs have expired;
        * ``revoked``: as to credentials, or a signature, that the service does not know.

        It strikes ``count`` times (None: for ever), after letting ``skip`` requests through, each with probability
        ``rate``. Of several faults that match a request the first added strikes. A request whose answer it would not
        change is let through and not counted: ``wrong_type`` waits for a picture, ``revoked`` for credentials.
        """
        if kind not in KINDS:
            raise ValueError(f"unknown kind of fault {kind!r}; one of {', '.join(KINDS)}")
        if change not in get_args(Change):
            raise ValueError(f"change must be one of {', '.join(get_args(Change))}; got {change!r:.40}")
        if not 0 <= rate <= 1:
            raise ValueError(f"rate must be a chance from 0 to 1; got {rate!r:.40}")
        try:
            pattern = re.compile(path)
        except re.error as error:
            raise ValueError(f"path must be a regular expression; {path!r:.80} is none: {error}") from None
        extra = dict(headers or {})
        if kind == "redirect":
            if location is None:
                raise ValueError("a redirect needs a location")
            extra["location"] = location
        if isinstance(body, Mapping):
            extra.setdefault("content-type", "application/json")
            body = json.dumps(body)
        fault = Fault(
            path=pattern,
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
            jitter=jitter,
            change=change,
        )
        with self._lock:
            self._faults.append(fault)
        return fault

    def chance(self) -> float:
        """A number from 0 to 1, by the seed."""
        with self._lock:
            return self._random.random()

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

    def give_back(self, fault: Fault) -> None:
        """It took a request and found nothing to strike."""
        with self._lock:
            fault.hits -= 1


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

        def spare() -> None:
            if fault is not None:
                self.faults.give_back(fault)

        exchange = Exchange(self.app, scope, body, receive, answer, self.faults.chance, spare)
        if not await exchange.pause(self.latency()):
            return
        if fault is None:
            await exchange.serve()
        else:
            await ACTIONS[fault.kind](exchange, fault)


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


def _seen(scope: Message, body: bytes) -> Seen:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    secret = SECRET_PATHS.search(scope["path"])
    return Seen(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers={name: _masked(value) if name in CREDENTIALS else value for name, value in headers.items()},
        body=b"" if secret else body[:KEPT_BODY],
    )


def _masked(secret: str) -> str:
    scheme, _, rest = secret.rpartition(" ")
    return f"{scheme} #{hashlib.sha256(rest.encode()).hexdigest()[:8]}".strip()
