"""`map_posters` with threads, against a service in memory."""

from __future__ import annotations

import _thread
import pickle
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import ipyassets as ia
from ipyassets.collections.asset_list import AssetList
from ipyassets.collections.pages import RecordPages
from tests.fakes import MemoryService


def listed(service: MemoryService, limit: int | None = None) -> AssetList:
    return AssetList(RecordPages(service, service.search(), limit), "memory")


def colour(asset: ia.Asset, image: Any) -> tuple[str, int]:
    return asset.id, image.getpixel((0, 0))[0]


@pytest.mark.parametrize("numbered", [True, False])
@pytest.mark.parametrize("partition_size", [1, 3, 100])
def test_results_stand_in_the_order_of_the_assets(numbered: bool, partition_size: int) -> None:
    mapped = listed(MemoryService(23, numbered=numbered)).map_posters(colour, partition_size=partition_size)
    assert mapped.results == [(f"asset-{n}", n) for n in range(23)]
    assert [asset.id for asset in mapped.assets] == [f"asset-{n}" for n in range(23)]
    assert list(mapped.items())[3] == (mapped.assets[3], ("asset-3", 3))
    assert (len(mapped), mapped[2], mapped.failures) == (23, ("asset-2", 2), [])
    assert mapped.raise_for_failures() is mapped
    assert repr(mapped) == "MappedPosters(23 results)"


def test_failures_of_posters_and_of_the_function_are_named() -> None:
    service = MemoryService(8)
    service.posters["asset-2"] = ia.NotFound("gone")
    service.posters["asset-5"] = None

    def fn(asset: ia.Asset, image: Any) -> int:
        return 1 // (int(asset.id[-1]) - 6)

    mapped = listed(service).map_posters(fn, partition_size=3)
    assert [(i, asset.id, type(error)) for i, asset, error in mapped.failures] == [
        (2, "asset-2", ia.NotFound),
        (5, "asset-5", ia.NotFound),
        (6, "asset-6", ZeroDivisionError),
    ]
    assert [mapped[i] for i in (2, 5, 6)] == [None] * 3
    assert [(i, asset.id) for i, asset, _ in mapped[4:7].failures] == [(1, "asset-5"), (2, "asset-6")]
    assert repr(mapped) == "MappedPosters(8 results, 3 failed)"
    with pytest.raises(ExceptionGroup, match="3 of 8 results failed"):
        mapped.raise_for_failures()


def test_no_assets_give_no_results() -> None:
    assert listed(MemoryService(0)).map_posters(colour).results == []


def test_what_makes_no_sense_is_refused_before_anything_is_asked() -> None:
    service = MemoryService(3)
    assets: Any = listed(service)

    async def awaited(asset: Any, image: Any) -> None: ...

    for wrong in (
        lambda: assets.map_posters(awaited),
        lambda: assets.map_posters("fn"),
        lambda: assets.map_posters(colour, executor="threads"),
        lambda: assets.map_posters(colour, partition_size=0),
        lambda: assets.map_posters(colour, budget=5),
        lambda: assets.map_posters(colour, 0),
        lambda: assets.to_dask(partition_size=-1),
        lambda: assets.to_dask(budget=5),
    ):
        with pytest.raises(ia.InvalidRequest):
            wrong()
    assert service.pages == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals to threads")
def test_an_interrupt_gives_what_was_begun_with_the_rest_named() -> None:
    """What was under way at Ctrl-C is not in the results, and must not be missing either."""
    assets = listed(MemoryService(40))
    stopped = threading.Event()

    def fn(asset: ia.Asset, image: Any) -> str:
        if asset.id == "asset-5":
            _thread.interrupt_main()  # which wakes nobody: so it is where it comes just as the wait begins
            assert stopped.wait(20)
        return asset.id

    with ThreadPoolExecutor(1) as one:
        original = signal.signal(signal.SIGINT, lambda *_: (stopped.set(), signal.default_int_handler(2, None)))
        try:
            with pytest.raises(ia.Interrupted) as caught:
                assets.map_posters(fn, executor=one, partition_size=4)
        finally:
            signal.signal(signal.SIGINT, original)
    partial = caught.value.partial
    assert partial is assets.last_map
    assert partial.results[:5] == [f"asset-{n}" for n in range(5)]
    failed = [i for i, _, error in partial.failures if "Interrupted" in str(error)]
    assert [i for i, result in enumerate(partial) if result is None] == failed
    assert len(partial) - len(failed) < 40


def test_an_error_of_the_search_is_raised_and_what_came_is_kept() -> None:
    service = MemoryService(20, numbered=False)
    service.broken_pages[3] = ia.ServiceUnavailable("down")
    assets = listed(service)
    with pytest.raises(ia.ServiceUnavailable, match="down"):
        assets.map_posters(colour, partition_size=4)
    assert assets.last_map is not None
    assert len(assets.last_map) == 12
    assert all(result or "search failed" in str(assets.last_map.failures) for result in assets.last_map)


def test_an_executor_that_is_shut_down_loses_no_asset_without_a_word() -> None:
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    mapped = listed(MemoryService(5)).map_posters(colour, executor=executor)
    assert [i for i, _, error in mapped.failures if "its partition of 5 was lost" in str(error)] == [0, 1, 2, 3, 4]


def test_results_can_be_kept_in_a_file() -> None:
    mapped = listed(MemoryService(5)).map_posters(colour)
    again = pickle.loads(pickle.dumps(mapped))
    assert (again.results, again.assets) == (mapped.results, mapped.assets)
