"""What all our widgets share: the connection to the browser.

Handlers run on whatever thread the kernel gives them: the cell's own, or beside it while a cell is busy. So they
never block: anything that takes time runs on the package's loop thread and answers from there.

The browser asks by messages ``{"op": …, "request": …}``; each is answered by one ``reply`` or ``error`` with the same
``request``, and maybe ``part`` messages before it. A reply says whether messages wait for cells (``waits``). A message
without ``request`` that a widget sends is news.
"""

from __future__ import annotations

import reprlib
import threading
from abc import abstractmethod
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, ClassVar, Final

import anywidget
import traitlets as t

from ipyassets.errors import AssetServiceError
from ipyassets.http import loop
from ipyassets.texts import cut, encodable
from ipyassets.widgets import bundle
from ipyassets.widgets.beside import Displayed
from ipyassets.widgets.reading import Cancel, Hello, Refused

__all__ = ["CommWidget", "answer_where_asked", "css_length"]

MOST_AT_ONCE: Final = 200
"""Requests that may be under way; a page that scrolls has two or three."""


class CommWidget(Displayed, anywidget.AnyWidget):
    """A widget whose browser half asks by messages. Traits that begin with ``_`` are written here, only read there."""

    _bundle: ClassVar[str]
    """The name of its browser half in ``static/``, such as ``grid``."""

    _esm = t.Unicode().tag(sync=True)
    _css = t.Unicode().tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        self._lock = threading.RLock()
        self._tasks: dict[str, Future[None]] = {}
        self._front_end_seen = False
        self._hellos = 0
        self._displayed = False
        self._made_on = threading.get_ident()
        self._waits = False
        super().__init__(_esm=bundle.script(self._bundle), _css=bundle.style(self._bundle), **traits)
        answer_where_asked(self.comm)
        self.on_msg(_heard)

    # -- for the subclass -----------------------------------------------------------------------------------------

    @abstractmethod
    def _read(self, content: object) -> tuple[str, Any]:
        """The request's own word and what it asks, checked. Raises `Refused`."""

    @abstractmethod
    def _answer(self, request: str, ask: Any) -> None:
        """Answer what only this kind of widget is asked, at once with `_reply` or from a task begun with `_start`.

        Raises `Refused`.
        """

    def _welcome(self, request: str) -> None:
        """Answer a front end that says it is there."""
        self._reply(request)

    def _stand_in(self) -> str:
        """What stands where the widget cannot: a saved notebook without its kernel."""
        return repr(self)

    # -- messages -------------------------------------------------------------------------------------------------

    def _reply(self, request: str, said: Mapping[str, Any] | None = None, buffers: list[bytes] | None = None) -> None:
        # "waits": messages are handled where cells run, so that nothing is answered before a cell has ended.
        self._post({"op": "reply", "request": request, "waits": self._waits, **(said or {})}, buffers)

    def _part(self, request: str, said: Mapping[str, Any], buffers: list[bytes] | None = None) -> None:
        self._post({"op": "part", "request": request, **said}, buffers)

    def _refuse(self, request: str, message: str) -> None:
        self._post({"op": "error", "request": request, "message": cut(message, 1000)})

    def _post(self, content: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        if self.comm is not None:
            self.send(encodable(content), buffers or None)

    def get_state(self, *arguments: Any, **keywords: Any) -> Any:
        """As the browser is to have it: one name that no UTF-8 can say would keep it from coming at all."""
        return encodable(super().get_state(*arguments, **keywords))

    def _start(self, request: str, work: Callable[..., Coroutine[Any, Any, None]], *arguments: Any) -> None:
        """Run ``work(request, *arguments)`` on the loop thread until it is done, cancelled, or the widget closed."""
        with self._lock:
            if request in self._tasks or len(self._tasks) >= MOST_AT_ONCE:
                raise Refused("There are too many requests under way, or this one is.")
            task = self._tasks[request] = loop.submit(self._guarded(request, work, *arguments))
        task.add_done_callback(lambda _: self._tasks.pop(request, None))

    def _cancel(self, requests: Sequence[str]) -> None:
        """Nobody wants the answers to these any more."""
        for cancelled in requests:
            with self._lock:
                task = self._tasks.pop(cancelled, None)
            if task is not None:
                task.cancel()

    async def _guarded(self, request: str, work: Callable[..., Coroutine[Any, Any, None]], *arguments: Any) -> None:
        try:
            await work(request, *arguments)  # made only here: it may be cancelled before it begins
        except (AssetServiceError, Refused) as error:
            self._refuse(request, str(error))
        except Exception as error:  # noqa: BLE001  # told where the person looks; the kernel goes on
            self._refuse(request, f"{type(error).__name__} in the kernel.")

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

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        self._displayed = True
        return super()._repr_mimebundle_(**kwargs)


def _heard(widget: CommWidget, content: object, _buffers: object) -> None:
    request = ""
    widget._waits = threading.get_ident() == widget._made_on  # noqa: SLF001
    try:
        request, ask = widget._read(content)  # noqa: SLF001
        match ask:
            case Hello():
                widget._front_end_seen = True  # noqa: SLF001
                widget._hellos += 1  # noqa: SLF001
                widget._welcome(request)  # noqa: SLF001
            case Cancel(requests):
                widget._cancel(requests)  # noqa: SLF001
            case _:
                widget._answer(request, ask)  # noqa: SLF001
    except Refused as refusal:
        if not request and isinstance(content, Mapping):
            said = content.get("request", "")
            # Not repr: it fails for lists in lists as deep as JSON may have them.
            request = (said if isinstance(said, str) else reprlib.repr(said))[:64]
        widget._refuse(request, str(refusal))  # noqa: SLF001


def css_length(size: int | str) -> str:
    """A number of pixels, or a CSS length as it is."""
    return f"{size}px" if isinstance(size, int) else size


def answer_where_asked(comm: Any) -> None:
    """Let messages to ``comm`` be handled where the front end asks for it.

    ipykernel 7.4 hands them to the shell that last published on the comm instead. While a cell runs and has just
    changed a trait, that is the cell's own shell, and a click would wait until the cell ends.
    """
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda _data, asked: asked  # noqa: SLF001
