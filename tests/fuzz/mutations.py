"""Changes that keep an input readable, so that a run gets past the first check.

JSON stays JSON, a PNG's sums fit, a ZIP's two descriptions of a member mostly agree, and parts of an MP4 stay within
each other.
"""

from __future__ import annotations

import copy
import json
import random
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

__all__ = ["Mutate", "json_changed", "mp4_changed", "png_repaired", "zip_changed"]

Mutate = Callable[[bytes, int, int], bytes]
"""Bytes, the most there may be, and a seed; gives other bytes."""

_ODD: Final[tuple[Any, ...]] = (
    None, True, False, 0, 1, -1, 2, 64, 2**40, 2**40 + 1, 2**63, -(2**63), 10**400, 0.5, 1e308, float("nan"),
    float("inf"), "", "a", "\0", "\ud800", "\u202e", "<b>", "x" * 70, "x" * 1100, [], {}, [[]], [0, 9], [[0, 9]],
    [[9, 0]], [[0, 2**40]],
)  # fmt: skip


def json_changed(words: Sequence[bytes]) -> Callable[[bytes, int, int, Mutate], bytes]:
    """Changes one to three values of a JSON text; names and texts are taken from ``words`` too."""
    texts = [text for word in words if isinstance(text := _loaded(word), str)]

    def change(data: bytes, most: int, seed: int, otherwise: Mutate) -> bytes:
        chance = random.Random(seed)
        whole = [_loaded(data)]
        if whole[0] is _NONE or chance.random() < 0.2:
            return otherwise(data, most, seed)
        try:
            for _ in range(chance.randint(1, 3)):
                _change(whole, chance, texts)
            made = json.dumps(whole[0]).encode()
        except (ValueError, RecursionError):
            return otherwise(data, most, seed)
        return made if len(made) <= most else otherwise(data, most, seed)

    return change


_NONE: Final = object()


