"""Voila: the example dashboard as a page of its own."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.hosts.steps import CHAIRS, PRODUCTS
from tests.lab.explorer import GridView
from tests.lab.notebook import write_notebook
from tests.lab.server import JupyterServer
from tests.lab.test_explorer import CONNECT

pytestmark = pytest.mark.browser

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "07-dashboard.ipynb"


def test_dashboard(context: BrowserContext, server: JupyterServer) -> None:
    """Search, compare two, order a render: all on clicks, since the cells ran before anybody was there."""
    shutil.copy(NOTEBOOK, server.root)
    page = context.new_page()
    try:
        page.goto(f"{server.url}/voila/render/{NOTEBOOK.name}")
        view = GridView(page, page.locator("section.ipya-root[data-kind=explorer]"))
        view.expect_total(CHAIRS)
        view.settle()
        view.search("")
        view.expect_total(PRODUCTS)
        view.settle()
        view.tile(0).click()
        view.tile(1).click(modifiers=["ControlOrMeta"])
        expect(view.chosen).to_have_text("2 selected")
        page.get_by_role("button", name="Compare the first two").click()
        compared = page.locator("section.ipya-compare")
        expect(compared.locator(".ipya-pane-view[aria-busy=false] canvas")).to_have_count(2)
        assert compared.locator(".ipya-pane-label").all_inner_texts() == view.names[:2]
        panel = page.locator(".ipya-panel")
        expect(panel.get_by_role("button", name=re.compile("Render 2 assets"))).to_be_enabled()
        assert not page.locator(".ipya-beside").count(), "inside another widget there is no still picture"
    finally:
        page.close()
        server.shut_down_kernels()


def test_the_still_picture_stays_hidden(context: BrowserContext, server: JupyterServer) -> None:
    """Voila's pages look like nbconvert's, where the picture has to show: it stood below the living widget."""
    write_notebook(server.root / "page.ipynb", [CONNECT])
    page = context.new_page()
    try:
        page.goto(f"{server.url}/voila/render/page.ipynb")
        GridView(page).settle()
        expect(page.locator(".ipya-beside")).to_have_count(1)
        expect(page.locator(".ipya-beside")).to_be_hidden()
    finally:
        page.close()
        server.shut_down_kernels()
