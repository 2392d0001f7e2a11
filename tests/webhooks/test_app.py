from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import pickle
import threading
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Mount

from ipyassets.errors import InvalidRequest
from ipyassets.http.secret import Secret
from ipyassets.services.events import Event, hub
from ipyassets.webhooks import WebhookApp
from ipyassets.webhooks import app as app_module
from tests.webhooks.senders import PRODUCT, SECRET, payload, signed, stamp


async def ask(
    app: WebhookApp,
    *pieces: bytes,
    headers: Any = None,
    method: str = "POST",
    path: str = "/",
    root_path: str = "",
    receive: Any = None,
) -> tuple[int, bytes, dict[bytes, bytes]]:
    """Call the application as a server does; status 0 if it gave no answer."""
    if headers is None:
        headers = signed(b"".join(pieces))
    if isinstance(headers, dict):
        headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    parts = list(pieces) or [b""]
    coming = [{"type": "http.request", "body": part, "more_body": n < len(parts) - 1} for n, part in enumerate(parts)]
    sent: list[Any] = []

    async def given() -> Any:
        return coming.pop(0) if coming else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "root_path": root_path, "headers": headers}
    await app(scope, receive or given, send)
    if not sent:
        return 0, b"", {}
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:]), dict(sent[0]["headers"])


@pytest.fixture
def published():
    """What reached the hub."""
    events: list[Event] = []
    end = hub.subscribe(events.append)
    yield events
    end()


def handled(app: WebhookApp) -> bool:
    return app.settle(30)


async def test_a_signed_event_is_taken_and_told(published):
    events: list[Event] = []
    app = WebhookApp(SECRET, events.append)
    body, sent = payload(), stamp()
    status, said, _ = await ask(app, body[:10], body[10:], headers=signed(body, timestamp=sent))
    assert (status, said) == (200, b"OK")
    assert handled(app)
    assert events == published
    (event,) = events
    assert (event.service, event.name, event.asset) == ("vntana", "renders.completed", PRODUCT)
    assert (event.part, event.stage) == ("stills", "completed")
    assert event.at == datetime.fromisoformat(sent)
    assert event.at.tzinfo == UTC
    assert event.raw["product"]["name"] == "Chair"
    assert (app.received, app.duplicates, app.refused.total()) == (1, 0, 0)


async def test_the_signature_of_the_documents_example():
    """The vector that was worked out from the vendor's description, not by the code under test."""
    app = WebhookApp("emulator-secret", tolerance=None)
    body = b'{"event":"renders.completed","product":{"uuid":"11111111-1111-1111-1111-111111111111"}}'
    headers = {
        "X-TIMESTAMP": "2026-01-29T16:35:59.000Z",
        "X-VNTANA-SIGNATURE": "3be3f595a05a27359e6ae831b0368b46a13155650eee4de065743bdbae604efb",
    }
    assert (await ask(app, body, headers=headers))[0] == 200
    assert (await ask(app, body.replace(b":", b": "), headers=headers))[0] == 401


@pytest.mark.parametrize(
    "body",
    [
        b'\n {"event" :\t"renders.completed",\r\n"product":{"uuid":"p", "name":"St\xc3\xbchle \\u00e9"} }  \n',
        '{"event":"renders.completed","product":{"uuid":"p","name":"椅子 🪑"}}'.encode(),
        '﻿{"event":"renders.completed","product":{"uuid":"p"}}'.encode(),
    ],
    ids=["space", "unicode", "mark"],
)
async def test_the_signature_is_over_the_bytes_as_they_came(body, published):
    assert (await ask(WebhookApp(SECRET), body))[0] == 200
    assert published[0].asset == "p"


