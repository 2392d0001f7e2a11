"""Bugs that the matrix found."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ipyassets.clients.scenario import Scenario
from ipyassets.clients.vntana import Vntana
from ipyassets.collections.thumbnails import thumbnail
from ipyassets.errors import AssetServiceError, BadResponse
from ipyassets.http import loop
from ipyassets.sandbox import Sandbox


@pytest.fixture
def scenario(sandbox: Sandbox) -> Iterator[Scenario]:
    with sandbox.scenario() as client:
        yield client


@pytest.fixture
def vntana(sandbox: Sandbox) -> Iterator[Vntana]:
    with sandbox.vntana() as client:
        yield client


@pytest.mark.parametrize("kind", ["image/webp", "image/png"])
def test_a_picture_without_its_end_is_not_kept(sandbox: Sandbox, scenario: Scenario, kind: str) -> None:
    """Bytes of a poster, and thumbnails as they came, had their heads looked at alone: one cut off before it was sent
    was given as if it were whole, and kept for ever.
    """
    found = scenario.search(kind="image", filter=f'mimeType = "{kind}"', limit=1)
    asset = found[0]
    for fetch in (
        lambda: asset.poster_bytes(),
        lambda: loop.run(thumbnail(scenario.core, asset._record, 96)).content,
    ):
        sandbox.faults.add("/thumbnails/|/cdn/", kind="truncated", count=2)
        with pytest.raises(BadResponse, match=r"cut off|cannot be read"):
            fetch()
        sandbox.faults.clear()
        assert fetch()


def test_what_a_service_lists_twice_comes_once(sandbox: Sandbox, scenario: Scenario, vntana: Vntana) -> None:
    """A list that changed while it was read gave things twice; an organization that came twice could not be chosen."""
    sandbox.faults.add("/collections|/tags|/organizations|/client-organizations", kind="duplicate", count=None)
    for found in (
        [one.id for one in scenario.collections()],
        [one.name for one in scenario.tags()],
        [one.id for one in vntana.workspaces()],
    ):
        assert found
        assert len(found) == len(set(found))


def test_every_answer_that_makes_no_sense_says_what_to_do(sandbox: Sandbox, vntana: Vntana) -> None:
    """Errors about answers of the wrong shape said what had come, and nothing of what a person can do."""
    for body in ("[]", "{}", "null", '{"success": true, "response": {"grid": {}}}'):
        sandbox.faults.add("/search", kind="wrong_content", body=body)
        with pytest.raises(AssetServiceError, match=r"Try again|Check") as caught:
            vntana.search("chair")[0]
        assert str(caught.value).count("Try again") <= 1


def test_the_page_of_a_proxy_ends_no_token_and_deletes_nothing(sandbox: Sandbox, vntana: Vntana) -> None:
    """A page with status 200 in the place of the answer was taken for a yes: token and webhook lived on."""
    webhook = vntana.webhooks.create("http://127.0.0.1:9/", name="stays")
    for path, ask in (("/webhooks/", lambda: vntana.webhooks.delete(webhook)), ("/auth/logout", vntana.logout)):
        sandbox.faults.add(path, kind="html", count=None)
        with pytest.raises(BadResponse, match="proxy"):
            ask()
        sandbox.faults.clear()
    assert webhook.id in {one.id for one in vntana.webhooks.list()}
    vntana.webhooks.delete(webhook)