def _loaded(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return _NONE


def _change(whole: list[Any], chance: random.Random, texts: Sequence[str]) -> None:
    places: list[tuple[Any, Any]] = []
    waiting: list[Any] = [whole]
    while waiting:
        holder = waiting.pop()
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        places += [(holder, key) for key in keys]
        waiting += [holder[key] for key in keys if isinstance(holder[key], dict | list)]
    holder, key = chance.choice(places)
    match chance.randrange(7):
        case 0 | 1:
            holder[key] = copy.deepcopy(chance.choice(_ODD))
        case 2 if texts:
            holder[key] = chance.choice(texts)
        case 3 if isinstance(holder, dict) and texts:
            holder[chance.choice(texts)] = holder[key]
        case 4 if holder is not whole:
            del holder[key]
        case 5 if isinstance(holder, list) and holder is not whole:
            holder.insert(key, holder[key])
        case 6 if isinstance(holder[key], int) and not isinstance(holder[key], bool):
            holder[key] += chance.choice((-1, 1, 100, -(2**31)))
        case _:
            other, there = chance.choice(places)
            value = other[there]
            holder[key] = json.loads(json.dumps(value)) if not isinstance(value, str) else value


def png_repaired(data: bytes, most: int, seed: int, otherwise: Mutate) -> bytes:
    """Changed as usual, and the sums of a PNG's chunks made right, mostly."""
    made = bytearray(otherwise(data, most, seed))
    if not made.startswith(b"\x89PNG\r\n\x1a\n") or seed % 5 == 0:
        return bytes(made)
    at = 8
    while at + 12 <= len(made):
        length = int.from_bytes(made[at : at + 4], "big")
        end = at + 8 + length
        if end + 4 > len(made):
            break
        made[end : end + 4] = zlib.crc32(made[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
    return bytes(made)


_LOCAL: Final = b"PK\x03\x04"
_ENTRY: Final = b"PK\x01\x02"
_LAST: Final = b"PK\x05\x06"
_FIELDS: Final = {  # of a member: its format, its place behind each of the two signatures
    "needs": ("<H", 0, 2), "flags": ("<H", 2, 4), "method": ("<H", 4, 6), "sum": ("<I", 10, 12),
    "packed": ("<I", 14, 16), "unpacked": ("<I", 18, 20), "name": ("<H", 22, 24), "extra": ("<H", 24, 26),
}  # fmt: skip
_ENTRY_ALONE: Final = {"comment": ("<H", 28), "disk": ("<H", 30), "outside": ("<I", 34), "place": ("<I", 38)}
_AT_THE_END: Final = {
    "count": ("<H", 4),
    "all": ("<H", 6),
    "size": ("<I", 8),
    "place": ("<I", 12),
    "comment": ("<H", 16),
}
_NUMBERS: Final = (0, 1, 2, 8, 9, 12, 14, 46, 93, 99, 0x800, 0x808, 0xFFFE, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)


def zip_changed(data: bytes, most: int, seed: int, otherwise: Mutate) -> bytes:
    """One to three numbers of headers changed, in both places that say them or in one; else changed as usual."""
    chance = random.Random(seed)
    made = bytearray(data)
    members, entries, ends = (_places(data, mark) for mark in (_LOCAL, _ENTRY, _LAST))
    if not entries or chance.random() < 0.4:
        return otherwise(data, most, seed)
    for _ in range(chance.randint(1, 3)):
        kind = chance.randrange(4)
        if kind == 0 and ends:
            form, at = chance.choice(list(_AT_THE_END.values()))
            _renumbered(made, form, chance.choice(ends) + 4 + at, chance)
        elif kind == 1:
            form, at = chance.choice(list(_ENTRY_ALONE.values()))
            _renumbered(made, form, chance.choice(entries) + 4 + at, chance)
        else:
            form, in_member, in_entry = chance.choice(list(_FIELDS.values()))
            number = chance.randrange(len(entries))
            value = _renumbered(made, form, entries[number] + 4 + in_entry, chance)
            if kind == 2 and value is not None and number < len(members):
                _written(made, form, members[number] + 4 + in_member, value)
    return bytes(made)


def _places(data: bytes, mark: bytes) -> list[int]:
    found, at = [], data.find(mark)
    while at >= 0 and len(found) < 50:
        found.append(at)
        at = data.find(mark, at + 1)
    return found


def _renumbered(made: bytearray, form: str, at: int, chance: random.Random) -> int | None:
    size = struct.calcsize(form)
    if at + size > len(made):
        return None
    (before,) = struct.unpack_from(form, made, at)
    value = chance.choice((before + 1, before - 1, before ^ (1 << chance.randrange(8 * size)), chance.choice(_NUMBERS)))
    return _written(made, form, at, value)


def _written(made: bytearray, form: str, at: int, value: int) -> int:
    value &= (1 << 8 * struct.calcsize(form)) - 1
    if at + struct.calcsize(form) <= len(made):
        struct.pack_into(form, made, at, value)
    return value


_HOLDERS: Final = frozenset(
    [b"moov", b"trak", b"mdia", b"minf", b"dinf", b"stbl", b"edts", b"udta", b"moof", b"traf", b"mvex"]
)
_KINDS: Final = (
    b"avc1", b"mp4v", b"hev1", b"vp09", b"av01", b"jpeg", b"png ", b"raw ", b"mp4a", b"none", b"moov", b"trak", b"free",
    b"vide", b"soun", b"text", b"hint", b"tmcd",
)  # fmt: skip
_WORDS: Final = (0, 1, 2, 12, 16, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def mp4_changed(data: bytes, most: int, seed: int, otherwise: Mutate) -> bytes:
    """One to three parts of an MP4 changed, doubled, left out or renamed, and the lengths around them made right."""
    chance = random.Random(seed)
    if data[4:8] != b"ftyp" or chance.random() < 0.3:
        return otherwise(data, most, seed)
    parts = _parts(data)
    for _ in range(chance.randint(1, 3)):
        holder = chance.choice(list(_holders(parts)))
        if not holder:
            continue
        at = chance.randrange(len(holder))
        kind, inner = holder[at]
        match chance.randrange(8):
            case 0:
                del holder[at]
            case 1:
                holder.insert(at, copy.deepcopy(holder[at]))
            case 2:
                holder[at] = (chance.choice(_KINDS), inner)
            case 3:
                holder.append(holder.pop(at))
            case _ if isinstance(inner, bytes) and len(inner) >= 4:
                made, place = bytearray(inner), chance.randrange(len(inner) - 3)
                if chance.random() < 0.7:
                    place -= place % 4
                struct.pack_into(">I", made, place, chance.choice((*_WORDS, chance.getrandbits(32))))
                holder[at] = (kind, bytes(made))
            case _:
                holder.insert(at, (chance.choice(_KINDS), b""))
    made_of_them = b"".join(map(_joined, parts))
    return made_of_them if len(made_of_them) <= most else otherwise(data, most, seed)


_Part = tuple[bytes, Any]
"""The kind of a part of an MP4, and what is in it: bytes, or a list of parts."""


def _parts(data: bytes) -> list[_Part]:
    found: list[_Part] = []
    at = 0
    while at + 8 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if length < 8:
            break
        inner = data[at + 8 : at + length]
        found.append((kind, _parts(inner) if kind in _HOLDERS else inner))
        at += length
    return found


def _holders(parts: list[_Part]) -> Iterator[list[_Part]]:
    yield parts
    for _, inner in parts:
        if isinstance(inner, list):
            yield from _holders(inner)


def _joined(part: _Part) -> bytes:
    kind, inner = part
    content = b"".join(map(_joined, inner)) if isinstance(inner, list) else inner
    return struct.pack(">I", len(content) + 8) + kind + content