REFUSALS = {
    "no headers": lambda body: {},
    "no timestamp": lambda body: {"X-VNTANA-SIGNATURE": signed(body)["X-VNTANA-SIGNATURE"]},
    "no signature": lambda body: {"X-TIMESTAMP": stamp()},
    "another secret": lambda body: signed(body, secret="another"),
    "another body": lambda body: signed(body + b" "),
    "another timestamp": lambda body: {**signed(body), "X-TIMESTAMP": stamp(7)},
    "half a signature": lambda body: {**signed(body), "X-VNTANA-SIGNATURE": signed(body)["X-VNTANA-SIGNATURE"][:32]},
    "a bare digest": lambda body: {**signed(body), "X-VNTANA-SIGNATURE": hashlib.sha256(body).hexdigest()},
    "stale": lambda body: signed(body, timestamp=stamp(301)),
    "of the future": lambda body: signed(body, timestamp=stamp(-310)),
    "no time at all": lambda body: signed(body, timestamp="yesterday"),
    "two signatures": lambda body: [
        *((name.lower().encode(), value.encode()) for name, value in signed(body).items()),
        (b"x-vntana-signature", b"0" * 64),
    ],
    "not ASCII": lambda body: [(b"x-timestamp", b"\xff\xfe"), (b"x-vntana-signature", b"\xe9" * 64)],
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_what_is_not_proven_is_refused_without_a_reason(name, published, caplog):
    app = WebhookApp(SECRET)
    status, said, _ = await ask(app, payload(), headers=REFUSALS[name](payload()))
    assert (status, said) == (401, b"Unauthorized")
    assert published == []
    assert app.refused.total() == 1
    assert "Chair" not in caplog.text
    assert SECRET not in caplog.text


async def test_a_flood_of_forgeries_is_said_once(caplog):
    app = WebhookApp(SECRET)
    for _ in range(50):
        await ask(app, payload(), headers=signed(payload(), secret="another"))
    await ask(app, payload(), headers=signed(payload(), timestamp=stamp(4000)))
    assert app.refused == {"wrong signature": 50, "stale": 1}
    assert len(caplog.records) == 2
    assert repr(app) == "<WebhookApp / 0 received, 51 refused>"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"product":{}}', b'{"event":5}', b"[" * 50_000, b"\xff\xfe\xfd", b"1" * 5000]
)
async def test_signed_nonsense_is_a_bad_request(body, published):
    app = WebhookApp(SECRET)
    assert (await ask(app, body))[0] == 400
    assert published == []
    assert app.refused == {"not an event": 1}


async def test_events_nobody_knows_are_kept(published):
    app = WebhookApp(SECRET)
    assert (await ask(app, payload("hologram.shimmered", hologram={"colour": "blue"})))[0] == 200
    assert published[0].name == "hologram.shimmered"
    assert published[0].raw["hologram"] == {"colour": "blue"}


async def test_a_name_that_is_no_unicode_is_kept_too(published):
    """Half a surrogate pair is legal JSON; the memory of duplicates could not encode it."""
    app = WebhookApp(SECRET)
    assert (await ask(app, b'{"event":"\\ud800.x","product":{"uuid":"\\udfff"}}'))[0] == 200
    assert len(published) == 1


async def test_copies_are_thanked_and_told_to_nobody(published):
    calls: list[Event] = []
    app = WebhookApp(SECRET, calls.append)
    body = payload()
    headers = signed(body)
    assert [(await ask(app, body, headers=headers))[0] for _ in range(3)] == [200, 200, 200]
    assert handled(app)
    assert len(calls) == len(published) == 1
    assert (app.received, app.duplicates) == (1, 2)


async def test_the_same_happening_again_is_no_copy(published):
    """Two renders of one product tell the same words at different times."""
    app = WebhookApp(SECRET)
    await ask(app, payload(), headers=signed(payload(), timestamp=stamp(20)))
    await ask(app, payload(), headers=signed(payload(), timestamp=stamp(10)))
    assert (app.received, app.duplicates) == (2, 0)


async def test_a_replay_after_the_window_is_stale_and_within_it_a_copy(published):
    app = WebhookApp(SECRET, tolerance=60)
    body = payload()
    assert (await ask(app, body, headers=signed(body, timestamp=stamp(30))))[0] == 200
    assert (await ask(app, body, headers=signed(body, timestamp=stamp(90))))[0] == 401
    assert len(published) == 1


async def test_disorder_is_told_as_it_came(published):
    app = WebhookApp(SECRET)
    for name, ago in (("renders.completed", 1), ("renders.processing", 2), ("renders.pending", 3)):
        body = payload(name)
        assert (await ask(app, body, headers=signed(body, timestamp=stamp(ago))))[0] == 200
    assert [event.stage for event in published] == ["completed", "running", "queued"]
    assert [event.at for event in published] == sorted((event.at for event in published), reverse=True)


# -- the request as such ---------------------------------------------------------------------------------------------


async def test_only_posts_at_the_path():
    app = WebhookApp(SECRET, path="/hooks/vntana")
    assert (await ask(app, payload(), path="/hooks/vntana"))[0] == 200
    assert (await ask(app, payload(), path="/hooks/vntana/"))[0] == 200
    assert (await ask(app, payload(), path="/hooks/vntana", root_path="/hooks"))[0] == 404
    assert (await ask(app, payload(), path="/api/hooks/vntana", root_path="/api"))[0] == 200
    assert (await ask(app, payload(), path="/hooks"))[0] == 404
    status, _, headers = await ask(app, method="GET", path="/hooks/vntana")
    assert (status, headers[b"allow"]) == (405, b"POST")


