"""A list of assets as a page of its own: what is on it, what never is, and what is left when it is broken off."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, Self

import pytest
from PIL import Image, PngImagePlugin

from ipyassets.collections import html_page, list_page
from ipyassets.collections.asset_list import AssetList, AsyncAssetList
from ipyassets.collections.assets import Asset
from ipyassets.errors import (
    AssetServiceError,
    BadResponse,
    Interrupted,
    InvalidRequest,
    NotFound,
    ServiceUnavailable,
)
from ipyassets.services.base import Record
from ipyassets.widgets import Explorer, ImageGrid
from tests.collections.test_asset_list import listed
from tests.fakes import MemoryRenders, MemoryService, picture
from tests.pages import WrittenPage

NAMES = [
    '"><script>alert(1)</script><img src=x onerror=alert(1)>',
    "<!-- <script> </SCRIPT\n>",
    "]]></style><svg/onload=alert(1)>",
    "كرسي خشبي قديم \u202e",
    "a\u2028b\u2029c\0d\x1b",
    "\ud800 half of a letter",
    "椅子" * 100,
]
TAGS = ["html", "head", "meta", "meta", "meta", "meta", "meta", "title", "style", "body", "noscript"]


@pytest.fixture(autouse=True)
def browser_half(monkeypatch: pytest.MonkeyPatch) -> None:
    """The browser half is built by npm; these tests are about the Python half."""
    monkeypatch.setattr("ipyassets.collections.page_text.built", lambda name: f"/* {name} */\n")


class Named(MemoryService):
    """Assets with names, tags and attributes that a test gives them."""

    def __init__(self, names: list[str], *, raw: Any = None) -> None:
        super().__init__(len(names))
        self._called, self._raw = names, raw or {}

    def make(self, name: str) -> Record:
        called = self._called[int(name.rpartition("-")[2])]
        record = super().make(name)
        return replace(record, name=called, tags=(called,), attributes={"called": called}, raw=self._raw)


def test_holds_what_the_explorer_shows_of_each(tmp_path: Path):
    path = listed(MemoryService(10)).to_html(tmp_path / "assets.html")
    assert path == tmp_path / "assets.html"
    page = WrittenPage(path)
    assert page.names == [f"asset-{n}" for n in range(10)]
    assert page.title == page.about["title"] == "Memory"
    first = page.entries[3]
    assert first.known["facts"] == [
        ["Kind", "3d"],
        ["Status", "LIVE"],
        ["Created", "2024-01-01 00:00 UTC"],
        ["Tags", "tag"],
        ["N", "3"],
        ["Id", "asset-3"],
        ["Service", "memory"],
    ]
    assert (first.image.format, first.image.size, first.known["picture"]["mime"]) == ("WEBP", (64, 48), "image/webp")
    assert max(abs(a - b) for a, b in zip(first.image.getpixel((9, 9)), (3, 80, 120), strict=True)) < 6  # type: ignore[arg-type]
    assert page.about["troubles"] == []


def test_what_services_say_is_data_and_never_markup(tmp_path: Path):
    """A product named like a script must neither run nor end the block that it stands in."""
    page = WrittenPage(listed(Named(NAMES)).to_html(tmp_path / "page.html", title=NAMES[0]))
    assert page.names == NAMES
    assert [entry.known["facts"][4][1] for entry in page.entries] == [name.strip() for name in NAMES]
    assert page.title == NAMES[0]
    assert page.tags == TAGS + ["script"] * (2 * len(NAMES) + 2)
    assert page.attributes == {"lang", "charset", "http-equiv", "content", "name", "type"}
    assert page.source.lower().count("</script>") == 2 * len(NAMES) + 2
    assert "<!--" not in page.source


def test_a_title_that_utf8_cannot_say(tmp_path: Path):
    assert WrittenPage(listed(MemoryService(1)).to_html(tmp_path / "page.html", title="\ud800\nx")).title == "\ufffd x"


def test_runs_its_own_program_alone_and_loads_nothing(tmp_path: Path):
    page = WrittenPage(listed(MemoryService(2)).to_html(tmp_path / "page.html"))
    rules = dict(rule.split(" ", 1) for rule in page.policy.split("; "))
    assert rules == {
        "default-src": "'none'",
        "script-src": page.hashed(page.program),
        "style-src": page.hashed(page.style),
        "img-src": "data: blob:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert page.program == "/* page.js */\n"
    assert not re.search(r"(?:src|href|action)=", page.source)


def test_nothing_that_the_panel_does_not_show(tmp_path: Path):
    """Raw answers hold signed addresses, and pictures may hold who made them, and where."""
    secret = "https://files.example/x?Signature=canary-77"
    service = Named(["a chair", secret], raw={"url": secret, "clientUuid": "canary-77"})
    noted = PngImagePlugin.PngInfo()
    noted.add_text("Author", "canary-77")
    exif = Image.Exif()
    exif[0x013B] = "canary-77"
    for number, (format, options) in enumerate(
        [("PNG", {"pnginfo": noted, "exif": exif}), ("JPEG", {"comment": b"canary-77", "exif": exif})]
    ):
        buffer = io.BytesIO()
        Image.new("RGB", (40, 30)).save(buffer, format, **options)
        assert b"canary-77" in buffer.getvalue()
        service.posters[f"asset-{number}"] = buffer.getvalue()
    page = WrittenPage(listed(service).to_html(tmp_path / "page.html"))
    assert ["Tags", "(address)"] in page.entries[1].known["facts"]
    told = page.source.replace(secret, "")  # its name is what it is called, as in the Explorer
    assert "canary" not in told
    assert not any(b"canary" in block for entry in page.entries for block in entry.blocks)


@pytest.mark.parametrize(("width", "size"), [(512, (512, 384)), (128, (128, 96)), (2048, (800, 600))])
def test_pictures_are_at_most_as_wide_as_told(tmp_path: Path, width: int, size: tuple[int, int]):
    service = MemoryService(1)
    service.posters["asset-0"] = picture(800, 600)
    page = WrittenPage(listed(service).to_html(tmp_path / "page.html", width=width))
    assert page.entries[0].image.size == size


def test_see_through_pictures_stay_so(tmp_path: Path):
    buffer = io.BytesIO()
    Image.new("RGBA", (40, 30), (200, 0, 0, 0)).save(buffer, "PNG")
    service = MemoryService(1)
    service.posters["asset-0"] = buffer.getvalue()
    assert WrittenPage(listed(service).to_html(tmp_path / "page.html")).entries[0].image.mode == "RGBA"


def test_what_failed_is_named_on_the_page_and_its_reason_told_here(tmp_path: Path):
    """The reason may quote what a service said: that is for whoever made the page, not for whoever it is sent to."""
    service = MemoryService(6)
    service.posters = {
        "asset-1": None,
        "asset-2": ServiceUnavailable("canary-77 is down"),
        "asset-3": b"<html>no</html>",
        "asset-4": RuntimeError("canary-78"),
        "asset-5": NotFound("gone"),
    }
    with pytest.warns(UserWarning, match=r"3 pictures could not be loaded for page.html: 'asset-2': canary-77") as told:
        page = WrittenPage(listed(service).to_html(tmp_path / "page.html"))
    assert told[0].filename == __file__
    assert [entry.state for entry in page.entries] == ["ok", "none", "error", "error", "error", "none"]
    assert [len(entry.blocks) for entry in page.entries] == [1, 0, 0, 0, 0, 0]
    assert page.about["troubles"] == ["3 pictures could not be loaded: asset-2, asset-3, asset-4."]
    assert "canary" not in page.source


def test_many_failures_are_counted(tmp_path: Path):
    service = MemoryService(9)
    service.posters = dict.fromkeys(service.names, BadResponse("no"))
    with pytest.warns(UserWarning, match="9 pictures .* and 4 more"):
        page = WrittenPage(listed(service).to_html(tmp_path / "page.html"))
    assert page.about["troubles"][0].endswith("asset-4, 4 more.")


def test_turntables_come_as_frames(tmp_path: Path):
    service = MemoryRenders(4)
    for name in ("asset-1", "asset-2", "asset-3"):
        service.made(name, "turntable")
    service.contents[service.files["asset-2"][0].id] = ServiceUnavailable("canary-77")
    with pytest.warns(UserWarning, match=r"1 turntable could not be loaded for page.html: 'asset-2'"):
        page = WrittenPage(listed(service).to_html(tmp_path / "page.html", width=48))
    assert [len(entry.frames) for entry in page.entries] == [0, 18, 0, 18]
    shades = [frame.convert("L").getpixel((9, 9)) for frame in page.entries[1].frames if frame is not None]
    assert len(shades) == 18
    assert shades[0] < shades[1] < shades[2]  # type: ignore[operator]
    assert {frame.size for frame in page.entries[3].frames if frame} == {(48, 36)}
    assert page.entries[1].image.size == (48, 36), "its picture is there as well"
    assert page.about["troubles"] == ["1 turntable could not be loaded: asset-2."]
    assert "2 turn: rest the pointer on one, or press T." in page.about["notes"]
    assert "canary" not in page.source


def test_turntables_are_left_out_where_nobody_wants_them(tmp_path: Path):
    service = MemoryRenders(3)
    service.made("asset-1")
    page = WrittenPage(listed(service).to_html(tmp_path / "page.html", turntables=False))
    assert not any(entry.frames for entry in page.entries)
    assert service.listings == []


@pytest.mark.parametrize("numbered", [True, False])
@pytest.mark.parametrize("limit", [3, 4, 9])
def test_takes_no_more_than_the_limit_and_says_of_how_many(tmp_path: Path, limit: int, numbered: bool):
    service = MemoryService(10, numbered=numbered)
    page = WrittenPage(listed(service).to_html(tmp_path / "page.html", limit=limit))
    assert len(page.names) == limit
    assert page.about["notes"][0] == (f"The first {limit} of 10." if numbered or limit == 9 else f"The first {limit}.")
    assert len(service.fetched) == limit


@pytest.mark.parametrize("limit", [10, 11, None])
def test_all_there_are_is_no_part(tmp_path: Path, limit: int | None):
    page = WrittenPage(listed(MemoryService(10)).to_html(tmp_path / "page.html", limit=limit))
    assert len(page.names) == 10
    assert page.about["notes"][0].startswith("Made on 20")


def test_the_usual_limit_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A limit that a person did not think of must not look like all there is."""
    monkeypatch.setattr(html_page, "LIMIT", 4)
    with pytest.warns(UserWarning, match="page.html has the first 4 assets; limit=None takes all"):
        listed(MemoryService(5)).to_html(tmp_path / "page.html", limit=4)


