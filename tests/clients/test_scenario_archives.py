"""`Scenario.archive` against the sandbox, with every trouble it can make."""

from __future__ import annotations

import asyncio
import gc
import logging
import pickle
import stat
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipyassets.clients.scenario import AsyncScenario, Scenario
from ipyassets.collections.archive_job import ArchiveJob
from ipyassets.collections.asset_list import AssetList
from ipyassets.errors import (
    AssetServiceError,
    BadResponse,
    InvalidRequest,
    JobFailed,
    JobTimeout,
    NotFound,
    RateLimited,
)
from ipyassets.sandbox import Sandbox
from tests.waiting import until_status

POLL = 0.02


@pytest.fixture
def quick(sandbox: Sandbox) -> Sandbox:
    sandbox.settings.archive_polls = 0
    return sandbox


@pytest.fixture
def scenario(quick: Sandbox) -> Iterator[Scenario]:
    with quick.scenario() as client:
        yield client


@pytest.fixture
def pictures(scenario: Scenario) -> AssetList:
    return scenario.search("", kind="image", filter='mimeType = "image/webp"', limit=8)


def finished(scenario: Scenario, pictures: AssetList, **form: object) -> ArchiveJob:
    return scenario.archive(pictures, poll=POLL, **form).wait(timeout=30)  # type: ignore[arg-type]


def test_from_the_selection_to_the_pictures(sandbox: Sandbox) -> None:
    sandbox.settings.archive_queue_time, sandbox.settings.archive_work_time = 3600.0, 0.1
    with sandbox.scenario() as scenario:
        chosen = scenario.search("chair", kind="image", limit=5)
        job = scenario.archive(chosen, flat=True, archive_name="chairs", poll=POLL)
        assert job.status == "queued"
        sandbox.settings.archive_queue_time = 0.1
        assert job.wait(timeout=30, progress=False).status == "completed"
        assert len(job) == len(chosen)
        batch = job.images()
        assert batch.assets == list(chosen)
        assert not batch.failures
        assert [image.size for image in batch if image] == [
            (asset.attributes["width"], asset.attributes["height"]) for asset in chosen
        ]
        assert all(asset.id in name for asset, name in zip(chosen, job.names, strict=True))
        assert repr(job) == f"ArchiveJob(Archive of {len(chosen)} assets: completed, 1 of 1 done)"


def test_names_are_as_previewed(scenario: Scenario, pictures: AssetList) -> None:
    for template in ("<id>", "<prompt>-<id>", "kept/<seed>_<id>"):
        job = finished(scenario, pictures, file_name_template=template, flat=True)
        previewed = scenario.preview_names(pictures, template, flat=True)
        # Which words Scenario leaves out of a prompt is not known.
        assert [name.rpartition("-")[2] for name in job.names] == [name.rpartition("-")[2] for name in previewed]


def test_one_picture_costs_its_own_bytes(quick: Sandbox, scenario: Scenario) -> None:
    chosen = scenario.search("", kind="image", filter='mimeType = "image/webp"', limit=60)
    job = finished(scenario, chosen)
    names = job.names
    quick.faults.log.clear()
    image = job[3]
    assert image.size
    (seen,) = quick.faults.requests("/cdn/archives/")
    first, last = (int(text) for text in seen.headers["range"].removeprefix("bytes=").split("-"))
    assert last - first < 1.5 * len(job.read(names[3]))
    assert "authorization" not in seen.headers


@pytest.mark.parametrize("deflated", [False, True])
@pytest.mark.parametrize("streamed", [False, True])
def test_however_it_was_written(quick: Sandbox, deflated: bool, streamed: bool, tmp_path: Path) -> None:
    quick.settings.archive_deflated, quick.settings.archive_streamed = deflated, streamed
    with quick.scenario() as scenario:
        everything = scenario.search("", limit=40)
        job = finished(scenario, everything)
        batch = job.images()
        assert not batch.failures
        assert len(batch) == len(job) - len(job.others)
        assert job.others, "there are models and sounds, too"
        done = job.extract(tmp_path)
        assert len(done) == len(everything)
        assert {path.suffix for path in done.values()} > {".webp"}


def test_other_files_are_kept(scenario: Scenario, tmp_path: Path) -> None:
    chosen = [*scenario.search("", kind="3d", limit=2), *scenario.search("", kind="audio", limit=1)]
    job = finished(scenario, chosen)  # type: ignore[arg-type]
    assert len(job.others) == 3
    assert len(job.images()) == 0
    assert set(job.extract(tmp_path, job.others)) == set(job.others)
    assert job.missing == ()


