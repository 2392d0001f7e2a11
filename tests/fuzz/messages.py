"""Messages from the browser, to every widget that takes any.

An input is JSON: one message, or a list of them in order. ``-1`` as ``generation`` stands for the present one. Must
raise nothing; every message is answered exactly once, with bounded bytes, and nothing goes wrong beside it.
"""

from __future__ import annotations

import json
import logging
import reprlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import wait
from functools import cache
from typing import Any, Final

import comm
from PIL import Image

from ipyassets.errors import AuthenticationError, NotFound, RateLimited, ServiceUnavailable
from ipyassets.http import loop
from ipyassets.http.cache import cache as kept
from ipyassets.services.base import Search
from ipyassets.texts import encodable
from ipyassets.widgets import Explorer, ImageGrid, bundle
from ipyassets.widgets.comm_widget import CommWidget, _heard
from ipyassets.widgets.compare import Compare
from ipyassets.widgets.job_monitor import JobMonitor
from ipyassets.widgets.turntable_player import TurntablePlayer
from tests.fakes import MemoryService, picture
from tests.fuzz.mutations import json_changed
from tests.widgets.browser import RecordingComm
from tests.widgets.conftest import Shop
from tests.widgets.jobs import FILM, MemoryJob, RendersInMemory, Studio

INSTRUMENTED: Final = ["ipyassets"]
_NAMES: Final = """
    op request requests query service place text filters sort generation ranges edge ahead index indexes job media
    box search tiles detail frames select use hello cancel rows files film stop retry video poster picture memory
    mp4 gif again 1 2 shop room-1 room-2 name status LIVE DRAFT kind 3d tag public forbidden needy lost slow
""".split()  # noqa: SIM905
WORDS: Final = [f'"{name}"'.encode() for name in _NAMES] + [
    b"-1",
    b"1e999",
    b"1099511627776",
    b"1099511627777",
    b"null",
    b"true",
    b"[[0,9]]",
    b"{}",
    b"[]",
    b"\\u0000",
]
CHANGE: Final = json_changed(WORDS)
PATIENCE: Final = 20.0
MOST_BYTES: Final = 4_000_000
"""Bytes that are sent for one message."""

troubles: list[str] = []


class _Listening(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        troubles.append(self.format(record))


class _TroubledShop(Shop):
    """Has places, filters and orders, fails for some words, and has posters that do not come, or are none."""

    def __init__(self, count: int, **options: Any) -> None:
        super().__init__(count, **options)
        self.posters.update(
            {
                "asset-1": b"<!doctype html>",
                "asset-2": None,
                "asset-3": NotFound("There is none."),
                "asset-4": ServiceUnavailable("It is down.", status=503),
                "asset-5": picture(40, 30)[:60],
                "asset-6": picture(3, 300, format="GIF"),
                "asset-7": RuntimeError("a mistake of ours"),
            }
        )

    def search(
        self, text: str = "", *, workspace: str | None = None, sort: str | None = None, **filters: Any
    ) -> Search:
        for told in (self.asked, self.pages, self.fetched):  # or they would grow with the run
            told.clear()
        found = super().search(text, workspace=workspace, sort=sort, **filters)
        if text in _FAILURES:
            self.broken_pages[0] = _FAILURES[text]
        return found


_FAILURES: Final[dict[str, Exception]] = {
    "needy": AuthenticationError("Who are you?"),
    "lost": ServiceUnavailable("It does not answer."),
    "slow": RateLimited("Later."),
    "odd": KeyError("text"),
}


@cache
def widgets() -> tuple[CommWidget, ...]:
    """One of each kind, over services in memory."""
    comm.create_comm = RecordingComm
    bundle._static = lambda name: f"/* {name} */\n"
    kept.enabled = False
    logging.getLogger().addHandler(_Listening(logging.ERROR))
    images = [Image.new("RGB", (40, 30), (60 * n, 90, 120)) for n in range(4)]
    studio = Studio(2)
    renders = RendersInMemory(studio)
    renders.finish(0)
    job = MemoryJob(3)
    job.finish(1)
    made = (
        Explorer(_TroubledShop(30, page_size=4, needs_place=True), MemoryService(9, numbered=False)),
        ImageGrid(images, turntables=[None, images, None, images]),
        JobMonitor(job, renders),
        TurntablePlayer(images),
        TurntablePlayer(FILM),
        Compare(*images[:3]),
    )
    for widget in made:
        _settle(widget)
    return made


def check(data: bytes) -> None:
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):  # the kernel's own affair
        return
    messages = said if isinstance(said, list) else [said]
    for widget in widgets():
        widget.comm.messages.clear()
        troubles.clear()
        for message in messages[:20]:
            _heard(widget, _of_now(message, widget), [])
        _settle(widget)
        assert troubles == []
        _answered(widget, messages[:20])


def _of_now(message: Any, widget: CommWidget) -> Any:
    if isinstance(message, dict) and message.get("generation") == -1 and isinstance(message["generation"], int):
        return {**message, "generation": getattr(widget, "_result", {"generation": 1})["generation"]}
    return message


def _settle(widget: CommWidget) -> None:
    """Wait for all that a message began."""
    while True:
        begun = [*widget._tasks.values()]
        begun += [work for name in ("_first_page", "_selecting") if (work := getattr(widget, name, None)) is not None]
        under_way = [work for work in begun if not work.done()]
        if not under_way:
            break
        assert not wait(under_way, PATIENCE).not_done, "a message is not answered"
    loop.run(_turn())  # what they left to the loop


