"""Members and damages for archives that a careful reader must survive."""

from __future__ import annotations

import stat
import struct
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from ipyassets.sandbox.scenario.packing import Member

__all__ = [
    "Alter",
    "Spoil",
    "bomb",
    "corrupt",
    "crowd",
    "cut",
    "doubles",
    "liar",
    "links",
    "odd_names",
    "slips",
    "strangers",
]

Alter = Callable[[Sequence[Member]], Sequence[Member]]
"""Members of an archive to other members."""
Spoil = Callable[[Path], None]
"""Changes a finished archive on disk."""

_TEXT = b"This is not a picture.\n"
_MIB = 2**20


def _texts(names: Iterable[str | bytes]) -> list[Member]:
    return [Member(name, partial(bytes, _TEXT)) for name in names]


def slips(members: Sequence[Member]) -> list[Member]:
    """And files that want to go elsewhere."""
    return [
        *members,
        *_texts(
            (
                "../outside.txt",
                "a/../../outside.txt",
                "/tmp/absolute.txt",  # noqa: S108 - nobody may write it
                "//server/share/unc.txt",
                "C:\\Windows\\drive.txt",
                "C:relative.txt",
                "..\\outside.txt",
                "a\\..\\..\\outside.txt",
                "\\\\server\\share\\unc.txt",
                "./..//../outside.txt",
            )
        ),
    ]


def links(members: Sequence[Member]) -> list[Member]:
    """And symbolic links: to a file outside, and to a folder outside that a later member lies in; and a device."""
    link, device = stat.S_IFLNK | 0o777, stat.S_IFCHR | 0o644
    return [
        *members,
        Member("link.webp", partial(bytes, b"../outside.txt"), mode=link),
        Member("folder", partial(bytes, b"/tmp"), mode=link),
        Member("folder/through.txt", partial(bytes, _TEXT)),
        Member("device.webp", bytes, mode=device),
    ]


def odd_names(members: Sequence[Member]) -> list[Member]:
    """And names that file systems, screens and decoders take differently."""
    return [
        *members,
        *_texts(
            (
                "caf\u00e9.txt",  # composed
                "cafe\u0301.txt",  # the same to the eye, decomposed
                "stra\u00dfe.txt",
                "STRASSE.txt",
                "Case.txt",
                "case.TXT",
                "\U0001fa91\u200d\U0001f3a8 chair.txt",
                "\u05db\u05d9\u05e1\u05d0.txt",
                "right\u202etxt.exe",  # reads "rightexe.txt"
                "zero\u200bwidth.txt",
                "bell\x07 escape\x1b[31m.txt",
                "line\nbreak.txt",
                "nul\x00.txt",
                "trailing dot.",
                "trailing space ",
                " leading space.txt",
                "CON",
                "nul.txt",
                "what?*<>|:.txt",
                "percent%2f..%2fname.txt",
                f"{'long' * 70}.txt",
                f"{'deep/' * 60}name.txt",
                "-rf",
                "~",
                "folder/",
                "folder//double.txt",
                "f\u00fcr.txt".encode("cp437"),
                "f\u00fcr-utf8.txt".encode(),  # UTF-8, and not marked as such
                b"\xff\xfe.txt",
            )
        ),
    ]


def doubles(members: Sequence[Member]) -> list[Member]:
    """And the first member again, twice, the second time with other content."""
    first = members[0]
    return [*members, first, replace(first, load=partial(bytes, _TEXT))]


def strangers(members: Sequence[Member]) -> list[Member]:
    """And what is no picture, whatever it is called."""
    page = b"<!DOCTYPE html><script>alert(1)</script>"
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
    # A PNG that says it is 50,000 x 50,000 pixels.
    head = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">IIBBBBB", 50_000, 50_000, 8, 6, 0, 0, 0)
    contents = {
        "README.txt": _TEXT,
        "__MACOSX/._picture.webp": b"\x00\x05\x16\x07",
        ".DS_Store": b"\x00\x00\x00\x01Bud1",
        "Thumbs.db": b"\xd0\xcf\x11\xe0",
        "empty.webp": b"",
        "text.png": _TEXT,
        "page.jpg": page,
        "script.svg": svg,
        "huge.png": head,
        "document.pdf": b"%PDF-1.7\n",
        "inner.zip": b"PK\x05\x06" + bytes(18),
    }
    return [*members, *(Member(name, partial(bytes, content)) for name, content in contents.items())]


def bomb(members: Sequence[Member], mebibytes: int) -> list[Member]:
    """And a picture's name over zeros that take a thousandth of their size."""
    return [*members, Member("bomb.png", partial(bytes, _MIB), times=mebibytes)]


def crowd(members: Sequence[Member], count: int) -> list[Member]:
    """And so many small files that there are ``count``: beyond 65,535 the format's 64-bit form is needed."""
    return [*members, *_texts(f"crowd/{n:06}.txt" for n in range(max(0, count - len(members))))]


def cut(path: Path, share: float) -> None:
    """Leave the first ``share`` of the file."""
    with path.open("r+b") as file:
        file.truncate(int(path.stat().st_size * share))


def corrupt(path: Path, index: int) -> None:
    """Turn over some bytes in the middle of one member's content: its checksum no longer fits."""
    with zipfile.ZipFile(path) as archive:
        info = archive.infolist()[index]
    with path.open("r+b") as file:
        start = _content(file.read, file.seek, info)
        place = start + info.compress_size // 2
        file.seek(place)
        damaged = bytes(byte ^ 0x5A for byte in file.read(16))
        file.seek(place)
        file.write(damaged)


def liar(path: Path, index: int) -> None:
    """Let the headers of one member say that its content is 1,000 bytes when unpacked, whatever it is."""
    with zipfile.ZipFile(path) as archive:
        index %= len(archive.infolist())
        info, directory = archive.infolist()[index], archive.start_dir
    said = struct.pack("<I", 1_000)
    with path.open("r+b") as file:
        file.seek(info.header_offset + 22)
        file.write(said)
        file.seek(directory)
        for _ in range(index):
            head = file.read(46)
            file.seek(sum(struct.unpack_from("<HHH", head, 28)), 1)
        file.seek(24, 1)
        file.write(said)


def _content(read: Callable[[int], bytes], seek: Callable[[int], int], info: zipfile.ZipInfo) -> int:
    """Where the content of a member begins."""
    seek(info.header_offset + 26)
    name, extra = struct.unpack("<HH", read(4))
    return int(info.header_offset + 30 + name + extra)
