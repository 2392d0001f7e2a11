"""Widgets with a recording comm, over services in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import comm
import pytest

from ipyassets.errors import InvalidRequest
from ipyassets.services.base import Capabilities, Choice, Filter, Search, Workspace
from ipyassets.widgets import Explorer, ImageGrid, bundle
from tests.fakes import MemoryService
from tests.widgets.browser import Browser, RecordingComm


class Shop(MemoryService):
    """A service with workspaces, filters and orders; remembers what it was asked."""

    name = "shop"
    title = "Shop"
    capabilities = Capabilities(
        workspaces="Room",
        filters=(
            Filter("status", "Status", "choices", (Choice("LIVE", "Live"), Choice("DRAFT", "Draft"))),
            Filter("kind", "Kind", "choice", (Choice("3d", "3D"),)),
            Filter("tag", "Tag", "text"),
            Filter("public", "Public only", "flag"),
        ),
        sorts=(Choice("name", "Name"),),
    )

    def __init__(self, count: int = 87, *, needs_place: bool = False, **options: Any) -> None:
        super().__init__(count, page_size=options.pop("page_size", 50), **options)
        self.asked: list[dict[str, Any]] = []
        self.needs_place = needs_place

    def search(
        self, text: str = "", *, workspace: str | None = None, sort: str | None = None, **filters: Any
    ) -> Search:
        self.asked.append({"text": text, "workspace": workspace, "sort": sort, **filters})
        if text == "forbidden":
            raise InvalidRequest("This word is not allowed.")
        found = super().search(text)
        if self.needs_place and workspace is None:
            self.broken_pages[0] = InvalidRequest("Choose a room.")
        else:
            self.broken_pages.pop(0, None)
        return found

    async def workspaces(self) -> list[Workspace]:
        return [Workspace("room-1", "Kitchen"), Workspace("room-2", "Hall")]


@pytest.fixture(autouse=True)
def recording_comm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comm, "create_comm", RecordingComm)
    # The browser half is built by npm; these tests are about the Python half.
    monkeypatch.setattr(bundle, "_static", lambda name: f"/* {name} */\n")


@pytest.fixture
def page() -> Iterator[Callable[..., Browser]]:
    """Opens an Explorer over a service (or an ImageGrid) and waits for its first page."""
    opened: list[Browser] = []

    def show(widget: Explorer | ImageGrid) -> Browser:
        browser = Browser(widget)
        opened.append(browser)
        browser.ready()
        return browser

    yield show
    for browser in opened:
        browser.widget.close()
