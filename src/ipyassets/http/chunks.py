"""Bodies whose length nobody knew when they began: HTTP's chunked coding (RFC 9112, section 7.1)."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["Chunks"]

_SIZE: Final = re.compile(rb"0*([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\x00\r\n]*)?")
_LONGEST_LINE: Final = 8192
_LONGEST_TRAILER: Final = 65536


class Chunks:
    """Takes a body as it comes and gives what it says. Trailers are read and dropped."""

    def __init__(self) -> None:
        self.over = False
        """Whether the end has come."""
        self.surplus = False
        """Whether anything came after the end."""
        self._line = bytearray()
        """A line that is not whole yet."""
        self._left = 0
        """Bytes to come of the present chunk."""
        self._closing = False
        """Whether the line end behind a chunk is still to come."""
        self._last = False
        self._trailer = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The pieces of the body in ``data``. Raises ValueError where it is not of this form."""
        pieces: list[bytes] = []
        at = 0
        while at < len(data) and not self.over:
            if self._left:
                piece = data[at : at + self._left]
                pieces.append(piece)
                at += len(piece)
                self._left -= len(piece)
                self._closing = self._left == 0
                continue
            end = data.find(b"\n", at)
            self._line += data[at:] if end < 0 else data[at : end + 1]
            if len(self._line) > _LONGEST_LINE:
                raise ValueError("a line is too long")
            if end < 0:
                return pieces
            at = end + 1
            line = bytes(self._line[:-1]).removesuffix(b"\r")
            self._line.clear()
            self._read(line)
        self.surplus = self.over and at < len(data)
        return pieces

    def _read(self, line: bytes) -> None:
        if self._closing:
            if line:
                raise ValueError("a chunk is longer than it said")
            self._closing = False
        elif self._last:
            self._trailer += len(line)
            if self._trailer > _LONGEST_TRAILER:
                raise ValueError("the trailer is too long")
            self.over = not line
        else:
            size = _SIZE.fullmatch(line)
            if size is None:
                raise ValueError("a chunk does not say how long it is")
            self._left = int(size[1], 16)
            self._last = self._left == 0
