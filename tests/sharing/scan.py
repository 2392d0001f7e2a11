"""What must not be in a file that is shared."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from ipyassets.sandbox import Sandbox

__all__ = ["found"]

SECRETS: Final = {
    "vntana": ("email", "password", "personal_access_token"),
    "itwin": ("token", "client_id", "client_secret"),
    "scenario": ("api_key", "api_secret"),
}
SIGNS: Final = ("bearer ", "x-goog-", "x-amz-", "key-pair-id", "policy=", "signature=")
"""Parts of signed addresses and of headers that log in."""


def found(text: str, sandbox: Sandbox, also: Iterable[str] = ()) -> list[str]:
    """What in ``text`` opens an account of ``sandbox``, or any, and each of ``also``; nothing, if all is well."""
    services = sandbox.connection_info()
    secrets = [services[service][name] for service, names in SECRETS.items() for name in names]
    assert all(len(secret) > 6 for secret in secrets)
    return [
        *(secret for secret in (*secrets, *also) if secret in text),
        *(sign for sign in (*SIGNS, sandbox.origin) if sign in text.lower()),
        *re.findall(r"eyJ[\w-]{8,}\.[\w-]{8,}\.", text),  # a token
        *re.findall(r"[\w.+-]+@[\w-]+\.[a-z]{2,}", text),  # an address of a person
    ]
