from __future__ import annotations

import asyncio
import itertools
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyassets.collections.asset_list import AssetList, AsyncAssetList
from ipyassets.collections.pages import RecordPages
from ipyassets.errors import BadResponse, ServiceUnavailable
from ipyassets.http import loop
from ipyassets.services.base import Page, Search
from tests.fakes import MemorySearch, MemoryService


def listed(service: MemoryService, limit: int | None = None, kind: type[Any] = AssetList) -> Any:
    return kind(RecordPages(service, service.search(), limit), "memory")


def names(assets: Any) -> list[str]:
    return [asset.name for asset in assets]


def numbers(assets: Any) -> list[int]:
    return [asset.attributes["n"] for asset in assets]


FORMS = [
    pytest.param({"numbered": True}, id="numbered pages with a count"),
    pytest.param({"numbered": True, "counts": False}, id="numbered pages without a count"),
    pytest.param({"numbered": False}, id="cursor pages"),
]


@pytest.mark.parametrize("form", FORMS)
def test_a_list_is_a_sequence_whatever_the_paging(form: dict[str, Any]):
    assets = listed(MemoryService(10, **form))
    assert numbers(assets) == list(range(10))
    assert len(assets) == 10
    assert (assets[0].name, assets[-1].name) == ("asset-0", "asset-9")
    assert numbers(assets[2:7:2]) == [2, 4, 6]
    assert numbers(assets[::-3]) == [9, 6, 3, 0]
    assert assets
    assert assets[3] in assets
    with pytest.raises(IndexError):
        assets[10]


@given(st.data(), st.booleans(), st.integers(0, 23), st.integers(1, 5))
def test_slices_of_slices_are_those_of_a_list(data: Any, numbered: bool, count: int, page_size: int):
    bound = st.none() | st.integers(-30, 30)
    step = st.none() | st.integers(-6, 6).filter(bool)
    assets: Any = listed(MemoryService(count, numbered=numbered, page_size=page_size))
    plain = list(range(count))
    for _ in range(3):
        cut = slice(data.draw(bound), data.draw(bound), data.draw(step))
        assets, plain = assets[cut], plain[cut]
        assert numbers(assets) == plain
        assert len(assets) == len(plain)
        assert bool(assets) == bool(plain)
        if plain:
            assert assets[-1].attributes["n"] == plain[-1]


def test_nothing_is_fetched_before_it_is_touched():
    service = MemoryService(100)
    assets = listed(service)
    head = assets[:8]
    assert service.pages == []
    assert "not fetched" in repr(assets)
    assert assets
    assert service.pages == [0]
    assert numbers(head) == list(range(8))
    assert sorted(service.pages) == [0, 1]


def test_any_position_is_one_request_where_pages_are_numbered():
    service = MemoryService(1000)
    assets = listed(service)
    assert assets[500].name == "asset-500"
    assert service.pages == [0, 125]
    assert len(assets) == 1000
    assert service.pages == [0, 125]


def test_the_length_of_a_slice_far_down_is_one_request_where_pages_are_numbered():
    """``len(found[5200:5400])`` fetched all pages up to there, if nothing had been fetched before."""
    service = MemoryService(1000)
    assets = listed(service)
    assert len(assets[700:720]) == 20
    assert len(assets[990:1020]) == 10
    assert len(assets[:5:-1]) == 994
    assert service.pages == [0]


def test_a_page_asked_for_twice_at_once_is_fetched_once():
    service = MemoryService(100)
    pages = RecordPages(service, service.search())

    async def together() -> None:
        await asyncio.gather(*(pages.fetch(40, 44) for _ in range(5)))

    loop.run(together())
    assert service.pages.count(10) == 1


def test_the_limit_bounds_the_list_and_not_the_total():
    assets = listed(MemoryService(10), limit=6)
    assert (len(assets), assets.total) == (6, 10)
    assert numbers(assets) == list(range(6))
    assert numbers(assets[4:]) == [4, 5]
    growing = listed(MemoryService(10, numbered=False), limit=6)
    assert (len(growing), growing.total, numbers(growing)) == (6, None, list(range(6)))


def test_a_page_shorter_than_promised_loses_nothing():
    """A service may cap the page size below what was asked; computed positions would then skip assets."""
    service = MemoryService(10, page_size=5)
    service.short_pages = dict.fromkeys(range(10), 3)
    assert numbers(listed(service)) == list(range(10))