@pytest.mark.parametrize("declared", [None, b"3", b"100000", b"-1", b"many"])
async def test_a_body_too_large_is_refused_while_it_comes(declared, published):
    """Whatever its Content-Length says."""
    read = 0

    async def receive() -> Any:
        nonlocal read
        read += 100
        return {"type": "http.request", "body": b"x" * 100, "more_body": True}

    app = WebhookApp(SECRET, max_body=1000)
    headers = list(signed(b"").items())
    coded = [(name.encode(), value.encode()) for name, value in headers]
    if declared is not None:
        coded.append((b"content-length", declared))
    assert (await ask(app, headers=coded, receive=receive))[0] == 413
    assert read <= 1100
    assert read == (0 if declared == b"100000" else 1100)


async def test_a_body_of_the_very_limit_is_taken(published):
    body = payload()
    assert (await ask(WebhookApp(SECRET, max_body=len(body)), body))[0] == 200
    assert (await ask(WebhookApp(SECRET, max_body=len(body) - 1), body))[0] == 413


async def test_a_body_that_trickles_is_given_up(monkeypatch):
    monkeypatch.setattr(app_module, "BODY_TIMEOUT", 0.05)

    async def receive() -> Any:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b"x", "more_body": True}

    app = WebhookApp(SECRET)
    status, _, headers = await ask(app, headers={}, receive=receive)
    assert (status, headers[b"connection"]) == (408, b"close")
    assert app.refused == {"too slow": 1}


async def test_a_sender_who_hangs_up_in_the_body(published):
    async def receive() -> Any:
        return {"type": "http.disconnect"}

    app = WebhookApp(SECRET)
    assert (await ask(app, headers={}, receive=receive))[0] == 0
    assert app.refused == {"broken off": 1}


async def test_a_sender_who_hangs_up_before_the_answer_has_told_us(published):
    app = WebhookApp(SECRET)
    body = payload()

    async def send(message: Any) -> None:
        raise ConnectionResetError

    async def receive() -> Any:
        return {"type": "http.request", "body": body}

    headers = [(name.lower().encode(), value.encode()) for name, value in signed(body).items()]
    with pytest.raises(ConnectionResetError):
        await app({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive, send)
    assert len(published) == 1


# -- handlers --------------------------------------------------------------------------------------------------------


async def test_the_answer_comes_before_the_handler():
    go = threading.Event()
    called: list[str] = []
    app = WebhookApp(SECRET, lambda event: go.wait(30) and called.append(event.name))
    assert (await ask(app, payload()))[0] == 200  # though the handler cannot even begin
    assert called == []
    go.set()
    assert handled(app)
    assert called == ["renders.completed"]


async def test_handlers_are_called_in_order_on_a_thread_of_their_own():
    called: list[tuple[str, str]] = []
    app = WebhookApp(SECRET, lambda event: called.append((event.asset, threading.current_thread().name)))
    products = [f"product-{n}" for n in range(50)]
    for product in products:
        await ask(app, payload(product=product))
    assert handled(app)
    assert [product for product, _ in called] == products
    assert {thread for _, thread in called} == {"ipyassets-webhook-handlers"}


async def test_a_handler_that_raises_is_logged_and_the_next_goes_on(caplog):
    called: list[str] = []
    app = WebhookApp(SECRET)

    @app.on("renders.completed")
    def broken(event: Event) -> None:
        raise ZeroDivisionError("of the person's own")

    app.on("renders.*")(lambda event: called.append(event.name))
    assert (await ask(app, payload()))[0] == 200
    assert handled(app)
    assert called == ["renders.completed"]
    assert caplog.messages == ["a handler of 'renders.completed' failed"]
    assert "Chair" not in caplog.text


@pytest.mark.parametrize(
    "wanted", ["product.completed", "asset.completed", "Asset.Completed", "asset.*", "product.*", "*"]
)
@pytest.mark.parametrize("told", ["product.completed", "asset.completed"])
async def test_both_spellings_are_one_event(wanted, told):
    called: list[str] = []
    app = WebhookApp(SECRET)
    app.on(wanted)(lambda event: called.append(event.name))
    app.on("renders.*", "turntable.completed")(lambda event: called.append("never"))
    await ask(app, payload(told))
    assert handled(app)
    assert called == ["product.completed"]


def test_handlers_are_plain_functions():
    async def handler(event: Event) -> None: ...

    app = WebhookApp(SECRET)
    with pytest.raises(InvalidRequest, match="plain function"):
        app.on("*")(handler)
    with pytest.raises(InvalidRequest, match="plain function"):
        WebhookApp(SECRET, "print")  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest, match="by name"):
        app.on("")(print)


# -- secrets ---------------------------------------------------------------------------------------------------------


async def test_several_secrets_at_once(published):
    app = WebhookApp(["first", Secret("second")])
    for secret in ("first", "second"):
        assert (await ask(app, payload(), headers=signed(payload(), secret=secret)))[0] == 200
    assert (await ask(app, payload(), headers=signed(payload(), secret="third")))[0] == 401


