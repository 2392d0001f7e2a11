from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from ipyassets.errors import InvalidRequest
from ipyassets.services.events import hub
from ipyassets.webhooks import WebhookReceiver
from ipyassets.webhooks import app as app_module
from ipyassets.webhooks import server as server_module
from tests.processes import wait_for
from tests.webhooks.senders import PRODUCT, SECRET, payload, post, signed, stamp


@pytest.fixture
def receiver():
    with WebhookReceiver(SECRET) as running:
        yield running


def deliver(receiver: WebhookReceiver, body: bytes, headers: dict[str, str] | None = None) -> int:
    """Post, and wait until it was passed on too: that comes after the answer."""
    told = threading.Event()
    end = receiver._app.arrivals.subscribe(lambda event: told.set())
    status, _ = post(receiver.url, body, headers)
    assert status != 200 or told.wait(30)
    end()
    return status


def connect(receiver: WebhookReceiver) -> socket.socket:
    parts = urlsplit(receiver.url)
    return socket.create_connection((parts.hostname, parts.port), timeout=30)


def test_it_serves_while_it_runs():
    receiver = WebhookReceiver(SECRET, path="/hooks")
    assert not receiver.running
    assert repr(receiver) == "<WebhookReceiver not running, 0 received, 0 refused>"
    with pytest.raises(RuntimeError, match="call start"):
        _ = receiver.url
    assert not hub.receiving
    with receiver:
        assert receiver.start() is receiver
        assert receiver.running
        assert hub.receiving
        url = receiver.url
        assert url.startswith("http://127.0.0.1:")
        assert url.endswith("/hooks")
        assert post(url, payload()) == (200, b"OK")
        assert repr(receiver) == f"<WebhookReceiver {url}, 1 received, 0 refused>"
    receiver.stop()
    assert not receiver.running
    assert not hub.receiving
    with pytest.raises(ConnectionRefusedError):
        post(url, payload())
    with receiver:
        assert deliver(receiver, payload(product="second")) == 200
        assert [event.asset for event in receiver.events(timeout=0)] == [PRODUCT, "second"]


async def test_it_serves_in_an_async_with():
    async with WebhookReceiver(SECRET) as receiver:
        await asyncio.to_thread(deliver, receiver, payload())
        async for event in receiver.events("renders.completed", asset=PRODUCT, timeout=30):
            assert event.asset == PRODUCT
            break
    assert not receiver.running


