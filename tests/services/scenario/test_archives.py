"""Archives over real HTTP: ordered, followed, read, and what goes wrong with them."""

from __future__ import annotations

import asyncio
import io
import logging
import zipfile
from typing import Any

import pytest

from ipyassets.errors import (
    AuthenticationError,
    BadResponse,
    InvalidRequest,
    JobFailed,
    NotFound,
    RateLimited,
    ServiceUnavailable,
)
from ipyassets.http import loop
from ipyassets.http.client import HttpClient
from ipyassets.http.remote import RemoteFile
from ipyassets.sandbox import Sandbox
from ipyassets.services.base import Record
from ipyassets.services.downloading import ArchiveOrder, ArchiveStanding
from ipyassets.services.scenario.client import ScenarioService
from ipyassets.services.scenario.errors import explain_file
from tests.services.calls import QUICK
from tests.services.scenario.conftest import Make

ORDER = "/v1/assets/download$"


@pytest.fixture(autouse=True)
def quick(sandbox: Sandbox) -> None:
    """Each look at a job brings it a step on."""
    sandbox.settings.archive_polls = 1


def some(service: ScenarioService, count: int = 12, **filters: Any) -> list[Record]:
    return list(loop.run(service.search(page_size=count, **filters).page(0)).records)


def whole(service: ScenarioService, found: list[Record]) -> list[Record]:
    async def go() -> list[Record]:
        return [await service.record(record.id) for record in found]

    return loop.run(go())


def ids(found: list[Record]) -> tuple[str, ...]:
    return tuple(record.id for record in found)


def ordered(service: ScenarioService, *assets: str, **options: Any) -> str:
    return loop.run(service.request_archive(ArchiveOrder(assets, **options)))


def standings(service: ScenarioService, job: str, most: int = 20) -> list[ArchiveStanding]:
    """All of them up to the end, or so many."""

    async def go() -> list[ArchiveStanding]:
        seen = [await service.archive_standing(job)]
        while seen[-1].stage not in ("completed", "failed") and len(seen) < most:
            seen.append(await service.archive_standing(job))
        return seen

    return loop.run(go())


def made(service: ScenarioService, *assets: str, **options: Any) -> RemoteFile:
    job = ordered(service, *assets, **options)
    assert standings(service, job)[-1].stage == "completed"
    return loop.run(service.archive_file(job))


def content(file: RemoteFile) -> bytes:
    async def go() -> bytes:
        return b"".join([piece async for piece in file.stream()])

    return loop.run(go())


def opened(content: bytes) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    return archive


# -- the order --------------------------------------------------------------------------------------------------------


def test_the_order_is_sent_as_documented(sandbox: Sandbox, service: ScenarioService) -> None:
    first, second = ids(some(service, 2))
    sandbox.faults.log.clear()
    ordered(service, first, second, first)
    (seen,) = sandbox.faults.log
    assert (seen.method, seen.path.rpartition("/v1")[2], seen.query) == ("POST", "/assets/download", "")
    assert seen.json == {
        "options": {"fileNameTemplate": "<prompt>-<id>", "flat": False},
        "query": {"assetIds": [first, second], "inferenceIds": [], "modelIds": []},
    }