@pytest.mark.parametrize(("circle", "seen"), [(1, 8), (2, 12)])
def test_cursors_that_go_round_end_the_list(circle: int, seen: int):
    """A service that answers with a cursor it gave before (the same, or A, B, A) would be walked for ever."""

    class Round(MemorySearch):
        async def page(self, number: int, cursor: str | None = None) -> Page:
            page = await super().page(number, cursor and cursor.split("/")[0])
            return replace(page, next=f"{4 * (number % circle + 1)}/{number % circle}")

    class Stuck(MemoryService):
        def search(self, *args: Any, **kwargs: Any) -> Search:
            return Round(self, self.names, self.page_size, numbered=False)

    assert len(listed(Stuck(20, numbered=False))) == seen


@pytest.mark.parametrize("total", [10**12, 10**30])
def test_a_count_that_no_service_can_have_is_not_believed(total: int):
    """list() makes room for as many first: MemoryError for a million millions, a bare OverflowError for more."""

    class Boastful(MemorySearch):
        async def page(self, number: int, cursor: str | None = None) -> Page:
            return replace(await super().page(number, cursor), total=total)

    class Boaster(MemoryService):
        def search(self, *args: Any, **kwargs: Any) -> Search:
            return Boastful(self, self.names, self.page_size, numbered=True)

    assets = listed(Boaster(8))
    assert assets.total is None
    assert names(list(assets)) == [f"asset-{n}" for n in range(8)]
    assert (len(assets), assets[-1].name) == (8, "asset-7")


@pytest.mark.parametrize("numbered", [True, False])
def test_pages_with_nothing_new_do_not_go_on_for_ever(numbered: bool):
    """A service that gave the same page, or an empty one with a new cursor, each time was asked without end."""

    class Endless(MemorySearch):
        async def page(self, number: int, cursor: str | None = None) -> Page:
            return replace(await super().page(0), total=None, next=None if numbered else f"to {number}")

    class Stuck(MemoryService):
        def search(self, *args: Any, **kwargs: Any) -> Search:
            return Endless(self, self.names, self.page_size, numbered=numbered)

    service = Stuck(4)
    with pytest.raises(BadResponse, match="pages in a row with nothing new"):
        len(listed(service))
    assert len(service.pages) < 1100


def test_an_empty_list_is_empty():
    for form in ({"numbered": True}, {"numbered": False}, {"counts": False}):
        assets = listed(MemoryService(0, **form))
        assert not assets
        assert len(assets) == 0
        assert list(assets) == []
        with pytest.raises(IndexError):
            assets[0]


def test_a_page_that_fails_is_raised_and_can_be_asked_for_again():
    service = MemoryService(10)
    service.broken_pages[1] = ServiceUnavailable("page 1 is down")
    assets = listed(service)
    seen = []
    with pytest.raises(ServiceUnavailable):
        seen.extend(asset.name for asset in assets)
    del service.broken_pages[1]
    assert len(names(assets)) == 10


def test_assets_are_immutable_hashable_and_equal_by_service_and_id():
    service = MemoryService(3)
    first, again = listed(service)[0], listed(service)[0]
    assert first == again
    assert len({first, again, listed(service)[1]}) == 2
    with pytest.raises(AttributeError):
        first.name = "other"
    assert repr(first) == "<Asset memory 'asset-0' 3d LIVE>"


def test_the_frame_has_fixed_columns_and_types_also_when_empty():
    for count in (0, 10):
        frame = listed(MemoryService(count)).to_pandas()
        assert list(frame.columns) == [
            *("id", "name", "service", "kind", "status", "created", "updated", "tags", "attributes")
        ]
        assert str(frame["created"].dtype) == str(frame["updated"].dtype) == "datetime64[ns, UTC]"
        assert len(frame) == count
        # Columns that were empty, or None throughout, had the types float64 and object.
        assert len(set(frame.dtypes[["id", "name", "service", "kind", "status"]])) == 1
        assert frame["id"].dtype == pd.Series(["text"]).dtype
    assert frame["attributes"][3] == {"n": 3}
    assert frame["tags"][0] == ["tag"]
    assert frame["updated"].isna().all()
    assert frame["created"][0] == pd.Timestamp("2024-01-01", tz="UTC")


