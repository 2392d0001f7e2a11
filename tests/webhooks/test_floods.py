"""Strangers at the receiver's port, in numbers: real deliveries arrive all the same, and what it holds is bounded."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ipyassets.webhooks import WebhookReceiver
from ipyassets.webhooks import app as app_module
from ipyassets.webhooks import server as server_module
from tests.processes import wait_for
from tests.webhooks.senders import SECRET, payload, post, signed, stamp

FEW = 10
HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"


def raw(body: bytes, headers: dict[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return HEAD + f"{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body


def connect(receiver: WebhookReceiver) -> socket.socket:
    parts = urlsplit(receiver.url)
    return socket.create_connection((parts.hostname, parts.port), timeout=30)


def hung_up(sender: socket.socket) -> bytes:
    """What comes until the receiver closes."""
    came = b""
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        while piece := sender.recv(65_536):
            came += piece
    return came


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebhookReceiver]:
    """A receiver with room for ten, and time limits that end no connection here."""
    monkeypatch.setattr(server_module, "_CONNECTIONS", FEW)
    monkeypatch.setattr(server_module, "_HEAD_TIMEOUT", 1000.0)
    monkeypatch.setattr(server_module, "_GRACE", 0.05)
    monkeypatch.setattr(app_module, "BODY_TIMEOUT", 1000.0)
    with WebhookReceiver(SECRET) as receiver:
        yield receiver


def connections(receiver: WebhookReceiver) -> int:
    """How many there are, counted on the server's own thread: for a moment in the middle of its work it is one more."""
    server = receiver._server._server

    async def count() -> int:
        return len(server.server_state.connections)

    return asyncio.run_coroutine_threadsafe(count(), server.servers[0].get_loop()).result(30)


def delivered(receiver: WebhookReceiver, product: str = "p") -> None:
    assert post(receiver.url, payload(product=product)) == (200, b"OK")
    assert receiver.wait_for("renders.completed", asset=product, timeout=30).asset == product


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"POST / HTTP/1.1\r\nHost:",
        HEAD + b"Content-Length: 10\r\nX-TIMESTAMP: x\r\n\r\n12345",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
        b"GET /elsewhere HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /elsewhere HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000000\r\n\r\nx",
    ],
    ids=["silent", "half-a-head", "half-a-body", "chunks", "kept-alive", "wrong-path"],
)
def test_connections_that_do_nothing_keep_no_delivery_out(few: WebhookReceiver, beginning: bytes) -> None:
    """Each open connection counted, and with a hundred of them all who came after were told to come again."""
    with contextlib.ExitStack() as strangers:
        for _ in range(3 * FEW):
            strangers.enter_context(connect(few)).sendall(beginning)
        delivered(few)
        assert connections(few) <= FEW