def test_all_that_can_be_asked_for(sandbox: Sandbox, service: ScenarioService) -> None:
    asset = ids(some(service, 1))
    order = ArchiveOrder(
        asset, ("inf_1", "inf_2"), ("model_1",), template="<seed>/<id>", flat=True, archive_name="mine.zip",
        prefer_original=True,
    )  # fmt: skip
    loop.run(service.request_archive(order))
    assert sandbox.faults.log[-1].json == {
        "options": {
            "fileNameTemplate": "<seed>/<id>", "flat": True, "archiveName": "mine", "preferOriginal": True,
        },
        "query": {"assetIds": list(asset), "inferenceIds": ["inf_1", "inf_2"], "modelIds": ["model_1"]},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("order", "says"),
    [
        (ArchiveOrder(), "Nothing was chosen"),
        (ArchiveOrder(tuple(f"asset_{n}" for n in range(1001))), r"at most 1,000 assets; got 1,001"),
        (ArchiveOrder(("asset_1",), template=""), "empty"),
        (ArchiveOrder(("asset_1",), template="../<id>"), r"\.\."),
        (ArchiveOrder(("asset_1",), template="<id"), "'<'"),
        (ArchiveOrder(("asset_1", " ")), "takes ids"),
        (ArchiveOrder(("asset_1", 5)), "takes ids"),  # type: ignore[arg-type]
        (ArchiveOrder("asset_1"), "list"),  # type: ignore[arg-type]
        (ArchiveOrder(("asset_1",), archive_name="a/b"), "without folders"),
        (ArchiveOrder(("asset_1",), archive_name=".zip"), "name of an archive"),
        (ArchiveOrder(("asset_1",), archive_name="what?"), "name of an archive"),
    ],
)
def test_what_cannot_be_is_refused_before_it_is_sent(
    sandbox: Sandbox, service: ScenarioService, order: ArchiveOrder, says: str
) -> None:
    with pytest.raises(InvalidRequest, match=says):
        loop.run(service.request_archive(order))
    assert not sandbox.faults.log


def test_a_thousand_assets_are_not_too_many(sandbox: Sandbox, service: ScenarioService) -> None:
    asset = ids(some(service, 1))[0]
    ordered(service, asset, *(f"asset_{n}" for n in range(999)), asset, asset)
    assert len(sandbox.archives.jobs) == 1
    assert service.most_in_archive == 1000


def test_a_union_that_is_too_large_is_refused_by_the_service(sandbox: Sandbox, service: ScenarioService) -> None:
    sandbox.faults.add(ORDER, status=400, body={"reason": "Batch download is limited to 1000 assets"})
    with pytest.raises(InvalidRequest, match="limited to 1000"):
        loop.run(service.request_archive(ArchiveOrder(models=("model_1",))))


def test_assets_that_are_all_unknown(service: ScenarioService) -> None:
    with pytest.raises(NotFound):
        ordered(service, "asset_nope")


def test_wrong_keys(make: Make) -> None:
    with pytest.raises(AuthenticationError):
        ordered(make("wrong", "wrong"), "asset_1")


@pytest.mark.parametrize("trouble", [{"kind": "reset"}, {"status": 502}, {"status": 409}, {"kind": "cut"}])
def test_an_order_that_may_have_been_carried_out_is_not_repeated(
    sandbox: Sandbox, service: ScenarioService, trouble: dict[str, Any]
) -> None:
    """The service knows no idempotency keys: a second order makes a second job."""
    asset = ids(some(service, 1))
    sandbox.faults.add(ORDER, **trouble)
    sandbox.faults.log.clear()
    with pytest.raises((ServiceUnavailable, InvalidRequest)) as caught:
        ordered(service, *asset)
    assert len(sandbox.faults.requests(ORDER)) == 1
    assert isinstance(caught.value, InvalidRequest) or "may make a second" in str(caught.value)


def test_an_order_that_was_put_off_is_repeated(sandbox: Sandbox, service: ScenarioService) -> None:
    asset = ids(some(service, 1))
    sandbox.faults.add(ORDER, status=429, body={"reason": "Too many requests", "remainingSeconds": 0.01}, count=2)
    ordered(service, *asset)
    assert len(sandbox.archives.jobs) == 1


def test_long_waits_and_ceilings_are_said(sandbox: Sandbox, service: ScenarioService) -> None:
    asset = ids(some(service, 1))
    sandbox.faults.add(ORDER, status=429, body={"reason": "Too many requests", "remainingSeconds": 900})
    with pytest.raises(RateLimited, match="900 s") as caught:
        ordered(service, *asset)
    assert caught.value.retry_after == 900
    sandbox.faults.add(ORDER, status=429, body={"reason": "Limit", "details": {"actionLimit": 3}})
    with pytest.raises(RateLimited, match="larger plan"):
        ordered(service, *asset)
    assert not sandbox.archives.jobs


@pytest.mark.parametrize("body", [{}, {"jobId": ""}, {"jobId": 5}, {"job": {"jobId": "job_1"}}])
def test_an_answer_without_the_job(sandbox: Sandbox, service: ScenarioService, body: dict[str, Any]) -> None:
    sandbox.faults.add(ORDER, status=200, body=body)
    with pytest.raises(BadResponse, match="jobId"):
        ordered(service, "asset_1")


