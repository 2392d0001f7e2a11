"""Bodies that come compressed, unpacked little by little: some hundred bytes may stand for a gigabyte.

httpx unpacks all of a piece at once, and brotli, zstd and several layers with it, none of which can be told where to
stop. Only what zlib does is asked for here, and only that is taken.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Final

from ipyassets.errors import BadResponse

__all__ = ["ACCEPTED", "PIECE", "encoding", "unpacked"]

ACCEPTED: Final = "gzip, deflate"
PIECE: Final = 256 * 1024
"""Bytes given at once at most."""
_KNOWN: Final = frozenset({"gzip", "x-gzip", "deflate"})
_GZIP: Final = b"\x1f\x8b"


def encoding(headers: Mapping[str, str], asked: str) -> str:
    """How a body is compressed; empty if it is not. Raises `BadResponse` for a way that was not asked for."""
    named = headers.get("content-encoding", "").strip().lower()
    if named and named != "identity" and named not in _KNOWN:
        raise BadResponse(f"{asked} answered in an encoding that was not asked for ({named:.40}).")
    return "" if named == "identity" else named


async def unpacked(raw: AsyncIterator[bytes], how: str, what: str) -> AsyncGenerator[bytes, None]:
    """What ``raw``, compressed as ``how`` says, stands for; nothing if empty. `BadResponse` names ``what``."""
    begun = b""
    inflate = None
    try:
        async for packed in raw:
            rest = packed
            if inflate is None:
                rest = begun = begun + packed
                if len(begun) < len(_GZIP):
                    continue
                inflate = zlib.decompressobj(_window(begun, how))
            while rest and not inflate.eof:
                if piece := inflate.decompress(rest, PIECE):
                    yield piece
                rest = inflate.unconsumed_tail
        while inflate is not None and (piece := inflate.decompress(b"", PIECE)):
            yield piece
    except zlib.error:
        raise BadResponse(f"{what} came packed, and cannot be unpacked.") from None
    if begun and (inflate is None or not inflate.eof):
        raise BadResponse(f"{what} came packed, and not whole.")


def _window(begun: bytes, how: str) -> int:
    """What tells zlib to look for gzip or zlib itself, or for neither: "deflate" is sent without its frame as well."""
    framed = begun.startswith(_GZIP) or (begun[0] & 15 == 8 and int.from_bytes(begun[:2]) % 31 == 0)
    return zlib.MAX_WBITS | 32 if framed or how != "deflate" else -zlib.MAX_WBITS
