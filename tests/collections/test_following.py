from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ipyassets.collections import following, watching
from ipyassets.collections.following import LONGEST, LONGEST_WITH_EVENTS, Pace, end_following, follower
from ipyassets.errors import (
    AuthenticationError,
    BadResponse,
    InvalidRequest,
    JobTimeout,
    PermissionDenied,
    RateLimited,
    ServiceUnavailable,
)
from ipyassets.http import loop
from ipyassets.services.events import Event, hub
from tests.collections.renders import picked_up, rendered
from tests.fakes import MemoryRenders
from tests.waiting import PATIENCE, ended, tasks

NEVER = 600.0
"""Seconds to a first look that no test waits for: only an event can lead to one."""


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "SETTLED", 0.0)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "GATHERING", 0.01)


@pytest.fixture
def receiving() -> Iterator[None]:
    with hub.receiver():
        yield


def event(id: str | None, name: str = "renders.completed", service: str = "memory") -> Event:
    return Event(service, name, id)


# -- pace -----------------------------------------------------------------------------------------------------------


def test_looks_become_less_frequent_and_frequent_again_after_a_change():
    pace = Pace(2.0)
    waits = []
    for _ in range(12):
        waits.append(pace.wait)
        pace.looked(changed=False)
    assert waits[:4] == pytest.approx([2, 2.8, 3.92, 5.488])
    assert waits[-1] == pace.wait == LONGEST
    pace.looked(changed=True)
    assert pace.wait == 2
    before = time.monotonic()
    pace.looked(changed=False, at_least=45)
    assert before + 45 <= pace.due <= time.monotonic() + 45


def test_where_events_come_looks_are_a_safety_net(receiving):
    pace = Pace(2.0)
    for _ in range(20):
        pace.looked(changed=False)
    assert pace.wait == LONGEST_WITH_EVENTS
    pace.looked(changed=True)
    assert pace.wait == 2, "a receiver that never heard of this work proves nothing"
    pace.heard()
    pace.looked(changed=False)
    assert pace.wait == pytest.approx(1.4), "the event came before what it tells of could be seen"
    pace.looked(changed=True)
    assert pace.wait == LONGEST_WITH_EVENTS
    pace.looked(changed=True, soon=True)
    assert pace.wait == 1, "what is to be confirmed does not wait for an event"
    pace.looked(changed=True, soon=True)
    assert pace.wait == pytest.approx(1.4)


def test_what_is_to_be_confirmed_for_long_is_looked_at_less_and_less_often():
    """Files of 200 assets were listed every 2 s for half a minute where uploads stayed beside the new renders."""
    pace, waits = Pace(2.0), []
    for _ in range(20):
        pace.looked(changed=False, soon=True)
        waits.append(pace.wait)
    assert waits[:4] == pytest.approx([1, 1.4, 1.96, 2.744])
    assert waits[-1] == LONGEST
    pace.looked(changed=True, soon=True)
    assert pace.wait == 2


def test_a_first_look_that_is_late_stays_the_least_wait():
    pace = Pace(100.0)
    pace.looked(changed=False)
    assert pace.wait == 100


# -- one follower for all -------------------------------------------------------------------------------------------


def test_jobs_of_one_service_share_their_looks():
    service = MemoryRenders(4)
    service.on_look = lambda number: None
    first = rendered(service, ["asset-0", "asset-1"], poll=NEVER)
    second = rendered(service, ["asset-1", "asset-2"], poll=NEVER)
    assert first._follower is second._follower
    assert tasks(" renders") == ["memory renders"]
    service.asked.clear()
    loop.run(first._follower.look([first._watches, second._watches]))
    assert service.asked == [("asset-0", "asset-1", "asset-2")]
    other = rendered(MemoryRenders(1), poll=NEVER)
    assert other._follower is not first._follower
    for job in (first, second, other):
        job.stop_following()


def test_a_job_that_nobody_holds_leaves_nothing_behind():
    service = MemoryRenders(1)
    service.on_look = lambda number: None
    job = rendered(service, poll=0.005)
    service.looked.until(lambda: service.looks >= 4)
    assert tasks(" renders") == ["memory renders"]
    del job
    gc.collect()
    ended(" renders")
    assert not hub._listeners


