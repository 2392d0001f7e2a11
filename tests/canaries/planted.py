"""A sandbox all of whose secrets hold one mark.

Passwords, keys, tokens, secrets of webhooks and the signatures of URLs are as random as ever, with the mark before and
behind. So whatever of them is written down somewhere is found by a search for the mark (`tests.canaries.search`), whole
or in part, also where it was encoded on the way.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Final

import pytest

from ipyassets.sandbox import Sandbox

__all__ = ["MARK", "planted"]

MARK: Final = "C4N4RY7QX2"
"""Capitals and digits: it survives being put into a URL, a header, JSON or a form as it is."""

_MAKERS: Final = (
    "itwin.oauth",
    "scenario.api",
    "scenario.signing",
    "vntana.accounts",
    "vntana.subscriptions",
    "vntana.tokens",
)
"""Modules of the sandbox that make secrets."""


@contextlib.contextmanager
def planted(sandbox: type[Sandbox] = Sandbox) -> Iterator[Sandbox]:
    """A running sandbox whose every credential, token and signature holds `MARK`."""
    from ipyassets.sandbox.scenario.signing import Signer
    from ipyassets.sandbox.vntana.storage import StorageApi

    def marked(make):
        return lambda *size: f"{MARK}{make(*size)}{MARK}"

    with pytest.MonkeyPatch.context() as patch:
        made = {name: marked(getattr(secrets, name)) for name in ("token_hex", "token_urlsafe")}
        for module in _MAKERS:
            patch.setattr(f"ipyassets.sandbox.{module}.secrets", SimpleNamespace(**{**vars(secrets), **made}))
        for signer in (Signer, StorageApi):
            patch.setattr(signer, "_mark", marked(signer._mark))
        with sandbox() as running:
            yield running
