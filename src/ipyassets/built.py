"""What npm makes of ``js/``, as text."""

from __future__ import annotations

from functools import cache
from importlib import resources

__all__ = ["built"]


@cache
def built(name: str) -> str:
    """A file of ``static/``. Raises FileNotFoundError where nothing was built."""
    try:
        return resources.files("ipyassets").joinpath("static", name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise FileNotFoundError(
            f"The widgets' browser half ({name}) is not built: run `npm ci && npm run build` in js/, "
            "or install the package, which builds it."
        ) from None