def test_union_of_assets_inferences_and_models(scenario: Scenario) -> None:
    made = next(asset for asset in scenario.search("", kind="image", limit=50) if asset.raw["metadata"].get("modelId"))
    model = made.raw["metadata"]["modelId"]
    job = scenario.archive(made, models=[model], poll=POLL).wait(timeout=30)
    assert len(job) > 1
    (asset, *rest), _ = zip(*job.iter_images(), strict=True)
    assert asset == made
    assert all(isinstance(one, str) for one in rest), "nobody said which assets these are"


def test_a_thousand_and_one_are_refused_and_can_be_split(quick: Sandbox, scenario: Scenario) -> None:
    ids = [f"asset_{number:024d}" for number in range(2499)] + [scenario.search("chair")[0].id]
    with pytest.raises(InvalidRequest, match=r"at most 1,000 assets; these are 2,500.*split=True"):
        scenario.archive(ids)
    assert not quick.faults.requests("/assets/download", "POST")
    job = scenario.archive(ids, split=True, poll=POLL)
    assert [item.status for item in job.items] == ["failed", "failed", job.items[2].status]
    assert job.wait(timeout=30).status == "partly_failed"
    assert len(quick.faults.requests("/assets/download", "POST")) == 3
    assert all(isinstance(error, NotFound) for _, _, error in job.failures)
    batch = job.images()
    assert [image is not None for image in batch].count(True) == 1
    assert len(batch) == 2500, "a slot for each that did not come"


def test_ids_that_are_unknown_are_named(scenario: Scenario, pictures: AssetList) -> None:
    job = scenario.archive([pictures, "asset_000000000000000000000000"], poll=POLL).wait(timeout=30)
    batch = job.images()
    ((index, asset, error),) = batch.failures
    assert (index, asset.id) == (len(pictures), "asset_000000000000000000000000")
    assert isinstance(error, NotFound)
    assert [asset.id for asset in job.missing] == ["asset_000000000000000000000000"]
    with pytest.raises(NotFound):
        scenario.archive(["asset_000000000000000000000000"])


def test_templates_are_looked_at_first(quick: Sandbox, scenario: Scenario, pictures: AssetList) -> None:
    with pytest.warns(UserWarning) as caught:  # noqa: PT030  # what it says is the service's matter
        scenario.archive(pictures, file_name_template="<promt>-x")
    assert all(one.filename == __file__ for one in caught), "it points at the line of the person"
    quick.faults.log.clear()
    with warnings.catch_warnings(), pytest.raises(InvalidRequest):
        scenario.archive(pictures, file_name_template="")
    assert not quick.faults.requests("/assets/download", "POST")


def test_it_is_followed_by_its_id_from_elsewhere(quick: Sandbox, scenario: Scenario, pictures: AssetList) -> None:
    ids = scenario.archive(pictures, poll=POLL).ids
    with quick.scenario() as other:
        job = other.follow_archive(ids, pictures, poll=POLL).wait(timeout=30)
        assert job.images().assets == list(pictures)
        with pytest.raises(NotFound):
            other.follow_archive("job_nope")


def test_a_job_that_fails_says_why(quick: Sandbox, scenario: Scenario, pictures: AssetList) -> None:
    quick.archives.fail("out of paper", hint="buy some")
    job = scenario.archive(pictures, poll=POLL)
    with pytest.raises(JobFailed, match=r"failure: out of paper buy some"):
        job.wait(timeout=30)
    assert len(job.retry_failed().wait(timeout=30).images()) == len(pictures)


@pytest.mark.parametrize("word", ["canceled", "cancelled", "failed", "error"])
def test_words_for_failure(quick: Sandbox, scenario: Scenario, pictures: AssetList, word: str) -> None:
    quick.archives.fail(word=word)
    with pytest.raises(JobFailed, match=word):
        finished(scenario, pictures)


@pytest.mark.parametrize("word", ["succeeded", "completed"])
def test_words_for_success(quick: Sandbox, scenario: Scenario, pictures: AssetList, word: str) -> None:
    quick.archives.say(word, instead_of="success")
    assert len(finished(scenario, pictures)) == len(pictures)


def test_a_job_that_never_ends(quick: Sandbox, scenario: Scenario, pictures: AssetList) -> None:
    quick.archives.hang("contemplating")
    job = scenario.archive(pictures, poll=POLL)
    until_status(job, "running")
    with pytest.raises(JobTimeout):
        job.wait(timeout=0.1)
    assert job.status == "running"
    scenario.close()
    with pytest.raises(InvalidRequest, match="closed"):
        job.wait(timeout=5)


