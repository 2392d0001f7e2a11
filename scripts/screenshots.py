"""Make the pictures of README and docs: the example notebook, in a real JupyterLab, on the sandbox.

``python scripts/screenshots.py`` writes ``docs/images/*.png`` and the moving ``explorer.webp``; words behind it choose
some (``example``, ``narrow``, ``troubles``, ``jobs``, ``archives``, ``moving``). Needs the ``test`` extra and Chromium.
"""

from __future__ import annotations

import io
import re
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.lab import chromium  # noqa: E402
from tests.lab.explorer import View  # noqa: E402
from tests.lab.jobs import JobView  # noqa: E402
from tests.lab.notebook import Notebook, write_notebook  # noqa: E402
from tests.lab.pointer import middle  # noqa: E402
from tests.lab.server import JupyterServer  # noqa: E402

TARGET = ROOT / "docs" / "images"
LARGEST = 400_000
"""Bytes a picture may have."""
LARGEST_MOVING = 1_500_000

NARROW = [
    "import ipyassets as ia, ipywidgets\nservices = ia.connect()\nexplorer = services.explore(height=700)",
    "ipywidgets.Box([explorer], layout=ipywidgets.Layout(width='372px'))",
]

TROUBLES = [
    """\
import ipyassets as ia
sandbox = ia.Sandbox()
sandbox.start()
sandbox.faults.add("/vntana/.*search", status=401, count=None)
explorer = ia.Explorer(sandbox.vntana(), sandbox.itwin(), sandbox.scenario(), height=300)
explorer""",
]

MOVING = [
    """\
import ipyassets as ia
services = ia.connect()
chairs = services.vntana.search("chair")
film = ia.Turntable(frames=36, fps=12, width=320, height=320)
job = services.vntana.render([chairs[2], chairs[3]], width=64, height=64, turntable=film, poll=0.5).wait(300)""",
    "explorer = services.explore(height=440)\nexplorer",
]

POINTER = """() => {
  const pointer = document.createElement("div");
  pointer.innerHTML = '<svg width="20" height="24" viewBox="0 0 20 24">'
    + '<path d="M2 1v18l5-4.5 3.2 7.5 3-1.3-3.2-7.4H17z" fill="#222" stroke="#fff" stroke-width="1.5"/></svg>';
  Object.assign(pointer.style, { position: "fixed", zIndex: 99999, pointerEvents: "none", left: "-50px", top: "0" });
  document.body.append(pointer);
  addEventListener("mousemove", ({ clientX, clientY }) => {
    Object.assign(pointer.style, { left: `${clientX - 2}px`, top: `${clientY - 1}px` });
  }, true);
}"""
"""Pictures of a page have no pointer: one that follows it."""

JOBS = [
    "import ipyassets as ia\nservices = ia.connect()\nexplorer = services.explore()",
    """\
film = ia.Turntable(frames=12, fps=6, width=256, height=256)
job = services.vntana.render(explorer.assets[:12], width=640, height=360, turntable=film, poll=1)
job""",
    "panel = ia.RenderPanel(explorer)\nexplorer.selection = explorer.assets[8:11]\npanel",
]

ARCHIVES = [
    "import ipyassets as ia\nscenario = ia.connect().scenario",
    "panel = ia.ArchivePanel(scenario.search('chair')[:8], scenario)\npanel",
    "panel.submit().wait(60)",
]


def main() -> None:
    path = chromium.find()
    if path is None:
        sys.exit(f"no Chromium on the PATH (looked for {', '.join(chromium.NAMES)})")
    makers = (example, narrow, troubles, jobs, archives, moving)
    wanted = [maker for maker in makers if maker.__name__ in sys.argv[1:] or not sys.argv[1:]]
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        server = JupyterServer(folder / "lab", {})
        server.start()
        try:
            with chromium.running(playwright, path, folder / "chromium") as browser:
                for maker in wanted:
                    maker(browser, server)
        finally:
            server.stop()


