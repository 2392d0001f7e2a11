"""One view of an Explorer or ImageGrid on the page."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Frame, Locator, Page, expect

from tests.lab.notebook import Notebook

__all__ = ["SEEN", "GridView", "View"]

SEEN = """(grid) => {
  const frame = grid.getBoundingClientRect();
  return [...grid.querySelectorAll("[role=gridcell]")].flatMap((tile) => {
    const box = tile.getBoundingClientRect();
    if (box.bottom <= frame.top || box.top >= frame.bottom) return [];
    const image = tile.querySelector("img");
    return [{
      index: Number(tile.dataset.index),
      name: tile.textContent.trim(),
      state: tile.dataset.state,
      width: image?.complete ? image.naturalWidth : 0,
      selected: tile.ariaSelected === "true",
      url: image?.src ?? null,
    }];
  }).sort((a, b) => a.index - b.index);
}"""
"""The tiles that show, even in part, in reading order."""

SETTLED = f"""(grid) => {{
  if (!grid.isConnected || grid.closest("[data-state=loading]")) return false;
  const seen = ({SEEN})(grid);
  return seen.length > 0 && seen.every(({{ state, width }}) => (state === "ok" ? width > 0 : state === "none"));
}}"""
"""Whether every tile that shows has its picture, decoded, or is known to have none."""

PIXELS = """(image, edge) => {
  const canvas = new OffscreenCanvas(edge, edge);
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, edge, edge);
  return [...context.getImageData(0, 0, edge, edge).data];
}"""


class GridView:
    """What one sees of the widget, wherever it is: ``root`` is in ``frame``."""

    def __init__(self, frame: Page | Frame, root: Locator | None = None) -> None:
        self.frame = frame
        self.page = frame if isinstance(frame, Page) else frame.page
        self.root = root if root is not None else frame.locator("section.ipya-root")
        self.grid = self.root.get_by_role("grid")
        self.total = self.root.locator(".ipya-total")
        self.chosen = self.root.locator(".ipya-selected")
        self.search_box = self.root.get_by_role("searchbox")
        self.dialog = self.root.get_by_role("dialog")

    def tile(self, index: int) -> Locator:
        return self.grid.locator(f"[role=gridcell][data-index='{index}']")

    @property
    def seen(self) -> list[dict[str, Any]]:
        return self.grid.evaluate(SEEN)

    @property
    def names(self) -> list[str]:
        return [tile["name"] for tile in self.seen]

    @property
    def selected(self) -> list[int]:
        """Places of the selected tiles among those that show."""
        return [tile["index"] for tile in self.seen if tile["selected"]]

    @property
    def focused(self) -> int | None:
        """The place of the tile that has the focus."""
        place = self.frame.evaluate("() => document.activeElement?.closest('[role=gridcell]')?.dataset.index ?? null")
        return None if place is None else int(place)

    def settle(self) -> list[dict[str, Any]]:
        """Wait until everything that shows is there and decoded; gives it."""
        expect(self.grid).to_be_visible()
        self.frame.wait_for_function(SETTLED, arg=self.grid.element_handle())
        return self.seen

    def search(self, text: str) -> None:
        self.search_box.fill(text)

    def expect_total(self, text: str) -> None:
        expect(self.total).to_have_text(text)

    def expect_selected(self, *places: int) -> None:
        """Exactly these are selected, among the tiles in the document."""
        selected = self.grid.locator("[role=gridcell][aria-selected=true]")
        expect(selected).to_have_count(len(places))
        for place in places:
            expect(self.tile(place)).to_have_attribute("aria-selected", "true")

    def pixels(self, index: int, edge: int) -> list[int]:
        """The picture of a tile as the browser decoded it, scaled to ``edge`` x ``edge``: RGBA values, row by row."""
        return self.tile(index).locator("img").evaluate(PIXELS, edge)

    def scroll_to(self, share: float) -> None:
        """Put the scrollbar at a share of its way: 0 is the top, 1 the end."""
        self.grid.evaluate("(grid, share) => (grid.scrollTop = share * (grid.scrollHeight - grid.clientHeight))", share)


class View(GridView):
    """What one sees of the widget in the output of a cell."""

    def __init__(self, notebook: Notebook, cell: int) -> None:
        super().__init__(notebook.page, notebook.output(cell).locator("section.ipya-root"))
        self.notebook = notebook