# -- how it stands ----------------------------------------------------------------------------------------------------


def test_a_job_from_its_beginning_to_its_end(sandbox: Sandbox, service: ScenarioService) -> None:
    sandbox.settings.archive_polls = 3
    seen = standings(service, ordered(service, *ids(some(service, 3))))
    assert [standing.word for standing in seen] == ["queued"] * 3 + ["in-progress"] * 2 + ["success"]
    assert [standing.stage for standing in seen] == ["queued"] * 3 + ["running"] * 2 + ["completed"]
    progress = [standing.progress for standing in seen if standing.progress is not None]
    assert progress == sorted(progress)
    assert progress[-1] == 1
    assert 0 < progress[0] < 1


def told(service: ScenarioService, sandbox: Sandbox, body: dict[str, Any]) -> ArchiveStanding:
    sandbox.faults.add("/assets/download/job_1", status=200, body={"jobId": "job_1", **body})
    sandbox.faults.add("/jobs/", status=404)
    return loop.run(service.archive_standing("job_1"))


@pytest.mark.parametrize(
    ("word", "stage"),
    [
        *((word, "queued") for word in ("pending", "queued", "warming-up", "Warming_Up")),
        *((word, "running") for word in ("in-progress", "finalizing", "IN_PROGRESS", "in progress")),
        *((word, "running") for word in ("zipping", "halfway", "")),
        *((word, "failed") for word in ("failure", "failed", "canceled", "cancelled", "error", "FAILURE")),
    ],
)
def test_words_of_jobs_that_are_not_done(sandbox: Sandbox, service: ScenarioService, word: str, stage: str) -> None:
    standing = told(service, sandbox, {"jobStatus": word})
    assert (standing.stage, standing.word) == (stage, word)


@pytest.mark.parametrize("word", ["success", "succeeded", "completed", "Success", "ready", ""])
def test_words_of_jobs_that_are_done(sandbox: Sandbox, service: ScenarioService, word: str) -> None:
    url = f"{sandbox.origin}/x?Signature=s"
    assert told(service, sandbox, {"jobStatus": word, "downloadUrl": url}).stage == "completed"


@pytest.mark.parametrize("body", [{}, {"jobStatus": None}, {"jobStatus": 7}])
def test_a_status_that_is_no_word_is_looked_at_again(
    sandbox: Sandbox, service: ScenarioService, body: dict[str, Any]
) -> None:
    assert told(service, sandbox, body) == ArchiveStanding("running", "")


def test_a_job_that_says_something_new_all_the_time_is_followed(sandbox: Sandbox, service: ScenarioService) -> None:
    sandbox.archives.say("compressing")
    seen = standings(service, ordered(service, *ids(some(service, 1))))
    assert {standing.word for standing in seen if standing.stage == "running"} <= {"compressing"}
    assert seen[-1].stage == "completed"


def test_a_job_that_never_ends_stays_running(sandbox: Sandbox, service: ScenarioService) -> None:
    sandbox.archives.hang()
    seen = standings(service, ordered(service, *ids(some(service, 1))))
    assert (seen[-1].stage, seen[-1].progress) == ("running", 0.5)


@pytest.mark.parametrize("word", ["failure", "failed", "canceled", "error"])
def test_why_a_job_failed(sandbox: Sandbox, service: ScenarioService, word: str) -> None:
    sandbox.archives.fail("Storage is full.", hint="Try fewer assets.", word=word)
    job = ordered(service, *ids(some(service, 1)))
    last = standings(service, job)[-1]
    assert last == ArchiveStanding("failed", word, None, "Storage is full. Try fewer assets.")
    with pytest.raises(JobFailed, match=word):
        loop.run(service.archive_file(job))


def test_why_a_job_failed_may_not_be_told(sandbox: Sandbox, service: ScenarioService) -> None:
    """Keys are refused on some routes; that must not hide how the job stands."""
    sandbox.archives.fail()
    sandbox.faults.add("/v1/jobs/", status=403, count=None)
    job = ordered(service, *ids(some(service, 1)))
    seen = standings(service, job)
    assert seen[-1] == ArchiveStanding("failed", "failure")
    assert len(sandbox.faults.requests("/v1/jobs/")) == 1  # and it is not asked in vain again