def test_a_job_is_kept_by_whoever_waits_to_be_called_back():
    service = MemoryRenders(1)
    done, seen = threading.Event(), []
    rendered(service).on_done(lambda job: (seen.append(job.status), done.set()))
    gc.collect()
    assert done.wait(10)
    assert seen == ["completed"]


def test_following_ends_when_all_is_done_and_when_it_is_stopped():
    service = MemoryRenders(1)
    rendered(service).wait(10)
    service.on_look = lambda number: None
    job = rendered(service)
    job.stop_following()
    ended(" renders")
    assert job.status == "stopped"


# -- trouble --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [ServiceUnavailable("down"), BadResponse("not JSON"), RateLimited("slow", retry_after=0.01)],
    ids=lambda error: type(error).__name__,
)
def test_following_survives_trouble_and_tells_of_it(error: Any):
    service = MemoryRenders(1)
    troubles: list[Any] = []

    def on_look(number: int) -> None:
        if 1 < number < 7:
            raise error
        service.complete("asset-0") if number == 7 else service.stage("asset-0", "running")

    service.on_look = on_look
    service.looking.hold()
    job = rendered(service)
    job.subscribe(lambda: troubles.append(job.trouble))
    service.looking.resume()
    job.wait(10)
    assert error in troubles
    assert job.trouble is None
    assert job.status == "completed"


def test_a_limit_is_heeded_for_as_long_as_it_says():
    service = MemoryRenders(1)

    def on_look(number: int) -> None:
        raise RateLimited("slow", retry_after=50)

    service.on_look = on_look
    before = time.monotonic()
    job = rendered(service)
    service.looked.until(lambda: service.looks)
    with pytest.raises(JobTimeout):
        job.wait(0.05)
    assert service.looks == 1
    assert job._watches.pace.due >= before + 50
    job.stop_following()


def test_a_listing_that_fails_is_trouble_of_its_asset_alone():
    service = MemoryRenders(2)
    failing = True

    def on_look(number: int) -> None:
        nonlocal failing
        if number == 1:
            service.complete("asset-0")
            service.complete("asset-1")
        failing = number < 4

    def on_listing(id: str) -> None:
        if id == "asset-0" and service.began and failing:
            raise ServiceUnavailable("down")

    service.on_look, service.on_listing = on_look, on_listing
    service.looking.hold()
    job = rendered(service)
    seen: list[Any] = []
    job.subscribe(lambda: seen.append((job.items[1].status, str(job.trouble))))
    service.looking.resume()
    job.wait(10)
    assert ("completed", "down") in seen
    assert (job.status, job.trouble) == ("completed", None)


@pytest.mark.parametrize("error", [AuthenticationError("revoked"), PermissionDenied("not you")], ids=repr)
def test_what_is_refused_for_good_ends_the_following_and_nothing_is_lost(error: Any):
    service = MemoryRenders(2)

    def on_look(number: int) -> None:
        if number > 1:
            raise error
        service.complete("asset-0")

    service.on_look = on_look
    job = rendered(service)
    with pytest.raises(type(error)):
        job.wait(10)
    assert service.looks == 1 + 3
    assert job.trouble is error
    assert [item.status for item in job.items] == ["completed", "stopped"]
    assert job.status == "stopped"
    assert [image is None for image in job.stills()] == [False, False, True]
    # With new credentials the rest is picked up.
    service.on_look = lambda number: service.complete("asset-1")
    assert picked_up(service, ["asset-1"]).wait(10).status == "completed"


def test_files_that_may_not_be_listed_fail_their_asset_in_the_end():
    service = MemoryRenders(2)

    def on_look(number: int) -> None:
        if number == 1:
            service.complete("asset-0")
            service.complete("asset-1")

    def on_listing(id: str) -> None:
        if id == "asset-0" and service.began:
            raise PermissionDenied("not yours")

    service.on_look, service.on_listing = on_look, on_listing
    job = rendered(service).wait(10)
    assert [item.status for item in job.items] == ["failed", "completed"]
    assert {str(error) for _, _, error in job.failures} == {"not yours"}


def test_a_closed_client_ends_the_following_with_a_word():
    service = MemoryRenders(1)
    service.on_look = lambda number: None
    job = rendered(service, poll=NEVER)
    loop.run(end_following(service, InvalidRequest("The client was closed.")))
    with pytest.raises(InvalidRequest, match="was closed"):
        job.wait(10)
    assert job.status == "stopped"