@pytest.mark.parametrize(
    "rest",
    [b"2\r\nabno chunk\r\n", b"no chunk\r\n", b"2\r\nab\r\n0\r\n\r\nno request\r\n\r\n"],
    ids=["after-a-chunk", "at-once", "after-the-body"],
)
@pytest.mark.parametrize("path", [b"/", b"/elsewhere"])
def test_no_stranger_writes_tracebacks(
    few: WebhookReceiver, caplog: pytest.LogCaptureFixture, path: bytes, rest: bytes
) -> None:
    """A body that turns out to be none wrote a traceback of sixty lines to the notebook, each time. By fuzzing."""
    head = b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    for _ in range(3):
        with connect(few) as stranger:
            stranger.sendall(head + rest)
            assert hung_up(stranger)[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 401", b"HTTP/1.1 404")
    delivered(few)
    assert all(record.exc_info is None and record.levelname == "WARNING" for record in caplog.records)
    assert len(caplog.records) <= 2


def test_those_who_do_nothing_go_first(few: WebhookReceiver) -> None:
    """A delivery whose body is under way stays, whoever else comes."""
    body = payload(product="slow")
    sent = raw(body, signed(body))
    with contextlib.ExitStack() as strangers:
        slow = strangers.enter_context(connect(few))
        slow.sendall(sent[:-5])
        wait_for(lambda: few._server._server.server_state.tasks, 30, "the delivery to begin")
        silent = [strangers.enter_context(connect(few)) for _ in range(3 * FEW)]
        assert hung_up(silent[0]) == b""
        slow.sendall(sent[-5:])
        assert few.wait_for(asset="slow", timeout=30).asset == "slow"


def test_open_files_stay_bounded(few: WebhookReceiver) -> None:
    """Every silent connection was kept, each with a file of this process, until the kernel could open none."""
    files = Path("/proc/self/fd")
    if not files.exists():
        pytest.skip("no list of open files here")
    before = len(list(files.iterdir()))
    with contextlib.ExitStack() as strangers:
        mine = [strangers.enter_context(connect(few)) for _ in range(20 * FEW)]
        delivered(few)
        assert len(list(files.iterdir())) - before - len(mine) <= FEW + 2


def test_a_body_that_nobody_reads_ends_its_connection(few: WebhookReceiver) -> None:
    """Answered with 404 or 405, the rest of a body of a terabyte was read for ever, byte by byte."""
    for start in (b"POST /elsewhere", b"PUT /"):
        with connect(few) as sender:
            sender.sendall(start + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000000\r\n\r\nx")
            assert hung_up(sender).startswith((b"HTTP/1.1 404", b"HTTP/1.1 405"))


def test_who_reads_no_answers_is_hung_up_on(few: WebhookReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests one after the other, and none of the answers read: the connection stood for ever."""
    monkeypatch.setattr(server_module, "_WRITE_TIMEOUT", 0.1)
    parts = urlsplit(few.url)
    with socket.socket() as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        sender.settimeout(30)
        sender.connect((parts.hostname, parts.port))
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            while True:
                sender.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 200)
        wait_for(lambda: connections(few) == 0, 30, "the connection to go")
    delivered(few)


def test_a_head_of_many_lines_is_refused(few: WebhookReceiver) -> None:
    """A head that came in one piece was taken whatever its size: a quarter of a megabyte, 60,000 lines."""
    with connect(few) as sender:
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            sender.sendall(HEAD + b"a:\r\n" * 9_000 + b"\r\n")
        assert hung_up(sender).startswith(b"HTTP/1.1 400")
    delivered(few)


def test_a_head_of_usual_size_before_a_long_body(few: WebhookReceiver) -> None:
    body = payload(more="x" * 500_000)
    padded = signed(body) | {"X-Proxy": "y" * 8_000}
    assert post(few.url, body, padded) == (200, b"OK")


# -- everything at once ----------------------------------------------------------------------------------------------


def hostile(random_: random.Random) -> bytes:
    """What a stranger sends: one thing of many, or a mixture of it."""
    body = payload(product=str(random_.randrange(10**9)))
    choices = [
        b"",
        os.urandom(200),
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 50,
        b"POST / HTTP/1.1\r\nHost:",
        HEAD + b"a:\r\n" * 20_000 + b"\r\n",
        HEAD + b"Content-Length: 1000000000000\r\n\r\n" + b"x" * 10_000,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1000\r\n" + b"y" * 0x1000 + b"\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n" + b"z" * 10_000,
        b"POST /elsewhere HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nx",
        HEAD + b"Expect: 100-continue\r\nContent-Length: 10\r\n\r\n",
        HEAD + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        HEAD + b"Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n",
        raw(body, {}),
        raw(body, signed(body, secret="another")),
        raw(body, signed(body, timestamp="yesterday")),
        raw(body, signed(body, timestamp=stamp(100_000))),
        raw(b"x" * 1_000_001, {}),
        raw(b"[" * 5_000, signed(b"[" * 5_000, secret="another")),
        raw(b"not json", signed(b"not json")),
    ]
    return b"".join(random_.choices(choices, k=random_.choice([1, 1, 3])))


def stranger(receiver: WebhookReceiver, seed: int, rounds: int, stay: list[socket.socket]) -> None:
    random_ = random.Random(seed)
    for _ in range(rounds):
        try:
            sender = connect(receiver)
        except OSError:
            continue
        stay.append(sender)
        with contextlib.suppress(OSError):
            sender.settimeout(1)
            sender.sendall(hostile(random_))
        if random_.random() < 0.5:
            sender.close()


def deliver(receiver: WebhookReceiver, number: int) -> None:
    """As services do: again, until it is thanked for."""
    body = payload(product=str(number))
    headers = signed(body)
    for _ in range(20):
        with contextlib.suppress(OSError):
            if post(receiver.url, body, headers)[0] == 200:
                return
    raise AssertionError(f"delivery {number} never arrived")


def test_a_storm(few: WebhookReceiver, caplog: pytest.LogCaptureFixture) -> None:
    """Of everything, from four strangers at once, 240 connections over ten places; each delivery comes, once."""
    threads = {thread.name for thread in threading.enumerate()}
    stay: list[socket.socket] = []
    most = 0
    with ThreadPoolExecutor(4) as pool:
        storm = [pool.submit(stranger, few, seed, 60, stay) for seed in range(4)]
        for number in range(40):
            deliver(few, number)
            most = max(most, connections(few))
        for work in storm:
            work.result()
    deliver(few, 40)
    assert {few.wait_for("*", timeout=30).asset for _ in range(41)} == {str(number) for number in range(41)}
    assert len(few._mailbox) == 0
    assert most <= FEW
    assert {thread.name for thread in threading.enumerate()} - threads <= {"ipyassets-webhook-handlers"}
    assert set(few.refused) <= {
        "no signature", "wrong signature", "stale", "no timestamp", "not an event", "too large", "too slow",
        "broken off", "not a POST", "wrong path",
    }  # fmt: skip
    assert len([record for record in caplog.records if record.name.startswith("ipyassets")]) <= len(few.refused)
    assert not [record for record in caplog.records if record.name.startswith(("uvicorn", "asyncio"))]
    tasks = few._server._server.server_state.tasks
    few.stop()
    assert not tasks
    for sender in stay:
        sender.close()


def test_thousands_of_events_leave_a_bounded_memory(few: WebhookReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signed ones: what is remembered against copies, and what waits to be taken."""
    monkeypatch.setattr(few._app._intake._seen, "_most", 500)
    monkeypatch.setattr(few._mailbox, "_most", 100)
    with connect(few) as sender:
        bodies = [payload(product=str(number)) for number in range(2_000)]
        answered = threading.Thread(target=lambda: _read(sender, len(bodies)))
        answered.start()
        for body in bodies:
            sender.sendall(raw(body, signed(body)))
        answered.join(60)
    assert few.received == 2_000
    wait_for(lambda: few.dropped == 1_900, 30, "the last event to be passed on, which comes after its answer")
    assert len(few._app._intake._seen) == 500
    assert len(few._mailbox) == 100


def _read(sender: socket.socket, answers: int) -> None:
    came = b""
    while came.count(b"HTTP/1.1 200") < answers or not came.endswith(b"OK"):
        came += sender.recv(65_536)
