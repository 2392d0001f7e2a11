"""What stands there when there is nothing to show, and the way back: by the sandbox's faults, over real HTTP."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from ipyassets.sandbox import Sandbox
from tests.lab.axe import violations
from tests.lab.conftest import Open
from tests.lab.explorer import View

pytestmark = pytest.mark.browser

EXPLORER = """\
import ipyassets as ia
ia.cache.enabled = False
services = ia.connect()
explorer = services.explore(height=360)
explorer"""


def test_a_service_that_fails_says_why_and_the_others_go_on(open_notebook: Open, sandbox: Sandbox) -> None:
    """Refused credentials, no permission, no network and pictures that break: each in words, with a way back."""
    notebook = open_notebook(EXPLORER)
    sandbox.faults.add("/vntana/.*search", status=401, count=None)
    notebook.run(0)
    view = View(notebook, 0)
    notice, strip = view.root.locator(".ipya-notice"), view.root.locator(".ipya-strip.ipya-trouble:visible")
    again = view.root.get_by_role("button", name="Try again")
    service = view.root.get_by_role("combobox", name="Service")
    found = {}

    def stands(title: str, *words: str) -> None:
        expect(notice.locator(".ipya-notice-title")).to_have_text(title)
        for text in words:
            expect(notice).to_contain_text(text)
        expect(view.grid).to_be_hidden()
        found[title] = violations(notebook.page)

    stands("VNTANA does not accept the credentials", "refused a search with 401. Check the credentials", "Scenario can")
    sandbox.faults.clear()
    again.click()
    view.settle()

    sandbox.faults.add("/imodels", status=403, count=None)
    service.select_option(label="Bentley iTwin")
    stands("Bentley iTwin does not permit this", "Ask for a role with the permission imodels_webview")
    service.select_option(label="Scenario")
    view.settle()

    sandbox.faults.clear()
    sandbox.faults.add("/vntana/.*search", kind="reset", count=None)
    service.select_option(label="VNTANA")
    notebook.theme("JupyterLab Dark")
    stands("VNTANA cannot be reached", "(the connection broke). Check the network", "Bentley iTwin and Scenario")
    sandbox.faults.clear()
    sandbox.faults.add("/vntana/.*/thumbnails/", status=400, count=None)
    view.search("bench")
    expect(strip).to_contain_text("did not load. VNTANA refused the poster of product")
    expect(view.tile(0)).to_contain_text("Not loaded")
    found["pictures"] = violations(notebook.page)
    sandbox.faults.clear()
    strip.get_by_role("button", name="Try again").click()
    view.settle()
    expect(strip).to_be_hidden()

    sandbox.faults.add("/vntana/.*/thumbnails/", status=400, count=None)
    view.tile(0).dblclick()
    expect(view.dialog.get_by_text("VNTANA refused the poster of product")).to_be_visible()
    found["large"] = violations(notebook.page)
    sandbox.faults.clear()
    view.dialog.get_by_role("button", name="Try again").click()
    expect(view.dialog.locator("img.ipya-large:not(.ipya-stand-in)")).to_be_visible()
    notebook.page.keyboard.press("Escape")
    view.search("no such thing")
    stands("No assets match", "“no such thing”")
    view.root.get_by_role("button", name="Clear search and filters").click()
    view.settle()
    assert found == {state: [] for state in found}