def test_success_without_a_url_is_looked_at_a_little_longer(sandbox: Sandbox, service: ScenarioService) -> None:
    job = ordered(service, *ids(some(service, 1)))
    standings(service, job)
    fault = sandbox.faults.add(f"/assets/download/{job}", status=200, body={"jobStatus": "success"}, count=4)
    seen = standings(service, job)
    assert [standing.stage for standing in seen] == ["running"] * 4 + ["completed"]
    fault.count = None
    last = standings(service, job)[-1]
    assert last.stage == "failed"
    assert "no URL" in (last.message or "")
    with pytest.raises(BadResponse, match="no URL"):
        loop.run(service.archive_file(job))


def test_a_url_to_a_strange_place(sandbox: Sandbox, service: ScenarioService) -> None:
    sandbox.faults.add("/assets/download/", status=200, body={"jobStatus": "success", "downloadUrl": "file:///x"})
    with pytest.raises(BadResponse, match="safe"):
        loop.run(service.archive_standing("job_1"))


def test_an_unknown_job(service: ScenarioService) -> None:
    for job in ("job_nope", "../teams", ""):
        with pytest.raises(NotFound):
            loop.run(service.archive_standing(job))
        with pytest.raises(NotFound):
            loop.run(service.archive_file(job))


def test_an_archive_that_is_not_there_yet(sandbox: Sandbox, service: ScenarioService) -> None:
    sandbox.archives.hang()
    with pytest.raises(InvalidRequest, match="not there yet"):
        loop.run(service.archive_file(ordered(service, *ids(some(service, 1)))))


def test_a_job_is_picked_up_by_its_id(make: Make) -> None:
    job = ordered(make(), *ids(some(make(), 2)))
    later = make()
    assert standings(later, job)[-1].stage == "completed"
    assert len(opened(content(loop.run(later.archive_file(job)))).namelist()) == 2


# -- the archive ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize(
    "template", ["<prompt>-<id>", "<description>/<seed>_<num>-<id>", "<id>-<nope>", "x/<prompt>/<id>-<prompt>"]
)
def test_names_are_as_they_were_previewed(service: ScenarioService, template: str, flat: bool) -> None:
    found = [record for kind in ("image", "3d", "video", "audio", "text") for record in some(service, 2, kind=kind)]
    order = ArchiveOrder(ids(found), template=template, flat=flat)
    names = opened(content(made(service, *order.assets, template=template, flat=flat))).namelist()
    assert service.member_names(whole(service, found), order) == names
    by_id = {record.id: record for record in found}
    assert [service.member_of(name, by_id) for name in names] == found


def test_an_archive_by_its_name(service: ScenarioService) -> None:
    file = made(service, *ids(some(service, 3)), archive_name="mine")
    assert (file.name, file.media_type) == (None, "application/zip")
    data = content(file)
    assert file.name == "mine.zip"
    assert len(opened(data).namelist()) == 3


def test_the_directory_of_an_archive_is_read_without_the_rest(sandbox: Sandbox, service: ScenarioService) -> None:
    file = made(service, *ids(some(service, 20)))
    data = content(file)

    async def go() -> tuple[Any, ...]:
        size = await file.size()
        assert size is not None
        return await file.ranges(), await file.version() is not None, size, await file.read(size - 22, size)

    sandbox.faults.log.clear()
    assert loop.run(go()) == (True, True, len(data), data[-22:])
    assert all("authorization" not in seen.headers for seen in sandbox.faults.log)


def test_a_url_that_expired_before_it_was_used(sandbox: Sandbox, service: ScenarioService) -> None:
    sandbox.archives.expire()
    job = ordered(service, *ids(some(service, 3)))
    while loop.run(service._archives._status(job))[0] != "success":
        pass
    sandbox.faults.log.clear()
    file = loop.run(service.archive_file(job))
    assert opened(content(file))


