"""The render panel: say what is to be made of the chosen assets, see what it replaces, order it, follow it."""

from __future__ import annotations

import asyncio
import html
from collections.abc import Coroutine, Iterable, Sequence
from concurrent.futures import Future
from typing import Any, Final

import ipywidgets as w

from ipyassets.collections.asset_list import AssetList
from ipyassets.collections.assets import AssetBase
from ipyassets.collections.jobs import JobBase
from ipyassets.errors import AssetServiceError, InvalidRequest
from ipyassets.http import loop
from ipyassets.services.rendering import RenderOrder
from ipyassets.widgets.comm_widget import answer_where_asked
from ipyassets.widgets.explorer import Explorer
from ipyassets.widgets.job_monitor import JobMonitor
from ipyassets.widgets.presets import words
from ipyassets.widgets.render_choice import Choice, Replaced, choose, counted, look
from ipyassets.widgets.render_form import OrderForm

__all__ = ["RenderPanel"]

MOST: Final = 2_000
"""Assets that are ordered at once; a person who presses "Select all" over a whole catalogue seldom means it."""
_CALM: Final = 0.3
"""Seconds for which a selection must rest before it is looked at."""
_NAMED: Final = 3
_LONGEST_NAME: Final = 60


class RenderPanel(w.VBox):  # type: ignore[misc]  # ipywidgets is not typed
    """A form for renders of ``source``: an `Explorer` (its selection, as it changes), an `AssetList`, or assets.

    ``client`` orders the renders; needed where ``source`` is no Explorer over a service that renders. What the assets
    have now is looked up, and a person who presses the button is asked before it is replaced; `submit` asks nothing.
    """

    def __init__(
        self, source: Explorer | AssetList | AssetBase | Iterable[AssetBase], client: Any = None, *, height: int = 300
    ) -> None:
        self._source = source
        self._clients = _clients(source, client)
        self._listed = AssetList.of([]) if isinstance(source, Explorer) else _listed(source)
        self._choice = Choice()
        self._replaced: Replaced | None = None
        self._looking: asyncio.Task[None] | None = None
        self._sending = False
        self._works: set[Future[Any]] = set()
        self._monitor = JobMonitor(height=height)
        self._summary = _line("ipya-panel-summary")
        self._estimate = _line("ipya-panel-estimate")
        self._problem = _line("ipya-panel-problem")
        self._button = w.Button(description="Render", button_style="primary", disabled=True)
        self._question = _line("ipya-panel-question")
        self._yes = w.Button(description="Replace and render", button_style="danger")
        self._no = w.Button(description="Cancel")
        self._confirm = w.HBox([self._question, self._yes, self._no])
        self._confirm.add_class("ipya-panel-confirm")
        self._form = OrderForm(self._refresh)
        super().__init__(
            [self._form.box, self._summary, self._estimate, self._problem, self._button, self._confirm, self._monitor]
        )
        self.add_class("ipya-panel")
        self._show(self._confirm, visible=False)
        for widget in _all(self):
            answer_where_asked(widget.comm)
        self._button.on_click(lambda _: self._begin(self._pressed()))
        self._yes.on_click(lambda _: self._begin(self._confirmed()))
        self._no.on_click(lambda _: self._show(self._confirm, visible=False))
        if isinstance(source, Explorer):
            source.observe(self._selected, "selection")
        self._refresh()
        self._begin(self._look(0))

    # -- what a person uses ---------------------------------------------------------------------------------------

    @property
    def order(self) -> RenderOrder:
        """What the form says. Raises `InvalidRequest` for what makes no sense."""
        return self._form.order

    @order.setter
    def order(self, order: RenderOrder) -> None:
        self._form.fill(order)

    @property
    def assets(self) -> AssetList:
        """What would be rendered now; without the assets of services that make no renders."""
        return AssetList.of(
            [asset for _, group in loop.run(self._chosen()).groups for asset in group], "to be rendered"
        )

    @property
    def job(self) -> JobBase | None:
        """The last job that was ordered here; None before."""
        return self.jobs[-1] if self.jobs else None

    @property
    def jobs(self) -> tuple[JobBase, ...]:
        """All jobs that were ordered here, in order."""
        return self._monitor.jobs

    def submit(self) -> JobBase:
        """Order the renders and give the job; nothing is asked, whatever is replaced.

        Raises `InvalidRequest` where nothing can be rendered, and what the client's ``render`` raises.
        """
        return loop.run(self._place(self.order))

    def close(self) -> None:
        """Take the panel off the page. Jobs that were ordered go on."""
        if self.comm is None:  # closed already, or never made
            return
        if isinstance(self._source, Explorer):
            self._source.unobserve(self._selected, "selection")
        for work in list(self._works):
            work.cancel()
        for widget in _all(self)[1:]:
            widget.close()
        super().close()

    def __repr__(self) -> str:
        try:
            stills, film = words(self.order)
        except InvalidRequest:
            return "RenderPanel(an order that makes no sense yet)"
        return f"RenderPanel({stills}, {film})"

    # -- what is chosen -------------------------------------------------------------------------------------------

    def _selected(self, _change: Any) -> None:
        self._begin(self._look(_CALM))

    async def _chosen(self) -> Choice:
        assets = self._source.selection if isinstance(self._source, Explorer) else self._listed
        items = await assets._items(0, MOST + 1)  # noqa: SLF001
        if len(items) > MOST:
            raise InvalidRequest(f"More than {MOST:,} assets are chosen; order their renders in smaller parts.")
        return choose(items, self._clients)

    async def _look(self, calm: float) -> None:
        """Look at what is chosen now, and at what it has; a look that is under way is broken off."""
        if self._looking is not None:
            self._looking.cancel()
        self._looking = asyncio.current_task()
        self._replaced = None
        if calm:
            await asyncio.sleep(calm)
        self._show(self._confirm, visible=False)
        try:
            self._choice = await self._chosen()
        except AssetServiceError as error:
            self._choice = Choice()
            self._say(self._problem, str(error))
            return
        self._say(self._problem, "")
        self._refresh()
        if self._choice.items:
            self._replaced = await look(self._choice.items, self._tell_looked)
            self._refresh()

    def _tell_looked(self, found: Replaced) -> None:
        self._replaced = found
        if found.looked % 5 == 0:
            self._refresh()

    # -- ordering -------------------------------------------------------------------------------------------------

    async def _pressed(self) -> None:
        """A person pressed the button: asked first, if something is replaced."""
        if self._sending or not self._choice.items:
            return
        looking = self._looking
        if looking is not None and not looking.done():
            self._button.disabled = True
            await asyncio.wait([looking])
            self._refresh()
        replaced = self._replaced
        if replaced is not None and not replaced.anything:
            await self._confirmed()
            return
        self._say(self._question, _question(replaced, len(self._choice.items)))
        self._show(self._confirm, visible=True)

    async def _confirmed(self) -> None:
        self._show(self._confirm, visible=False)
        try:
            await self._place(self.order)
        except AssetServiceError as error:
            self._say(self._problem, str(error))
        except Exception as error:  # noqa: BLE001  # told where the person looks; the kernel goes on
            self._say(self._problem, f"{type(error).__name__} while the order was sent.")

    async def _place(self, order: RenderOrder) -> JobBase:
        if self._sending:
            raise InvalidRequest("An order is being sent already.")
        self._sending = True
        self._say(self._problem, "")
        self._refresh()
        try:
            choice = await self._chosen()
            if not choice.groups:
                raise InvalidRequest(" ".join(choice.left_out) or self._nothing())
            for client, assets in choice.groups:
                job = await _ordered(client, assets, order)
                self._monitor.add(job)
                job.on_done(self._made)
        finally:
            self._sending = False
            self._refresh()
        self._begin(self._look(0))
        return self.jobs[-1]

    def _made(self, _job: JobBase) -> None:
        """A job is over: there are other renders now than were looked at."""
        if self.comm is not None:
            self._begin(self._look(0))

    def _begin(self, work: Coroutine[Any, Any, Any]) -> None:
        future = loop.submit(work)
        self._works.add(future)
        future.add_done_callback(self._works.discard)

    # -- what is said ---------------------------------------------------------------------------------------------

    def _refresh(self) -> None:
        count = len(self._choice.items)
        try:
            stills, film = words(self.order)
        except InvalidRequest as error:
            self._say(self._summary, str(error), bad=True)
            self._button.disabled = True
            return
        said = f"{counted(count)}: {stills} and {film} of each." if count else self._nothing()
        self._say(self._summary, " ".join((said, *self._choice.left_out)))
        self._say(self._estimate, _estimate(self._replaced, count))
        self._button.description = "Sending the order…" if self._sending else f"Render {counted(count)}"
        self._button.disabled = self._sending or not count

    def _nothing(self) -> str:
        return "Nothing is selected." if isinstance(self._source, Explorer) else "There are no assets to render."

    def _say(self, line: Any, text: str, *, bad: bool = False) -> None:
        kind = ' class="ipya-panel-bad"' if bad else ""
        line.value = f'<div role="status" dir="auto"{kind}>{html.escape(text)}</div>' if text else ""
        line.layout.display = None if text else "none"

    def _show(self, widget: Any, *, visible: bool) -> None:
        widget.layout.display = None if visible else "none"


