"""Bytes kept on disk between sessions: plain files, safe with several processes, never larger than told.

Weighed: diskcache (pickles, no release since 2023, an open CVE without a fix), hishel (bound to URLs, which here are
signed and change; a tenth of the speed). A file per key, written aside and renamed, needs neither lock nor index.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import struct
import tempfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ipyassets.arguments import whole
from ipyassets.http.behind import BACKLOG, WriteBehind

__all__ = ["BACKLOG", "DiskCache", "cache"]

_MAGIC: Final = b"ipyasset"
_HEAD: Final = struct.Struct("<8sIQd")
"""Before the bytes of each file: what it is, their checksum and length, and when they expire (0: never)."""
_SHARDS: Final = 256
_TRIM_TO: Final = 0.9
_LOOK_EVERY: Final = 0.05
"""Part of the size limit that is written before the folder is measured again."""


class DiskCache:
    """A size-limited cache of bytes under tuple keys.

    Keys are hashed and never stored; values are what the service served, so neither holds a secret. ``enabled``
    switches it off (nothing is read or written), ``size_limit`` is in bytes; both may be set at any time. The
    environment variables ``IPYASSETS_CACHE`` (``0`` switches off) and ``IPYASSETS_CACHE_DIR`` set the start.
    """

    def __init__(
        self, folder: str | Path | None = None, *, size_limit: int = 1 << 30, enabled: bool | None = None
    ) -> None:
        self._folder = Path(folder) if folder is not None else None
        self.size_limit = size_limit
        self._enabled = enabled
        self._behind = WriteBehind(self._write)
        self._unmeasured = 0
        self._made: set[str] = set()
        """Folders that were there a moment ago."""
        self.cleared = 0
        """How often it was: what is kept elsewhere of the same pictures goes with it."""

    def __repr__(self) -> str:
        return f"<DiskCache {'on' if self.enabled else 'off'}, at most {self.size_limit >> 20} MB>"

    @property
    def enabled(self) -> bool:
        if self._enabled is None:
            return os.getenv("IPYASSETS_CACHE", "1").strip().lower() not in ("0", "off", "false", "no")
        return self._enabled

    @enabled.setter
    def enabled(self, value: bool) -> None:
        self._enabled = bool(value)

    @property
    def size_limit(self) -> int:
        """Bytes that are kept at most. Setting raises `InvalidRequest` for what is no whole number, 0 or more."""
        return self._size_limit

    @size_limit.setter
    def size_limit(self, value: Any) -> None:
        self._size_limit = whole("size_limit", value, 0, unit="bytes")

    @property
    def folder(self) -> Path:
        if self._folder is not None:
            return self._folder
        chosen = os.getenv("IPYASSETS_CACHE_DIR")
        if chosen:
            return Path(chosen).expanduser()
        return _usual_folder()

    def has(self, key: tuple[str, ...]) -> bool:
        """Whether `get` would look into a file; cheap."""
        path = self._path(key)
        return self.enabled and (path in self._behind or os.path.exists(path))  # noqa: PTH110

    def get(self, key: tuple[str, ...]) -> bytes | None:
        """The bytes kept under ``key``; None if there are none, they are too old, or the file is not whole."""
        if not self.enabled:
            return None
        path = self._path(key)
        waiting = self._behind.get(path)
        if waiting is not None:
            return waiting
        try:
            with open(path, "rb", buffering=0, opener=_at_once) as file:
                head, content = file.read(_HEAD.size), file.read()
        except OSError:
            return None
        try:
            magic, crc, length, expires = _HEAD.unpack(head)
        except struct.error:
            magic = b""
        whole = magic == _MAGIC and length == len(content) and crc == zlib.crc32(content)
        if not whole or (expires and time.time() > expires):
            with contextlib.suppress(OSError):
                os.unlink(path)  # noqa: PTH108
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # the date of the last use decides what goes first
        return content

    def drop(self, key: tuple[str, ...]) -> None:
        """Forget what is kept under ``key``, if anything is."""
        self._behind.forget(self._path(key))
        with contextlib.suppress(OSError):
            os.unlink(self._path(key))  # noqa: PTH108

    def put(self, key: tuple[str, ...], content: bytes, lifetime: float | None = None) -> None:
        """Keep ``content`` for ``lifetime`` seconds (None: until it is pushed out). Never raises: a full or read-only
        disk only means that nothing is kept.
        """
        if self.enabled:
            path = self._path(key)
            self._behind.forget(path)  # what was put before would be got, and written over this
            self._write(path, content, None if lifetime is None else time.time() + lifetime)

    def _write(self, path: str, content: bytes, expires: float | None) -> None:
        if len(content) > self.size_limit // 4:
            return
        shard = os.path.dirname(path)  # noqa: PTH120
        try:
            if shard not in self._made or not os.path.isdir(shard):  # noqa: PTH112
                _make(shard)
                self._made.add(shard)
            handle, name = tempfile.mkstemp(dir=shard, prefix="tmp-")
            try:
                with open(handle, "wb", buffering=0) as file:  # noqa: PTH123
                    file.write(_HEAD.pack(_MAGIC, zlib.crc32(content), len(content), expires or 0.0))
                    file.write(content)
                os.replace(name, path)  # noqa: PTH105
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(name)  # noqa: PTH108
                raise
        except OSError:
            return
        # Without a lock: a thread that counts at the same time only puts the measuring off, and a lock that another
        # thread holds at a fork would stay held in the child.
        self._unmeasured += len(content)
        if self._unmeasured > self.size_limit * _LOOK_EVERY:
            self._unmeasured = 0
            self.trim()

    def put_soon(
        self, key: tuple[str, ...], content: bytes, lifetime: float | None = None, *, backlog: int = BACKLOG
    ) -> None:
        """As `put`, once nothing has been put for a moment; at once where ``backlog`` bytes wait already.

        Until then `get` finds it in memory. While very many pictures are decoded, writing would hold them up.
        """
        if self.enabled:
            expires = None if lifetime is None else time.time() + lifetime
            if not self._behind.add(self._path(key), content, expires, backlog):
                self.put(key, content, lifetime)

    def flush(self, timeout: float | None = None) -> None:
        """Write what waits, and wait until it is written, at most ``timeout`` seconds."""
        self._behind.flush(timeout)

    def trim(self) -> None:
        """Delete what was used longest ago until the cache is within its limit."""
        files = sorted(self._files())
        size = sum(entry[1] for entry in files)
        if size <= self.size_limit:
            return
        for _, length, path in files:
            if size <= self.size_limit * _TRIM_TO:
                break
            with contextlib.suppress(OSError):  # another process may have been quicker
                os.unlink(path)  # noqa: PTH108
            size -= length

    def clear(self) -> None:
        """Delete everything in the cache."""
        self.cleared += 1
        self._behind.forget()
        self.flush()
        for _, _, path in self._files():
            with contextlib.suppress(OSError):
                os.unlink(path)  # noqa: PTH108

    def size(self) -> int:
        """Bytes in use."""
        self.flush()
        return sum(length for _, length, _ in self._files())

    def _path(self, key: tuple[str, ...]) -> str:
        # Plain text and not a Path: this is done for each of very many pictures.
        digest = hashlib.sha256(json.dumps(key).encode()).hexdigest()
        return os.path.join(self.folder, digest[:2], digest[2:])  # noqa: PTH118

    def _files(self) -> Iterator[tuple[float, int, str]]:
        for shard in range(_SHARDS):
            try:
                entries = os.scandir(self.folder / f"{shard:02x}")
            except OSError:
                continue
            with entries:
                for entry in entries:
                    with contextlib.suppress(OSError):
                        status = entry.stat()
                        yield status.st_mtime, status.st_size, entry.path


def _at_once(path: str, flags: int) -> int:
    """Opens without waiting: a pipe of that name, such as in a folder from somebody else, waits for its other end."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _make(folder: str) -> None:
    """A folder for this user alone, and so what it lies in: `os.makedirs` leaves that to the umask, which may let a
    group write there, and put pictures of theirs in the place of ours.
    """
    if not os.path.isdir(folder):  # noqa: PTH112
        around = os.path.dirname(folder)  # noqa: PTH120
        if around != folder:
            _make(around)
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, 0o700)  # noqa: PTH102


@functools.cache
def _usual_folder() -> Path:
    import platformdirs

    return platformdirs.user_cache_path("ipyassets", appauthor=False) / "files"


cache: Final = DiskCache()
"""The cache every client uses: ``ipyassets.cache.enabled = False``, ``ipyassets.cache.clear()``."""
