from __future__ import annotations

import asyncio
import copy
import dataclasses
import json
import pickle
import pprint
import reprlib
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import keyring
import pytest
from keyring.backend import KeyringBackend
from rich.pretty import pretty_repr

from ipyassets.errors import InvalidRequest
from ipyassets.http import credentials, loop
from ipyassets.http.retry import DEFAULT_POLICY, retry_after_seconds
from ipyassets.http.secret import Secret, SecretHeaders, concealed
from ipyassets.http.tokens import shared_token


class InMemory(KeyringBackend):
    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password


def test_a_secret_neither_prints_nor_pickles_nor_copies():
    kept = Secret("canary")
    assert "canary" not in f"{kept!r} {kept} {[kept]} {kept:>20}"
    for action in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            action(kept)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError):
            pickle.dumps([kept], protocol)
    with pytest.raises(TypeError):
        kept.__getstate__()  # of Python 3.11, which gave what it holds to who pickles by hand
    for action in (json.dumps, vars, len, iter, bytes, dataclasses.asdict):
        with pytest.raises(TypeError):
            action(kept)
    assert "canary" not in json.dumps({"it": kept}, default=repr) + repr(dataclasses.replace(_Holder(kept)))
    with pytest.raises(TypeError):
        dataclasses.asdict(_Holder(kept))
    assert kept != "canary"
    assert kept != Secret("canary")
    assert hash(kept) != hash("canary")
    assert "canary" not in {kept: 1}
    with pytest.raises(TypeError):
        _ = "of " + kept  # type: ignore[operator]
    assert kept.reveal() == "canary"


@dataclasses.dataclass
class _Holder:
    secret: Secret


def test_headers_that_hold_a_secret_are_no_dict():
    """rich, in whose tracebacks notebooks show local variables, prints what is in a dict whatever its repr says."""
    headers = SecretHeaders({"Authorization": "Bearer canary", "Accept": "*/*"})
    shown = f"{headers!r} {headers} {pretty_repr(headers)} {pprint.pformat(headers)} {reprlib.repr(headers)}"
    assert "canary" not in shown
    assert "Authorization" in shown
    assert {**headers} == dict(headers.items()) == {"Authorization": "Bearer canary", "Accept": "*/*"}
    for action in (pickle.dumps, copy.copy, copy.deepcopy, json.dumps, SecretHeaders.__getstate__):
        with pytest.raises(TypeError):
            action(headers)


SAID = {
    "as it is": "no such key: canary-key",
    "in JSON": '{"error": "\\u0020canary-key"}',
    "in a URL": "/login?key=canary-key%2Fx&n=1",
    "the whole header": "got Authorization: Bearer canary-key/x",
    "a part of Basic": "user canary-user and canary-word",
    "Basic": "Basic Y2FuYXJ5LXVzZXI6Y2FuYXJ5LXdvcmQ=",
    "a signature": "<Signature>canary-sign+/=</Signature> of Policy=canary-policy",
}


@pytest.mark.parametrize("how", SAID)
def test_what_a_service_repeats_of_our_secrets_is_left_out(how: str):
    """An error that quoted the refused key was passed on with it: in messages, logs and saved notebooks."""
    held = [
        Secret("canary-key"),
        Secret("canary-key/x"),
        Secret("https://f/a?Signature=canary-sign%2B%2F%3D&Policy=canary-policy"),
    ]
    sent = {"Authorization": "Basic Y2FuYXJ5LXVzZXI6Y2FuYXJ5LXdvcmQ="}
    left = concealed(f"before {SAID[how]} after".encode(), sent).decode()
    assert "canary" not in left
    assert "Y2FuYXJ5" not in left
    assert left.startswith("before ")
    assert left.endswith(" after")
    assert held


def test_words_that_are_no_secret_are_left_as_they_are():
    short, request = Secret("key"), Secret("GET /x HTTP/1.1\r\nHost: here\r\n\r\n")
    assert concealed(b"no such key here, GET /x", {"Accept": "*/*"}) == b"no such key here, GET /x"
    assert short
    assert request


def test_the_argument_wins_over_the_environment_and_that_over_the_keyring(monkeypatch: pytest.MonkeyPatch):
    ring = InMemory()
    ring.set_password("ipyassets", "ITWIN_ACCESS_TOKEN", "from keyring")
    before = keyring.get_keyring()
    keyring.set_keyring(ring)
    try:

        def found(argument: str | None = None) -> str:
            secret = credentials.secret(argument, "ITWIN_ACCESS_TOKEN")
            return secret.reveal() if secret else "none"

        assert found() == "from keyring"
        monkeypatch.setenv("ITWIN_ACCESS_TOKEN", "from environment")
        assert found() == "from environment"
        assert found("argument") == "argument"
    finally:
        keyring.set_keyring(before)