async def _ordered(client: Any, assets: AssetList, order: RenderOrder) -> JobBase:
    """The client's own ``render``, on a thread where it may block."""
    job: JobBase = await asyncio.to_thread(
        client.render,
        assets,
        width=order.width,
        height=order.height,
        format=order.format,
        background=order.background,
        transparent=order.transparent,
        turntable=order.turntable,
    )
    return job


def _clients(source: Any, client: Any) -> tuple[Any, ...]:
    clients: Sequence[object] = source.clients if isinstance(source, Explorer) else ()
    found = (client,) if client is not None else tuple(one for one in clients if hasattr(one, "render"))
    if client is not None and not callable(getattr(client, "render", None)):
        raise TypeError(f"A RenderPanel orders through a client that renders, such as Vntana(); got {client!r:.80}.")
    if not found and not isinstance(source, Explorer):
        raise TypeError("A RenderPanel over assets needs the client that renders them: RenderPanel(assets, vntana).")
    return found


def _listed(source: Any) -> AssetList:
    if isinstance(source, AssetList):
        return source
    assets = [source] if isinstance(source, AssetBase) else list(source) if isinstance(source, Iterable) else None
    if assets is None or not all(isinstance(asset, AssetBase) for asset in assets):
        raise TypeError(f"A RenderPanel is for an Explorer or for assets, not for {type(source).__name__}.")
    return AssetList.of(assets)


