from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ipyassets.collections import watching
from ipyassets.collections.asset_list import AssetList
from ipyassets.collections.assets import Asset
from ipyassets.errors import (
    BadResponse,
    InvalidRequest,
    JobFailed,
    JobTimeout,
    NotFound,
    PermissionDenied,
    ServiceUnavailable,
)
from ipyassets.http import loop
from ipyassets.services.rendering import RenderFile, Turntable
from tests.collections.renders import ORDER, picked_up, rendered, rendering
from tests.collections.test_asset_list import listed
from tests.fakes import MemoryRenders, MemoryService, picture
from tests.waiting import main_waits


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "SETTLED", 0.0)


def colours(batch: Any) -> list[int | None]:
    return [None if image is None else image.getpixel((0, 0))[0] for image in batch]


def test_from_the_order_to_pil_images():
    service = MemoryRenders(3)
    service.looking.hold()
    job = rendered(service)
    assert service.orders == [(("asset-0", "asset-1", "asset-2"), ORDER)]
    assert (job.title, job.status, job.progress) == ("3 renders", "queued", 0.0)
    service.looking.resume()
    assert job.wait(10) is job
    assert (job.status, job.progress, job.failures, job.trouble) == ("completed", 1.0, [], None)
    stills = job.stills()
    assert colours(stills) == [0, 0, 1, 1, 2, 2]
    assert [asset.id for asset in stills.assets] == [f"asset-{n}" for n in (0, 0, 1, 1, 2, 2)]
    assert {image.size for image in stills} == {(64, 48)}
    assert stills.failures == []
    assert job.last_batch is stills
    assert [turntable.asset.id for turntable in job.turntables()] == ["asset-0", "asset-1", "asset-2"]
    assert [item.asset for item in job.items] == [Asset(service.make(name), service) for name in service.names]


def test_stills_are_downloaded_once_and_saved_as_served(tmp_path):
    service = MemoryRenders(2)
    job = rendered(service).wait(10)
    stills = job.stills()
    asked = len(service.downloads)
    assert asked == 4
    assert colours(job.stills()) == [0, 0, 1, 1]
    assert len(service.downloads) == asked
    paths = stills.save(tmp_path)
    assert [path.read_bytes() for path in paths] == [picture(64, 48, n) for n in (0, 0, 1, 1)]


# -- old renders and old words --------------------------------------------------------------------------------------


def test_old_files_are_never_given_as_new_ones():
    """The service says "completed" at the first look, as it did before the order; the old files are still there."""
    service = MemoryRenders(1)
    service.complete("asset-0")
    old = service.files["asset-0"]

    def on_look(number: int) -> None:
        if number == 6:
            service.made("asset-0")

    service.on_look = on_look
    job = rendered(service).wait(10)
    assert service.looks >= 6
    made = [file for (_, _), files in sorted(job._files.items()) for file in files]
    assert made == service.files["asset-0"]
    assert not {file.version for file in made} & {file.version for file in old}


def test_an_old_failure_is_not_believed_but_a_new_one_is():
    service = MemoryRenders(1)
    service.fail("asset-0")

    def on_look(number: int) -> None:
        if number == 4:
            service.stage("asset-0", "running")
        if number == 5:
            service.complete("asset-0", "stills")
            service.fail("asset-0", "turntable")

    service.on_look = on_look
    job = rendered(service).wait(10)
    assert service.looks == 5
    assert job.items[0].parts == {"stills": "completed", "turntable": "failed"}
    assert job.status == "partly_failed"


def test_a_failure_that_is_said_for_long_is_believed(monkeypatch):
    monkeypatch.setattr(watching, "STALE_FAILED", 0.05)
    service = MemoryRenders(1)
    service.fail("asset-0")
    service.on_look = lambda number: None
    job = rendered(service)
    with pytest.raises(JobFailed, match="could not be made"):
        job.wait(10)


def test_completed_without_any_new_files_is_a_failure_in_the_end(monkeypatch):
    monkeypatch.setattr(watching, "OVERDUE", 0.05)
    service = MemoryRenders(1)
    service.made("asset-0")

    def on_look(number: int) -> None:
        service.stage("asset-0", "running" if number == 1 else "completed")

    service.on_look = on_look
    with pytest.raises(JobFailed, match="still those from before the order"):
        rendered(service).wait(10)


