"""What the matrix does with widgets: what a person sees is the result, and errors are words where they look."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Final
from unittest import mock

import comm

import ipyassets as ia
from ipyassets.collections.asset_list import AssetList
from ipyassets.errors import AssetServiceError
from ipyassets.services.rendering import RenderOrder
from tests.faults.ground import SERVICES, SMALL, Ground, Shown, Step, digest, operation
from tests.faults.operations import STEPS
from tests.widgets.browser import Browser, RecordingComm
from tests.widgets.panels import settled, text

__all__: list[str] = []

_ORDER: Final = RenderOrder(32, 24, "PNG", None, False, SMALL["turntable"])


@contextlib.contextmanager
def _opened(kind: Any, *arguments: Any) -> Iterator[Any]:
    with mock.patch.object(comm, "create_comm", RecordingComm):
        widget = kind(*arguments)
        try:
            yield widget
        finally:
            widget.close()


@operation(*SERVICES, name="Explorer", steps=STEPS["both"], covers=())
def _explorer(client: Any, ground: Ground) -> Any:
    del ground
    with _opened(ia.Explorer, client) as explorer:
        browser = Browser(explorer)
        result = browser.ready()
        if result["state"] == "error":
            return Shown((), (result["message"],))
        tiles = browser.ask("tiles", generation=browser.generation, ranges=[[0, 3]], edge=64).tiles
        detail = browser.ask("detail", generation=browser.generation, index=1, edge=96)
        pictures = [(tiles[n]["id"], tiles[n]["content"] and digest(tiles[n]["content"])) for n in sorted(tiles)]
        said = [tile["message"] for tile in tiles.values() if tile["state"] == "error"]
        large, contents = detail[-1]
        if large["op"] == "error" or large.get("picture", large).get("state") == "error":
            said.append(large.get("message") or large["picture"]["message"])
        shown = digest(contents[0]) if contents else None
        return Shown((*(None if picture is None else (id, picture) for id, picture in pictures), shown), tuple(said))


@operation(
    "vntana",
    name="render panel",
    steps=(Step("what there is", "/attachments/search$"), Step("order", "/products/renders$")),
    effect=Ground.renders,
    repeats=True,  # the later render takes the place of the former
)
def _render(client: Any, ground: Ground) -> Any:
    with _opened(ia.RenderPanel, AssetList.of(ground.assets(client)[:1]), client) as panel:
        settled(panel)
        said = [text(panel._problem)] if text(panel._problem) else []
        panel.order = _ORDER
        ordered = panel._confirmed  # what the button does once all questions are answered
        panel._begin(ordered())
        settled(panel)
        said += [text(panel._problem)] if text(panel._problem) else []
        if panel.job is not None:
            panel.job.stop_following()
        return Shown((panel.job and len(panel.job.items),), tuple(dict.fromkeys(said)))


@operation(
    "scenario",
    name="archive panel",
    steps=(Step("order", "/assets/download$"),),
    effect=Ground.archives,
)
def _archive(client: Any, ground: Ground) -> Any:
    with _opened(ia.ArchivePanel, AssetList.of(ground.assets(client)[:2]), client) as panel:
        settled(panel)
        panel._form.name.value = ground.new_name()
        panel._begin(panel._confirmed())
        settled(panel)
        said = [text(panel._problem)] if text(panel._problem) else []
        if panel.job is not None:
            with contextlib.suppress(AssetServiceError):  # it is the order that is looked at
                panel.job.wait(20, progress=False)
            settled(panel)
        return Shown((panel.job and len(panel.job.items),), tuple(said))
