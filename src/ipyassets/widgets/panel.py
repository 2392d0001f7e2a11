"""What panels share that order something for chosen assets: the choice, a button, a question, the jobs below."""

from __future__ import annotations

import asyncio
import html
from abc import abstractmethod
from collections.abc import Callable, Coroutine, Iterable, Sequence
from concurrent.futures import Future
from typing import Any, ClassVar, Final

import ipywidgets as w

from ipyassets.collections.asset_list import AssetList
from ipyassets.collections.assets import AssetBase
from ipyassets.collections.jobs import JobBase
from ipyassets.errors import AssetServiceError, InvalidRequest
from ipyassets.http import loop
from ipyassets.widgets.beside import Displayed
from ipyassets.widgets.choice import Ability, Choice, Group, choose, clients_of, counted, listed
from ipyassets.widgets.comm_widget import answer_where_asked
from ipyassets.widgets.explorer import Explorer
from ipyassets.widgets.job_monitor import JobMonitor
from ipyassets.widgets.job_still import poster_tiles, still_of
from ipyassets.widgets.snapshot import Still

__all__ = ["CALM", "OrderPanel", "Question", "line", "say", "show"]

CALM: Final = 0.3
"""Seconds for which a selection, or a field that is typed in, must rest before it is looked at."""


class OrderPanel(Displayed, w.VBox):  # type: ignore[misc]  # ipywidgets is not typed
    """A form, what is said of it and of the chosen assets, a button that orders, and the jobs below.

    Coroutines run on the package's loop thread; handlers of clicks only begin them.
    """

    _ability: ClassVar[Ability]
    _most: ClassVar[int]
    """Assets that are ordered for at once; a person who presses "Select all" over a whole catalogue seldom means it."""

    def __init__(
        self,
        source: Explorer | AssetList | AssetBase | Iterable[AssetBase],
        client: Any,
        form: Any,
        *,
        height: int,
        below: Sequence[Any] = (),
    ) -> None:
        self._source = source
        self._clients = clients_of(source, client, self._ability)
        self._listed = AssetList.of([]) if isinstance(source, Explorer) else listed(source, self._ability)
        self._choice = Choice()
        self._looking: asyncio.Task[None] | None = None
        self._sending = False
        self._works: set[Future[Any]] = set()
        self._monitor = JobMonitor(height=height)
        self._summary = line("ipya-panel-summary")
        self._estimate = line("ipya-panel-estimate")
        self._problem = line("ipya-panel-problem")
        self._button = w.Button(button_style="primary", disabled=True)
        self._confirm = Question(self._begin)
        said = [self._summary, self._estimate, self._problem]
        super().__init__([form, *said, self._button, self._confirm, self._monitor, *below])
        self.add_class("ipya-panel")
        self._made_with = self.layout
        self._monitor._beside.also(self._beside)  # noqa: SLF001
        for widget in _all(self):
            answer_where_asked(widget.comm)
        self._button.on_click(lambda _: self._begin(self._pressed()))
        if isinstance(source, Explorer):
            source.observe(self._selected, "selection")
        self._refresh()
        self._begin(self._look(0))

    # -- what a person uses ---------------------------------------------------------------------------------------

    @property
    def job(self) -> JobBase | None:
        """The last job that was ordered here; None before."""
        return self.jobs[-1] if self.jobs else None

    @property
    def jobs(self) -> tuple[JobBase, ...]:
        """All jobs that were ordered here, in order."""
        return self._monitor.jobs

    def submit(self) -> JobBase:
        """Send the order and give the job; nothing is asked.

        Raises `InvalidRequest` where nothing can be ordered, and what the client's own method raises.
        """
        return loop.run(self._place())

    def close(self) -> None:
        """Take the panel off the page. Jobs that were ordered go on."""
        if self.comm is None:  # closed already, or never made
            return
        if isinstance(self._source, Explorer):
            self._source.unobserve(self._selected, "selection")
        for work in list(self._works):
            work.cancel()
        for widget in _all(self)[1:]:
            _close(widget)
        self._made_with.close()  # another one was given to the panel, and may be that of other widgets, too
        super().close()

    async def _still(self) -> Still:
        """The jobs that were ordered here; as long as there are none, what is chosen."""
        if self.jobs:
            return await still_of(self.jobs)
        if self._looking is not None:
            await asyncio.wait([self._looking])
        items = self._choice.items
        return Still(f"{counted(len(items))} chosen, and nothing ordered.", poster_tiles(items), len(items))

    def _stand_in(self) -> str:
        return f"{type(self).__name__}: run this cell in a live notebook to order with it."

    # -- for the panel of a kind ----------------------------------------------------------------------------------

    @abstractmethod
    def _refresh(self) -> None:
        """Say again what the form and the choice amount to."""

    @abstractmethod
    async def _ordered(self, group: Group) -> JobBase:
        """Send the order of one client's assets."""

    async def _looked(self) -> None:
        """Look closer at what is chosen now; broken off when something else is chosen."""

    def _doubt(self) -> str | None:
        """What a person is asked before the order is sent; None if nothing need be asked."""
        return None

    def _over(self, job: JobBase) -> None:
        """A job is over. Called on the thread of callbacks."""

    # -- what is chosen -------------------------------------------------------------------------------------------

    def _selected(self, _change: Any) -> None:
        self._begin(self._look(CALM))

    async def _chosen(self) -> Choice:
        assets = self._source.selection if isinstance(self._source, Explorer) else self._listed
        items = await assets._items(0, self._most + 1)  # noqa: SLF001
        if len(items) > self._most:
            raise InvalidRequest(f"More than {self._most:,} assets are chosen; order in smaller parts.")
        return choose(items, self._clients, self._ability)

    async def _look(self, calm: float) -> None:
        """Look at what is chosen now; a look that is under way is broken off."""
        if self._looking is not None:
            self._looking.cancel()
        self._looking = asyncio.current_task()
        if calm:
            await asyncio.sleep(calm)
        self._confirm.withdraw()
        try:
            self._choice = await self._chosen()
        except AssetServiceError as error:
            self._choice = Choice()
            self._refresh()
            say(self._problem, str(error))
            return
        say(self._problem, "")
        self._refresh()
        self._beside.changed()
        if self._choice.groups:
            await self._looked()

    # -- ordering -------------------------------------------------------------------------------------------------

    async def _pressed(self) -> None:
        """A person pressed the button: asked first, if there is something to ask."""
        if self._sending or not self._choice.groups:
            return
        looking = self._looking
        if looking is not None and not looking.done():
            self._button.disabled = True
            await asyncio.wait([looking])
            self._refresh()
        doubt = self._doubt()
        if doubt is None:
            await self._confirmed()
        else:
            self._confirm.ask(doubt, self._confirmed)

    async def _confirmed(self) -> None:
        try:
            await self._place()
        except AssetServiceError as error:
            say(self._problem, str(error))
        except Exception as error:  # noqa: BLE001  # told where the person looks; the kernel goes on
            say(self._problem, f"{type(error).__name__} while the order was sent.")

    async def _place(self) -> JobBase:
        if self._sending:
            raise InvalidRequest("An order is being sent already.")
        self._sending = True
        say(self._problem, "")
        self._refresh()
        try:
            choice = await self._chosen()
            if not choice.groups:
                raise InvalidRequest(" ".join(choice.left_out) or self._nothing())
            for group in choice.groups:
                job = await self._ordered(group)
                self._monitor.add(job)
                job.on_done(self._over)
        finally:
            self._sending = False
            self._refresh()
        self._begin(self._look(0))
        return self.jobs[-1]

    def _begin(self, work: Coroutine[Any, Any, Any]) -> None:
        future = loop.submit(work)
        self._works.add(future)
        future.add_done_callback(self._works.discard)

    # -- what is said ---------------------------------------------------------------------------------------------

    def _offer(self, verb: str, *, able: bool = True) -> None:
        """Say on the button what it does."""
        count = len(self._choice.items)
        self._button.description = "Sending the order…" if self._sending else f"{verb} {counted(count)}"
        self._button.disabled = self._sending or not count or not able

    def _nothing(self) -> str:
        return "Nothing is selected." if isinstance(self._source, Explorer) else "There are no assets here."


