"""Messages from the browser to the fields and buttons of the panels that order: changes of their state, and clicks.

An input is JSON: the name of a panel, then ``[number of the field, message]`` in order; a message is what ipywidgets'
own front end sends. What ipywidgets refuses is its own affair; ours must raise nothing, order nothing that its form
refuses, log nothing, and show what was typed as text.
"""

from __future__ import annotations

import contextlib
import json
import logging
import traceback
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any, Final

import comm
import ipywidgets as w

from ipyassets.collections.asset_list import AssetList
from ipyassets.errors import ServiceUnavailable
from ipyassets.http import loop
from ipyassets.services.rendering import RenderOrder
from ipyassets.widgets import ArchivePanel, RenderPanel, bundle
from ipyassets.widgets.panel import OrderPanel, _all
from tests.fuzz.mutations import json_changed
from tests.widgets.browser import RecordingComm
from tests.widgets.panels import settled
from tests.widgets.test_archive_panel import PackerClient
from tests.widgets.test_render_panel import StudioClient

INSTRUMENTED: Final = ["ipyassets"]
_NAMES: Final = """
    render archive method update custom request_state state content event click value index disabled options layout
    children _options_labels description width height format background transparent frames <id> <prompt>-<id> ../<id>
    PNG JPG #ffffff red &lt; "> '> <b> <img/src=x>
""".split()  # noqa: SIM905
WORDS: Final = [json.dumps(name).encode() for name in _NAMES] + [b"1e999", b"-1", b"99999999", b"null", b"true", b"[]"]
CHANGE: Final = json_changed(WORDS)
MARKUP: Final = {
    "a",
    "b",
    "br",
    "button",
    "code",
    "details",
    "div",
    "em",
    "i",
    "kbd",
    "label",
    "li",
    "ol",
    "p",
    "small",
}
MARKUP_TOO: Final = {"span", "strong", "style", "summary", "ul"}
MOST_SHOWN: Final = 200_000
"""Characters of all that a panel says beside its fields."""

_troubles: list[str] = []


class _Listening(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        if record.name.partition(".")[0] in ("ipyassets", "asyncio", "concurrent"):  # ipywidgets tells of odd messages
            _troubles.append(self.format(record))


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.found.update(name for name, _ in attrs if name.startswith("on"))


def _render_panel() -> tuple[OrderPanel, Any]:
    client = StudioClient(2)
    return RenderPanel(client.assets(0, 1), client), client


def _archive_panel() -> tuple[OrderPanel, Any]:
    client = PackerClient(3)
    client.refusal = ServiceUnavailable("<img src=x> is down.")  # or results would be written where an input says
    return ArchivePanel(AssetList.of(list(client.assets(0, 1, 2))), client), client


PANELS: Final[dict[str, Callable[[], tuple[OrderPanel, Any]]]] = {"render": _render_panel, "archive": _archive_panel}
_listening: Final = _Listening(logging.ERROR)


def check(data: bytes) -> None:
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        return
    if not isinstance(said, list) or not said or said[0] not in ("render", "archive"):
        return
    if _listening not in logging.getLogger().handlers:
        logging.getLogger().addHandler(_listening)
    _troubles.clear()
    with _without_kernel():
        _checked(said)


@contextlib.contextmanager
def _without_kernel() -> Iterator[None]:
    before = comm.create_comm, bundle._static
    comm.create_comm, bundle._static = RecordingComm, lambda name: f"/* {name} */\n"
    try:
        yield
    finally:
        comm.create_comm, bundle._static = before


def _checked(said: list[Any]) -> None:
    panel, client = PANELS[said[0]]()
    try:
        settled(panel)
        written = {id(panel)}
        for one in said[1:12]:
            _tell(panel, one, written)
            settled(panel)
            _shown(panel, written)
        if isinstance(panel, RenderPanel):
            for _, order in client.asked:
                assert RenderOrder(**order)
        assert _troubles == []
    finally:
        panel.close()
        loop.run(_turn())


async def _turn() -> None:
    return


def _tell(panel: OrderPanel, one: Any, written: set[int]) -> None:
    if not isinstance(one, list) or len(one) != 2 or not isinstance(one[0], int) or not isinstance(one[1], dict):
        return
    fields = _all(panel)
    field = fields[one[0] % len(fields)]
    if field is panel:  # its children are those we know
        return
    if isinstance(field, w.HTML | w.Box | w.Layout):
        written.add(id(field))
        return
    try:
        field._handle_msg({"content": {"data": one[1]}, "buffers": []})
    except Exception as error:
        if any("/ipyassets/" in frame.filename for frame in traceback.extract_tb(error.__traceback__)):
            raise


def _shown(panel: OrderPanel, written: set[int]) -> None:
    total = 0
    for field in _all(panel):
        if isinstance(field, w.HTML) and id(field) not in written:
            tags = _Tags()
            tags.feed(field.value)
            assert tags.found <= MARKUP | MARKUP_TOO, f"what was typed became markup: {tags.found}"
            total += len(field.value)
    assert total <= MOST_SHOWN


def _numbers(panel: OrderPanel, kind: type[Any]) -> list[int]:
    return [number for number, field in enumerate(_all(panel)) if isinstance(field, kind)]


def seeds() -> Iterator[tuple[str, bytes]]:
    click = {"method": "custom", "content": {"event": "click"}}

    def update(**state: Any) -> dict[str, Any]:
        return {"method": "update", "state": state}

    for name, make in PANELS.items():
        with _without_kernel():
            panel, _ = make()
        settled(panel)
        buttons, texts = _numbers(panel, w.Button), _numbers(panel, w.Text | w.Combobox | w.ColorPicker)
        numbers, choices = _numbers(panel, w.BoundedIntText | w.IntText), _numbers(panel, w.Dropdown | w.ToggleButtons)
        flags = _numbers(panel, w.Checkbox)
        panel.close()
        yield f"{name}-ordered", json.dumps([name, [buttons[0], click]]).encode()
        yield f"{name}-pressed", json.dumps([name, *([button, click] for button in buttons)]).encode()
        typed = [[text, update(value="<id>-<b>")] for text in texts]
        yield f"{name}-typed", json.dumps([name, *typed, [buttons[0], click]]).encode()
        yield f"{name}-counted", json.dumps([name, *([number, update(value=64)] for number in numbers)]).encode()
        yield f"{name}-chosen", json.dumps([name, *([choice, update(index=1)] for choice in choices)]).encode()
        yield f"{name}-ticked", json.dumps([name, *([flag, update(value=True)] for flag in flags)]).encode()
        yield f"{name}-asked", json.dumps([name, *([n, {"method": "request_state"}] for n in range(4))]).encode()
