"""Answers that arrive whole and are not what the documents say: JSON of another shape, pictures that are none."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final

__all__ = [
    "CREDENTIALS",
    "corrupted",
    "document",
    "dumped",
    "gigantic",
    "identity",
    "main_list",
    "misshapen",
    "of_another_type",
    "same",
    "truncated",
    "with_doubles",
    "with_less",
    "with_more",
    "with_unknown_words",
]

CREDENTIALS: Final = frozenset({"authorization", "x-auth-token", "cookie", "proxy-authorization", "x-api-key"})
"""Headers that carry secrets."""
_IDS: Final = ("uuid", "id", "assetId")
_LISTS: Final = ("grid", "hits", "assets", "iModels", "iTwins", "collections", "tags", "jobs")
_WORDS: Final = ("status", "state", "type", "kind", "stage", "class", "subclass", "privacy")
"""Ends of the names of fields whose values are words of a closed list."""
_SVG: Final = b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><script>alert(1)</script></svg>'
_GIANT: Final = 50_000
"""Pixels a side."""


# -- JSON -------------------------------------------------------------------------------------------------------------


def document(body: bytes) -> Any:
    """``body`` as JSON; None if it is something else."""
    if body[:1] not in (b"{", b"["):
        return None
    try:
        return json.loads(body)
    except ValueError:
        return None


def dumped(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def same(one: bytes, other: bytes) -> bool:
    """Whether two bodies say the same; of JSON, however it is written."""
    return one == other or ((said := document(one)) is not None and said == document(other))


def identity(item: Any) -> Any:
    """What an item of a list is known by."""
    return next((item[name] for name in _IDS if name in item), None) if isinstance(item, dict) else item


def main_list(value: Any) -> tuple[dict[str, Any], str] | None:
    """Where the list of an answer is: the object that has it, and its name."""
    if isinstance(value, dict):
        for name in _LISTS:
            if isinstance(value.get(name), list):
                return value, name
        for inner in value.values():
            found = main_list(inner)
            if found is not None:
                return found
    return None


def misshapen(body: bytes) -> bytes:
    """Lists where objects should be, and objects in the place of lists."""

    def turned(value: Any) -> Any:
        if isinstance(value, list):
            return {str(number): entry for number, entry in enumerate(value)}
        if isinstance(value, dict):
            return {name: turned(entry) for name, entry in value.items()}
        return value

    value = document(body)
    if value is None:
        return body
    return dumped(turned(value) if main_list(value) is not None else [value])


def _each(change: Callable[[dict[str, Any]], None]) -> Callable[[bytes], bytes]:
    """Change each thing that an answer tells of; what wraps them stays."""

    def changed(body: bytes) -> bytes:
        value = document(body)
        if value is None:
            return body
        for item in _items(value):
            change(item)
        return dumped(value)

    return changed


def _items(value: Any) -> Iterator[dict[str, Any]]:
    there = main_list(value)
    if there is not None:
        yield from (item for item in there[0][there[1]] if isinstance(item, dict))
    elif isinstance(value, dict):
        inner = [entry for entry in value.values() if isinstance(entry, dict)]
        yield from inner or [value]


def _add(item: dict[str, Any]) -> None:
    item["xUnheardOf"] = {"nested": [1, None, "text", {"id": "not-an-id"}]}
    item["__proto__"] = "text"


def _remove(item: dict[str, Any]) -> None:
    for name in [name for name in item if name not in _IDS]:
        del item[name]


def _reword(item: dict[str, Any]) -> None:
    for name, value in item.items():
        if isinstance(value, dict):
            _reword(value)
        elif isinstance(value, str) and name.lower().endswith(_WORDS):
            item[name] = "SOMETHING_NEW"


with_more: Final = _each(_add)
"""Fields that nobody has heard of."""
with_less: Final = _each(_remove)
"""Nothing but ids."""
with_unknown_words: Final = _each(_reword)
"""Words that stand in no list of the documents."""


def with_doubles(body: bytes) -> bytes:
    """The first item of a list, twice."""
    value = document(body)
    there = main_list(value)
    if there is None:
        return body
    holder, name = there
    holder[name] = holder[name][:1] + holder[name]
    return dumped(value)


# -- pictures and other files -----------------------------------------------------------------------------------------


def _picture(body: bytes) -> bool:
    return body.startswith((b"\x89PNG", b"\xff\xd8\xff", b"GIF8")) or (body[:4] == b"RIFF" and body[8:12] == b"WEBP")


def of_another_type(body: bytes) -> bytes:
    """A drawing with a script in it, for a picture."""
    return _SVG if _picture(body) else body


def truncated(body: bytes) -> bytes:
    """The first three fifths of a file, as if they were all."""
    return body if document(body) is not None else body[: len(body) * 3 // 5]


def corrupted(body: bytes) -> bytes:
    """A file whose second half is turned over."""
    if document(body) is not None:
        return body
    half = len(body) // 2
    return body[:half] + bytes(byte ^ 0xA5 for byte in body[half:])


def gigantic(body: bytes) -> bytes:
    """A picture of 2,500 million pixels, by its own word."""
    if not _picture(body):
        return body
    head = struct.pack(">IIBBBBB", _GIANT, _GIANT, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(_GIANT * 4 + 1))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )
