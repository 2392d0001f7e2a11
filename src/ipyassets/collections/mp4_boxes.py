"""The boxes an MP4 is made of, looked at before FFmpeg makes memory of what stands in them."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import Final

from ipyassets.errors import BadResponse

__all__ = ["MOST_ENTRIES", "boxes", "refuse_large_tables"]

MOST_ENTRIES: Final = 2_000_000
"""Entries of all tables together; FFmpeg takes some 70 bytes for each, and many a table needs no bytes for its own."""
_BOX: Final = 8
"""Bytes of the head of a box: its size and its kind."""
_TABLES: Final = re.compile(rb"stsz|stz2|trun|elst|iloc|iinf|cmov")
_COUNTS: Final = {b"stsz": 8, b"stz2": 8, b"trun": 4, b"elst": 4}
"""Where behind its kind a table says how many entries it has."""


def boxes(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, beginning and end of each of the outermost boxes, as far as they are some; a cut one ends behind all."""
    at = 0
    while at + _BOX <= len(content):
        size, kind = struct.unpack_from(">I4s", content, at)
        if size == 1 and at + 2 * _BOX <= len(content):
            size = struct.unpack_from(">Q", content, at + _BOX)[0]
        elif size == 0:  # up to the end
            size = len(content) - at
        if size < _BOX:
            return
        yield kind, at, at + size
        at += size


def refuse_large_tables(content: bytes, what: str) -> None:
    """Raise `BadResponse`, calling it ``what``, for an MP4 whose tables say they have more than `MOST_ENTRIES`.

    A thousand bytes may say that there are billions of frames, all of one size, and FFmpeg then writes them down.
    Looked for wherever no pixels are: FFmpeg finds tables also where none belong. Films have no lists of items
    (``iloc``, ``iinf``), which FFmpeg makes room for as well, and nobody packs the tables themselves (``cmov``).
    """
    entries, edits = 0, 1
    for kind, at, end in boxes(content):
        if kind == b"mdat":
            continue
        for found in _TABLES.finditer(content, at, min(end, len(content))):
            place = _COUNTS.get(found[0])
            if place is None:
                raise BadResponse(f"{what} has tables that films do not have; it was not read.")
            count = int.from_bytes(content[found.end() + place : found.end() + place + 4], "big")
            if found[0] == b"elst":
                edits += count
            else:
                entries += count
    if entries * edits > MOST_ENTRIES:  # each edit is a list of its own of the frames there are
        raise BadResponse(f"{what} has tables of more than {MOST_ENTRIES:,} entries; it was not read.")
