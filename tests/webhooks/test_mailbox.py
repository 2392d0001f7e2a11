from __future__ import annotations

import _thread
import asyncio
import threading

import pytest

from ipyassets.services.events import Event
from ipyassets.webhooks.mailbox import Closed, Events, Mailbox
from ipyassets.webhooks.wanted import wanted
from tests.waiting import main_waits


def event(name: str = "renders.completed", asset: str = "a") -> Event:
    return Event("vntana", name, asset)


@pytest.fixture
def mailbox():
    made = Mailbox()
    made.open()
    return made


everything = wanted(())


def test_what_came_before_is_waited_for_no_longer(mailbox):
    """Between asking for a render and waiting for it lies the moment in which it is done."""
    mailbox.put(event(asset="a"))
    mailbox.put(event(asset="b"))
    assert mailbox.take(wanted(["renders.*"], "b"), 0).asset == "b"
    assert mailbox.take(everything, 0).asset == "a"
    with pytest.raises(TimeoutError):
        mailbox.take(everything, 0)


def test_who_waits_gets_the_first_that_fits_and_others_stay(mailbox):
    got = []
    thread = threading.Thread(target=lambda: got.append(mailbox.take(wanted(["turntable.completed"]), 30)))
    thread.start()
    mailbox.put(event("renders.completed"))
    mailbox.put(event("turntable.completed"))
    thread.join(30)
    assert got == [event("turntable.completed")]
    assert len(mailbox) == 1


def test_each_event_goes_to_one_taker(mailbox):
    got: list[str] = []

    def work() -> None:
        got.extend(each.asset for each in Events(mailbox, everything, None))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(200):
        mailbox.put(event(asset=str(number)))
    mailbox.close()
    for thread in threads:
        thread.join(30)
    assert sorted(got, key=int) == [str(number) for number in range(200)]


def test_the_oldest_go_when_nobody_takes():
    mailbox = Mailbox(most=3)
    for number in range(5):
        mailbox.put(event(asset=str(number)))
    assert mailbox.dropped == 2
    assert [each.asset for each in Events(mailbox, everything, 0)] == ["2", "3", "4"]


def test_the_end_is_told_to_who_waits_and_what_came_can_be_taken(mailbox):
    told = threading.Event()

    def wait() -> None:
        with pytest.raises(Closed):
            mailbox.take(wanted(["never"]), None)
        told.set()

    thread = threading.Thread(target=wait)
    thread.start()
    mailbox.put(event())
    mailbox.close()
    assert told.wait(30)
    thread.join(30)
    assert list(Events(mailbox, everything, None)) == [event()]
    with pytest.raises(Closed):
        mailbox.take(everything, None)


def test_ctrl_c_that_wakes_nobody_is_heard(mailbox):
    """One that came just as the wait began was slept through, until an event came."""

    def press() -> None:
        while not main_waits(Mailbox.take):
            pass
        _thread.interrupt_main()

    pressing = threading.Thread(target=press)
    pressing.start()
    with pytest.raises(KeyboardInterrupt):
        mailbox.take(everything, None)
    pressing.join()
    mailbox.put(event())
    assert mailbox.take(everything, 0) == event()


async def test_awaited(mailbox):
    found = asyncio.ensure_future(mailbox.taken(everything, 30))
    await asyncio.sleep(0)
    threading.Thread(target=mailbox.put, args=(event(),)).start()
    assert await found == event()
    with pytest.raises(TimeoutError):
        await mailbox.taken(everything, 0)
    mailbox.put(event())
    assert await mailbox.taken(everything, 0) == event()


async def test_a_cancelled_waiter_loses_nothing(mailbox):
    waiting = asyncio.ensure_future(mailbox.taken(everything, None))
    await asyncio.sleep(0)
    waiting.cancel()
    mailbox.put(event())  # comes while the waiter is on its way out
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert mailbox.take(everything, 0) == event()


async def test_what_a_cancelled_waiter_gives_back_goes_to_the_next(mailbox):
    first = asyncio.ensure_future(mailbox.taken(everything, None))
    await asyncio.sleep(0)
    second = asyncio.ensure_future(mailbox.taken(everything, 30))
    await asyncio.sleep(0)
    mailbox.put(event())
    first.cancel()
    assert await second == event()
    assert first.cancelled()


async def test_loops_end_with_the_mailbox(mailbox):
    async def read() -> list[Event]:
        return [each async for each in Events(mailbox, everything, None)]

    reading = asyncio.ensure_future(read())
    await asyncio.sleep(0)
    mailbox.put(event())
    mailbox.close()
    assert await reading == [event()]
