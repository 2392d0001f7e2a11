from __future__ import annotations

import asyncio
import gc
import logging
import queue
from typing import Any

import pytest

import ipyassets as ia
from ipyassets.collections import archive_watch
from ipyassets.collections.archive_job import ArchiveJob
from ipyassets.collections.archive_watch import end_archives
from ipyassets.collections.asset_list import AssetList
from ipyassets.collections.pages import RecordPages
from ipyassets.errors import (
    AssetServiceError,
    AuthenticationError,
    InvalidRequest,
    JobFailed,
    JobTimeout,
    NotFound,
    PermissionDenied,
    RateLimited,
    ServiceUnavailable,
)
from ipyassets.http import loop
from ipyassets.services.base import Record
from ipyassets.services.downloading import ArchiveOrder, ArchiveStanding
from tests.collections.archives import MemoryArchives, archived, archiving, followed, packed
from tests.fakes import picture
from tests.waiting import PATIENCE, Bell, ended


def test_from_the_order_to_the_pictures() -> None:
    service = MemoryArchives(3)
    service.looking.hold()
    job = archived(service, order=ArchiveOrder(archive_name="mine"))
    assert (job.status, job.done, job.ids, job.title) == ("queued", False, ("job-1",), "Archive of 3 assets")
    assert job.items[0].name == "mine"
    service.looking.resume()
    assert job.wait(timeout=10) is job
    assert (job.status, job.progress, job.failures) == ("completed", 1.0, [])
    assert service.orders == [ArchiveOrder(("asset-0", "asset-1", "asset-2"), archive_name="mine")]
    assert [image.getpixel((0, 0)) for image in job.images() if image] == [(n, 80, 120) for n in range(3)]
    assert bool(job)
    ended(" archives")


def test_progress_is_told() -> None:
    service = MemoryArchives(1)
    seen: list[tuple[str, float]] = []
    service.standings = lambda job, number: (
        ArchiveStanding("running", "x", number / 4) if number < 4 else ArchiveStanding("completed")
    )
    service.looking.hold()
    job = archived(service, poll=0.02)
    told = Bell()

    def note() -> None:
        seen.append((job.status, job.progress))
        told.ring()

    job.subscribe(note)
    service.looking.resume()
    job.wait(timeout=10)
    told.until(lambda: seen and seen[-1][0] == "completed")
    assert seen[-4:] == [("running", 0.25), ("running", 0.5), ("running", 0.75), ("completed", 1.0)]


def test_reading_before_the_end_says_to_wait() -> None:
    service = MemoryArchives(1)
    service.standings = lambda job, number: ArchiveStanding("running", "in-progress")
    job = archived(service)
    with pytest.raises(InvalidRequest, match=r"not done yet .* wait for the job"):
        job.images()
    with pytest.raises(JobTimeout, match="goes on"):
        job.wait(timeout=0.05)
    job.stop_following()
    assert job.status == "stopped"
    ended(" archives")


def test_a_job_that_fails_says_why_and_can_be_asked_for_again() -> None:
    service = MemoryArchives(2)
    service.standings = lambda job, number: ArchiveStanding("failed", "failure", message="no room left")
    job = archived(service)
    with pytest.raises(JobFailed, match="no room left"):
        job.wait(timeout=10)
    with pytest.raises(JobFailed, match=r"failure: no room left.*retry_failed"):
        job.images()
    service.standings = None
    assert job.retry_failed().wait(timeout=10).status == "completed"
    assert job.ids == ("job-2",)
    assert len(job.images()) == 2