def test_a_url_that_expires_while_it_is_used(
    sandbox: Sandbox, service: ScenarioService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sandbox.archives.expire(after=40_000)
    job = ordered(service, *ids(some(service, 20)))
    sandbox.settings.archive_polls = 0
    file = loop.run(service.archive_file(job))
    data = content(file)
    assert len(opened(data).namelist()) == 20
    asked = [(seen.headers.get("range"), seen.status) for seen in sandbox.faults.requests("/cdn/archives/")]
    assert asked[0] == (None, 200)
    assert asked[-1][1] == 206
    assert 403 in [status for _, status in asked]
    assert "Signature=" not in caplog.text


@pytest.mark.parametrize("ranges", [True, False])
def test_an_archive_that_breaks_off_is_gone_on_with(sandbox: Sandbox, service: ScenarioService, ranges: bool) -> None:
    if not ranges:
        sandbox.archives.no_ranges()
    file = made(service, *ids(some(service, 20)))
    sandbox.faults.add("/cdn/archives/", kind="cut", after=50_000)
    sandbox.faults.add("/cdn/archives/", kind="reset")
    data = content(file)
    assert len(opened(data).namelist()) == 20
    assert loop.run(file.ranges()) is ranges
    if not ranges:
        with pytest.raises(BadResponse, match="as a whole"):
            loop.run(file.read(10, 20))


def test_an_archive_that_was_made_anew_in_the_middle(sandbox: Sandbox, service: ScenarioService) -> None:
    file = made(service, *ids(some(service, 20)))
    sandbox.faults.add("/cdn/archives/", kind="cut", after=50_000)
    sandbox.faults.add(
        "/cdn/archives/", kind="wrong_content", status=200, body=bytes(200_000), headers={"etag": '"another"'}
    )
    with pytest.raises(BadResponse, match="changed"):
        content(file)


def test_an_archive_that_goes_silent_in_the_middle(sandbox: Sandbox, make: Make) -> None:
    service = make()
    patient = service._files
    service._archives._files = HttpClient("files", explain=explain_file, policy=QUICK, read_timeout=0.2)
    file = made(service, *ids(some(service, 20)))
    sandbox.faults.add("/cdn/archives/", kind="stall", after=50_000)
    assert len(opened(content(file)).namelist()) == 20
    loop.run(service._archives._files.close())
    service._archives._files = patient


def test_the_file_server_may_redirect(sandbox: Sandbox, service: ScenarioService) -> None:
    file = made(service, *ids(some(service, 3)))
    port = sandbox.origin.rpartition(":")[2]
    elsewhere = f"http://localhost:{port}/elsewhere?Signature=canary"
    sandbox.faults.add("/cdn/archives/", kind="redirect", location=elsewhere)
    sandbox.faults.add("/elsewhere", status=200, body=b"PK", headers={"content-type": "application/zip"})
    sandbox.faults.log.clear()
    assert content(file) == b"PK"
    assert not any("authorization" in seen.headers for seen in sandbox.faults.log)


def test_a_web_page_instead_of_the_archive(sandbox: Sandbox, service: ScenarioService) -> None:
    file = made(service, *ids(some(service, 3)))
    sandbox.faults.add("/cdn/archives/", kind="html")
    with pytest.raises(BadResponse, match="web page"):
        content(file)


def test_storms_of_refusals_are_waited_out(sandbox: Sandbox, service: ScenarioService) -> None:
    body = {"reason": "Too many requests", "remainingSeconds": 0.01}
    assets = ids(some(service, 5))
    for path in (ORDER, "/assets/download/", "/cdn/archives/"):
        sandbox.faults.add(path, status=429, body=body, count=2)
    assert len(opened(content(made(service, *assets))).namelist()) == 5


def test_readers_of_one_archive_at_once(sandbox: Sandbox, service: ScenarioService) -> None:
    file = made(service, *ids(some(service, 20)))
    data = content(file)
    sandbox.faults.add("/cdn/archives/", status=403, count=8)
    sandbox.faults.log.clear()

    async def go() -> list[bytes]:
        return await asyncio.gather(*(file.read(n * 1000, n * 1000 + 500) for n in range(8)))

    assert loop.run(go()) == [data[n * 1000 : n * 1000 + 500] for n in range(8)]
    assert len(sandbox.faults.requests("/v1/assets/download/")) <= 2  # they renewed it together
