"""What a look at a client's attributes gives away, whatever it is that looks."""

from __future__ import annotations

from typing import Any

import pytest

import ipyassets as ia
from ipyassets.http import loop
from ipyassets.http.secret import Secret, SecretHeaders

CANARY = "canary-5e1f"


def texts(thing: Any, seen: set[int]) -> list[str]:
    """Every text that ``thing`` holds in attributes and containers of its own, at any depth, but in secrets."""
    if isinstance(thing, str | bytes):
        return [str(thing)]
    if id(thing) in seen or isinstance(thing, type | Secret | SecretHeaders):
        return []
    seen.add(id(thing))
    parts: list[Any] = []
    if isinstance(thing, dict):
        parts = [*thing.keys(), *thing.values()]
    elif isinstance(thing, list | tuple | set | frozenset):
        parts = list(thing)
    elif type(thing).__module__.startswith("ipyassets"):
        slots = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]
        parts = [*getattr(thing, "__dict__", {}).values(), *(getattr(thing, name, None) for name in slots)]
    return [text for part in parts for text in texts(part, seen)]


@pytest.mark.parametrize(
    "make",
    [
        lambda: ia.ITwin(token=CANARY),
        lambda: ia.ITwin(client_id="service", client_secret=CANARY),
        lambda: ia.Scenario(api_key="key", api_secret=CANARY),
        lambda: ia.Vntana(personal_access_token=CANARY),
        lambda: ia.Vntana(email="a@b.example", password=CANARY),
    ],
    ids=["iTwin token", "iTwin client", "Scenario", "VNTANA token", "VNTANA password"],
)
def test_no_attribute_holds_a_credential_as_text(make: Any) -> None:
    """Inspectors of variables show attributes at any depth; only `Secret` and its headers may hold one."""
    with make() as client:
        held = texts(client, set())
        assert client.base_url in held
        assert not any(CANARY in text for text in held)


@pytest.mark.parametrize("make", [lambda: ia.ITwin(token=CANARY), lambda: ia.Scenario(api_key="k", api_secret=CANARY)])
def test_headers_with_a_credential_do_not_print(make: Any) -> None:
    with make() as client:
        authorizer = client.core._authorizer if isinstance(client, ia.ITwin) else client.core._keys
        assert CANARY not in repr(loop.run(authorizer.headers()))