def test_trouble_passes() -> None:
    service = MemoryArchives(1)
    errors: dict[int, Exception] = {
        1: ServiceUnavailable("away"),
        2: AuthenticationError("who?"),
        3: RateLimited("slow down", retry_after=0.01),
        4: RuntimeError("a surprise"),
    }
    job: ArchiveJob
    told: list[AssetServiceError | None] = []

    def standing(_: str, number: int) -> ArchiveStanding:
        told.append(job.trouble)
        if number in errors:
            raise errors[number]
        return ArchiveStanding("completed" if number > 6 else "running")

    service.standings = standing
    service.looking.hold()  # until there is a job to ask
    job = archived(service)
    service.looking.resume()
    job.wait(timeout=10)
    assert job.status == "completed"
    assert job.trouble is None
    assert [type(one) for one in told[:6]] == [
        type(None),
        ServiceUnavailable,
        AuthenticationError,
        RateLimited,
        AssetServiceError,
        type(None),
    ]


@pytest.mark.parametrize("error", [AuthenticationError("gone"), PermissionDenied("no"), InvalidRequest("what?")])
def test_refusals_for_good_end_the_following(error: AssetServiceError) -> None:
    service = MemoryArchives(1)

    def standing(job: str, number: int) -> ArchiveStanding:
        raise error

    service.standings = standing
    job = archived(service)
    with pytest.raises(type(error)):
        job.wait(timeout=10)
    assert job.status == "stopped"
    assert len(service.looks) == 3
    ended(" archives")


def test_a_job_that_is_unknown_for_a_moment_goes_on() -> None:
    service = MemoryArchives(1)

    def standing(job: str, number: int) -> ArchiveStanding:
        if number < 3:
            raise NotFound("which job?")
        return ArchiveStanding("completed")

    service.standings = standing
    assert archived(service).wait(timeout=10).status == "completed"


def test_a_job_that_is_gone_has_failed() -> None:
    service = MemoryArchives(1)
    service.looking.hold()
    job = archived(service)
    service.files.clear()
    service.looking.resume()
    with pytest.raises(JobFailed, match="There is no job-1"):
        job.wait(timeout=10)


def test_looks_become_less_frequent(monkeypatch: pytest.MonkeyPatch) -> None:
    service = MemoryArchives(1)
    waits: list[float] = []
    looked = archive_watch.Pace.looked

    def noted(pace: Any, **form: Any) -> None:
        looked(pace, **form)
        waits.append(pace.wait)

    monkeypatch.setattr(archive_watch.Pace, "looked", noted)
    service.standings = lambda job, number: ArchiveStanding("completed" if number == 8 else "running")
    archived(service, poll=0.01).wait(timeout=10)
    middle = waits[1:-1]
    assert middle == sorted(middle)
    assert middle[-1] > middle[0]


def test_a_job_nobody_holds_is_not_looked_for() -> None:
    service = MemoryArchives(1)
    service.standings = lambda job, number: ArchiveStanding("running")
    job = archived(service)
    service.looked.until(lambda: len(service.looks) > 1)
    del job
    gc.collect()
    ended(" archives")


def test_a_callback_keeps_it_followed() -> None:
    service = MemoryArchives(1)
    seen: queue.SimpleQueue[str] = queue.SimpleQueue()
    archived(service).on_done(lambda job: seen.put(job.status))
    gc.collect()
    assert seen.get(timeout=PATIENCE) == "completed"


def test_the_end_of_the_client_ends_the_following() -> None:
    service, other = MemoryArchives(1), MemoryArchives(1)
    service.looking.hold()
    for one in (service, other):
        one.standings = lambda job, number: ArchiveStanding("running" if number < 4 else "completed")
    job, unharmed = archived(service), archived(other)
    loop.run(end_archives(service, InvalidRequest("closed")))
    with pytest.raises(InvalidRequest, match="closed"):
        job.wait(timeout=10)
    unharmed.wait(timeout=10)
    service.looking.resume()
    ended(" archives")


