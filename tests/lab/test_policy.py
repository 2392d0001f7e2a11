"""Content-Security-Policy: what a page must permit for the widgets, and what it need not.

JupyterLab has an inline script and compiles JSON schemas with `new Function`; anywidget imports a widget's module from
a `blob:` address and puts its style into a `<style>` element. Ours needs none of that by itself, only pictures and
films from `data:` and `blob:`.
"""

from __future__ import annotations

import base64
import hashlib
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from ipyassets.sandbox import Sandbox
from tests.lab.explorer import View
from tests.lab.notebook import Notebook, write_notebook
from tests.lab.server import JupyterServer

pytestmark = pytest.mark.browser

LAB = (
    "default-src 'self'; script-src 'self' 'unsafe-eval' blob: {hashes}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src blob:; font-src 'self' data:; connect-src 'self';"
    "object-src 'none'; base-uri 'self'; form-action 'self'"
)

INLINE = re.compile(r"<script(?P<attributes>[^>]*)>(?P<body>.*?)</script>", re.DOTALL)

LISTEN = """document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI, sourceFile }) =>
  (window.ipyaRefused ??= []).push([effectiveDirective, blockedURI, sourceFile]));"""

ELSEWHERE = """() => new Promise((refused) => {
  document.addEventListener("securitypolicyviolation", (event) => refused(event.effectiveDirective), { once: true });
  new Image().src = "http://elsewhere.test/picture.png";
})"""

CELLS = [
    "import ipyassets as ia\nservices = ia.connect()\nexplorer = services.explore()\nexplorer",
    "posters = services.vntana.search('chair')[:2].posters(width=128).images\nia.Compare(*posters)",
    "ia.TurntablePlayer(posters)",
    "ia.RenderPanel(explorer)",
]


def test_our_code_needs_no_eval_and_nothing_inline(strict: Page) -> None:
    """All four bundles work where a page permits neither: no `eval`, no `new Function`, no `onclick=`, no `style=`."""
    strict.goto("http://strict.test/index.html?case=pick&height=400px")
    root = strict.locator(".ipya-root")
    tile = root.locator("[role=gridcell][data-index='0']")
    expect(tile.locator("img")).to_be_visible()
    tile.hover()
    expect(tile.locator(".ipya-turn canvas")).to_be_visible()
    root.get_by_role("button", name="Filters").click()
    tile.dblclick()
    large = root.get_by_role("dialog").locator("img.ipya-large:not(.ipya-stand-in)")
    expect(large).to_be_visible()
    strict.keyboard.press("+")
    expect(root.locator(".ipya-zoom")).to_have_text("1.5×")
    assert large.evaluate("(image) => image.style.transform")

    strict.goto("http://strict.test/jobs.html?case=done")
    strict.get_by_role("button", name="Show results").click()
    expect(strict.locator(".ipya-results figure").first).to_be_visible()
    strict.goto("http://strict.test/looks.html?show=player")
    expect(strict.locator(".ipya-number")).to_have_text("1 / 36")
    strict.goto("http://strict.test/looks.html?show=compare")
    strict.get_by_role("button", name="Difference").click()
    expect(strict.locator("canvas")).to_have_count(1)


@pytest.fixture
def strict_lab(server: JupyterServer, sandbox: Sandbox, tmp_path: Path) -> Iterator[JupyterServer]:
    """Another JupyterLab, which sends `LAB` with everything, and the hash of JupyterLab's own inline script in it."""
    with urllib.request.urlopen(f"{server.url}/lab", timeout=10) as answer:
        page = answer.read().decode()
    scripts = [body for kind, body in INLINE.findall(page) if "src=" not in kind and "json" not in kind]
    assert scripts
    hashes = (base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() for body in scripts)
    policy = LAB.format(hashes=" ".join(f"'sha256-{digest}'" for digest in hashes))
    lab = JupyterServer(tmp_path, sandbox.environment(), policy)
    lab.start()
    yield lab
    left = lab.stop()
    assert not left, f"JupyterLab left processes behind: {left}"


def test_works_in_a_lab_with_a_policy(strict_lab: JupyterServer, context: BrowserContext) -> None:
    """JupyterLab served with the strictest policy that JupyterLab and anywidget themselves live with."""
    path = strict_lab.root / "policy.ipynb"
    write_notebook(path, CELLS)
    page = context.new_page()
    page.add_init_script(LISTEN)
    notebook = Notebook(page, path)
    try:
        notebook.open(strict_lab.url)
        notebook.run(*range(len(CELLS)))
        view = View(notebook, 0)
        view.settle()
        view.tile(0).dblclick()
        expect(view.dialog.locator("img.ipya-large:not(.ipya-stand-in)")).to_be_visible()
        expect(notebook.output(1).locator("canvas")).to_have_count(2)
        expect(notebook.output(2).locator(".ipya-number")).to_have_text("1 / 2")
        expect(notebook.output(3).locator(".ipya-panel-estimate, .ipya-form").first).to_be_visible()
        assert not notebook.problems  # the console would say what was refused
        assert page.evaluate("window.ipyaRefused ?? []") == []
        assert notebook.page.evaluate(ELSEWHERE) == "img-src"  # the policy was in force
        assert [directive for directive, *_ in page.evaluate("window.ipyaRefused")] == ["img-src"]  # and heard of
    finally:
        notebook.page.close()
        strict_lab.shut_down_kernels()
