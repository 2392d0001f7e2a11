from __future__ import annotations

import subprocess
import sys

import pytest

from ipyassets.clients.vntana import AsyncVntana
from ipyassets.clients.webhooks import VntanaWebhooks
from ipyassets.errors import AuthenticationError, InvalidRequest, NotFound, PermissionDenied
from ipyassets.http.secret import Secret
from ipyassets.services.events import hub
from ipyassets.webhooks import WebhookReceiver

URL = "https://notebook.example/hooks"


@pytest.fixture
def vntana(sandbox):
    with sandbox.vntana() as client:
        yield client


def secrets_of(sandbox) -> list[str]:
    return [webhook.secret for webhook in sandbox.vntana_api.webhooks._subscriptions.all()]


def test_the_catalogue(vntana):
    kinds = vntana.webhooks.events()
    assert {"product.completed", "renders.completed", "turntable.failed", "client.added"} <= {k.name for k in kinds}
    assert all(kind.id and kind.category and kind.description for kind in kinds)


def test_a_webhook_is_made_changed_and_deleted(sandbox, vntana):
    webhooks = vntana.webhooks
    assert webhooks.list() == []
    made = webhooks.create(
        URL,
        events=("renders.completed", "asset.completed"),
        name="notebook",
        email="ada@northlight-home.example",
        workspaces="showroom",
        description="for the tests",
    )
    assert (made.name, made.url, made.enabled, made.workspaces) == ("notebook", URL, True, ("showroom",))
    assert (made.email, made.description) == ("ada@northlight-home.example", "for the tests")
    assert set(made.events) == {"renders.completed", "product.completed"}
    assert isinstance(made.secret, Secret)
    assert webhooks.list() == [webhooks.get(made.id)] == [made]

    changed = webhooks.update(made, url="https://other.example/", enabled=False, events="turntable.*")
    assert (changed.url, changed.enabled, changed.name) == ("https://other.example/", False, "notebook")
    assert set(changed.events) == {f"turntable.{word}" for word in ("pending", "processing", "completed", "failed")}
    assert changed.secret.reveal() == made.secret.reveal()

    renewed = webhooks.rotate_secret(made.id)
    assert renewed.secret.reveal() != made.secret.reveal()
    assert [renewed.secret.reveal()] == secrets_of(sandbox)

    webhooks.delete(made)
    assert webhooks.list() == []
    with pytest.raises(NotFound, match="WEBHOOK_NOT_FOUND"):
        webhooks.get(made)


def test_the_default_is_all_of_renders_and_turntables(vntana):
    made = vntana.webhooks.create(URL)
    assert {name.partition(".")[0] for name in made.events} == {"renders", "turntable"}
    assert len(made.events) == 8
    assert made.email == "ada@northlight-home.example"


def test_no_secret_shows(sandbox, vntana):
    made = vntana.webhooks.create(URL)
    (secret,) = secrets_of(sandbox)
    assert secret not in repr(made) + repr(vars(vntana.webhooks)) + repr(vntana.webhooks.list()) + repr(made.raw)
    with vntana.webhooks.receive() as receiver:
        held = secrets_of(sandbox)
        assert len(held) == 2
        shown = repr(receiver) + repr(vars(receiver)) + repr(vars(receiver._secrets)) + repr(receiver.webhook)
        assert not any(secret in shown for secret in held)


@pytest.mark.parametrize(
    "url",
    [
        "http://notebook.example/hooks",
        "http://127.0.0.1.notebook.example/",
        "ftp://notebook.example/",
        "notebook.example",
        "https://",
        "https://[",
        "https://host:0/",
        "",
        None,
        5,
    ],
)
def test_an_address_that_is_not_safe_is_refused_before_anything_is_sent(sandbox, vntana, url):
    """Events over plain http could be read, and replayed, by everybody on the way."""
    sandbox.faults.log.clear()
    for refuse in (lambda: vntana.webhooks.create(url), lambda: vntana.webhooks.update("some-id", url=url)):
        with pytest.raises(InvalidRequest, match="https://") as caught:
            refuse()
        assert "notebook" not in str(caught.value)
    if url is not None:
        with pytest.raises(InvalidRequest, match="https://"):
            vntana.webhooks.receive(url)
    assert sandbox.faults.requests("/webhooks") == []


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/", "http://localhost/x", "http://[::1]:8000/", "https://a.example"]
)
def test_addresses_that_are_taken(vntana, url):
    assert vntana.webhooks.create(url).url == url


