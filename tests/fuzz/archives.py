"""ZIP archives from elsewhere: listed, read, extracted, and what is left of broken ones.

Must raise `BadResponse` and nothing else, keep to the limits, write nothing outside of the folder, and say the same
whether the server gives parts or not.
"""

from __future__ import annotations

import io
import os
import shutil
import stat
import struct
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

from ipyassets.collections import archive_reader, extraction
from ipyassets.collections.archive_reader import ArchiveReader
from ipyassets.collections.extraction import Extraction
from ipyassets.collections.members import ArchiveLimits, Member
from ipyassets.collections.salvage import salvaged
from ipyassets.errors import AssetServiceError, BadResponse
from tests.collections.archives import MemoryFile, packed
from tests.fuzz.mutations import zip_changed
from tests.fuzz.running import run

T = TypeVar("T")

INSTRUMENTED: Final = ["ipyassets", "zipfile"]
WORDS: Final = [
    b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"PK\x07\x08", b"\x01\0\x10\0",
    b"\xff\xff\xff\xff", b"\x08\x08", b"\0\x08", b"\x08\0", b"\x0c\0", b"\x0e\0", b"../", b"..\\", b"C:\\", b"con.png",
]  # fmt: skip

CHANGE: Final = zip_changed
LIMITS: Final = ArchiveLimits(members=40, member_bytes=1 << 20, total_bytes=1 << 20, memory_bytes=1 << 19)


async def _at_once(work: Callable[..., T], *arguments: Any) -> T:
    return work(*arguments)


def check(data: bytes) -> None:
    archive_reader.in_file_pool = extraction.in_file_pool = _at_once
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _salvage(data)
        in_parts, whole = run(_both(data))
    if in_parts is None or whole is None:
        assert in_parts is whole, "a server that gives parts makes a difference"
        return
    assert [name for name, _ in in_parts] == [name for name, _ in whole]
    for (name, one), (_, other) in zip(in_parts, whole, strict=True):
        assert one is None or other is None or one == other, f"two contents of {name!r}"


async def _both(data: bytes) -> tuple[Any, Any]:
    return await _read(data, parts=True), await _read(data, parts=False)


def _salvage(data: bytes) -> None:
    end = 0
    found = salvaged(io.BytesIO(data), len(data), LIMITS)
    assert len(found) <= LIMITS.members
    for info in found:
        assert info.header_offset >= end
        end = info.header_offset + info.compress_size
        assert end <= len(data)


async def _read(data: bytes, *, parts: bool) -> list[tuple[str, bytes | None]] | None:
    """The content of each member, None where it is refused; None for all if the archive is."""
    file = MemoryFile(data, parts=parts)
    reader = ArchiveReader(file)
    try:
        members = await reader.members(LIMITS)
    except BadResponse:
        return None
    assert len(members) <= LIMITS.members
    contents = []
    async for one, held in reader.stream(members, LIMITS, memory=True):
        if isinstance(held, AssetServiceError):
            assert isinstance(held, BadResponse)
            contents.append((one.name, None))
            continue
        try:
            content = held.read()
            assert len(content) <= LIMITS.memory_bytes
            contents.append((one.name, content))
        except BadResponse:
            contents.append((one.name, None))
        finally:
            held.close()
    assert len(contents) == len(members)
    for one in members[:3]:
        try:
            held = await reader.hold(one, LIMITS, memory=True)
        except BadResponse:
            continue
        held.close()
    if members and parts:
        await _extracted(reader, members)
    assert file.open_streams == 0
    return contents


async def _extracted(reader: ArchiveReader, members: tuple[Member, ...]) -> None:
    box = Path(tempfile.mkdtemp(prefix="fuzz-"))
    try:
        folder = box / "inner"
        try:
            done = await Extraction(folder, LIMITS, overwrite=False).run([(reader, members)], lambda _: None)
        except BadResponse:
            assert not folder.exists()  # too much for the limits: nothing was written
            return
        assert os.listdir(box) == ["inner"]  # noqa: PTH208
        assert len(done) + len(done.failures) == len(members)
        written = [path for path in folder.rglob("*") if not path.is_dir()]
        assert sorted(written) == sorted(done.values())
        assert all(stat.S_ISREG(path.lstat().st_mode) for path in written)
        assert sum(path.stat().st_size for path in written) <= LIMITS.total_bytes
    finally:
        shutil.rmtree(box)


def seeds() -> Iterator[tuple[str, bytes]]:
    some = {"a/b.txt": b"one", "c.png": b"\x89PNG\r\n\x1a\n", "\u00e9.txt": b"", "d" * 30: b"x" * 300}
    yield "stored", packed(some)
    yield "deflated", packed(some, deflate=True)
    yield "streamed", packed(some, deflate=True, streamed=True)
    yield "streamed-stored", packed(some, streamed=True)
    yield "empty", packed({})
    yield "nothing", b""
    yield "folders", packed([("a/", b""), ("a/b/", b""), ("a/b/c", b"c")])
    yield "leading-out", packed({"../x": b"1", "/etc/x": b"2", "C:\\x": b"3", "a/../../x": b"4", "": b"5", "con": b"6"})
    yield "twice", packed([("a", b"1"), ("a", b"2"), ("A", b"3")])
    yield "file-and-folder", packed([("a", b"1"), ("a/b", b"2")])
    yield "links", packed({"l": b"../x", "p": b""}, modes={"l": stat.S_IFLNK | 0o777, "p": stat.S_IFIFO})
    yield "bomb", packed({"zeros": bytes(600_000)}, deflate=True)
    yield "bombs", packed({f"{n}": bytes(300_000) for n in range(5)}, deflate=True)
    yield "many", packed({str(n): b"" for n in range(41)})
    yield "cut-off", packed(some, deflate=True)[:-60]
    yield "cut-off-streamed", packed({"a": bytes(90), "b": b"b" * 50}, deflate=True, streamed=True)[:140]
    yield "commented", packed(some) + b"more"
    yield "long-sizes", _long()
    yield "over-each-other", _overlapping()
    encrypted = bytearray(packed({"a": b"secret"}))
    encrypted[6] |= 1
    encrypted[bytes(encrypted).index(b"PK\x01\x02") + 8] |= 1
    yield "encrypted", bytes(encrypted)
    wrong = bytearray(packed({"a": b"secret"}))
    wrong[bytes(wrong).index(b"secret")] ^= 1
    yield "wrong-checksum", bytes(wrong)


def _long() -> bytes:
    """A header before a member whose sizes stand in its extra field, and no directory."""
    extra = struct.pack("<HHQQ", 1, 16, 3, 3)
    head = struct.pack("<4s5H3L2H", b"PK\x03\x04", 45, 0, 0, 0, 0, 0x884863D2, 0xFFFFFFFF, 0xFFFFFFFF, 1, len(extra))
    return head + b"n" + extra + b"123"


def _overlapping() -> bytes:
    """Two entries of the directory for one member."""
    made = packed({"a": b"1", "b": b"2"})
    at = made.index(b"PK\x01\x02")
    first = made[at : at + 47]
    return made[:at] + first + first + made[made.index(b"PK\x05\x06") :]
