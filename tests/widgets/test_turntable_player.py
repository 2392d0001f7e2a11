"""The player's Python half: frames as they are asked for, whatever they come from."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ipyassets.collections import turn_frames as frames_module
from ipyassets.collections import turn_sources as films
from ipyassets.collections import turntables
from ipyassets.errors import BadResponse, InvalidRequest
from ipyassets.widgets import TurntablePlayer
from tests.collections.renders import rendered
from tests.collections.test_film import gif
from tests.fakes import MemoryRenders, video
from tests.widgets.browser import Browser

Player = Callable[..., Browser]


def images(count: int = 6, size: tuple[int, int] = (64, 48), mode: str = "RGB") -> list[Image.Image]:
    """Frames that become brighter."""
    return [Image.new("RGB", size, (20 + 30 * n % 230,) * 3).convert(mode) for n in range(count)]


def shade(content: bytes) -> int:
    return Image.open(io.BytesIO(content)).convert("L").getpixel((8, 8))  # type: ignore[return-value]


@pytest.fixture
def player() -> Iterator[Player]:
    """Opens a player and waits until its film is open, or could not be opened."""
    opened: list[Browser] = []

    def show(*arguments: Any, **options: Any) -> Browser:
        browser = Browser(TurntablePlayer(*arguments, **options))
        opened.append(browser)
        browser.until(lambda: browser.trait("_film")["state"] != "loading")
        return browser

    yield show
    for browser in opened:
        browser.widget.close()


@pytest.mark.parametrize("source", [images(), gif(), video()], ids=["images", "gif", "mp4"])
def test_frames_in_any_order(player: Player, source: Any):
    browser = player(source)
    film = browser.trait("_film")
    assert (film["state"], film["count"], film["width"], film["height"]) == ("frames", 6, 64, 48)
    answer = browser.ask("frames", indexes=[4, 0, 2], edge=64)
    assert answer.last["op"] == "reply"
    assert {index: frame["state"] for index, frame in answer.frames.items()} == {0: "ok", 2: "ok", 4: "ok"}
    shades = [shade(answer.frames[index]["content"]) for index in (0, 2, 4)]
    assert shades == sorted(shades)
    assert len(set(shades)) == 3


def test_frames_are_as_large_as_they_show_and_never_larger_than_they_are(player: Player):
    browser = player(images(size=(640, 480)))
    small = browser.ask("frames", indexes=[1], edge=128).frames[1]
    assert (small["mime"], small["width"], small["height"]) == ("image/jpeg", 128, 96)
    large = browser.ask("frames", indexes=[1], edge=2048).frames[1]
    assert (large["width"], large["height"]) == (640, 480)


def test_what_is_see_through_stays_so(player: Player):
    frame = player(gif(3, mode="RGBA")).ask("frames", indexes=[1], edge=64).frames[1]
    assert frame["mime"] == "image/webp"
    assert Image.open(io.BytesIO(frame["content"])).mode == "RGBA"


def test_many_frames_travel_in_few_messages(player: Player):
    answer = player(images(60)).ask("frames", indexes=list(range(60)), edge=64)
    assert len(answer.frames) == 60
    assert len(answer) < 12


def test_a_film_is_read_once_for_each_size(player: Player, monkeypatch: pytest.MonkeyPatch):
    read: list[int] = []
    usual = films.film_frames

    def counted(*arguments: Any) -> Any:
        read.append(1)
        return usual(*arguments)

    monkeypatch.setattr(films, "film_frames", counted)
    browser = player(video())
    for indexes in ([5], [0, 1], [2, 3, 4], [0, 5]):
        browser.ask("frames", indexes=indexes, edge=64)
    assert len(read) == 1
    browser.ask("frames", indexes=[0, 5], edge=32)
    assert len(read) == 2


def test_frames_that_were_pushed_out_are_read_again(player: Player, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(frames_module, "KEPT_BYTES", 1_000)
    browser = player(video(width=320, height=240))
    browser.ask("frames", indexes=list(range(6)), edge=320)
    again = browser.ask("frames", indexes=[0], edge=320).frames[0]
    assert again["state"] == "ok"


def test_a_cut_film_shows_what_there_is_and_says_the_rest(player: Player):
    whole = video(frames=40, width=320, height=240)
    browser = player(whole[: len(whole) * 3 // 4])
    frames = browser.ask("frames", indexes=[0, 39], edge=128).frames
    assert frames[0]["state"] == "ok"
    assert frames[39]["state"] == "error"
    assert "damaged or cut off" in frames[39]["message"]


def test_frames_beyond_the_end_are_none(player: Player):
    assert player(images()).ask("frames", indexes=[77], edge=64).frames[77]["state"] == "none"


def test_without_pyav_the_browser_plays_the_film_itself(player: Player, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(films, "can_read", lambda media: media == "gif")
    browser = player(video(), fps=15)
    assert browser.trait("_film") | {"message": None} == {
        "state": "video",
        "count": 0,
        "fps": 15,
        "width": 0,
        "height": 0,
        "message": None,
    }
    ((said, buffers),) = browser.ask("video")
    assert (said["mime"], buffers[said["buffer"]]) == ("video/mp4", video())
    assert browser.ask("frames", indexes=[0], edge=64).last["op"] == "error"


def test_from_a_file_and_from_no_file(player: Player, tmp_path: Path):
    path = tmp_path / "turn.gif"
    path.write_bytes(gif())
    assert player(path).trait("_film")["count"] == 6
    assert player(str(path)).trait("_film")["fps"] == pytest.approx(12.5)
    missing = player(tmp_path / "none.gif").trait("_film")
    assert missing["state"] == "error"
    assert "none.gif cannot be read" in missing["message"]
    assert "neither a GIF nor an MP4" in player(b"<html>").trait("_film")["message"]


def test_a_rendered_turntable_is_downloaded_once_its_poster_stands_there_before(player: Player):
    service = MemoryRenders(1)
    (turntable,) = rendered(service).wait(10).turntables()
    browser = player(turntable)
    assert browser.trait("_film")["state"] == "frames"
    assert browser.trait("_film")["fps"] == 12
    assert browser.trait("_setup")["label"] == "asset-0"
    ((said, buffers),) = browser.ask("poster", edge=128)
    assert said["poster"]["state"] == "ok"
    assert Image.open(io.BytesIO(buffers[said["poster"]["buffer"]])).size == (64, 48)
    browser.ask("frames", indexes=[0, 3], edge=64)
    assert len(service.downloads) == 1


def test_a_turntable_that_cannot_be_downloaded_says_why(player: Player):
    service = MemoryRenders(1)
    (turntable,) = rendered(service).wait(10).turntables()
    for file in service.files["asset-0"]:
        service.contents[file.id] = BadResponse("It came cut off.", advice="")
    film = player(turntable).trait("_film")
    assert (film["state"], film["message"]) == ("error", "It came cut off.")


def test_what_could_not_be_opened_is_opened_once_more_when_a_person_asks(player: Player):
    service = MemoryRenders(1)
    (turntable,) = rendered(service).wait(10).turntables()
    whole = dict(service.contents)
    for file in service.files["asset-0"]:
        service.contents[file.id] = BadResponse("It came cut off.")
    browser = player(turntable)
    service.contents.clear()
    service.contents.update(whole)
    assert browser.ask("again").last["op"] == "reply"
    film = browser.until(lambda: browser.trait("_film") if browser.trait("_film")["state"] != "loading" else None)
    assert (film["state"], film["message"]) == ("frames", None)
    assert browser.ask("again").last["op"] == "reply"  # open already: nothing happens
    assert browser.trait("_film") == film


def test_opening_blocks_nobody(player: Player, monkeypatch: pytest.MonkeyPatch):
    """The cell goes on, and the widget answers, while a film is still on its way."""
    service = MemoryRenders(1)
    (turntable,) = rendered(service).wait(10).turntables()
    release = threading.Event()
    usual = turntables.film_facts
    monkeypatch.setattr(films, "film_facts", lambda *rest: release.wait(10) and usual(*rest))
    browser = Browser(TurntablePlayer(turntable))
    try:
        assert browser.ask("hello").last["op"] == "reply"
        assert browser.trait("_film")["state"] == "loading"
        assert browser.ask("frames", indexes=[0], edge=64).last["op"] == "error"
    finally:
        release.set()
        browser.widget.close()


@pytest.mark.parametrize(
    "ask",
    [
        {"op": "frames", "indexes": [], "edge": 64},
        {"op": "frames", "indexes": [-1], "edge": 64},
        {"op": "frames", "indexes": ["1"], "edge": 64},
        {"op": "frames", "indexes": list(range(65)), "edge": 64},
        {"op": "frames", "indexes": [0], "edge": 4},
        {"op": "frames", "indexes": [0], "edge": 100_000},
        {"op": "video"},
        {"op": "else"},
    ],
)
def test_nonsense_is_refused(player: Player, ask: dict[str, Any]):
    browser = player(images())
    op = ask.pop("op")
    assert browser.ask(op, **ask).last["op"] == "error"
    assert browser.ask("frames", indexes=[0], edge=64).frames[0]["state"] == "ok"


def test_what_does_not_turn_is_refused_at_once():
    with pytest.raises(TypeError, match="PIL images; got str"):
        TurntablePlayer(["frame.png"])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="got int"):
        TurntablePlayer(3)  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest, match="at least one frame"):
        TurntablePlayer([])
    for fps in (0, -1, 1000, "12"):
        with pytest.raises(InvalidRequest, match="fps"):
            TurntablePlayer(images(), fps=fps)  # type: ignore[arg-type]


def test_traits_hold_no_pictures_and_the_repr_says_what_it_is(player: Player):
    browser = player(images())
    assert repr(browser.widget) == "TurntablePlayer('Turntable', 6 frames)"
    state = {name: value for name, value in browser.widget.get_state().items() if name not in ("_esm", "_css")}
    assert len(repr(state)) < 1_000


def test_a_notebook_without_a_kernel_shows_the_same_line_however_far_it_is(monkeypatch: pytest.MonkeyPatch):
    """The line said "loading" or how many frames there are, whichever was first: nbval found a change each time."""
    service = MemoryRenders(1)
    (turntable,) = rendered(service).wait(10).turntables()
    release = threading.Event()
    usual = turntables.film_facts
    monkeypatch.setattr(films, "film_facts", lambda *rest: release.wait(10) and usual(*rest))
    browser = Browser(TurntablePlayer(turntable))
    line = "TurntablePlayer('asset-0'): run this cell in a live notebook to turn it."
    assert browser.widget._stand_in() == line
    release.set()
    browser.until(lambda: browser.trait("_film")["state"] == "frames")
    assert browser.widget._stand_in() == line
    browser.widget.close()


def test_frames_that_are_there_already_are_counted(player: Player):
    line = "TurntablePlayer('Turntable', 6 frames): run this cell in a live notebook to turn it."
    assert player(images()).widget._stand_in() == line
    assert ", 1 frame)" in player(images(1)).widget._stand_in()
