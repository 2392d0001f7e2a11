"""What turns and what is compared, in a real JupyterLab: by hand, by keys, and without disturbing the notebook."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, WebSocket, expect

from tests.lab.conftest import Open
from tests.lab.explorer import View
from tests.lab.pointer import middle

pytestmark = pytest.mark.browser

RENDERED = """\
import ipyassets as ia
vntana = ia.Vntana()
assets = vntana.search(limit=2)
turning = ia.Turntable(frames=12, fps=12, width=160, height=160)
job = vntana.render(assets[:1], width=64, height=64, turntable=turning, poll=0.2).wait(120)
(turntable,) = job.turntables()"""

COMPARED = """\
import ipyassets as ia
poster = ia.Vntana().search()[0].poster(width=512)
ia.Compare(poster, poster.copy(), labels=["Before", "After"])"""

OTHER = "untouched = 1"
LEAKS = ["a", "b", "d", "d", "x", "z", "m", "y", "j", "k", "Shift+Enter"]

DRAWN = """(canvas) => {
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  let sum = 0;
  for (let i = 0; i < data.length; i += 4) sum = (sum * 31 + data[i] + 7 * data[i + 1]) % 1000003;
  return width > 0 && data.some((value) => value > 0) ? sum : 0;
}"""
"""A number that differs for every picture; 0 while there is none."""


DRAWN_LIKE = f"""([left, right, seen]) => {{
  const now = ({DRAWN})(left);
  return now > 0 && now === ({DRAWN})(right) && !seen.includes(now);
}}"""
"""Whether two canvases show the same picture, and none that was seen before."""

NOTHING_TURNS = re.compile(rb'"turns": ?false')
"""Python's answer for an asset without a turntable."""

BLACK = """(canvas) =>
  [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data]
    .every((value, place) => place % 4 === 3 || value === 0)"""


def as_bytes(payload: str | bytes) -> bytes:
    return payload.encode() if isinstance(payload, str) else payload


def drawn(canvas: Locator) -> int:
    return canvas.evaluate(DRAWN)


def until_drawn(canvas: Locator, *, other_than: int = 0) -> int:
    """Wait until there is a picture, another one than before."""
    canvas.page.wait_for_function(
        f"([canvas, before]) => ![0, before].includes(({DRAWN})(canvas))", arg=[canvas.element_handle(), other_than]
    )
    return drawn(canvas)


def test_a_rendered_turntable_is_turned_by_hand_and_by_keys(open_notebook: Open) -> None:
    """A turntable of a job shows itself; then it turns in the Explorer's tile, and what has none does not."""
    sockets: list[WebSocket] = []

    def listen(socket: WebSocket) -> None:
        if socket.url.partition("?")[0].endswith("/channels"):  # the kernel's
            sockets.append(socket)

    notebook = open_notebook(RENDERED, "turntable", "ia.Explorer(vntana)", OTHER, on_websocket=listen)
    notebook.run(0, 1)
    player = notebook.output(1).locator("section.ipya-player")
    number, stage, canvas = player.locator(".ipya-number"), player.locator(".ipya-stage"), player.locator("canvas")
    expect(number).to_have_text("1 / 12")
    pictures = {1: until_drawn(canvas)}
    expect(player).not_to_have_attribute("data-loading", re.compile(""))

    x, y, width = middle(stage)
    mouse, press = notebook.page.mouse, notebook.page.keyboard.press
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + 10, y, steps=2)
    mouse.move(x + width / 4, y + 30, steps=4)
    mouse.up()
    expect(number).to_have_text("10 / 12")
    mouse.move(x - width / 4, y)
    expect(number).to_have_text("10 / 12")
    pictures[10] = drawn(canvas)
    for key, frame in [("ArrowRight", 11), ("ArrowLeft", 10), ("Home", 1), ("ArrowLeft", 12), ("End", 12)]:
        press(key)
        expect(number).to_have_text(f"{frame} / 12")
        expect(player.get_by_role("slider", name="Frame")).to_have_attribute("aria-valuetext", f"Frame {frame} of 12")
    press("Home")
    expect(number).to_have_text("1 / 12")
    notebook.page.wait_for_function(
        f"([canvas, before]) => ({DRAWN})(canvas) === before", arg=[canvas.element_handle(), pictures[1]]
    )
    assert pictures[1] != pictures[10]
    press(" ")
    expect(player.get_by_role("button", name="Pause (Space)")).to_be_visible()
    expect(number).not_to_have_text("1 / 12")
    press(" ")
    expect(player.get_by_role("button", name="Play (Space)")).to_be_visible()

    sources, counts = notebook.sources, notebook.execution_counts
    for key in LEAKS:
        press(key)
    assert notebook.value("1 + 1") == 2  # whatever a key had started would have come before this
    assert (notebook.sources, notebook.execution_counts) == (sources, counts)

    notebook.run(2)
    view = View(notebook, 2)
    view.settle()
    turning = view.root.locator(".ipya-turn canvas")
    (socket,) = [socket for socket in sockets if not socket.is_closed()]  # others are opened and closed beside it
    with socket.expect_event("framereceived", lambda payload: NOTHING_TURNS.search(as_bytes(payload))):
        view.tile(1).hover()
    expect(turning).to_have_count(0)
    view.tile(0).hover()
    expect(view.tile(0).locator(".ipya-turn canvas")).to_be_visible()
    before = until_drawn(turning)
    x, y, width = middle(view.tile(0))
    mouse.move(x + width / 4, y - 20)
    until_drawn(turning, other_than=before)
    mouse.move(1, 1)
    expect(turning).to_have_count(0)