def test_answers_over_a_kept_connection_come_without_delay(receiver):
    """Several on one connection, as proxies send them."""
    with connect(receiver) as sender:
        for number in range(5):
            body = payload(product=str(number))
            head = "".join(f"{name}: {value}\r\n" for name, value in signed(body).items())
            sender.sendall(f"POST / HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            answer = b""
            while not answer.endswith(b"\r\n\r\nOK"):
                answer += sender.recv(4096)
            assert answer.startswith(b"HTTP/1.1 200")
            assert b"uvicorn" not in answer
    assert receiver.received == 5


def test_wait_for(receiver):
    for name, product in (("renders.processing", "a"), ("renders.completed", "a"), ("renders.completed", "b")):
        deliver(receiver, payload(name, product))
    assert receiver.wait_for("renders.completed", asset="b", timeout=30).asset == "b"
    with pytest.raises(TimeoutError, match=r"No renders.completed came in 0 s. 3 other events came"):
        receiver.wait_for("renders.completed", asset="b", timeout=0)
    assert [event.name for event in receiver.events(timeout=0)] == ["renders.processing", "renders.completed"]
    receiver.clear()


def test_an_asset_is_named_by_itself_or_its_id(receiver):
    class Asset:
        id = PRODUCT

    deliver(receiver, payload())
    assert receiver.wait_for(asset=Asset(), timeout=30).asset == PRODUCT
    with pytest.raises(InvalidRequest, match="asset or its id"):
        receiver.wait_for(asset=5)


def test_a_wait_in_vain_says_what_came_instead(receiver):
    with pytest.raises(TimeoutError, match=r"No renders.completed came .* Nothing came at all: can the service reach"):
        receiver.wait_for("renders.completed", timeout=0)
    deliver(receiver, payload(), signed(payload(), secret="another"))
    with pytest.raises(TimeoutError, match="1 times wrong signature"):
        receiver.wait_for(timeout=0)
    assert receiver.refused == {"wrong signature": 1}


def test_a_wait_ends_with_the_receiver(receiver):
    with ThreadPoolExecutor(2) as pool:
        waiting = pool.submit(receiver.wait_for, "renders.completed")
        looping = pool.submit(lambda: list(receiver.events("renders.completed")))
        wait_for(lambda: len(receiver._mailbox._takers) == 2, 30, "two who wait")
        receiver.stop()
        with pytest.raises(RuntimeError, match="not running"):
            waiting.result(30)
        assert looping.result(30) == []
    with pytest.raises(RuntimeError, match="not running"):
        receiver.wait_for()


def test_handlers_hear_what_waits_for_nobody(receiver):
    heard = []
    done = threading.Event()

    @receiver.on("asset.completed")
    def first(event):
        heard.append(event.asset)

    receiver.on()(lambda event: heard.append(event.name) or done.set())
    deliver(receiver, payload("product.completed"))
    assert done.wait(30)
    assert heard == [PRODUCT, "product.completed"]
    assert first.__name__ == "first"
    assert receiver.wait_for("product.completed", timeout=0).asset == PRODUCT


def test_a_handler_in_the_place_of_a_name_is_refused(receiver):
    """``on("*", function)``, and ``@receiver.on`` without brackets, registered nothing and said nothing."""
    for names in (("*", print), (print,), (" ",)):
        with pytest.raises(InvalidRequest, match="go by name"):
            receiver.on(*names)


def test_a_handler_may_wait_for_the_next_event(receiver):
    """It blocks nobody but itself: the server goes on answering."""
    got = []
    receiver.on("renders.completed")(
        lambda event: got.append(receiver.wait_for("turntable.completed", asset=event.asset, timeout=30).name)
    )
    assert deliver(receiver, payload("renders.completed")) == 200
    assert deliver(receiver, payload("turntable.completed")) == 200
    assert receiver._app.settle(30)
    assert got == ["turntable.completed"]


def test_a_handler_may_stop_the_receiver():
    """It waited for itself to end."""
    receiver = WebhookReceiver(SECRET).start()
    receiver.on("*")(lambda event: receiver.stop())
    assert post(receiver.url, payload())[0] == 200
    assert receiver.wait_for(timeout=30).asset == PRODUCT
    assert receiver._app.settle(30)
    assert not receiver.running


def test_what_was_taken_in_is_handled_though_the_receiver_stops():
    handled = []
    begun, go = threading.Event(), threading.Event()

    def slow(event):
        begun.set()
        go.wait(30)
        handled.append(event.asset)

    receiver = WebhookReceiver(SECRET).start()
    receiver.on("*")(slow)
    for number in range(3):
        assert deliver(receiver, payload(product=str(number))) == 200
    assert begun.wait(30)
    stopping = threading.Thread(target=receiver.stop)
    stopping.start()
    wait_for(lambda: not receiver.running, 30, "the receiver to stop")
    go.set()
    stopping.join(30)
    assert handled == ["0", "1", "2"]


def test_stopping_while_something_is_delivered(monkeypatch):
    """A body that came in part is not waited for."""
    monkeypatch.setattr(server_module, "_GRACE", 0.05)
    receiver = WebhookReceiver(SECRET).start()
    with connect(receiver) as sender:
        sender.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nX-TIMESTAMP: x\r\n\r\n12345")
        wait_for(lambda: receiver._server._server.server_state.tasks, 30, "the delivery to begin")
        receiver.stop()
        with contextlib.suppress(ConnectionResetError):
            assert sender.recv(10) == b""
    assert not receiver.running
    assert receiver.received == 0


def test_handlers_slower_than_a_flood(caplog):
    go = threading.Event()
    handled = []
    receiver = WebhookReceiver(SECRET)
    receiver._app._handlers._most = 10
    receiver._mailbox._most = 20
    with receiver:
        receiver.on("*")(lambda event: go.wait(30) and handled.append(int(event.asset)))
        for number in range(50):
            assert deliver(receiver, payload(product=str(number))) == 200
        dropped = receiver.dropped
        go.set()
    assert dropped == 30 + (50 - len(handled))
    assert handled[-10:] == list(range(40, 50))  # the latest are kept
    assert caplog.messages == ["handlers are slower than events come: the oldest of 10 are dropped"]
    assert [int(event.asset) for event in receiver.events(timeout=0)] == list(range(30, 50))


def test_many_senders_at_once(receiver):
    def send(number: int) -> int:
        good = number % 2
        body = payload(product=str(number))
        return deliver(receiver, body, signed(body, secret=SECRET if good else "another"))

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(send, range(200)))
    assert statuses == [401, 200] * 100
    assert (receiver.received, receiver.refused) == (100, {"wrong signature": 100})
    assert len([event for _, event in zip(range(100), receiver.events(timeout=30), strict=False)]) == 100


