"""A page that lies: messages of any shape to any widget make Python read no file, ask no address, keep no heap."""

from __future__ import annotations

import contextlib
import random
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import ipyassets as ia
from ipyassets.collections.asset_list import AssetList
from ipyassets.collections.assets import Asset
from ipyassets.widgets import Explorer, ImageGrid
from ipyassets.widgets.panel import _all
from tests.widgets.browser import Browser
from tests.widgets.conftest import Shop
from tests.widgets.jobs import MemoryJob
from tests.widgets.panels import settled
from tests.widgets.test_archive_panel import PackerClient
from tests.widgets.test_render_panel import StudioClient

OPS = ["hello", "cancel", "search", "select", "tiles", "detail", "frames", "use", "rows", "files", "film", "pictures"]
OPS += ["stop", "retry", "save", "order", "__class__", "", "eval"]
FIELDS = [
    "request",
    "requests",
    "generation",
    "ranges",
    "edge",
    "index",
    "query",
    "job",
    "media",
    "name",
    "path",
    "url",
]
FIELDS += ["service", "filters", "ahead", "folder", "file", "_esm", "__dict__"]
WATCHED = ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "pickle.find_class")
PLACE = "ipyassets-forged-file"
VALUES: list[Callable[[random.Random], Any]] = [
    lambda _: None,
    lambda _: True,
    lambda r: r.choice([0, 1, 2, 40, 192, 512]),
    lambda r: r.choice([-1, 2**31, 2**63, 2**80, 10**300, 10**4000]),
    lambda r: r.choice([0.5, float("nan"), float("inf"), -0.0]),
    lambda r: r.choice(
        ["", "1", "shop", "x" * 100_000, "\u202egnp.exe", "\x00", "<script>alert(1)</script>", "../" * 40]
    ),
    lambda _: f"/tmp/{PLACE}",
    lambda r: r.choice(
        [f"file:///tmp/{PLACE}", "http://169.254.169.254/latest", "http://127.0.0.1:9/x", "//evil.example"]
    ),
    lambda r: [[0, r.choice([3, 2**40, 2**41])]],
    lambda r: [[r.randrange(90), r.randrange(90)] for _ in range(r.choice([1, 5, 20_001]))],
    lambda r: [r.choice(["page-1", 7, None, []])] * r.choice([1, 3, 1_001]),
    lambda r: {
        "service": r.choice(["shop", "other", 7]),
        "text": "a",
        "filters": {"tag": "x"},
        "place": None,
        "sort": None,
    },
    lambda _: {"__class__": "x", "constructor": {"prototype": {}}},
    lambda _: [[[[[[]]]]]],
]


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What was opened, connected to or started meanwhile. Audit hooks stay for ever, so this one can be turned off."""
    seen: list[str] = []
    watching = threading.Event()
    watching.set()

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if not watching.is_set():
            return
        if event == "open" and PLACE in repr(arguments[0]):
            seen.append(f"open {arguments[0]!r}")
        elif event in WATCHED:
            seen.append(f"{event} {arguments!r:.200}")

    sys.addaudithook(hook)
    yield seen
    watching.clear()


def forged(random_: random.Random, ops: list[str]) -> Any:
    if random_.random() < 0.05:
        return random_.choice([None, 7, "hello", [], [{"op": "hello"}], {}])
    message = {"op": random_.choice(ops), "request": f"forged-{random_.randrange(10**9)}"}
    for name in random_.sample(FIELDS, random_.randrange(1, 7)):
        if name != "request" or random_.random() < 0.2:
            message[name] = random_.choice(VALUES)(random_)
    return message


MAKERS: dict[str, Callable[[], Any]] = {
    "Explorer": lambda: Explorer(Shop()),
    "ImageGrid": lambda: ImageGrid([Image.new("RGB", (40, 30))] * 9),
    "Compare": lambda: ia.Compare(Image.new("RGB", (40, 30)), Image.new("RGB", (40, 30))),
    "JobMonitor": lambda: ia.JobMonitor(MemoryJob(3)),
    "TurntablePlayer": lambda: ia.TurntablePlayer([Image.new("RGB", (40, 30))] * 4),
}


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("seed", range(2))
def test_whatever_a_page_says(kind: str, seed: int, guarded: list[str]) -> None:
    random_ = random.Random(f"{kind} {seed}")
    widget = MAKERS[kind]()
    browser = Browser(widget)
    browser.ask("hello")
    guarded.clear()
    for _ in range(100):
        browser.send(forged(random_, OPS))
        buffers = {
            "buffers": [b"x" * 1000],
            "content": {"data": {"method": random_.choice(["update", "request_state", "x"])}},
        }
        if random_.random() < 0.05:
            buffers["content"]["data"] |= {"state": {"_esm": "alert(1)", "_result": 7}, "buffer_paths": [["_esm"]]}
            browser.comm.handle_msg(buffers)
    for name in widget.keys:
        update = {"method": "update", "state": {name: "alert(1)"}, "buffer_paths": []}
        with contextlib.suppress(Exception):  # what traitlets would refuse
            browser.comm.handle_msg({"content": {"data": update}, "buffers": []})
    assert "alert(1)" not in widget.get_state().values(), "the browser wrote a trait"
    for task in list(widget._tasks.values()):
        task.cancel()
    answer = browser.ask("hello").last
    assert answer["op"] == "reply", "it answers no more"
    assert not guarded
    said = [data["content"] for data, _ in browser.comm.messages if data["method"] == "custom"]
    assert all(len(str(content.get("message") or "")) <= 1000 for content in said)
    assert len(widget._tasks) <= 200
    assert all(PLACE not in str(content.get("message")) for content in said if content["op"] == "error")
    assert "alert(1)" not in widget._esm
    widget.close()


def test_a_message_as_deep_as_json_may_be() -> None:
    """It was a bare RecursionError in the kernel, and no answer."""
    name: list[Any] = []
    for _ in range(980):
        name = [name]
    browser = Browser(ia.Compare(Image.new("RGB", (40, 30)), Image.new("RGB", (40, 30))))
    browser.send({"op": "hello", "request": name})
    (answer,) = [data["content"] for data, _ in browser.comm.messages if data["method"] == "custom"]
    assert answer["op"] == "error"
    assert answer["message"] == "request must be a text of at most 64 characters."
    browser.widget.close()


# -- panels, which are made of ipywidgets that take what the browser says --------------------------------------------


PANELS: dict[str, Callable[[], tuple[Any, Any]]] = {
    "RenderPanel": lambda: _panel(ia.RenderPanel, StudioClient()),
    "ArchivePanel": lambda: _panel(ia.ArchivePanel, PackerClient()),
}


def _panel(kind: Any, client: Any) -> tuple[Any, Any]:
    assets = AssetList.of([Asset(client.core.make(f"asset-{n}"), client.core) for n in range(3)])
    return kind(assets, client), client


@pytest.mark.parametrize("kind", PANELS)
def test_whatever_a_page_sets_in_a_panel(
    kind: str, guarded: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All values and some other traits of every part, and messages of any shape: nothing is ordered or saved."""
    monkeypatch.chdir(tmp_path)
    random_, threads = random.Random(kind), threading.active_count()
    panel, client = PANELS[kind]()
    settled(panel)
    parts = _all(panel)
    assert len(parts) > 20
    guarded.clear()
    for part in (*parts, panel.layout):
        names = {*random_.sample(sorted(part.keys), 2), "value", "index", "disabled", "children"}
        for name in sorted(names.intersection(part.keys)):
            for value in (value(random_) for value in random_.sample(VALUES, 2 if name == "value" else 1)):
                _told(part, {"method": "update", "state": {name: value}, "buffer_paths": []})
        _told(part, {"method": "custom", "content": forged(random_, OPS)})
        _told(part, {"method": random_.choice(["x", "request_state", "custom"]), "content": {"event": "clicked"}})
    settled(panel)
    assert client.asked == [], "an order that nobody gave"
    assert panel.jobs == ()
    assert not guarded
    assert list(tmp_path.iterdir()) == []
    assert threading.active_count() - threads < 30
    panel.close()


def _told(part: Any, data: dict[str, Any]) -> None:
    """As the comm hands it on; what traitlets refuses is written to the kernel's log, and the kernel goes on."""
    with contextlib.suppress(Exception):
        part._handle_msg({"content": {"data": data}, "buffers": []})


def test_the_watch_over_it_sees_what_it_should(guarded: list[str], tmp_path: Any) -> None:
    (tmp_path / PLACE).write_bytes(b"x")
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", 9), timeout=1):
        pass
    assert any(entry.startswith("open") for entry in guarded)
    assert any(entry.startswith("socket.connect") for entry in guarded)
