"""Names that mean harm, on their way to everything a person looks at or saves."""

from __future__ import annotations

import json
import logging
import pickle
import re
import warnings
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import comm
import pytest
from PIL import Image

import ipyassets as ia
from ipyassets.collections.display import asset_html, batch_html, list_html
from ipyassets.collections.extraction import PathNames
from ipyassets.errors import ServiceUnavailable
from ipyassets.services.events import Event, Hub
from ipyassets.services.wire import shortened
from ipyassets.texts import cut, encodable, hidden, shown, visible
from ipyassets.webhooks.handlers import Handlers
from ipyassets.widgets import bundle
from tests.hostile.names import NAMES, Hostile, listed
from tests.widgets.browser import Browser, RecordingComm
from tests.widgets.jobs import MemoryJob

PLAIN = {"asset-3", "asset-4", "asset-5"}


@pytest.fixture(autouse=True)
def recording_comm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comm, "create_comm", RecordingComm)
    monkeypatch.setattr(bundle, "_static", lambda name: f"/* {name} */\n")


def harmless(text: str, longest: int, lines: int = 1) -> None:
    """Fit to be printed: it steers no terminal, turns nothing around, begins no line of a log, and ends."""
    text.encode()
    assert not [letter for letter in text if letter != "\n" and hidden(letter)]
    assert text.count("\n") < lines
    assert len(text) <= longest


class Seen(HTMLParser):
    """The elements of a static HTML, and which texts stand in an element that keeps their direction to itself."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.loose: list[str] = []
        self.formulae: list[str] = []
        self._open: list[tuple[bool, bool]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag != "img":
            plain = {"mathjax_ignore", "tex2jax_ignore"} <= set((dict(attrs).get("class") or "").split())
            self._open.append((tag == "bdi" or ("dir", "auto") in attrs, plain))

    def handle_endtag(self, tag: str) -> None:
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if any(map(hidden, data)) and not any(isolated for isolated, _ in self._open):
            self.loose.append(data)
        if re.search(r"[$\\]", data) and not any(plain for _, plain in self._open):
            self.formulae.append(data)


def static(html: str, most: int) -> None:
    html.encode()
    assert len(html) <= most
    seen = Seen(html)
    assert seen.tags <= {"table", "tbody", "tr", "td", "th", "div", "img", "ul", "li", "b", "bdi"}
    assert seen.attributes <= {"style", "dir", "title", "width", "alt", "src", "class"}
    assert seen.loose == []
    assert seen.formulae == [], "MathJax, which JupyterLab and nbconvert run over HTML, makes something of it"


def sendable(browser: Browser, most: int) -> None:
    """What went to the browser is JSON in UTF-8, as the kernel's session makes it, and bounded."""
    for data, _ in browser.comm.messages:
        assert len(json.dumps(data, ensure_ascii=False, allow_nan=False).encode()) <= most


# -- what is printed -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_texts_made_fit(name: str) -> None:
    text = NAMES[name]
    harmless(visible(text), 10 * len(text), lines=3)
    harmless(shown(text), 10 * 120)
    harmless(shortened(text) or "", 400)
    encodable({text: [text, (text,)]})[encodable(text)][1][0].encode()
    given = [{"a": [text], 1: (text, None)}]
    assert encodable(given) == [{"a": [encodable(text)], 1: (encodable(text), None)}]
    assert given == [{"a": [text], 1: (text, None)}], "it is a copy"
    assert visible("a\u200db \u00a0ä\n") == "a\u200db \u00a0ä\n"
    assert visible("\x1b[2J\u202e") == "\\x1b[2J\\u202e"
    assert (cut("abcd", 4), cut("abcde", 4)) == ("abcd", "abc…")


def test_reprs() -> None:
    """The repr of one asset printed all of its 100,000 letters, and its status with whatever steers a terminal."""
    found = listed(Hostile())
    for asset in found:
        harmless(repr(asset), 1_000)
        assert pickle.loads(pickle.dumps(asset)).name == asset.name
    harmless(repr(found), 200)


@pytest.mark.parametrize("name", NAMES)
def test_errors(name: str) -> None:
    """Whatever words of others come into an error: it is printed, logged, and shown in the notebook."""
    text = NAMES[name]
    error = ServiceUnavailable(f"The service says: {text}", code=text)
    harmless(str(error), 10_000, lines=4)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_errors_of_many() -> None:
    service = Hostile()
    service.posters = {id: ServiceUnavailable(f"not now: {service.make(id).name}") for id in service.names}
    batch = listed(service).posters(width=32, progress=False)
    assert len(batch.failures) == len(NAMES)
    harmless(repr(batch), 200)
    for _, _, error in batch.failures:
        harmless(str(error), 10_000, lines=4)
    static(batch_html(batch), 150_000)


