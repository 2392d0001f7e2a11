from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from ipyassets.collections.gate import Gate


class Worked:
    """Work that goes through a gate and takes as long as a clock that the test moves says."""

    def __init__(self, **limits: int) -> None:
        self.now = 0.0
        self.begun: list[str] = []
        self.running = 0
        self.doors: dict[str, asyncio.Event] = {}
        self.gate = Gate(**limits, clock=lambda: self.now)

    def start(self, name: str, *, ahead: bool = False) -> asyncio.Task[None]:
        self.doors[name] = asyncio.Event()
        return asyncio.create_task(self._work(name, ahead))

    async def _work(self, name: str, ahead: bool) -> None:
        async with self.gate.turn(ahead=ahead):
            self.begun.append(name)
            self.running += 1
            try:
                await self.doors[name].wait()
            finally:
                self.running -= 1

    async def end(self, *names: str) -> None:
        for name in names:
            self.doors[name].set()
        await settled()


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_shows_goes_before_what_is_only_likely() -> None:
    work = Worked(least=2, most=2)
    tasks = [work.start(f"ahead {i}", ahead=True) for i in range(3)]
    tasks += [work.start(f"shows {i}") for i in range(3)]
    await settled()
    assert work.begun == ["ahead 0", "shows 0"], "what is likely never has all the turns"
    await work.end("ahead 0")
    await work.end("shows 0")
    assert work.begun == ["ahead 0", "shows 0", "shows 1", "shows 2"]
    await work.end("shows 1", "shows 2")
    await work.end("ahead 1")
    await work.end("ahead 2")
    await asyncio.gather(*tasks)
    assert work.begun[-2:] == ["ahead 1", "ahead 2"]


async def test_a_turn_that_is_called_off_goes_to_the_next() -> None:
    """Cancelled in the very moment its turn came, a picture kept the turn for ever."""
    work = Worked(least=1, most=1)
    async with work.gate.turn():
        first, second, third = (work.start(name) for name in "abc")
        await settled()
        first.cancel()
        await settled()
    second.cancel()  # its turn has come, and it has not run yet
    await settled()
    assert work.begun == ["c"]
    await work.end("c")
    await third
    assert first.cancelled()
    assert second.cancelled()


@pytest.mark.parametrize(
    ("takes", "expected"),
    [(lambda running: 1.0, range(30, 33)), (lambda running: float(running), range(3, 9))],
    ids=["as-long-however-many", "longer-the-more"],
)
async def test_it_finds_how_many_at_once_pay(takes: Callable[[int], float], expected: range) -> None:
    work = Worked(least=3, most=32)
    alone = work.start("alone")
    await settled()
    work.now += takes(1)
    await work.end("alone")
    await alone
    tasks = [work.start(str(i)) for i in range(400)]
    await settled()
    while not all(task.done() for task in tasks):
        work.now += takes(work.running)
        await work.end(*work.begun)
    assert work.gate.limit in expected


async def test_an_error_gives_its_turn_back() -> None:
    gate = Gate(least=1, most=1)
    with pytest.raises(ZeroDivisionError):
        async with gate.turn():
            raise ZeroDivisionError
    async with asyncio.timeout(10), gate.turn():
        pass
