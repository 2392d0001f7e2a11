from __future__ import annotations

import logging

from ipyassets.services.events import Event, Hub


def event(name="renders.completed"):
    return Event("vntana", name, raw={"secret-looking": "canary"})


def test_everybody_who_listens_is_told():
    hub, first, second = Hub(), [], []
    end = hub.subscribe(first.append)
    hub.subscribe(second.append)
    hub.publish(event("a"))
    end()
    end()
    hub.publish(event("b"))
    assert [e.name for e in first] == ["a"]
    assert [e.name for e in second] == ["a", "b"]


def test_one_listeners_trouble_is_not_the_others(caplog):
    hub, told = Hub(), []

    def breaks(event):
        raise RuntimeError("oh")

    hub.subscribe(breaks)
    hub.subscribe(told.append)
    with caplog.at_level(logging.ERROR, "ipyassets.events"):
        hub.publish(event())
    assert len(told) == 1
    assert "renders.completed" in caplog.text
    assert "canary" not in caplog.text


def test_a_listener_may_leave_while_it_is_told():
    hub, told = Hub(), []
    ends = []

    def once(event):
        told.append(event)
        ends[0]()

    ends.append(hub.subscribe(once))
    hub.publish(event())
    hub.publish(event())
    assert len(told) == 1


def test_whether_a_receiver_runs():
    hub = Hub()
    assert not hub.receiving
    with hub.receiver():
        with hub.receiver():
            pass
        assert hub.receiving
    assert not hub.receiving


def test_what_came_is_not_printed():
    assert "canary" not in repr(event())
