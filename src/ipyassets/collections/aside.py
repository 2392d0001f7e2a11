"""Files that are in their place only once they are whole."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

__all__ = ["aside"]


@contextlib.contextmanager
def aside(path: Path, *, new: bool = False, place: Callable[[], Path] | None = None) -> Iterator[IO[bytes]]:
    """A file to write that then takes the place of ``path``, so that nobody ever reads half of it.

    ``new``: raises FileExistsError where there is one already. ``place`` tells at the end where it goes instead, in the
    same folder.
    """
    # Not tempfile.mkstemp: it makes files private, and to learn what they should be instead one has to change the umask
    # of the process for a moment, in which other threads make files that everybody may write to.
    there = path.with_name(f".ipyassets-{secrets.token_hex(8)}")
    file = there.open("xb")
    try:
        with file:
            yield file
        if new and _linked(there, path):
            there.unlink()
        else:
            there.replace(path if place is None else place())
    except BaseException:
        there.unlink(missing_ok=True)
        raise


def _linked(there: Path, path: Path) -> bool:
    """Give a file a second name that nobody has, at once; else take the name, and False: what it is for is to follow.

    Raises FileExistsError where somebody has it.
    """
    try:
        os.link(there, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        return False
    return True
