"""Webhooks on their way: what receivers get, and what happens when they do not take it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from ipyassets.sandbox import Sandbox
from ipyassets.sandbox.vntana.accounts import NORTHLIGHT, SHOWROOM, UNUSUAL, WORKSHOP
from ipyassets.sandbox.vntana.courier import is_local, sign, timestamp

from .conftest import Caller
from .receiver import Receiver, receiving
from .test_webhooks import create, request


@pytest.fixture
def receiver(sandbox: Sandbox) -> Iterator[Receiver]:
    sandbox.settings.vntana_webhook_backoff = 0.0
    with receiving() as receiver:
        yield receiver
        sandbox.webhooks.reset()


def emit(sandbox, *events, workspace=SHOWROOM):
    """Let something happen to the first product of a workspace; gives its uuid."""
    catalogue = sandbox.vntana_api.catalogue
    index = next(index for index in range(len(catalogue)) if catalogue.workspace(index) == workspace)
    for event in events:
        sandbox.vntana_api.bus.emit(event, index)
    return catalogue.products.uuid(index)


def outcomes(sandbox):
    return [delivery.outcome for delivery in sandbox.webhooks.deliveries]


def idle(sandbox):
    assert sandbox.webhooks.wait_idle(20)
    return sandbox.webhooks.deliveries


def disabled(admin, webhook):
    return admin.get(f"/v1/webhooks/{webhook['uuid']}").json()["response"]["disable"]


# What arrives


def test_the_signature_of_a_known_case():
    body = b'{"event":"renders.completed","product":{"uuid":"11111111-1111-1111-1111-111111111111"}}'
    expected = "3be3f595a05a27359e6ae831b0368b46a13155650eee4de065743bdbae604efb"
    assert sign("emulator-secret", "2026-01-29T16:35:59.000Z", body) == expected
    moment = datetime(2026, 1, 29, 16, 35, 59, tzinfo=UTC).timestamp()
    assert timestamp(moment) == "2026-01-29T16:35:59.000Z"
    assert timestamp(moment + 0.0129) == "2026-01-29T16:35:59.012Z"


def test_a_webhook_is_signed_over_its_raw_bytes(sandbox, admin, receiver):
    webhook = create(admin, url=f"{receiver.url}?key=1")
    sandbox.world.clock = lambda: 1_769_704_559.25
    emit(sandbox, "renders.completed", workspace=UNUSUAL)
    (post,) = receiver.wait(1)
    assert post.path == "/hook?key=1"
    assert post.headers["Content-Type"] == "application/json"
    assert post.headers["X-TIMESTAMP"] == "2026-01-29T16:35:59.250Z"
    message = post.headers["X-TIMESTAMP"].encode() + b"#" + post.body
    expected = hmac.new(webhook["secret"].encode(), message, hashlib.sha256).hexdigest()
    assert post.headers["X-VNTANA-SIGNATURE"] == expected
    assert "…".encode() in post.body  # not escaped: a receiver that parses first and signs then would fail


def test_what_is_told_of_renders_and_turntables(sandbox, admin, receiver):
    create(admin, "renders.completed", "turntable.failed", url=receiver.url)
    uuid = emit(sandbox, "renders.completed", "turntable.failed")
    renders, turntable = (post.json for post in receiver.wait(2))
    row = admin.get(f"/v1/products/{uuid}").json()["response"]
    assert renders == {
        "event": "renders.completed",
        "organization": {"uuid": NORTHLIGHT.uuid},
        "product": {
            **{name: row[name] for name in ("uuid", "name", "description", "status")},
            "asset": {
                name: row["asset"][name] for name in ("assetOriginalName", "assetOriginalSize", "generationRequestUuid")
            },
        },
        "client": {"uuid": SHOWROOM.uuid},
    }
    assert turntable == {**renders, "event": "turntable.failed"}


def test_what_is_told_of_products(sandbox, admin, receiver):
    create(admin, "asset.completed", url=receiver.url)
    uuid = emit(sandbox, "product.completed")
    (post,) = receiver.wait(1)
    row = admin.get(f"/v1/products/{uuid}").json()["response"]
    told = ("uuid", "name", "description", "attributes", "status", "autoPublish", "pipelineUuid")
    assert post.json == {
        "event": "product.completed",
        "organization": {"uuid": NORTHLIGHT.uuid},
        "product": {**{name: row[name] for name in told}, "tags": [tag["name"] for tag in row["tags"]]},
        "client": {"uuid": SHOWROOM.uuid},
    }
    sandbox.settings.vntana_webhook_asset_names = True
    emit(sandbox, "product.completed")
    assert receiver.wait(2)[1].json["event"] == "asset.completed"


def test_who_hears_of_what(sandbox, admin, receiver):
    create(admin, "renders.completed", url=f"{receiver.url}/whole")
    create(admin, "renders.completed", clients=[WORKSHOP.slug], url=f"{receiver.url}/slug")
    create(admin, "renders.completed", clients=[WORKSHOP.uuid], url=f"{receiver.url}/uuid")
    create(admin, "renders.completed", clients=["showroom"], url=f"{receiver.url}/other-workspace")
    create(admin, "renders.failed", url=f"{receiver.url}/other-event")
    create(admin, "renders.completed", disable=True, url=f"{receiver.url}/disabled")
    emit(sandbox, "renders.completed", workspace=WORKSHOP)
    idle(sandbox)
    assert sorted(post.path for post in receiver.posts) == ["/hook/slug", "/hook/uuid", "/hook/whole"]


def test_webhooks_of_one_receiver_arrive_in_their_order(sandbox, admin, receiver):
    create(admin, "renders.pending", "renders.processing", "renders.completed", url=receiver.url)
    happened = ["renders.pending", "renders.processing", "renders.completed"] * 10
    emit(sandbox, *happened)
    idle(sandbox)
    assert receiver.events == happened


def test_a_new_secret_counts_from_the_next_event(sandbox, admin, receiver):
    made = create(admin, url=receiver.url)
    renewed = admin.patch(f"/v1/webhooks/{made['uuid']}/secret").json()["response"]
    emit(sandbox, "renders.completed")
    (post,) = receiver.wait(1)
    signature = sign(renewed["secret"], post.headers["X-TIMESTAMP"], post.body)
    assert post.headers["X-VNTANA-SIGNATURE"] == signature


# Trouble on the way


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_every_2xx_accepts(sandbox, admin, receiver, status):
    create(admin, url=receiver.url)
    receiver.answers.append(status)
    emit(sandbox, "renders.completed")
    (delivery,) = idle(sandbox)
    assert (delivery.outcome, delivery.attempts, delivery.status) == ("delivered", [status], status)


def test_a_webhook_that_is_not_taken_is_sent_again_the_same_to_the_byte(sandbox, admin, receiver):
    made = create(admin, url=receiver.url)
    receiver.answers.extend([500, 404, 401])
    emit(sandbox, "renders.completed")
    (delivery,) = idle(sandbox)
    assert (delivery.outcome, delivery.attempts, delivery.status) == ("delivered", [500, 404, 401, 200], 200)
    assert len({(p.body, p.headers["X-TIMESTAMP"], p.headers["X-VNTANA-SIGNATURE"]) for p in receiver.posts}) == 1
    assert disabled(admin, made) is False


def test_after_five_tries_it_is_disabled_until_somebody_enables_it(sandbox, admin, receiver):
    made = create(admin, url=receiver.url)
    receiver.answers.extend([503] * 5)
    emit(sandbox, "renders.completed")
    (delivery,) = idle(sandbox)
    assert (delivery.outcome, delivery.attempts) == ("failed", [503] * 5)
    assert disabled(admin, made) is True
    emit(sandbox, "renders.completed")
    assert len(idle(sandbox)) == 1
    body = request(admin, url=receiver.url)
    assert admin.put(f"/v1/webhooks/{made['uuid']}", json=body).json()["response"]["disable"] is False
    emit(sandbox, "renders.completed")
    assert [d.outcome for d in idle(sandbox)] == ["failed", "delivered"]


def test_what_waits_for_a_disabled_or_deleted_webhook_is_given_up(sandbox, admin, receiver):
    made = create(admin, url=receiver.url)
    stalls = threading.Event()
    receiver.answers.append(stalls)
    emit(sandbox, "renders.completed", "renders.completed", "renders.completed")
    receiver.wait(1)
    admin.delete(f"/v1/webhooks/{made['uuid']}")
    stalls.set()
    idle(sandbox)
    assert outcomes(sandbox) == ["delivered", "abandoned", "abandoned"]


def test_how_often_and_whether_it_is_disabled_are_choices(sandbox, admin, receiver):
    sandbox.settings.vntana_webhook_tries = 2
    sandbox.settings.vntana_webhook_disables = False
    made = create(admin, url=receiver.url)
    receiver.answers.extend([500, 500])
    emit(sandbox, "renders.completed")
    (delivery,) = idle(sandbox)
    assert (delivery.outcome, len(delivery.attempts)) == ("failed", 2)
    assert disabled(admin, made) is False


def test_pauses_grow_twofold(sandbox, admin, receiver, monkeypatch):
    """The waits are skipped, and only they: the server's own loop sleeps by the same function, and must yield."""
    pauses = []
    slept = asyncio.sleep

    async def sleep(seconds, *rest):
        pauses.append(seconds)
        return await slept(0 if seconds >= 1 else seconds, *rest)

    sandbox.settings.vntana_webhook_backoff = 1.0
    monkeypatch.setattr("ipyassets.sandbox.vntana.deliveries.asyncio.sleep", sleep)
    create(admin, url="http://127.0.0.1:9/hook")
    emit(sandbox, "renders.completed")
    (delivery,) = idle(sandbox)
    assert [pause for pause in pauses if pause >= 1] == [1.0, 2.0, 4.0, 8.0]
    assert set(delivery.attempts) == {"ClientConnectorError"}
    assert delivery.status is None


