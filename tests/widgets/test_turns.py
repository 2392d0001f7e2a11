"""Tiles that turn: frames of an asset's newest turntable, of turntables given, of animated images."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from ipyassets.collections.film import film_frames
from ipyassets.errors import ServiceUnavailable
from ipyassets.http import loop
from ipyassets.widgets import Explorer, ImageGrid
from ipyassets.widgets.grid_widget import FRAMES, TURNS
from tests.collections.test_film import gif
from tests.fakes import MemoryRenders, MemoryService, video
from tests.widgets.browser import Answer, Browser

Page = Callable[..., Browser]


def turn(browser: Browser, index: int, edge: int = 64) -> Answer:
    return browser.ask("frames", generation=browser.generation, index=index, edge=edge)


def count(answer: Answer) -> int:
    """How many frames there are, as every part says."""
    (said,) = {content["count"] for content, _ in answer if content["op"] == "part"}
    return said


def shade(content: bytes) -> int:
    return Image.open(io.BytesIO(content)).convert("L").getpixel((32, 24))  # type: ignore[return-value]


def test_an_asset_turns_by_its_turntable(page: Page):
    service = MemoryRenders(4)
    service.made("asset-2")
    browser = page(Explorer(service))
    answer = turn(browser, 2)
    assert answer.last["turns"] is True
    assert count(answer) == 18, "every other one of 36"
    shades = [shade(frame["content"]) for _, frame in sorted(answer.frames.items())]
    assert len(shades) == 18
    assert shades[0] < shades[1] < shades[2]
    assert [(frame["width"], frame["height"]) for frame in answer.frames.values()] == [(64, 48)] * 18


def test_a_film_of_many_frames_is_thinned_and_shrunk(page: Page):
    service = MemoryRenders(1)
    service.made("asset-0")
    service.contents[service.files["asset-0"][-1].id] = video(frames=50, width=320, height=240)
    answer = turn(page(Explorer(service)), 0, edge=128)
    assert count(answer) == len(answer.frames) == 17
    assert len(answer.frames) <= FRAMES
    assert {frame["width"] for frame in answer.frames.values()} == {128}


def test_the_newest_turntable_is_the_one(page: Page):
    service = MemoryRenders(1)
    service.made("asset-0")
    service.made("asset-0", keep=True)
    old, new = [file for file in service.files["asset-0"] if file.part == "turntable"]
    turn(page(Explorer(service)), 0)
    assert (service.downloads, old.updated < new.updated) == ([new.id], True)  # type: ignore[operator]


def test_an_asset_without_a_turntable_says_so(page: Page):
    service = MemoryRenders(2)
    service.made("asset-0", "stills")
    browser = page(Explorer(service))
    for index in (0, 1, 40):
        answer = turn(browser, index)
        assert (answer.last["op"], answer.last["turns"], answer.frames) == ("reply", False, {})
    assert service.downloads == []


def test_a_service_that_makes_no_renders_is_never_asked(page: Page):
    rendering, plain = MemoryRenders(2), MemoryService(2)
    services = page(Explorer(plain, rendering)).trait("_setup")["services"]
    assert [service["turns"] for service in services] == [False, True]
    assert turn(page(Explorer(plain)), 0).last["turns"] is False


def test_trouble_is_an_error_and_not_a_none(page: Page):
    service = MemoryRenders(1)
    service.made("asset-0")
    service.contents[service.files["asset-0"][-1].id] = ServiceUnavailable("It sleeps.")
    assert turn(page(Explorer(service)), 0).last == {"op": "error", "request": "page-0", "message": "It sleeps."}


def test_two_are_fetched_at_once_and_one_that_is_called_off_makes_room(page: Page, monkeypatch: pytest.MonkeyPatch):
    service = MemoryRenders(4)
    for id in service.names:
        service.made(id)
    begun: list[str] = []
    started = threading.Semaphore(0)
    release = asyncio.Event()
    usual = service.render_files

    async def slow(record: Any) -> Any:
        begun.append(record.id)
        started.release()
        await release.wait()
        return await usual(record)

    monkeypatch.setattr(service, "render_files", slow)
    browser = page(Explorer(service))
    asked = [browser.begin("frames", generation=1, index=index, edge=64) for index in range(4)]
    for _ in range(TURNS):
        assert started.acquire(timeout=10)
    loop.run(asyncio.sleep(0))
    assert begun == ["asset-0", "asset-1"]
    browser.send({"op": "cancel", "requests": [asked[0]]})
    assert started.acquire(timeout=10)
    assert begun == ["asset-0", "asset-1", "asset-2"]
    loop.loop().call_soon_threadsafe(release.set)
    assert [browser.answer(request).last["turns"] for request in asked[1:]] == [True] * 3
    assert browser.heard(asked[0]) == []


def test_of_an_older_result_nothing_turns(page: Page):
    browser = page(Explorer(MemoryRenders(1)))
    assert browser.ask("frames", generation=77, index=0, edge=64).last["op"] == "error"


def test_animated_images_turn_and_stay_at_their_frame(page: Page):
    animated: Any = Image.open(io.BytesIO(gif(40)))
    animated.seek(7)
    grid = ImageGrid([animated, Image.new("RGB", (64, 48)), None])
    browser = page(grid)
    assert browser.trait("_setup")["turns"] is True
    answer = turn(browser, 0)
    assert count(answer) == len(answer.frames) == 20
    assert animated.tell() == 7
    assert [turn(browser, index).last["turns"] for index in (1, 2)] == [False, False]


def test_turntables_of_images(page: Page):
    still = Image.new("RGB", (64, 48))
    browser = page(ImageGrid([still] * 4, turntables=[gif(), None, video(), list(film_frames(gif(30)))]))
    assert [turn(browser, index).last["turns"] for index in range(4)] == [True, False, True, True]
    assert count(turn(browser, 0)) == 6
    assert count(turn(browser, 3)) == 15


def test_a_grid_without_anything_that_turns_says_so(page: Page):
    assert page(ImageGrid([Image.new("RGB", (8, 8))])).trait("_setup")["turns"] is False
    with pytest.raises(ValueError, match="1 images and 2 turntables"):
        ImageGrid([Image.new("RGB", (8, 8))], turntables=[None, None])
    with pytest.raises(TypeError, match="got int"):
        ImageGrid([Image.new("RGB", (8, 8))], turntables=[3])  # type: ignore[list-item]