# -- events ---------------------------------------------------------------------------------------------------------


def test_an_event_leads_to_a_look_at_its_asset_at_once(quick, receiving):
    service = MemoryRenders(3)
    service.on_look = lambda number: None
    job = rendered(service, poll=NEVER)
    service.asked.clear()
    service.complete("asset-1")
    done = threading.Event()
    job.on_item_done(lambda item: done.set())
    threading.Thread(target=hub.publish, args=[event("asset-1")]).start()
    assert done.wait(10)
    assert service.asked == [("asset-1",)]
    assert [item.status for item in job.items] == ["queued", "completed", "queued"]
    job.stop_following()


def test_an_event_may_name_its_asset_in_the_other_case(quick, receiving):
    """A uuid in capitals was taken for that of another asset: the job heard of nothing."""
    service = MemoryRenders(1)
    service.on_look = lambda number: None
    job = rendered(service, poll=NEVER)
    service.complete("asset-0")
    hub.publish(event("ASSET-0"))
    assert job.wait(10).status == "completed"


def test_a_burst_of_events_leads_to_one_look(receiving):
    service = MemoryRenders(3)
    service.on_look = lambda number: None
    job = rendered(service, poll=NEVER)
    for name in service.names:
        service.complete(name)
    service.asked.clear()
    for name in service.names:
        for word in ("renders.completed", "renders.pending", "turntable.completed", "renders.completed"):
            hub.publish(event(name, word))
    job.wait(10)
    assert [sorted(ids) for ids in service.asked] == [service.names]


def test_files_that_an_event_told_of_are_confirmed_soon_where_words_are_old(quick, receiving, monkeypatch):
    """The look that was to confirm them came only after a minute, as where events tell of every change."""
    monkeypatch.setattr(following, "SOON", 0.01)
    service = MemoryRenders(1)
    service.complete("asset-0")
    service.on_look = lambda number: None
    job = rendered(service, poll=NEVER)
    service.complete("asset-0")
    hub.publish(event("asset-0"))
    assert job.wait(10).status == "completed"


def test_events_in_disorder_doubled_stale_and_of_others_do_no_harm(quick, receiving):
    """An event proves nothing: what it says is looked for."""
    service = MemoryRenders(2)
    service.on_look = lambda number: None
    job = rendered(service, poll=NEVER)
    service.stage("asset-0", "running")
    told = threading.Event()
    job.subscribe(told.set)
    for id, word, owner in (
        ("asset-0", "renders.completed", "memory"),
        ("asset-0", "renders.completed", "memory"),
        ("asset-0", "renders.failed", "memory"),
        ("asset-1", "renders.completed", "elsewhere"),
        ("asset-77", "renders.completed", "memory"),
        (None, "renders.completed", "memory"),
    ):
        hub.publish(event(id, word, owner))
    assert told.wait(PATIENCE)
    assert service.asked[1:] == [("asset-0",)]
    assert [item.status for item in job.items] == ["running", "queued"]
    service.complete("asset-0")
    service.complete("asset-1")
    hub.publish(event("asset-1"))
    hub.publish(event("asset-0", "renders.pending"))
    assert job.wait(10).status == "completed"
    hub.publish(event("asset-0", "renders.failed"))
    assert job.status == "completed"


def test_an_event_that_comes_before_what_it_tells_of_is_followed_up(quick, receiving, monkeypatch):
    monkeypatch.setattr(following, "SOON", 0.01)
    service = MemoryRenders(1)
    service.on_look = lambda number: service.complete("asset-0") if number == 3 else None
    job = rendered(service, poll=NEVER)
    hub.publish(event("asset-0"))
    assert job.wait(10).status == "completed"


def test_a_webhook_that_never_comes(receiving):
    service = MemoryRenders(2)
    service.on_look = lambda number: [service.complete(n) for n in service.names] if number == 5 else None
    assert rendered(service).wait(10).status == "completed"


def test_nobody_listens_to_events_when_nothing_is_followed():
    service = MemoryRenders(1)
    rendered(service).wait(10)
    end = time.monotonic() + 10
    while hub._listeners:
        assert time.monotonic() < end
    assert loop.run(_followers_of(service)) == []


async def _followers_of(service: MemoryRenders) -> list[Any]:
    return follower(service).followed()
