from __future__ import annotations

from ipyassets.services.events import Event
from ipyassets.webhooks.seen import Seen

EVENT = Event("vntana", "renders.completed", "a")


def test_copies_are_known_until_they_could_not_come_any_more():
    now = 0.0
    seen = Seen(10, clock=lambda: now)
    assert seen.first(EVENT, "t", b"body")
    now = 9.9
    assert not seen.first(EVENT, "t", b"body")
    now = 10.0
    assert seen.first(EVENT, "t", b"body")
    assert len(seen) == 1


def test_whatever_differs_is_another():
    seen = Seen(10)
    other = Event("vntana", "renders.failed", "a")
    assert all([seen.first(EVENT, "t", b"x"), seen.first(EVENT, "u", b"x"), seen.first(EVENT, "t", b"y")])
    assert seen.first(other, "t", b"x")
    assert seen.first(Event("vntana", "renders.completed", "b"), "t", b"x")
    assert len(seen) == 5


def test_the_memory_is_bounded():
    seen = Seen(1000, most=100)
    assert all(seen.first(EVENT, str(number), b"") for number in range(1000))
    assert len(seen) == 100
    assert not seen.first(EVENT, "999", b"")
    assert seen.first(EVENT, "0", b"")