def test_without_keyring_installed_there_is_simply_no_entry(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert credentials.secret(None, "ITWIN_ACCESS_TOKEN") is None


@pytest.mark.parametrize("wrong", [5, b"token", ["token"]], ids=repr)
def test_what_is_no_text_is_refused_and_not_shown(wrong: Any):
    """A number as token or organization was an AttributeError from the depths, at the first request."""
    for read in (credentials.secret, credentials.setting):
        with pytest.raises(InvalidRequest, match="VNTANA_WORKSPACE must be a str") as refused:
            read(wrong, "VNTANA_WORKSPACE")
        assert repr(wrong) not in str(refused.value)


def test_nobody_is_asked_where_nobody_is():
    assert not credentials.person_at_prompt()
    assert credentials.prompt("Password") is None


def test_one_login_for_many_callers():
    token = shared_token("test", "user", "one-login")
    logins = []

    async def login() -> tuple[Secret, float | None]:
        logins.append(1)
        await asyncio.sleep(0)
        return Secret("t"), None

    async def many() -> list[Secret]:
        return list(await asyncio.gather(*(token.get(login) for _ in range(20))))

    assert len({secret.reveal() for secret in loop.run(many())}) == 1
    assert len(logins) == 1
    assert shared_token("test", "user", "one-login") is token
    assert shared_token("test", "user", "another") is not token


def test_a_token_is_renewed_before_it_expires(monkeypatch: pytest.MonkeyPatch):
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    token = shared_token("test", "expiry", early=60)
    numbers = iter("123")

    async def login() -> tuple[Secret, float | None]:
        return Secret(next(numbers)), 3600

    async def get() -> str:
        return (await token.get(login)).reveal()

    real = loop.loop().time  # the loop's own clock must not stand still
    assert callable(real)
    assert [loop.run(get()), loop.run(get())] == ["1", "1"]
    now += 3541
    assert loop.run(get()) == "2"


def test_forgetting_an_old_token_keeps_the_new_one():
    """Two requests fail with the same stale token; the second must not throw away what the first just renewed."""
    token = shared_token("test", "forget")
    token.set(Secret("new"))
    token.forget("old")
    assert token.peek() is not None
    token.forget("new")
    assert token.peek() is None


def test_retry_after_in_its_forms():
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert retry_after_seconds({"retry-after": "2"}) == 2
    assert retry_after_seconds({"retry-after-ms": "1500"}) == 1.5
    assert 25 < (retry_after_seconds({"retry-after": soon}) or 0) <= 30
    for nonsense in ("", "soon", "nan", "-"):
        assert retry_after_seconds({"retry-after": nonsense}) is None
    assert retry_after_seconds({"retry-after": "-5"}) == 0


def test_waits_double_up_to_a_limit_with_jitter():
    waits = [DEFAULT_POLICY.delay(attempt, None) for attempt in range(1, 9)]
    assert all(0.75 * 0.5 * 2**n <= wait <= 0.5 * 2**n for n, wait in enumerate(waits[:4]))
    assert max(waits) <= DEFAULT_POLICY.longest


def test_blank_counts_as_unset_and_blanks_around_do_not_belong_to_it(monkeypatch: pytest.MonkeyPatch):
    """A variable of three blanks was a token, which the service then refused; so was one with a line's end."""
    monkeypatch.setenv("VNTANA_PERSONAL_ACCESS_TOKEN", "   ")
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert credentials.secret(None, "VNTANA_PERSONAL_ACCESS_TOKEN") is None
    assert credentials.secret(" \n", "VNTANA_PERSONAL_ACCESS_TOKEN") is None
    assert credentials.setting(" ", "VNTANA_PERSONAL_ACCESS_TOKEN", "default") == "default"
    monkeypatch.setenv("VNTANA_PERSONAL_ACCESS_TOKEN", "token\r\n")
    found = credentials.secret("  ", "VNTANA_PERSONAL_ACCESS_TOKEN")
    assert found is not None
    assert found.reveal() == "token"
    assert credentials.setting(None, "VNTANA_PERSONAL_ACCESS_TOKEN") == "token"