# -- strangers at the port -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01",  # TLS
        b"GET / HTTP/1.1\r\n\r\n",  # no Host
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n12345",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"X" * 40_000,
    ],
    ids=["tls", "no-host", "negative", "two-lengths", "bad-chunk", "endless-line"],
)
def test_what_is_no_http_gets_a_400_and_no_word_in_the_notebook(receiver, sent, capfd):
    with connect(receiver) as sender:
        sender.sendall(sent)
        try:
            answer = sender.recv(4096)
        except ConnectionResetError:
            answer = b"HTTP/1.1 400"
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 401"))
    assert deliver(receiver, payload()) == 200
    assert "Invalid HTTP" not in capfd.readouterr().err


def test_a_body_too_large_over_the_wire():
    with WebhookReceiver(SECRET, max_body=1000) as receiver:
        with connect(receiver) as sender:
            sender.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
            answer = b""
            try:
                while not answer:
                    sender.sendall(b"200\r\n" + b"x" * 0x200 + b"\r\n")
                    sender.settimeout(0.2)
                    try:
                        answer = sender.recv(4096)
                    except TimeoutError:
                        continue
            except (ConnectionResetError, BrokenPipeError):
                answer = b"HTTP/1.1 413"
        assert answer.startswith(b"HTTP/1.1 413")
        assert receiver.refused == {"too large": 1}


def test_a_head_that_never_ends_is_hung_up_on(monkeypatch):
    """uvicorn waits for ever; a hundred such senders would have kept all others out."""
    monkeypatch.setattr(server_module, "_HEAD_TIMEOUT", 0.1)
    with WebhookReceiver(SECRET) as receiver, connect(receiver) as silent, connect(receiver) as slow:
        slow.sendall(b"POST / HTTP/1.1\r\nHost:")
        for sender in (silent, slow):
            with contextlib.suppress(ConnectionResetError):
                assert sender.recv(10) == b""
        assert deliver(receiver, payload()) == 200


def test_a_body_that_trickles_over_the_wire(monkeypatch):
    monkeypatch.setattr(app_module, "BODY_TIMEOUT", 0.1)
    with WebhookReceiver(SECRET) as receiver, connect(receiver) as sender:
        sender.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n1")
        assert sender.recv(4096).startswith(b"HTTP/1.1 408")
        assert receiver.refused == {"too slow": 1}


# -- begin, end and secrets ------------------------------------------------------------------------------------------


def test_a_port_that_is_taken(receiver):
    port = urlsplit(receiver.url).port
    another = WebhookReceiver(SECRET, port=port)
    with pytest.raises(OSError, match=rf"port {port} of 127.0.0.1 is taken: choose another, or port=0"):
        another.start()
    assert not another.running
    receiver.stop()
    with another:
        assert urlsplit(another.url).port == port


def test_no_secret_no_receiver():
    with pytest.raises(InvalidRequest, match=r"vntana.webhooks.receive\(\)"):
        WebhookReceiver()
    with pytest.raises(InvalidRequest, match="must not be empty"):
        WebhookReceiver("")