def test_what_makes_no_sense_is_refused_at_once(caplog: pytest.LogCaptureFixture) -> None:
    service = MemoryArchives(9)
    with pytest.raises(InvalidRequest, match="Nothing was chosen"):
        archived(service, [])
    with pytest.raises(InvalidRequest, match="is an asset of other"):
        archived(service, [ia.Asset(Record("other", "x", "x"), service)])
    with pytest.raises(InvalidRequest, match=r"at most 5 assets; these are 9.*split=True"):
        archived(service)
    with pytest.raises(InvalidRequest, match="poll"):
        archived(service, "asset-1", poll=0)
    assert not service.orders
    with caplog.at_level(logging.WARNING, "ipyassets.jobs"):
        archived(service, ["asset-1", "asset-2", "asset-1"]).wait(timeout=10)
    assert "1 given more than once" in caplog.text
    assert service.orders[0].assets == ("asset-1", "asset-2")


def test_lists_and_assets_are_taken_too() -> None:
    service = MemoryArchives(4)
    found = AssetList(RecordPages(service, service.search(""), None), "memory")
    job = archived(service, [found[2:], found[0], "asset-3"]).wait(timeout=10)
    assert service.orders[0].assets == ("asset-2", "asset-3", "asset-0")
    batch = job.images()
    assert [asset.name for asset in batch.assets] == ["asset-2", "asset-3", "asset-0"]


def test_a_list_of_very_many_is_not_walked_to_be_refused() -> None:
    service = MemoryArchives(4000)
    found = AssetList(RecordPages(service, service.search(""), None), "memory")
    with pytest.raises(InvalidRequest, match=r"at most 5 assets; these are more.*split=True"):
        archived(service, found)
    assert len(service.pages) <= 3
    assert archived(service, found[:5]).wait(timeout=10).status == "completed"


def test_many_assets_make_several_archives_of_one_job(tmp_path: Any) -> None:
    service = MemoryArchives(12)
    job = archived(service, split=True).wait(timeout=10)
    assert [len(order.assets) for order in service.orders] == [5, 5, 2]
    assert (job.title, [item.name for item in job.items]) == (
        "3 archives of 12 assets",
        ["archive 1 of 3", "archive 2 of 3", "archive 3 of 3"],
    )
    assert len(job) == 12
    batch = job.images()
    assert [asset.id for asset in batch.assets] == service.names
    assert job[11].getpixel((0, 0)) == (11, 80, 120)
    assert len(list(job.iter_images())) == 12
    paths = job.save(tmp_path / "all.zip")
    assert [path.name for path in paths] == ["all-1.zip", "all-2.zip", "all-3.zip"]  # type: ignore[union-attr]
    assert len(job.extract(tmp_path / "out")) == 12


def test_inferences_and_models_go_with_the_assets_or_alone() -> None:
    service = MemoryArchives(7)
    order = ArchiveOrder(inferences=("i",), models=("m",))
    archived(service, ["asset-0"], order).wait(timeout=10)
    archived(service, [], order).wait(timeout=10)
    archived(service, None, order, split=True).wait(timeout=10)
    assert [(len(one.assets), one.inferences) for one in service.orders] == [
        (1, ("i",)),
        (0, ("i",)),
        (5, ()),
        (2, ()),
        (0, ("i",)),
    ]


def test_one_archive_of_several_fails() -> None:
    service = MemoryArchives(8)
    service.standings = lambda job, number: ArchiveStanding("failed" if job == "job-1" else "completed", "word")
    job = archived(service, split=True).wait(timeout=10)
    assert job.status == "partly_failed"
    batch = job.images()
    assert [image is None for image in batch] == [True] * 5 + [False] * 3
    assert {type(error) for *_, error in batch.failures} == {JobFailed}
    assert len(job) == 3
    service.standings = None
    job.retry_failed().wait(timeout=10)
    assert not job.images().failures
    assert job.ids == ("job-3", "job-2")


def test_one_order_of_several_is_refused() -> None:
    service = MemoryArchives(8)

    def refuse(number: int) -> None:
        if number == 2:
            raise RateLimited("enough", retry_after=60)

    service.on_request = refuse
    job = archived(service, split=True).wait(timeout=10)
    assert job.status == "partly_failed"
    assert isinstance(job.failures[0][2], RateLimited)
    service.on_request = lambda number: (_ for _ in ()).throw(InvalidRequest("never"))
    with pytest.raises(InvalidRequest, match="never"):
        archived(service, "asset-0")


