from __future__ import annotations

import errno
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ipyassets.collections import disk, downloads
from ipyassets.collections.archive_reader import ArchiveReader
from ipyassets.collections.assets import Asset
from ipyassets.collections.disk import Room
from ipyassets.collections.downloads import Download
from ipyassets.collections.members import ArchiveLimits
from ipyassets.errors import BadResponse
from ipyassets.http import loop
from tests.collections.archives import MemoryArchives, MemoryFile


class Endless(MemoryFile):
    """A file whose server never says how long it is, and never ends."""

    def __init__(self) -> None:
        super().__init__(b"", parts=False)
        self.says_size = False

    async def stream(self, start: int = 0) -> AsyncGenerator[bytes, None]:
        while True:
            self.fetched += 65_536
            assert self.fetched < 64 << 20, "nothing ends it"
            yield bytes(65_536)


def downloaded(file: MemoryFile) -> Download:
    service = MemoryArchives(1)
    return Download(file, Asset(service.make("asset-0"), service), None)


def listed(file: MemoryFile) -> Any:
    return loop.run(ArchiveReader(file).members(ArchiveLimits()))


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(lambda file, _: downloaded(file).content, id="content"),
        pytest.param(lambda file, folder: downloaded(file).save(folder / "one.bin"), id="save"),
        pytest.param(lambda file, _: listed(file), id="archive"),
    ],
)
def test_a_file_without_an_end_leaves_room_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, use: Callable[[MemoryFile, Path], object]
) -> None:
    """A server that sent for ever filled the disk to its last byte, and with it memory where /tmp is of that."""
    file = Endless()
    monkeypatch.setattr(
        disk.shutil, "disk_usage", lambda _: SimpleNamespace(free=disk.SPARE + (8 << 20) - file.fetched)
    )
    monkeypatch.setattr(disk, "_LOOK_EVERY", 1 << 20)
    with pytest.raises(OSError, match="nearly full") as caught:
        use(file, tmp_path)
    assert caught.value.errno == errno.ENOSPC
    assert file.fetched < 16 << 20


def test_small_files_go_to_a_disk_that_is_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: SimpleNamespace(free=1))
    with (tmp_path / "a").open("wb") as file:
        Room(tmp_path).write(file, b"a picture")
    assert (tmp_path / "a").read_bytes() == b"a picture"


@pytest.mark.parametrize("told", [True, False])
def test_what_is_too_large_for_memory_is_only_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: bool
) -> None:
    """A server could have all of a file of any size read into memory."""
    monkeypatch.setattr(downloads, "_MOST_CONTENT", 10_000)
    file = MemoryFile(b"x" * 20_000)
    file.says_size = told
    one = downloaded(file)
    with pytest.raises(BadResponse, match="too many for memory"):
        _ = one.content
    assert (file.fetched == 0) is told
    assert one.save(tmp_path / "x.bin").stat().st_size == 20_000