def test_two_pictures_are_looked_at_together(open_notebook: Open) -> None:
    """Both panes always show the same place: of a picture and its copy they show the same pixels."""
    notebook = open_notebook(COMPARED, OTHER)
    notebook.run(0)
    compare = notebook.output(0).locator("section.ipya-compare")
    canvases, zoom = compare.locator("canvas"), compare.locator(".ipya-zoom")
    expect(canvases).to_have_count(2)
    left, right = canvases.first, canvases.last
    seen: list[int] = []
    mouse, press = notebook.page.mouse, notebook.page.keyboard.press

    def same_again() -> None:
        """Both changed, and are alike; also once they rest and are drawn well."""
        handles = [left.element_handle(), right.element_handle()]
        notebook.page.wait_for_function(DRAWN_LIKE, arg=[*handles, seen])
        expect(compare).not_to_have_attribute("data-moving", "true")
        assert notebook.page.evaluate(DRAWN_LIKE, [*handles, seen])
        seen.append(drawn(left))

    same_again()
    fit = zoom.inner_text()
    x, y, width = middle(left)
    mouse.move(x + width / 5, y + 20)
    mouse.wheel(0, 60)  # scrolls the notebook, as everywhere
    expect(zoom).to_have_text(fit)
    x, y, width = middle(left)
    mouse.move(x + width / 5, y + 20)
    notebook.page.keyboard.down("Control")
    mouse.wheel(0, -300)
    notebook.page.keyboard.up("Control")
    expect(zoom).not_to_have_text(fit)
    same_again()
    mouse.down()
    mouse.move(x - 30, y - 10, steps=3)
    mouse.up()
    same_again()
    for key in ("+", "ArrowRight"):
        press(key)
        same_again()
    press("1")
    expect(zoom).to_have_text("100%")
    same_again()
    press("0")
    expect(zoom).to_have_text(fit)

    compare.get_by_role("button", name="Wipe").click()
    divider = compare.get_by_role("separator")
    divider.focus()
    press("ArrowLeft")
    expect(divider).to_have_attribute("aria-valuenow", "48")
    compare.get_by_role("button", name="Difference").click()
    notebook.page.wait_for_function(BLACK, arg=canvases.first.element_handle())

    compare.locator(".ipya-panes").focus()
    sources, counts = notebook.sources, notebook.execution_counts
    for key in LEAKS:
        press(key)
    assert notebook.value("1 + 1") == 2
    assert (notebook.sources, notebook.execution_counts) == (sources, counts)
