from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyassets.http.secret import Secret
from ipyassets.services.vntana.events import Malformed, Refused, canonical, moment, read, verify

SECRET = "emulator-secret"
SENT = "2026-01-29T16:35:59.000Z"
NOW = datetime(2026, 1, 29, 16, 36, 0, tzinfo=UTC).timestamp()
BODY = b'{"event":"renders.completed","product":{"uuid":"11111111-1111-1111-1111-111111111111"}}'
SIGNED = "3be3f595a05a27359e6ae831b0368b46a13155650eee4de065743bdbae604efb"


def sign(secret: str, timestamp: str, body: bytes) -> str:
    return hmac.new(secret.encode(), timestamp.encode() + b"#" + body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize("secret", [SECRET, Secret(SECRET)])
@pytest.mark.parametrize("signature", [SIGNED, SIGNED.upper(), f" {SIGNED} "])
def test_a_known_signature(secret, signature):
    assert verify(secret, SENT, BODY, signature, now=NOW) == datetime(2026, 1, 29, 16, 35, 59, tzinfo=UTC)


def refusal(*arguments, **keywords):
    with pytest.raises(Refused) as caught:
        verify(*arguments, **{"now": NOW, **keywords})
    assert SECRET not in str(caught.value)
    assert SIGNED not in str(caught.value)
    return caught.value.code


@pytest.mark.parametrize(
    ("secret", "timestamp", "body", "signature"),
    [
        ("another", SENT, BODY, SIGNED),
        ("", SENT, BODY, sign("", SENT, BODY)),
        (SECRET, "2026-01-29T16:35:59Z", BODY, SIGNED),
        (SECRET, SENT, BODY + b"\n", SIGNED),
        (SECRET, SENT, json.dumps(json.loads(BODY)).encode(), SIGNED),
        (SECRET, SENT, BODY, ""),
        (SECRET, SENT, BODY, SIGNED[:-1]),
        (SECRET, SENT, BODY, "é" * 64),
        (SECRET, SENT, BODY, "\udce9"),
    ],
)
def test_what_was_not_signed_so_is_refused(secret, timestamp, body, signature):
    assert refusal(secret, timestamp, body, signature) == "BAD_SIGNATURE"


@given(st.text(min_size=1), st.binary(), st.binary(), st.integers(0, 63))
def test_only_the_very_bytes_pass(secret, body, other, position):
    good = sign(secret, SENT, body)
    assert verify(secret, SENT, body, good, now=NOW) is not None
    changed = good[:position] + ("0" if good[position] != "0" else "1") + good[position + 1 :]
    with pytest.raises(Refused):
        verify(secret, SENT, body, changed, now=NOW)
    if other != body:
        with pytest.raises(Refused):
            verify(secret, SENT, other, good, now=NOW)


@given(st.text(), st.binary(), st.text())
def test_no_header_and_no_body_breaks_it(timestamp, body, signature):
    with pytest.raises(Refused):
        verify(SECRET, timestamp, body, signature)


@pytest.mark.parametrize(("off", "good"), [(0, True), (300, True), (-300, True), (301, False), (-301, False)])
def test_old_and_future_timestamps_are_refused(off, good):
    sent = datetime(2026, 1, 29, 16, 35, 59, tzinfo=UTC)
    if good:
        assert verify(SECRET, SENT, BODY, SIGNED, now=sent.timestamp() + off) == sent
    else:
        assert refusal(SECRET, SENT, BODY, SIGNED, now=sent.timestamp() + off) == "STALE_TIMESTAMP"


def test_the_tolerance_is_a_setting():
    assert refusal(SECRET, SENT, BODY, SIGNED, tolerance=0) == "STALE_TIMESTAMP"
    assert refusal(SECRET, SENT, BODY, SIGNED, now=float("nan")) == "STALE_TIMESTAMP"
    assert verify(SECRET, SENT, BODY, SIGNED, tolerance=None, now=0) is not None
    assert refusal(SECRET, "noon", BODY, sign(SECRET, "noon", BODY)) == "BAD_TIMESTAMP"
    assert verify(SECRET, "noon", BODY, sign(SECRET, "noon", BODY), tolerance=None) is None


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-29T16:35:59Z",
        "2026-01-29T16:35:59",
        "2026-01-29 16:35:59 UTC",
        "2026-01-29T16:35:59.0Z",
        "2026-01-29T16:35:59.000000000Z",
        "2026-01-29T16:35:59+00:00",
        "2026-01-29T17:35:59+0100",
        "2026-01-29T16:35:59Z[UTC]",
        "20260129T163559Z",
        "1769704559",
        "1769704559000",
    ],
)
def test_moments_in_many_spellings(text):
    assert moment(text) == datetime(2026, 1, 29, 16, 35, 59, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01T00:00:00Z", "17697", "9" * 40, "NaN"])
def test_what_is_no_moment(text):
    assert moment(text) is None


@pytest.mark.parametrize(
    ("name", "part", "stage"),
    [
        ("renders.pending", "stills", "queued"),
        ("renders.processing", "stills", "running"),
        ("renders.completed", "stills", "completed"),
        ("renders.failed", "stills", "failed"),
        ("turntable.completed", "turntable", "completed"),
        ("turntable.terminated", "turntable", "failed"),
        ("Turntable.Failed", "turntable", "failed"),
        ("renders.paused", "stills", None),
    ],
)
def test_events_of_renders(name, part, stage):
    event = read(json.dumps({"event": name, "product": {"uuid": "p"}, "client": {"uuid": "w"}}).encode(), SENT)
    assert (event.service, event.name, event.asset, event.workspace) == ("vntana", name.lower(), "p", "w")
    assert (event.part, event.stage) == (part, stage)
    assert event.at == datetime(2026, 1, 29, 16, 35, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("asset.completed", "product.completed"),
        ("product.completed", "product.completed"),
        ("ASSET.client.approved", "product.client.approved"),
        ("workspace.added", "client.added"),
        ("client.added", "client.added"),
        ("showroom.asset.removed", "showroom.product.removed"),
        ("showroom.product.removed", "showroom.product.removed"),
        ("showroom.order.item.added", "showroom.order.item.added"),
        ("viewer_preset.added", "viewer_preset.added"),
        ("asset.*", "product.*"),
        ("*", "*"),
        ("assets.completed", "assets.completed"),
    ],
)
def test_one_name_for_each_event(given, name):
    assert canonical(given) == name
    assert canonical(canonical(given)) == name


def test_events_nobody_knows_are_kept():
    payload = {"event": "robot.danced", "robot": {"uuid": "r"}, "organization": {"uuid": "o"}}
    event = read(json.dumps(payload).encode())
    assert (event.name, event.asset, event.workspace, event.part, event.stage) == ("robot.danced", *[None] * 4)
    assert event.raw == payload


def test_ids_under_either_name():
    event = read(b'{"event": "asset.completed", "asset": {"uuid": "p"}, "workspace": {"uuid": "w"}}')
    assert (event.name, event.asset, event.workspace) == ("product.completed", "p", "w")
    event = read(b'{"event": "asset.completed", "productUuid": "p", "clientUuid": "w"}')
    assert (event.asset, event.workspace) == ("p", "w")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"{}",
        b'{"event": null}',
        b'{"event": 5}',
        b'{"event": "  "}',
        b'{"event": "renders.completed"}',
        b'{"event": "renders.completed", "product": "p"}',
        b'{"event": "turntable.failed", "product": {"uuid": null}}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_event(body):
    with pytest.raises(Malformed):
        read(body)


@given(st.binary())
def test_bytes_at_random_are_malformed_and_nothing_else(body):
    with pytest.raises(Malformed):
        read(body)