def _estimate(replaced: Replaced | None, count: int) -> str:
    if not count:
        return ""
    if replaced is None or not replaced.done:
        so_far = f" {replaced.looked} of {count:,}" if replaced is not None else ""
        return f"Looking which of them have renders already…{so_far}"
    unknown = ""
    if replaced.looked < count:
        unknown = f" Only the first {replaced.looked} were looked at."
    if replaced.error is not None:
        unknown += f" Of {replaced.unknown} it is not known: {replaced.error}"
    if not replaced.names:
        return ("None of them has renders yet." if replaced.certain else "No renders were found.") + unknown
    named = ", ".join(name[:_LONGEST_NAME] for name in replaced.names[:_NAMED])
    more = f" and {len(replaced.names) - _NAMED} more" if len(replaced.names) > _NAMED else ""
    least = "" if replaced.certain else "At least "
    who = f"{least}{len(replaced.names)} of {count:,}"
    have = "has" if len(replaced.names) == 1 else "have"
    return f"{who} {have} renders already, which are replaced: {named}{more}.{unknown}"


def _question(replaced: Replaced | None, count: int) -> str:
    if replaced is None or not replaced.names:
        return f"Renders that {counted(count)} may have already are replaced and cannot be brought back."
    least = "" if replaced.certain else "at least "
    return f"The renders of {least}{counted(len(replaced.names))} are replaced and cannot be brought back."


def _line(name: str) -> Any:
    line = w.HTML()
    line.add_class(name)
    return line


def _all(widget: Any) -> list[Any]:
    """A widget and all inside it."""
    return [widget, *(inner for child in getattr(widget, "children", ()) for inner in _all(child))]
