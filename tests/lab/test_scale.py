"""An Explorer over 100,000 assets."""

from __future__ import annotations

import pytest
from playwright.sync_api import WebSocket, expect

from tests.lab.conftest import Open
from tests.lab.explorer import SEEN, View

pytestmark = pytest.mark.browser

CONNECT = """\
import json, os, pathlib
os.environ.update(json.loads(pathlib.Path(os.environ["IPYASSETS_TEST_MANY"]).read_text()))
import ipyassets as ia
vntana = ia.Vntana()
explorer = ia.Explorer(vntana)"""


def test_hundred_thousand_assets(open_notebook: Open) -> None:
    """However many there are: as many elements in the document as show, little over the wire, no picture ever lost.

    An earlier design that kept what it had shown grew with every screen; one that freed pictures too early came back
    to empty tiles.
    """
    received: list[int] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda payload: received.append(len(payload)))

    notebook = open_notebook(CONNECT, "explorer", on_websocket=listen)
    notebook.run(0)
    received.clear()
    notebook.run(1)
    view = View(notebook, 1)
    start = view.settle()
    view.expect_total("100,000 assets")
    assert sum(received) < 1_000_000
    nodes = view.root.evaluate("(root) => root.querySelectorAll('*').length")

    view.scroll_to(1)
    view.page.wait_for_function(
        "(view) => view.querySelector(\"[data-index='99999']\")", arg=view.grid.element_handle()
    )
    assert view.settle()[-1]["index"] == 99_999

    view.scroll_to(0.5)
    expect(view.tile(99_999)).to_have_count(0)
    middle = view.settle()
    assert 40_000 < middle[0]["index"] < 60_000
    place = middle[0]["index"]
    assert middle[0]["name"] == notebook.value(f"vntana.search()[{place}].name")
    assert middle[0]["width"] > 0

    height = view.grid.evaluate("(grid) => grid.clientHeight")
    view.grid.hover()
    before = place
    for _ in range(30):
        view.page.mouse.wheel(0, height)
        view.page.wait_for_function(
            f"([grid, before]) => ({SEEN})(grid)[0].index > before",
            arg=[view.grid.element_handle(), before],
        )
        seen = view.settle()
        before = seen[0]["index"]
        assert view.root.evaluate("(root) => root.querySelectorAll('*').length") < 1.5 * nodes + 50

    view.scroll_to(0)
    expect(view.tile(0)).to_be_visible()
    again = view.settle()
    assert [(tile["index"], tile["name"]) for tile in again] == [(tile["index"], tile["name"]) for tile in start]

    view.tile(0).click()
    view.page.keyboard.press("Control+a")
    expect(view.chosen).to_have_text("100,000 selected")
    notebook.expect_value("len(explorer.selection)", 100_000)
    assert notebook.value("len(json.dumps(explorer.get_state('_selection')))") < 1_000
