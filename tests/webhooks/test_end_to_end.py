"""Webhooks as the sandbox really sends them: signed, retried, and troubled on request."""

from __future__ import annotations

import threading

import pytest

from ipyassets.services.events import Event, hub
from ipyassets.services.rendering import Turntable
from ipyassets.webhooks import WebhookReceiver
from tests.webhooks.senders import post

EVENTS = ("renders.*", "turntable.*", "product.*")


@pytest.fixture
def vntana(sandbox):
    with sandbox.vntana() as client:
        yield client


@pytest.fixture
def receiver(sandbox, vntana):
    sandbox.settings.vntana_webhook_backoff = 0.01
    with vntana.webhooks.receive(events=EVENTS) as running:
        yield running


def happen(sandbox, *names: str, index: int = 0) -> None:
    for name in names:
        sandbox.vntana_api.bus.emit(name, index)


def settled(sandbox) -> list[str]:
    """Wait until nothing is on its way; what became of each delivery."""
    assert sandbox.webhooks.wait_idle(60)
    return [delivery.outcome for delivery in sandbox.webhooks.deliveries]


def names(receiver: WebhookReceiver, count: int) -> list[str]:
    return [event.name for _, event in zip(range(count), receiver.events(timeout=30), strict=False)]


def test_what_happens_is_told(sandbox, vntana, receiver):
    published: list[Event] = []
    end = hub.subscribe(published.append)
    happen(sandbox, "renders.pending", "renders.processing", "renders.completed", "project.added")
    assert names(receiver, 3) == ["renders.pending", "renders.processing", "renders.completed"]
    end()
    first = vntana.asset(published[0].asset)
    assert first.id == sandbox.vntana_api.catalogue.products.uuid(0)
    assert published[0].workspace == first.raw["clientUuid"]
    assert settled(sandbox) == ["delivered"] * 3
    assert (receiver.received, receiver.refused, receiver.duplicates) == (3, {}, 0)


def test_names_with_umlauts_are_signed_as_they_are_sent(sandbox, receiver):
    """Bodies go out as UTF-8, unescaped: parsed and written anew, they would have another signature."""
    catalogue = sandbox.vntana_api.catalogue
    index = next(n for n in range(500) if not catalogue.name(n).isascii())
    happen(sandbox, "renders.completed", index=index)
    assert receiver.wait_for(timeout=30).raw["product"]["name"] == catalogue.name(index)


def test_copies_and_replays(sandbox, receiver):
    sandbox.webhooks.duplicate(4)
    happen(sandbox, "renders.completed")
    assert settled(sandbox) == ["delivered"] * 4
    sandbox.webhooks.clear()
    sandbox.webhooks.replay(sandbox.webhooks.deliveries[0])
    assert settled(sandbox) == ["delivered"] * 5  # thanked, so that nobody tries again
    assert (receiver.received, receiver.duplicates) == (1, 4)


def test_a_replay_of_yesterday(sandbox, receiver):
    now = sandbox.world.clock
    sandbox.world.clock = lambda: now() - 24 * 3600
    sandbox.settings.vntana_webhook_tries = 1
    happen(sandbox, "renders.completed")
    assert settled(sandbox) == ["failed"]
    assert receiver.refused == {"stale": 1}
    assert receiver.received == 0


def test_forgeries(sandbox, receiver):
    product = sandbox.vntana_api.catalogue.products.uuid(0)
    for signature in (None, "", "0" * 64, "é" * 10):
        sandbox.webhooks.forge("renders.completed", product, signature=signature)
    settled(sandbox)
    assert {delivery.status for delivery in sandbox.webhooks.deliveries} <= {401, None}
    assert receiver.received == 0
    assert sum(receiver.refused.values()) >= 3
    happen(sandbox, "renders.completed")
    assert receiver.wait_for("renders.completed", asset=product, timeout=30)


def test_disorder(sandbox, receiver):
    with sandbox.webhooks.reorder():
        happen(sandbox, "renders.pending", "renders.processing", "renders.completed")
    assert sorted(names(receiver, 3)) == ["renders.completed", "renders.pending", "renders.processing"]
    assert receiver.received == 3


