"""The Explorer in JupyterLab: what a person sees and does, and what of it reaches Python."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from ipyassets.sandbox import Sandbox
from tests.lab.conftest import Open
from tests.lab.explorer import View

pytestmark = pytest.mark.browser

CONNECT = "import ipyassets as ia\nservices = ia.connect()\nexplorer = services.explore()\nexplorer"


def test_shows_decoded_pictures(open_notebook: Open) -> None:
    """An `img` in place and no error is not yet a picture: what the browser decoded is compared with Python's own."""
    notebook = open_notebook(CONNECT)
    notebook.run(0)
    view = View(notebook, 0)
    seen = view.settle()
    assert len(seen) >= 8
    assert sum(tile["width"] > 0 for tile in seen) >= 8
    found = notebook.value("[asset.name for asset in services.vntana.search()[:8]]")
    assert view.names[:8] == found
    notebook.execute(
        "def pixels(asset):\n"
        "    image = asset.poster(width=512).convert('RGB').resize((8, 8), 4)\n"
        "    return [value for pixel in image.getdata() for value in pixel]"
    )
    for place in (0, 3):
        ours = view.pixels(place, 8)
        theirs = notebook.value(f"pixels(services.vntana.search()[{place}])")
        coloured = [value for n, value in enumerate(ours) if n % 4 != 3]
        assert sum(abs(a - b) for a, b in zip(coloured, theirs, strict=True)) / len(theirs) < 12


def test_no_address_reaches_the_browser(open_notebook: Open, sandbox: Sandbox) -> None:
    """Pictures come as bytes over the kernel's connection: signed addresses stay in Python."""
    notebook = open_notebook(CONNECT)
    asked: list[str] = []
    notebook.page.on("request", lambda request: asked.append(request.url))
    notebook.run(0)
    view = View(notebook, 0)
    seen = view.settle()
    assert all(tile["url"].startswith("data:image/") for tile in seen if tile["url"])
    assert not [url for url in asked if not url.startswith(("blob:", "data:", notebook.server_url))]
    assert sandbox.origin not in notebook.page.content()


def test_search_changes_pictures_and_count(open_notebook: Open) -> None:
    """The words typed last win, the count follows, and no match says so and offers the way back."""
    notebook = open_notebook(CONNECT)
    notebook.run(0)
    view = View(notebook, 0)
    before = [tile["name"] for tile in view.settle()]
    everything = notebook.value("services.vntana.search().total")
    view.expect_total(f"{everything} assets")

    view.search_box.press_sequentially("chair", delay=30)
    chairs = notebook.value("services.vntana.search('chair').total")
    assert 1 < chairs < everything
    view.expect_total(f"{chairs} assets")
    after = [tile["name"] for tile in view.settle()]
    assert after != before
    assert after[: min(chairs, 4)] == notebook.value("[a.name for a in services.vntana.search('chair')[:4]]")

    view.search("no such thing anywhere")
    expect(view.root.get_by_text("No assets match")).to_be_visible()
    view.root.get_by_role("button", name="Clear search and filters").click()
    view.expect_total(f"{everything} assets")
    assert [tile["name"] for tile in view.settle()] == before


def test_services_are_chosen(open_notebook: Open) -> None:
    """One widget over three services: each has its own pictures, orders and places."""
    notebook = open_notebook(CONNECT)
    notebook.run(0)
    view = View(notebook, 0)
    view.settle()
    service = view.root.get_by_role("combobox", name="Service")
    for name in ("itwin", "scenario"):
        service.select_option(label=notebook.value(f"services.{name}.core.title"))
        total = notebook.value(f"services.{name}.search().total")
        if total is not None:
            view.expect_total(f"{total} assets")
        expect(view.tile(0)).to_contain_text(notebook.value(f"services.{name}.search()[0].name"))
        assert view.settle()[0]["width"] > 0


