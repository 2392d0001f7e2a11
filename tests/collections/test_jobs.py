from __future__ import annotations

import threading
from typing import Any

import pytest

from ipyassets.collections.jobs import BlockingJob, JobItem
from ipyassets.errors import AssetServiceError, InvalidRequest, JobFailed, JobTimeout
from ipyassets.http import loop


class Job(BlockingJob):
    """A job whose parts come to the stages a test says."""

    def __init__(self, *names: str) -> None:
        parts: Any = {"stills": "queued", "turntable": "queued"}
        super().__init__(f"{len(names)} things", [JobItem(i, name, parts) for i, name in enumerate(names)])
        self.unfollowed = self.retried = 0

    async def _retry(self) -> None:
        self.retried += 1
        for item in self.items:
            if item.errors:
                self._begin_again(item.index)

    async def _unfollow(self) -> None:
        self.unfollowed += 1

    def put(self, *changes: tuple[Any, ...]) -> None:
        """``(index, part, stage, …)`` each, in one go on the loop thread."""

        async def change() -> None:
            for one in changes:
                self._set(*one)

        loop.run(change())


ERROR = AssetServiceError("no good")


@pytest.mark.parametrize(
    ("stages", "status", "progress"),
    [
        (["queued", "queued"], "queued", 0.0),
        (["running", "queued"], "running", 0.0),
        (["completed", "queued"], "running", 0.5),
        (["failed", "running"], "running", 0.5),
        (["completed", "completed"], "completed", 1.0),
        (["completed", "failed"], "partly_failed", 1.0),
        (["failed", "failed"], "failed", 1.0),
        (["completed", "stopped"], "stopped", 0.5),  # it said 1.0 of what nobody had seen done
        (["stopped", "stopped"], "stopped", 0.0),
    ],
)
def test_status_and_progress(stages: list[Any], status: str, progress: float):
    job = Job("a")
    job.put(*((0, part, stage) for part, stage in zip(("stills", "turntable"), stages, strict=True)))
    assert (job.status, job.progress) == (status, progress)
    assert (job.items[0].status, job.items[0].progress) == (status, progress)
    assert job.done == (progress == 1.0 or status == "stopped")
    assert (job.ended is not None) == job.done


def test_shares_and_times():
    job = Job("a", "b")
    assert job.remaining is None
    assert job.items[0].began is None
    job.put((0, "stills", "running", None, 0.5))
    assert job.items[0].progress == 0.25
    assert job.progress == 0.125
    assert job.items[0].began is not None
    assert job.remaining > 0
    job.put((0, "stills", "completed"), (0, "turntable", "completed"))
    assert job.items[0].ended >= job.items[0].began
    assert job.ended is None


def test_listeners_are_told_once_for_many_changes_and_no_more_in_the_end():
    job, told = Job("a", "b"), []
    end = job.subscribe(lambda: told.append(job.progress))
    job.subscribe(lambda: 1 / 0)
    job.put(*((i, part, "running") for i in (0, 1) for part in ("stills", "turntable")))
    loop.run(_turn())
    assert told == [0.0]
    job.put((0, "stills", "running"))
    loop.run(_turn())
    assert told == [0.0], "nothing changed"
    end()
    end()
    job.put((0, "stills", "completed"))
    loop.run(_turn())
    assert told == [0.0]


async def _turn() -> None:
    return


def test_callbacks_come_one_after_the_other_also_for_what_was_over_before():
    job, told, done = Job("a", "b"), [], threading.Event()
    job.put((0, "stills", "completed"), (0, "turntable", "failed", ERROR))
    loop.run(_turn())
    job.on_item_done(lambda item: 1 / 0)
    job.on_item_done(lambda item: told.append((item.name, item.status)))
    job.on_done(lambda whole: (told.append(whole), done.set()))
    job.put((1, "stills", "completed"), (1, "turntable", "completed"))
    assert done.wait(10)
    assert told == [("a", "partly_failed"), ("b", "completed"), job]
    again = threading.Event()
    job.on_done(lambda whole: again.set())
    assert again.wait(10)
    for wrong in (None, _turn):
        with pytest.raises(InvalidRequest, match="plain function"):
            job.on_done(wrong)


def test_callbacks_may_use_the_job():
    job, seen, done = Job("a"), [], threading.Event()
    job.on_done(lambda whole: (seen.append(whole.wait(0)), done.set()))
    job.put((0, "stills", "completed"), (0, "turntable", "completed"))
    assert done.wait(10)
    assert seen == [job]


def test_waiting():
    job = Job("a", "b")
    with pytest.raises(JobTimeout, match="was not done after 0 s"):
        job.wait(0)
    with pytest.raises(TimeoutError):
        job.wait(0.01)
    for wrong in (-1, "5", True, float("nan")):
        with pytest.raises(InvalidRequest, match="timeout"):
            job.wait(wrong)
    job.put(*((i, part, "failed", ERROR) for i in (0, 1) for part in ("stills", "turntable")))
    with pytest.raises(JobFailed, match=r"nothing succeeded. no good no good no good And 1 more") as failed:
        job.wait()
    assert len(failed.value.details) == 4
    job.retry_failed()
    assert (job.status, job.failures, job.ended) == ("queued", [], None)
    with pytest.raises(JobTimeout):
        job.wait(0)
    job.put((0, "stills", "completed"), *((i, p, "failed", ERROR) for i, p in ((0, "turntable"), (1, "stills"))))
    job.put((1, "turntable", "failed", ERROR))
    assert job.wait(10) is job
    assert [index for index, _, _ in job.failures] == [0, 1, 1]


def test_what_broke_it_off_is_raised_to_whoever_waits():
    job = Job("a")
    job._broken = AssetServiceError("revoked")
    job.put((0, "stills", "stopped"), (0, "turntable", "stopped"))
    with pytest.raises(AssetServiceError, match="revoked"):
        job.wait(10)


def test_stopping():
    job = Job("a", "b")
    job.put((0, "stills", "completed"), (0, "turntable", "completed"), (1, "stills", "running"))
    job.stop_following()
    assert (job.status, job.unfollowed) == ("stopped", 1)
    assert [item.status for item in job.items] == ["completed", "stopped"]
    assert job.wait(10) is job
    job.stop_following()
    assert job.unfollowed == 1
    assert repr(job) == "Job(2 things: stopped, 1 of 2 done)"