def test_work_that_the_service_forgot_fails_in_the_end(monkeypatch):
    """A service that was started anew in mid-job knew of no work: its renders were awaited for ever."""
    monkeypatch.setattr(watching, "FORGOTTEN", 0.05)
    service = MemoryRenders(1)
    service.made("asset-0")

    def on_look(number: int) -> None:
        service.stage("asset-0", "running")
        service.tells = number < 3

    service.on_look = on_look
    with pytest.raises(JobFailed, match="order them again"):
        rendered(service).wait(10)


@pytest.mark.parametrize("tells", [True, False])
def test_files_that_people_uploaded_stay_and_are_not_given(monkeypatch, tells: bool):
    monkeypatch.setattr(watching, "UNCHANGED", 600.0 if tells else 0.05)
    service = MemoryRenders(1)
    service.made("asset-0", "stills", stills=1)
    (uploaded,) = service.files["asset-0"]

    def on_look(number: int) -> None:
        if number == 1:
            service.stage("asset-0", "running")
        if number == 2:
            service.complete("asset-0", "stills", keep=True)
            service.complete("asset-0", "turntable")

    service.on_look, service.tells = on_look, tells
    job = rendered(service).wait(10)
    assert len(job._files[0, "stills"]) == 2
    assert uploaded not in job._files[0, "stills"]


def test_where_the_service_tells_nothing_the_files_tell():
    service = MemoryRenders(2)
    for name in service.names:
        service.made(name)
    service.tells = False

    def on_look(number: int) -> None:
        if number == 3:
            service.made("asset-0", stills=1)  # they may come one by one: not taken before a second look finds the same
        if number == 4:
            service.made("asset-0", "stills", stills=3)
            service.made("asset-1")

    service.on_look = on_look
    job = rendered(service).wait(10)
    assert len(job._files[0, "stills"]) == 3
    assert colours(job.stills()) == [0, 0, 0, 1, 1]