def test_an_event_that_is_none_is_refused_with_the_likely_one(sandbox, vntana):
    with pytest.raises(InvalidRequest, match=r"no event 'renders.complete'. Did you mean 'renders.completed'\?"):
        vntana.webhooks.create(URL, events=["renders.complete"])
    with pytest.raises(InvalidRequest, match="at least one event"):
        vntana.webhooks.create(URL, events=())
    with pytest.raises(InvalidRequest, match="no event"), vntana.webhooks.receive(events="nothing.*"):
        raise AssertionError("it started")
    assert vntana.webhooks.list() == []
    assert not hub.receiving


def test_changes_that_are_none(vntana):
    with pytest.raises(InvalidRequest, match="no keyword secret here, but these: url, events"):
        vntana.webhooks.update("some-id", secret="mine")  # type: ignore[call-arg]
    with pytest.raises(InvalidRequest, match="Got nothing"):
        vntana.webhooks.update("some-id")
    with pytest.raises(InvalidRequest, match="no keyword mail here, but these: name, email"):
        vntana.webhooks.receive(mail="ada@northlight-home.example")  # type: ignore[call-arg]
    with pytest.raises(InvalidRequest, match="a Webhook or its id, not int"):
        vntana.webhooks.delete(5)


def test_who_may_not_is_told(sandbox):
    viewer = sandbox.vntana_api.viewer
    arguments = {"email": viewer.email, "password": viewer.password}
    with sandbox.vntana(**arguments) as client, pytest.raises(AuthenticationError, match="the role does not allow it"):
        client.webhooks.list()


# -- a receiver with a webhook of its own ----------------------------------------------------------------------------


def test_the_webhook_lives_as_long_as_the_receiver(vntana):
    receiver = vntana.webhooks.receive(events=("renders.completed",), name="notebook", workspaces="showroom")
    assert (receiver.running, receiver.webhook) == (False, None)
    assert vntana.webhooks.list() == []
    with receiver:
        assert receiver.start() is receiver
        (made,) = vntana.webhooks.list()
        assert made == receiver.webhook
        assert (made.url, made.name, made.events) == (receiver.url, "notebook", ("renders.completed",))
        assert made.workspaces == ("showroom",)
    receiver.stop()
    assert (receiver.running, receiver.webhook) == (False, None)
    assert vntana.webhooks.list() == []
    with receiver:
        assert [webhook.url for webhook in vntana.webhooks.list()] == [receiver.url]
    assert vntana.webhooks.list() == []


def test_a_public_address_is_what_the_service_is_told(vntana):
    with vntana.webhooks.receive(URL, path="/hooks") as receiver:
        assert receiver.webhook.url == URL
        assert receiver.url.startswith("http://127.0.0.1:")


def test_nothing_runs_if_the_service_refuses(sandbox, vntana):
    sandbox.faults.add("/v1/webhooks/", status=403, body={"success": False, "errors": ["INVALID_OPERATION_FOR_ROLE"]})
    receiver = vntana.webhooks.receive()
    with pytest.raises(PermissionDenied, match="role"):
        receiver.start()
    assert not receiver.running
    assert not hub.receiving


def test_nothing_is_taken_before_the_service_has_told_the_secret(vntana):
    from tests.webhooks.senders import payload, post, signed

    receiver = vntana.webhooks.receive()
    WebhookReceiver.start(receiver)
    try:
        assert post(receiver.url, payload(), signed(payload(), secret=""))[0] == 401
    finally:
        receiver.stop()
    assert receiver.received == 0


