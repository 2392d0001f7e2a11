"""Basic authorization with an API key and its secret."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from ipyassets.errors import AuthenticationError
from ipyassets.http.messages import Authorizer
from ipyassets.http.secret import Secret, SecretHeaders

__all__ = ["BasicKeys"]


class BasicKeys(Authorizer):
    """An API key and its secret. They belong to one project and do not expire by themselves."""

    def __init__(self, api_key: Secret, api_secret: Secret) -> None:
        if not _usable(api_key, api_secret):
            raise AuthenticationError(
                "The Scenario API key and its secret must not be empty, and the key has no colon."
            )
        pair = Secret(f"{api_key.reveal().strip()}:{api_secret.reveal().strip()}")
        self._header = Secret("Basic " + base64.b64encode(pair.reveal().encode()).decode())

    async def headers(self) -> Mapping[str, str]:
        return SecretHeaders({"Authorization": self._header.reveal()})

    def forget(self) -> None:
        self._header = Secret("")


def _usable(api_key: Secret, api_secret: Secret) -> bool:
    key = api_key.reveal().strip()
    return bool(key) and ":" not in key and bool(api_secret.reveal().strip())
