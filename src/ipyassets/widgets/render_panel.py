"""The render panel: say what is to be made of the chosen assets, see what it replaces, order it, follow it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, ClassVar, Final

from ipyassets.collections.asset_list import AssetList
from ipyassets.collections.assets import AssetBase
from ipyassets.collections.jobs import JobBase
from ipyassets.errors import InvalidRequest
from ipyassets.http import loop
from ipyassets.services.rendering import RenderOrder
from ipyassets.texts import cut, visible
from ipyassets.widgets.choice import Ability, Group, counted
from ipyassets.widgets.explorer import Explorer
from ipyassets.widgets.panel import OrderPanel, say
from ipyassets.widgets.presets import words
from ipyassets.widgets.render_form import OrderForm
from ipyassets.widgets.replaced import Replaced, look

__all__ = ["RenderPanel"]

_NAMED: Final = 3
_LONGEST_NAME: Final = 60


class RenderPanel(OrderPanel):
    """A form for renders of ``source``: an `Explorer` (its selection, as it changes), an `AssetList`, or assets.

    ``client`` orders the renders; needed where ``source`` is no Explorer over a service that renders. What the assets
    have now is looked up, and a person who presses the button is asked before it is replaced; `submit` asks nothing.
    """

    _ability: ClassVar[Ability] = Ability(
        "render", "RenderPanel", "renders", "the service makes no renders", example="Vntana"
    )
    _most: ClassVar[int] = 2_000

    def __init__(
        self, source: Explorer | AssetList | AssetBase | Iterable[AssetBase], client: Any = None, *, height: int = 300
    ) -> None:
        self._replaced: Replaced | None = None
        self._form = OrderForm(self._refresh)
        super().__init__(source, client, self._form.box, height=height)
        self._confirm.yes.description = "Replace and render"

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
        groups = loop.run(self._chosen()).groups
        return AssetList.of([asset for group in groups for asset in group.assets], "to be rendered")

    def __repr__(self) -> str:
        try:
            stills, film = words(self.order)
        except InvalidRequest:
            return "RenderPanel(an order that makes no sense yet)"
        return f"RenderPanel({stills}, {film})"

    # -- what would be replaced -----------------------------------------------------------------------------------

    async def _look(self, calm: float) -> None:
        self._replaced = None
        await super()._look(calm)

    async def _looked(self) -> None:
        self._replaced = await look(self._choice.items, self._tell_looked)
        self._refresh()

    def _tell_looked(self, found: Replaced) -> None:
        self._replaced = found
        if found.looked % 5 == 0:
            self._refresh()

    def _doubt(self) -> str | None:
        replaced = self._replaced
        if replaced is not None and not replaced.anything:
            return None
        return _question(replaced, len(self._choice.items))

    def _over(self, job: JobBase) -> None:
        """There are other renders now than were looked at."""
        del job
        if self.comm is not None:
            self._begin(self._look(0))

    # -- ordering -------------------------------------------------------------------------------------------------

    async def _ordered(self, group: Group) -> JobBase:
        """The client's own ``render``, on a thread where it may block."""
        order = self.order
        job: JobBase = await asyncio.to_thread(
            group.client.render,
            group.assets,
            width=order.width,
            height=order.height,
            format=order.format,
            background=order.background,
            transparent=order.transparent,
            turntable=order.turntable,
        )
        return job

    def _refresh(self) -> None:
        count = len(self._choice.items)
        try:
            stills, film = words(self.order)
        except InvalidRequest as error:
            say(self._summary, str(error), bad=True)
            self._offer("Render", able=False)
            return
        said = f"{counted(count)}: {stills} and {film} of each." if count else self._nothing()
        say(self._summary, " ".join((said, *self._choice.left_out)))
        say(self._estimate, _estimate(self._replaced, count))
        self._offer("Render")


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
    named = ", ".join(visible(cut(name, _LONGEST_NAME)) for name in replaced.names[:_NAMED])
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
