"""Folders for as long as a process lives. Those of processes that were killed are removed by the next one.

A process holds a lock in each of its folders, which the system takes back however it ends: a folder whose lock is free
belongs to nobody. Where there are no such locks (Windows), what a killed process left stays.

Weighed: `tempfile.TemporaryDirectory`, which a kill outlives and which a forked child removes from its parent; names
with process ids, which are given out again.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

__all__ = ["discard", "scratch"]

_LOCK: Final = ".held"
_mine: Final[dict[Path, tuple[int, int | None]]] = {}
"""Folders of this process: its id (a forked child has them, too), and the open lock."""
_swept: Final[set[str]] = set()


def scratch(kind: str) -> Path:
    """A new folder that only this user can open, ``ipyassets-KIND-…``; it goes with `discard` or the process."""
    prefix = f"ipyassets-{kind}-"
    if prefix not in _swept:
        _swept.add(prefix)
        _sweep(prefix)
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    _mine[folder] = (os.getpid(), _held(folder))
    return folder


def discard(folder: Path) -> None:
    """Remove a folder of `scratch` and what is in it; in a forked child nothing is done. Safe to call twice."""
    process, lock = _mine.pop(folder, (None, None))
    if process == os.getpid():
        shutil.rmtree(folder, ignore_errors=True)
    if lock is not None:
        with contextlib.suppress(OSError):
            os.close(lock)


@atexit.register
def _discard_all() -> None:
    for folder in tuple(_mine):
        discard(folder)


def _held(folder: Path) -> int | None:
    """The lock of ``folder``, taken before it has its name: nobody finds it free."""
    new = folder / f"{_LOCK}.new"
    handle = os.open(new, os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_NOINHERIT", 0), 0o600)
    if not _locked(handle):
        os.close(handle)
        new.unlink()
        return None
    new.rename(folder / _LOCK)
    return handle


def _locked(handle: int) -> bool:
    """Take the lock of an open file if it is free; False where it is not, or there are none."""
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        return False
    return True


def _sweep(prefix: str) -> None:
    """Remove the folders of this user that begin so and that nobody holds."""
    for folder in _folders(prefix):
        try:
            handle = os.open(folder / _LOCK, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
        except OSError:  # of an older version, or just being made
            continue
        try:
            if folder not in _mine and _locked(handle):
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(handle)


def _folders(prefix: str) -> Iterator[Path]:
    if not hasattr(os, "getuid"):
        return
    with contextlib.suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                if entry.name.startswith(prefix):
                    found = entry.stat(follow_symlinks=False)
                    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid():
                        yield Path(entry.path)
