"""What `Explorer` and `ImageGrid` share: the connection to the browser.

Handlers run on whatever thread the kernel gives them: the cell's own, or beside it while a cell is busy. So they
never block: anything that takes time runs on the package's loop thread and answers from there.
"""

from __future__ import annotations

import contextlib
import threading
from abc import abstractmethod
from collections.abc import Coroutine, Mapping
from concurrent.futures import Future
from typing import Any, Final

import anywidget
import traitlets as t

from ipyassets.errors import AssetServiceError
from ipyassets.http import loop
from ipyassets.widgets import bundle, messages
from ipyassets.widgets.messages import Refused
from ipyassets.widgets.ranges import Ranges
from ipyassets.widgets.tiles import Shown, described, stream

__all__ = ["GridWidget"]

MOST_AT_ONCE: Final = 200
"""Requests that may be under way; a page that scrolls has two or three."""


class GridWidget(anywidget.AnyWidget):
    """A grid of tiles in the browser. The traits beginning with ``_`` are written here and only read there."""

    _esm = t.Unicode().tag(sync=True)
    _css = t.Unicode().tag(sync=True)
    _setup = t.Dict().tag(sync=True)
    """What the view is made of and never changes: kind, label, height, banner, services."""
    _query = t.Dict().tag(sync=True)
    _places = t.Dict().tag(sync=True)
    _result = t.Dict().tag(sync=True)
    """What there is to show: generation, state, count, total, ended, message."""
    _selection = t.Dict().tag(sync=True)
    """The selection in one generation, as ranges."""
    _picking = t.Bool(default_value=False).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        self._lock = threading.RLock()
        self._tasks: dict[str, Future[None]] = {}
        self._front_end_seen = False
        self._displayed = False
        super().__init__(_esm=bundle.script(), _css=bundle.style(), **traits)
        _answer_where_asked(self.comm)
        self.on_msg(_heard)

    # -- for the subclass -----------------------------------------------------------------------------------------

    @abstractmethod
    def _shown_now(self) -> Shown:
        """What is on screen."""

    @abstractmethod
    def _person_selected(self, generation: int, ranges: Ranges) -> None:
        """Take over a selection made in the browser. Raises `Refused`."""

    def _answer_other(self, ask: messages.Ask) -> dict[str, Any]:
        """Answer what only this kind of widget knows."""
        raise Refused(f"This widget has no {type(ask).__name__.lower()}.")

    # -- messages -------------------------------------------------------------------------------------------------

    def _answer(self, request: str, ask: messages.Ask) -> None:
        match ask:
            case messages.Hello():
                self._front_end_seen = True
                self._post({"op": "reply", "request": request})
            case messages.Cancel(requests):
                for cancelled in requests:
                    with self._lock:
                        task = self._tasks.pop(cancelled, None)
                    if task is not None:
                        task.cancel()
            case messages.Tiles(generation, ranges, edge):
                self._start(request, self._send_tiles(request, self._of(generation), ranges, edge))
            case messages.Detail(generation, index, edge):
                self._start(request, self._send_detail(request, self._of(generation), index, edge))
            case messages.Select(generation, ranges):
                self._person_selected(generation, ranges)
                self._post({"op": "reply", "request": request})
            case _:
                self._post({"op": "reply", "request": request, **self._answer_other(ask)})

    def _of(self, generation: int) -> Shown:
        shown = self._shown_now()
        if shown.generation != generation:
            raise Refused("This was asked of an older result.")
        return shown

    def _start(self, request: str, work: Coroutine[Any, Any, None]) -> None:
        with self._lock:
            if request in self._tasks or len(self._tasks) >= MOST_AT_ONCE:
                work.close()
                raise Refused("There are too many requests under way, or this one is.")
            task = self._tasks[request] = loop.submit(self._guarded(request, work))
        task.add_done_callback(lambda _: self._tasks.pop(request, None))

    async def _guarded(self, request: str, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except (AssetServiceError, Refused) as error:
            self._refuse(request, str(error))
        except Exception as error:  # noqa: BLE001  # told where the person looks; the kernel goes on
            self._refuse(request, f"{type(error).__name__} in the kernel.")

    async def _send_tiles(self, request: str, shown: Shown, ranges: Ranges, edge: int) -> None:
        await stream(
            shown, ranges, edge, lambda said, buffers: self._post({"op": "part", "request": request, **said}, buffers)
        )
        self._post({"op": "reply", "request": request})

    async def _send_detail(self, request: str, shown: Shown, index: int, edge: int) -> None:
        found = await shown.tiles(index, index)
        if not found:
            raise Refused("There is nothing at this place.")
        tile = found[0]
        said, content = await described(shown, tile, edge)
        detail = {"name": tile.name, "facts": shown.facts(tile), **said}
        if content is not None:
            detail["buffer"] = 0
        buffers = [] if content is None else [content]
        self._post({"op": "reply", "request": request, "detail": detail}, buffers)
        # Where a list grows as it is walked, the large view can go on past what the grid has shown.
        with contextlib.suppress(AssetServiceError):
            await shown.tiles(index + 1, index + 1)

    def _refuse(self, request: str, message: str) -> None:
        self._post({"op": "error", "request": request, "message": message[:1000]})

    def _post(self, content: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        if self.comm is not None:
            self.send(content, buffers or None)

    def set_state(self, sync_data: object) -> None:
        """Nothing: the browser asks by messages, which are checked, and writes no trait."""

    # -- life -----------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Take the widget off the page and stop what it was doing."""
        if self.comm is not None:  # else nothing was ever started, or all is over
            with self._lock:
                tasks = list(self._tasks.values())
                self._tasks.clear()
            for task in tasks:
                task.cancel()
        super().close()

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        self._displayed = True
        bundle_and_metadata: tuple[dict[str, Any], dict[str, Any]] | None = super()._repr_mimebundle_(**kwargs)
        if bundle_and_metadata is not None:
            bundle_and_metadata[0]["text/plain"] = self._stand_in()
        return bundle_and_metadata

    def _stand_in(self) -> str:
        """What stands where the widget cannot: a saved notebook without its kernel."""
        return repr(self)


def _heard(widget: GridWidget, content: object, _buffers: object) -> None:
    request = ""
    try:
        request, ask = messages.read(content)
        widget._answer(request, ask)  # noqa: SLF001
    except Refused as refusal:
        if not request and isinstance(content, Mapping):
            request = str(content.get("request", ""))[:64]
        widget._refuse(request, str(refusal))  # noqa: SLF001


def _answer_where_asked(comm: Any) -> None:
    """Let messages to ``comm`` be handled where the front end asks for it.

    ipykernel 7.4 hands them to the shell that last published on the comm instead. While a cell runs and has just
    changed a trait, that is the cell's own shell, and a click would wait until the cell ends.
    """
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda _data, asked: asked  # noqa: SLF001