def test_a_receiver_that_says_nothing_is_left(sandbox, admin, receiver):
    sandbox.settings.vntana_webhook_timeout = 0.2
    sandbox.settings.vntana_webhook_tries = 2
    create(admin, url=receiver.url)
    stalls = threading.Event()
    receiver.answers.append(stalls)
    emit(sandbox, "renders.completed")
    (delivery,) = idle(sandbox)
    stalls.set()
    assert delivery.outcome == "delivered"
    assert [type(attempt) for attempt in delivery.attempts] == [str, int]


def test_redirects_are_not_followed(sandbox, admin, receiver):
    sandbox.settings.vntana_webhook_tries = 1
    with receiving() as elsewhere:
        receiver.answers.append(307)
        receiver.location = elsewhere.url
        create(admin, url=receiver.url)
        emit(sandbox, "renders.completed")
        (delivery,) = idle(sandbox)
        assert delivery.attempts == [307]
        assert elsewhere.posts == []


def test_only_this_machine_is_called(sandbox, admin, receiver):
    for url in ("http://192.0.2.1/hook", "http://localhost.example/hook", "http://127.0.0.1@192.0.2.1/hook"):
        create(admin, url=url)
    emit(sandbox, "renders.completed")
    assert {(d.outcome, len(d.attempts)) for d in idle(sandbox)} == {("refused", 0)}
    assert is_local("http://localhost:5/x")
    assert is_local("http://127.8.9.1/x")
    assert is_local("https://[::1]:8443/x")
    assert not is_local("http://0.0.0.0/x")
    assert not is_local("http://127.0.0.1.example/x")


