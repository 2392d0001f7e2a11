"""Members of an archive that has lost its directory, found by the headers before each of them.

Only to save what came of an archive that was cut off: `zipfile` reads the members themselves, and compares the
checksums. A member that was stored by a server that could not go back does not tell where it ends; none is looked for
behind one.
"""

from __future__ import annotations

import struct
import zlib
from typing import IO, Final
from zipfile import ZIP_DEFLATED, ZipInfo

from ipyassets.collections.members import ArchiveLimits, at_most

__all__ = ["EMPTY_DIRECTORY", "salvaged"]

_HEADER: Final = struct.Struct("<4s5H3L2H")
_SIGNATURE: Final = b"PK\x03\x04"
_ENDS: Final = (_SIGNATURE, b"PK\x01\x02")
_UTF8: Final = 0x800
_SIZES_AFTER: Final = 0x8
_ZIP64: Final = 1
_FULL: Final = 0xFFFFFFFF
_PIECE: Final = 1 << 16

EMPTY_DIRECTORY: Final = bytes(20) + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0, 0, 0, 0, 0)
"""What makes a ZIP file of whatever comes before it; its members are then opened by their `ZipInfo`.

The zeros: what stands in their place would be taken for a pointer to another directory, if it looks like one.
"""


def salvaged(file: IO[bytes], size: int, limits: ArchiveLimits) -> list[ZipInfo]:
    """The whole members at the beginning of ``file`` (``size`` bytes), as many as ``limits`` allow.

    None that unpacks to more than they allow is looked through for its end, and all of them together are not either:
    four megabytes may unpack to as many gigabytes.
    """
    found: list[ZipInfo] = []
    at, left = 0, at_most(size, limits)
    while len(found) < limits.members:
        file.seek(at)
        head = file.read(_HEADER.size)
        if len(head) < _HEADER.size or not head.startswith(_SIGNATURE):
            break
        info, start = _info(file, at, head)
        stop = start + info.compress_size
        if info.flag_bits & _SIZES_AFTER:
            after = _measured(file, info, start, min(limits.member_bytes, left))
            if after is None:
                break
            stop = after
            left -= info.file_size
        if stop > size:
            break
        found.append(info)
        at = stop
    return found


def _info(file: IO[bytes], at: int, head: bytes) -> tuple[ZipInfo, int]:
    """What the header says, and where the content begins."""
    _, _, flags, method, _, _, crc, packed, unpacked, name_length, extra_length = _HEADER.unpack(head)
    name, extra = file.read(name_length), file.read(extra_length)
    text = name.decode("utf-8" if flags & _UTF8 else "cp437", errors="replace")
    info = ZipInfo(text)
    info.orig_filename = text
    info.header_offset, info.flag_bits, info.compress_type = at, flags, method
    info.CRC, info.compress_size, info.file_size = crc, packed, unpacked
    if _FULL in (packed, unpacked):
        info.file_size, info.compress_size = _long_sizes(extra) or (unpacked, packed)
    return info, at + _HEADER.size + name_length + extra_length


def _long_sizes(extra: bytes) -> tuple[int, int] | None:
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == _ZIP64 and length >= 16 and at + 20 <= len(extra):
            unpacked, packed = struct.unpack_from("<QQ", extra, at + 4)
            return unpacked, packed
        at += 4 + length
    return None


def _measured(file: IO[bytes], info: ZipInfo, start: int, most: float) -> int | None:
    """Find sizes and checksum of a member that has them after its content; gives where the next one begins."""
    if info.compress_type != ZIP_DEFLATED:
        return None
    inflate, crc, count = zlib.decompressobj(-zlib.MAX_WBITS), 0, 0
    file.seek(start)
    packed = 0
    try:
        while not inflate.eof:
            piece = inflate.unconsumed_tail or file.read(_PIECE)
            if not piece:
                return None
            before = len(piece)
            out = inflate.decompress(piece, _PIECE)
            # At the end what is left over stands in both.
            packed += before - len(inflate.unused_data if inflate.eof else inflate.unconsumed_tail)
            crc, count = zlib.crc32(out, crc), count + len(out)
            if count > most:
                return None
    except zlib.error:
        return None
    info.CRC, info.compress_size, info.file_size = crc, packed, count
    end = start + packed
    file.seek(end)
    after = file.read(24 + 4)
    for length in (16, 24, 12, 20):  # with and without its signature, of 32 and of 64 bits
        mark = after[length : length + 4]
        if mark in _ENDS or (len(after) == length and not mark):
            return end + length
    return None
