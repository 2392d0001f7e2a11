"""What happens to products, told to whoever sends webhooks about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

__all__ = ["Bus", "Listener"]

Listener: TypeAlias = Callable[[str, int], None]


class Bus:
    """``emit("renders.completed", index)``: the event's name as payloads spell it, and the product's number."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> None:
        """``listener(name, index)`` is called on the thread that emits, and must not block."""
        self._listeners.append(listener)

    def emit(self, name: str, index: int) -> None:
        for listener in self._listeners:
            listener(name, index)
