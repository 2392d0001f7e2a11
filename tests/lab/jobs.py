"""One view of a `JobMonitor` on the page."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from tests.lab.notebook import Notebook

__all__ = ["JobView"]


class JobView:
    """What one sees of the monitor in the output of a cell; of its first job."""

    def __init__(self, notebook: Notebook, cell: int) -> None:
        self.page = notebook.page
        self.root = notebook.output(cell).locator("section.ipya-jobs")
        self.job = self.root.locator("section.ipya-job").first
        self.list = self.job.get_by_role("grid")
        self.words = self.job.locator(".ipya-job-words")
        self.count = self.job.locator(".ipya-job-count")
        self.bar = self.job.get_by_role("progressbar")
        self.results = self.job.get_by_role("group", name="Results")

    def line(self, index: int) -> Locator:
        return self.list.locator(f"[role=row][data-index='{index}']")

    def button(self, name: str) -> Locator:
        return self.job.get_by_role("button", name=name)

    def expect_picture(self, index: int) -> None:
        """The line has a picture, and the browser could decode it."""
        image = self.line(index).locator("img")
        expect(image).to_be_visible()
        assert image.evaluate("async (image) => { await image.decode(); return image.naturalWidth; }") > 0
