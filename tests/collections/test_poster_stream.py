"""Filling and taking: nothing lost, nothing twice, and never more of it than told."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyassets.collections import ahead, kept
from ipyassets.collections.pages import Item
from ipyassets.collections.posters import Box, PosterResult, PosterStream
from ipyassets.errors import PermissionDenied, ServiceUnavailable
from ipyassets.http.cache import cache
from tests.fakes import MemoryService


class Work(PosterStream):
    """Pictures that take some turns of the loop, or fail; it looks at how many there are at once."""

    ahead: ClassVar[int] = 6
    held: ClassVar[int] = 3

    def __init__(self, seed: int, count: int, *, breaks: bool = False) -> None:
        super().__init__(self._found(), Box())
        self.random = random.Random(seed)
        self.count = count
        self.breaks = breaks
        self.asked: list[int] = []
        self.most = self.most_busy = 0
        self.left = False

    async def _found(self) -> AsyncIterator[Item]:
        service = MemoryService(0)
        try:
            for number in range(self.count):
                if self.random.random() < 0.2:  # a page to wait for
                    await self._some_turns()
                self.asked.append(number)
                yield service, service.make(f"asset-{number}")
            if self.breaks:
                raise PermissionDenied("the next page is not yours")
        finally:
            self.left = True

    async def _some_turns(self) -> None:
        for _ in range(self.random.choice([0, 0, 1, 3, 20])):
            await asyncio.sleep(0)

    async def _complete(self, result: PosterResult) -> None:
        self.most = max(self.most, len(self._tasks))
        self.most_busy = max(self.most_busy, self._busy)
        await self._some_turns()
        if result.index % 5 == 3:
            raise ServiceUnavailable("down")
        if result.index % 7 == 6:
            raise RuntimeError("a surprise")
        result.content = b"%d" % result.index

    def check(self, results: list[PosterResult]) -> None:
        """Each is what it should be, and there were never too many."""
        for result in results:
            failed = result.index % 5 == 3 or result.index % 7 == 6
            assert (result.error is not None) == failed
            assert result.content == (None if failed else b"%d" % result.index)
            assert result.item[1].name == f"asset-{result.index}"
        assert self.most <= self.ahead + self.held
        assert self.most_busy <= self.ahead
        assert self.left


@pytest.fixture(autouse=True)
def no_waiting_for_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "_GATHERED", 0.001)


@given(st.integers(0, 1 << 30), st.integers(0, 60), st.sampled_from([1, 4, 100]), st.booleans())
def test_all_come_once_and_in_order(seed: int, count: int, most: int, breaks: bool):  # hypothesis
    async def go() -> None:
        work = Work(seed, count, breaks=breaks)
        results: list[PosterResult] = []
        try:
            while taken := await work.take(most):
                results.extend(taken)
                if work.random.random() < 0.3:
                    await work._some_turns()
            assert not breaks
        except PermissionDenied:
            assert breaks
        assert await work.stop() == []
        assert [result.index for result in results] == list(range(count)) == work.asked
        work.check(results)

    asyncio.run(go())


@given(st.integers(0, 1 << 30), st.integers(0, 12), st.integers(0, 40), st.booleans())
def test_stopped_anywhere_what_was_finished_is_given(seed: int, takes: int, turns: int, cancelled: bool):
    async def go() -> None:
        work = Work(seed, 50)
        results: list[PosterResult] = []

        async def taking() -> None:
            for _ in range(takes):
                results.extend(await work.take(3))
            await asyncio.Event().wait()

        reader = asyncio.create_task(taking())
        for _ in range(turns):
            await asyncio.sleep(0)
        if cancelled:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
        finished = {index for index, task in enumerate(work._tasks, len(results)) if task.done()}
        stopped = await work.stop()
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
        indexes = [result.index for result in results + stopped]
        assert [result.index for result in results] == list(range(len(results)))
        assert indexes == sorted(set(indexes))
        assert finished <= set(indexes)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        asked = len(work.asked)
        assert await work.take() == []
        assert len(work.asked) == asked
        work.left = work.left or not work.asked
        work.check(results + stopped)

    asyncio.run(go())


async def test_who_takes_nothing_holds_no_more_than_told():
    work = Work(1, 1000)
    taken = await work.take()
    for _ in range(2000):  # all the time in the world
        await asyncio.sleep(0)
    assert len(work._tasks) <= work.ahead + work.held
    assert len(work.asked) <= len(taken) + work.ahead + work.held + 1
    await work.stop()


async def test_where_the_disk_cannot_be_looked_at_nothing_waits_for_ever(monkeypatch: pytest.MonkeyPatch):
    """An error while many were looked up on disk together was nobody's: all who had asked waited for good."""

    def wrong(key: Any) -> bool:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(type(cache), "has", lambda _, key: wrong(key))
    assert await asyncio.gather(*(kept.has((str(number),)) for number in range(3))) == [False] * 3
