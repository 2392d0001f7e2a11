"""What is left when the kernel is gone or only the file remains."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from ipyassets.sandbox import Sandbox
from tests.lab.conftest import Open
from tests.lab.explorer import View
from tests.lab.test_explorer import CONNECT

pytestmark = pytest.mark.browser

SECRETS = ("email", "password", "personal_access_token", "token", "client_secret", "api_key", "api_secret")


def test_kernel_shut_down(open_notebook: Open) -> None:
    """With the kernel gone the pictures stay, a plain line says what happened, and the cell brings all of it back."""
    notebook = open_notebook(CONNECT)
    notebook.run(0)
    view = View(notebook, 0)
    before = view.settle()
    notebook.shut_down_kernel()
    view.search("chair")
    expect(view.root.get_by_text("The kernel is gone. Run the cell again to bring this widget back.")).to_be_visible()
    view.tile(0).click()
    assert [tile["url"] for tile in view.seen] == [tile["url"] for tile in before]
    view.tile(1).dblclick()
    expect(view.dialog).to_be_visible()
    view.page.keyboard.press("Escape")

    notebook.page.evaluate("() => window.jupyterapp.shell.currentWidget.context.sessionContext.restartKernel()")
    notebook.run(0)
    assert View(notebook, 0).settle()[0]["name"] == before[0]["name"]


def test_saved_notebook_is_small_and_keeps_no_secret(open_notebook: Open, sandbox: Sandbox) -> None:
    """A notebook is shared: pictures seen while scrolling do not swell it, and nothing in it opens an account."""
    notebook = open_notebook(
        CONNECT,
        "services.vntana.search('chair')",
        "explorer.images(width=256)",
        "services, services.vntana, services.scenario.search()[0], services.scenario.search()[0].raw.keys()",
    )
    notebook.run(0)
    view = View(notebook, 0)
    view.settle()
    view.scroll_to(1)
    view.settle()
    view.scroll_to(0)
    view.settle()
    view.tile(0).click()
    view.expect_selected(0)
    notebook.run(1, 2, 3)
    saved = notebook.save()
    assert len(saved) < 400_000
    values = {
        value
        for service in sandbox.connection_info().values()
        for name, value in service.items()
        if name in SECRETS or name.endswith("uuid")
    }
    assert not [value for value in values if value in saved]
    for sign in ("signature", "x-amz-", "key-pair-id", "bearer ", sandbox.origin):
        assert sign not in saved.lower(), sign
    # What an ipykernel newer than the server says of itself is an output too, without data.
    shown = [output for output in notebook.outputs(0) if "data" in output]
    widgets = [output for output in shown if "application/vnd.jupyter.widget-view+json" in output["data"]]
    assert len(json.dumps(widgets)) < 20_000
