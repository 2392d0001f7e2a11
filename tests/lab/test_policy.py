"""Content-Security-Policy: what a page must permit for the widgets, and what it need not.

JupyterLab has an inline script and compiles JSON schemas with `new Function`; anywidget imports a widget's module from
a `blob:` address and puts its style into a `<style>` element. Ours needs none of that by itself, only pictures and
films from `data:` and `blob:`.
"""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.lab.conftest import Open
from tests.lab.explorer import View
from tests.lab.server import JupyterServer

pytestmark = pytest.mark.browser

LAB = (
    "default-src 'self'; script-src 'self' 'unsafe-eval' blob: {hashes}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src blob:; font-src 'self' data:; connect-src 'self' {socket};"
    "object-src 'none'; base-uri 'self'; form-action 'self'"
)

INLINE = re.compile(r"<script(?P<attributes>[^>]*)>(?P<body>.*?)</script>", re.DOTALL)

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


def test_works_in_a_lab_with_a_policy(open_notebook: Open, context: BrowserContext, server: JupyterServer) -> None:
    """JupyterLab served with the strictest policy that JupyterLab and anywidget themselves live with.

    The console would say what was refused, and the notebook's own check would fail on it.
    """
    pages = re.compile(re.escape(f"{server.url}/lab") + r"(/tree/.*)?(\?.*)?$")

    def with_policy(route: Route) -> None:
        answer = route.fetch()
        text = answer.text()
        scripts = [body for kind, body in INLINE.findall(text) if "src=" not in kind and "json" not in kind]
        hashes = [base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() for body in scripts]
        socket = server.url.replace("http:", "ws:")
        policy = LAB.format(hashes=" ".join(f"'sha256-{digest}'" for digest in hashes), socket=socket)
        route.fulfill(response=answer, body=text, headers={**answer.headers, "content-security-policy": policy})

    context.route(pages, with_policy)
    try:
        notebook = open_notebook(*CELLS)
        notebook.run(*range(len(CELLS)))
        view = View(notebook, 0)
        view.settle()
        view.tile(0).dblclick()
        expect(view.dialog.locator("img.ipya-large:not(.ipya-stand-in)")).to_be_visible()
        expect(notebook.output(1).locator("canvas")).to_have_count(2)
        expect(notebook.output(2).locator(".ipya-number")).to_have_text("1 / 2")
        expect(notebook.output(3).get_by_text("Nothing is selected.")).to_be_visible()
        assert not notebook.problems, notebook.problems
        assert notebook.page.evaluate(ELSEWHERE) == "img-src"  # the policy was in force
        notebook.problems.clear()
    finally:
        context.unroute(pages)
