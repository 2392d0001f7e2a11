"""A notebook that ran without anybody there: every widget left its picture, and nothing that opens an account."""

from __future__ import annotations

import io
import re
from base64 import b64decode
from pathlib import Path
from typing import Any

import bleach
import nbformat
import pytest
from nbconvert import HTMLExporter, MarkdownExporter
from PIL import Image

from ipyassets.collections.display import MOST_BYTES
from ipyassets.sandbox import Sandbox
from tests.canaries.search import Finds
from tests.sharing.conftest import CANARIES, CELLS
from tests.sharing.scan import found

Outputs = dict[str, list[dict[str, Any]]]

PICTURE = re.compile(r'src="data:image/[a-z]+;base64,([A-Za-z0-9+/=]+)"')
BESIDE = '<div class="ipya-snapshot ipya-beside">'
EXPECTED = {
    "explorer": 11,
    "refused": 0,
    "render": 12,
    "rendered": 10,
    "turntable": 4,
    "compare": 2,
    "grid": 10,
    "scenario": 11,
    "archive": 5,
}
"""Pictures in the sheets of a cell, by its name."""
GITHUB = {
    "tags": {
        *(
            "a",
            "b",
            "blockquote",
            "br",
            "code",
            "dd",
            "del",
            "details",
            "div",
            "dl",
            "dt",
            "em",
            "figcaption",
            "figure",
        ),
        *("h1", "h2", "h3", "hr", "i", "img", "kbd", "li", "ol", "p", "pre", "s", "span", "strong", "sub", "summary"),
        *("sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "ul", "var"),
    },
    "attributes": {"img": ["src", "longdesc", "alt", "width", "height"], "*": ["title", "align", "dir", "width"]},
    "protocols": {"http", "https", "data"},
}
"""What GitHub leaves of HTML: no style, no class."""


def html_of(outputs: list[dict[str, Any]]) -> list[str]:
    return [output["data"]["text/html"] for output in outputs if "text/html" in output.get("data", {})]


def sheets(outputs: list[dict[str, Any]]) -> list[str]:
    return [html for html in html_of(outputs) if html.startswith(BESIDE)]


def pictures(html: str) -> list[Image.Image]:
    """The pictures in it, decoded."""
    found = [Image.open(io.BytesIO(b64decode(data))) for data in PICTURE.findall(html)]
    for image in found:
        image.load()
    return found


@pytest.mark.parametrize("name", EXPECTED)
def test_each_widget_left_its_picture(outputs: Outputs, name: str) -> None:
    """Where nobody is there the cell ends with the pictures in it: later nobody could bring them."""
    widgets = [output for output in outputs[name] if "application/vnd.jupyter.widget-view+json" in output["data"]]
    assert len(sheets(outputs[name])) == len(widgets) > 0
    assert sum(len(pictures(sheet)) for sheet in sheets(outputs[name])) == EXPECTED[name]
    assert all(len(sheet.encode()) <= MOST_BYTES + 100 for sheet in sheets(outputs[name]))
    assert all(
        "run this cell in a live notebook" in o["data"]["text/plain"] or "done" in o["data"]["text/plain"]
        for o in widgets
    )


def test_what_was_done_in_later_cells_is_in_it(outputs: Outputs) -> None:
    (sheet,) = sheets(outputs["explorer"])
    assert "for &#x27;chair&#x27;, 2 selected." in sheet
    assert not sheets(outputs["search"]) + sheets(outputs["select"])


def test_none_inside_another_widget_and_none_where_it_is_turned_off(outputs: Outputs) -> None:
    assert not html_of(outputs["in a box"])
    assert not html_of(outputs["off"])


def test_one_made_on_purpose_is_an_output_like_any_other(outputs: Outputs) -> None:
    for name in ("look", "archived"):
        (html,) = html_of(outputs[name])
        assert html.startswith('<div class="ipya-snapshot">')
        assert pictures(html)


def test_the_notebook_holds_nothing_that_opens_an_account(saved: Path, sandbox: Sandbox) -> None:
    """All bytes of the file, the state of the widgets included; nobody looks those through before sharing them."""
    text = saved.read_text(encoding="utf-8")
    assert '"_esm"' in text, "the state of the widgets is stored"
    assert nbformat.read(saved, as_version=4).metadata.widgets
    assert not found(text, sandbox, CANARIES.values())
    finds = Finds()
    finds.look_below(saved.parent, "what the kernel and Jupyter left")
    assert not finds.found
    assert finds.searched["what the kernel and Jupyter left"][0] > 5, "the cache and the profile too"


def test_other_formats_show_the_pictures(saved: Path) -> None:
    book = nbformat.read(saved, as_version=4)
    expected = sum(EXPECTED.values())
    page, _ = HTMLExporter().from_notebook_node(book)
    assert len(pictures("".join(line for line in page.splitlines() if BESIDE in line))) == expected
    text, _ = MarkdownExporter().from_notebook_node(book)
    assert len(pictures("".join(line for line in text.splitlines() if BESIDE in line))) == expected


def test_the_pictures_outlive_githubs_rules(outputs: Outputs) -> None:
    """GitHub takes styles and classes away; what is left must still be pictures in rows with their names."""
    (sheet,) = sheets(outputs["explorer"])
    clean = bleach.clean(sheet, **GITHUB, strip=True)
    assert len(pictures(clean)) == 11
    assert "style" not in clean
    assert [row.count("<td>") for row in clean.split("<tr>")[1:]] == [8, 3]
    assert clean.count("\N{CHECK MARK}") == 2
    assert clean == bleach.clean(clean, **GITHUB, strip=False), "nothing shows as markup"


def test_every_cell_ran(outputs: Outputs) -> None:
    assert set(outputs) == set(CELLS)
    assert not [output for cell in outputs.values() for output in cell if output["output_type"] == "error"]
