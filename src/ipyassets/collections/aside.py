"""Files that are in their place only once they are whole."""

from __future__ import annotations

import contextlib
import os
import tempfile
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
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".ipyassets-")
    there = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        umask = os.umask(0)
        os.umask(umask)
        there.chmod(0o666 & ~umask)  # mkstemp makes it private
        if new:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        there.replace(path if place is None else place())
    except BaseException:
        there.unlink(missing_ok=True)
        raise
