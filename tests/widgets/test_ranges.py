"""Ranges and lists of picked positions, against plain lists."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ipyassets.collections.asset_list import AssetList
from ipyassets.collections.pages import RecordPages
from ipyassets.http import loop
from ipyassets.widgets.found import PickedPages, places_of
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
    service: MemoryService = Shop(200)
    picked = PickedPages(RecordPages(service, service.search()), Ranges.of([(3, 4), (60, 61), (199, 199)]))
    assert [record.name for record in loop.run(picked.fetch(1, 4))] == ["asset-4", "asset-60", "asset-61"]
    assert loop.run(picked.length()) == picked.known == picked.total == 5


@given(indices, indices, st.integers(0, 70))
def test_ranges_are_sets(one: set[int], other: set[int], count: int):
    """Joined, cut off and compared as sets are; two of the same indexes are the same, however they were made."""
    joined = Ranges.of([*Ranges.indices(one).pairs, *Ranges.indices(other).pairs])
    assert joined == Ranges.indices(one | other)
    assert set(joined) == one | other
    assert joined.clip(count) == Ranges.indices({i for i in one | other if i < count})
    assert joined.clip(count).clip(count) == joined.clip(count)
    assert (Ranges.indices(one) == Ranges.indices(other)) == (one == other)
    assert joined.between(0, len(joined)) == list(joined.pairs)


@given(indices, st.data(), st.booleans(), st.integers(1, 20))
def test_what_is_picked_is_a_list_of_its_own(chosen: set[int], data: st.DataObject, numbered: bool, page_size: int):
    """Whatever part of a selection is asked for: its assets, once each and in order, and back to the same places."""
    service = MemoryService(61, numbered=numbered, page_size=page_size)
    pages = RecordPages(service, service.search())
    assets = AssetList(PickedPages(pages, Ranges.indices(chosen)), "selection")
    expected = [f"asset-{index}" for index in sorted(chosen)]
    bound = st.none() | st.integers(-70, 70)
    cut = slice(data.draw(bound), data.draw(bound), data.draw(st.none() | st.sampled_from([1, 2, -1, -3])))
    assert [asset.id for asset in assets[cut]] == expected[cut]
    assert [asset.id for asset in assets] == expected
    found, outside = loop.run(places_of(assets, pages))
    assert (set(found), outside) == (chosen, 0)
    # As where the same assets were put together by a person.
    again, outside = loop.run(places_of(AssetList.of(list(assets), "mine"), pages))
    assert (set(again), outside) == (chosen, 0)
