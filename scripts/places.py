"""Make pictures of one notebook in seven places, and look through it for secrets.

``python scripts/places.py`` runs ``notebooks/06-share.ipynb`` in JupyterLab, Notebook 7, marimo and Voila, takes the
saved file to a JupyterLab without its kernel, to nbconvert and to HTML cleaned as GitHub cleans it, and writes
``docs/images/places-*.png``. It prints the notebook's size and ends with an error if a secret of the sandbox is in it.
Needs the ``test`` extra and Chromium.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bleach
import nbformat
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from scripts.screenshots import keep  # noqa: E402
from tests.hosts.test_marimo import serving  # noqa: E402
from tests.lab import chromium  # noqa: E402
from tests.lab.explorer import GridView, View  # noqa: E402
from tests.lab.notebook import Notebook  # noqa: E402
from tests.lab.server import JupyterServer  # noqa: E402
from tests.sharing.scan import found  # noqa: E402
from tests.sharing.test_nbclient import GITHUB  # noqa: E402

from ipyassets.sandbox import Sandbox  # noqa: E402

NOTEBOOK = ROOT / "notebooks" / "06-share.ipynb"
LARGEST = 150_000
"""Bytes of one picture: there are seven of them on a page."""
SIZE = {"width": 960, "height": 640}
EXPLORER = "section.ipya-root[data-kind=explorer]"
PLAIN = """<!doctype html><meta charset="utf-8"><style>
body { max-width: 860px; margin: 16px auto; font: 14px/1.5 system-ui, sans-serif; color: #1f2328; }
pre { padding: 10px; border-radius: 6px; background: #f6f8fa; } table { border-collapse: collapse; }
td { padding: 4px; } h1 { border-bottom: 1px solid #d1d9e0; }
</style><body>"""
"""GitHub's page around what it leaves of a notebook: its own style and no other."""


def main() -> None:
    path = chromium.find()
    if path is None:
        sys.exit(f"no Chromium on the PATH (looked for {', '.join(chromium.NAMES)})")
    with tempfile.TemporaryDirectory() as name, Sandbox() as sandbox, sync_playwright() as playwright:
        folder = Path(name)
        server = JupyterServer(folder / "lab", sandbox.environment())
        server.start()
        try:
            with chromium.running(playwright, path, folder / "chromium") as browser:
                saved = jupyter(browser, server)
                static(browser, saved)
                voila(browser, server)
                marimo(browser, sandbox, folder)
        finally:
            server.stop()
        text = saved.read_text(encoding="utf-8")
        secrets = found(text, sandbox)
        print(f"{saved.name} as JupyterLab saved it: {len(text.encode()) / 1000:.0f} kB")
        print(f"secrets, signed addresses, tokens and e-mail addresses in it: {len(secrets)}")
        if secrets:
            sys.exit("a secret is in the notebook")


def jupyter(browser: Browser, server: JupyterServer) -> Path:
    """Alive in Lab and in Notebook, then the saved file in Lab once the kernel is gone; gives the file."""
    path = server.root / NOTEBOOK.name
    book = nbformat.read(NOTEBOOK, as_version=4)
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(book, path)
    with opened(browser) as page:
        notebook = Notebook(page, path)
        notebook.open(server.url, "notebooks/{}")
        shown(notebook)
        keep("places-notebook", page.screenshot(), LARGEST)
    server.shut_down_kernels()
    with opened(browser) as page:
        notebook = Notebook(page, path)
        notebook.open(server.url)
        page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
        cell = shown(notebook)
        keep("places-lab", page.screenshot(), LARGEST)
        notebook.run(*(place for place in notebook.code_cells if place > cell))
        notebook.save()
        notebook.shut_down_kernel()
    with opened(browser) as page:
        notebook = Notebook(page, path)
        notebook.open(server.url)
        page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
        dead = notebook.output(cell)
        expect(dead).to_contain_text("model not found")
        expect(dead.locator(".ipya-beside img").first).to_be_visible()
        notebook.cell(cell).evaluate("(cell) => cell.scrollIntoView({ block: 'start' })")
        keep("places-lab-dead", page.screenshot(), LARGEST)
    server.shut_down_kernels()
    return path


def shown(notebook: Notebook) -> int:
    """Run the cells up to the Explorer and the one that selects; the Explorer's place, scrolled to."""
    cell = notebook.find("services.explore(")
    notebook.run(cell, notebook.find("explorer.selection ="))
    view = View(notebook, cell)
    view.settle()
    expect(view.chosen).to_have_text("3 selected")
    notebook.page.wait_for_timeout(4_000)  # the still picture follows two seconds behind
    notebook.cell(cell).evaluate("(cell) => cell.scrollIntoView({ block: 'start' })")
    notebook.page.mouse.move(2, 2)
    return cell


def static(browser: Browser, saved: Path) -> None:
    """What nbconvert makes of the file, and what GitHub's rules leave of its HTML."""
    book = nbformat.read(saved, as_version=4)
    whole, _ = HTMLExporter().from_notebook_node(book)
    body, _ = HTMLExporter(template_name="basic").from_notebook_node(book)
    cleaned = PLAIN + bleach.clean(body, **GITHUB, strip=True)
    for name, html in (("places-nbconvert", whole), ("places-github", cleaned)):
        with opened(browser) as page:
            page.route("http*://**", lambda route: route.abort())
            page.set_content(html, wait_until="commit")
            picture = page.locator("img").first
            picture.evaluate("(image) => image.decode()")
            picture.evaluate("(image) => scrollBy(0, image.getBoundingClientRect().top - 240)")
            keep(name, page.screenshot(), LARGEST)


def voila(browser: Browser, server: JupyterServer) -> None:
    with opened(browser) as page:
        page.goto(f"{server.url}/voila/render/{NOTEBOOK.name}", timeout=120_000)
        view = GridView(page, page.locator(EXPLORER).first)
        view.settle()
        view.root.evaluate("(root) => scrollBy(0, root.getBoundingClientRect().top - 150)")
        keep("places-voila", page.screenshot(), LARGEST)
    server.shut_down_kernels()


def marimo(browser: Browser, sandbox: Sandbox, folder: Path) -> None:
    """The same notebook as marimo itself converts it."""
    app = folder / "share.py"
    subprocess.run([sys.executable, "-m", "marimo", "convert", str(NOTEBOOK), "-o", str(app)], check=True)
    (folder / "marimo").mkdir()
    with serving("run", app, folder / "marimo", sandbox) as url, opened(browser) as page:
        page.goto(url)
        view = GridView(page, page.locator(EXPLORER).first)
        view.root.wait_for(timeout=120_000)
        view.settle()
        expect(view.chosen).to_have_text("3 selected")
        keep("places-marimo", page.screenshot(), LARGEST)


@contextmanager
def opened(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport=SIZE, locale="en-US", reduced_motion="reduce")
    yield page
    page.close()


if __name__ == "__main__":
    main()