@pytest.mark.parametrize("index", ["1", None, 1.0], ids=repr)
def test_an_index_that_is_none_is_a_type_error_as_in_a_list(index: Any):
    """It was "AttributeError: 'str' object has no attribute '__index__'"."""
    with pytest.raises(TypeError, match="whole numbers and slices"):
        listed(MemoryService(3))[index]


def test_a_list_says_why_it_is_not_pickled():
    with pytest.raises(TypeError, match="keep the ids"):
        pickle.dumps(listed(MemoryService(3)))


def test_a_list_of_chosen_assets_keeps_their_order():
    service = MemoryService(10)
    chosen = AssetList.of([listed(service)[7], listed(service)[2]])
    assert numbers(chosen) == [7, 2]
    assert chosen.total == 2
    assert repr(chosen) == "AssetList(chosen assets: 2 assets)"


async def test_the_awaited_list_walks_pages_and_gets():
    for form in ({"numbered": True}, {"numbered": False}):
        assets = listed(MemoryService(10, **form), kind=AsyncAssetList)
        assert [asset.attributes["n"] async for asset in assets] == list(range(10))
        assert numbers(await assets.page(1, 3)) == [3, 4, 5]
        assert await assets.page(9, 3) == []
        assert (await assets.get(9)).name == "asset-9"
        assert await assets.length() == 10
        assert [asset.attributes["n"] async for asset in assets[2:5]] == [2, 3, 4]
        assert (await (await assets.get(1)).poster(width=32)).size == (32, 24)
        with pytest.raises(IndexError):
            await assets.get(10)


class Stalling(MemorySearch):
    """Page 2 and those after it never come."""

    async def page(self, number: int, cursor: str | None = None) -> Page:
        if number >= 2:
            await asyncio.Event().wait()
        return await super().page(number, cursor)


class Stalled(MemoryService):
    def search(self, *args: Any, **kwargs: Any) -> Search:
        return Stalling(self, self.names, self.page_size, numbered=False)


def test_a_walk_gives_each_page_as_it_comes_where_pages_are_sequential():
    """It gave nothing before 100 assets had come: with small pages and one that stalled, 80 known assets were lost."""
    assert numbers(itertools.islice(listed(Stalled(20)), 8)) == list(range(8))
    assert numbers(itertools.islice(listed(Stalled(20))[1:], 7)) == list(range(1, 8))
    assert numbers(itertools.islice(listed(Stalled(20))[::3], 3)) == [0, 3, 6]
    assert numbers(listed(Stalled(20), limit=6)) == list(range(6))
    found = list(itertools.islice(listed(Stalled(20)).iter_posters(), 8))
    assert [asset.attributes["n"] for asset, image in found if image is not None] == list(range(8))


async def test_an_awaited_walk_gives_each_page_as_it_comes_where_pages_are_sequential():
    """As with the blocking list, nothing came before 100 assets were here."""
    seen = []
    async for asset in listed(Stalled(20), kind=AsyncAssetList):
        seen.append(asset.attributes["n"])
        if len(seen) == 8:
            break
    assert seen == list(range(8))


def test_an_empty_slice_sends_nothing():
    service = MemoryService(20, numbered=False)
    assert list(listed(service)[5:5]) == []
    assert service.pages == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("numbered", [True, False])
def test_a_child_forked_while_a_page_is_awaited_can_go_on(numbered: bool):
    """The list's lock stayed held in the child, and its half-fetched page never came: the child waited for ever."""
    code = f"""
import asyncio, os, sys, threading
sys.path.insert(0, ".")
from tests.collections.test_asset_list import listed
from tests.fakes import MemoryService, MemorySearch
from ipyassets.http import loop

asked, parent = threading.Event(), os.getpid()
fetch = MemorySearch.page
async def page(self, number, cursor=None):
    if number == 1 and os.getpid() == parent:
        asked.set()
        await asyncio.Event().wait()
    return await fetch(self, number, cursor)
MemorySearch.page = page

assets = listed(MemoryService(8, page_size=4, numbered={numbered}))
assets[:4]
waiting = loop.submit(assets._items(4, 8))
asked.wait()
pid = os.fork()
if pid == 0:
    os._exit(0 if [asset.name for asset in assets[4:8]][0] == "asset-4" else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
