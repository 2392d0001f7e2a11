"""Tokens shared by the processes of one machine: workers with the same account must not end each other's.

The credentials themselves are not on the board, and its path is all that is sent to workers. It is a folder that only
this user can open, gone when the process that made it ends; whoever can read it could read the environment of the
workers just as well. Processes on other machines do not find it, and get tokens of their own.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import hashlib
import os
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Final

from ipyassets.http.secret import Secret

__all__ = ["Entry", "TokenBoard", "board", "join_board", "open_board"]

_PATIENCE: Final = 60.0
"""Seconds to wait for another process that is logging in."""


class TokenBoard:
    """A folder with one small database for each token; its lock keeps two logins from running at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextlib.asynccontextmanager
    async def entry(self, identity: Iterable[str]) -> AsyncIterator[Entry]:
        """The place of the token of ``identity``, for nobody else as long as the block runs."""
        digest = hashlib.blake2b(key=self.folder.name.encode()[:64], digest_size=16)
        for part in identity:
            digest.update(len(part).to_bytes(4, "big") + part.encode())
        opening = asyncio.ensure_future(asyncio.to_thread(self._begin, digest.hexdigest()))
        try:
            file = await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_let_go)
            raise
        with contextlib.closing(file):
            yield Entry(file)

    def _begin(self, name: str) -> sqlite3.Connection:
        file = sqlite3.connect(
            self.folder / f"{name}.db", timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        try:
            file.execute("BEGIN IMMEDIATE")  # of a process that is killed, the lock goes with it
            file.execute("CREATE TABLE IF NOT EXISTS token (value TEXT, expires REAL)")
        except BaseException:
            file.close()
            raise
        return file


def _let_go(opening: asyncio.Future[sqlite3.Connection]) -> None:
    """Close what came for somebody who no longer waits."""
    if opening.exception() is None:
        opening.result().close()


class Entry:
    """One token on the board."""

    def __init__(self, file: sqlite3.Connection) -> None:
        self._file = file

    def read(self) -> tuple[Secret, float | None] | None:
        """The token, and when it ends by `time.time`, if that is known."""
        row = self._file.execute("SELECT value, expires FROM token").fetchone()
        return None if row is None else (Secret(row[0]), row[1])

    def write(self, token: Secret, expires: float | None) -> None:
        """Put ``token`` in the place of what was there."""
        self._file.execute("DELETE FROM token")
        self._file.execute("INSERT INTO token VALUES (?, ?)", (token.reveal(), expires))
        self._file.execute("COMMIT")


_board: TokenBoard | None = None


def board() -> TokenBoard | None:
    """The board of this process, if it has one and it is still there."""
    return _board if _board is not None and _board.folder.is_dir() else None


def open_board() -> str:
    """The folder of this process's board, which is made if it has none: for its workers."""
    global _board  # noqa: PLW0603
    found = board()
    if found is None:
        found = _board = TokenBoard(Path(tempfile.mkdtemp(prefix="ipyassets-tokens-")))  # for this user alone
        atexit.register(_remove, os.getpid(), found.folder)
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


def _remove(process: int, folder: Path) -> None:
    if os.getpid() == process:  # and not a forked child
        shutil.rmtree(folder, ignore_errors=True)
