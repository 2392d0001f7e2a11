"""The page that stands around a widget in VS Code and in Colab, before a real kernel.

Neither runs here. Their pages are made after what their sources and documents say: VS Code's webview with its own
variables and classes, the white box around widgets and the attributes it puts on buttons; Colab's outputs in a
sandboxed frame of another origin, without JupyterLab's variables. Neither asks the kernel for subshells.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from ipyassets.sandbox import Sandbox
from tests.hosts.plain import SCRIPT, PlainKernel
from tests.hosts.steps import walk_through
from tests.lab.explorer import GridView
from tests.lab.test_explorer import CONNECT
from tests.processes import MARK, left_behind, private_environment

pytestmark = pytest.mark.browser

DARK_MODERN: Final = {
    "editor-background": "#1f1f1f",
    "editor-foreground": "#cccccc",
    "descriptionForeground": "#9d9d9d",
    "sideBar-background": "#181818",
    "panel-border": "#2b2b2b",
    "textLink-foreground": "#4daafc",
    "editorWarning-foreground": "#cca700",
    "focusBorder": "#0078d4",
    "font-family": "system-ui",
    "font-size": "13px",
}
HIGH_CONTRAST: Final = {
    **DARK_MODERN,
    "editor-background": "#000000",
    "editor-foreground": "#ffffff",
    "descriptionForeground": "#ffffff",
    "sideBar-background": "#000000",
    "panel-border": "#6fc3df",
    "textLink-foreground": "#21a6ff",
}
VS_CODE: Final = """<!doctype html><html style="STYLE"><head><meta charset="utf-8"><style>
@layer vscode-default {
  body { background: transparent; color: var(--vscode-editor-foreground); margin: 0; padding: 0 20px; }
  img, video { max-width: 100%; max-height: 100%; }
  input:focus, select:focus { outline: 1px solid -webkit-focus-ring-color; outline-offset: -1px; }
}
.cell-output-ipywidget-background { background: white !important; }
.cell-output-ipywidget-background :is(button, input, select, [tabindex="0"]) { outline: none; }
.cell-output-ipywidget-background :is(button, input, select, [tabindex="0"]):focus {
  outline: 2px solid var(--vscode-focusBorder) !important; outline-offset: 2px !important;
}
BRIDGE
</style></head><body class="THEME" data-vscode-theme-kind="THEME"><div id="container" class="widgetarea"></div><script>
const make = (name, ...parents) => parents.reduce((at, className) => {
  const box = Object.assign(document.createElement("div"), { className });
  at.append(box);
  return box;
}, name);
const cells = new Map();
window.ipyaPlace = (cell) => {
  if (!cells.has(cell)) cells.set(cell, make(document.querySelector("#container"), "cell_container"));
  const output = make(cells.get(cell), "output_container", "output");
  const box = make(output, "cell-output-ipywidget-background");
  for (const [name, value] of [["tabindex", "0"], ["role", "region"], ["aria-label", "Interactive widget output"]])
    box.setAttribute(name, value);
  setTimeout(() => {
    for (const element of box.querySelectorAll("button:not([tabindex])")) {
      element.tabIndex = 0;
      element.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        element.click();
      });
    }
  }, 500);
  return make(box, "cell-output");
};
SCRIPT
</script></body></html>"""
BRIDGE: Final = """.cell-output-ipywidget-background {
  color: var(--vscode-editor-foreground);
  --jp-ui-font-size1: var(--vscode-font-size, 13px);
  --jp-ui-font-color1: var(--vscode-editor-foreground); --jp-ui-font-color2: var(--vscode-editor-foreground);
  --jp-ui-inverse-font-color0: #ffffff; --jp-brand-color1: var(--vscode-textLink-foreground);
  --jp-content-link-color: var(--vscode-textLink-foreground);
  --jp-border-color1: var(--vscode-panel-border); --jp-border-color2: var(--vscode-panel-border);
}"""
"""What newer versions of its Jupyter extension set; it has no background in high contrast."""
COLAB: Final = """<!doctype html><html theme="dark"><head><meta charset="utf-8"><style>
html[theme=dark] { color-scheme: dark; --colab-primary-surface-color: #383838; background: #383838; color: #d5d5d5; }
</style></head><body><div id="output-area"><div id="output-body"></div></div><script>
window.ipyaPlace = () => {
  const box = Object.assign(document.createElement("div"), { className: "output_subarea output_html" });
  document.querySelector("#output-body").append(box);
  return box;
};
SCRIPT
</script></body></html>"""
FRAMED: Final = """<!doctype html><meta charset="utf-8"><body><iframe src="ADDRESS" style="width: 100%; height: 780px"
sandbox="allow-downloads allow-forms allow-modals allow-popups allow-same-origin allow-scripts"></iframe></body>"""

CHANGE_THEME: Final = """([style, rules]) => {
  document.documentElement.style = style;
  document.body.className = "vscode-high-contrast";
  document.head.append(Object.assign(document.createElement("style"), { textContent: rules }));
}"""


@pytest.fixture
def address() -> Iterator[str]:
    """Where `COLAB` is served, by another name than the page around it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = COLAB.replace("SCRIPT", SCRIPT) if self.path == "/output" else FRAMED.replace("ADDRESS", output)
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(content.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        output = f"http://localhost:{server.server_port}/output"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def kernel(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainKernel]:
    folder = tmp_path_factory.mktemp("kernel")
    environment = {**private_environment(folder), **sandbox.environment()}
    with PlainKernel.started(folder, environment) as kernel:
        yield kernel
    assert not left_behind(environment[MARK])


@pytest.fixture
def page(context: BrowserContext, kernel: PlainKernel) -> Iterator[Page]:
    page = context.new_page()
    kernel.connect(page)
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    page.close()
    assert not [problem for problem in problems if "favicon" not in problem]


def seen(view: GridView) -> tuple[list[int], list[int]]:
    """Red, green and blue of the ground and of the text."""
    script = "(root) => [getComputedStyle(root).backgroundColor, getComputedStyle(root).color]"
    ground, ink = view.root.evaluate(f"""(root) => ({script})(root).map((colour) => {{
      const pen = new OffscreenCanvas(1, 1).getContext("2d");
      pen.fillStyle = colour;
      pen.fillRect(0, 0, 1, 1);
      return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
    }})""")
    return ground, ink


def shows_that_it_waits(kernel: PlainKernel, view: GridView) -> None:
    """While a cell runs nothing is answered: that is said, and why, and what was asked comes afterwards."""
    view.search("")
    view.expect_total("87 assets")
    view.settle()
    cell = kernel.start("import pathlib, time\nwhile not pathlib.Path('go').exists(): time.sleep(0.05)")
    view.scroll_to(1)
    expect(view.root.get_by_text("The kernel is busy with a cell.")).to_be_visible()
    expect(view.root.get_by_role("button", name="Ask again")).to_be_hidden()
    assert kernel.running(cell)
    kernel.folder.joinpath("go").touch()
    kernel.finish(view.page, cell)
    view.settle()
    expect(view.root.get_by_text("The kernel is busy with a cell.")).to_be_hidden()


def test_vs_code(page: Page, kernel: PlainKernel) -> None:
    style = "; ".join(f"--vscode-{name}: {value}" for name, value in DARK_MODERN.items())
    page.set_content(
        VS_CODE.replace("STYLE", style).replace("THEME", "vscode-dark").replace("BRIDGE", "").replace("SCRIPT", SCRIPT)
    )
    kernel.run(page, CONNECT)
    view = GridView(page)
    walk_through(view)
    assert seen(view) == ([31, 31, 31], [204, 204, 204]), "as the editor, although the system is light"
    expect(page.locator(".ipya-beside")).to_be_hidden()
    kernel.run(page, "assert len(explorer.selection) == 2")
    view.root.get_by_role("button", name="Clear selection").focus()
    page.keyboard.press("Enter")
    expect(view.chosen).to_have_text("")
    shows_that_it_waits(kernel, view)

    contrast = "; ".join(f"--vscode-{name}: {value}" for name, value in HIGH_CONTRAST.items())
    page.evaluate(CHANGE_THEME, [contrast, BRIDGE])
    assert seen(view) == ([0, 0, 0], [255, 255, 255]), "text was white on white: the bridge has no background there"


def test_colab(page: Page, kernel: PlainKernel, address: str) -> None:
    page.goto(address)
    frame = next(frame for frame in page.frames if frame.url.endswith("/output"))
    kernel.run(page, CONNECT)
    view = GridView(frame)
    walk_through(view)
    assert seen(view)[0] == [30, 30, 30], "dark as the page, although the system is light"
    expect(frame.locator(".ipya-beside")).to_be_hidden()
    picking = kernel.start("picked = await explorer.pick()\nassert len(picked) == 2")
    view.root.get_by_role("button", name="Use selection").click()
    kernel.finish(page, picking)
