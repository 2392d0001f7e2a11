"""Changes that keep an input readable, so that a run gets past the first check: JSON stays JSON, a PNG's sums fit."""

from __future__ import annotations

import copy
import json
import random
import zlib
from collections.abc import Callable, Sequence
from typing import Any, Final

__all__ = ["Mutate", "json_changed", "png_repaired"]

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
        for _ in range(chance.randint(1, 3)):
            _change(whole, chance, texts)
        try:
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
