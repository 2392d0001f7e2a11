"""What a look at a client's attributes gives away, whatever it is that looks."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import ipyassets as ia
from ipyassets.http import loop
from ipyassets.http.secret import Secret, SecretHeaders, _revealed

CANARY = "canary-5e1f"
CREDENTIALS = ("password", "personal_access_token", "token", "client_secret", "api_key", "api_secret")


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


@pytest.mark.parametrize("name", ["vntana", "itwin", "scenario"])
@pytest.mark.parametrize("how", ["closed", "collected"])
def test_a_client_that_is_done_with_leaves_no_secret_in_memory(sandbox: ia.Sandbox, name: str, how: str) -> None:
    """A closed iTwin client kept its token, and a closed VNTANA client the password, as long as a cell named them."""
    info = sandbox.connection_info()
    credentials = {value for part in info.values() for key, value in part.items() if key in CREDENTIALS}
    before = set(_revealed())
    client = getattr(sandbox, name)()
    assert client.search()[0]
    held = set(_revealed()) - before
    assert credentials & held or name == "scenario"
    assert any(value.startswith("Bearer ") or len(value) > 40 for value in held), "there is no token"
    if how == "closed":
        client.close()
    else:
        del client
    gc.collect()
    assert not set(_revealed()) - before - {""}
    if how == "closed":
        with pytest.raises(ia.InvalidRequest, match="closed"):
            client.search()[0]


def test_a_logged_out_client_holds_no_token(sandbox: ia.Sandbox) -> None:
    with sandbox.vntana() as client:
        assert client.search()[0]
        tokens = set(sandbox.vntana_api.tokens._live) & set(_revealed())
        assert tokens
        client.logout()
        gc.collect()
        assert not tokens & set(_revealed())
        assert not tokens & set(sandbox.vntana_api.tokens._live), "the service takes them still"


def test_nothing_of_the_board_outlives_the_process(sandbox: ia.Sandbox, tmp_path: Path) -> None:
    """Tokens that workers share lie in a folder that only this user can open, and not after the end."""
    program = (
        "import stat, pathlib, ipyassets as ia\n"
        "from ipyassets.http.board import open_board\n"
        "folder = pathlib.Path(open_board())\n"
        "client = ia.connect(sandbox=False).vntana\n"
        "client.search()[0]\n"
        "print(folder, len(list(folder.iterdir())), oct(stat.S_IMODE(folder.stat().st_mode)))\n"
        "raise RuntimeError('the end')"
    )
    environment = {**os.environ, **sandbox.environment(), "TMPDIR": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    folder, files, mode = ended.stdout.split()
    assert int(files) >= 2
    assert mode == "0o700"
    assert "the end" in ended.stderr
    assert not Path(folder).exists()
    assert not list(tmp_path.iterdir())
