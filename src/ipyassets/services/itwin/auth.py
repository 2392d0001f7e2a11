"""Bearer tokens of the iTwin Platform: one that was given, or one that client credentials renew ahead of time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ipyassets.errors import AuthenticationError, BadResponse
from ipyassets.http.client import HttpClient
from ipyassets.http.messages import Answer, Authorizer, Call
from ipyassets.http.secret import Secret, SecretHeaders
from ipyassets.http.tokens import SharedToken, sendable, shared_token
from ipyassets.services.itwin.errors import explain
from ipyassets.services.wire import base_address

__all__ = ["ClientCredentials", "GivenToken"]

SCOPE: Final = "itwin-platform"
EARLY: Final = 60.0
"""Seconds before its end at which a token counts as expired, as in Bentley's own library."""
_MAX_TOKEN_ANSWER: Final = 1 << 20


class GivenToken(Authorizer):
    """An access token that somebody else got. It cannot be renewed."""

    def __init__(self, token: Secret) -> None:
        self._headers = _bearer(_bare(token))

    async def headers(self) -> Mapping[str, str]:
        return self._headers

    async def close(self) -> None:
        self._headers = SecretHeaders()


class ClientCredentials(Authorizer):
    """Tokens by the OAuth client credentials flow, shared by all clients in this process with the same credentials."""

    def __init__(self, client_id: Secret, client_secret: Secret, token_url: str) -> None:
        self._client_id = client_id
        self._client_secret = client_secret
        self._url = base_address(token_url, "Bentley iTwin token_url")
        self._token = shared_token("itwin", self._url, self._client_id, client_secret, SCOPE, early=EARLY)
        self._http = HttpClient("Bentley identity server", explain=explain, concurrency=2)

    async def headers(self) -> Mapping[str, str]:
        return _bearer(await self._token.get(self._login))

    def refused(self, answer: Answer, sent: Mapping[str, str]) -> bool:
        """Whether a new token may help: after a 401, and only for the token that was sent."""
        if answer.status != 401:
            return False
        self._token.forget(sent.get("Authorization", "").removeprefix("Bearer "))
        return True

    async def close(self) -> None:
        """Let go of the credentials and the token; other clients keep those they share."""
        self._token = SharedToken()
        self._client_id = self._client_secret = Secret("")
        await self._http.close()

    async def _login(self) -> tuple[Secret, float | None]:
        answer = await self._http.send(
            Call(
                "POST",
                self._url,
                headers={"Accept": "application/json"},
                form={
                    "grant_type": "client_credentials",
                    "scope": SCOPE,
                    "client_id": self._client_id.reveal(),
                    "client_secret": self._client_secret.reveal(),
                },
                repeatable=True,
                max_bytes=_MAX_TOKEN_ANSWER,
                what="an access token for these client credentials",
            )
        )
        token, lifetime = _issued(answer)
        if token is None:
            raise BadResponse(f"{answer.asked} answered without an access_token.", status=answer.status)
        _bearer(token)
        return token, lifetime


def _issued(answer: Answer) -> tuple[Secret | None, float | None]:
    """The token of an answer, and the seconds it lives, where they are told."""
    body = answer.json_object()
    token, lifetime = body.get("access_token"), body.get("expires_in")
    try:
        seconds = None if lifetime is None else float(lifetime)
    except (TypeError, ValueError, OverflowError):
        seconds = None
    return Secret(token) if isinstance(token, str) and token else None, seconds


def _bare(token: Secret) -> Secret:
    """The token alone: the portal's own "try it" page shows the header's whole value."""
    text = token.reveal().strip()
    scheme, _, rest = text.partition(" ")
    return Secret(rest.strip() if scheme.lower() == "bearer" else text)


def _bearer(token: Secret) -> SecretHeaders:
    if not sendable(token):
        raise AuthenticationError("The iTwin access token holds characters that none has; was it copied whole?")
    return SecretHeaders({"Authorization": f"Bearer {token.reveal()}"})