async def _turn() -> None:
    return


def _answered(widget: CommWidget, messages: list[Any]) -> None:
    sent = [(data["content"], buffers) for data, buffers in widget.comm.messages if data.get("method") == "custom"]
    size = sum(len(repr(content)) + sum(map(len, buffers)) for content, buffers in sent)
    assert size <= MOST_BYTES * max(1, len(messages))
    answers = Counter(content["request"] for content, _ in sent if content["op"] in ("reply", "error"))
    said = [message for message in messages if isinstance(message, dict)]
    cancels = [message for message in said if message.get("op") == "cancel"]
    # What is no text is answered, in words, under its beginning as one; what has none is answered to nobody.
    names = Counter(map(_name, said))
    told_off = Counter(map(_name, cancels))
    for name, count in names.items():
        if name:
            assert answers[name] <= count
            assert answers[name] >= count - told_off[name] or cancels, (
                f"{type(widget).__name__} leaves {name!r} unanswered"
            )


def _name(message: dict[str, Any]) -> str:
    said = message.get("request", "")
    return str(encodable((said if isinstance(said, str) else reprlib.repr(said))[:64]))


def seeds() -> Iterator[tuple[str, bytes]]:
    query = {"service": "shop", "place": "room-1", "text": "asset-1", "filters": {}, "sort": "name"}
    every = {"status": ["LIVE", "DRAFT"], "kind": "3d", "tag": "x", "public": True}
    single = {
        "hello": {},
        "use": {},
        "search": {"query": query},
        "search-elsewhere": {"op": "search", "query": {**query, "service": "memory", "sort": None}},
        "search-filtered": {"op": "search", "query": {**query, "filters": every}},
        "search-no-such-filter": {"op": "search", "query": {**query, "filters": {"f": ["a"], "status": ["X"]}}},
        "search-any-place": {"op": "search", "query": {**query, "place": None, "text": ""}},
        "search-forbidden": {"op": "search", "query": {**query, "text": "forbidden"}},
        "tiles": {"generation": -1, "ranges": [[0, 9], [20, 25]], "edge": 64, "ahead": True},
        "tiles-far": {"op": "tiles", "generation": -1, "ranges": [[0, 1], [2**40, 2**40]], "edge": 512},
        "tiles-many": {"op": "tiles", "generation": -1, "ranges": [[0, 2000]], "edge": 64},
        "tiles-old": {"op": "tiles", "generation": 0, "ranges": [[0, 2]], "edge": 64},
        "tiles-of-job": {"op": "tiles", "job": "1", "ranges": [[0, 2]], "edge": 64},
        "detail": {"generation": -1, "index": 3, "edge": 256},
        "detail-far": {"op": "detail", "generation": -1, "index": 2**40, "edge": 256},
        "frames": {"generation": -1, "index": 1, "edge": 64, "indexes": [0, 1, 1]},
        "frames-far": {"op": "frames", "generation": -1, "index": 99, "edge": 64, "indexes": [99]},
        "select": {"generation": -1, "ranges": [[1, 3], [7, 8]]},
        "select-all": {"op": "select", "generation": -1, "ranges": [[0, 2**40]]},
        "select-none": {"op": "select", "generation": -1, "ranges": []},
        "rows": {"job": "1"},
        "files": {"job": "2", "index": 0, "edge": 64},
        "film": {"job": "2", "index": 0, "media": "mp4"},
        "film-none": {"op": "film", "job": "1", "index": 0, "media": "gif"},
        "stop": {"job": "2"},
        "retry": {"job": "1"},
        "video": {},
        "again": {},
        "poster": {"edge": 64},
        "picture": {"index": 0},
        "picture-part": {"op": "picture", "index": 1, "box": [1, 2, 30, 20]},
        "picture-outside": {"op": "picture", "index": 1, "box": [1, 2, 300, 2**40]},
    }
    for n, (name, fields) in enumerate(single.items()):
        yield name, json.dumps({"op": name, "request": f"r{n}", **fields}).encode()
    tiles = {"op": "tiles", "request": "a", "generation": -1, "ranges": [[0, 9]], "edge": 64}
    several = {
        "same-name-twice": [tiles, tiles],
        "begun-and-cancelled": [tiles, {"op": "cancel", "requests": ["a", "b"]}],
        "search-upon-search": [{"op": "search", "request": str(n), "query": query} for n in range(4)],
        "selected-and-searched": [
            {"op": "select", "request": "a", "generation": -1, "ranges": [[0, 3]]},
            {"op": "search", "request": "b", "query": {**query, "text": ""}},
        ],
        "no-object": ["text", 1, None, []],
        "no-request": [{"op": "use"}, {"op": "use", "request": 5}, {"op": "use", "request": {"a": [1]}}],
        "wrong-types": [{"op": "tiles", "request": "x", "generation": "1", "ranges": [[1]], "edge": True}],
        "numbers": [{"op": "detail", "request": "x", "generation": -1, "index": 1e308, "edge": 64.0}],
    }
    for word in _FAILURES:
        failing = {"op": "search", "request": "a", "query": {**query, "text": word}}
        several[f"search-{word}"] = [failing, {**tiles, "request": "b"}, {**tiles, "request": "c", "op": "use"}]
    for name, messages in several.items():
        yield name, json.dumps(messages).encode()
    yield "deep", b'{"op": "use", "request": ' + b"[" * 900 + b"]" * 900 + b"}"
