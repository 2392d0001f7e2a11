"""The job monitor's Python half, asked as the browser asks."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import warnings
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from PIL import Image

from ipyassets.errors import BadResponse, NotFound, ServiceUnavailable
from ipyassets.http import loop
from ipyassets.services.downloading import ArchiveStanding
from ipyassets.widgets import JobMonitor
from ipyassets.widgets.job_monitor import monitor_of
from tests.collections.archives import MemoryArchives, archived, made, packed
from tests.fakes import picture
from tests.widgets.browser import Browser
from tests.widgets.jobs import FILM, MemoryJob, RendersInMemory, Studio

Page = Callable[..., Browser]


@pytest.fixture
def open_page() -> Iterator[Page]:
    """Shows a monitor in a page that has said hello."""
    opened: list[JobMonitor] = []

    def show(widget: JobMonitor) -> Browser:
        opened.append(widget)
        browser = Browser(widget)
        browser.ask("hello")
        return browser

    yield show
    for widget in opened:
        widget.close()


def news(browser: Browser) -> list[dict[str, Any]]:
    return [
        data["content"]
        for data, _ in list(browser.comm.messages)
        if data["method"] == "custom" and data["content"]["op"] == "news"
    ]


def until_rows(browser: Browser, *indices: int) -> list[dict[str, Any]]:
    """Wait until these lines were told of."""
    wanted = set(indices)
    return browser.until(
        lambda: wanted <= {row["index"] for said in news(browser) for row in said["rows"]} and news(browser)
    )


def test_a_job_that_takes_its_shape_while_its_monitor_is_made(open_page: Page):
    """What changed between the first look and the subscription was never told: the page kept a job without lines."""

    class Filling(MemoryJob):
        def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
            self.title = "filled just now"
            return super().subscribe(listener)

    (described,) = open_page(JobMonitor(Filling(2))).trait("_jobs")
    assert described["title"] == "filled just now"


def test_a_page_gets_all_lines_and_how_the_job_stands(open_page: Page):
    job = MemoryJob(12)
    job.change((3, "stills", "running", None, 0.25), (4, "turntable", "failed", BadResponse("It broke.", advice="")))
    browser = open_page(JobMonitor(job))
    (described,) = browser.trait("_jobs")
    assert described == {
        "key": "1",
        "title": "12 renders",
        "count": 12,
        "parts": [
            {"name": "stills", "label": "Stills", "gives": None},
            {"name": "turntable", "label": "Turntable", "gives": None},
        ],
    }
    said = browser.ask("rows", job="1").last
    standing, rows = said["standing"], said["rows"]
    assert (standing["status"], standing["done"], standing["failed"]) == ("running", 0, 0)
    assert [row["name"] for row in rows] == [f"asset-{n}" for n in range(12)]
    assert rows[0] == {"index": 0, "name": "asset-0", "stages": ["queued", "queued"]}
    assert rows[3]["shares"] == [0.25, None]
    assert rows[3]["began"] == pytest.approx(standing["now"], abs=60)
    assert rows[4]["errors"] == {"turntable": "It broke."}


def test_only_what_changed_is_told_and_much_of_it_at_once(open_page: Page):
    job = MemoryJob(200)
    browser = open_page(JobMonitor(job))
    job.change(*((index, "stills", stage) for index in range(50) for stage in ("running", "completed")))
    said = until_rows(browser, *range(50))
    assert len(said) < 20, "a hundred changes in one breath are not a hundred messages"
    assert {row["index"] for one in said for row in one["rows"]} == set(range(50))
    assert [one["standing"]["number"] for one in said] == list(range(1, len(said) + 1))
    job.change((199, "stills", "failed", NotFound("It is gone.")))
    last = until_rows(browser, 199)[-1]
    assert last["rows"] == [
        {
            "index": 199,
            "stages": ["failed", "queued"],
            "errors": {"stills": "It is gone."},
            "began": last["rows"][0]["began"],
        }
    ]


def test_nothing_is_said_where_nobody_looks():
    """A monitor in a notebook that nbconvert runs must not fill it with messages."""
    job = MemoryJob(3)
    monitor = JobMonitor(job)
    job.finish(0, 1, 2)
    job.on_loop(monitor._feeds["1"]._flush)
    assert not news(Browser(monitor))
    monitor.close()


def test_a_finished_job_shows_the_same_from_its_state(open_page: Page):
    job = MemoryJob(2)
    job.finish(0, 1)
    said = open_page(JobMonitor(job)).ask("rows", job="1").last
    assert said["standing"]["status"] == "completed"
    assert said["standing"]["ended"] is not None
    assert said["standing"]["remaining"] is None
    assert [row["stages"] for row in said["rows"]] == [["completed", "completed"]] * 2


def test_a_second_view_gets_what_the_first_one_got(open_page: Page):
    job = MemoryJob(2)
    browser = open_page(JobMonitor(job))
    job.finish(0)
    until_rows(browser, 0)
    assert browser.ask("rows", job="1").last["rows"][0]["stages"] == ["completed", "completed"]
    (standing,) = browser.ask("hello").last["standings"]
    assert standing["number"] == news(browser)[-1]["standing"]["number"]


def test_stop_following(open_page: Page):
    job = MemoryJob(3)
    browser = open_page(JobMonitor(job))
    job.finish(0)
    assert browser.ask("stop", job="1").last["op"] == "reply"
    assert (job.status, job.unfollowed) == ("stopped", 1)
    assert browser.ask("rows", job="1").last["rows"][1]["stages"] == ["stopped", "stopped"]


def test_retry_failed(open_page: Page):
    job = MemoryJob(3)
    job.change((1, "stills", "failed", BadResponse("It broke.", advice="")), (1, "turntable", "completed"))
    browser = open_page(JobMonitor(job))
    assert browser.ask("retry", job="1").last["op"] == "reply"
    assert job.retried == [1]
    row = browser.ask("rows", job="1").last["rows"][1]
    assert row == {"index": 1, "name": "asset-1", "stages": ["queued", "queued"]}


def test_a_refused_retry_is_said(open_page: Page):
    job = MemoryJob(1)
    job.refusal = ServiceUnavailable("The service is away.")
    answer = open_page(JobMonitor(job)).ask("retry", job="1")
    assert answer.last["op"] == "error"
    assert answer.last["message"] == "The service is away."


def test_trouble_while_looking_is_told(open_page: Page):
    job = MemoryJob(1)
    job.trouble = ServiceUnavailable("No answer in 30 s.")
    browser = open_page(JobMonitor(job))
    assert browser.ask("rows", job="1").last["standing"]["trouble"] == "No answer in 30 s."


def test_a_line_has_the_poster_and_later_the_first_still(open_page: Page):
    job = RendersInMemory(Studio(2))
    browser = open_page(JobMonitor(job))
    tiles = browser.ask("tiles", job="1", ranges=[[0, 1]], edge=96).tiles
    assert tiles[1]["content"] == picture(colour=1), "the poster, as it was served"
    job.finish(1)
    tile = browser.ask("tiles", job="1", ranges=[[1, 1]], edge=96).tiles[1]
    image = Image.open(io.BytesIO(tile["content"]))
    assert image.size == (96, 54)
    assert image.getpixel((5, 5))[0] == pytest.approx(50, abs=3), "the first still"


def test_results_of_one_asset(open_page: Page):
    job = RendersInMemory(Studio(2))
    browser = open_page(JobMonitor(job))
    assert not browser.ask("files", job="1", index=0, edge=320).tiles, "older files are not this job's"
    assert browser.ask("film", job="1", index=0, media="mp4").last["film"] is None
    job.finish(0)
    answer = browser.ask("files", job="1", index=0, edge=320)
    assert [(still["name"], still["width"], still["height"]) for still in answer.tiles.values()] == [
        ("Still 1", 320, 180),
        ("Still 2", 320, 180),
    ]
    shades = [Image.open(io.BytesIO(still["content"])).getpixel((5, 5))[0] for still in answer.tiles.values()]
    assert shades == [pytest.approx(50, abs=3), pytest.approx(150, abs=3)], "in the order of the views"
    assert (answer.last["pictures"], answer.last["others"]) == (2, [])
    answer = browser.ask("film", job="1", index=0, media="mp4")
    assert answer.last["film"] == {"mime": "video/mp4", "buffer": 0}
    assert answer[-1][1] == [FILM]
    assert browser.ask("film", job="1", index=0, media="gif").last["film"] is None


def test_an_archive_shows_its_pictures_and_names_its_other_files(open_page: Page):
    members = {f"chair-{n}.png": picture(colour=n) for n in range(70)} | {f"{n}.glb": b"glTF" for n in range(66)}
    job = made(MemoryArchives(2), packed(members))
    browser = open_page(JobMonitor(job))
    (described,) = browser.trait("_jobs")
    assert described["parts"] == [{"name": "archive", "label": "Archive", "gives": "files"}]
    assert browser.ask("tiles", job="1", ranges=[[0, 0]], edge=96).tiles[0]["content"] == picture(colour=0)
    answer = browser.ask("files", job="1", index=0, edge=320)
    assert [tile["name"] for tile in answer.tiles.values()] == [f"chair-{n}.png" for n in range(64)]
    assert answer.tiles[63]["content"] == picture(colour=63)
    assert (answer.last["pictures"], answer.last["more"]) == (70, 2)
    assert answer.last["others"] == [f"{n}.glb" for n in range(64)]
    assert browser.ask("film", job="1", index=0, media="mp4").last["film"] is None


def test_an_archive_that_is_not_made_yet_has_neither_picture_nor_files(open_page: Page):
    service = MemoryArchives(2)
    service.standings = lambda job, number: ArchiveStanding("running", "in-progress", 0.25)
    service.looking.hold()
    job = archived(service)
    browser = open_page(JobMonitor(job))
    service.looking.resume()
    browser.until(lambda: [row for said in news(browser) for row in said["rows"] if row.get("shares")] or None)
    assert browser.ask("rows", job="1").last["rows"][0]["shares"] == [0.25]
    assert browser.ask("tiles", job="1", ranges=[[0, 0]], edge=96).tiles[0]["state"] == "none"
    assert browser.ask("files", job="1", index=0, edge=320).last["pictures"] == 0
    assert JobMonitor(job)._stand_in() == "Archive of 2 assets: run this cell in a live notebook to follow it."
    job.stop_following()


def test_a_turntable_that_is_too_large_is_refused_in_words(open_page: Page, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ipyassets.widgets.job_results._LARGEST_FILM", 10)
    job = RendersInMemory(Studio(1))
    job.finish(0)
    answer = open_page(JobMonitor(job)).ask("film", job="1", index=0, media="mp4")
    assert "too large to be shown here" in answer.last["message"]


@pytest.mark.parametrize(
    "content",
    [
        None,
        "stop",
        {"op": "stop"},
        {"op": "stop", "request": "r"},
        {"op": "stop", "request": "r", "job": "7"},
        {"op": "rows", "request": "r", "job": 1},
        {"op": "tiles", "request": "r", "job": "1", "ranges": [[0, 9999]], "edge": 96},
        {"op": "tiles", "request": "r", "job": "1", "ranges": [[0, 1]], "edge": 9999},
        {"op": "files", "request": "r", "job": "1", "index": 99, "edge": 320},
        {"op": "files", "request": "r", "job": "1", "index": -1, "edge": 320},
        {"op": "film", "request": "r", "job": "1", "index": 0, "media": "exe"},
        {"op": "search", "request": "r"},
    ],
)
def test_nonsense_is_refused(open_page: Page, content: Any):
    job = MemoryJob(2)
    browser = open_page(JobMonitor(job))
    browser.send(content)
    last = browser.comm.messages[-1][0]["content"]
    assert last["op"] == "error"
    assert job.status == "queued"


def test_a_job_that_is_only_being_ordered_gets_its_lines_later(open_page: Page):
    """An awaited job is there before its assets are known."""

    class Ordered(RendersInMemory):
        def _ordered(self) -> None:
            pass

    job = Ordered(Studio(2))
    browser = open_page(JobMonitor(job))
    assert browser.ask("rows", job="1").last["rows"] == []
    job.on_loop(lambda: RendersInMemory._ordered(job))
    described = browser.until(lambda: [one for one in browser.trait("_jobs") if one["count"]])
    assert (described[0]["title"], described[0]["count"]) == ("2 renders", 2)
    assert [part["name"] for part in described[0]["parts"]] == ["stills", "turntable"]
    assert len(browser.ask("rows", job="1").last["rows"]) == 2


def test_several_jobs_and_each_only_once(open_page: Page):
    first, second = MemoryJob(1, title="one"), MemoryJob(2, title="two")
    monitor = JobMonitor(first)
    browser = open_page(monitor)
    monitor.add(second)
    monitor.add(first)
    assert monitor.jobs == (first, second)
    assert [job["title"] for job in browser.trait("_jobs")] == ["one", "two"]
    assert len(browser.ask("rows", job="2").last["rows"]) == 2
    with pytest.raises(TypeError, match="shows jobs"):
        monitor.add("job")  # type: ignore[arg-type]


def test_a_job_is_shown_by_one_monitor_however_often_it_is_displayed():
    job = MemoryJob(1)
    monitor = monitor_of(job)
    assert monitor_of(job) is monitor
    monitor.close()
    again = monitor_of(job)
    assert again is not monitor
    again.close()


def test_a_closed_monitor_hears_no_more_of_the_job():
    job = MemoryJob(1)
    monitor = JobMonitor(job)
    monitor.close()
    assert not job._listeners
    job.finish(0)


def test_a_notebook_without_a_kernel_shows_a_line_that_is_the_same_each_time():
    job = MemoryJob(2, title="2 renders")
    monitor = JobMonitor(job)

    def line() -> str:
        return monitor._repr_mimebundle_()[0]["text/plain"]

    assert line() == "2 renders: run this cell in a live notebook to follow them."
    job.finish(0)
    assert line() == "2 renders: run this cell in a live notebook to follow them.", "wherever it stands"
    job.finish(1)
    assert line() == "MemoryJob(2 renders: completed, 2 of 2 done)"
    assert repr(JobMonitor()) == "JobMonitor(no jobs)"
    monitor.close()


def test_the_state_that_may_be_saved_holds_no_lines(open_page: Page):
    """Two thousand names in a trait would be saved with the notebook and sent whenever it changes."""
    browser = open_page(JobMonitor(MemoryJob(2_000)))
    assert len(json.dumps({name: browser.trait(name) for name in ("_jobs", "_setup")})) < 400
    assert len(browser.ask("rows", job="1").last["rows"]) == 2_000


@pytest.mark.parametrize("ask", [{"op": "hello"}, {"op": "stop", "job": "1"}])
def test_what_is_cancelled_before_it_begins_leaves_nothing(
    open_page: Page, monkeypatch: pytest.MonkeyPatch, ask: dict[str, str]
):
    """A page closed at once left a coroutine never awaited, where Python cancels it so soon (gh-105836)."""
    job = MemoryJob(1)
    browser = open_page(JobMonitor(job))

    def cancelled(work: Coroutine[Any, Any, None]) -> Future[None]:
        async def begin() -> None:
            task = asyncio.ensure_future(work)
            task.cancel()
            await asyncio.wait([task])

        loop.run(begin())
        return Future()

    with warnings.catch_warnings(record=True) as warned, monkeypatch.context() as patched:
        warnings.simplefilter("always")
        patched.setattr(loop, "submit", cancelled)
        browser.send({**ask, "request": "r"})
        gc.collect()
    assert not [str(one.message) for one in warned]
    assert not browser.heard("r")
    assert job.status == "queued"