def test_logs(caplog: pytest.LogCaptureFixture) -> None:
    """The name of an event stood in the log as it came: with a line break in it, it made lines of its own."""
    fails: Callable[[Event], Any] = {}.__getitem__
    hub, handlers = Hub(), Handlers()
    hub.subscribe(fails)
    handlers.add(fails, ())
    for text in NAMES.values():
        event = Event("vntana", text)
        hub.publish(event)
        handlers.put(event)
    assert handlers.settle(30)
    assert len(caplog.records) == 2 * len(NAMES)
    for record in caplog.records:
        assert record.levelno == logging.ERROR
        harmless(record.getMessage(), 1_000)


# -- what notebooks and pages show -----------------------------------------------------------------------------------


def test_static_html() -> None:
    found = listed(Hostile())
    static(list_html(found), 150_000)
    for asset in found:
        static(asset_html(asset), 20_000)
    posters = found.posters(width=32, progress=False)
    static(batch_html(posters), 150_000)
    assert posters.contact_sheet(columns=4).width > 100


def test_a_page_of_its_own(tmp_path: Path) -> None:
    service = Hostile()
    service.posters = dict.fromkeys(PLAIN, ServiceUnavailable("not now"))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        path = listed(service).to_html(tmp_path / "page.html", title=NAMES["long"], progress=False)
    for warning in told:
        harmless(str(warning.message), 5_000)
    page = path.read_bytes().decode()
    assert "<script>alert" not in page
    assert "onerror" not in page.partition("<body>")[0]
    assert len(page) < 1_000_000
    harmless(page.partition("<title>")[2].partition("</title>")[0], 400)


def test_the_explorer() -> None:
    """A name with half a letter, which no UTF-8 can say, kept all the tiles of its message from the browser."""
    explorer = ia.Explorer(Hostile())
    browser = Browser(explorer)
    browser.ready()
    tiles = browser.ask("tiles", generation=browser.generation, ranges=[[0, len(NAMES) - 1]], edge=64).tiles
    assert len(tiles) == len(NAMES)
    assert all(len(tile["name"]) <= 300 for tile in tiles.values())
    assert tiles[0]["name"].endswith("x…")
    for index, name in enumerate(NAMES.values()):
        detail = browser.ask("detail", generation=browser.generation, index=index, edge=64).last["detail"]
        assert detail["name"] == cut(encodable(name), 1_000)
        assert all(len(value) <= 4_000 for _, value in detail["facts"])
    explorer.selection = listed(Hostile())[:9]
    static(explorer.snapshot().html, 160_000)
    sendable(browser, 200_000)
    explorer.close()


@pytest.mark.parametrize("kind", ["ImageGrid", "Compare", "JobMonitor", "TurntablePlayer"])
def test_the_other_widgets(kind: str) -> None:
    images = [Image.new("RGB", (40, 30)) for _ in NAMES]
    widget: Any
    if kind == "ImageGrid":
        widget = ia.ImageGrid(images, captions=list(NAMES.values()))
    elif kind == "Compare":
        widget = ia.Compare(*images[:2], labels=[NAMES["halves"], NAMES["long"]])
    elif kind == "JobMonitor":
        job = MemoryJob(service=Hostile())
        job.finish(*range(len(NAMES)))
        widget = ia.JobMonitor(job)
    else:
        widget = ia.TurntablePlayer(images)
    browser = Browser(widget)
    browser.ask("hello")
    if kind == "ImageGrid":
        browser.ask("tiles", generation=browser.generation, ranges=[[0, len(NAMES) - 1]], edge=64)
        for index in range(len(NAMES)):
            browser.ask("detail", generation=browser.generation, index=index, edge=64)
    if kind == "JobMonitor":
        browser.ask("rows", job="1")
    json.dumps(widget.get_state(), ensure_ascii=False, default=str).encode()
    sendable(browser, 1_000_000)
    static(widget.snapshot().html, 160_000)
    widget.close()


# -- what is saved ---------------------------------------------------------------------------------------------------


def test_files(tmp_path: Path) -> None:
    folder = tmp_path / "posters"
    listed(Hostile()).posters(width=32, progress=False).save(folder)
    files = list(folder.iterdir())
    assert len(files) == len(NAMES)
    assert {path.parent for path in files} == {folder}
    assert [path.name for path in tmp_path.iterdir()] == ["posters"]
    for path in files:
        harmless(path.name, 255)
        assert len(path.name.encode()) <= 255
    names = PathNames()
    for name in NAMES.values():
        path = tmp_path / names.path(name)
        assert path.resolve().is_relative_to(tmp_path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def test_tables_have_names_as_they_are(tmp_path: Path) -> None:
    """A DataFrame is for Python: a name that a spreadsheet takes for a formula is not changed (see SECURITY.md)."""
    service = Hostile()
    service.given = [encodable(name) for name in service.given]  # as services' answers are read
    table = listed(service).to_pandas()
    assert list(table["name"]) == service.given
    table.to_csv(tmp_path / "table.csv")
