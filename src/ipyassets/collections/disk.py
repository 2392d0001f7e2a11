"""Room on disks, looked after while much is written: a file without an end must not take all of it."""

from __future__ import annotations

import errno
import shutil
import tempfile
from pathlib import Path
from typing import IO, Final

__all__ = ["SPARE", "Room"]

SPARE: Final = 64 << 20
"""Bytes that are left free."""
_LOOK_EVERY: Final = 16 << 20


class Room:
    """Writes to files in ``folder`` (that of temporary files by default), as long as there is room."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = Path(tempfile.gettempdir()) if folder is None else folder
        self._unseen = 0

    def write(self, file: IO[bytes], piece: bytes | memoryview) -> None:
        """Write ``piece``. Raises `OSError` where only `SPARE` bytes would be left of the disk. Blocks."""
        self._unseen += len(piece)
        if self._unseen >= _LOOK_EVERY:
            self._unseen = 0
            if shutil.disk_usage(self._folder).free < SPARE:
                raise OSError(errno.ENOSPC, f"the disk is nearly full, and {SPARE >> 20} MB of it are left free")
        file.write(piece)
