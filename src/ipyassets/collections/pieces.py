"""A file of which only some pieces are here, for readers that want a whole one."""

from __future__ import annotations

import io
import os
from bisect import bisect_right
from collections.abc import Callable
from typing import IO

__all__ = ["Missing", "Pieces"]


class Missing(Exception):
    """Bytes ``start`` up to ``stop`` are not here: to be fetched. `zipfile` would take an OSError for a broken file."""

    def __init__(self, start: int, stop: int) -> None:
        super().__init__(f"bytes {start} to {stop} are not here")
        self.start, self.stop = start, stop


class Pieces(io.RawIOBase):
    """``size`` bytes, read-only, of which those that were put in are here.

    Whoever reads on several threads seeks and reads under one lock, as `zipfile` does; `put` and `drop` may come from
    any thread.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.check: Callable[[bytes], None] | None = None
        """Looks at what is read, and may raise."""
        self._at = 0
        self._starts: list[int] = []
        self._pieces: dict[int, tuple[int, bytes | IO[bytes]]] = {}

    def put(self, start: int, piece: bytes | IO[bytes], length: int) -> None:
        """``piece``: bytes, or an open file of them; ``length`` of it."""
        pieces = {**self._pieces, start: (start + length, piece)}
        # Whole new tables in one step each: a reader on another thread sees the old ones or the new.
        self._pieces = pieces
        self._starts = sorted(pieces)

    def drop(self, start: int) -> None:
        """Take a piece out again; a file is closed."""
        starts = [one for one in self._starts if one != start]
        self._starts = starts
        _, piece = self._pieces[start]
        self._pieces = {one: there for one, there in self._pieces.items() if one != start}
        if not isinstance(piece, bytes):
            piece.close()

    def clear(self) -> None:
        self._starts, self._pieces = [], {}

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise OSError("before the beginning")  # as a real file has it
        self._at = base + offset
        return self._at

    def read(self, size: int | None = -1, /) -> bytes:
        stop = self.size if size is None or size < 0 else min(self._at + size, self.size)
        if stop <= self._at:
            return b""
        pieces, starts = self._pieces, self._starts
        found = bisect_right(starts, self._at) - 1
        start = starts[found] if found >= 0 else 0
        end, piece = pieces.get(start, (0, b""))
        if end < stop:
            raise Missing(self._at, stop)
        at, self._at = self._at, stop
        if isinstance(piece, bytes):
            content = piece[at - start : stop - start]
        else:
            piece.seek(at - start)
            content = piece.read(stop - at)
        if self.check is not None:
            self.check(content)
        return content