class Question(w.HBox):  # type: ignore[misc]
    """A question with two answers, there only while it is asked."""

    def __init__(
        self, begin: Callable[[Coroutine[Any, Any, Any]], None], yes: str = "Replace", no: str = "Cancel"
    ) -> None:
        self._begin = begin
        self._then: Callable[[], Coroutine[Any, Any, Any]] | None = None
        self.question = line("ipya-panel-question")
        self.yes = w.Button(description=yes, button_style="danger")
        self.no = w.Button(description=no)
        super().__init__([self.question, self.yes, self.no])
        self.add_class("ipya-panel-confirm")
        show(self, visible=False)
        self.yes.on_click(self._agreed)
        self.no.on_click(lambda _: self.withdraw())

    def ask(self, question: str, then: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Ask; ``then`` is begun if the answer is yes."""
        self._then = then
        say(self.question, question)
        show(self, visible=True)

    def withdraw(self) -> None:
        """Ask no more."""
        self._then = None
        show(self, visible=False)

    def _agreed(self, _button: Any) -> None:
        then = self._then
        self.withdraw()
        if then is not None:
            self._begin(then())


def line(name: str) -> Any:
    """Words of a panel, by `say`."""
    words = w.HTML()
    words.add_class(name)
    show(words, visible=False)
    return words


def say(words: Any, text: str, *, bad: bool = False) -> None:
    """Let ``words`` be ``text``, which is no markup; nothing is there for none."""
    kind = ' class="ipya-panel-bad"' if bad else ""
    words.value = f'<div role="status" dir="auto"{kind}>{html.escape(text)}</div>' if text else ""
    show(words, visible=bool(text))


def show(widget: Any, *, visible: bool) -> None:
    """Let a widget be there, or take no room."""
    widget.layout.display = None if visible else "none"


def _close(widget: Any) -> None:
    """Close a widget with its layout and style, which are widgets too, and stay when it goes."""
    own = [part for part in (widget.layout, getattr(widget, "style", None)) if part is not None]
    for one in (widget, *own):
        one.close()


def _all(widget: Any) -> list[Any]:
    """A widget and all inside it."""
    return [widget, *(inner for child in getattr(widget, "children", ()) for inner in _all(child))]
