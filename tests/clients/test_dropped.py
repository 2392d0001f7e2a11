"""What a client that is closed or logged out no longer holds, in the whole process."""

from __future__ import annotations

import gc

import ipyassets as ia
from ipyassets.http import secret, tokens
from tests.waiting import begun


def held(before: set[int]) -> list[str]:
    """All secrets of this process that are not empty, but for those that were there ``before``."""
    gc.collect()
    return [one.reveal() for one in list(secret._held) if one and id(one) not in before]


def test_a_closed_client_leaves_no_secret_behind(sandbox: ia.Sandbox) -> None:
    """Also while assets, posters and a widget of it live on; a download holds the signed URL of what it brings."""
    gc.collect()
    kept = list(secret._held)  # of other tests, alive so that their ids stay theirs
    before = set(map(id, kept))
    shared = dict(tokens._tokens)
    clients = vntana, *_ = sandbox.vntana(), sandbox.itwin(), sandbox.scenario()
    assets = [client.search()[0] for client in clients]
    posters = [asset.poster() for asset in assets]
    with begun():
        explorer = ia.Explorer(*clients)
    assert len(held(before)) >= 5
    vntana.logout()
    assert vntana.core._ladder._session.token.peek() is None
    for client in clients:
        client.close()
    assert not held(before)
    assert dict(tokens._tokens) == shared
    assert assets[0].name
    assert posters
    assert explorer is not None


def test_nor_does_one_that_is_closed_in_the_middle(sandbox: ia.Sandbox) -> None:
    """The Explorer kept the error of its search with all that led to it, and the search, on its way, a new token."""
    gc.collect()
    kept = list(secret._held)
    before, shared = set(map(id, kept)), dict(tokens._tokens)
    for _ in range(5):
        with begun():
            clients = sandbox.vntana(), sandbox.itwin(), sandbox.scenario()
            explorer = ia.Explorer(*clients)
            for client in clients:
                client.close()
        assert not held(before)
        assert dict(tokens._tokens) == shared
        assert explorer is not None