def test_trouble_at_the_looks_is_told_and_passes(quick: Sandbox, scenario: Scenario, pictures: AssetList) -> None:
    quick.settings.archive_polls = 3
    quick.faults.add("/assets/download/", kind="status", status=404, count=2)
    job = scenario.archive(pictures, poll=POLL)
    seen: list[AssetServiceError | None] = []
    job.subscribe(lambda: seen.append(job.trouble))
    job.wait(timeout=60)
    assert any(isinstance(one, NotFound) for one in seen)
    assert job.trouble is None


@pytest.mark.parametrize("after", [None, 20_000], ids=["before", "during"])
def test_a_url_that_expires(quick: Sandbox, scenario: Scenario, pictures: AssetList, after: int | None) -> None:
    quick.archives.expire(after)
    job = finished(scenario, pictures)
    batch = job.images()
    assert not batch.failures
    assert len(batch) == len(pictures)


def test_storms_of_429(quick: Sandbox, scenario: Scenario, pictures: AssetList) -> None:
    quick.faults.add("/scenario/", kind="status", status=429, headers={"retry-after": "0"}, rate=0.4, count=40)
    job = finished(scenario, pictures)
    assert len([image for image in job.images() if image]) == len(pictures)


def test_what_another_server_said_first_is_forgotten(
    quick: Sandbox, scenario: Scenario, pictures: AssetList, tmp_path: Path
) -> None:
    """Led elsewhere once, then refused: the next try, with all well again, still went by the size said elsewhere."""
    elsewhere = f"{quick.origin}/scenario/cdn/thumbnails/{pictures[0].id}"
    for once in (lambda job: job.names, lambda job: job.save(tmp_path / "it.zip")):
        job = scenario.archive(pictures).wait(30)
        quick.faults.add("/cdn/archives/", kind="redirect", location=elsewhere)
        quick.faults.add("/cdn/archives/", kind="status", status=429, headers={"Retry-After": "600"})
        with pytest.raises(RateLimited):
            once(job)
        assert once(job)
    assert zipfile.ZipFile(tmp_path / "it.zip").testzip() is None


def test_connections_that_break(quick: Sandbox, scenario: Scenario, pictures: AssetList, tmp_path: Path) -> None:
    job = finished(scenario, pictures)
    assert len(job) == len(pictures)
    quick.faults.add("/cdn/archives/", kind="cut", after=10_000, count=2)
    assert not job.images().failures
    quick.faults.add("/cdn/archives/", kind="cut", after=30_000, count=2)
    path = job.save(tmp_path / "a.zip")
    assert isinstance(path, Path)
    assert zipfile.ZipFile(path).testzip() is None


def test_a_server_that_gives_no_parts(quick: Sandbox, scenario: Scenario, pictures: AssetList, tmp_path: Path) -> None:
    quick.archives.no_ranges()
    job = finished(scenario, pictures)
    assert not job.images().failures
    assert job[2].size
    assert len(job.extract(tmp_path)) == len(pictures)
    assert isinstance(job.save(tmp_path / "a.zip"), Path)


def test_one_damaged_member(quick: Sandbox, scenario: Scenario, pictures: AssetList, tmp_path: Path) -> None:
    quick.archives.corrupt(2)
    job = finished(scenario, pictures)
    batch = job.images()
    ((index, asset, error),) = batch.failures
    assert (index, asset) == (2, pictures[2])
    assert isinstance(error, BadResponse)
    assert len(job.extract(tmp_path).failures) == 1
    with pytest.raises(BadResponse):
        _ = job[2]


