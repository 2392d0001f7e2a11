"""The secrets that a signature may be made with: the present ones, and replaced ones for a while."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias, TypeGuard

from ipyassets.arguments import seconds
from ipyassets.errors import InvalidRequest
from ipyassets.http.secret import Secret

__all__ = ["Keys", "Secrets"]

Secrets: TypeAlias = str | Secret | Iterable[str | Secret]
"""One secret, or several that are good at once."""


class Keys:
    """Safe from any thread: each change puts a whole new tuple in place."""

    def __init__(self, secrets: Secrets = (), *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._present = _all(secrets)
        self._former: tuple[tuple[Secret, float], ...] = ()

    @classmethod
    def of(cls, secret: Secrets | Keys) -> Keys:
        """``secret`` as keys. Raises `InvalidRequest` where there is none; keys may get theirs later."""
        if isinstance(secret, Keys):
            return secret
        made = cls(secret)
        if not made.valid():
            raise InvalidRequest("A webhook app needs the webhook's secret: without it anybody could send events.")
        return made

    def valid(self) -> tuple[Secret, ...]:
        """The present ones first."""
        now = self._clock()
        return *self._present, *(secret for secret, until in self._former if now < until)

    def rotate(self, secrets: Secrets, grace: float) -> None:
        """Take ``secrets`` from now on; those before stay good for ``grace`` seconds, for what was on its way."""
        new = _all(secrets)
        if not new:
            raise InvalidRequest("There must be a secret to change to.")
        now = self._clock()
        until_then = now + (seconds("grace", grace) or 0.0)
        kept = tuple((secret, until) for secret, until in self._former if now < until)
        self._former = (*kept, *((secret, until_then) for secret in self._present))
        self._present = new

    def clear(self) -> None:
        """Forget them all: nothing is taken any more."""
        self._present, self._former = (), ()


def _all(secrets: Secrets) -> tuple[Secret, ...]:
    given: tuple[Any, ...] = tuple(secrets) if _several(secrets) else (secrets,)
    if not all(isinstance(secret, str | Secret) for secret in given):
        raise InvalidRequest("A webhook's secret must be a str, or several in a list.")
    found = tuple(secret if isinstance(secret, Secret) else Secret(secret) for secret in given)
    # With an empty key anybody could sign.
    if not all(secret.reveal().strip() for secret in found):
        raise InvalidRequest("A webhook's secret must not be empty.")
    return found


def _several(secrets: Secrets) -> TypeGuard[Iterable[str | Secret]]:
    return isinstance(secrets, Iterable) and not isinstance(secrets, str)