def test_all_of_them_say_the_same_usual_settings():
    ways = [AssetList.to_html, AsyncAssetList.to_html, Explorer.to_html, ImageGrid.to_html]
    defaults = [{n: p.default for n, p in inspect.signature(way).parameters.items() if n != "progress"} for way in ways]
    assert all(given == defaults[0] for given in defaults)
    assert defaults[0]["limit"] == html_page.LIMIT


def test_a_part_of_a_list_is_a_page_too(tmp_path: Path):
    assets = listed(MemoryService(10))
    assert WrittenPage(assets[7:2:-2].to_html(tmp_path / "a.html")).names == ["asset-7", "asset-5", "asset-3"]
    chosen = AssetList.of([assets[4], assets[2]])
    page = WrittenPage(chosen.to_html(tmp_path / "b.html"))
    assert (page.names, page.title) == (["asset-4", "asset-2"], "Chosen assets")
    assert WrittenPage(assets[:0].to_html(tmp_path / "c.html")).names == []


@pytest.mark.parametrize(
    ("path", "settings", "message"),
    [
        ("folder", {}, "is a folder: a page is one file"),
        ("new/", {}, "is a folder"),
        ("page.txt", {}, r"opened by its ending, .html or .htm; got 'page.txt'"),
        ("file/page.html", {}, "cannot be written: (Not a directory|File exists)"),
        (None, {}, "written to a path, such as 'chairs.html'; got None"),
        ("page.html", {"width": 15}, "width must be a whole number of pixels, 16 to 2048"),
        ("page.html", {"width": None}, "width must be"),
        ("page.html", {"limit": 0}, "limit must be a whole number, 1 or more, or None for all there are"),
        ("page.html", {"turntables": 1}, "turntables must be True or False"),
        ("page.html", {"title": b"x"}, "title must be a text"),
    ],
)
def test_what_makes_no_sense_is_said_before_anything_is_fetched(tmp_path: Path, path: Any, settings: Any, message: str):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    service = MemoryService(3)
    with pytest.raises(InvalidRequest, match=message):
        listed(service).to_html(path if path is None else f"{tmp_path}/{path}", **settings)
    assert (service.pages, service.fetched) == ([], [])
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "folder"]