def example(browser: Browser, server: JupyterServer) -> None:
    """Run the first notebook up to its Explorer and a little further; picture it in three states."""
    shutil.copy(ROOT / "notebooks" / "01-explore.ipynb", server.root)
    notebook = opened(browser, server, server.root / "01-explore.ipynb", 1400, 900)
    explorer = notebook.find("explorer = ")
    notebook.run(*(cell for cell in notebook.code_cells if cell <= explorer))
    view = View(notebook, explorer)
    view.settle()
    for place in (0, 2, 5):
        view.tile(place).click(modifiers=["ControlOrMeta"])
    view.expect_selected(0, 2, 5)
    notebook.run(*(cell for cell in notebook.code_cells if explorer < cell <= notebook.find("images = ")))
    at_top(notebook, explorer - 1)
    keep("explorer-light", notebook.page.screenshot())

    notebook.theme("JupyterLab Dark")
    view.search("")
    view.expect_total("87 assets")
    view.root.get_by_role("button", name="Filters").click()
    view.settle()
    view.tile(1).click()
    view.tile(4).click(modifiers=["Shift"])
    view.scroll_to(0)
    at_top(notebook, explorer)
    keep("explorer-dark", notebook.page.screenshot())
    notebook.theme("JupyterLab Light")

    view.root.get_by_role("button", name="Filters").click()
    view.root.get_by_role("combobox", name="Service").select_option(label="Scenario")
    expect(view.chosen).to_have_text("")
    view.search("chair")
    expect(view.tile(0)).to_contain_text("hair")
    view.settle()
    view.tile(view.names.index("Deck chair, golden hour")).dblclick()
    large = view.dialog.locator("img.ipya-large:not(.ipya-stand-in)")
    expect(large).to_be_visible()
    large.evaluate("(image) => image.decode()")
    view.page.mouse.move(2, 2)
    keep("explorer-detail", view.root.screenshot())
    notebook.page.close()


def at_top(notebook: Notebook, cell: int) -> None:
    """Scroll a cell to the top of the window, with nothing pointed at and no cell marked as active."""
    notebook.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.activeCellIndex = 0")
    notebook.cell(cell).evaluate("(cell) => cell.scrollIntoView({ block: 'start' })")
    notebook.page.mouse.move(2, 2)


def narrow(browser: Browser, server: JupyterServer) -> None:
    path = server.root / "narrow.ipynb"
    write_notebook(path, NARROW)
    notebook = opened(browser, server, path, 900, 1000)
    notebook.run(0, 1)
    view = View(notebook, 1)
    view.settle()
    view.tile(2).click()
    view.page.mouse.move(2, 2)
    keep("explorer-narrow", view.root.screenshot())
    notebook.page.close()


def jobs(browser: Browser, server: JupyterServer) -> None:
    """A job half way, its results, and the panel that orders such jobs."""
    path = server.root / "jobs.ipynb"
    write_notebook(path, JOBS)
    notebook = opened(browser, server, path, 1100, 900)
    notebook.run(0, 1)
    view = JobView(notebook, 1)
    expect(view.count).to_have_text(re.compile("^[4-8] of 12 done"), timeout=180_000)
    for line in range(5):
        view.expect_picture(line)
    notebook.page.mouse.move(2, 2)
    keep("job-monitor", view.root.screenshot())

    expect(view.words).to_have_text("Done", timeout=180_000)
    notebook.theme("JupyterLab Dark")
    view.button("Show results").click()
    stills = view.results.locator("figure img")
    expect(stills).to_have_count(5)
    for still in stills.all():
        still.evaluate("(image) => image.decode()")
    view.results.locator("video").evaluate(
        "(film) => film.readyState > 1 || new Promise((done) => film.addEventListener('loadeddata', done))"
    )
    keep("job-results", view.root.screenshot())
    notebook.theme("JupyterLab Light")

    notebook.run(2)
    panel = notebook.output(2).locator(".ipya-panel")
    expect(panel.locator(".ipya-panel-estimate")).to_contain_text("have renders already")
    panel.get_by_role("button", name="Render 3 assets").click()
    expect(panel.get_by_role("button", name="Replace and render")).to_be_visible()
    notebook.page.mouse.move(2, 2)
    keep("render-panel", panel.screenshot())
    notebook.page.close()


def archives(browser: Browser, server: JupyterServer) -> None:
    """The panel of archives, with what came of an order."""
    path = server.root / "archives.ipynb"
    write_notebook(path, ARCHIVES)
    notebook = opened(browser, server, path, 1100, 1300)
    notebook.run(0, 1, 2)
    panel = notebook.output(1).locator(".ipya-panel")
    expect(panel.locator("[role=gridcell] img")).to_have_count(8)
    notebook.page.mouse.move(2, 2)
    keep("archive-panel", panel.screenshot())
    notebook.page.close()


def troubles(browser: Browser, server: JupyterServer) -> None:
    """A service that does not let one in, while the others go on."""
    path = server.root / "troubles.ipynb"
    write_notebook(path, TROUBLES)
    notebook = opened(browser, server, path, 900, 700)
    notebook.run(0)
    view = View(notebook, 0)
    expect(view.root.get_by_role("button", name="Try again")).to_be_visible()
    keep("explorer-trouble", view.root.screenshot())
    notebook.page.close()


