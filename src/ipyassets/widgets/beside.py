"""The still picture beside a live widget: a second output of its cell, hidden while the widget lives there.

It is put out when the cell ends, below everything else of it, and from then on refreshed in its place: outputs that
come from handlers of messages are dropped or land elsewhere, but one that has a display id is found again. Where
nobody is there to wait (nbconvert, papermill, nbval), the cell does not end before the pictures are in it.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import uuid
from abc import abstractmethod
from collections.abc import Hashable
from typing import Any, Final
from weakref import WeakSet, ref

from ipyassets._options import options
from ipyassets.collections.thumbnails import Thumbnail
from ipyassets.http import loop
from ipyassets.widgets.people import running_cell, somebody_may_be_there
from ipyassets.widgets.snapshot import PATIENCE, Pictured, Snapshot, draw

__all__ = ["CALM", "Beside", "Displayed"]

log = logging.getLogger("ipyassets.widgets")

CALM: Final = 2.0
"""Seconds between a change and the picture of it: what is on the screen goes first, and many changes are one."""
KIND: Final = "ipya-beside"
"""The class by which the live widget's own style finds the picture and hides it."""


class Beside:
    """The still picture of one widget, in every cell that shows it."""

    def __init__(self, thing: Pictured) -> None:
        self._thing = ref(thing)
        self._id = uuid.uuid4().hex
        self._kept: dict[Hashable, Thumbnail] = {}
        self._html: str | None = None
        """What was put out last; None as long as nothing was."""
        self._stale = False
        self._timer: asyncio.TimerHandle | None = None
        self._work: asyncio.Task[None] | None = None
        self._closed = False
        self._also: Beside | None = None

    def displayed(self) -> None:
        """The widget goes into the output of the cell that is running."""
        shell, cell = _shell(), running_cell()
        if options.snapshot and not self._closed and shell is not None and cell is not None:
            _due[self] = cell
            # Registered anew each time: a person, or another extension, may have emptied the list.
            if _cell_is_over not in shell.events.callbacks["post_run_cell"]:
                shell.events.register("post_run_cell", _cell_is_over)

    def changed(self) -> None:
        """The widget shows something else. May be called on any thread."""
        if self._also is not None:
            self._also.changed()
        if self._html is not None and not self._closed:
            self._stale = True
            if _refreshes_by_itself:
                loop.loop().call_soon_threadsafe(self._soon)

    def also(self, other: Beside) -> None:
        """Let ``other``, of what this widget is a part of, know of changes."""
        self._also = other

    def close(self) -> None:
        """Refresh it no more; what it shows stays in the notebook. May be called on any thread."""
        self._closed = True
        _due.pop(self, None)
        if self._html is not None:
            loop.soon(self._still_stand)

    # -- on the loop thread ---------------------------------------------------------------------------------------

    def _soon(self) -> None:
        if self._timer is None and not self._closed:
            self._timer = asyncio.get_running_loop().call_later(CALM, self._begin)

    def _begin(self) -> None:
        self._timer = None
        if self._work is not None and not self._work.done():
            self._soon()  # slower than it changes
        elif self._stale:
            self._work = asyncio.ensure_future(self._refresh())

    async def _refresh(self) -> None:
        try:
            self._put(await self._drawn(PATIENCE))
        except Exception:
            log.exception("a snapshot was not made")

    def _still_stand(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._work is not None:
            self._work.cancel()

    async def _drawn(self, patience: float) -> Snapshot | None:
        thing = self._thing()
        if thing is None:
            return None
        self._stale = False
        return await draw(thing, kind=KIND, kept=self._kept, patience=patience)

    # -- putting it out -------------------------------------------------------------------------------------------

    def _put(self, snapshot: Snapshot | None, *, new: bool = False) -> None:
        """Put it out, or in the place of the last one if it is another one."""
        shell = _shell()
        if snapshot is None or shell is None or (not new and snapshot.html == self._html):
            return
        self._html = snapshot.html
        thing = self._thing()
        data = {"text/html": snapshot.html, "text/plain": f"A still picture of the {type(thing).__name__}."}
        shell.display_pub.publish(data, {}, transient={"display_id": self._id}, update=not new)


class Displayed(Pictured):
    """What a widget has that leaves a still picture beside it. Comes before the widget's own class."""

    @functools.cached_property
    def _beside(self) -> Beside:
        return Beside(self)

    @abstractmethod
    def _stand_in(self) -> str:
        """What stands in words where the widget cannot: a saved notebook without its kernel."""

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        self._beside.displayed()
        made = super()._repr_mimebundle_(**kwargs)  # type: ignore[misc]  # the widget's own
        data = made[0] if isinstance(made, tuple) else made
        if data is not None:
            data["text/plain"] = self._stand_in()
        return made

    def close(self) -> None:
        """Take the widget off the page; its last picture stays."""
        if "_beside" in self.__dict__:  # else it was never made, or not to its end
            self._beside.close()
        super().close()  # type: ignore[misc]


_due: Final[dict[Beside, str]] = {}
"""Those of widgets that a running cell shows, and which."""
_there: Final[WeakSet[Beside]] = WeakSet()
"""Those that are in a notebook."""
_refreshes_by_itself = True


def _shell() -> Any:
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return None
    shell = get_ipython()
    return shell if hasattr(shell, "kernel") else None


def _cell_is_over(_result: Any = None) -> None:
    """Put out what the cell showed. A person is not kept waiting: their pictures follow."""
    global _refreshes_by_itself  # noqa: PLW0603
    cell = running_cell()
    due = [beside for beside, shown_in in _due.items() if shown_in == cell]
    _due.clear()
    _refreshes_by_itself = somebody_may_be_there()
    try:
        if _refreshes_by_itself:
            for beside in due:
                beside._put(Snapshot(beside._html or f'<div class="ipya-snapshot {KIND}"></div>', ""), new=True)  # noqa: SLF001
                _there.add(beside)
                beside.changed()
        else:
            changed = [*due, *(beside for beside in _there if beside._stale and beside not in due)]  # noqa: SLF001
            if changed:
                for beside, snapshot in zip(changed, loop.run(_all(changed)), strict=True):
                    beside._put(snapshot, new=beside in due)  # noqa: SLF001
                _there.update(due)
    except Exception:  # the cell's own work is not to be spoilt
        log.exception("snapshots were not put out")


async def _all(changed: list[Beside]) -> list[Snapshot | None]:
    return await asyncio.gather(*(beside._drawn(PATIENCE) for beside in changed))  # noqa: SLF001