def test_other_machines_are_a_choice(sandbox, admin, monkeypatch):
    sent = []

    async def post(url, body, headers, seconds):
        sent.append((url, seconds))
        return 200

    monkeypatch.setattr("ipyassets.sandbox.vntana.deliveries.post", post)
    sandbox.settings.vntana_webhook_any_host = True
    create(admin, url="https://hooks.example/x")
    emit(sandbox, "renders.completed")
    assert idle(sandbox)[0].outcome == "delivered"
    assert sent == [("https://hooks.example/x", 10.0)]


# Mischief


def test_duplicates_are_the_same_to_the_byte(sandbox, admin, receiver):
    create(admin, "renders.completed", "renders.pending", url=receiver.url)
    sandbox.webhooks.duplicate(3, "renders.completed")
    emit(sandbox, "renders.pending", "renders.completed")
    assert [d.mischief for d in idle(sandbox)] == [None, None, "duplicate", "duplicate"]
    copies = [post for post in receiver.posts if post.json["event"] == "renders.completed"]
    assert len(copies) == 3
    assert len({(post.body, post.headers["X-VNTANA-SIGNATURE"]) for post in copies}) == 1
    with pytest.raises(ValueError, match="2 or more"):
        sandbox.webhooks.duplicate(1)
    sandbox.webhooks.clear()
    emit(sandbox, "renders.completed")
    assert len(idle(sandbox)) == 5