@pytest.mark.parametrize("wrong", [{"port": -1}, {"port": 65536}, {"port": "80"}, {"port": True}, {"tolerance": -1}])
def test_arguments_that_make_no_sense(wrong):
    with pytest.raises(InvalidRequest, match=next(iter(wrong))):
        WebhookReceiver(SECRET, **wrong)


@pytest.mark.parametrize("wrong", [-1, "5", True])
def test_a_timeout_that_makes_no_sense(receiver, wrong):
    with pytest.raises(InvalidRequest, match="timeout must be seconds"):
        receiver.wait_for(timeout=wrong)
    with pytest.raises(InvalidRequest, match="timeout must be seconds"):
        receiver.events(timeout=wrong)


def test_rotation(receiver):
    receiver.rotate("the next", grace=60)
    assert deliver(receiver, payload(), signed(payload())) == 200
    assert deliver(receiver, payload(), signed(payload(), secret="the next", timestamp=stamp(1))) == 200
    receiver.rotate("the last", grace=0)
    assert deliver(receiver, payload(), signed(payload(), timestamp=stamp(2))) == 200  # of the first minute still
    assert deliver(receiver, payload(), signed(payload(), secret="the next", timestamp=stamp(3))) == 401


def test_no_secret_shows(receiver):
    assert SECRET not in repr(receiver) + repr(vars(receiver)) + repr(vars(receiver._app))
    with pytest.raises(TypeError, match="secret"):
        pickle.dumps(receiver)


def test_without_uvicorn_it_says_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "ipyassets.webhooks.server")
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(ImportError, match="pip install uvicorn"):
        WebhookReceiver(SECRET).start()
    assert not hub.receiving


def test_importing_it_loads_no_server():
    code = "import sys, ipyassets.webhooks; print('uvicorn' in sys.modules, 'httpx' in sys.modules)"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert output.stdout == "False False\n"


def test_nothing_of_it_stays_behind():
    before = {thread.name for thread in threading.enumerate()}
    with WebhookReceiver(SECRET) as receiver:
        deliver(receiver, payload())
    del receiver
    gc.collect()
    assert {thread.name for thread in threading.enumerate()} <= before


SCRIPT = """
import sys
from ipyassets.webhooks import WebhookReceiver
receiver = WebhookReceiver("secret").start()
print(receiver.url, flush=True)
"""


def test_it_survives_an_interrupt():
    """Ctrl-C ends the cell, not the receiver."""
    code = SCRIPT.replace("print(", "try:\n    print(") + (
        "    receiver.wait_for('never')\n"
        "except KeyboardInterrupt: print('interrupted', flush=True)\n"
        "print(receiver.wait_for('renders.completed', timeout=30).asset, flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    url = process.stdout.readline().strip()
    post(url, payload("another.event"), signed(payload("another.event"), secret="secret"))
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "interrupted\n"
    assert post(url, payload(), signed(payload(), secret="secret"))[0] == 200
    assert process.communicate(timeout=60)[0] == f"{PRODUCT}\n"
    assert process.returncode == 0


def test_a_script_that_never_stops_it_ends():
    output = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=True)
    assert output.stdout.startswith("http://127.0.0.1:")
    assert output.stderr == ""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_does_not_serve_and_leaves_the_parent_alone():
    code = SCRIPT + (
        "import os\n"
        "from ipyassets.services.events import hub\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    receiver.stop()\n"
        "    os._exit(0 if not receiver.running and not hub.receiving else 1)\n"
        "assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0\n"
        "print('child ended', flush=True)\n"
        "print(receiver.wait_for('renders.completed', timeout=30).asset, flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    url = process.stdout.readline().strip()
    assert process.stdout.readline() == "child ended\n"
    assert post(url, payload(), signed(payload(), secret="secret"))[0] == 200
    assert process.communicate(timeout=60)[0] == f"{PRODUCT}\n"
    assert process.returncode == 0
