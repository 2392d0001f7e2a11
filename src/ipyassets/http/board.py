"""Tokens shared by the processes of one machine: workers with the same account must not end each other's.

No secret is on the board: tokens are sealed with a key made of the credentials themselves, which each worker has from
its own environment, so that what lies there is of use only to who could log in anyway. Its path is all that is sent to
workers. It is a folder that only this user can open, gone when the process that made it ends. Processes on other
machines do not find it, and get tokens of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import os
import secrets
import sqlite3
import stat
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Final

from ipyassets.http.scratch import scratch
from ipyassets.http.secret import Secret

__all__ = ["Entry", "TokenBoard", "board", "join_board", "open_board"]

_PATIENCE: Final = 60.0
"""Seconds to wait for another process that is logging in."""


class TokenBoard:
    """A folder with one small database for each token; its lock keeps two logins from running at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextlib.asynccontextmanager
    async def entry(self, identity: Iterable[str | Secret]) -> AsyncIterator[Entry]:
        """The place of the token of ``identity``, for nobody else as long as the block runs.

        ``identity`` has the credentials in it: the token is sealed with them. Raises `OSError` and `sqlite3.Error`
        where the folder is gone or broken.
        """
        opening = asyncio.ensure_future(asyncio.to_thread(self._opened, list(identity)))
        try:
            entry = await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_let_go)
            raise
        with contextlib.closing(entry):
            yield entry

    def _opened(self, identity: Iterable[str | Secret]) -> Entry:
        name, seal = self._sealed(identity)
        return Entry(self._begin(name), seal)

    def _sealed(self, identity: Iterable[str | Secret]) -> tuple[str, Seal]:
        """The name of an entry, and its seal. Slow on purpose: a name must not help to guess a password."""
        parts = [
            (part.reveal() if isinstance(part, Secret) else part).encode("utf-8", "surrogatepass") for part in identity
        ]
        said = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        made = hashlib.scrypt(said, salt=self.folder.name.encode(), n=1 << 13, r=8, p=1, dklen=80)
        return made[:16].hex(), Seal(made[16:48], made[48:])

    def _begin(self, name: str) -> sqlite3.Connection:
        file = sqlite3.connect(
            self.folder / f"{name}.db", timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        try:
            file.execute("BEGIN IMMEDIATE")  # of a process that is killed, the lock goes with it
            file.execute("CREATE TABLE IF NOT EXISTS token (value BLOB, expires REAL)")
        except BaseException:
            file.close()
            raise
        return file


def _let_go(opening: asyncio.Future[Entry]) -> None:
    """Close what came for somebody who no longer waits."""
    if opening.exception() is None:
        opening.result().close()


class Seal:
    """Makes a text unreadable to who has not the key, and tells whether it was tampered with.

    The standard library has no cipher; a keyed hash in counter mode is one, and another one over it the usual check.
    """

    __slots__ = ("_check", "_key")

    def __init__(self, key: bytes, check: bytes) -> None:
        self._key = key
        self._check = check

    def closed(self, text: Secret) -> bytes:
        nonce = secrets.token_bytes(16)
        body = nonce + self._mixed(text.reveal().encode(), nonce)
        return hashlib.blake2b(body, key=self._check, digest_size=32).digest() + body

    def opened(self, content: bytes) -> Secret | None:
        """The text; None if it was sealed with another key, or is not whole."""
        check, body = content[:32], content[32:]
        if not hmac.compare_digest(check, hashlib.blake2b(body, key=self._check, digest_size=32).digest()):
            return None
        return Secret(self._mixed(body[16:], body[:16]).decode())

    def _mixed(self, text: bytes, nonce: bytes) -> bytes:
        blocks = range(-(-len(text) // 64))
        stream = b"".join(hashlib.blake2b(nonce + n.to_bytes(8, "big"), key=self._key).digest() for n in blocks)
        return bytes(a ^ b for a, b in zip(text, stream, strict=False))


class Entry:
    """One token on the board."""

    def __init__(self, file: sqlite3.Connection, seal: Seal) -> None:
        self._file = file
        self._seal = seal

    def read(self) -> tuple[Secret, float | None] | None:
        """The token, and when it ends by `time.time`, if that is known."""
        row = self._file.execute("SELECT value, expires FROM token").fetchone()
        token = None if row is None else self._seal.opened(row[0])
        return None if token is None else (token, row[1])

    def write(self, token: Secret, expires: float | None) -> None:
        """Put ``token`` in the place of what was there."""
        self._file.execute("DELETE FROM token")
        self._file.execute("INSERT INTO token VALUES (?, ?)", (self._seal.closed(token), expires))
        self._file.execute("COMMIT")

    def close(self) -> None:
        """Let the next one in."""
        self._file.close()


_board: TokenBoard | None = None


def board() -> TokenBoard | None:
    """The board of this process, if it has one and it is still there."""
    return _board if _board is not None and _board.folder.is_dir() else None


def open_board() -> str:
    """The folder of this process's board, which is made if it has none: for its workers."""
    global _board  # noqa: PLW0603
    found = board()
    if found is None:
        found = _board = TokenBoard(scratch("tokens"))
    return str(found.folder)


def join_board(folder: str) -> None:
    """Share tokens with the process that opened the board, if it is on this machine and of this user."""
    global _board  # noqa: PLW0603
    path = Path(folder)
    if _board is not None and _board.folder == path:
        return
    try:
        status = path.lstat()
    except OSError:
        return
    if not stat.S_ISDIR(status.st_mode):
        return
    if hasattr(os, "getuid") and (status.st_uid != os.getuid() or status.st_mode & 0o077):
        return
    _board = TokenBoard(path)