def test_what_is_dropped_is_said_when_waited_for(sandbox, receiver):
    sandbox.webhooks.drop("renders.completed")
    happen(sandbox, "renders.processing", "renders.completed")
    assert receiver.wait_for("renders.processing", timeout=30)
    with pytest.raises(TimeoutError, match=r"No renders.completed came in 0.01 s\. 1 other events came"):
        receiver.wait_for("renders.completed", timeout=0.01)


def test_what_was_refused_at_first_is_tried_again_and_taken(sandbox, vntana):
    """A receiver that learns the new secret a moment after the service: the retry finds it."""
    sandbox.settings.vntana_webhook_backoff = 0.2
    with WebhookReceiver("not yet known") as receiver:
        webhook = vntana.webhooks.create(receiver.url)
        happen(sandbox, "renders.completed")
        while not receiver.refused:
            threading.Event().wait(0.005)
        receiver.rotate(webhook.secret)
        assert receiver.wait_for("renders.completed", timeout=30)
        assert settled(sandbox) == ["delivered"]
        assert sandbox.webhooks.deliveries[0].attempts[0] == 401
        assert sandbox.webhooks.deliveries[0].attempts[-1] == 200


def test_handlers_that_raise_cause_no_retries(sandbox, receiver, caplog):
    done = threading.Event()
    receiver.on("renders.completed")(lambda event: 1 / 0)
    receiver.on("renders.completed")(lambda event: done.set())
    happen(sandbox, "renders.completed")
    assert done.wait(30)
    assert settled(sandbox) == ["delivered"]
    assert sandbox.webhooks.deliveries[0].attempts == [200]
    assert "a handler of 'renders.completed' failed" in caplog.text


def test_a_handler_uses_the_client(sandbox, vntana, receiver):
    posters = {}
    done = threading.Event()

    @receiver.on("product.completed")
    def fetch(event: Event) -> None:
        posters[event.asset] = vntana.asset(event.asset).poster(width=64)
        done.set()

    happen(sandbox, "product.completed")
    assert done.wait(30)
    assert [image.width for image in posters.values()] == [64]


def test_in_the_catalogues_spelling_too(sandbox, receiver):
    sandbox.settings.vntana_webhook_asset_names = True
    happen(sandbox, "product.completed")
    event = receiver.wait_for("product.completed", timeout=30)
    assert event.raw["event"] == "asset.completed"


def test_stopping_while_deliveries_are_on_their_way(sandbox, vntana, receiver):
    happen(sandbox, *["renders.processing"] * 20)
    receiver.stop()
    outcomes = settled(sandbox)
    assert set(outcomes) <= {"delivered", "abandoned", "failed"}
    assert outcomes.count("delivered") == receiver.received + receiver.duplicates
    assert vntana.webhooks.list() == []


def test_two_receivers_for_two_webhooks(sandbox, vntana, receiver):
    with vntana.webhooks.receive(events="renders.failed") as second:
        happen(sandbox, "renders.completed", "renders.failed")
        assert names(receiver, 2) == ["renders.completed", "renders.failed"]
        assert names(second, 1) == ["renders.failed"]
        assert (receiver.refused, second.refused) == ({}, {})


def test_of_a_render_job_every_stage_is_told(sandbox, vntana, receiver):
    chair = vntana.search("chair")[0]
    film = Turntable(frames=3, fps=3, width=64, height=64)
    # It would look by itself so late that the wait below were over.
    job = vntana.render(chair, width=64, height=48, turntable=film, poll=1000)
    for part in ("renders", "turntable"):
        for word in ("pending", "processing", "completed"):
            assert receiver.wait_for(f"{part}.{word}", asset=chair, timeout=120).stage is not None
    job.wait(100)
    assert job.status == "completed"
    assert [image.size for image in job.stills()] == [(64, 48)] * 5


def test_a_body_of_the_services_own_sent_by_somebody_else(sandbox, receiver):
    """The true bytes, caught on their way, under a signature for other bytes."""
    happen(sandbox, "renders.pending", "renders.completed")
    settled(sandbox)
    one, two = sandbox.webhooks.deliveries
    assert post(receiver.url, two.body, dict(one.headers))[0] == 401
    assert receiver.received == 2
