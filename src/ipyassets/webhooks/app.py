"""The ASGI application that takes webhooks in. Needs no framework, and mounts into any."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from http import HTTPStatus
from typing import Any, Final, NoReturn, TypeAlias, TypeVar

from ipyassets.arguments import seconds, whole
from ipyassets.errors import InvalidRequest
from ipyassets.http.messages import MEGABYTE
from ipyassets.services.events import Hub, hub
from ipyassets.services.vntana.events import TOLERANCE
from ipyassets.webhooks.handlers import Handler, Handlers
from ipyassets.webhooks.intake import Intake, Verdict
from ipyassets.webhooks.keys import Keys, Secrets
from ipyassets.webhooks.wanted import wanted

__all__ = ["WebhookApp"]

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
H = TypeVar("H", bound=Handler)

BODY_TIMEOUT: Final = 10.0
"""Seconds in which a body has to come whole."""

log = logging.getLogger("ipyassets.webhooks")

_HINTS: Final[Mapping[str, str]] = {
    "wrong signature": "it is forged, or the secret is not the webhook's present one",
    "stale": "it was replayed or late, or this machine's clock is wrong",
    "too large": "more than max_body",
}

_UNREAD: Final = frozenset(
    {
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    }
)
"""Answers that come before the body was read whole: nobody reads the rest of it."""


class WebhookApp:
    """Takes signed webhooks in, and passes each event on once.

    >>> app = WebhookApp("the webhook's secret", print, path="/hooks/vntana")

    Parameters
    ----------
    secret
        The webhook's secret; several in a list are good at once.
    on_event
        A plain function, called with every `Event`: after the sender has its answer, in the order they came, on a
        thread of its own, so it may take its time. What it raises is logged. More with `on`.
    tolerance
        Seconds that the timestamp of a delivery may be off; None does not look at it, which lets old ones be replayed.
    max_body
        Bytes; more is refused while it comes.
    path
        Where it listens, below whatever it is mounted at.

    Every event is also published to running render jobs of this process, which then look at once.
    """

    def __init__(
        self,
        secret: Secrets | Keys,
        on_event: Handler | None = None,
        *,
        tolerance: float | None = TOLERANCE,
        max_body: int = MEGABYTE,
        path: str = "/",
    ) -> None:
        keys = Keys.of(secret)
        del secret  # tracebacks may show local variables, and this object
        self.path = path
        self.received = 0
        """Events taken in, each once."""
        self.duplicates = 0
        """Further copies of them; they were answered well and passed on to nobody."""
        self.refused: Counter[str] = Counter()
        """Deliveries refused, by reason. The sender is not told why."""
        if not isinstance(path, str) or not path.startswith("/"):
            raise InvalidRequest(f"path must begin with a slash; got {path!r:.80}.")
        self.arrivals = Hub()
        """Where events are passed on, on the server's own thread."""
        self._keys = keys
        self._intake = Intake(keys, seconds("tolerance", tolerance, none="to take any"))
        self._max_body = whole("max_body", max_body, unit="bytes")
        self._handlers = Handlers()
        self.arrivals.subscribe(hub.publish)
        self.arrivals.subscribe(self._handlers.put)
        if on_event is not None:
            self._handlers.add(on_event, ())

    @property
    def dropped(self) -> int:
        """Calls of handlers that were dropped, since they were slower than events came."""
        return self._handlers.dropped

    def on(self, *names: str) -> Callable[[H], H]:
        """Have a function called with events of these names: ``@app.on("renders.completed")``, ``app.on("*")(print)``.

        Names in either spelling (``product.completed``, ``asset.completed``), ``"renders.*"`` for all that begin so;
        without a name, every event. As for ``on_event``.
        """
        wanted(names)  # on("…", function) would lead to nothing, without a word

        def register(handler: H) -> H:
            self._handlers.add(handler, names)
            return handler

        return register

    def rotate(self, secret: Secrets, *, grace: float = 2 * TOLERANCE) -> None:
        """Take a new secret; the old one stays good for ``grace`` seconds, for what is on its way."""
        self._keys.rotate(secret, grace)

    def settle(self, timeout: float) -> bool:
        """Wait until handlers have done what there was; whether that came in ``timeout`` seconds."""
        return self._handlers.settle(timeout)

    def forget(self) -> None:
        """In a forked child: what came is the parent's to handle."""
        self._handlers.forget()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path} {self._counts()}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A webhook app holds a secret and is not pickled.")

    def _counts(self) -> str:
        return f"{self.received} received, {self.refused.total()} refused"

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000})
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Message, receive: Receive, send: Send) -> None:
        try:
            verdict = await self._judged(scope, receive)
        except _Gone:
            self._count(Verdict(HTTPStatus.BAD_REQUEST, "broken off"))
            return
        self._count(verdict)
        try:
            await _answer(send, verdict.status)
        finally:  # a sender who hung up has told us all the same
            if verdict.event is not None:
                self.arrivals.publish(verdict.event)

    async def _judged(self, scope: Message, receive: Receive) -> Verdict:
        if _below_mount(scope).rstrip("/") != self.path.rstrip("/"):
            return Verdict(HTTPStatus.NOT_FOUND, "wrong path")
        if scope["method"] != "POST":
            return Verdict(HTTPStatus.METHOD_NOT_ALLOWED, "not a POST")
        headers: list[tuple[bytes, bytes]] = list(scope["headers"])
        try:
            async with asyncio.timeout(BODY_TIMEOUT):
                body = await _body(headers, receive, self._max_body)
        except TimeoutError:
            return Verdict(HTTPStatus.REQUEST_TIMEOUT, "too slow")
        if body is None:
            return Verdict(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too large")
        return self._intake.judge(headers, body)

    def _count(self, verdict: Verdict) -> None:
        if verdict.reason is None:
            if verdict.event is None:
                self.duplicates += 1
            else:
                self.received += 1
            return
        self.refused[verdict.reason] += 1
        if self.refused[verdict.reason] == 1:  # a flood must not fill the notebook
            hint = _HINTS.get(verdict.reason)
            log.warning("a webhook was refused: %s%s", verdict.reason, f" ({hint})" if hint else "")


class _Gone(Exception):
    """The sender hung up."""


async def _body(headers: Iterable[tuple[bytes, bytes]], receive: Receive, limit: int) -> bytes | None:
    """The whole body; None as soon as it is known to be larger than ``limit`` bytes. Raises `_Gone`."""
    declared = [value for name, value in headers if name.lower() == b"content-length"]
    if any(value.isdigit() and int(value[:20]) > limit for value in declared):
        return None
    body = bytearray()  # a list of pieces would weigh many times what is in them
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        piece = message.get("body", b"")
        if len(body) + len(piece) > limit:  # whatever was declared
            return None
        body += piece
        if not message.get("more_body", False):
            return bytes(body)


async def _answer(send: Send, status: HTTPStatus) -> None:
    """The status and its usual words, nothing else."""
    text = status.phrase.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(text)).encode())]
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append((b"allow", b"POST"))
    if status in _UNREAD:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": text})


async def _live(receive: Receive, send: Send) -> None:
    """Start and end as a server asks; there is nothing to be done for either."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def _below_mount(scope: Message) -> str:
    """The path below whatever we are mounted at: servers and frameworks leave the mount's own path in front."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path.removeprefix(root) if root and path.startswith(f"{root.rstrip('/')}/") else path
