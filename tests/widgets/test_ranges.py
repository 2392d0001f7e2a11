"""Ranges and lists of picked positions, against plain lists."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ipyassets.http import loop
from ipyassets.widgets.found import PickedPages
from ipyassets.widgets.ranges import Ranges
from tests.fakes import MemoryService
from tests.widgets.conftest import Shop

indices = st.sets(st.integers(0, 60))
pairs = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)))


@given(pairs)
def test_any_pairs_become_sorted_and_disjoint(given_pairs: list[tuple[int, int]]):
    ranges = Ranges.of(given_pairs)
    assert list(ranges) == sorted({i for a, b in given_pairs for i in range(a, b + 1)})
    assert all(b + 1 < c for (_, b), (c, _) in zip(ranges.pairs, ranges.pairs[1:], strict=False))


@given(indices, st.integers(0, 70), st.integers(0, 70))
def test_members_by_number(chosen: set[int], start: int, stop: int):
    ranges = Ranges.indices(chosen)
    assert len(ranges) == len(chosen)
    found = [i for first, last in ranges.between(start, stop) for i in range(first, last + 1)]
    assert found == sorted(chosen)[start:stop]


@given(indices, st.integers(0, 70))
def test_clip(chosen: set[int], count: int):
    assert list(Ranges.indices(chosen).clip(count)) == sorted(i for i in chosen if i < count)


def test_picked_pages_give_the_picked_records():
    from ipyassets.collections.pages import RecordPages

    service: MemoryService = Shop(200)
    picked = PickedPages(RecordPages(service, service.search()), Ranges.of([(3, 4), (60, 61), (199, 199)]))
    assert [record.name for record in loop.run(picked.fetch(1, 4))] == ["asset-4", "asset-60", "asset-61"]
    assert loop.run(picked.length()) == picked.known == picked.total == 5
