"""Which positions of a list a slice of it stands for."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Span"]


@dataclass(frozen=True, slots=True)
class Span:
    """Positions ``start``, ``start + step``, …: ``count`` of them, or (None) as many as there are."""

    start: int = 0
    step: int = 1
    count: int | None = None

    def within(self, available: int) -> int:
        """How many of the positions exist when the list has ``available``."""
        if self.step < 0:
            first_missing = self.start - available + 1
            skipped = max(0, -(-first_missing // -self.step)) if first_missing > 0 else 0
            return max(0, (self.count or 0) - skipped)
        there = max(0, -(-(available - self.start) // self.step))
        return there if self.count is None else min(there, self.count)

    def position(self, index: int) -> int:
        return self.start + index * self.step

    def sliced(self, start: int | None, stop: int | None, step: int | None) -> Span | None:
        """The span of ``[start:stop:step]``; None if the length must be known to tell (negative numbers)."""
        first, stride = start or 0, 1 if step is None else step
        if first < 0 or stride < 1 or (stop is not None and stop < 0):
            return None
        count = None if self.count is None else max(0, -(-(self.count - first) // stride))
        if stop is not None:
            wanted = max(0, -(-(stop - first) // stride))
            count = wanted if count is None else min(count, wanted)
        return Span(self.position(first), self.step * stride, count)

    def taken(self, chosen: range) -> Span:
        """The span of ``chosen`` indexes of this one."""
        return Span(self.position(chosen.start), self.step * chosen.step, len(chosen))
