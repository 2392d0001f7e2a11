"""ZIP files, written to disk one member at a time; what is stored is not compressed again."""

from __future__ import annotations

import io
import stat
import time
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

__all__ = ["Member", "pack"]

_FILE = stat.S_IFREG | 0o644


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive."""

    name: str | bytes
    """``bytes`` go in as they are, without the mark that they are UTF-8."""
    load: Callable[[], bytes]
    when: float = 1_767_225_600.0
    """Its last change, in seconds since the epoch."""
    mode: int = _FILE
    """Type and permissions, as Unix has them."""
    times: int = 1
    """How often the content is repeated. More than once: compressed, whatever the archive does."""


def pack(path: Path, members: Iterable[Member], *, deflate: bool = False, streamed: bool = False) -> None:
    """Write ``members`` to ``path``, the same bytes every time.

    ``streamed``: as by a server that cannot go back, with sizes and checksums after the content.
    """
    with path.open("wb") as file:
        target = cast("IO[bytes]", _Forward(file) if streamed else file)
        with zipfile.ZipFile(target, "w") as archive:
            for member in members:
                info = _Info(filename="-", date_time=time.gmtime(member.when)[:6])
                # Set afterwards, as the constructor would tidy the name up.
                info.name, info.filename = member.name, _text(member.name)
                info.create_system = 3
                info.external_attr = member.mode << 16
                packed = deflate or member.times > 1
                info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
                content = member.load()
                info.file_size = len(content) * member.times
                archive.NameToInfo.pop(info.filename, None)  # or a name that comes twice would be warned of
                with archive.open(info, "w") as out:
                    for _ in range(member.times):
                        out.write(content)


def _text(name: str | bytes) -> str:
    return name if isinstance(name, str) else name.decode("latin-1")


_UTF8 = 0x800
"""The mark that a name is UTF-8."""


class _Info(zipfile.ZipInfo):
    name: str | bytes = ""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802 - the library's own name
        if isinstance(self.name, bytes):
            return self.name, self.flag_bits & ~_UTF8  # which Python 3.14 sets beforehand
        return super()._encodeFilenameFlags()  # type: ignore[misc,no-any-return]


class _Forward(io.RawIOBase):
    """A file that can only be written on."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        return self._file.write(data)