def test_some_never_come(sandbox, admin, receiver):
    create(admin, "asset.completed", "renders.completed", url=receiver.url)
    sandbox.webhooks.drop("renders.*", times=1)
    sandbox.webhooks.drop("asset.completed")  # either spelling
    emit(sandbox, "renders.completed", "product.completed", "product.completed", "renders.completed")
    assert [d.outcome for d in idle(sandbox)] == ["dropped"] * 3 + ["delivered"]
    assert receiver.events == ["renders.completed"]


def test_reordered_ones_keep_the_time_they_were_made(sandbox, admin, receiver):
    create(admin, "renders.pending", "renders.processing", "renders.completed", url=receiver.url)
    now = iter(range(1, 9))
    sandbox.world.clock = lambda: float(next(now))
    with sandbox.webhooks.reorder():
        emit(sandbox, "renders.pending", "renders.processing", "renders.completed")
        idle(sandbox)
        assert outcomes(sandbox) == ["held"] * 3
        assert receiver.posts == []
    idle(sandbox)
    assert receiver.events == ["renders.completed", "renders.processing", "renders.pending"]
    times = [post.headers["X-TIMESTAMP"] for post in receiver.posts]
    assert times == sorted(times, reverse=True)


def test_held_ones_come_late_or_never(sandbox, admin, receiver):
    create(admin, "renders.pending", "renders.completed", url=receiver.url)
    sandbox.webhooks.hold("renders.pending")
    emit(sandbox, "renders.pending", "renders.completed")
    idle(sandbox)
    assert receiver.events == ["renders.completed"]
    sandbox.webhooks.release()
    idle(sandbox)
    assert receiver.events == ["renders.completed", "renders.pending"]
    sandbox.webhooks.hold()
    emit(sandbox, "renders.pending")
    sandbox.webhooks.clear()
    sandbox.webhooks.release()
    assert [d.outcome for d in idle(sandbox)] == ["delivered", "delivered", "dropped"]


def test_a_replay_is_old_and_well_signed(sandbox, admin, receiver):
    create(admin, url=receiver.url)
    emit(sandbox, "renders.completed")
    (first,) = idle(sandbox)
    again = sandbox.webhooks.replay(first)
    idle(sandbox)
    assert (again.outcome, again.mischief) == ("delivered", "replay")
    one, other = receiver.posts
    assert (one.body, one.headers.items()) == (other.body, other.headers.items())


