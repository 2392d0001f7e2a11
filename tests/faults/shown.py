"""What the matrix does with widgets: what a person sees is the result, and errors are words where they look."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any, Final
from unittest import mock

import comm

import ipyassets as ia
from ipyassets.collections.asset_list import AssetList
from ipyassets.errors import AssetServiceError
from ipyassets.services.rendering import RenderOrder
from tests.faults.ground import POLL, SERVICES, SMALL, Ground, Shown, Step, digest, followed, operation
from tests.faults.operations import FILE, STEPS, failed_archive, failed_render
from tests.widgets.browser import Answer, Browser, RecordingComm
from tests.widgets.panels import settled, text

__all__: list[str] = []

_ORDER: Final = RenderOrder(32, 24, "PNG", None, False, SMALL["turntable"])


@contextlib.contextmanager
def _opened(kind: Any, *arguments: Any) -> Iterator[Any]:
    with mock.patch.object(comm, "create_comm", RecordingComm):
        widget = kind(*arguments)
        try:
            yield widget
        finally:
            widget.close()


@operation(*SERVICES, name="Explorer", steps=STEPS["both"], covers=("Explorer.close",))
def _explorer(client: Any, ground: Ground) -> Any:
    del ground
    with _opened(ia.Explorer, client) as explorer:
        browser = Browser(explorer)
        result = browser.ready()
        if result["state"] == "error":
            return Shown((), (result["message"],))
        tiles = browser.ask("tiles", generation=browser.generation, ranges=[[0, 3]], edge=64).tiles
        detail = browser.ask("detail", generation=browser.generation, index=1, edge=96)
        pictures = [(tiles[n]["id"], tiles[n]["content"] and digest(tiles[n]["content"])) for n in sorted(tiles)]
        said = [tile["message"] for tile in tiles.values() if tile["state"] == "error"]
        large, contents = detail[-1]
        if large["op"] == "error" or large.get("picture", large).get("state") == "error":
            said.append(large.get("message") or large["picture"]["message"])
        shown = digest(contents[0]) if contents else None
        return Shown((*(None if picture is None else (id, picture) for id, picture in pictures), shown), tuple(said))


@operation(
    "vntana",
    name="render panel",
    steps=(Step("what there is", "/attachments/search$"), Step("order", "/products/renders$")),
    covers=("RenderPanel.close",),
    effect=Ground.renders,
    repeats=True,  # the later render takes the place of the former
)
def _render(client: Any, ground: Ground) -> Any:
    with _opened(ia.RenderPanel, AssetList.of(ground.assets(client)[:1]), client) as panel:
        settled(panel)
        said = [text(panel._problem)] if text(panel._problem) else []
        panel.order = _ORDER
        ordered = panel._confirmed  # what the button does once all questions are answered
        panel._begin(ordered())
        settled(panel)
        said += [text(panel._problem)] if text(panel._problem) else []
        if panel.job is not None:
            panel.job.stop_following()
        return Shown((panel.job and len(panel.job.items),), tuple(dict.fromkeys(said)))


@operation(
    "scenario",
    name="archive panel",
    steps=(Step("order", "/assets/download$"),),
    covers=("ArchivePanel.close",),
    effect=Ground.archives,
)
def _archive(client: Any, ground: Ground) -> Any:
    with _opened(ia.ArchivePanel, AssetList.of(ground.assets(client)[:2]), client) as panel:
        settled(panel)
        panel._form.name.value = ground.new_name()
        panel._begin(panel._confirmed())
        settled(panel)
        said = [text(panel._problem)] if text(panel._problem) else []
        if panel.job is not None:
            with contextlib.suppress(AssetServiceError):  # it is the order that is looked at
                panel.job.wait(20, progress=False)
            settled(panel)
        return Shown((panel.job and len(panel.job.items),), tuple(said))


# -- jobs -------------------------------------------------------------------------------------------------------------


def _ends(job: Any, browser: Browser, ground: Ground) -> Shown:
    """What stands in a monitor of ``job`` once that has ended, or, where it does not, once a person pressed Stop.

    Raises `JobTimeout` where it does not, and nothing is wrong.
    """
    late = None
    try:
        job.wait(ground.patience, progress=False)
    except ia.JobTimeout as error:
        late = error
    except AssetServiceError:
        pass  # it is what is said on the page that is looked at
    said = [browser.ask("rows", job="1").last["standing"]["trouble"]]
    if not job.done:
        assert browser.ask("stop", job="1").last["op"] == "reply"
        assert browser.ask("rows", job="1").last["standing"]["status"] == "stopped"
    (row,) = browser.ask("rows", job="1").last["rows"]
    said += row.get("errors", {}).values()
    came = tuple(stage if stage == "completed" else None for stage in row["stages"])
    words = tuple(word for word in dict.fromkeys(said) if word)
    if late is not None and not words:
        raise late
    return Shown(came, words)


def _tiles(answer: Answer) -> Shown:
    """What pictures an answer brought."""
    if answer.last["op"] == "error":
        return Shown((None,), (answer.last["message"],))
    tiles = [answer.tiles[index] for index in sorted(answer.tiles)]
    said = tuple(tile["message"] for tile in tiles if tile["state"] == "error")
    return Shown(tuple(tile["content"] and digest(tile["content"]) for tile in tiles), said)


def _together(*parts: Shown) -> Shown:
    said = dict.fromkeys(word for part in parts for word in part.words)
    return Shown(tuple(result for part in parts for result in part.results), tuple(said))


@operation(
    "vntana",
    name="JobMonitor of a render",
    # Standings and files are asked for once before the order, too.
    steps=(
        Step("standing", r"/conversion-action-types/status$|/clients/search$", skip=1),
        Step("files", "/attachments/search$", skip=1),
    ),
    covers=("JobMonitor.add", "JobMonitor.close"),
    effect=Ground.renders,
    repeats=True,  # the later render takes the place of the former
)
def _monitored(client: Any, ground: Ground) -> Any:
    job = client.render(ground.assets(client)[2:], **SMALL, poll=POLL)
    with _opened(ia.JobMonitor, job) as monitor:
        return _ends(job, Browser(monitor), ground)


@operation("vntana", name="JobMonitor of what was rendered", prepare=followed, steps=FILE, covers=("JobMonitor.close",))
def _rendered(job: Any, _: Ground) -> Any:
    with _opened(ia.JobMonitor, job) as monitor:
        browser = Browser(monitor)
        line = _tiles(browser.ask("tiles", job="1", ranges=[[0, 0]], edge=64))
        files = _tiles(browser.ask("files", job="1", index=0, edge=64))
        answer = browser.ask("film", job="1", index=0, media="mp4")
        said, contents = answer[-1]
        film = Shown((digest(contents[0]),), ()) if contents else Shown((None,), (said.get("message", ""),))
        return _together(line, files, film)


@operation(
    "scenario",
    name="JobMonitor of an archive",
    steps=(Step("standing", r"/assets/download/\w+$|/jobs/\w+$"), Step("archive", "/cdn/archives/")),
    covers=("JobMonitor.close",),
    effect=Ground.archives,
)
def _archiving(client: Any, ground: Ground) -> Any:
    job = client.archive(ground.assets(client)[:2], flat=True, archive_name=ground.new_name(), poll=POLL)
    with _opened(ia.JobMonitor, job) as monitor:
        browser = Browser(monitor)
        ended = _ends(job, browser, ground)
        files = _tiles(browser.ask("files", job="1", index=0, edge=64)) if None not in ended.results else Shown((), ())
        return _together(ended, files)


@operation("vntana", name="snapshot of a render", prepare=followed, steps=FILE, covers=("RenderJob.snapshot",))
def _snapshot(job: Any, _: Ground) -> Any:
    pictures = re.findall(r"data:image/[a-z]+;base64,([^\"')]+)", job.snapshot().html)
    return Shown(tuple(digest(picture.encode()) for picture in pictures), ())


def _pressed_again(job: Any, ground: Ground) -> Any:
    with _opened(ia.JobMonitor, job) as monitor:
        browser = Browser(monitor)
        answer = browser.ask("retry", job="1").last
        if answer["op"] == "error":
            return Shown((None,) * len(job.items[0].parts), (answer["message"],))
        return _ends(job, browser, ground)


operation(
    "vntana",
    name="JobMonitor of a failed render, again",
    prepare=failed_render,
    anew=True,
    steps=(Step("order", "/products/renders$"),),
    effect=Ground.renders,
    repeats=True,  # the later render takes the place of the former
)(_pressed_again)
operation(
    "scenario",
    name="JobMonitor of a failed archive, again",
    prepare=failed_archive,
    anew=True,
    steps=(Step("order", "/assets/download$"),),
    effect=Ground.archives,
)(_pressed_again)


# -- pictures ---------------------------------------------------------------------------------------------------------


def _posters(client: Any, ground: Ground) -> Any:
    return AssetList.of(ground.assets(client)).posters(width=64, progress=False)


@operation(*SERVICES, name="Compare", steps=STEPS["picture"], covers=("Compare.close",))
def _compared(client: Any, ground: Ground) -> Any:
    with _opened(ia.Compare, _posters(client, ground)) as compare:
        browser = Browser(compare)
        parts = []
        for index, slot in enumerate(browser.trait("_setup")["images"]):
            answer = browser.ask("picture", index=index)
            said, contents = answer[-1]
            if contents:
                parts.append(Shown((digest(contents[0]),), ()))
            else:
                assert said["op"] == "error"
                parts.append(Shown((None,), (slot["message"],) if slot["message"] else ()))
        return _together(*parts)


@operation(*SERVICES, name="ImageGrid", steps=STEPS["picture"], covers=("ImageGrid.close",))
def _grid(client: Any, ground: Ground) -> Any:
    with _opened(ia.ImageGrid, _posters(client, ground)) as grid:
        return _tiles(Browser(grid).ask("tiles", generation=1, ranges=[[0, 2]], edge=64))


@operation("vntana", name="TurntablePlayer", prepare=followed, steps=FILE, covers=("TurntablePlayer.close",))
def _played(job: Any, _: Ground) -> Any:
    (film,) = job.turntables()
    with _opened(ia.TurntablePlayer, film) as player:
        browser = Browser(player)
        shown = browser.until(lambda: browser.trait("_film") if browser.trait("_film")["state"] != "loading" else None)
        if shown["state"] == "error":
            return Shown((None,), (shown["message"],))
        frames = browser.ask("frames", indexes=list(range(shown["count"])), edge=64).frames
        said = tuple(frame["message"] for frame in frames.values() if frame["state"] == "error")
        return Shown(tuple(frame["content"] and digest(frame["content"]) for frame in frames.values()), said)
