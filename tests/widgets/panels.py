"""What tests of panels that order look at."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from ipywidgets.widgets.widget import Widget, _instances

from ipyassets.http import loop
from ipyassets.widgets.panel import OrderPanel

__all__ = ["alive", "opening", "settled", "shows", "text"]


P = TypeVar("P", bound=OrderPanel)


def opening(kind: type[P]) -> Iterator[Callable[..., P]]:
    """Opens panels of a kind and waits until they rest; closes them at the end. For a fixture to ``yield from``."""
    opened: list[P] = []

    def show(*arguments: Any, **options: Any) -> P:
        panel = kind(*arguments, **options)
        opened.append(panel)
        settled(panel)
        return panel

    yield show
    for panel in opened:
        panel.close()


def settled(panel: OrderPanel) -> None:
    """Wait until the panel does nothing more."""

    async def rest() -> None:
        while panel._works:
            await asyncio.gather(*map(asyncio.wrap_future, list(panel._works)), return_exceptions=True)
            await asyncio.sleep(0)

    loop.run(rest())


def alive() -> set[Widget]:
    """All widgets of which ipywidgets knows; those of earlier tests, too."""
    return set(_instances.values())


def text(line: Any) -> str:
    """What a person reads there."""
    return html.unescape(re.sub(r"<[^>]*>", "", line.value))


def shows(widget: Any) -> bool:
    return widget.layout.display != "none"
