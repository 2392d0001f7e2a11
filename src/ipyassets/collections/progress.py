"""The progress bar of everything that may take longer than a second."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from ipyassets.http import loop

__all__ = ["advancing", "bar"]

T = TypeVar("T")


def bar(total: int | None, unit: str, title: str, wanted: bool | None) -> Any:
    """A tqdm bar that shows itself after a second; none where nobody looks, so that saved notebooks stay equal.

    ``wanted``: True shows it at once, False never, None where a person is looking.
    """
    from ipyassets.http.credentials import person_at_prompt

    # A script in a terminal asks nobody anything, but somebody looks on. A kernel's stderr is no terminal.
    shown = person_at_prompt() or (sys.stderr is not None and sys.stderr.isatty()) if wanted is None else wanted
    if shown:
        from tqdm.auto import tqdm
    else:
        from tqdm import tqdm
    return tqdm(total=total, unit=unit, unit_scale=unit == "B", desc=title, delay=0 if wanted else 1, disable=not shown)


def advancing(shown: Any, work: Callable[[Callable[[int], None]], Coroutine[Any, Any, T]]) -> T:
    """Run ``work(advance)`` on the loop thread; what it advances is shown by the bar on the caller's thread."""
    done = 0

    def advance(more: int) -> None:
        nonlocal done
        done += more

    return loop.run(work(advance), lambda: shown.update(done - shown.n))
