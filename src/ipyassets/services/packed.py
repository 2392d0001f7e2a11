"""A service's own JSON object, kept small until somebody looks at it."""

from __future__ import annotations

import marshal
from collections.abc import Iterator, KeysView, Mapping
from typing import Any, TypeAlias

__all__ = ["Packed", "look"]

Path: TypeAlias = tuple[str, ...]
Paths: TypeAlias = tuple[Path, ...]


class Packed(Mapping[str, Any]):
    """A JSON object, read only. As bytes until it is looked at, and as it was from then on.

    As objects it takes four times the memory, and the garbage collector looks through the hundred lists and dicts of
    each record again and again. ``marshal`` is the fastest way there and back; the bytes never leave the process.
    """

    __slots__ = ("_at_hand", "_bytes", "_object", "_paths")

    def __init__(self, entity: Mapping[str, Any], at_hand: Paths = ()) -> None:
        """``at_hand``: what of it is asked for so often that `look` finds it without unpacking."""
        self._bytes: bytes | None = None
        self._object: dict[str, Any] = {}
        try:
            self._bytes = marshal.dumps(entity if type(entity) is dict else dict(entity))
        except ValueError:  # nested some thousand deep: newer versions of Python read that, marshal does not write it
            self._object = dict(entity)
        self._paths = at_hand
        self._at_hand = tuple(_found(entity, path) for path in at_hand)

    def look(self, path: Path) -> Any:
        """What stands at ``path``, as the function `look` has it."""
        return self._at_hand[self._paths.index(path)] if path in self._paths else _found(self._opened(), path)

    def _opened(self) -> dict[str, Any]:
        packed = self._bytes
        if packed is not None:
            self._object = marshal.loads(packed)  # noqa: S302  # written above, by this process
            self._bytes = None  # last: another thread may be here too
        return self._object

    def __getitem__(self, key: str) -> Any:
        return self._opened()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._opened())

    def __len__(self) -> int:
        return len(self._opened())

    def keys(self) -> KeysView[str]:
        """The names alone: a mapping's usual view of them prints all values too, signed addresses among them."""
        return self._opened().keys()

    def __repr__(self) -> str:
        return repr(self._opened())

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (self._opened(),)  # other versions of Python write other bytes, and files come from anybody

    def copy(self) -> dict[str, Any]:
        """A dict of its own."""
        return dict(self._opened())


def look(raw: Mapping[str, Any], *path: str) -> Any:
    """What stands in ``raw`` under these names, each inside of the one before; None if nothing does."""
    return raw.look(path) if isinstance(raw, Packed) else _found(raw, path)


def _found(value: Any, path: Path) -> Any:
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value
