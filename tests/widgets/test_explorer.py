"""The Explorer's Python half, asked as the browser asks."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import traitlets

from ipyassets.collections.asset_list import AssetList
from ipyassets.collections.assets import Asset
from ipyassets.errors import (
    AssetServiceError,
    AuthenticationError,
    BadResponse,
    InvalidRequest,
    PermissionDenied,
    RateLimited,
    ServiceUnavailable,
)
from ipyassets.widgets import Explorer
from tests.fakes import MemoryService, picture
from tests.widgets.browser import Browser
from tests.widgets.conftest import Shop

Page = Callable[..., Browser]


def query(text: str = "", *, service: str = "shop", place: str | None = None, sort: str | None = None, **filters):
    return {"service": service, "place": place, "text": text, "filters": filters, "sort": sort}


def names(assets: AssetList) -> list[str]:
    return [asset.name for asset in assets]


# -- tiles ------------------------------------------------------------------------------------------------------------


def test_tiles_come_with_names_and_pictures(page: Page):
    browser = page(Explorer(Shop()))
    answer = browser.ask("tiles", generation=1, ranges=[[0, 19], [60, 61]], edge=192)
    assert answer.last["op"] == "reply"
    assert sorted(answer.tiles) == [*range(20), 60, 61]
    tile = answer.tiles[7]
    assert (tile["name"], tile["state"], tile["mime"], tile["width"], tile["height"]) == (
        "asset-7",
        "ok",
        "image/png",
        64,
        48,
    )
    assert tile["content"] == picture(colour=7), "small pictures pass through as they came"


def test_many_pictures_share_few_messages(page: Page):
    """One message of 200 pictures is some thirty times cheaper than 200 messages of one."""
    browser = page(Explorer(Shop(200)))
    answer = browser.ask("tiles", generation=1, ranges=[[0, 199]], edge=192)
    assert len(answer.tiles) == 200
    assert len(answer) < 40


def test_no_poster_and_a_bad_one_are_told_apart(page: Page):
    shop = Shop()
    shop.posters = {
        "asset-1": None,
        "asset-2": b"<html>no</html>",
        "asset-3": BadResponse("It is too large.", advice=""),
    }
    browser = page(Explorer(shop))
    tiles = browser.ask("tiles", generation=1, ranges=[[0, 3]], edge=192).tiles
    assert [tiles[i]["state"] for i in range(4)] == ["ok", "none", "error", "error"]
    assert "HTML page" in tiles[2]["message"]
    assert tiles[3]["message"] == "It is too large."


def test_a_drawing_is_never_shown(page: Page):
    """An SVG is a document with scripts in it, whatever type the service claims for it."""
    shop = Shop()
    shop.posters = {"asset-0": b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>"}
    tile = page(Explorer(shop)).ask("tiles", generation=1, ranges=[[0, 0]], edge=192).tiles[0]
    assert tile["state"] == "error"
    assert tile["content"] is None


def test_the_names_come_before_slow_pictures(page: Page):
    shop = Shop()
    gate = asyncio.Event()
    shop.before_poster = lambda _: gate.wait()
    browser = page(Explorer(shop))
    request = browser.begin("tiles", generation=1, ranges=[[0, 4]], edge=192)
    browser.until(lambda: len(browser.heard(request).tiles) == 5)
    assert {tile["state"] for tile in browser.heard(request).tiles.values()} == {"wait"}
    from ipyassets.http import loop

    loop.loop().call_soon_threadsafe(gate.set)
    assert {tile["state"] for tile in browser.answer(request).tiles.values()} == {"ok"}


def test_what_scrolled_away_is_called_off(page: Page):
    shop = Shop()
    started, ended = threading.Event(), threading.Event()

    async def hang() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    shop.before_poster = lambda _: hang()
    browser = page(Explorer(shop))
    request = browser.begin("tiles", generation=1, ranges=[[0, 0]], edge=192)
    assert started.wait(10)
    browser.send({"op": "cancel", "requests": [request, "never-asked"]})
    assert ended.wait(10), "the fetch goes on although nobody wants it"
    browser.until(lambda: not browser.widget._tasks)
    assert all(content["op"] == "part" for content, _ in browser.heard(request))


def test_an_older_result_gives_no_tiles(page: Page):
    browser = page(Explorer(Shop()))
    browser.ask("search", query=query("asset-1"))
    answer = browser.ask("tiles", generation=1, ranges=[[0, 5]], edge=192)
    assert answer.last["op"] == "error"
    assert not answer.tiles


def test_a_list_that_is_walked_grows_as_it_is_looked_at(page: Page):
    browser = page(Explorer(Shop(130, numbered=False)))
    result = browser.trait("_result")
    assert (result["count"], result["total"], result["ended"]) == (50, None, False)
    tiles = browser.ask("tiles", generation=1, ranges=[[40, 69]], edge=192).tiles
    assert max(tiles) == 69
    assert browser.trait("_result")["count"] == 100
    browser.ask("tiles", generation=1, ranges=[[100, 160]], edge=192)
    result = browser.trait("_result")
    assert (result["count"], result["ended"], result["state"]) == (130, True, "ready")


def test_detail_tells_what_is_known_and_no_address(page: Page):
    shop = Shop()
    explorer = Explorer(shop)
    make = shop.make

    def with_link(name: str):
        from dataclasses import replace

        return replace(make(name), attributes={"previewUrl": "https://cdn.example/a?signature=secret", "widthCm": 40})

    shop.make = with_link
    explorer.query = "asset"
    browser = page(explorer)
    answer = browser.ask("detail", generation=browser.generation, index=3, edge=1024)
    detail = answer.last["detail"]
    facts = dict(detail["facts"])
    assert detail["name"] == "asset-3"
    assert (facts["Status"], facts["Created"], facts["Width Cm"]) == ("LIVE", "2024-01-01 00:00 UTC", "40")
    assert "secret" not in str(answer)
    assert answer[-1][1] == [picture(colour=3)]


def test_detail_of_the_last_known_asset_finds_out_whether_there_are_more(page: Page):
    """In a list that grows as it is walked, the large view ended at what the grid had happened to fetch."""
    explorer = Explorer(Shop(120, numbered=False))
    browser = page(explorer)
    assert browser.ready()["count"] == 50
    browser.ask("detail", generation=browser.generation, index=49, edge=1024)
    assert browser.until(lambda: browser.trait("_result")["count"] == 100)
    assert not browser.trait("_result")["ended"]


def test_detail_beyond_the_end_is_refused(page: Page):
    answer = page(Explorer(Shop(3))).ask("detail", generation=1, index=99, edge=1024)
    assert answer.last["op"] == "error"


# -- searching --------------------------------------------------------------------------------------------------------


def test_a_search_from_the_browser(page: Page):
    shop = Shop()
    browser = page(Explorer(shop))
    reply = browser.ask("search", query=query("asset-1", sort="name", status=["LIVE"], tag="x", public=True)).last
    assert browser.ready() == {
        "generation": reply["generation"],
        "state": "ready",
        "count": 11,
        "total": 11,
        "ended": True,
        "message": None,
    }
    assert shop.asked[-1] == {
        "text": "asset-1",
        "workspace": None,
        "sort": "name",
        "status": ["LIVE"],
        "tag": "x",
        "public": True,
    }
    assert browser.widget.query == "asset-1"
    assert len(browser.widget.assets) == 11


def test_a_search_from_python(page: Page):
    browser = page(Explorer(Shop()))
    browser.widget.query = "asset-8"
    assert browser.ready()["count"] == 8
    assert browser.trait("_query")["text"] == "asset-8"


def test_the_last_of_two_searches_wins(page: Page):
    shop = Shop()
    browser = page(Explorer(shop))
    browser.ask("search", query=query("asset-1"))
    browser.ask("search", query=query("asset-2"))
    assert browser.ready()["generation"] == 3
    assert names(browser.widget.assets)[0] == "asset-2"


def test_a_failed_search_says_so_and_can_be_retried(page: Page):
    shop = Shop()
    shop.broken_pages[0] = ServiceUnavailable("Shop did not answer in 30 s.")
    search = MemoryService.search
    shop.search = lambda text="", **_: search(shop, text)
    explorer = Explorer(shop)
    browser = page(explorer)
    assert browser.ready()["state"] == "error"
    assert browser.ready()["message"] == "Shop did not answer in 30 s."
    with pytest.raises(ServiceUnavailable):
        explorer.assets  # noqa: B018
    assert repr(explorer) == "Explorer(Shop: the search failed, 0 selected)"
    shop.broken_pages.clear()
    browser.ask("search", query=query())
    assert browser.ready()["state"] == "ready"


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (AuthenticationError("Refused.", status=401), "credentials"),
        (PermissionDenied("Refused.", status=403), "permission"),
        (RateLimited("Wait.", status=429), "limit"),
        (ServiceUnavailable("It broke.", status=503), "unavailable"),
        (ServiceUnavailable("Nobody is there."), "offline"),
        (BadResponse("No JSON."), "other"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_browser_is_told_what_kind_of_error_it_is(page: Page, error: AssetServiceError, trouble: str):
    shop = Shop()
    shop.broken_pages[0] = error
    search = MemoryService.search
    shop.search = lambda text="", **_: search(shop, text)
    result = page(Explorer(shop)).ready()
    assert (result["state"], result["trouble"], result["message"]) == ("error", trouble, str(error))


def test_a_search_that_makes_no_sense_is_an_answer_too(page: Page):
    """The words stay in the box: what is refused is the search, not the message."""
    browser = page(Explorer(Shop()))
    browser.ask("search", query=query("forbidden"))
    assert browser.ready()["message"] == "This word is not allowed."
    assert browser.trait("_query")["text"] == "forbidden"


def test_where_a_workspace_is_needed_the_first_is_shown(page: Page):
    shop = Shop(needs_place=True)
    browser = page(Explorer(shop))
    assert browser.ready()["count"] == 87
    assert browser.trait("_query")["place"] == "room-1"
    assert shop.asked[-1]["workspace"] == "room-1"


def test_places_are_told(page: Page):
    browser = page(Explorer(Shop()))
    places = browser.until(lambda: browser.trait("_places").get("shop"))
    assert places["items"] == [{"value": "room-1", "label": "Kitchen"}, {"value": "room-2", "label": "Hall"}]


def test_several_services_and_two_of_one_kind(page: Page):
    browser = page(Explorer(Shop(5), MemoryService(7), Shop(3)))
    described = browser.trait("_setup")["services"]
    assert [(entry["key"], entry["title"]) for entry in described] == [
        ("shop", "Shop"),
        ("memory", "Memory"),
        ("shop-2", "Shop (2)"),
    ]
    browser.ask("search", query=query(service="memory"))
    assert browser.ready()["count"] == 7
    assert repr(browser.widget) == "Explorer(Shop, Memory, Shop (2): 7 assets in Memory, 0 selected)"


def test_an_explorer_wants_clients():
    with pytest.raises(TypeError, match="at least one client"):
        Explorer()
    with pytest.raises(TypeError, match="got str"):
        Explorer("vntana")


# -- selecting --------------------------------------------------------------------------------------------------------


def test_a_selection_from_the_browser_reaches_python(page: Page):
    browser = page(Explorer(Shop()))
    seen: list[list[str]] = []
    browser.widget.observe(lambda change: seen.append(names(change.new)), names="selection")
    assert browser.ask("select", generation=1, ranges=[[2, 3], [70, 70]]).last["op"] == "reply"
    assert names(browser.widget.selection) == ["asset-2", "asset-3", "asset-70"]
    assert seen == [["asset-2", "asset-3", "asset-70"]]
    assert len(browser.widget.images(width=32)) == 3


def test_a_selection_of_100_000_is_one_range_and_fetches_nothing(page: Page):
    shop = Shop(100_000)
    browser = page(Explorer(shop))
    pages = len(shop.pages)
    browser.ask("select", generation=1, ranges=[[0, 99_999]])
    assert len(browser.widget.selection) == 100_000
    assert browser.trait("_selection")["ranges"] == ((0, 99_999),)
    assert len(shop.pages) == pages
    assert browser.widget.selection[99_999].name == "asset-99999"


def test_a_selection_from_python_reaches_the_browser(page: Page):
    explorer = Explorer(Shop())
    explorer.selection = explorer.assets[10:13]
    browser = page(explorer)
    browser.selection((10, 12))
    explorer.selection = [explorer.assets[5], explorer.assets[80]]
    assert browser.selection((5, 5), (80, 80))["outside"] == 0
    explorer.selection = explorer.assets
    browser.selection((0, 86))
    explorer.selection = None
    browser.selection()
    assert names(explorer.selection) == []


def test_assets_of_elsewhere_stay_selected_and_are_counted(page: Page):
    shop, other = Shop(), MemoryService(1_000)
    explorer = Explorer(shop)
    browser = page(explorer)
    stranger = Asset(other.make("asset-999"), other)
    explorer.selection = [explorer.assets[4], stranger]
    assert browser.selection((4, 4))["outside"] == 1
    assert repr(explorer) == "Explorer(Shop: 87 assets, 2 selected)"


def test_a_new_search_forgets_the_selection(page: Page):
    browser = page(Explorer(Shop()))
    browser.ask("select", generation=1, ranges=[[0, 5]])
    seen: list[int] = []
    browser.widget.observe(lambda change: seen.append(len(change.new)), names="selection")
    browser.ask("search", query=query("asset-7"))
    assert browser.trait("_selection") == {"generation": 2, "ranges": [], "outside": 0}
    assert len(browser.widget.selection) == 0
    assert seen == [0]
    assert browser.ask("select", generation=1, ranges=[[0, 5]]).last["op"] == "error"


def test_a_selection_is_made_of_assets(page: Page):
    explorer = page(Explorer(Shop())).widget
    for nonsense in ("asset-1", [1, 2], 7):
        with pytest.raises(traitlets.TraitError, match="AssetList"):
            explorer.selection = nonsense


# -- forged messages --------------------------------------------------------------------------------------------------

FORGED = [
    None,
    "tiles",
    [],
    {},
    {"op": "tiles"},
    {"op": "explode", "request": "r"},
    {"op": "tiles", "request": 7, "generation": 1, "ranges": [], "edge": 192},
    {"op": "tiles", "request": "r", "generation": "1", "ranges": [], "edge": 192},
    {"op": "tiles", "request": "r", "generation": True, "ranges": [], "edge": 192},
    {"op": "tiles", "request": "r", "generation": 1, "ranges": [[0, 10**9]], "edge": 192},
    {"op": "tiles", "request": "r", "generation": 1, "ranges": [[-1, 3]], "edge": 192},
    {"op": "tiles", "request": "r", "generation": 1, "ranges": [[5, 3]], "edge": 192},
    {"op": "tiles", "request": "r", "generation": 1, "ranges": [[0, 1.5]], "edge": 192},
    {"op": "tiles", "request": "r", "generation": 1, "ranges": [[0]], "edge": 192},
    {"op": "tiles", "request": "r", "generation": 1, "ranges": {"0": 1}, "edge": 192},
    {"op": "tiles", "request": "r", "generation": 1, "ranges": [[0, 3]], "edge": 100_000},
    {"op": "tiles", "request": "r", "generation": 1, "ranges": [[0, 3]]},
    {"op": "select", "request": "r", "generation": 1, "ranges": [[0, 2**80]]},
    {"op": "select", "request": "r", "generation": 1, "ranges": [[0, 0]] * 20_001},
    {"op": "detail", "request": "r", "generation": 1, "index": None, "edge": 512},
    {"op": "search", "request": "r", "query": None},
    {"op": "search", "request": "r", "query": query(service="elsewhere")},
    {"op": "search", "request": "r", "query": query("x" * 2_000)},
    {"op": "search", "request": "r", "query": query(secret="x")},
    {"op": "search", "request": "r", "query": query(status="LIVE")},
    {"op": "search", "request": "r", "query": query(status=["NOT_OFFERED"])},
    {"op": "search", "request": "r", "query": query(tag=["a"])},
    {"op": "search", "request": "r", "query": query(public="yes")},
    {"op": "search", "request": "r", "query": query(sort="password")},
    {"op": "search", "request": "r", "query": {**query(), "filters": []}},
    {"op": "cancel", "requests": "all"},
    {"op": "use", "request": "r"},
]


@pytest.mark.parametrize("content", FORGED, ids=repr)
def test_a_forged_message_is_refused_in_words(page: Page, content: object):
    browser = page(Explorer(Shop()))
    before = (browser.trait("_query"), browser.trait("_selection"))
    count = len(browser.comm.messages)
    browser.send(content)
    data, _ = browser.until(lambda: browser.comm.messages[count:])[0]
    assert data["content"]["op"] == "error"
    assert data["content"]["message"]
    assert (browser.trait("_query"), browser.trait("_selection")) == before
    assert browser.ask("hello").last["op"] == "reply"


def test_the_browser_writes_no_trait(page: Page):
    browser = page(Explorer(Shop()))
    before = browser.widget.get_state()
    data = {"method": "update", "state": {"_result": 7, "_esm": "alert(1)", "_query": {}}, "buffer_paths": []}
    browser.comm.handle_msg({"content": {"data": data, "comm_id": browser.comm.comm_id}, "buffers": []})
    assert browser.widget.get_state() == before


def test_too_many_requests_are_refused(page: Page):
    shop = Shop()
    shop.before_poster = lambda _: asyncio.Event().wait()
    browser = page(Explorer(shop))
    requests = [browser.begin("tiles", generation=1, ranges=[[0, 0]], edge=192) for _ in range(201)]
    assert browser.answer(requests[-1]).last["op"] == "error"


def test_says_whether_it_waits_for_cells(page: Page):
    """Kernels without subshells handle messages where cells run: the browser is to know why it waits."""
    browser = page(Explorer(Shop()))
    assert browser.ask("hello").last["waits"] is True
    asked: list[str] = []
    beside = threading.Thread(target=lambda: asked.append(browser.begin("hello")))
    beside.start()
    beside.join()
    assert browser.answer(asked[0]).last["waits"] is False


# -- picking ----------------------------------------------------------------------------------------------------------


async def test_pick_gives_what_the_person_uses(page: Page):
    browser = page(Explorer(Shop()))
    browser.ask("hello")
    browser.widget._displayed = True
    picking = asyncio.ensure_future(browser.widget.pick())
    await asyncio.to_thread(browser.until, lambda: browser.trait("_picking"))
    await asyncio.to_thread(browser.ask, "select", generation=1, ranges=[[1, 2]])
    await asyncio.to_thread(browser.ask, "use")
    assert names(await picking) == ["asset-1", "asset-2"]
    assert browser.trait("_picking") is False
    assert browser.ask("use").last["op"] == "error"


async def test_pick_gives_up_in_time(page: Page):
    browser = page(Explorer(Shop()))
    browser.ask("hello")
    browser.widget._displayed = True
    with pytest.raises(TimeoutError):
        await browser.widget.pick(timeout=0.01)
    assert browser.trait("_picking") is False


async def test_pick_says_where_no_choice_can_be_heard(page: Page, monkeypatch: pytest.MonkeyPatch):
    """ipykernel 6 takes clicks only between cells: a cell that awaited one waited for ever, and nothing said why."""
    browser = page(Explorer(Shop()))
    browser.ask("hello")
    browser.widget._displayed = True
    later: list[Callable[[], None]] = []
    running = asyncio.get_running_loop()
    call_later = running.call_later

    def noted(seconds: float, run: Callable[..., None], *arguments: Any) -> asyncio.TimerHandle:
        later.append(partial(run, *arguments))
        return call_later(seconds, run, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(running, "call_later", noted)
        picking = asyncio.ensure_future(browser.widget.pick())
        await asyncio.sleep(0)
    (once_the_time_is_over,) = later
    with pytest.warns(RuntimeWarning, match="has heard nothing from the browser"):
        once_the_time_is_over()
    await asyncio.to_thread(browser.ask, "hello")
    once_the_time_is_over()  # a warning here would be an error
    picking.cancel()


async def test_pick_ends_with_the_widget(page: Page):
    browser = page(Explorer(Shop()))
    browser.ask("hello")
    browser.widget._displayed = True
    picking = asyncio.ensure_future(browser.widget.pick())
    await asyncio.to_thread(browser.until, lambda: browser.trait("_picking"))
    browser.widget.close()
    with pytest.raises(asyncio.CancelledError):
        await picking


async def test_pick_fails_at_once_where_nobody_is(page: Page):
    with pytest.raises(RuntimeError, match="nobody can be here"):
        await page(Explorer(Shop())).widget.pick()


# -- what it says of itself, and how it ends --------------------------------------------------------------------------


def test_repr_counts_and_names_and_nothing_else(page: Page):
    explorer = Explorer(Shop())
    assert repr(explorer) == "Explorer(Shop: 87 assets, 0 selected)", "it waits for the count"
    browser = page(explorer)
    browser.ask("search", query=query("asset-86"))
    assert repr(explorer) == "Explorer(Shop: 1 asset for 'asset-86', 0 selected)"
    bundle, _ = explorer._repr_mimebundle_()
    assert bundle["text/plain"] == "Explorer over Shop: run this cell in a live notebook to search and pick."
    assert repr(Explorer(Shop(120, numbered=False))) == "Explorer(Shop: 50 assets so far, 0 selected)"


def test_a_closed_explorer_is_collected():
    """anywidget keeps a widget for ever whose module is given as a path; and our own loop must not keep it either."""
    explorer = Explorer(Shop())
    browser = Browser(explorer)
    browser.ready()
    browser.ask("tiles", generation=1, ranges=[[0, 5]], edge=192)
    browser.ask("select", generation=1, ranges=[[0, 5]])
    collected = threading.Event()
    weakref.finalize(explorer, collected.set)
    explorer.close()
    del explorer, browser
    # The last coroutine may still be on its way out of the loop thread.
    assert any(collected.wait(0.1) for _ in range(50) if gc.collect() >= 0), "something keeps the widget"


def test_closing_stops_the_work():
    shop = Shop()
    started, ended = threading.Event(), threading.Event()

    async def hang() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    shop.before_poster = lambda _: hang()
    browser = Browser(Explorer(shop))
    browser.ready()
    browser.begin("tiles", generation=1, ranges=[[0, 0]], edge=192)
    assert started.wait(10)
    browser.widget.close()
    assert ended.wait(10)


def test_replies_go_where_the_front_end_asked():
    """ipykernel 7.4 hands a click to the shell that last published: behind a busy cell that changes a trait."""
    explorer = Explorer(Shop())

    class Comm:
        def _reply_subshell_for(self, data, default):
            return "the cell's own"

    from ipyassets.widgets.comm_widget import answer_where_asked

    comm = Comm()
    answer_where_asked(comm)
    assert comm._reply_subshell_for({}, "subshell-1") == "subshell-1"
    answer_where_asked(object())
    explorer.close()


def test_an_unknown_keyword_is_refused():
    with pytest.raises(TypeError):
        Explorer(Shop(), colour="red")


def test_invalid_search_at_the_start_is_shown_not_raised(page: Page):
    browser = page(Explorer(Shop(), query="forbidden"))
    assert browser.ready()["state"] == "error"
    with pytest.raises(InvalidRequest):
        browser.widget.assets  # noqa: B018