async def test_a_copy_under_the_next_secret_is_a_copy(published):
    """A delivery that is tried again after the rotation is signed anew, and happened once all the same."""
    app = WebhookApp("old")
    sent = stamp()
    await ask(app, payload(), headers=signed(payload(), secret="old", timestamp=sent))
    app.rotate("new")
    await ask(app, payload(), headers=signed(payload(), secret="new", timestamp=sent))
    assert (app.received, app.duplicates) == (1, 1)


async def test_an_old_secret_is_good_for_a_while(monkeypatch, published):
    now = 1000.0
    app = WebhookApp("old")
    app._keys._clock = lambda: now

    async def statuses() -> list[int]:
        return [(await ask(app, payload(), headers=signed(payload(), secret=s)))[0] for s in ("old", "new")]

    assert await statuses() == [200, 401]
    app.rotate("new", grace=60)
    assert await statuses() == [200, 200]
    now += 61
    assert await statuses() == [401, 200]
    app.rotate("newest", grace=0)
    assert await statuses() == [401, 401]


@pytest.mark.parametrize("secret", ["", "  ", [], [""], ["good", ""], Secret(""), 5, None, [b"bytes"]])
def test_a_secret_that_is_none_is_refused(secret):
    """With an empty key anybody could sign."""
    with pytest.raises(InvalidRequest, match="secret"):
        WebhookApp(secret)


@pytest.mark.parametrize(
    "wrong", [{"tolerance": -1}, {"tolerance": "5"}, {"max_body": 0}, {"max_body": 1.5}, {"path": "hooks"}]
)
def test_arguments_that_make_no_sense(wrong):
    with pytest.raises(InvalidRequest, match=next(iter(wrong))):
        WebhookApp(SECRET, **wrong)


def test_no_secret_shows():
    app = WebhookApp([SECRET, "second secret"])
    shown = repr(app) + repr(vars(app)) + repr(vars(app._keys)) + repr(vars(app._intake))
    assert "secret of" not in shown
    assert "second" not in shown
    with pytest.raises(TypeError, match="secret"):
        pickle.dumps(app)


# -- as an application among others ----------------------------------------------------------------------------------


async def test_it_mounts_into_starlette(published):
    app = Starlette(routes=[Mount("/hooks", WebhookApp(SECRET, path="/vntana"))])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
        asked = [
            await client.post("/hooks/vntana", content=payload(), headers=signed(payload())),
            await client.post("/hooks/other", content=payload(), headers=signed(payload())),
            await client.get("/hooks/vntana"),
        ]
    assert [answer.status_code for answer in asked] == [200, 404, 405]
    assert len(published) == 1


async def test_a_server_may_run_it_alone():
    coming, sent = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}], []

    async def receive() -> Any:
        return coming.pop(0)

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await WebhookApp(SECRET)({"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_websockets_are_closed():
    sent = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await WebhookApp(SECRET)({"type": "websocket", "path": "/"}, receive, send)
    assert sent == ["websocket.close"]


names = st.sampled_from([b"x-timestamp", b"X-VNTANA-SIGNATURE", b"content-length", b"content-type", b"x"])
values = st.binary(max_size=80) | st.sampled_from([stamp().encode(), b"0" * 64, b"12", b"999999999999999999999999"])


@settings(deadline=None)
@given(
    headers=st.lists(st.tuples(names, values), max_size=6),
    pieces=st.lists(st.binary(max_size=60) | st.just(payload()), max_size=3),
    method=st.sampled_from(["POST", "PUT", "\x00"]),
    path=st.sampled_from(["/", "", "//", "/a/../", "/\udc80"]),
)
def test_nothing_unsigned_ever_gets_in(headers, pieces, method, path):
    events: list[Event] = []
    app = WebhookApp(SECRET)
    app.arrivals.subscribe(events.append)
    logging.getLogger("ipyassets.webhooks").disabled = True
    try:
        status, _, _ = asyncio.run(ask(app, *pieces, headers=headers, method=method, path=path))
    finally:
        logging.getLogger("ipyassets.webhooks").disabled = False
    assert status in (401, 404, 405, 413)
    assert events == []
    assert app.refused.total() == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
subjects = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("event", "product", "asset", "client", "productUuid"), json_values)
)


@settings(deadline=None)
@given(body=st.binary(max_size=80) | (json_values | subjects).map(lambda value: json.dumps(value).encode()))
def test_whatever_is_signed_is_an_event_or_refused(body):
    events: list[Event] = []
    app = WebhookApp(SECRET)
    app.arrivals.subscribe(events.append)
    logging.getLogger("ipyassets.webhooks").disabled = True
    try:
        status, _, _ = asyncio.run(ask(app, body))
    finally:
        logging.getLogger("ipyassets.webhooks").disabled = False
    assert (status, len(events)) in [(200, 1), (400, 0)]
    assert all(isinstance(event.name, str) and event.name for event in events)
