"""Snapshots: what they show, how much, and what they never show."""

from __future__ import annotations

import asyncio
import io
import random
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from PIL import Image

import ipyassets as ia
from ipyassets.clients.views import job_view
from ipyassets.collections.display import MOST_BYTES
from ipyassets.errors import BadResponse, InvalidRequest
from ipyassets.http import loop
from ipyassets.widgets import Compare, Explorer, ImageGrid, JobMonitor, RenderPanel, TurntablePlayer
from ipyassets.widgets.snapshot import MOST_TILES, draw
from tests.fakes import MemoryService
from tests.widgets.browser import Browser
from tests.widgets.conftest import Shop
from tests.widgets.jobs import MemoryJob, RendersInMemory, Studio

Page = Callable[..., Browser]


class Seen(HTMLParser):
    """What is in a sheet: its tags, attributes and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.names: list[str] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self.names += [value or "" for name, value in attrs if name == "title"]

    def handle_data(self, data: str) -> None:
        self.words += data


def noise(number: int, edge: int = 300) -> Image.Image:
    """A picture that cannot be encoded small."""
    return Image.frombytes("RGB", (edge, edge), random.Random(number).randbytes(edge * edge * 3))


def test_shows_the_first_assets_and_says_how_many_there_are(page: Page):
    explorer = page(Explorer(Shop(87))).widget
    seen = Seen(explorer.snapshot().html)
    assert seen.names == [f"asset-{n}" for n in range(MOST_TILES)]
    assert seen.tags.count("img") == MOST_TILES
    assert "87 assets in Shop. 40 of 87 are shown." in seen.words


def test_marks_the_selection_and_shows_it_wherever_it_is(page: Page):
    """A person who had scrolled far and picked there would not find the choice among the first forty."""
    browser = page(Explorer(Shop(87)))
    browser.ask("select", generation=1, ranges=[[1, 1], [70, 71]])
    seen = Seen(browser.widget.snapshot().html)
    assert seen.names == [*(f"asset-{n}" for n in range(38)), "asset-70", "asset-71"]
    assert seen.words.count("\N{CHECK MARK}") == 3
    assert "3 selected" in seen.words


def test_waits_for_the_selection_that_python_makes(page: Page):
    explorer = page(Explorer(Shop(20))).widget
    explorer.selection = explorer.assets[4:6]
    assert Seen(explorer.snapshot().html).words.count("\N{CHECK MARK}") == 2


def test_follows_the_search(page: Page):
    explorer = page(Explorer(Shop(20))).widget
    explorer.query = "asset-1"
    assert Seen(explorer.snapshot().html).names == ["asset-1", *(f"asset-{n}" for n in range(10, 20))]


def test_names_are_text(page: Page):
    """A name with markup in it must not become a part of the page, in an attribute or out of one."""
    evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>\n\u202e'
    images = [Image.new("RGB", (8, 8))] * 2 + [None]
    seen = Seen(ImageGrid(images, captions=[evil, "\ud800", evil]).snapshot().html)
    assert set(seen.tags) == {"div", "table", "tbody", "tr", "td", "img"}
    assert {name for name, _ in seen.attributes} <= {"style", "class", "dir", "title", "alt", "src", "width"}
    assert all(value.startswith("data:image/") for name, value in seen.attributes if name == "src" and value)
    assert "alert(1)" in seen.words


def test_is_one_line(page: Page):
    """nbval leaves a snapshot out of its comparison by its line."""
    assert "\n" not in ImageGrid([Image.new("RGB", (8, 8))], captions=["two\nlines"]).snapshot().html


@pytest.mark.parametrize("make", [lambda images: ImageGrid(images), lambda images: Compare(*images[:16])])
def test_stays_small_whatever_the_pictures_are(make: Any):
    snapshot = make([noise(number) for number in range(60)]).snapshot()
    assert len(snapshot.html.encode()) <= MOST_BYTES + 100
    shown = Seen(snapshot.html).tags.count("img")
    assert 8 <= shown <= MOST_TILES
    assert re.search(rf"\b{shown} of \d+ are shown", snapshot.html)


def test_long_names_do_not_take_the_room_of_pictures():
    grid = ImageGrid([Image.new("RGB", (64, 64))] * 50, captions=["&" * 10_000] * 50)
    html = grid.snapshot().html
    assert len(html.encode()) <= MOST_BYTES + 100
    assert "shown" in html


def test_what_failed_is_said_without_its_reasons(page: Page):
    """An error may quote what a service said; that is for the person at the screen and not for the file."""
    shop = Shop(4)
    shop.posters = {"asset-1": None, "asset-2": BadResponse("canary-77 said no"), "asset-3": b"<html>canary-77</html>"}
    html = page(Explorer(shop)).widget.snapshot().html
    assert "canary" not in html
    assert Seen(html).words.count("failed") == 2
    assert "no picture" in Seen(html).words


def test_a_search_that_failed_is_said_without_its_reasons(page: Page):
    service = MemoryService()
    service.broken_pages[0] = BadResponse("canary-77")
    words = Seen(page(Explorer(service)).widget.snapshot().html).words
    assert "The search in Memory failed" in words
    assert "canary" not in words


def test_a_surprise_is_said_by_its_name_alone(monkeypatch: pytest.MonkeyPatch):
    async def surprise(self: Any) -> None:
        raise OSError("canary-77")

    monkeypatch.setattr(ImageGrid, "_settled", surprise)
    words = Seen(ImageGrid([Image.new("RGB", (8, 8))]).snapshot().html).words
    assert "OSError: there is nothing to show." in words
    assert "canary" not in words


def test_pictures_that_do_not_come_are_not_waited_for(page: Page):
    shop = Shop(3)
    browser = page(Explorer(shop))
    shop.before_poster = lambda name: asyncio.Event().wait() if name == "asset-1" else None
    snapshot = loop.run(draw(browser.widget, patience=0.5))
    assert Seen(snapshot.html).tags.count("img") == 2
    assert Seen(snapshot.html).words.count("not loaded") == 1


def test_a_picture_that_stays_is_made_once(page: Page):
    """Each click would else make forty thumbnails again."""
    shop = Shop(5)
    browser = page(Explorer(shop))
    kept: dict[Any, Any] = {}
    first = loop.run(draw(browser.widget, kept=kept))
    shop.posters = dict.fromkeys(shop.names)
    browser.ask("select", generation=1, ranges=[[0, 0]])
    second = loop.run(draw(browser.widget, kept=kept))
    assert first.html.count("<img") == second.html.count("<img") == 5
    assert first.html != second.html


def test_of_a_job_shows_posters_and_then_what_was_made():
    job = RendersInMemory(Studio(3))
    monitor = JobMonitor(job)
    before = Seen(monitor.snapshot().html)
    assert (before.names, "queued" in before.words) == (["asset-0", "asset-1", "asset-2"], True)
    job.finish(0, 1, 2)
    after = Seen(monitor.snapshot().html)
    assert after.names == ["asset-0"] * 2 + ["asset-1"] * 2 + ["asset-2"] * 2
    assert after.tags.count("img") == 6
    assert "3 of 3 done" in after.words
    monitor.close()


def test_job_snapshot():
    job = MemoryJob(2)
    with pytest.raises(InvalidRequest, match="anything that shows it"):
        job.snapshot()
    job._view = job_view
    assert Seen(job.snapshot().html).names == ["asset-0", "asset-1"]


def test_of_a_panel_shows_what_is_chosen():
    studio = Studio(3)

    class Client:
        core = studio

        def render(self, *_: Any, **__: Any) -> None:
            raise AssertionError

    assets = [ia.Asset(studio.make(name), studio) for name in studio.names]
    panel = RenderPanel(assets, Client())
    assert Seen(panel.snapshot().html).names == ["asset-0", "asset-1", "asset-2"]
    assert "nothing ordered" in panel.snapshot().html
    panel.close()


def test_of_a_turntable_shows_some_frames():
    player = TurntablePlayer([Image.new("RGB", (32, 24), (n * 20, 0, 0)) for n in range(8)])
    seen = Seen(player.snapshot().html)
    assert re.findall(r"\d of 8", seen.words)[:4] == ["1 of 8", "3 of 8", "5 of 8", "7 of 8"]
    player.close()


def test_of_a_turntable_that_cannot_be_read_says_so():
    player = TurntablePlayer(b"\0\0\0\x10ftypisom\0\0\0\0")
    assert Seen(player.snapshot().html).tags.count("img") == 0
    player.close()


def test_shows_itself_and_holds_its_html():
    snapshot = ImageGrid([Image.new("RGB", (8, 8))]).snapshot()
    assert repr(snapshot) == "Snapshot('1 image.')"
    assert snapshot._repr_html_() == snapshot.html


def test_pictures_are_those_of_the_view():
    image = Image.new("RGB", (300, 200), (200, 30, 30))
    html = ImageGrid([image]).snapshot().html
    found = re.search(r'src="data:image/jpeg;base64,([^"]+)"', html)
    assert found is not None
    import base64

    made = Image.open(io.BytesIO(base64.b64decode(found[1])))
    assert made.size == (112, 75)
    assert max(abs(a - b) for a, b in zip(made.getpixel((50, 40)), (200, 30, 30), strict=True)) < 4


@pytest.mark.parametrize("value", [0, 1, None, "no"])
def test_the_option_is_true_or_false(value: Any):
    with pytest.raises(InvalidRequest, match="True or False"):
        ia.options.snapshot = value
    assert ia.options.snapshot is True


def test_without_a_notebook_nothing_is_put_out(page: Page):
    explorer = page(Explorer(MemoryService(3))).widget
    explorer._repr_mimebundle_()
    explorer.query = "asset-1"
    assert explorer._beside._html is None
