"""A page of its own, opened as by double click: from the disk, with the network off."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import ipyassets as ia
from ipyassets.sandbox import Sandbox
from tests.collections.test_asset_list import listed
from tests.fakes import MemoryRenders
from tests.pages import WrittenPage

pytestmark = pytest.mark.browser

EVIL = "<img src=x onerror=document.title='taken'></script><script>document.title='taken'</script>"
BROKEN_RULES = """() => {
  window.broken = [];
  document.addEventListener('securitypolicyviolation', (event) => window.broken.push(event.violatedDirective));
}"""
SHOWN = "() => document.querySelector('.ipya-turn canvas').toDataURL()"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Nothing is open yet; at the end nothing may have been asked of anybody, or said on the console."""
    context = browser.new_context(viewport={"width": 900, "height": 700}, reduced_motion="reduce", locale="en-US")
    context.set_offline(True)
    context.add_init_script(f"({BROKEN_RULES})()")
    page = context.new_page()
    problems: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    yield page
    assert problems == []
    assert page.evaluate("window.broken") == []
    assert [url for url in asked if not url.startswith(("data:", "blob:null/"))] == [page.url]
    context.close()


def names(page: Page) -> list[str]:
    return page.locator(".ipya-tile .ipya-caption").all_inner_texts()


def test_the_page_of_a_search_needs_nobody(page: Page, tmp_path: Path) -> None:
    """Search, the large view and a turn, by keyboard alone, and a name that would like to be a program."""
    service = MemoryRenders(30)
    service.made("asset-4", "turntable")
    service.posters["asset-5"] = None
    service.posters["asset-6"] = ia.BadResponse("no")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = listed(service).to_html(tmp_path / "page.html", title=EVIL)
    page.goto(path.as_uri())
    expect(page.get_by_role("heading")).to_have_text(EVIL)
    expect(page.get_by_text("1 picture could not be loaded: asset-6.")).to_be_visible()
    expect(page.get_by_text("30 assets")).to_be_visible()
    expect(page.locator(".ipya-image").first).to_be_visible()
    assert page.locator(".ipya-image").first.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 64

    page.get_by_role("searchbox").press_sequentially("ASSET-4")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 asset", exact=True)).to_be_visible()
    expect(page.locator(".ipya-tile[data-state=ok]")).to_have_count(1)
    assert names(page) == ["asset-4"]
    for _ in range(4):
        if page.evaluate("document.activeElement.getAttribute('role')") == "gridcell":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("t")
    expect(page.locator(".ipya-turn canvas")).to_be_visible()
    before = page.evaluate(SHOWN)
    page.keyboard.press("t")  # with less motion each press turns it a little
    page.wait_for_function(f"(before) => ({SHOWN})() !== before", arg=before)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".ipya-large:not(.ipya-stand-in)")).to_be_visible()
    expect(dialog.get_by_text("asset-4", exact=True)).to_have_count(2)
    expect(dialog.get_by_role("button", name="Select")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.get_by_role("searchbox").fill("nothing like it")
    expect(page.get_by_text("No assets match")).to_be_visible()
    page.get_by_role("button", name="Clear search").click()
    expect(page.get_by_text("30 assets")).to_be_visible()
    page.locator(".ipya-tile").nth(2).click()
    expect(dialog.get_by_text("asset-2", exact=True)).to_have_count(2)
    assert page.title() == EVIL


def test_a_page_holds_nothing_that_opens_an_account(page: Page, sandbox: Sandbox, tmp_path: Path) -> None:
    """It is sent to people who have no account: what is in it must not lend them ours."""
    services = sandbox.connection_info()
    secrets = {value for service in services.values() if isinstance(service, dict) for value in service.values()}
    kept = {str(value) for value in secrets if len(str(value)) > 6}
    clients = [sandbox.vntana(), sandbox.itwin(), sandbox.scenario()]
    for number, client in enumerate(clients):
        path = client.search().to_html(tmp_path / f"{number}.html", limit=8)
        source = path.read_text(encoding="utf-8")
        written = WrittenPage(path)
        assert len(written.entries) == 8
        texts = [source, *(str(block) for entry in written.entries for block in entry.blocks)]
        for text in texts:
            assert not [secret for secret in kept if secret in text]
            for sign in ("bearer ", "x-goog-", "x-amz-", "key-pair-id", "policy=", "signature=", sandbox.origin):
                assert sign not in text.lower(), sign
        assert not re.search(r"eyJ[\w-]{8,}\.[\w-]{8,}\.", source), "a token"
        assert not re.findall(r"[\w.+-]+@[\w-]+\.[a-z]{2,}", source), "an address of a person"
        client.close()
    page.goto((tmp_path / "0.html").as_uri())
    expect(page.locator(".ipya-tile[data-state=ok]")).to_have_count(8)