class Film:
    """Pictures of one part of a page, each shown for so many milliseconds."""

    def __init__(self, page: Page, part: Locator) -> None:
        box = part.bounding_box()
        assert box is not None
        self._clip = box
        self._page = page
        self._images: list[Image.Image] = []
        self._times: list[int] = []

    def shoot(self, milliseconds: int) -> None:
        content = self._page.screenshot(clip=self._clip)
        self._images.append(Image.open(io.BytesIO(content)).convert("RGB"))
        self._times.append(milliseconds)

    def keep(self, name: str) -> None:
        first, *others = self._images
        target = TARGET / f"{name}.webp"
        options = {"duration": self._times, "loop": 0, "quality": 62, "method": 5, "minimize_size": True}
        first.save(target, save_all=True, append_images=others, **options)
        said = f"{len(self._images)} pictures, {sum(self._times) / 1000:.0f} s, {target.stat().st_size / 1000:.0f} kB"
        print(f"{target.relative_to(ROOT)}: {said}")
        if target.stat().st_size > LARGEST_MOVING:
            sys.exit("too large: fewer pictures, or smaller ones")


def moving(browser: Browser, server: JupyterServer) -> None:
    """Search, scroll, select, open and zoom, turn: one short film."""
    path = server.root / "moving.ipynb"
    write_notebook(path, MOVING)
    notebook = opened(browser, server, path, 1080, 660)
    notebook.run(0, 1)
    view, page = View(notebook, 1), notebook.page
    view.settle()
    at_top(notebook, 1)
    page.evaluate(POINTER)
    film = Film(page, view.root)
    film.shoot(900)

    def point(element: Locator) -> tuple[float, float, float]:
        x, y, width = middle(element)
        page.mouse.move(x, y)
        return x, y, width

    point(view.search_box)
    view.search_box.click()
    for letter in "chair":
        page.keyboard.type(letter)
        film.shoot(130)
    expect(view.total).to_have_text("11 assets")
    view.settle()
    film.shoot(800)
    point(view.tile(1))
    for _ in range(8):
        page.mouse.wheel(0, 24)
        page.wait_for_timeout(60)
        film.shoot(60)
    view.settle()
    film.shoot(500)
    for _ in range(8):
        page.mouse.wheel(0, -24)
        page.wait_for_timeout(60)
        film.shoot(50)
    for place in (0, 2):
        point(view.tile(place))
        film.shoot(250)
        view.tile(place).click(modifiers=["ControlOrMeta"])
        film.shoot(500)

    view.tile(0).dblclick()
    large = view.dialog.locator("img.ipya-large:not(.ipya-stand-in)")
    expect(large).to_be_visible()
    film.shoot(900)
    for _ in range(8):
        page.mouse.wheel(0, -40)
        film.shoot(70)
    page.wait_for_timeout(400)
    film.shoot(800)
    page.keyboard.press("Escape")
    film.shoot(300)

    x, y, width = point(view.tile(2))
    turning = view.tile(2).locator(".ipya-turn canvas")
    expect(turning).to_be_visible()
    for step in range(25):
        page.mouse.move(x + width * (step / 24 - 0.5) * 0.96, y)
        page.wait_for_timeout(40)
        film.shoot(80)
    film.shoot(600)
    film.keep("explorer")
    notebook.page.close()


def opened(browser: Browser, server: JupyterServer, path: Path, width: int, height: int) -> Notebook:
    page = browser.new_page(viewport={"width": width, "height": height}, locale="en-US", reduced_motion="reduce")
    notebook = Notebook(page, path)
    notebook.open(server.url)
    page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    return notebook


def keep(name: str, content: bytes, largest: int = LARGEST) -> None:
    """Write a picture, with a palette of its own where it would be larger than ``largest`` bytes without."""
    image = Image.open(io.BytesIO(content)).convert("RGB")
    target = TARGET / f"{name}.png"
    image.save(target, optimize=True)
    if target.stat().st_size > largest:
        image.quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(target, optimize=True)
    if target.stat().st_size > largest:
        image.quantize(128, dither=Image.Dither.NONE).save(target, optimize=True)
    print(f"{target.relative_to(ROOT)}: {image.width} x {image.height}, {target.stat().st_size / 1000:.0f} kB")
    if target.stat().st_size > largest:
        sys.exit("too large: take a smaller part of the window")


if __name__ == "__main__":
    main()