@pytest.mark.parametrize("word", [None, "completed"])
def test_stills_that_come_one_by_one_are_waited_for_where_nobody_tells_that_all_came(word: Any):
    """Two looks in a row found the same one still of three: it was taken for all of them."""
    service = MemoryRenders(1)
    service.made("asset-0", stills=3)
    if word is not None:
        service.stage("asset-0", word)

    def on_look(number: int) -> None:
        if number in (2, 6, 10):
            service.made("asset-0", "stills", stills=(number + 2) // 4)
        if number == 10:
            service.made("asset-0", "turntable")

    service.on_look = on_look
    job = rendered(service).wait(10)
    assert len(job._files[0, "stills"]) == 3


def test_a_first_still_is_not_taken_at_once_where_nothing_is_told(monkeypatch):
    monkeypatch.setattr(watching, "SETTLED", 0.2)
    service = MemoryRenders(1)
    service.tells = False

    def on_look(number: int) -> None:
        if number in (2, 4):
            service.made("asset-0", stills=number)

    service.on_look = on_look
    assert len(rendered(service).wait(10)._files[0, "stills"]) == 4


def upload(service: MemoryRenders, id: str) -> RenderFile:
    """A file of somebody's own beside the stills."""
    file = RenderFile(id, "stills", f"photo-{len(service.files.get(id, []))}", "photo.jpg", "jpg", 9, uploaded=True)
    service.files[id] = [*service.files.get(id, []), file]
    return file


@pytest.mark.parametrize("tells", [True, False])
def test_uploads_that_stay_do_not_hold_up_the_stills(tells: bool):
    """Beside a file that somebody uploaded, new stills were taken after half a minute only."""
    service = MemoryRenders(1)
    service.complete("asset-0")
    uploaded = upload(service, "asset-0")
    service.tells = tells

    def on_look(number: int) -> None:
        if number == 1:
            service.complete("asset-0")
            service.files["asset-0"].append(uploaded)

    service.on_look = on_look
    job = rendered(service).wait(10)
    assert [file.name for file in job._files[0, "stills"]] == ["stills-0.png", "stills-1.png"]


def test_an_upload_during_the_work_is_not_taken_for_its_result(monkeypatch):
    """Where the service tells nothing, a photo that was uploaded meanwhile was given as the still."""
    monkeypatch.setattr(watching, "UNCHANGED", 0.02)
    service = MemoryRenders(1)
    service.made("asset-0")
    service.tells = False

    def on_look(number: int) -> None:
        if number == 1:
            upload(service, "asset-0")
        if number == 9:
            service.made("asset-0")
            upload(service, "asset-0")

    service.on_look = on_look
    job = rendered(service).wait(10)
    assert service.looks >= 9
    assert [file.name for file in job._files[0, "stills"]] == ["stills-0.png", "stills-1.png"]


def test_a_gif_that_comes_later_than_the_video_is_waited_for():
    service = MemoryRenders(1)

    def on_look(number: int) -> None:
        if number == 1:
            service.complete("asset-0")
            service.files["asset-0"] = [file for file in service.files["asset-0"] if file.media != "gif"]
        if number == 3:
            service.complete("asset-0", "turntable")

    service.on_look = on_look
    job = rendered(service, order=replace(ORDER, turntable=Turntable(frames=6, gif=True))).wait(10)
    assert job.turntables()[0].formats == ("mp4", "gif")


# -- what goes wrong ------------------------------------------------------------------------------------------------


def test_half_of_a_job_fails_and_nothing_of_the_other_half_is_lost():
    service = MemoryRenders(6)

    def on_look(number: int) -> None:
        for n, name in enumerate(service.names):
            service.stage(name, "running") if number == 1 else service.complete(name) if n % 2 else service.fail(name)

    service.on_look = on_look
    job = rendered(service).wait(10)
    assert job.status == "partly_failed"
    assert colours(job.stills()) == [None, 1, 1, None, 3, 3, None, 5, 5]
    assert [index for index, _, _ in job.failures] == [0, 0, 2, 2, 4, 4]
    assert "the stills of 'asset-0' (asset-0) could not be made" in str(job.stills().failures[0][2])
    assert len(job.turntables()) == 3


def test_a_turntable_fails_and_the_stills_are_good():
    service = MemoryRenders(1)

    def on_look(number: int) -> None:
        service.complete("asset-0", "stills") if number == 1 else service.fail("asset-0", "turntable")

    service.on_look = on_look
    job = rendered(service).wait(10)
    assert job.turntables() == []
    assert colours(job.stills()) == [0, 0]
    ((index, asset, error),) = job.failures
    assert (index, asset.id) == (0, "asset-0")
    assert "the turntable of 'asset-0'" in str(error)


def test_an_asset_that_is_deleted_on_the_way_fails_alone():
    service = MemoryRenders(2)

    def on_look(number: int) -> None:
        if number == 1:
            service.stage("asset-0", "running")
            service.stage("asset-1", "running")
        else:
            service.gone["asset-0"] = NotFound("asset-0 is no more.")
            service.complete("asset-1")

    service.on_look = on_look
    job = rendered(service).wait(10)
    assert colours(job.stills()) == [None, 1, 1]
    assert [type(error) for _, _, error in job.failures] == [NotFound, NotFound]


def test_an_asset_whose_files_are_gone_when_they_are_listed_fails_alone():
    service = MemoryRenders(2)

    def on_look(number: int) -> None:
        service.complete("asset-0")
        service.complete("asset-1")

    def on_listing(id: str) -> None:
        if id == "asset-0" and service.orders:
            service.gone[id] = NotFound("asset-0 is no more.")

    service.on_look, service.on_listing = on_look, on_listing
    assert rendered(service).wait(10).items[1].status == "completed"


def test_what_is_refused_is_said_and_the_others_go_on():
    service = MemoryRenders(3)
    service.refused["asset-1"] = InvalidRequest("asset-1 has no 3D file.", code="INVALID_PRODUCT")
    service.looking.hold()
    job = rendered(service, ["asset-0", "asset-1", "asset-9", "asset-2"])
    assert [item.status for item in job.items] == ["queued", "failed", "failed", "queued"]
    service.looking.resume()
    assert service.orders[0][0] == ("asset-0", "asset-1", "asset-2")
    job.wait(10)
    assert [item.name for item in job.items] == ["asset-0", "asset-1", "asset-9", "asset-2"]
    assert {type(error) for _, _, error in job.failures} == {InvalidRequest, NotFound}
    assert colours(job.stills()) == [0, 0, None, None, 2, 2]


def test_if_nothing_is_taken_the_order_itself_raises():
    service = MemoryRenders(2)
    with pytest.raises(NotFound, match="no asset-8"):
        rendered(service, ["asset-8"])
    with pytest.raises(NotFound, match=r"None of 2 renders was ordered.*asset-8.*asset-9"):
        rendered(service, ["asset-8", "asset-9"])
    assert service.orders == []
    service.on_submit = lambda: (_ for _ in ()).throw(PermissionDenied("not this role"))
    with pytest.raises(PermissionDenied, match="not this role"):
        rendered(service)


def test_what_there_was_before_must_be_known_or_the_asset_is_not_ordered():
    """Without it old renders could not be told from new ones."""
    service = MemoryRenders(2)

    def on_listing(id: str) -> None:
        if id == "asset-0":
            raise ServiceUnavailable("down")

    service.on_listing = on_listing
    job = rendered(service)
    assert service.orders[0][0] == ("asset-1",)
    assert str(job.failures[0][2]) == "down"


def test_a_still_of_another_size_is_kept_and_the_log_says_so(caplog):
    service = MemoryRenders(1)
    job = rendered(service).wait(10)
    service.contents[job._files[0, "stills"][0].id] = picture(32, 24)
    with caplog.at_level(logging.WARNING, "ipyassets.jobs"):
        assert [image.size for image in job.stills()] == [(32, 24), (64, 48)]
    assert "32 x 24 pixels, but 64 x 48 were ordered" in caplog.text


def test_a_damaged_still_is_fetched_anew_once():
    service = MemoryRenders(1)
    job = rendered(service).wait(10)
    first, second = (file.id for file in job._files[0, "stills"])
    service.contents = {first: picture(64, 48)[:60], second: b"<html>"}
    stills = job.stills()
    assert list(stills) == [None, None]
    assert {type(error) for _, _, error in stills.failures} == {BadResponse}
    assert service.downloads.count(first) == 2
    service.contents = {}
    assert colours(job.stills()) == [0, 0]


def test_a_still_that_was_replaced_before_it_was_downloaded_says_so():
    service = MemoryRenders(1)
    job = rendered(service).wait(10)
    service.made("asset-0")
    stills = job.stills()
    assert list(stills) == [None, None]
    assert "replaced by a newer rendering" in str(stills.failures[0][2])


def test_a_still_that_only_moved_is_found():
    service = MemoryRenders(1)
    job = rendered(service).wait(10)
    for file in job._files[0, "stills"]:
        service.moved(file)
    assert colours(job.stills()) == [0, 0]


# -- the person -----------------------------------------------------------------------------------------------------


def test_what_is_not_done_yet_has_its_place():
    service = MemoryRenders(2)

    def on_look(number: int) -> None:
        service.stage("asset-0", "running")
        service.complete("asset-1") if number == 2 else None

    service.on_look = on_look
    job = rendered(service)
    done = threading.Event()
    job.on_item_done(lambda item: done.set())
    assert done.wait(10)
    stills = job.stills()
    assert colours(stills) == [None, 1, 1]
    assert "are not done yet (running)" in str(stills.failures[0][2])
    with pytest.raises(JobTimeout, match="The work goes on"):
        job.wait(0)
    job.stop_following()
    assert job.status == "stopped"
    assert [item.status for item in job.items] == ["stopped", "completed"]
    assert "follow_renders() picks them up" in str(job.stills().failures[0][2])
    assert job.wait(0) is job


def test_retry_orders_what_failed_and_keeps_the_rest():
    service = MemoryRenders(2)
    failing = {"asset-0"}

    def on_look(number: int) -> None:
        for name in service.orders[-1][0] if number <= 2 else ():
            if number == 1:
                service.stage(name, "running")
            else:
                service.fail(name) if name in failing else service.complete(name)

    service.on_look = on_look
    job = rendered(service).wait(10)
    kept = job._files[1, "stills"]
    failing.clear()
    service.on_submit = service.looking.hold
    assert job.retry_failed() is job
    assert [item.status for item in job.items] == ["queued", "completed"]
    assert [ids for ids, _ in service.orders] == [("asset-0", "asset-1"), ("asset-0",)]
    service.looking.resume()
    job.wait(10)
    assert (job.status, job.failures) == ("completed", [])
    assert job._files[1, "stills"] == kept
    assert colours(job.stills()) == [0, 0, 1, 1]
    job.retry_failed()
    assert len(service.orders) == 2


def test_a_retry_that_is_refused_keeps_the_failure():
    service = MemoryRenders(1)
    service.on_look = lambda number: service.stage("asset-0", "running" if number == 1 else "failed")
    job = rendered(service)
    with pytest.raises(JobFailed):
        job.wait(10)
    service.refused["asset-0"] = InvalidRequest("not now")
    with pytest.raises(InvalidRequest, match="not now"):
        job.retry_failed()
    assert job.status == "failed"
    assert [str(error) for _, _, error in job.failures] == ["not now", "not now"]


def test_a_retry_that_is_refused_keeps_the_good_half():
    """The stills of an asset were lost when the retry of its turntable was refused."""
    service = MemoryRenders(1)

    def on_look(number: int) -> None:
        service.complete("asset-0", "stills") if number == 1 else service.fail("asset-0", "turntable")

    service.on_look = on_look
    job = rendered(service).wait(10)
    service.on_submit = lambda: (_ for _ in ()).throw(ServiceUnavailable("not now"))
    with pytest.raises(ServiceUnavailable, match="not now"):
        job.retry_failed()
    assert job.status == "partly_failed"
    assert [str(error) for _, _, error in job.failures] == ["not now"]
    assert colours(job.stills()) == [0, 0]


def test_what_is_no_list_of_assets_is_refused_before_anything_is_sent():
    service, other = MemoryRenders(2), MemoryService(2)
    other.base_url = "memory://elsewhere"
    strange = replace(service.make("asset-0"), service="itwin")
    for wrong, said in (
        ([], "No assets"),
        ([None], "NoneType"),
        (5, "int"),
        ([["asset-0"]], "list"),
        (b"asset-0", "bytes"),
        ({"asset-0": 1}, "dict"),
        (" ", "blank"),
        ([Asset(strange, service)], "an asset of itwin"),
        ([Asset(service.make("asset-0"), other)], "an asset of memory://elsewhere"),
    ):
        with pytest.raises(InvalidRequest, match=said):
            rendered(service, wrong)
    with pytest.raises(InvalidRequest, match="the list is empty"):
        rendered(service, AssetList.of([]))
    for poll in (0, -1, "2", True, float("nan"), float("inf")):
        with pytest.raises(InvalidRequest, match="poll"):
            rendered(service, poll=poll)
    assert service.asked == []


def test_assets_ids_lists_and_mixes_each_taken_once(caplog):
    service = MemoryRenders(6)
    assets: Any = listed(service)
    with caplog.at_level(logging.WARNING, "ipyassets.jobs"):
        job = rendered(service, [assets[3], "asset-0", assets[:2], " asset-3 "])
    assert [item.name for item in job.items] == ["asset-3", "asset-0", "asset-1"]
    assert "2 given more than once" in caplog.text
    assert [item.name for item in rendered(service, assets).items] == service.names
    assert rendered(service, assets[4]).title == "1 render"
    assert rendered(service, (asset for asset in assets[:2])).title == "2 renders"
    with pytest.raises(NotFound):
        rendered(service, uuid.uuid4())


def test_200_assets_in_one_job_are_few_requests():
    """One look is one call for all; files are listed once before the order, and once when they are there."""
    service = MemoryRenders(200)
    job = rendered(service).wait(30)
    assert job.status == "completed"
    assert len(service.orders) == 1
    assert [len(ids) for ids in service.asked] == [200, 200, 200]
    assert sorted(service.listings) == sorted(service.names * 2)
    assert len(job.stills()) == 400


def test_ctrl_c_while_stills_come_keeps_what_came():
    code = """
import asyncio, contextlib, os, signal, sys
import ipyassets as ia
from ipyassets.collections import render_job
from tests.collections.renders import rendered
from tests.fakes import MemoryRenders

class Bar(contextlib.nullcontext):
    count = 0
    def __enter__(self): return self
    def update(self, more):
        self.count += more
        if self.count >= 10: os.kill(os.getpid(), signal.SIGINT)

ia.cache.enabled = False
service = MemoryRenders(20)
job = rendered(service).wait(30)
render_job.bar = lambda *_: Bar()
real = service.render_file
async def slow(file):
    if file.asset == "asset-5": await asyncio.Event().wait()
    return await real(file)
service.render_file = slow
try:
    job.stills()
except KeyboardInterrupt as interrupted:
    assert isinstance(interrupted, ia.Interrupted)
    assert interrupted.partial is job.last_batch
    print(len(interrupted.partial) >= 10, all(image is not None for image in interrupted.partial[:10]))
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "True True\n", done.stderr


@pytest.fixture
def ctrl_c() -> Iterator[Callable[[], None]]:
    """Presses Ctrl-C as soon as the main thread waits for the loop thread; never after the test."""
    over = threading.Event()

    def press() -> None:
        while not over.wait(0.001):
            if main_waits():
                os.kill(os.getpid(), signal.SIGINT)
                return

    thread = threading.Thread(target=press)
    yield thread.start
    over.set()
    if thread.is_alive():
        thread.join()


def test_ctrl_c_while_waiting_leaves_the_job_going(ctrl_c):
    service = MemoryRenders(1)
    going = threading.Event()
    service.on_look = lambda number: None if number < 3 or not going.is_set() else service.complete("asset-0")
    job = rendered(service)
    ctrl_c()
    with pytest.raises(KeyboardInterrupt) as interrupted:
        job.wait(30)
    assert interrupted.value.partial is job
    going.set()
    assert job.wait(30).status == "completed"


def test_ctrl_c_while_the_order_is_sent_says_what_may_be(ctrl_c):
    service = MemoryRenders(1)

    def on_submit() -> Any:
        ctrl_c()
        return asyncio.Event().wait()

    service.on_submit = on_submit
    with pytest.raises(KeyboardInterrupt, match="follow_renders") as caught:
        rendered(service)
    job = caught.value.partial
    assert (job.status, job.done) == ("failed", True)
    service.on_submit = None
    assert job.retry_failed().wait(10).status == "completed"


# -- awaited --------------------------------------------------------------------------------------------------------


async def test_the_awaited_job_is_the_same_from_any_loop():
    service = MemoryRenders(2)
    service.looking.hold()
    job = rendering(service)
    assert await job.submitted() is job
    assert job.status == "queued"
    service.looking.resume()
    assert len(service.orders) == 1
    assert await asyncio.wait_for(job, 30) is job
    assert colours(await job.stills()) == [0, 0, 1, 1]
    (first, _) = job.turntables()
    assert len(await first.frames()) == 6
    assert first.fps == 12

    async def elsewhere() -> int:
        return len(await (await job).stills())

    assert await asyncio.to_thread(lambda: asyncio.run(elsewhere())) == 4
    assert await loop.awaiting(elsewhere()) == 4


async def test_a_blocking_job_can_be_awaited_too():
    job = await asyncio.to_thread(rendered, MemoryRenders(1))
    assert await job is job
    assert job.status == "completed"


async def test_errors_of_the_order_come_where_it_is_awaited():
    service = MemoryRenders(1)
    job = rendering(service, ["asset-7"])
    for waiting in (job.submitted(), job.wait(5), job.wait(0.5)):
        with pytest.raises(NotFound, match="no asset-7"):
            await waiting
    assert job.status == "failed"
    with pytest.raises(NotFound):
        await job
    service.pages.clear()
    service.broken_pages[0] = ServiceUnavailable("down")
    walked = rendering(service, listed(service))
    with pytest.raises(ServiceUnavailable, match="down"):
        await walked
    assert (walked.items, walked.status, walked.done) == ((), "failed", True)


async def test_stop_and_retry_wait_for_the_order():
    service = MemoryRenders(1)
    gate = asyncio.Event()
    service.on_submit = gate.wait
    job = rendering(service)
    stopping = asyncio.ensure_future(job.stop_following())
    await loop.awaiting(asyncio.sleep(0))
    assert not stopping.done()
    loop.loop().call_soon_threadsafe(gate.set)
    await stopping
    assert job.status == "stopped"
    assert len(service.orders) == 1


# -- work that was ordered elsewhere --------------------------------------------------------------------------------


def test_running_work_is_picked_up_in_a_new_kernel():
    service = MemoryRenders(4)
    for name in service.names:
        service.complete(name)
    service.stage("asset-0", "running")
    service.stage("asset-1", "queued")
    service.stages["asset-2"] = {"stills": "failed", "turntable": "completed"}
    old = list(service.files["asset-0"])

    left, go_on = ["asset-0", "asset-1"], threading.Event()

    def on_look(number: int) -> None:
        while left and go_on.is_set():
            service.complete(left.pop())

    service.on_look = on_look
    job = picked_up(service)
    assert [item.status for item in job.items] == ["running", "queued", "partly_failed", "completed"]
    go_on.set()
    job.wait(10)
    assert colours(job.stills()) == [0, 0, 1, 1, None, 3, 3]
    assert not set(old) & set(job._files[0, "stills"])
    assert service.orders == []
    with pytest.raises(InvalidRequest, match="ordered elsewhere"):
        job.retry_failed()


def test_where_nothing_is_told_since_tells_new_files_from_old_ones():
    service = MemoryRenders(2)
    service.tells = False
    service.made("asset-0")
    service.made("asset-1")
    since = service.files["asset-1"][0].updated
    service.on_look = lambda number: service.made("asset-0") if number == 4 else None
    job = picked_up(service, since=since).wait(10)
    assert service.looks >= 5
    assert colours(job.stills()) == [0, 0, 1, 1]
    # Without it, only a change tells.
    service.on_look, service.looks = lambda number: service.made("asset-1") if number == 3 else None, 0
    assert picked_up(service, ["asset-1"]).wait(10).status == "completed"
    assert service.looks >= 4


def test_where_nothing_is_told_and_nothing_is_there_it_is_said():
    service = MemoryRenders(1)
    service.on_look = lambda number: None
    job = picked_up(service)
    assert job.status == "failed"
    assert "Order them with render()" in str(job.failures[0][2])
    with pytest.raises(JobFailed):
        job.wait(10)


def test_an_old_completion_is_not_taken_for_what_came_since():
    service = MemoryRenders(1)
    service.complete("asset-0")
    old = service.files["asset-0"]
    service.on_look = lambda number: None
    job = picked_up(service, since=datetime(2025, 1, 1, tzinfo=UTC))
    assert job.status == "queued"
    job.stop_following()
    service.looks = 0
    service.on_look = lambda number: service.made("asset-0") if number == 3 else None
    job = picked_up(service, since=datetime(2024, 1, 1, 0, 2, 30, tzinfo=UTC)).wait(10)
    assert not set(old) & set(job._files[0, "stills"])


def test_following_raises_if_nothing_can_be_seen_at_all():
    service = MemoryRenders(1)

    def on_look(number: int) -> None:
        raise ServiceUnavailable("down")

    service.on_look = on_look
    with pytest.raises(ServiceUnavailable, match="down"):
        picked_up(service)


def test_a_job_says_what_it_is_and_shows_itself_by_its_view():
    service = MemoryRenders(1)
    job = rendered(service)
    assert repr(job).startswith("RenderJob(1 render: ")
    assert job._repr_mimebundle_() == {"text/plain": repr(job)}

    class View:
        def __init__(self, shown: Any) -> None:
            self.shown = shown

        def _repr_mimebundle_(self, **kwargs: Any) -> Any:
            return {"text/plain": "shown", "application/x": self.shown is job}

    job._view = View
    assert job._repr_mimebundle_()["application/x"] is True
    job.wait(10)
    with pytest.raises(TypeError, match="not pickled"):
        job.__reduce__()


def test_a_surprise_in_the_service_ends_nothing(caplog):
    service = MemoryRenders(1)

    def on_look(number: int) -> None:
        if number == 1:
            raise RuntimeError("a bug")
        service.complete("asset-0")

    service.on_look = on_look
    with caplog.at_level(logging.CRITICAL, "ipyassets.jobs"):
        assert rendered(service).wait(10).status == "completed"
