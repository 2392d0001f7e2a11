from __future__ import annotations

import asyncio

import pytest

from ipyassets.http.gather import gathered


async def test_all_in_order_and_a_few_at_a_time():
    running, most = 0, 0

    async def work(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _ in range(10 - number):  # the later, the sooner done
            await asyncio.sleep(0)
        running -= 1
        return number * number

    assert await gathered(work, range(10), 3) == [number * number for number in range(10)]
    assert (running, most) == (0, 3)
    assert await gathered(work, (), 3) == []


async def test_nothing_runs_any_more_once_an_error_is_raised():
    """Products went on being looked up, one request each, after the first had failed for good."""
    begun: list[int] = []
    ended: list[int] = []

    async def work(number: int) -> None:
        begun.append(number)
        try:
            if number == 1:
                raise ValueError("the second")
            await asyncio.Event().wait()
        finally:
            ended.append(number)

    with pytest.raises(ValueError, match="the second"):
        await gathered(work, range(100), 2)
    assert sorted(begun) == sorted(ended)
    assert len(begun) < 5


async def test_when_cancelled_the_work_is_too():
    begun, ended = asyncio.Event(), asyncio.Event()

    async def work(_: int) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    task = asyncio.create_task(gathered(work, range(3), 1))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()
