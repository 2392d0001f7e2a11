"""Sets of indexes as ranges: 100,000 selected assets are one pair, here and on the way to the browser."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate

__all__ = ["Ranges"]


@dataclass(frozen=True, slots=True)
class Ranges:
    """Sorted, disjoint, inclusive ``(first, last)`` pairs. Made with `of` or `indices`, which see to that."""

    pairs: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, int]]) -> Ranges:
        """Any pairs, in any order, overlapping or not."""
        joined: list[tuple[int, int]] = []
        for first, last in sorted(pair for pair in pairs if pair[1] >= pair[0]):
            if joined and first <= joined[-1][1] + 1:
                joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
            else:
                joined.append((first, last))
        return cls(tuple(joined))

    @classmethod
    def indices(cls, indices: Iterable[int]) -> Ranges:
        return cls.of((index, index) for index in indices)

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self.pairs)

    def __iter__(self) -> Iterator[int]:
        for first, last in self.pairs:
            yield from range(first, last + 1)

    def clip(self, count: int) -> Ranges:
        """Without the indexes from ``count`` on."""
        return Ranges(tuple((first, min(last, count - 1)) for first, last in self.pairs if first < count))

    def between(self, start: int, stop: int) -> list[tuple[int, int]]:
        """The pairs that hold members number ``start`` up to ``stop``, cut to size."""
        ends = list(accumulate(last - first + 1 for first, last in self.pairs))
        found: list[tuple[int, int]] = []
        number = bisect_right(ends, start)
        while number < len(ends) and start < stop:
            first, last = self.pairs[number]
            skipped = start - (ends[number] - (last - first + 1))
            cut = min(last, first + skipped + (stop - start) - 1)
            found.append((first + skipped, cut))
            start = ends[number]
            number += 1
        return found
