"""The still picture beside a widget: hidden while the widget lives, there when the notebook is all that is left."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from nbconvert import HTMLExporter
from playwright.sync_api import BrowserContext, Locator, expect

from tests.lab.conftest import Open
from tests.lab.explorer import View
from tests.lab.notebook import Notebook

pytestmark = pytest.mark.browser

CELLS = (
    "import ipyassets as ia\nservices = ia.connect()\nexplorer = services.explore()\nexplorer",
    "from ipywidgets import VBox\nVBox([explorer])",
    "display(explorer)\nexplorer.snapshot()",
)
BESIDE = ".ipya-beside"
DECODED = """async (images) => {
  await Promise.all(images.map((image) => image.decode()));
  return images.map((image) => image.naturalWidth);
}"""
SAYS = """([index, words]) => {
  const { outputs } = window.jupyterapp.shell.currentWidget.content.widgets[index].model;
  return outputs.toJSON().some((output) => output.data?.["text/html"]?.includes(words));
}"""


def sheet(notebook: Notebook, cell: int) -> Locator:
    return notebook.output(cell).locator(BESIDE)


def until_saved_says(notebook: Notebook, cell: int, words: str) -> None:
    """Wait until some HTML of the cell, as it would be saved, holds ``words``."""
    notebook.page.wait_for_function(SAYS, arg=[cell, words])


@pytest.fixture
def reopened(context: BrowserContext) -> Iterator[list[Notebook]]:
    """Notebooks that the test opens again by `open_again`; Lab itself complains that their widgets are gone."""
    opened: list[Notebook] = []
    yield opened
    for notebook in opened:
        notebook.page.close()


def open_again(context: BrowserContext, opened: list[Notebook], path: Path, url: str) -> Notebook:
    notebook = Notebook(context.new_page(), path)
    opened.append(notebook)
    notebook.open(url)
    return notebook


def printed(context: BrowserContext, path: Path) -> None:
    """nbconvert's HTML shows the picture, and so does the PDF that Chromium prints of it."""
    html, _ = HTMLExporter().from_filename(path)
    path.with_suffix(".html").write_text(html)
    page = context.new_page()
    try:
        page.route("**/*", lambda route: route.abort() if route.request.url.startswith("http") else route.continue_())
        page.goto(path.with_suffix(".html").as_uri())
        expect(page.locator(BESIDE).first).to_be_visible()
        widths = page.locator("img").evaluate_all(DECODED)
        assert min(widths) > 0
        assert page.pdf().count(b"/Subtype /Image") >= len(widths) // 3  # the same picture is in it once
    finally:
        page.close()


def test_a_saved_notebook_shows_what_the_person_saw(
    open_notebook: Open, context: BrowserContext, reopened: list[Notebook]
) -> None:
    """Where the kernel is gone a widget says "model not found"; the pictures must still be there."""
    notebook = open_notebook(*CELLS)
    notebook.run(0, 1, 2)
    views = [View(notebook, cell) for cell in range(3)]
    for view in views:
        view.settle()
    assert not sheet(notebook, 1).count(), "inside another widget there is no picture of it"
    views[0].search("chair")
    until_saved_says(notebook, 0, "&#x27;chair&#x27;")
    views[0].settle()
    views[0].tile(1).click()
    until_saved_says(notebook, 0, ", 1 selected")
    until_saved_says(notebook, 2, ", 1 selected")  # both places at once
    for cell in (0, 2):
        expect(sheet(notebook, cell)).to_have_count(1)
        expect(sheet(notebook, cell)).to_be_hidden()
    expect(notebook.output(2).locator(".ipya-snapshot:not(.ipya-beside) img").first).to_be_visible()
    seen = views[0].names
    saved = notebook.save()
    notebook.execute("explorer.close()")
    expect(sheet(notebook, 0)).to_be_visible()  # the widget left the page, and its picture takes its place
    notebook.shut_down_kernel()

    again = open_again(context, reopened, notebook.path, notebook.server_url)
    expect(again.output(0)).to_contain_text("Error displaying widget: model not found")
    untrusted = notebook.path.with_name(f"copy-of-{notebook.path.name}")
    book = json.loads(saved)
    book["cells"][0]["source"] = "# came by mail"
    untrusted.write_text(json.dumps(book))
    mailed = open_again(context, reopened, untrusted, notebook.server_url)
    expect(mailed.output(0)).to_contain_text("run this cell in a live notebook to search and pick")
    for dead in (again, mailed):
        expect(sheet(dead, 0)).to_be_visible()
        expect(sheet(dead, 0)).to_contain_text("1 selected")
        images = sheet(dead, 0).locator("img")
        assert [image.get_attribute("alt") for image in images.all()][: len(seen)] == seen
        assert all(width > 0 for width in images.evaluate_all(DECODED))
        assert len(sheet(dead, 0).inner_html()) < 150_000
    printed(context, notebook.path)
    assert {problem for page in reopened for problem in page.problems if "model not found" not in problem} == set()
