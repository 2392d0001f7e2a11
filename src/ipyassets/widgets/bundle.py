"""The browser half as text.

anywidget keeps a widget alive for ever when it is given a path to watch, so it gets strings, read once.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

__all__ = ["script", "style"]


@cache
def _static(name: str) -> str:
    try:
        return resources.files("ipyassets").joinpath("static", name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise FileNotFoundError(
            f"The widgets' browser half ({name}) is not built: run `npm ci && npm run build` in js/, "
            "or install the package, which builds it."
        ) from None


def script(name: str) -> str:
    """The ECMAScript module of one family of widgets, such as ``grid``."""
    return _static(f"{name}.js")


def style(name: str) -> str:
    """Its stylesheet; every selector begins with ``ipya-``."""
    return _static(f"{name}.css")
