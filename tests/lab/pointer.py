"""Where a pointer goes."""

from __future__ import annotations

from playwright.sync_api import Locator

__all__ = ["middle"]


def middle(element: Locator) -> tuple[float, float, float]:
    """The middle of an element on the page, and its width; scrolled to if need be."""
    element.scroll_into_view_if_needed()
    box = element.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, box["width"]
