"""What Python's collector ends of ours, on whatever thread it comes by, and in the middle of whatever."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ipyassets.http import loop
from ipyassets.services.events import Event, Hub
from tests.collections.test_asset_list import listed
from tests.fakes import MemoryService
from tests.waiting import begun

PATIENCE = 10.0


@pytest.fixture(autouse=True)
def _by_hand() -> Iterator[None]:
    """The collector comes by where a test says so, and not before."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def in_a_circle(thing: Any) -> None:
    """Leave ``thing`` to the collector, as an error's traceback does that is kept in a frame of its own."""
    circle = [thing]
    circle.append(circle)


def in_time(work: Callable[[], object]) -> bool:
    """Whether ``work()`` comes to its end."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return not thread.is_alive()


def test_posters_left_in_the_middle_are_ended_without_waiting():
    """The collector may come by on a thread that holds a lock (a logger's, a pool's) which the loop thread is about to
    take: ending the posters there waited for the loop thread, which waited for that lock, and all stood still.
    """
    service = MemoryService(500, page_size=100)
    lock, wanted, got = threading.Lock(), threading.Event(), list[bool]()

    async def takes_the_lock() -> None:
        wanted.set()
        got.append(lock.acquire(timeout=PATIENCE))

    with begun():
        posters = listed(service).iter_posters()
        next(posters)
        in_a_circle(posters)
        del posters
        with lock:
            taking = loop.submit(takes_the_lock())
            wanted.wait(PATIENCE)
            gc.collect()
        taking.result(PATIENCE)
        assert got == [True]
    assert service.running == 0
    assert len(service.fetched) < 100


def test_posters_left_in_the_middle_are_ended_on_the_loop_thread_too():
    """There, ending them raised instead of waiting: nobody was told, and they were fetched on."""
    service = MemoryService(500, page_size=100)

    async def collects() -> None:
        gc.collect()

    with begun():
        posters = listed(service).iter_posters()
        next(posters)
        in_a_circle(posters)
        del posters
        loop.run(collects())
    assert service.running == 0
    assert len(service.fetched) < 100


def test_a_receiver_is_let_go_of_while_an_event_is_told():
    """Its end took the lock that was held while events are told: a thread waited for itself, and no webhook was taken
    in any more.
    """
    hub = Hub()

    class Listeners(list[Any]):
        def __iter__(self) -> Iterator[Any]:
            gc.collect()
            return super().__iter__()

    hub._listeners = Listeners()
    receiving = hub.receiver()
    receiving.__enter__()
    in_a_circle(receiving)
    del receiving
    assert hub.receiving
    assert in_time(lambda: hub.publish(Event("vntana", "renders.completed")))
    assert not hub.receiving


def test_a_list_left_in_the_middle_is_let_go_of_while_the_loop_begins(monkeypatch: pytest.MonkeyPatch):
    """As in a forked child, whose loop thread begins anew: the list's end asked for that loop as well, whose lock the
    same thread held.
    """
    here = loop._current
    assert here is not None
    assets = iter(listed(MemoryService(20)))
    next(assets)

    def begins() -> Any:
        gc.collect()
        return here

    in_a_circle(assets)
    del assets
    monkeypatch.setattr(loop, "_lock", threading.Lock())
    monkeypatch.setattr(loop, "_current", None)
    monkeypatch.setattr(loop, "_LoopThread", begins)
    assert in_time(loop.loop)
