"""A real JupyterLab in a real Chromium.

The fixtures last for this folder and not for the session: while Playwright's blocking interface is open, its event
loop counts as running in this thread, and asyncio tests elsewhere could not start theirs.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Route, WebSocket, expect, sync_playwright
from scripts.npm import install, npm_command

from ipyassets.sandbox import Sandbox
from tests.lab.chromium import NAMES, find, running
from tests.lab.notebook import Notebook, write_notebook
from tests.lab.server import JupyterServer

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "test-results"
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data: blob:; media-src blob:"
"""Without a notebook: no eval, nothing inline, no address but the page's own."""
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
COMPILED = """() => new Promise((done) => setTimeout(() => {
  try { done(Function("return 'compiled'")()); } catch (error) { done(error.name); }
}))"""
"""What comes of text that is run as code; in a task of the page's own, since what Playwright runs is let through."""

PATIENCE = 30_000
"""Milliseconds for whatever a browser test waits for; Playwright's own five seconds are too few for a busy machine."""

expect.set_options(timeout=PATIENCE)

Open = Callable[..., Notebook]


@pytest.fixture(scope="package")
def chromium() -> str:
    found = find()
    if found is None:
        pytest.skip(f"no Chromium on the PATH (looked for {', '.join(NAMES)}): the browser tests did not run")
    return found


@pytest.fixture(scope="package")
def sandbox(chromium: str) -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="package")
def many(chromium: str) -> Iterator[Sandbox]:
    """A sandbox of 100,000 assets in each catalogue."""
    with Sandbox(assets=100_000) as sandbox:
        yield sandbox


@pytest.fixture(scope="package")
def server(sandbox: Sandbox, many: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    folder = tmp_path_factory.mktemp("lab")
    # A file, so that no address or credential has to stand in a notebook that is looked through for them.
    file = folder / "many.json"
    file.write_text(json.dumps(many.environment()))
    server = JupyterServer(folder, {**sandbox.environment(), "IPYASSETS_TEST_MANY": str(file)})
    server.start()
    yield server
    left = server.stop()
    assert not left, f"JupyterLab left processes behind: {left}"


@pytest.fixture(scope="package")
def playwright(chromium: str) -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="package")
def browser(playwright: Playwright, chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with running(playwright, chromium, tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture(scope="package")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """One for all tests, so that JupyterLab's own files are fetched once."""
    context = browser.new_context(viewport={"width": 1280, "height": 860}, locale="en-US", reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture
def open_notebook(
    context: BrowserContext, server: JupyterServer, sandbox: Sandbox, request: pytest.FixtureRequest
) -> Iterator[Open]:
    """Opens a notebook made of the given cells. At the end nothing may have been said on the browser's console.

    The sandbox is as new: a product that another test had rendered turned where one without renders was expected.
    """
    sandbox.reset()
    opened: list[Notebook] = []
    name = re.sub(r"\W+", "-", request.node.name).strip("-")

    def open_cells(*sources: str, on_websocket: Callable[[WebSocket], None] | None = None) -> Notebook:
        path = server.root / f"{name}-{len(opened)}.ipynb"
        write_notebook(path, sources)
        page = context.new_page()
        if on_websocket is not None:
            page.on("websocket", on_websocket)
        notebook = Notebook(page, path)
        opened.append(notebook)
        notebook.open(server.url)
        return notebook

    yield open_cells
    failed = getattr(request.node, "failed", False)
    for notebook in opened:
        if failed:
            RESULTS.mkdir(exist_ok=True)
            notebook.page.screenshot(path=RESULTS / f"{notebook.path.stem}.png")
        notebook.page.close()
    server.shut_down_kernels()
    problems = [problem for notebook in opened for problem in notebook.problems]
    assert failed or not problems, problems


@pytest.fixture(scope="package")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The widgets over made-up kernels (js/page), as files."""
    install()
    target = tmp_path_factory.mktemp("page")
    npm, env = npm_command()
    pages = ROOT / "js" / "page"
    names = ("page", "jobs", "looks")
    scripts = [f"page/{name}.ts" for name in names]
    esbuild = ["exec", "--", "esbuild", *scripts, "--bundle", "--format=esm", f"--outdir={target}", "--log-level=error"]
    subprocess.run([*npm, *esbuild], cwd=pages.parent, env=env, check=True)
    for file in pages.glob("*.html"):
        (target / file.name).write_bytes(file.read_bytes())
    return target


@pytest.fixture
def strict(context: BrowserContext, built: Path) -> Iterator[Page]:
    """A page over made-up kernels whose server sends `POLICY`. At the end nothing may have been refused by it."""
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))

    def serve(route: Route) -> None:
        file = built / route.request.url.rpartition("/")[2].partition("?")[0]
        if file.suffix in TYPES:
            route.fulfill(path=file, headers={"Content-Security-Policy": POLICY, "Content-Type": TYPES[file.suffix]})
        else:
            route.fulfill(status=204)  # the browser asks for an icon

    page.route("http://strict.test/**", serve)
    yield page
    found = [*problems]
    compiled = page.evaluate(COMPILED)
    page.close()
    assert not found, found
    assert compiled == "EvalError"  # the policy was in force


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Tell the fixtures whether their test failed."""
    report = yield
    if report.when == "call":
        item.failed = report.failed  # type: ignore[attr-defined]
    return report  # type: ignore[return-value]
