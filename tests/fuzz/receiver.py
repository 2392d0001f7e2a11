"""What strangers send to the port of the webhook receiver: heads, bodies, one request upon another, and no HTTP at all.

An input is what comes on one connection. Must raise nothing, answer with what the receiver has answers for, take for an
event only what is signed, the same however the bytes are cut, log nothing, and leave no timer, task or place behind.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
from collections.abc import Iterator
from functools import cache
from typing import Final

import uvicorn
from uvicorn.server import ServerState

from ipyassets.services.events import Event
from ipyassets.webhooks.app import WebhookApp
from ipyassets.webhooks.server import _Connection, _Room, configured
from tests.fuzz.running import run

INSTRUMENTED: Final = ["ipyassets", "uvicorn", "h11"]
SECRET: Final = "the secret of the fuzzed receiver"
BODY: Final = b'{"event": "renders.completed", "product": {"uuid": "1f"}}'
STAMP: Final = b"1700000000"
SIGNATURE: Final = hmac.new(SECRET.encode(), STAMP + b"#" + BODY, hashlib.sha256).hexdigest().encode()
SIGNED: Final = b"x-timestamp: " + STAMP + b"\r\nx-vntana-signature: " + SIGNATURE + b"\r\n"
WORDS: Final = [
    b"POST / HTTP/1.1\r\n", b"GET / HTTP/1.0\r\n", b"Host: here\r\n", b"Content-Length: ", b"\r\n\r\n", b"0\r\n\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n", b"Connection: close\r\n", b"Upgrade: websocket\r\n",
    b"Connection: upgrade\r\n", b"x-timestamp: ", b"x-vntana-signature: ", b"4\r\n", b"ffffffff\r\n", b"%2f", b"%00",
    b"OPTIONS * HTTP/1.1\r\n", b"CONNECT a:1 HTTP/1.1\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", BODY, SIGNED,
]  # fmt: skip
STATUSES: Final = {b"100", b"200", b"400", b"401", b"404", b"405", b"413"}
MOST: Final = 4096


def check(data: bytes) -> None:
    _troubles.clear()
    cuts = [1 << 30, 7, 1] if len(data) < 2000 else [1 << 30, 1021]
    # Answers may differ: what is refused for its head may be answered before its body turns out to be no body.
    assert len({run(_served(data, cut)) for cut in cuts}) == 1
    assert _troubles == []


class _Listening(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        _troubles.append(self.format(record))


_troubles: Final[list[str]] = []


@cache
def _config() -> uvicorn.Config:
    logging.getLogger("ipyassets.webhooks").disabled = True  # it would tell of every refusal
    made = configured(WebhookApp(SECRET), "h11")
    made.load()
    logging.getLogger("ipyassets.webhooks.server").addHandler(_Listening())
    return made


class _Socket:
    def setsockopt(self, *_: object) -> None:
        pass

    def getsockname(self) -> tuple[str, int]:
        return "192.0.2.2", 80

    def getpeername(self) -> tuple[str, int]:
        return "192.0.2.1", 9


class _Line(asyncio.Transport):
    """The other end of a connection: keeps what is written."""

    def __init__(self) -> None:
        super().__init__({"socket": _Socket()})
        self.written = bytearray()
        self.gone = False
        self.paused = False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self.gone:
            self.written += data

    def is_closing(self) -> bool:
        return self.gone

    def close(self) -> None:
        self.gone = True

    def abort(self) -> None:
        self.gone = True

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


async def _served(data: bytes, cut: int) -> int:
    events: list[Event] = []
    app = WebhookApp(SECRET, tolerance=None, max_body=MOST, path="/hooks")
    app.arrivals.subscribe(events.append)
    room, state, line = _Room(2), ServerState(), _Line()
    loop = asyncio.get_running_loop()
    connection = _Connection(room, config=_config(), server_state=state, app_state={}, _loop=loop)
    connection.app = app
    connection.connection_made(line)
    at = 0
    while at < len(data) and not line.gone:
        connection.data_received(data[at : at + cut])
        at += cut
        await _settled(state, line)
    connection.connection_lost(None)
    await _settled(state, line)
    assert not state.tasks
    assert connection._late is connection._unread is None
    assert not room._guests
    assert not state.connections
    for event in events:
        assert (event.name, event.asset) == ("renders.completed", "1f"), "an event that nobody signed"
    _answered(bytes(line.written))
    return len(events)


async def _settled(state: ServerState, line: _Line) -> None:
    """Let what has begun go on until it waits for more to come."""
    for _ in range(12):
        await asyncio.sleep(0)
        if not state.tasks and not line.paused:
            return


def _answered(written: bytes) -> None:
    while written:
        head, end, rest = written.partition(b"\r\n\r\n")
        assert end, "half an answer"
        first, *lines = head.split(b"\r\n")
        version, status, _ = first.split(b" ", 2)
        assert version == b"HTTP/1.1"
        assert status in STATUSES, status
        lengths = [int(line[15:]) for line in lines if line.lower().startswith(b"content-length:")]
        written = rest[lengths[0] :] if lengths else rest if status == b"100" else b""


def seeds() -> Iterator[tuple[str, bytes]]:
    post = b"POST /hooks HTTP/1.1\r\nHost: here\r\n"
    length = b"Content-Length: %d\r\n" % len(BODY)
    good = post + SIGNED + length + b"\r\n" + BODY
    yield "good", good
    yield "one-upon-another", good * 3
    chunks = b"10\r\n" + BODY[:16] + b"\r\n%x\r\n" % (len(BODY) - 16) + BODY[16:] + b"\r\n0\r\n\r\n"
    yield "chunks", post + SIGNED + b"Transfer-Encoding: chunked\r\n\r\n" + chunks
    yield "bad-chunk", post + SIGNED + b"Transfer-Encoding: chunked\r\n\r\n10\r\nno\r\nxyz\r\n"
    yield "bad-chunk-of-another-path", b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno!!"
    yield "two-lengths", post + SIGNED + b"Transfer-Encoding: chunked\r\n" + length + b"\r\n" + chunks
    yield "asked-first", post + SIGNED + length + b"Expect: 100-continue\r\n\r\n" + BODY
    yield "unsigned", post + length + b"\r\n" + BODY
    yield "elsewhere", good.replace(b"/hooks", b"/hooks/x") + good
    yield "escaped", good.replace(b"/hooks", b"/%68ooks?a=b#c")
    yield "get", b"GET /hooks HTTP/1.1\r\nHost: here\r\n\r\n" * 2
    yield "old", good.replace(b"HTTP/1.1", b"HTTP/1.0")
    yield "closing", good.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1) + good
    yield "upgrade", post + b"Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\n\r\n"
    yield "too-long", post + SIGNED + b"Content-Length: 5000\r\n\r\n" + bytes(5000)
    yield "told-too-long", post + b"Content-Length: 99999999999999999999999\r\n\r\nx"
    yield "long-head", post + b"X: " + b"x" * 17000
    yield "half", good[:-9]
    yield "no-host", good.replace(b"Host: here\r\n", b"")
    yield "http-2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
    yield "tls", bytes.fromhex("160301020001000100fc0303") + bytes(40)
    yield "options", b"OPTIONS * HTTP/1.1\r\nHost: here\r\n\r\n"
    yield "connect", b"CONNECT here:1 HTTP/1.1\r\nHost: here:1\r\n\r\nabc"