@pytest.mark.parametrize("parts", [True, False])
def test_a_cut_archive(quick: Sandbox, scenario: Scenario, pictures: AssetList, parts: bool, tmp_path: Path) -> None:
    quick.archives.cut(0.6)
    if not parts:
        quick.archives.no_ranges()
    job = finished(scenario, pictures)
    batch = job.images()
    assert len(batch) == len(pictures)
    there = [image is not None for image in batch]
    assert 0 < there.count(True) < len(pictures)
    assert all("cut off" in str(error) for *_, error in batch.failures)
    with pytest.raises(BadResponse, match="damaged or cut off"):
        job.save(tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()


def test_names_that_lead_out(quick: Sandbox, scenario: Scenario, pictures: AssetList, tmp_path: Path) -> None:
    for trouble in (quick.archives.slip, quick.archives.link, quick.archives.odd_names, quick.archives.duplicate):
        trouble()
    job = finished(scenario, pictures)
    box = tmp_path / "box"
    done = job.extract(box)
    assert [path.name for path in tmp_path.iterdir()] == ["box"]
    assert all(path.resolve().is_relative_to(box) for path in done.values())
    assert all(stat.S_ISREG(path.lstat().st_mode) or path.is_dir() for path in box.rglob("*"))
    assert len(done) + len(done.failures) == len(job)
    assert {name for name, _ in done.failures} == {"link.webp", "folder", "device.webp"}
    assert len({str(path).casefold() for path in done.values()}) == len(done)
    batch = job.images()
    assert len([image for image in batch if image]) == len(pictures) + 1


def test_strangers(quick: Sandbox, scenario: Scenario, pictures: AssetList) -> None:
    quick.archives.strangers()
    job = finished(scenario, pictures)
    batch = job.images()
    assert [image is not None for image in batch][: len(pictures)] == [True] * len(pictures)
    assert "README.txt" in job.others
    assert batch.failures
    assert {asset.name for _, asset, _ in batch.failures} == {"empty.webp", "text.png", "page.jpg", "huge.png"}


@pytest.mark.parametrize("honest", [True, False])
def test_a_bomb(quick: Sandbox, scenario: Scenario, pictures: AssetList, honest: bool, tmp_path: Path) -> None:
    quick.archives.bomb(64, honest=honest)
    job = finished(scenario, pictures)
    batch = job.images()
    assert len([image for image in batch if image]) == len(pictures)
    assert [asset.name for _, asset, _ in batch.failures] == ["bomb.png"]
    done = job.extract(tmp_path)
    assert [name for name, _ in done.failures] == ["bomb.png"]
    assert sum(path.stat().st_size for path in done.values()) < 4 << 20


def test_a_crowd(quick: Sandbox, scenario: Scenario, pictures: AssetList) -> None:
    quick.archives.crowd()
    job = finished(scenario, pictures)
    assert len(job) == 66_000
    assert job[0].size
    assert len(list(zip(range(3), job.iter_images(width=32), strict=False))) == 3


def test_nothing_gives_a_signed_url_away(
    quick: Sandbox, scenario: Scenario, pictures: AssetList, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    marks = ("Signature=", "Policy=", "Key-Pair-Id")
    texts: list[str] = []
    with caplog.at_level(logging.DEBUG):
        job = finished(scenario, pictures)
        job.images()
        quick.faults.add("/cdn/archives/", kind="status", status=418, count=None)
        for work in (lambda: job.images(), lambda: job.save(tmp_path / "a.zip"), lambda: job[0]):
            with pytest.raises(AssetServiceError) as caught:
                work()
            texts += [str(caught.value), repr(caught.value.__dict__), repr(caught.value.__cause__)]
    texts += [caplog.text, repr(job), repr(job._contents.archives), repr(job.items)]
    texts += [path.read_text("utf-8", "replace") for path in tmp_path.iterdir() if path.suffix == ".json"]
    assert not [text for text in texts if any(mark in text for mark in marks)]
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(job)


def test_a_job_nobody_holds_is_let_go(quick: Sandbox, scenario: Scenario, pictures: AssetList) -> None:
    quick.archives.hang()
    scenario.archive(pictures, poll=POLL)
    gc.collect()
    quick.faults.log.clear()
    finished(scenario, pictures)
    assert len({seen.path for seen in quick.faults.requests("/assets/download/", "GET")}) == 1


def test_awaited(quick: Sandbox, tmp_path: Path) -> None:
    async def run() -> None:
        async with AsyncScenario(**_keys(quick)) as scenario:
            chosen = scenario.search("chair", kind="image", limit=4)
            job = await scenario.archive(chosen, poll=POLL)
            assert len(await job.names()) == 4
            assert not (await job.images()).failures
            assert len(await scenario.preview_names(chosen, "<id>")) == 4
            again = await scenario.follow_archive(job.ids, chosen, poll=POLL)
            pairs = [pair async for pair in again.iter_images(width=64)]
            assert [getattr(asset, "id", None) for asset, _ in pairs] == [asset.id async for asset in chosen]
            assert len(await again.extract(tmp_path)) == 4

    asyncio.run(run())


def _keys(sandbox: Sandbox) -> dict[str, str]:
    told = sandbox.connection_info()["scenario"]
    return {name: told[name] for name in ("api_key", "api_secret", "base_url")}
