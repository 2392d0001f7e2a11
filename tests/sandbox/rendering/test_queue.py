"""The queue: its order, its states, what failures and crashes do, and that nothing is left behind."""

from __future__ import annotations

import os
import signal
import threading

import pytest
from PIL import Image

from ipyassets.sandbox.rendering import RenderQueue, Stills, Turntable
from ipyassets.sandbox.rendering.queue import RenderFailed


def states(part, of):
    return [state for each, state in part.log if each is of]


def test_both_kinds_of_parts_are_made(queue, part, film):
    stills, turntable = part(Stills(24, 16, "JPG", count=3)), part(film)
    queue.add(stills)
    queue.add(turntable)
    queue.wait_idle(60)
    assert [path.name for path in stills.done.result(0)] == ["000.jpg", "001.jpg", "002.jpg"]
    assert [path.name for path in turntable.done.result(0)] == ["film.mp4"]
    assert {path.name for path in turntable.folder.iterdir()} == {"film.mp4"}, "single frames are cleared away"
    assert states(part, stills) == states(part, turntable) == ["pending", "running", "completed"]
    assert repr(stills) == "<stills of osaka-chair: completed>"


def test_parts_begin_in_the_order_they_came_and_urgent_ones_before(part, film):
    queue = RenderQueue(1)
    try:
        queue.pause()
        first, second, urgent = part(), part(film), part(key="comb")
        queue.add(first)
        queue.add(second)
        queue.add(urgent, urgent=True)
        urgent.done.result(60)
        assert first.state == second.state == "pending"
        queue.resume()
        queue.wait_idle(60)
    finally:
        queue.close()
    assert [each for each, state in part.log if state == "running"] == [urgent, first, second]


def test_a_broken_model_fails_its_parts_and_no_other(queue, part, film):
    broken = [
        part(key="upload-cut-off.obj", kind="file"),
        part(film, key="scan-overwritten.glb", kind="file"),
        part(key="no-such-object"),
    ]
    good = part()
    for each in (*broken, good):
        queue.add(each)
    queue.wait_idle(60)
    assert [each.error.partition(":")[0] for each in broken] == ["ModelError", "ModelError", "KeyError"]
    for each in broken:
        assert states(part, each) == ["pending", "running", "failed"]
        assert not each.folder.exists()
        with pytest.raises(RenderFailed):
            each.done.result(0)
    assert good.state == "completed"


def test_a_crash_of_the_worker_fails_the_part_it_had_and_another_worker_goes_on(part):
    queue = RenderQueue(1)
    try:
        warm = part()
        queue.add(warm)
        warm.done.result(60)
        (pid,) = queue.pids
        hit = part(Turntable(200, 10, 256, 256), quality="full")
        begun = threading.Event()
        hit.changed = lambda each: begun.set() if each.state == "running" else None
        queue.add(hit)
        after = part()
        queue.add(after)
        assert begun.wait(60)
        os.kill(pid, signal.SIGTERM)
        with pytest.raises(RenderFailed, match="worker ended unexpectedly"):
            hit.done.result(60)
        assert len(after.done.result(60)) == 2
        assert queue.pids != [pid]
    finally:
        queue.close()


def test_a_dropped_part_leaves_nothing_and_tells_nothing(queue, part):
    dropped = part(Turntable(40, 10, 64, 64))
    begun = threading.Event()
    told = []

    def changed(each):
        told.append(each.state)
        if each.state == "running":
            begun.set()

    dropped.changed = changed
    queue.add(dropped)
    assert begun.wait(60)
    queue.drop(dropped)
    queue.drop(dropped)
    after = part()
    queue.add(after)
    after.done.result(60)
    queue.wait_idle(60)
    assert told == ["pending", "running"]
    assert dropped.state == "dropped"
    with pytest.raises(RenderFailed):
        dropped.done.result(0)


def test_nobody_who_waits_can_cancel_the_work(queue, part):
    """A client that hangs up while it waits for a file must not take the file from the next one."""
    each = part()
    queue.add(each)
    assert not each.done.cancel()
    assert len(each.done.result(60)) == 2


def test_pictures_of_one_model_are_the_same_in_every_worker(part):
    """One worker bakes, the others read its file: frames of one turn come from all of them."""
    made = []
    for _ in range(2):
        queue = RenderQueue(2)
        try:
            each = part(Stills(48, 48, count=5))
            queue.add(each)
            made.append([Image.open(path).tobytes() for path in each.done.result(60)])
        finally:
            queue.close()
    assert made[0] == made[1]


def test_closing_ends_everything(part):
    queue = RenderQueue(2)
    one, other = part(Turntable(300, 10, 256, 256), quality="full"), part(key="comb")
    begun = threading.Event()
    one.changed = lambda each: begun.set() if each.state == "running" else None
    queue.add(one)
    queue.add(other)
    assert begun.wait(60)
    folder, threads = queue.folder, list(queue._threads)
    queue.close()
    assert not folder.exists()
    assert not [thread for thread in threads if thread.is_alive()]
    assert queue.pids == []
    assert one.state == "dropped"
    assert queue.wait_idle(0) is None
    with pytest.raises(RuntimeError, match="closed"):
        queue.add(part())


def test_waiting_for_work_that_never_ends(queue, part):
    queue.pause()
    queue.add(part())
    with pytest.raises(TimeoutError, match="1 render parts"):
        queue.wait_idle(0.01)