def test_selection_both_ways(open_notebook: Open) -> None:
    """Click, Ctrl and Shift as in every file browser; Python sees it, selects itself, and gets the images."""
    notebook = open_notebook(CONNECT, "explorer.images(width=512)", "images = explorer.images(width=512)")
    notebook.run(0)
    view = View(notebook, 0)
    view.settle()
    names = notebook.value("[asset.name for asset in services.vntana.search()[:10]]")
    notebook.expect_value("len(explorer.selection)", 0)

    view.tile(1).click()
    view.expect_selected(1)
    notebook.expect_value("[asset.name for asset in explorer.selection]", [names[1]])

    view.tile(4).click(modifiers=["Shift"])
    view.expect_selected(1, 2, 3, 4)
    notebook.expect_value("[asset.name for asset in explorer.selection]", names[1:5])

    view.tile(2).click(modifiers=["ControlOrMeta"])
    view.expect_selected(1, 3, 4)
    expect(view.chosen).to_have_text("3 selected")
    notebook.expect_value("[asset.name for asset in explorer.selection]", [names[1], names[3], names[4]])

    notebook.run(1, 2)
    widths = notebook.value("[image.width for image in images]")
    assert len(widths) == 3
    assert max(widths) <= 512
    assert notebook.value("[type(image).__module__.split('.')[0] for image in images]") == ["PIL"] * 3

    notebook.execute("seen = []\nexplorer.observe(lambda change: seen.append(len(change['new'])), 'selection')")
    notebook.execute("explorer.selection = services.vntana.search()[5:7]")
    view.expect_selected(5, 6)
    view.tile(0).click()
    view.expect_selected(0)
    notebook.expect_value("seen", [2, 1])


def test_detail_opens_and_closes(open_notebook: Open) -> None:
    """The large picture with the metadata, step by step through the list, and the focus back where it was."""
    notebook = open_notebook(CONNECT)
    notebook.run(0)
    view = View(notebook, 0)
    view.settle()
    view.tile(0).dblclick()
    expect(view.dialog).to_be_visible()
    large = view.dialog.locator("img.ipya-large:not(.ipya-stand-in)")
    expect(large).to_be_visible()
    assert large.evaluate("async (image) => { await image.decode(); return image.naturalWidth; }") > 320
    first, second = notebook.value("[asset.name for asset in services.vntana.search()[:2]]")
    expect(view.dialog.get_by_role("heading")).to_have_text(first)
    identifier = notebook.value("services.vntana.search()[0].id")
    expect(view.dialog.get_by_text(identifier)).to_be_visible()
    view.page.keyboard.press("ArrowRight")
    expect(view.dialog.get_by_role("heading")).to_have_text(second)
    view.dialog.get_by_role("button", name="Close").click()
    expect(view.dialog).to_be_hidden()
    assert view.focused == 1


def test_pick_resolves_on_the_button(open_notebook: Open) -> None:
    """A cell may wait for a person: the next line has what was chosen."""
    notebook = open_notebook(CONNECT, "picked = await explorer.pick()\n[asset.name for asset in picked]")
    notebook.run(0)
    view = View(notebook, 0)
    view.settle()
    notebook.start(1)
    use = view.root.get_by_role("button", name="Use selection")
    expect(use).to_be_visible()
    expect(use).to_be_disabled()
    view.tile(2).click()
    use.click()
    notebook.finish(1)
    assert not notebook.errors(1)
    assert notebook.value("[asset.name for asset in picked]") == notebook.value("[services.vntana.search()[2].name]")
    expect(use).to_be_hidden()


def test_two_views_of_one_widget(open_notebook: Open) -> None:
    """A second view gets no other view's answers, shows the same, and stays when the first is gone."""
    notebook = open_notebook(CONNECT, "explorer", "pass")
    notebook.run(0, 1)
    views = [View(notebook, 0), View(notebook, 1)]
    everything = [view.settle() for view in views]
    assert everything[0][0]["name"] == everything[1][0]["name"]

    views[0].search("chair")
    chairs = notebook.value("services.vntana.search('chair').total")
    for view in views:
        view.expect_total(f"{chairs} assets")
        view.settle()
    expect(views[1].search_box).to_have_value("chair")
    views[1].tile(1).click()
    for view in views:
        view.expect_selected(1)

    notebook.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets[0].outputArea.model.clear()")
    expect(views[0].root).to_have_count(0)
    views[1].search("")
    views[1].expect_total(f"{notebook.value('services.vntana.search().total')} assets")
    views[1].settle()
    views[1].tile(0).click()
    views[1].expect_selected(0)


def test_detail_goes_on_where_the_list_grows(open_notebook: Open) -> None:
    """iModels come page by page without a count; the large view stopped at what the grid had happened to fetch."""
    notebook = open_notebook(
        "import ipyassets as ia\n"
        "itwin = ia.connect().itwin\n"
        "search = itwin.core.search\n"
        "itwin.core.search = lambda *words, **more: search(*words, **{**more, 'page_size': 5})\n"
        "explorer = ia.Explorer(itwin, height=200)\n"
        "explorer"
    )
    notebook.run(0)
    view = View(notebook, 0)
    view.settle()
    view.tile(0).dblclick()
    expect(view.dialog).to_be_visible()
    following = view.dialog.get_by_role("button", name="Next")
    for _ in range(17):
        following.click()
    expect(view.dialog.get_by_text("18 / 18", exact=True)).to_be_visible()
    expect(following).to_be_disabled()