def test_a_webhook_that_cannot_be_deleted_is_named(sandbox, vntana, caplog):
    receiver = vntana.webhooks.receive().start()
    id = receiver.webhook.id
    sandbox.faults.add(f"/v1/webhooks/{id}", status=403, body={"success": False, "errors": ["ACCESS_DENIED"]})
    receiver.stop()
    assert not receiver.running
    (message,) = [record.getMessage() for record in caplog.records if record.name == "ipyassets.webhooks"]
    assert f"vntana.webhooks.delete('{id}')" in message
    sandbox.faults.clear()
    vntana.webhooks.delete(id)


def test_a_webhook_that_is_gone_already_is_no_trouble(vntana, caplog):
    with vntana.webhooks.receive() as receiver:
        vntana.webhooks.delete(receiver.webhook)
    assert caplog.messages == []


def test_a_client_that_was_closed_before_its_receiver(sandbox, caplog):
    client = sandbox.vntana()
    receiver = client.webhooks.receive().start()
    client.close()
    receiver.stop()
    assert not receiver.running
    assert "stays at the service" in caplog.text


def test_rotation_of_the_receivers_own(sandbox, vntana):
    with vntana.webhooks.receive(events="renders.completed") as receiver:
        (before,) = secrets_of(sandbox)
        receiver.rotate_secret()
        assert secrets_of(sandbox) != [before]
        for index in range(2):
            sandbox.vntana_api.bus.emit("renders.completed", index)
            assert receiver.wait_for(timeout=30).name == "renders.completed"
        assert receiver.refused == {}
    with pytest.raises(RuntimeError, match="not running"):
        receiver.rotate_secret()


def test_a_script_that_never_stops_its_receiver_takes_the_webhook_along(sandbox, vntana):
    code = (
        "import os\nfrom ipyassets.clients.vntana import Vntana\n"
        "receiver = Vntana().webhooks.receive().start()\n"
        "print(receiver.webhook.id)\n"
    )
    environment = {**sandbox.environment(), "PATH": "", "HOME": "/nonexistent"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert len(done.stdout.strip()) == 36
    assert done.stderr == ""
    assert vntana.webhooks.list() == []


async def test_async(sandbox):
    info = sandbox.connection_info()["vntana"]
    async with AsyncVntana(
        info["personal_access_token"],
        organization=info["organization_uuid"],
        workspace=info["workspace_uuid"],
        base_url=info["admin_url"],
    ) as vntana:
        webhooks = vntana.webhooks
        assert "renders.completed" in {kind.name for kind in await webhooks.events()}
        made = await webhooks.create(URL)
        assert (await webhooks.update(made, name="renamed")).name == "renamed"
        assert (await webhooks.get(made)).name == "renamed"
        assert (await webhooks.rotate_secret(made)).secret.reveal() != made.secret.reveal()
        await webhooks.delete(made)
        with pytest.raises(InvalidRequest, match="https"):
            await webhooks.create("http://public.example")
        with pytest.raises(InvalidRequest, match="Got nothing"):
            await webhooks.update(made)
        async with webhooks.receive(events="product.*") as receiver:
            assert [webhook.url for webhook in await webhooks.list()] == [receiver.url]
            sandbox.vntana_api.bus.emit("product.published", 0)
            async for event in receiver.events("asset.published", timeout=30):
                assert event.name == "product.published"
                break
            assert receiver.received == 1
        assert await webhooks.list() == []


def test_both_clients_have_the_same_methods():
    from ipyassets.clients.webhooks import AsyncVntanaWebhooks

    def public(kind: type) -> set[str]:
        return {name for name in dir(kind) if not name.startswith("_")}

    assert public(VntanaWebhooks) == public(AsyncVntanaWebhooks)
