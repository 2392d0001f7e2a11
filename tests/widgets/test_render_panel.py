"""The render panel: its form, what it says of the chosen assets, and its orders."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ipywidgets import Layout

from ipyassets.collections.asset_list import AssetList
from ipyassets.collections.assets import Asset
from ipyassets.errors import InvalidRequest, ServiceUnavailable
from ipyassets.http import loop
from ipyassets.services.rendering import RenderOrder, Turntable
from ipyassets.widgets import Explorer, RenderPanel
from ipyassets.widgets.presets import PRESETS
from tests.fakes import MemoryService
from tests.widgets.jobs import RendersInMemory, Studio
from tests.widgets.panels import alive, opening, settled, shows, text

Open = Callable[..., RenderPanel]


class StudioClient:
    """What a public client is to the panel; its ``render`` blocks as `Vntana.render` does."""

    def __init__(self, count: int = 3) -> None:
        self.core = Studio(count)
        self.refusal: Exception | None = None
        self.answers = threading.Event()
        """Cleared: the service takes its time."""
        self.answers.set()
        self.asked: list[tuple[list[str], dict[str, Any]]] = []

    def render(self, assets: AssetList, **order: Any) -> RendersInMemory:
        ids = [asset.id for asset in assets]  # blocks: may not be called on the loop thread
        assert self.answers.wait(30)
        if self.refusal is not None:
            raise self.refusal
        self.asked.append((ids, order))
        return RendersInMemory(self.core)

    def assets(self, *numbers: int) -> AssetList:
        return AssetList.of([Asset(self.core.make(f"asset-{n}"), self.core) for n in numbers])


@pytest.fixture
def client() -> StudioClient:
    return StudioClient()


@pytest.fixture
def panel_of() -> Iterator[Open]:
    yield from opening(RenderPanel)


def nothing_made(client: StudioClient) -> None:
    client.core.files = dict.fromkeys(client.core.names, ())


# -- the form -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.key)
def test_presets_fill_the_form(panel_of: Open, client: StudioClient, preset: Any):
    panel = panel_of(client.assets(0), client)
    panel._form.preset.value = preset.key
    assert panel.order == preset.order


def test_what_a_person_changes_is_custom_and_back_again(panel_of: Open, client: StudioClient):
    panel = panel_of(client.assets(0), client)
    panel._form.width.value = 800
    assert panel._form.preset.value == "custom"
    assert panel.order.width == 800
    panel._form.width.value = 1920
    assert panel._form.preset.value == "hero"


def test_an_order_fills_the_form_and_comes_out_again(panel_of: Open, client: StudioClient):
    film = Turntable(120, 30, 1920, 1080, True, "#102030")
    order = RenderOrder(640, 480, "WEBP", None, True, film)
    panel = panel_of(client.assets(0), client)
    panel.order = order
    assert panel.order == order
    assert repr(panel) == (
        "RenderPanel(stills of 640 × 480 WEBP, transparent, "
        "a turntable of 4.0 s (1920 × 1080, 120 frames, MP4 and GIF))"
    )


def test_nonsense_is_said_beside_the_form_and_not_sent(panel_of: Open, client: StudioClient):
    panel = panel_of(client.assets(0), client)
    panel._form.width.value = 0
    assert "width must be a whole number" in text(panel._summary)
    assert panel._button.disabled
    panel._form.width.value = 100
    panel._form.format.value = "JPG"
    panel._form.backdrop.fields[0].value = "transparent"
    assert "JPG cannot be transparent" in text(panel._summary)
    with pytest.raises(InvalidRequest, match="transparent"):
        panel.submit()
    assert client.asked == []


def test_the_colour_shows_where_it_matters(panel_of: Open, client: StudioClient):
    panel = panel_of(client.assets(0), client)
    kind, colour = panel._form.backdrop.fields
    assert not shows(colour)
    kind.value = "colour"
    colour.value = "#f4f1ea"
    assert shows(colour)
    assert panel.order.background == "#f4f1ea"


# -- what is said ---------------------------------------------------------------------------------------------------


def test_it_says_what_will_be_made_and_what_is_replaced(panel_of: Open, client: StudioClient):
    client.core.files["asset-1"] = ()
    panel = panel_of(client.assets(0, 1, 2), client)
    assert text(panel._summary) == (
        "3 assets: stills of 1920 × 1080 PNG and a turntable of 3.0 s (512 × 512, 36 frames, MP4) of each."
    )
    assert text(panel._estimate) == "2 of 3 have renders already, which are replaced: asset-0, asset-2."
    assert panel._button.description == "Render 3 assets"


def test_names_are_text(panel_of: Open, client: StudioClient):
    class Named(Studio):
        def make(self, name: str) -> Any:
            from dataclasses import replace

            return replace(super().make(name), name="<img src=x onerror=alert(1)>")

    client.core = Named(1)
    panel = panel_of(client.assets(0), client)
    assert "&lt;img" in panel._estimate.value
    assert "<img" not in panel._estimate.value


def test_what_could_not_be_looked_at_is_said(panel_of: Open, client: StudioClient):
    nothing_made(client)
    client.core.files["asset-2"] = ServiceUnavailable("The service is away.")
    panel = panel_of(client.assets(0, 1, 2), client)
    assert text(panel._estimate) == "No renders were found. Of 1 it is not known: The service is away."


def test_only_so_many_are_looked_at(panel_of: Open, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ipyassets.widgets.replaced.MOST_LOOKED_AT", 5)
    client = StudioClient(20)
    panel = panel_of(client.assets(*range(20)), client)
    assert len(client.core.looked) == 5
    assert "At least 5 of 20 have renders already" in text(panel._estimate)
    assert "Only the first 5 were looked at." in text(panel._estimate)


def test_services_that_make_no_renders_are_named_and_left_out(panel_of: Open, client: StudioClient):
    other = MemoryService(2)
    foreign = [Asset(other.make(f"asset-{n}"), other) for n in range(2)]
    panel = panel_of([*client.assets(1), *foreign], client)
    assert text(panel._summary).endswith("2 assets of Memory left out: the service makes no renders.")
    assert [asset.service for asset in panel.assets] == ["studio"]
    panel.submit()
    assert client.asked[0][0] == ["asset-1"]


def test_too_many_at_once_are_refused(panel_of: Open, client: StudioClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(RenderPanel, "_most", 2)
    panel = panel_of(client.assets(0, 1, 2), client)
    assert "More than 2 assets are chosen" in text(panel._problem)
    assert panel._button.disabled
    with pytest.raises(InvalidRequest, match="More than 2"):
        panel.submit()


# -- from the Explorer ------------------------------------------------------------------------------------------------


def test_it_follows_the_selection_of_an_explorer(panel_of: Open, client: StudioClient):
    explorer = Explorer(client)
    panel = panel_of(explorer)
    assert text(panel._summary) == "Nothing is selected."
    assert panel._button.disabled
    explorer.selection = client.assets(0, 2)
    settled(panel)
    assert panel._button.description == "Render 2 assets"
    assert [asset.id for asset in panel.assets] == ["asset-0", "asset-2"]
    panel.submit()
    assert client.asked[0][0] == ["asset-0", "asset-2"]
    explorer.close()


def test_a_newer_selection_breaks_off_the_look_at_the_older_one(panel_of: Open, client: StudioClient):
    explorer = Explorer(client)
    panel = panel_of(explorer)
    begun, ended = asyncio.Event(), asyncio.Event()

    async def hang(_id: str) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    client.core.before_files = hang
    explorer.selection = client.assets(0)
    loop.run(asyncio.wait_for(begun.wait(), 10))
    client.core.before_files = None
    explorer.selection = client.assets(1)
    loop.run(asyncio.wait_for(ended.wait(), 10))
    settled(panel)
    assert text(panel._estimate) == "1 of 1 has renders already, which are replaced: asset-1."
    explorer.close()


def test_a_closed_panel_hears_no_more_of_the_selection(panel_of: Open, client: StudioClient):
    explorer = Explorer(client)
    panel = panel_of(explorer)
    panel.close()
    explorer.selection = client.assets(0)
    assert not panel._works
    explorer.close()


def test_a_closed_panel_leaves_no_widget_behind(client: StudioClient):
    """Layouts and styles of its fields stayed with ipywidgets, some 80 kB a panel; not one that others have, too."""
    before = alive()
    panel = RenderPanel(client.assets(0), client)
    shared = panel.layout = Layout()
    settled(panel)
    assert len(alive() - before) > 60
    panel.close()
    assert alive() - before == {shared}
    shared.close()


# -- ordering ---------------------------------------------------------------------------------------------------------


def test_a_person_is_asked_before_renders_are_replaced(panel_of: Open, client: StudioClient):
    panel = panel_of(client.assets(0, 1), client)
    panel._button.click()
    settled(panel)
    assert shows(panel._confirm)
    assert text(panel._confirm.question) == "The renders of 2 assets are replaced and cannot be brought back."
    assert client.asked == []
    panel._confirm.no.click()
    assert not shows(panel._confirm)
    panel._button.click()
    settled(panel)
    panel._confirm.yes.click()
    settled(panel)
    assert not shows(panel._confirm)
    ((ids, order),) = client.asked
    assert ids == ["asset-0", "asset-1"]
    assert order == {
        "width": 1920,
        "height": 1080,
        "format": "PNG",
        "background": None,
        "transparent": False,
        "turntable": Turntable(),
    }
    assert panel.job is panel.jobs[0]
    assert panel._monitor.jobs == panel.jobs


def test_nothing_is_asked_where_nothing_is_replaced(panel_of: Open, client: StudioClient):
    nothing_made(client)
    panel = panel_of(client.assets(0, 1), client)
    assert text(panel._estimate) == "None of them has renders yet."
    panel._button.click()
    settled(panel)
    assert len(client.asked) == 1


def test_what_a_job_made_counts_as_there(panel_of: Open, client: StudioClient):
    nothing_made(client)
    panel = panel_of(client.assets(0), client)
    job = panel.submit()
    settled(panel)
    assert text(panel._estimate) == "None of them has renders yet."
    client.core.files.clear()
    told = threading.Event()
    job.finish(0, 1, 2)
    job.on_done(lambda _: told.set())
    assert told.wait(10)
    settled(panel)
    assert text(panel._estimate) == "1 of 1 has renders already, which are replaced: asset-0."


def test_code_does_as_told_without_a_question(panel_of: Open, client: StudioClient):
    panel = panel_of(client.assets(0), client)
    job = panel.submit()
    assert job is panel.job
    assert len(client.asked) == 1
    assert not shows(panel._confirm)


def test_a_refused_order_is_said(panel_of: Open, client: StudioClient):
    nothing_made(client)
    client.refusal = ServiceUnavailable("The service is away.")
    panel = panel_of(client.assets(0), client)
    panel._button.click()
    settled(panel)
    assert text(panel._problem) == "The service is away."
    assert not panel._button.disabled, "one may try again"
    assert panel.job is None


def test_two_presses_are_one_order(panel_of: Open, client: StudioClient):
    nothing_made(client)
    panel = panel_of(client.assets(0), client)
    client.answers.clear()
    panel._button.click()
    panel._button.click()
    loop.run(asyncio.sleep(0))  # the second press has been seen
    client.answers.set()
    settled(panel)
    assert len(client.asked) == 1


def test_nothing_selected_cannot_be_ordered(panel_of: Open, client: StudioClient):
    explorer = Explorer(client)
    with pytest.raises(InvalidRequest, match="Nothing is selected"):
        panel_of(explorer).submit()
    explorer.close()


def test_it_says_what_it_needs(client: StudioClient):
    with pytest.raises(TypeError, match="needs the client"):
        RenderPanel(client.assets(0))
    with pytest.raises(TypeError, match="renders, such as Vntana"):
        RenderPanel(client.assets(0), object())
    with pytest.raises(TypeError, match="not for int"):
        RenderPanel(7, client)  # type: ignore[arg-type]
