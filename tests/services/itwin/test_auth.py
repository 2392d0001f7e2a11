from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from ipyassets.errors import AuthenticationError, BadResponse, InvalidRequest, ServiceUnavailable
from ipyassets.http import loop, tokens
from ipyassets.http.messages import Answer
from ipyassets.http.secret import Secret
from ipyassets.sandbox import Sandbox
from ipyassets.services.itwin.auth import ClientCredentials, GivenToken, _issued
from ipyassets.services.itwin.client import ITwinService
from tests.services.itwin.conftest import quick

TOKEN = "/connect/token"
Make = Callable[..., ITwinService]


def logins(sandbox: Sandbox) -> int:
    return len(sandbox.faults.requests(TOKEN, "POST"))


@pytest.mark.parametrize("text", ["abc.def", "  abc.def\n", "Bearer abc.def", "bearer  abc.def"])
def test_a_token_may_be_pasted_with_its_scheme(text: str) -> None:
    assert loop.run(_headers(GivenToken(Secret(text)))) == {"Authorization": "Bearer abc.def"}


def test_a_lifetime_without_end_is_none_that_was_told() -> None:
    """A whole number of 400 digits was a bare OverflowError at the login."""
    answer = Answer(200, {}, b'{"access_token": "abc", "expires_in": 1' + 400 * b"0" + b"}", "POST /connect/token")
    assert _issued(answer)[1] is None


async def _headers(authorizer: GivenToken) -> dict[str, str]:
    return dict(await authorizer.headers())


@pytest.mark.parametrize("text", ["", "  ", "Bearer ", "abc\ndef", "abc def", "töken"])
def test_what_cannot_be_a_token_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(AuthenticationError) as caught:
        GivenToken(Secret(text))
    assert not text.strip() or text.strip() not in str(caught.value)


def test_one_login_serves_many_requests_and_many_clients(sandbox: Sandbox, with_credentials: Make) -> None:
    first, second = with_credentials(), with_credentials()

    async def go() -> None:
        await asyncio.gather(*(service.workspaces() for service in (first, second) * 5))

    loop.run(go())
    assert logins(sandbox) == 1


def test_token_is_renewed_before_it_expires(
    sandbox: Sandbox, with_credentials: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(tokens, "time", SimpleNamespace(monotonic=lambda: now[0]))
    service = with_credentials()
    loop.run(service.workspaces())
    now[0] += 3600 - 61
    loop.run(service.workspaces())
    assert logins(sandbox) == 1
    now[0] += 2
    loop.run(service.workspaces())
    assert logins(sandbox) == 2


def test_short_lived_tokens_are_used_more_than_once(
    sandbox: Sandbox, with_credentials: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tokens that lived shorter than the sixty seconds of early renewal were renewed for every single request."""
    monkeypatch.setattr(sandbox.settings, "itwin_token_lifetime", 30.0)
    service = with_credentials()
    for _ in range(3):
        loop.run(service.workspaces())
    assert logins(sandbox) == 1


def test_an_expired_token_is_renewed_once_and_the_request_sent_again(
    sandbox: Sandbox, with_credentials: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = with_credentials()
    loop.run(service.workspaces())
    later = sandbox.world.clock() + 7200  # the platform's clock runs on, ours does not notice
    monkeypatch.setattr(sandbox.world, "clock", lambda: later)
    assert loop.run(service.workspaces())
    assert logins(sandbox) == 2


def test_a_401_that_a_new_token_does_not_cure_is_an_authentication_error(
    sandbox: Sandbox, with_credentials: Make
) -> None:
    sandbox.faults.add("/itwins", status=401, count=None, body={"error": {"code": "HeaderNotFound", "message": "No."}})
    with pytest.raises(AuthenticationError) as caught:
        loop.run(with_credentials().workspaces())
    assert (caught.value.status, caught.value.code) == (401, "HeaderNotFound")
    assert logins(sandbox) == 2
    assert len(sandbox.faults.requests("/itwins")) == 2


def test_a_given_token_is_not_renewed(sandbox: Sandbox, made: list[ITwinService]) -> None:
    made.append(quick(ITwinService(GivenToken(Secret("stale.token")), base_url=f"{sandbox.origin}/itwin")))
    with pytest.raises(AuthenticationError, match="client_secret") as caught:
        loop.run(made[-1].workspaces())
    assert caught.value.status == 401
    assert len(sandbox.faults.log) == 1


def test_wrong_client_credentials(sandbox: Sandbox, with_credentials: Make) -> None:
    with pytest.raises(AuthenticationError, match="invalid_client") as caught:
        loop.run(with_credentials("wrong-secret").workspaces())
    assert "wrong-secret" not in str(caught.value)
    assert logins(sandbox) == 1


@pytest.mark.parametrize("kind", ["html", "reset"])
def test_identity_server_in_trouble(sandbox: Sandbox, with_credentials: Make, kind: str) -> None:
    sandbox.faults.add(TOKEN, kind=kind, count=None)  # type: ignore[arg-type]
    with pytest.raises(BadResponse if kind == "html" else ServiceUnavailable):
        loop.run(with_credentials().workspaces())


def test_identity_server_has_a_bad_moment(sandbox: Sandbox, with_credentials: Make) -> None:
    sandbox.faults.add(TOKEN, status=503, count=2)
    assert loop.run(with_credentials().workspaces())


@pytest.mark.parametrize("body", [{}, {"access_token": ""}, {"access_token": 7}])
def test_an_answer_without_a_token(sandbox: Sandbox, with_credentials: Make, body: dict[str, object]) -> None:
    sandbox.faults.add(TOKEN, status=200, body=body)
    with pytest.raises(BadResponse, match="access_token"):
        loop.run(with_credentials().workspaces())


def test_form_is_not_sent_to_another_host(sandbox: Sandbox, with_credentials: Make) -> None:
    port = sandbox.origin.rpartition(":")[2]
    sandbox.faults.add(TOKEN, kind="redirect", status=307, location=f"http://localhost:{port}/itwin/connect/token")
    with pytest.raises(BadResponse, match="another host"):
        loop.run(with_credentials().workspaces())
    assert logins(sandbox) == 1


def test_secrets_are_nowhere_to_be_read(
    sandbox: Sandbox, with_credentials: Make, caplog: pytest.LogCaptureFixture
) -> None:
    info = sandbox.connection_info()["itwin"]
    service = with_credentials()
    sandbox.faults.add("/imodels", status=403, body={"error": {"code": "InsufficientPermissions", "message": "No."}})
    with caplog.at_level(logging.DEBUG), pytest.raises(Exception, match="InsufficientPermissions") as caught:
        loop.run(service.record("5e19bee0-3aea-4355-a9f0-c6df9989ee7d"))
    token = service._authorizer._token.peek()
    assert token is not None
    texts = [caplog.text, str(caught.value), repr(caught.value), repr(caught.value.__dict__), repr(vars(service))]
    texts += [repr(vars(service._authorizer)), repr(token)]
    for secret in (info["client_secret"], token.reveal()):
        assert all(secret not in text for text in texts)


@pytest.mark.parametrize("url", ["ftp://x/token", "https://user:password@host/token", "token", "http://h/?a=b", ""])
def test_token_url_is_checked_and_not_quoted(url: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        ClientCredentials(Secret("id"), Secret("secret"), url)
    assert "password" not in str(caught.value).replace("user or password", "")
