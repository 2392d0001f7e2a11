"""The search for the mark of planted secrets in bytes, as they are, encoded and packed."""

from __future__ import annotations

import base64
import binascii
import contextlib
import io
import re
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.canaries.planted import MARK

__all__ = ["FORMS", "Finds", "forms_in"]

_DEEPEST: Final = 3
_LOOK: Final = 1 << 20
"""Bytes of something packed that are looked at."""


def _base64(mark: bytes, shift: int) -> bytes:
    """What of ``mark`` in base64 does not depend on what stands around it, ``shift`` bytes after a multiple of 3."""
    text = base64.b64encode(bytes(shift) + mark + bytes(3))
    return text[-(-8 * shift // 6) : (8 * (shift + len(mark))) // 6]


FORMS: Final[dict[str, bytes]] = {
    "as it is": MARK.encode(),
    "in base64, as in Basic authorisation": _base64(MARK.encode(), 0),
    "in base64, one byte on": _base64(MARK.encode(), 1),
    "in base64, two bytes on": _base64(MARK.encode(), 2),
    "in hex": MARK.encode().hex().encode(),
    "in capital hex": MARK.encode().hex().upper().encode(),
    "percent-encoded": "".join(f"%{ord(c):02X}" for c in MARK).encode(),
    "in JSON's escapes": "".join(f"\\u{ord(c):04x}" for c in MARK).encode(),
    "in UTF-16": MARK.encode("utf-16-le"),
    "backwards": MARK[::-1].encode(),
    "as a list of bytes": ", ".join(map(str, MARK.encode())).encode(),
}
"""How a secret may be written; gzip, zlib and zip are looked into besides."""


def forms_in(content: bytes, depth: int = 0) -> list[str]:
    """The forms of the mark in ``content``, also in what is packed in it."""
    found = [name for name, form in FORMS.items() if form in content]
    if depth < _DEEPEST:
        for inner in _unpacked(content):
            found += [f"{name}, packed" for name in forms_in(inner, depth + 1)]
    return found


def _unpacked(content: bytes) -> Iterator[bytes]:
    """What is packed anywhere in ``content``, as in a pickle or a browser's cache, or in base64, as in a notebook."""
    for pattern, unpack in _PACKED.items():
        for match in re.finditer(pattern, content):
            with contextlib.suppress(zlib.error, binascii.Error):
                yield unpack(content, match)
    if content.startswith(b"SQLite format 3\0"):  # text that is longer than a page lies in pieces
        with contextlib.closing(sqlite3.connect(":memory:")) as database, contextlib.suppress(sqlite3.Error):
            database.deserialize(content[:18] + b"\1\1" + content[20:])  # as if it had no log beside it
            yield "\n".join(database.iterdump()).encode("utf-8", "surrogatepass")
    if content.startswith(b"PAR1"):
        from fastparquet import ParquetFile

        yield ParquetFile(io.BytesIO(content)).to_pandas().to_csv().encode()


def _inflated(content: bytes, begin: int, bits: int) -> bytes:
    return zlib.decompressobj(bits).decompress(memoryview(content)[begin : begin + _LOOK], _LOOK)


def _from_zip(content: bytes, match: re.Match[bytes]) -> bytes:
    """One member, by what stands before it: 30 bytes, its name, and more of any kind."""
    name, more = (
        int.from_bytes(content[place : place + 2], "little") for place in (match.end() + 22, match.end() + 24)
    )
    return _inflated(content, match.start() + 30 + name + more, -15)


_PACKED: Final[dict[bytes, Callable[[bytes, re.Match[bytes]], bytes]]] = {
    rb"\x78[\x01\x5e\x9c\xda]": lambda content, match: _inflated(content, match.start(), 15),  # zlib, PNG
    rb"\x1f\x8b\x08": lambda content, match: _inflated(content, match.start(), 31),  # gzip
    rb"PK\x03\x04": _from_zip,
    rb"[A-Za-z0-9+/]{64,}={0,2}": lambda _, match: base64.b64decode(match[0][: len(match[0]) & -4]),
}


@dataclass
class Finds:
    """What was searched, and where the mark was found."""

    searched: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By place: how many things, and how many bytes."""
    found: list[str] = field(default_factory=list)

    @property
    def places(self) -> set[str]:
        """Those in which something was found."""
        return {find.partition(": ")[0] for find in self.found}

    def __str__(self) -> str:
        return "\n".join(f"{place}: {n:,} things, {size:,} bytes" for place, (n, size) in sorted(self.searched.items()))

    def look_at_all(self, folder: Path) -> None:
        """Search what `tests.canaries.drive` and its like left: each folder is a place, in ``said`` those inside."""
        for place in sorted(folder.iterdir()):
            if place.name == "said":
                self.look_below(place)
            elif place.is_dir():
                self.look_below(place, place.name)
            else:
                self.look(place.name, place.name, place.read_bytes())

    def look(self, place: str, name: str, content: bytes | str) -> None:
        """Search ``content``, and ``name``, which may be a file's."""
        data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
        things, size = self.searched.get(place, (0, 0))
        self.searched[place] = things + 1, size + len(data)
        self.found += [f"{place}: {name}: {form}" for form in forms_in(name.encode("utf-8", "replace") + b"\0" + data)]

    def look_below(self, folder: Path, place: str | None = None) -> None:
        """Search every file below ``folder``. Without ``place`` each folder in it is a place."""
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                inner = path.relative_to(folder)
                self.look(place or inner.parts[0], str(inner), path.read_bytes())
