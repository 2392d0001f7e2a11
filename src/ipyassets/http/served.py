"""What one answer says of the file it brings: which part, of which version, in which encoding; and its bytes."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from pathlib import PurePosixPath
from typing import Final

from ipyassets.errors import BadResponse, ServiceUnavailable
from ipyassets.http.exchange import Arriving
from ipyassets.http.partial import firm_tag
from ipyassets.http.unpacking import PIECE, encoding, unpacked

__all__ = ["Body", "Version", "file_name", "plain_name"]

_RANGE: Final = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/(?:([0-9]{1,18})|\*)")
_LENGTH: Final = re.compile(r"[0-9]{1,18}")
"""No file has more bytes than that many digits tell; Python reads no number of some thousands."""
_LONGEST_DISPOSITION: Final = 4096
"""Characters; the time the standard library takes grows as their square: ten seconds for a long one."""
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Version:
    """What tells one content of a file from another."""

    size: int | None = None
    """Bytes."""
    tag: str | None = None
    """The ETag, if it is a strong one: a weak one may stand for other bytes."""
    modified: str | None = None
    """Last-Modified."""

    @property
    def validator(self) -> str | None:
        """For If-Range."""
        return self.tag or self.modified

    @property
    def mark(self) -> str | None:
        """A short text that is the same for the same content, later on too; None if the server says too little."""
        if self.validator is None:
            return None
        return hashlib.sha256(f"{self.validator} {self.size}".encode()).hexdigest()[:32]

    def differs(self, other: Version) -> bool:
        """Whether ``other`` is surely of other content."""
        if None not in (self.size, other.size) and self.size != other.size:
            return True
        if self.tag and other.tag:
            return self.tag != other.tag
        return bool(self.modified and other.modified and self.modified != other.modified)

    def joined(self, other: Version) -> Version:
        """All that two answers said."""
        return Version(
            other.size if self.size is None else self.size, self.tag or other.tag, self.modified or other.modified
        )


@dataclass(frozen=True, slots=True)
class Body:
    """What the body of one answer is."""

    part: bool
    """Whether it came as a part (206)."""
    start: int
    """Of its first byte in the file."""
    length: int | None
    """Bytes on the wire."""
    encoding: str
    """``gzip`` or ``deflate``; empty if its bytes are those of the file."""
    version: Version
    _arriving: Arriving = field(repr=False)

    @property
    def packed(self) -> bool:
        """Whether its bytes are not those of the file."""
        return bool(self.encoding)

    @property
    def stop(self) -> int:
        """The byte after its last one."""
        return self.start + (self.length or 0)

    @classmethod
    def of(cls, arriving: Arriving, media_type: str | None) -> Body:
        """Read the headers. Raises `BadResponse` where they contradict each other, or a web page came instead."""
        headers = arriving.headers
        if arriving.content_type == "text/html" and media_type not in (None, "text/html"):
            raise BadResponse(f"{arriving.asked} answered with a web page where {media_type} was promised.")
        packed = encoding(headers, arriving.asked)
        length = _whole(headers.get("content-length"))
        start, size = 0, None if packed else length
        part = arriving.status == 206
        if part:
            found = _RANGE.fullmatch(headers.get("content-range", "").strip())
            first, last = (int(found[1]), int(found[2])) if found else (0, -1)
            size = int(found[3]) if found and found[3] else None
            span = last - first + 1
            if packed or span < 1 or (size is not None and last >= size) or length not in (None, span):
                raise BadResponse(f"{arriving.asked} answered with a part and does not rightly say which one.")
            start, length = first, span
        modified = headers.get("last-modified", "").strip()
        sendable = modified.isascii() and modified.isprintable()
        version = Version(size, firm_tag(headers), modified if modified and sendable else None)
        return cls(part, start, length, packed, version, arriving)

    async def pieces(self, what: str) -> AsyncGenerator[bytes, None]:
        """The bytes of the file, at most 256 kB at once.

        Raises `ServiceUnavailable` where they break off, `BadResponse` if more come than were promised.
        """
        async with contextlib.aclosing(self._counted(what)) as raw:
            async for piece in unpacked(raw, self.encoding, what) if self.packed else raw:
                for begin in range(0, len(piece), PIECE):
                    yield piece[begin : begin + PIECE]

    async def _counted(self, what: str) -> AsyncGenerator[bytes, None]:
        come = 0
        async with contextlib.aclosing(self._arriving.pieces()) as pieces:
            async for piece in pieces:
                come += len(piece)
                if self.length is not None and come > self.length:
                    raise BadResponse(f"{what} came with more bytes than the {self.length} it was to have.")
                yield piece
        if self.length is not None and come < self.length:
            raise ServiceUnavailable(f"{what} broke off: {come} of {self.length} bytes came. Try again.")


def file_name(headers: Mapping[str, str]) -> str | None:
    """The name that Content-Disposition gives, without folders and control characters."""
    disposition = headers.get("content-disposition", "")
    if not 0 < len(disposition) <= _LONGEST_DISPOSITION:
        return None
    message = Message()
    message["content-disposition"] = _CONTROLS.sub("", disposition)
    try:
        given = message.get_filename() or ""
    except Exception:  # noqa: BLE001  # the parser raises many kinds on what no server should say
        return None
    return plain_name(given)


def plain_name(text: str) -> str | None:
    """A file name that somebody gave, without folders and control characters; None if nothing is left of it."""
    name = PurePosixPath(_CONTROLS.sub("", text).replace("\\", "/")).name
    return name if name.strip(". ") else None


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and _LENGTH.fullmatch(text.strip(" \t")) else None
