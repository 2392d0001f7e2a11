"""Lists over pages: each item once and in order, whatever the service's pages are like and whatever is looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ipyassets.collections.asset_list import AssetList
from ipyassets.collections.pages import RecordPages
from ipyassets.http import loop
from ipyassets.services.base import Page, Record, Search
from tests.fakes import MemoryService

Change = Callable[[list[str]], None]


class Scripted(Search):
    """Pages of ``names``, as long as ``sizes`` says, by cursors that mean nothing to anybody else; or by number."""

    def __init__(
        self, names: list[str], sizes: list[int], *, numbered: bool, total: Callable[[int], int | None], mark: str = ""
    ) -> None:
        self.names, self.sizes, self.random_access, self._total, self._mark = names, sizes, numbered, total, mark
        self.page_size = max(sizes)
        self.asked: list[tuple[int, str | None]] = []
        self._given: dict[str, int] = {}
        self.before: Change = lambda _: None

    async def page(self, number: int, cursor: str | None = None) -> Page:
        await asyncio.sleep(0)
        if self.asked:
            self.before(self.names)
        self.asked.append((number, cursor))
        if self.random_access:
            start = number * self.page_size
            return Page(self._records(start, self.page_size), self._total(len(self.names)))
        start = 0 if cursor is None else self._given[cursor]
        size = self.sizes[number % len(self.sizes)]
        following = None
        if start + size < len(self.names):
            following = f"{self._mark}{len(self._given)}"
            self._given[following] = start + size
        return Page(self._records(start, size), self._total(len(self.names)), following)

    def _records(self, start: int, size: int) -> list[Record]:
        return [Record("memory", name, name) for name in self.names[start : start + size]]


def listed(search: Search, limit: int | None = None) -> AssetList:
    return AssetList(RecordPages(MemoryService(), search, limit), "memory")


counts = st.sampled_from(
    [lambda count: count, lambda _: None, lambda count: count + 3, lambda count: max(0, count - 2)]
)
sizes = st.lists(st.integers(0, 6), min_size=1, max_size=4).filter(any)


@given(st.integers(0, 40), sizes, counts, st.none() | st.integers(0, 45), st.text(max_size=5))
def test_pages_by_cursor_of_any_length_give_all_once(
    count: int, lengths: list[int], total: Callable[[int], int | None], limit: int | None, mark: str
):
    """Empty pages in the middle, counts that are wrong: the cursor alone says where the end is."""
    names = [f"n{n}" for n in range(count)]
    search = Scripted(names, lengths, numbered=False, total=total, mark=mark)
    assets = listed(search, limit)
    assert [asset.id for asset in assets] == names[:limit]
    assert len(assets) == len(names[:limit])
    assert [number for number, _ in search.asked] == list(range(len(search.asked))), "no page is asked for twice"
    given = [cursor for _, cursor in search.asked[1:]]
    assert given == list(search._given)[: len(given)], "each cursor goes back as it came, once and in order"


@given(st.integers(0, 40), st.integers(1, 7), st.none() | st.integers(0, 45), st.booleans(), st.data())
def test_numbered_pages_give_all_once_wherever_one_begins(
    count: int, size: int, limit: int | None, counted: bool, data: st.DataObject
):
    names = [f"n{n}" for n in range(count)]
    search = Scripted(names, [size], numbered=True, total=lambda count: count if counted else None)
    assets = listed(search, limit)
    expected = names[:limit]
    for _ in range(data.draw(st.integers(0, 4))):
        start, stop = data.draw(st.integers(0, 45)), data.draw(st.integers(0, 45))
        assert [asset.id for asset in assets[start:stop]] == expected[start:stop]
    assert [asset.id for asset in assets] == expected
    assert [asset.id for asset in assets[::-1]] == expected[::-1]


@given(st.integers(1, 30), st.integers(1, 5), st.data())
def test_several_readers_at_once_each_get_all(count: int, size: int, data: st.DataObject):
    numbered = data.draw(st.booleans())
    names = [f"n{n}" for n in range(count)]
    search = Scripted(names, [size], numbered=numbered, total=lambda count: count)
    pages = RecordPages(MemoryService(), search)
    parts = [(data.draw(st.integers(0, 30)), data.draw(st.integers(0, 35))) for _ in range(4)]

    async def read() -> list[list[Record]]:
        return await asyncio.gather(*(pages.fetch(start, stop) for start, stop in parts))

    found = loop.run(read())
    assert [[record.id for record in run] for run in found] == [names[start:stop] for start, stop in parts]
    if not numbered:
        assert len(search.asked) == len(set(search.asked)), "no page is asked for twice"


@given(st.lists(st.text("abc", max_size=2), min_size=1, max_size=12))
def test_a_service_whose_cursors_go_round_is_left(cursors: list[str]):
    """A cursor that comes a second time would lead round for ever; the walk ends there, whatever the cursors are."""

    class Round(Search):
        random_access = False
        page_size = 1
        asked = 0

        async def page(self, number: int, cursor: str | None = None) -> Page:
            self.asked += 1
            return Page([Record("memory", f"n{number}", "")], next=cursors[number % len(cursors)])

    search = Round()
    found = [asset.id for asset in listed(search)]
    assert found == [f"n{number}" for number in range(search.asked)]
    assert search.asked <= len(set(cursors)) + 1


names_of = st.lists(st.integers(0, 99), unique=True, max_size=30)
steps = st.lists(
    st.tuples(st.sampled_from(["add", "remove", "nothing"]), st.integers(0, 30), st.integers(100, 10**6)), max_size=12
)


@given(names_of, st.integers(1, 6), steps, st.booleans())
def test_a_list_that_changes_while_it_is_read(names: list[int], size: int, changes: list[Any], numbered: bool):
    """Items come and go between two pages: nothing comes twice, nothing is made up, and the walk ends."""
    there = [str(name) for name in names]
    ever = set(there)
    left = list(changes)

    def change(present: list[str]) -> None:
        if not left:
            return
        what, place, name = left.pop(0)
        if what == "add":
            present.insert(place % (len(present) + 1), str(name))
            ever.add(str(name))
        elif what == "remove" and present:
            del present[place % len(present)]

    search = Scripted(there, [size], numbered=numbered, total=lambda count: count)
    search.before = change
    found = [asset.id for asset in listed(search)]
    assert set(found) <= ever
    assert len(found) == len(set(found))
    assert len(search.asked) <= 60
