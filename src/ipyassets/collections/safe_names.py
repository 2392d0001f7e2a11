"""Names from elsewhere made into paths that stay where they belong, on every system, and never meet each other.

`pathvalidate` knows reserved names and characters, but not Unicode's forms, lengths in bytes, or clashes; what is left
of it is the short list below.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Final

from ipyassets.texts import hidden

__all__ = ["PathNames", "safe_parts"]

_LONGEST_PART: Final = 160
_LONGEST: Final = 220
"""Bytes in UTF-8: paths of 260 characters are too long for Windows, with the folder they go to."""
_RESERVED: Final = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$", "clock$"]
    + [f"{port}{number}" for port in ("com", "lpt") for number in "0123456789\u00b9\u00b2\u00b3"]
)
_FORBIDDEN: Final = re.compile(r'[<>:"|?*]')
_DRIVE: Final = re.compile(r"^[A-Za-z]:")
_SUFFIX: Final = 20


def safe_parts(name: str) -> tuple[str, ...]:
    """The folders and the file name in ``name``, without anything that leads elsewhere or that a system refuses.

    Backslashes part folders, as on Windows. At least one part, none empty, at most 220 bytes in all.
    """
    text = unicodedata.normalize("NFC", _DRIVE.sub("", name.replace("\\", "/")))
    parts = [part for part in map(_part, text.split("/")) if part]
    if not parts:
        return ("unnamed",)
    while len(parts) > 1 and len("/".join(parts).encode()) > _LONGEST:
        del parts[-2]
    return tuple(parts)


def _part(text: str) -> str:
    text = "".join("_" if hidden(letter) else letter for letter in text)
    text = _FORBIDDEN.sub("_", text)
    if not text.strip(" ."):
        return ""
    text = _shortened(text.strip(" ").rstrip(" ."))
    if text.split(".")[0].rstrip().casefold() in _RESERVED:
        text = f"_{text}"
    return text


def _shortened(text: str, longest: int = _LONGEST_PART) -> str:
    """At most ``longest`` bytes, the ending kept."""
    if len(text.encode()) <= longest:
        return text
    suffix = PurePosixPath(text).suffix
    if len(suffix.encode()) > _SUFFIX:
        suffix = ""
    room = longest - len(suffix.encode())
    return text.encode()[:room].decode(errors="ignore").rstrip(" .") + suffix


class PathNames:
    """Gives each name a path of its own, also where upper and lower case or Unicode's forms are the same.

    ``there`` tells whether a path is taken by something from before.
    """

    def __init__(self, there: Callable[[PurePosixPath], bool] = lambda _: False) -> None:
        self._there = there
        self._files: set[str] = set()
        self._folders: dict[str, PurePosixPath] = {}
        self._places: dict[str, PurePosixPath] = {}
        """Folders, by what they were to be called."""
        self._numbers: dict[str, int] = {}

    def path(self, name: str) -> PurePosixPath:
        """Relative, inside, and not given before."""
        *folders, last = safe_parts(name)
        at = PurePosixPath()
        for folder in folders:
            at = self._folder(at, folder)
        same = _key(at / last)
        while True:
            found = at / self._numbered(same, last)
            key = _key(found)
            if key not in self._files and key not in self._folders and not self._there(found):
                self._files.add(key)
                return found

    def _folder(self, at: PurePosixPath, name: str) -> PurePosixPath:
        """The folder called ``name`` in ``at``; another name where a file has that one."""
        same = _key(at / name)
        while same not in self._places:
            found = at / self._numbered(same, name)
            key = _key(found)
            if key not in self._files:
                self._places[same] = self._folders.setdefault(key, found)
        return self._places[same]

    def _numbered(self, same: str, name: str) -> str:
        """``name`` with the next number; counted on, for an archive may have a hundred thousand of one name."""
        self._numbers[same] = number = self._numbers.get(same, 0) + 1
        return _numbered(name, number)


def _key(path: PurePosixPath) -> str:
    """The same for paths that some file system takes for one."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", str(path)).casefold())


def _numbered(name: str, number: int) -> str:
    if number == 1:
        return name
    path, mark = PurePosixPath(name), f"_{number}"
    return _shortened(path.stem, _LONGEST_PART - len(mark) - len(path.suffix.encode())) + mark + path.suffix
