"""One token per credential in this process, however many clients share it; with workers, on this machine.

Several services revoke the older token when a newer one is asked for, so two clients with the same credentials would
knock each other out. They share one here, and only one of them logs in at a time.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import sqlite3
import threading
import time
import weakref
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from ipyassets.http.board import Entry, board
from ipyassets.http.loop import LoopLock
from ipyassets.http.secret import Secret

__all__ = ["SharedToken", "sendable", "shared_token"]

_BROKEN: Final = (OSError, sqlite3.Error)
"""What a board raises whose folder is gone, full or broken: then each process has a token of its own."""

Login = Callable[[], Awaitable[tuple[Secret, float | None]]]
"""Logs in and gives the token and the seconds it lives (None: not told)."""


class SharedToken:
    """A token, and the lock that keeps two logins from running at once. Lives on the loop thread."""

    def __init__(self, *, early: float = 60.0, identity: Sequence[str | Secret] = ()) -> None:
        self._early = early
        self._identity = identity
        self._token: Secret | None = None
        self._refused: bytes | None = None
        self._expires: float | None = None
        self._lock = LoopLock()

    async def get(self, login: Login) -> Secret:
        """The current token, after ``login`` if there is none or it is about to expire."""
        async with self._lock:
            token = self._good()
            if token is None:
                token, lifetime = await self._new(login)
                self.set(token, lifetime)
            return token

    async def _new(self, login: Login) -> tuple[Secret, float | None]:
        """Another process's token where there is one that has not been refused, else one by ``login``."""
        shared = board()
        if shared is None or not self._identity:
            return await login()
        async with contextlib.AsyncExitStack() as held:
            entry: Entry | None = None
            found = None
            with contextlib.suppress(*_BROKEN):
                entry = await held.enter_async_context(shared.entry(self._identity))
                found = entry.read()
            if found is not None and _mark(found[0]) != self._refused:
                lifetime = None if found[1] is None else found[1] - time.time()
                if lifetime is None or lifetime > self._early:
                    return found[0], lifetime
            token, lifetime = await login()
            if entry is not None:
                with contextlib.suppress(*_BROKEN):
                    entry.write(token, None if lifetime is None else time.time() + lifetime)
            return token, lifetime

    def peek(self) -> Secret | None:
        """The current token, if there is one; logs nobody in."""
        return self._good()

    def set(self, token: Secret, lifetime: float | None = None) -> None:
        self._token = token
        # Refresh ahead of time, but never so early that a short-lived token would be renewed for every request.
        self._expires = None if lifetime is None else time.monotonic() + lifetime - min(self._early, lifetime / 10)

    def forget(self, token: Secret | str | None = None) -> None:
        """Drop the token; given one, only if it is still the current one (another caller may have renewed it)."""
        if self._token is not None and (token is None or self._token.reveal() == _text(token)):
            self._refused = _mark(self._token)  # and not itself, which nobody needs any more
            self._token = self._expires = None

    def _good(self) -> Secret | None:
        if self._token is not None and self._expires is not None and time.monotonic() > self._expires:
            return None
        return self._token


def sendable(token: Secret) -> bool:
    """Whether it can be a token at all: one that could not be sent would stand in the way of every later request."""
    text = token.reveal()
    return bool(text) and text.isascii() and text.isprintable() and " " not in text


def _mark(token: Secret) -> bytes:
    """By which it is known again."""
    return hashlib.blake2b(token.reveal().encode("utf-8", "surrogatepass"), key=_salt).digest()


def _text(value: Secret | str) -> str:
    return value.reveal() if isinstance(value, Secret) else value


_salt: Final = secrets.token_bytes(16)
_lock = threading.Lock()  # clients are made on any thread
_tokens: weakref.WeakValueDictionary[bytes, SharedToken] = weakref.WeakValueDictionary()


def _after_fork() -> None:
    global _lock  # noqa: PLW0603
    _lock = threading.Lock()  # the thread that may have held it is not here


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def shared_token(*identity: str | Secret, early: float = 60.0) -> SharedToken:
    """The token of all clients with this ``identity`` (base URL, user, secret, scope). Keep a reference to it."""
    digest = hashlib.blake2b(key=_salt)
    for part in map(_text, identity):
        digest.update(len(part).to_bytes(4, "big") + part.encode("utf-8", "surrogatepass"))
    key = digest.digest()
    with _lock:
        token = _tokens.get(key)
        if token is None:
            token = _tokens[key] = SharedToken(early=early, identity=identity)
        return token
