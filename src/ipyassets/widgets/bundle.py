"""The browser half as text.

anywidget keeps a widget alive for ever when it is given a path to watch, so it gets strings, read once.
"""

from __future__ import annotations

from ipyassets.built import built as _static

__all__ = ["script", "style"]


def script(name: str) -> str:
    """The ECMAScript module of one family of widgets, such as ``grid``."""
    return _static(f"{name}.js")


def style(name: str) -> str:
    """Its stylesheet; every selector begins with ``ipya-``."""
    return _static(f"{name}.css")