def test_an_archive_is_picked_up_by_its_id() -> None:
    service = MemoryArchives(3)
    ids = archived(service, ["asset-0", "asset-1"]).ids
    job = followed(service, *ids).wait(timeout=10)
    assert (job.title, job.ids) == ("Archive", ids)
    assert [one for one, _ in job.iter_images()] == ["a chair 7-asset-0.png", "a chair 7-asset-1.png"]
    known = followed(service, ids, ["asset-0", "asset-1", "asset-2"]).wait(timeout=10)
    assert [getattr(one, "id", one) for one, _ in known.iter_images()] == ["asset-0", "asset-1"]
    with pytest.raises(InvalidRequest, match="ordered elsewhere"):
        service.standings = lambda job, number: ArchiveStanding("failed")
        followed(service, ids).retry_failed()


def test_an_unknown_id_is_said_at_once() -> None:
    service = MemoryArchives(1)
    with pytest.raises(NotFound):
        followed(service, "job-77")
    for nothing in ("", [], None, [""], 5):
        with pytest.raises(InvalidRequest, match="Which archive"):
            followed(service, nothing)
    ended(" archives")


def test_several_ids_make_one_job() -> None:
    service = MemoryArchives(4)
    first, second = archived(service, ["asset-0"]), archived(service, ["asset-1"])
    job = followed(service, [*first.ids, *second.ids, *first.ids]).wait(timeout=10)
    assert job.title == "2 archives"
    assert [item.name for item in job.items] == ["archive job-1", "archive job-2"]
    assert len(job.images()) == 2


def test_missing_assets_are_guessed_only_where_names_tell() -> None:
    service = MemoryArchives(3)
    service.pack = lambda order: packed({"chair.png": picture(), "asset-0.png": picture()})
    job = archived(service, order=ArchiveOrder(template="<prompt>")).wait(timeout=10)
    assert not job.images().failures
    assert job.missing == ()
    telling = archived(service).wait(timeout=10)
    telling.images()
    assert [asset.id for asset in telling.missing] == ["asset-1", "asset-2"]


def test_jobs_are_shown_by_what_shows_jobs() -> None:
    class Shown:
        def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
            return {"text/plain": "shown"}

    service = MemoryArchives(1)
    job = ArchiveJob(service, view=lambda job: Shown())
    assert job._repr_mimebundle_() == {"text/plain": "shown"}
    assert "Archive" in repr(job)


def test_awaited() -> None:
    service = MemoryArchives(3)

    async def run() -> None:
        service.looking.hold()
        job = archiving(service)
        assert (await job.submitted()) is job
        assert job.status == "queued"
        service.looking.resume()
        assert await job is job
        assert len(await job.names()) == 3
        assert await job.others() == ()
        assert (await job.image(1)).getpixel((0, 0)) == (1, 80, 120)
        batch = await job.images(width=10)
        assert [image.size for image in batch if image] == [(10, 8)] * 3
        assert [getattr(asset, "id", asset) async for asset, _ in job.iter_images()] == service.names
        name = (await job.names())[0]
        assert (await job.read(name))[1:4] == b"PNG"
        with await job.open(name) as file:
            assert file.read(4)[1:] == b"PNG"
        service.standings = lambda job, number: ArchiveStanding("failed", "word")
        with pytest.raises(JobFailed):
            await archiving(service)
        service.on_request = lambda number: (_ for _ in ()).throw(InvalidRequest("never"))
        refused = archiving(service)
        with pytest.raises(InvalidRequest):
            await refused.submitted()
        with pytest.raises(InvalidRequest):
            await refused.names()

    asyncio.run(run())


def test_awaited_files(tmp_path: Any) -> None:
    service = MemoryArchives(2)

    async def run() -> None:
        job = await archiving(service)
        path = await job.save(tmp_path / "a.zip")
        assert path == tmp_path / "a.zip"
        assert len(await job.extract(tmp_path)) == 2

    asyncio.run(run())
