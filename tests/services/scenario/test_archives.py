"""Archives over real HTTP: ordered and followed, and what goes wrong with that."""

from __future__ import annotations

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
from ipyassets.sandbox import Sandbox
from ipyassets.services.downloading import ArchiveOrder, ArchiveStanding
from ipyassets.services.scenario.client import ScenarioService
from tests.services.scenario.archiving import ORDER, content, ids, opened, ordered, some, standings
from tests.services.scenario.conftest import Make


@pytest.fixture(autouse=True)
def quick(sandbox: Sandbox) -> None:
    """Each look at a job brings it a step on."""
    sandbox.settings.archive_polls = 1


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


@pytest.mark.parametrize("trouble", [{"kind": "reset"}, {"status": 502}, {"status": 409}])
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


def test_an_order_whose_answer_was_lost_is_found_again(sandbox: Sandbox, service: ScenarioService) -> None:
    first, second = ids(some(service, 2))
    ordered(service, first)
    sandbox.faults.add(ORDER, kind="cut", count=None)
    sandbox.faults.log.clear()
    job = ordered(service, first, second)
    assert [one.id for one in sandbox.archives.jobs][1:] == [job]
    assert len(sandbox.faults.requests(ORDER)) == 1
    assert standings(service, job)[-1].stage == "completed"


@pytest.mark.parametrize("later", [180, 0])
def test_another_order_is_not_taken_for_the_lost_one(
    sandbox: Sandbox, service: ScenarioService, monkeypatch: pytest.MonkeyPatch, later: int
) -> None:
    first, second = ids(some(service, 2))
    now = sandbox.world.clock()
    monkeypatch.setattr(sandbox.world, "clock", lambda: now - later)
    ordered(service, first)
    sandbox.faults.add(ORDER, kind="reset")
    with pytest.raises(ServiceUnavailable, match="may make a second"):
        ordered(service, first if later else second)  # the same some minutes ago, or another just now


def test_an_earlier_order_like_it_is_not_taken_for_the_lost_one(sandbox: Sandbox, service: ScenarioService) -> None:
    """Where the service did not answer who ordered a failed archive again, the failed one was found and followed."""
    (first,) = ids(some(service, 1))
    sandbox.archives.fail()
    failed = ordered(service, first)
    sandbox.faults.add(ORDER, status=503)
    with pytest.raises(ServiceUnavailable, match="may make a second"):
        ordered(service, first)
    sandbox.faults.add(ORDER, kind="cut")
    assert ordered(service, first) not in (failed, None)
    assert len(sandbox.archives.jobs) == 2


@pytest.mark.parametrize("jobs", [None, [], [None], [{}], [{"jobId": "job_1", "createdAt": "nonsense"}]])
def test_jobs_that_cannot_be_listed_do_not_hide_the_error(
    sandbox: Sandbox, service: ScenarioService, jobs: Any
) -> None:
    sandbox.faults.add(ORDER, kind="reset")
    sandbox.faults.add("/v1/jobs", status=200, body={"jobs": jobs})
    with pytest.raises(ServiceUnavailable, match="may make a second"):
        ordered(service, "asset_1")


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
