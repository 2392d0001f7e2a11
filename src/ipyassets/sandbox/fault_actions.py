"""What each kind of fault does to one exchange, on the bare connection: a reset is a reset, a cut body a cut body."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ipyassets.sandbox import fault_bodies, fault_pages
from ipyassets.sandbox.world import skewed

if TYPE_CHECKING:
    from ipyassets.sandbox.faults import App, Fault, Kind, Message, Receive, Send

__all__ = ["ACTIONS", "TRANSPORT", "Exchange"]

TRANSPORT: Final = "ipyassets.transport"
"""Key of the connection's `asyncio.Transport` in the scope's ``extensions``."""

HTML: Final = (
    b"<!DOCTYPE html><html><head><title>Bad gateway</title></head><body><h1>502</h1><p>nginx</p></body></html>"
)
_PIECES: Final = 20
"""Pieces a trickling body comes in."""
_SIGNATURES: Final = ("Signature", "X-Goog-Signature")


@dataclass(slots=True)
class Exchange:
    """One request that a fault strikes."""

    app: App
    scope: Message
    body: bytes
    receive: Receive
    send: Send
    chance: Callable[[], float]
    """A number from 0 to 1."""
    spare: Callable[[], None]
    """To be called before anything is sent where the fault would change nothing: then it did not strike."""

    async def serve(self, scope: Message | None = None) -> None:
        await self.app(dict(self.scope if scope is None else scope), self._replayed(self.body), self.send)

    async def unharmed(self, head: Message, body: bytes) -> None:
        """The true answer, which the fault could not change."""
        self.spare()
        await self.altered(head, body)

    async def true_answer(self, body: bytes | None = None) -> tuple[Message, bytes]:
        """The head and the whole body the service would have sent, to this request or one with another ``body``."""
        head: Message = {}
        content = bytearray()

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                head.update(message)
            else:
                content.extend(message.get("body", b""))

        scope = dict(self.scope)  # routers write into it, and it may be asked twice
        if body is not None:
            length = str(len(body)).encode()
            headers = [(name, length if name == b"content-length" else value) for name, value in scope["headers"]]
            scope["headers"] = headers
        await self.app(scope, self._replayed(self.body if body is None else body), collect)
        return head, bytes(content)

    async def respond(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        raw = {"content-length": str(len(body)), **headers}
        await self.send(_head(status, raw))
        await self.send({"type": "http.response.body", "body": b"" if self.scope["method"] == "HEAD" else body})

    async def altered(self, head: Message, body: bytes) -> None:
        """The true head over another body."""
        await self.respond(head["status"], {**_headers(head), "content-length": str(len(body))}, body)

    async def begin(self, head: Message, body: bytes, length: int) -> None:
        """Send the head, which promises all of ``body``, and its first ``length`` bytes (one less than all at most)."""
        await self.send(_head(head["status"], {**_headers(head), "content-length": str(len(body))}))
        part = body[: min(length, max(0, len(body) - 1))]
        await self.send({"type": "http.response.body", "body": part, "more_body": True})

    @property
    def transport(self) -> asyncio.Transport:
        transport: asyncio.Transport = self.scope["extensions"][TRANSPORT]
        return transport

    async def close(self) -> None:
        self.transport.close()
        await self.gone()

    async def reset(self) -> None:
        if self.transport.is_closing():  # the client was quicker
            return
        connection = self.transport.get_extra_info("socket")
        # Lingering for no time makes closing send RST instead of FIN.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()
        await self.gone()

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

    def _replayed(self, body: bytes) -> Receive:
        pending = [body]

        async def replay() -> Message:
            if pending:
                return {"type": "http.request", "body": pending.pop(), "more_body": False}
            return await self.receive()

        return replay


def _head(status: int, headers: Mapping[str, str]) -> Message:
    pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": pairs}


def _headers(head: Message) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in head["headers"]}


# -- instead of an answer ---------------------------------------------------------------------------------------------


async def _status(exchange: Exchange, fault: Fault) -> None:
    await exchange.respond(fault.status or 503, fault.headers, fault.body or b"")


async def _html(exchange: Exchange, fault: Fault) -> None:
    headers = {"content-type": "text/html; charset=utf-8", **fault.headers}
    await exchange.respond(fault.status or 200, headers, fault.body or HTML)


async def _redirect(exchange: Exchange, fault: Fault) -> None:
    await exchange.respond(fault.status or 302, fault.headers, fault.body or b"")


async def _loop(exchange: Exchange, fault: Fault) -> None:
    # A reference without a path is to what was asked for itself.
    query = exchange.scope["query_string"].decode("latin-1")
    await exchange.respond(fault.status or 307, {**fault.headers, "location": f"?{query}"}, b"")


# -- late, or not all of it -------------------------------------------------------------------------------------------


async def _slow(exchange: Exchange, fault: Fault) -> None:
    late = (1.0 if fault.seconds is None else fault.seconds) + fault.jitter * exchange.chance()
    if await exchange.pause(late):
        await exchange.serve()


async def _trickle(exchange: Exchange, fault: Fault) -> None:
    head, body = await exchange.true_answer()
    if not body:
        await exchange.unharmed(head, body)
        return
    await exchange.begin(head, body, 0)
    size = max(1, -(-len(body) // _PIECES))
    for start in range(0, len(body), size):
        if not await exchange.pause((1.0 if fault.seconds is None else fault.seconds) * size / len(body)):
            return
        await exchange.send({"type": "http.response.body", "body": body[start : start + size], "more_body": True})
    await exchange.send({"type": "http.response.body", "body": b""})


async def _reset(exchange: Exchange, fault: Fault) -> None:
    if fault.after is None or await _begun(exchange, fault.after):
        await exchange.reset()


async def _begun(exchange: Exchange, after: int) -> bool:
    """Send the head and ``after`` bytes of the body; False where there is no body to break off in."""
    head, body = await exchange.true_answer()
    if not body:
        await exchange.unharmed(head, body)
        return False
    await exchange.begin(head, body, after)
    return True


async def _cut(exchange: Exchange, fault: Fault) -> None:
    head, body = await exchange.true_answer()
    if not body:
        await exchange.unharmed(head, body)
        return
    await exchange.begin(head, body, len(body) // 2 if fault.after is None else fault.after)
    await exchange.close()


async def _stall(exchange: Exchange, fault: Fault) -> None:
    if fault.after is not None and not await _begun(exchange, fault.after):
        return
    if await exchange.pause(fault.seconds):
        await exchange.close()


async def _length(exchange: Exchange, fault: Fault) -> None:
    head, body = await exchange.true_answer()
    told = max(0, len(body) + (-7 if fault.after is None else fault.after))
    if told == len(body):
        await exchange.unharmed(head, body)
        return
    headers = {**_headers(head), **fault.headers, "content-length": str(told)}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    # By hand: the server would not let an answer out that contradicts itself.
    exchange.transport.write(f"HTTP/1.1 {head['status']} OK\r\n{lines}\r\n".encode("latin-1") + body)
    await exchange.close()


# -- the true answer, but ---------------------------------------------------------------------------------------------


async def _wrong_content(exchange: Exchange, fault: Fault) -> None:
    head, _ = await exchange.true_answer()
    body = b"This is not what was asked for.\n" if fault.body is None else fault.body
    headers = {**_headers(head), "content-length": str(len(body)), **fault.headers}
    await exchange.respond(fault.status or head["status"], headers, body)


async def _empty(exchange: Exchange, fault: Fault) -> None:
    head, body = await exchange.true_answer()
    if not body and (fault.status or 200) == head["status"]:
        exchange.spare()
    await exchange.respond(fault.status or 200, {**_headers(head), "content-length": "0", **fault.headers}, b"")


def _altered(alter: Callable[[bytes], bytes]) -> Callable[[Exchange, Fault], Awaitable[None]]:
    async def action(exchange: Exchange, fault: Fault) -> None:
        del fault
        head, body = await exchange.true_answer()
        other = alter(body) if head["status"] < 300 else body
        if fault_bodies.same(other, body):
            await exchange.unharmed(head, body)
        else:
            await exchange.altered(head, other)

    return action


async def _drift(exchange: Exchange, fault: Fault) -> None:
    head, body = await exchange.true_answer()

    async def other(request: Any) -> bytes:
        return (await exchange.true_answer(fault_bodies.dumped(request)))[1]

    drifted = await fault_pages.drifted(fault, exchange.body, body, other) if head["status"] < 300 else body
    if fault_bodies.same(drifted, body):
        await exchange.unharmed(head, body)
    else:
        await exchange.altered(head, drifted)


async def _clock(exchange: Exchange, fault: Fault) -> None:
    ahead = 1e9 if fault.seconds is None else fault.seconds
    send = exchange.send

    async def look(message: Message) -> None:
        if message["type"] == "http.response.start" and ahead > 0 and message["status"] < 400:
            exchange.spare()  # nothing that expires
        await send(message)

    exchange.send = look
    with skewed(ahead):
        await exchange.serve()


async def _revoked(exchange: Exchange, fault: Fault) -> None:
    del fault
    scope = exchange.scope
    # The last character may stand for fewer bits than it has.
    spoilt = [
        (name, value[:-8] + value[-8:][::-1] + b"x" if name.decode("latin-1") in fault_bodies.CREDENTIALS else value)
        for name, value in scope["headers"]
    ]
    query = scope["query_string"]
    for name in _SIGNATURES:
        query = query.replace(f"{name}=".encode(), f"{name}=x".encode())
    if query == scope["query_string"] and spoilt == list(scope["headers"]):
        exchange.spare()
    await exchange.serve({**scope, "headers": spoilt, "query_string": query})


ACTIONS: Final[Mapping[Kind, Callable[[Exchange, Fault], Awaitable[None]]]] = {
    "status": _status,
    "html": _html,
    "redirect": _redirect,
    "loop": _loop,
    "slow": _slow,
    "trickle": _trickle,
    "reset": _reset,
    "cut": _cut,
    "stall": _stall,
    "length": _length,
    "wrong_content": _wrong_content,
    "empty": _empty,
    "shape": _altered(fault_bodies.misshapen),
    "extra": _altered(fault_bodies.with_more),
    "missing": _altered(fault_bodies.with_less),
    "unknown": _altered(fault_bodies.with_unknown_words),
    "duplicate": _altered(fault_bodies.with_doubles),
    "drift": _drift,
    "clock": _clock,
    "revoked": _revoked,
    "wrong_type": _altered(fault_bodies.of_another_type),
    "truncated": _altered(fault_bodies.truncated),
    "corrupt": _altered(fault_bodies.corrupted),
    "giant": _altered(fault_bodies.gigantic),
}
