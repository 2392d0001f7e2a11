"""What tests of panels that order look at."""

from __future__ import annotations

import asyncio
import html
import re
from typing import Any

from ipyassets.http import loop
from ipyassets.widgets.panel import OrderPanel

__all__ = ["settled", "shows", "text"]


def settled(panel: OrderPanel) -> None:
    """Wait until the panel does nothing more."""

    async def rest() -> None:
        while panel._works:
            await asyncio.gather(*map(asyncio.wrap_future, list(panel._works)), return_exceptions=True)
            await asyncio.sleep(0)

    loop.run(rest())


def text(line: Any) -> str:
    """What a person reads there."""
    return html.unescape(re.sub(r"<[^>]*>", "", line.value))


def shows(widget: Any) -> bool:
    return widget.layout.display != "none"