def test_the_ending_is_added_and_folders_are_made(tmp_path: Path):
    assert listed(MemoryService(1)).to_html(str(tmp_path / "new" / "chairs")) == tmp_path / "new" / "chairs.html"
    assert listed(MemoryService(1)).to_html(tmp_path / "CHAIRS.HTM").name == "CHAIRS.HTM"


def test_a_page_that_cannot_be_begun_leaves_the_older_one(tmp_path: Path):
    path = tmp_path / "page.html"
    path.write_text("older")
    service = MemoryService(5)
    service.broken_pages[0] = ServiceUnavailable("down")
    with pytest.raises(ServiceUnavailable):
        listed(service).to_html(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["page.html"]
    assert path.read_text() == "older"


def test_the_older_page_is_there_until_the_new_one_is_whole(tmp_path: Path):
    path = tmp_path / "page.html"
    path.write_text("older")
    seen: list[str] = []
    service = MemoryService(8)
    service.before_poster = lambda _: seen.append(path.read_text())  # type: ignore[func-returns-value]
    listed(service).to_html(path)
    assert seen == ["older"] * 8
    assert len(WrittenPage(path).names) == 8


def test_an_error_of_the_search_leaves_what_had_come(tmp_path: Path):
    service = MemoryService(10)
    service.broken_pages[2] = ServiceUnavailable("canary-77 is down")
    path = tmp_path / "page.html"
    with pytest.raises(ServiceUnavailable, match="down") as caught:
        listed(service).to_html(path)
    assert caught.value.__notes__ == [f"What had come is in {tmp_path / 'page.part.html'}."]
    assert [entry.name for entry in tmp_path.iterdir()] == ["page.part.html"]
    page = WrittenPage(tmp_path / "page.part.html")
    assert page.names == [f"asset-{n}" for n in range(8)]
    assert page.about["troubles"] == ["This page is not whole: it was broken off after 8 of 10 assets."]
    assert "canary" not in page.source


class Bar(contextlib.nullcontext[Any]):
    """A progress bar at which somebody presses Ctrl-C once it has come so far."""

    def __init__(self, until: int) -> None:
        self.until, self.count = until, 0

    def __enter__(self) -> Self:
        return self

    def update(self, more: int) -> None:
        self.count += more
        if self.count >= self.until:
            raise KeyboardInterrupt


def test_ctrl_c_leaves_a_page_of_what_had_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    bar = Bar(1)
    monkeypatch.setattr(list_page, "bar", lambda *_: bar)
    path = tmp_path / "page.html"
    path.write_text("older")
    service = MemoryService(50)
    service.before_poster = lambda name: asyncio.Event().wait() if name == "asset-20" else None
    with pytest.raises(Interrupted, match=r"Interrupted after \d+ assets\. They are in page\.part\.html\.") as caught:
        listed(service).to_html(path)
    part = tmp_path / "page.part.html"
    assert caught.value.partial == part
    assert path.read_text() == "older"
    assert {entry.name for entry in tmp_path.iterdir()} == {"page.html", "page.part.html"}
    page = WrittenPage(part)
    came = len(page.names)
    assert came >= 1
    assert "asset-20" not in page.names
    assert len(set(page.names)) == came
    assert page.about["troubles"] == [f"This page is not whole: it was broken off after {came} of 50 assets."]


def test_ctrl_c_before_anything_came_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def pressed(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(list_page, "bar", pressed)
    with pytest.raises(Interrupted):
        listed(MemoryService(5)).to_html(tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []


class Torn:
    """A file in which a write is broken off in the middle, once."""

    def __init__(self, file: IO[bytes], at: int) -> None:
        self._file, self._left = file, at

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, content: bytes) -> int:
        self._left -= 1
        if self._left == 0:
            self._file.write(content[: len(content) // 2])
            raise KeyboardInterrupt
        return self._file.write(content)


@pytest.mark.parametrize("at", [2, 3, 7])
def test_ctrl_c_in_the_middle_of_writing_leaves_no_half_and_no_double(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
):
    real = html_page.aside

    @contextlib.contextmanager
    def torn(path: Path, **options: Any) -> Iterator[Any]:
        with real(path, **options) as file:
            yield Torn(file, at)

    monkeypatch.setattr(html_page, "aside", torn)
    with pytest.raises(Interrupted) as caught:
        listed(MemoryService(12)).to_html(tmp_path / "page.html")
    page = WrittenPage(caught.value.partial)
    numbers = [int(name.rpartition("-")[2]) for name in page.names]
    assert numbers == sorted(set(numbers)), "each once, in order; one that was under way may be missing"
    assert len(numbers) >= at - 1
    assert all(entry.image.size == (64, 48) for entry in page.entries)
    assert page.source.endswith("</html>\n")


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(self: Any, *_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(html_page.Page, "add", full)
    with pytest.raises(OSError, match="No space left"):
        listed(MemoryService(3)).to_html(tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []


def test_entries_do_not_pile_up_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A page of thousands would be held whole before it is written."""
    held: list[int] = []
    before = html_page.Page.complete

    def complete(self: html_page.Page, entries: Any) -> None:
        held.append(sum(len(made.html) for made in entries))
        before(self, entries)

    monkeypatch.setattr(html_page.Page, "complete", complete)
    assert listed(MemoryService(30)).to_html(tmp_path / "page.html").stat().st_size > 10_000
    assert held == [0]


async def test_the_awaited_page_is_the_same(tmp_path: Path):
    assets = listed(MemoryService(10, numbered=False), kind=AsyncAssetList)
    path = await assets.to_html(tmp_path / "page.html", limit=7)
    page = WrittenPage(path)
    assert page.names == [f"asset-{n}" for n in range(7)]
    assert page.about["notes"][0].startswith("The first 7")


async def test_cancelled_it_leaves_what_had_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    service = MemoryService(20)
    service.before_poster = lambda name: asyncio.Event().wait() if name == "asset-9" else None
    came = asyncio.Event()
    before = html_page.Page.add

    def add(self: html_page.Page, entries: Any) -> None:
        before(self, entries)
        came.set()

    monkeypatch.setattr(html_page.Page, "add", add)
    work = asyncio.ensure_future(listed(service, kind=AsyncAssetList).to_html(tmp_path / "page.html"))
    await asyncio.wait_for(came.wait(), 30)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    page = WrittenPage(tmp_path / "page.part.html")
    assert page.names[:1] == ["asset-0"]
    assert "asset-9" not in page.names
    assert not (tmp_path / "page.html").exists()


def test_assets_that_came_by_pickle_are_on_the_page(tmp_path: Path):
    """Their records hold only what the poster needs; the list must ask the service for it as `poster()` does."""
    service = MemoryService(2)
    travelled = [Asset(replace(service.make(name), portable=True), service) for name in service.names]
    asked: list[str] = []

    async def restored(record: Record) -> Record:
        asked.append(record.id)
        return replace(record, portable=False)

    service.restored = restored  # type: ignore[method-assign]
    page = WrittenPage(AssetList.of(travelled).to_html(tmp_path / "page.html", turntables=False))
    assert [entry.state for entry in page.entries] == ["ok", "ok"]
    assert sorted(asked) == ["asset-0", "asset-1"]


def test_one_surprise_does_not_lose_the_others(tmp_path: Path):
    service = MemoryService(3)

    def broken(record: Record, **_: Any) -> Any:
        if record.id == "asset-1":
            raise ZeroDivisionError
        return MemoryService.poster_source(service, record)

    service.poster_source = broken  # type: ignore[method-assign]
    with pytest.warns(UserWarning, match="'asset-1': ZeroDivisionError"):
        page = WrittenPage(listed(service).to_html(tmp_path / "page.html"))
    assert [entry.state for entry in page.entries] == ["ok", "error", "ok"]


def test_errors_of_ours_stay_what_they_are():
    error = NotFound("x")
    assert html_page._as_ours(error) is error
    assert isinstance(html_page._as_ours(OSError("y")), AssetServiceError)
