"""Walking a list: pages ahead of the reader, few of them kept, nothing left behind."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable
from typing import Any

import pytest

from ipyassets.collections import pages as pages_module
from ipyassets.collections.asset_list import AssetList, AsyncAssetList
from ipyassets.collections.frame import Rows
from ipyassets.collections.pages import RecordPages
from ipyassets.errors import Interrupted, ServiceUnavailable
from ipyassets.http import loop
from ipyassets.services.base import Page, Record, Search
from tests.fakes import MemorySearch, MemoryService


class Watched(MemorySearch):
    """Pages from ``stalled`` on never come; tells how many were under way at once and which were cancelled."""

    stalled: int | None = None
    backwards = False
    """Whether of pages asked for together the last comes first."""

    def __init__(self, *args: Any, **form: Any) -> None:
        super().__init__(*args, **form)
        self.running = self.most = 0
        self.cancelled: list[int] = []
        self.told = threading.Event()

    async def page(self, number: int, cursor: str | None = None) -> Page:
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            if self.stalled is not None and number >= self.stalled:
                await asyncio.Event().wait()
            for _ in range(max(0, 100 - number) if self.backwards else 3):
                await asyncio.sleep(0)
            return await super().page(number, cursor)
        except asyncio.CancelledError:
            self.cancelled.append(number)
            self.told.set()
            raise
        finally:
            self.running -= 1


def walked(service: MemoryService, kind: type[Any] = AssetList, **form: Any) -> tuple[Any, Watched]:
    search = Watched(service, service.names, service.page_size, numbered=service.numbered)
    for name, value in form.items():
        setattr(search, name, value)
    return kind(RecordPages(service, search), "memory"), search


def numbers(assets: Any) -> list[int]:
    return [asset.attributes["n"] for asset in assets]


@pytest.mark.parametrize("numbered", [True, False])
def test_whoever_looks_at_the_first_page_costs_one_page(numbered: bool):
    """With small pages the first look fetched a hundred assets, one page after the other."""
    service = MemoryService(100, numbered=numbered)
    assets, _ = walked(service)
    assert numbers(itertools.islice(assets, 4)) == [0, 1, 2, 3]
    assert service.pages == [0]


def test_whoever_goes_on_gets_a_bounded_number_of_pages_side_by_side():
    """Pages of a walk came one stride after the other, each only once the reader had used up the one before."""
    service = MemoryService(400)
    assets, search = walked(service)
    assert numbers(assets) == list(range(400))
    assert 4 < search.most <= 9
    assert sorted(service.pages) == list(range(100))


def test_a_slice_is_walked_no_further_than_it_goes():
    service = MemoryService(400)
    assets, _ = walked(service)
    assert numbers(assets[6:30]) == list(range(6, 30))
    assert sorted(service.pages) == list(range(8))


def test_a_walk_in_large_steps_fetches_only_pages_it_lands_on():
    """A hundred steps' worth of pages was fetched for a hundred assets, all those between them included."""
    service = MemoryService(400)
    assets, _ = walked(service)
    assert numbers(assets[::40]) == list(range(0, 400, 40))
    assert numbers(assets[::-40]) == list(range(399, 0, -40))
    assert sorted(service.pages) == sorted({n // 4 for n in (*range(0, 400, 40), *range(399, 0, -40))})


def test_where_pages_are_sequential_one_is_ahead():
    service = MemoryService(40, numbered=False)
    assets, search = walked(service, stalled=3)
    assert numbers(itertools.islice(assets, 12)) == list(range(12))
    assert search.told.wait(10)
    assert (service.pages, search.cancelled, search.most) == ([0, 1, 2], [3], 1)


@pytest.mark.parametrize("numbered", [True, False])
def test_what_is_ahead_is_cancelled_when_the_walk_is_left(numbered: bool):
    service = MemoryService(400, numbered=numbered)
    assets, search = walked(service, stalled=3)
    walk = iter(assets)
    assert numbers(itertools.islice(walk, 12)) == list(range(12))
    if not numbered:  # its fourth page is asked for once the third has been given
        assert search.running == 1
    walk.close()
    assert search.told.wait(10)
    assert loop.run(_idle(search)) == 0


async def _idle(search: Watched) -> int:
    for _ in range(10):
        await asyncio.sleep(0)
    return search.running


async def test_an_awaited_walk_that_is_left_cancels_as_well():
    assets, search = walked(MemoryService(400), AsyncAssetList, stalled=3)
    walk = aiter(assets)
    assert [(await anext(walk)).attributes["n"] for _ in range(12)] == list(range(12))
    await walk.aclose()
    assert search.told.wait(10)


def test_a_page_is_cancelled_only_when_the_last_who_waits_for_it_leaves():
    service = MemoryService(40)
    assets, search = walked(service, stalled=1)

    async def two() -> None:
        first, second = (asyncio.ensure_future(assets._items(4, 8)) for _ in range(2))
        assert await _idle(search) == 1
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        assert await _idle(search) == 1
        search.stalled = None
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        assert await _idle(search) == 0
        assert [record.name for _, record in await assets._items(4, 5)] == ["asset-4"]

    loop.run(two())
    assert search.cancelled == [1]


def test_a_page_that_fails_ahead_is_raised_when_its_turn_comes():
    service = MemoryService(400)
    service.broken_pages[5] = ServiceUnavailable("page 5 is down")
    assets, _ = walked(service)
    seen = []
    with pytest.raises(ServiceUnavailable):
        seen.extend(asset.attributes["n"] for asset in assets)
    assert seen == list(range(20))


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("short", range(8))
def test_a_short_page_among_those_ahead_loses_and_doubles_nothing(short: int, backwards: bool):
    """Pages that came before it was known are at other positions than their numbers say."""
    service = MemoryService(100, page_size=10)
    service.short_pages = {short: 7}
    for form in (numbers, lambda assets: [a["n"] for a in assets.to_pandas()["attributes"]]):
        assets, _ = walked(service, backwards=backwards)
        assert form(assets) == list(range(100))


def test_few_pages_of_a_long_search_are_kept():
    """All records of a search were kept for ever: a gigabyte for 100,000 of VNTANA's, also where they were streamed."""
    service = MemoryService(100_000, page_size=100)
    assets, _ = walked(service)
    kept = [len(assets._pages._pages) for _ in assets]
    assert len(kept) == 100_000
    assert max(kept) * 100 == pages_module.KEPT
    assert assets[0].name == "asset-0"
    assert service.pages.count(0) == 2  # fetched again


def test_few_pages_are_kept_where_posters_or_rows_are_streamed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pages_module, "KEPT", 40)
    assets, _ = walked(MemoryService(400))
    kept = [len(assets._pages._pages) for _, image in assets.iter_posters(width=8) if image is not None]
    assert len(kept) == 400
    assert max(kept) <= 10
    assert list(assets.to_pandas()["name"]) == [f"asset-{n}" for n in range(400)]
    assert len(assets._pages._pages) <= 10


def test_a_page_looked_at_again_is_kept_before_others(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pages_module, "KEPT", 12)
    service = MemoryService(40)
    assets, _ = walked(service)
    for index in (0, 4, 8, 0, 12, 0):
        assert assets[index].attributes["n"] == index
    assert service.pages == [0, 1, 2, 3]


@pytest.mark.parametrize("numbered", [True, False])
def test_a_frame_asks_in_the_largest_pages_where_nothing_has_come_yet(numbered: bool):
    service = MemoryService(400, numbered=numbered)
    assets, search = walked(service, most_per_page=100)
    assert list(assets.to_pandas()["attributes"].str["n"]) == list(range(400))
    assert service.pages == [0, 1, 2, 3]
    assert search.page_size == 4  # the question of others is as it was
    assert assets[399].name == "asset-399"


def test_a_frame_asks_in_no_larger_pages_than_it_needs():
    for cut, size in ((slice(6), 6), (slice(2), 4), (slice(10, 30), 30)):
        assets, _ = walked(MemoryService(400), most_per_page=100)
        assert len(assets[cut].to_pandas()) == cut.stop - (cut.start or 0)
        assert assets._pages.stride == size


def test_a_frame_of_a_list_that_is_half_here_goes_on_as_it_began():
    service = MemoryService(40)
    assets, _ = walked(service, most_per_page=100)
    assert (assets[0].name, assets[20].name) == ("asset-0", "asset-20")
    assert len(assets.to_pandas()) == 40
    assert sorted(service.pages) == list(range(10))


def test_an_interrupted_frame_leaves_its_rows(monkeypatch: pytest.MonkeyPatch):
    """Ctrl-C after nine of ten thousand rows gave nothing."""
    assets, search = walked(MemoryService(400))
    add = Rows.add

    def interrupted(self: Rows, records: Any) -> None:
        if len(self) >= 12:
            raise KeyboardInterrupt
        add(self, records)

    monkeypatch.setattr(Rows, "add", interrupted)
    with pytest.raises(Interrupted) as caught:
        assets.to_pandas()
    assert list(caught.value.partial["attributes"].str["n"]) == list(range(12))
    assert loop.run(_idle(search)) == 0


async def test_an_awaited_frame_is_the_same():
    assets, _ = walked(MemoryService(40), AsyncAssetList, most_per_page=100)
    frame = await assets[4:].to_pandas()
    assert list(frame["attributes"].str["n"]) == list(range(4, 40))


class Listed(Search):
    """``lists[n]`` is what there is at the n-th request, the last of them from then on; counted or not."""

    random_access = True

    def __init__(self, *lists: str, size: int = 10, counts: Callable[[int], int | None] = lambda count: count) -> None:
        self.page_size = size
        self.lists = lists
        self.counts = counts
        self.asked = 0

    async def page(self, number: int, cursor: str | None = None) -> Page:
        names = self.lists[min(self.asked, len(self.lists) - 1)]
        self.asked += 1
        some = names[number * self.page_size : (number + 1) * self.page_size]
        return Page([Record("memory", name, name) for name in some], self.counts(len(names)))


LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def of(search: Search) -> str:
    return "".join(asset.id for asset in AssetList(RecordPages(MemoryService(), search), "memory"))


@pytest.mark.parametrize("size", [3, 10, 31])
@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("later", ["+" + LETTERS, "+-" + LETTERS, LETTERS[1:], LETTERS[5:]])
def test_a_list_that_changes_while_it_is_read_gives_each_item_once(later: str, counted: bool, size: int) -> None:
    """Items added before the place where the reader stood came twice; after some were removed the next were lost."""
    search = Listed(LETTERS, later, size=size, counts=(lambda count: count) if counted else (lambda _: None))
    ids = of(search)
    assert len(ids) == len(set(ids))
    if counted or later.startswith("+"):  # else nothing tells that any is missing
        assert set(ids) >= set(later) - set("+-")


def test_an_item_that_a_page_holds_twice_comes_once() -> None:
    assert of(Listed("aabcdd")) == "abcd"


def test_a_service_that_counts_differently_at_every_look_is_read_to_the_end() -> None:
    looks = itertools.count()
    assert of(Listed(LETTERS, counts=lambda count: count + next(looks) % 2)) == LETTERS