def test_a_forged_one_bears_a_wrong_signature(sandbox, admin, receiver):
    made = create(admin, url=receiver.url)
    product = emit(sandbox)
    receiver.answers.extend([403, 403])
    (forged,) = sandbox.webhooks.forge("renders.completed", product)
    sandbox.webhooks.forge("user.added", product, webhook=made["uuid"], signature="0" * 64)
    idle(sandbox)
    assert (forged.outcome, forged.attempts, forged.mischief) == ("failed", [403], "forged")
    assert disabled(admin, made) is False
    one, other = receiver.posts
    assert re.fullmatch("[0-9a-f]{64}", one.headers["X-VNTANA-SIGNATURE"])
    assert one.headers["X-VNTANA-SIGNATURE"] != sign(made["secret"], one.headers["X-TIMESTAMP"], one.body)
    assert other.headers["X-VNTANA-SIGNATURE"] == "0" * 64
    for wrong in (
        ("renders.failed", product, None),
        ("renders.completed", product, "x"),
        ("renders.completed", "x", None),
    ):
        with pytest.raises(LookupError):
            sandbox.webhooks.forge(wrong[0], wrong[1], webhook=wrong[2])


def test_secrets_and_addresses_are_in_no_repr(sandbox, admin, receiver):
    made = create(admin, url=f"{receiver.url}?key=geheim")
    emit(sandbox, "renders.completed")
    idle(sandbox)
    signature = receiver.posts[0].headers["X-VNTANA-SIGNATURE"]
    webhook = sandbox.vntana_api._webhooks._subscriptions.find(made["uuid"])
    text = repr((sandbox.webhooks, sandbox.webhooks.deliveries, webhook))
    assert "renders.completed" in text
    for secret in (made["secret"], signature, "geheim"):
        assert secret not in text


# Life


def test_stopping_waits_for_nobody_and_leaves_nothing():
    """A receiver that never answers, and tries that are minutes away."""
    before = set(threading.enumerate())
    with receiving() as receiver:
        stalls = threading.Event()
        receiver.answers.append(stalls)
        sandbox = Sandbox().start()
        sandbox.settings.vntana_webhook_backoff = 600.0
        sandbox.settings.vntana_webhook_timeout = 600.0
        with owner(sandbox) as admin:
            create(admin, url=receiver.url)
            create(admin, url="http://127.0.0.1:9/closed")
            emit(sandbox, "renders.completed")
            receiver.wait(1)
        sandbox.stop()
        assert outcomes(sandbox) == ["abandoned", "abandoned"]
        assert sandbox.webhooks.wait_idle(0)
        stalls.set()
    assert [thread.name for thread in set(threading.enumerate()) - before if thread.is_alive()] == []


def test_webhooks_outlive_a_restart():
    sandbox = Sandbox()
    with receiving() as receiver:
        with sandbox, owner(sandbox) as admin:
            made = create(admin, url=receiver.url)
            emit(sandbox, "renders.completed")
            idle(sandbox)
        emit(sandbox, "renders.completed")  # nobody is there to send it
        with sandbox, owner(sandbox) as admin:
            assert admin.get(f"/v1/webhooks/{made['uuid']}").json()["response"] == made
            emit(sandbox, "renders.completed")
            idle(sandbox)
        assert outcomes(sandbox) == ["delivered", "abandoned", "delivered"]


def test_the_api_answers_while_receivers_stall(sandbox, admin, receiver):
    create(admin, url=receiver.url)
    stalls = threading.Event()
    receiver.answers.append(stalls)
    emit(sandbox, *["renders.completed"] * 20)
    receiver.wait(1)
    assert not sandbox.webhooks.wait_idle(0)
    assert admin.get("/v1/webhooks/events/").is_success
    stalls.set()
    assert len(idle(sandbox)) == 20


@contextmanager
def owner(sandbox: Sandbox) -> Iterator[Caller]:
    """Of a sandbox that is not the one of this folder."""
    with Caller("admin", sandbox.connection_info()["vntana"]["admin_url"]) as caller:
        yield caller.enter(sandbox.vntana_api.owner, NORTHLIGHT)
