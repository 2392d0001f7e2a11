"""Identifiers: the same in every run, and from a row number and back without a table."""

from __future__ import annotations

import hashlib
import uuid

__all__ = ["NAMESPACE", "Numbered", "named"]

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://ipyassets.invalid/sandbox/vntana")

_NODE = 2**48
_FACTOR = 0x5DEECE66D1B5  # odd, so it has an inverse modulo a power of two
_INVERSE = pow(_FACTOR, -1, _NODE)
_SHIFT = 0x9E3779B97F4A


def named(*words: str) -> str:
    """The UUID of a thing that has a name of its own."""
    return str(uuid.uuid5(NAMESPACE, "/".join(words)))


class Numbered:
    """UUIDs of the rows of a catalogue. The last six bytes carry the number, scattered; the rest is a digest."""

    def __init__(self, salt: str) -> None:
        self._salt = NAMESPACE.bytes + salt.encode()

    def uuid(self, index: int) -> str:
        digest = hashlib.sha1(self._salt + index.to_bytes(6, "big"), usedforsecurity=False).digest()
        node = (index * _FACTOR + _SHIFT) % _NODE
        return str(uuid.UUID(bytes=digest[:10] + node.to_bytes(6, "big"), version=5))

    def index(self, text: str) -> int | None:
        """The number behind ``text``, None if it is none of these UUIDs."""
        try:
            node = uuid.UUID(text).node
        except ValueError:
            return None
        index = (node - _SHIFT) * _INVERSE % _NODE
        return index if self.uuid(index) == text.lower() else None
