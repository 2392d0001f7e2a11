"""The archive panel: how the files of the chosen assets are to be called, one button, and what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Final

from ipyassets.collections.asset_list import AssetList
from ipyassets.collections.assets import AssetBase
from ipyassets.collections.jobs import JobBase
from ipyassets.collections.pages import Item
from ipyassets.errors import InvalidRequest
from ipyassets.http import loop
from ipyassets.services.downloading import ArchiveOrder, ArchiveService, SeenTemplate
from ipyassets.widgets.archive_form import ArchiveForm
from ipyassets.widgets.archive_result import ArchiveResult
from ipyassets.widgets.choice import Ability, Group, counted
from ipyassets.widgets.explorer import Explorer
from ipyassets.widgets.job_results import bytes_said
from ipyassets.widgets.panel import CALM, OrderPanel, say
from ipyassets.widgets.people import name_of

__all__ = ["ArchivePanel"]

_PREVIEWED: Final = 5


class ArchivePanel(OrderPanel):
    """A form for archives of ``source``: an `Explorer` (its selection, as it changes), an `AssetList`, or assets.

    ``client`` orders the archives; needed where ``source`` is no Explorer over a service that makes some. What is in
    an archive is shown below once it is there, to be saved, or to go on with in code.
    """

    _ability: ClassVar[Ability] = Ability(
        "archive", "ArchivePanel", "archives", "the service makes no archives", example="Scenario"
    )
    _most: ClassVar[int] = 10_000

    def __init__(
        self, source: Explorer | AssetList | AssetBase | Iterable[AssetBase], client: Any = None, *, height: int = 300
    ) -> None:
        self._previewing: asyncio.Task[None] | None = None
        self._names: dict[JobBase, str] = {}
        self._form = ArchiveForm(_tokens(source, client), self._edited)
        self._result = ArchiveResult(self._begin, self._called, height=height)
        super().__init__(source, client, self._form.box, height=height, below=[self._result])

    # -- what a person uses ---------------------------------------------------------------------------------------

    @property
    def order(self) -> ArchiveOrder:
        """What the form says, for the assets that are chosen now. Raises `InvalidRequest` for what cannot work."""
        order = self._form.order
        for service in self._services():
            service.check_template(order.template)
        return order

    @order.setter
    def order(self, order: ArchiveOrder) -> None:
        self._form.fill(order)

    @property
    def assets(self) -> AssetList:
        """What would be archived now; without the assets of services that make no archives."""
        groups = loop.run(self._chosen()).groups
        return AssetList.of([asset for group in groups for asset in group.assets], "to be archived")

    @property
    def picked(self) -> list[str]:
        """The names of the files that are selected in the grid of what came, in order."""
        return [result.name for result in self._result.grid.picked]

    def __repr__(self) -> str:
        folders = "no folders" if self._form.order.flat else "in folders"
        return f"ArchivePanel({self._form.order.template!r}, {folders})"

    # -- what is said ---------------------------------------------------------------------------------------------

    def _edited(self) -> None:
        self._refresh()
        self._begin(self._preview(CALM))

    def _refresh(self) -> None:
        groups, count = self._choice.groups, len(self._choice.items)
        archives = sum(_archives(group) for group in groups)
        able = self._judge() and (archives == len(groups) or self._form.split.value)
        said = _amount(groups, archives) if count else self._nothing()
        say(self._summary, " ".join((said, *self._choice.left_out)))
        say(self._estimate, _estimate(self._choice.items, original=self._form.order.prefer_original))
        self._form.offer_split(archives if archives > len(groups) else 0)
        self._offer("Archive", able=able)

    def _judge(self) -> bool:
        """Say what is to be said of the template; False if it cannot work."""
        warnings: dict[str, None] = {}
        try:
            for service in self._services():
                warnings |= dict.fromkeys(service.check_template(self._form.order.template))
        except InvalidRequest as error:
            say(self._form.judged, str(error), bad=True)
            return False
        say(self._form.judged, " ".join(warnings))
        return True

    async def _looked(self) -> None:
        await self._preview(0)

    async def _look(self, calm: float) -> None:
        await super()._look(calm)
        if not self._choice.groups:
            self._form.preview_names([], 0)

    async def _preview(self, calm: float) -> None:
        """Show the names of the first files; a preview that is under way is broken off."""
        if self._previewing is not None:
            self._previewing.cancel()
        self._previewing = asyncio.current_task()
        if calm:
            await asyncio.sleep(calm)
        items = self._choice.items[:_PREVIEWED]
        names: list[str] = []
        try:
            for service, record in items:
                if isinstance(service, ArchiveService):
                    names += service.member_names([record], self._form.order)
        except InvalidRequest:
            names = []  # the form says why
        self._form.preview_names(names, len(self._choice.items) - len(items))

    def _services(self) -> list[ArchiveService]:
        """Those of what is chosen; as long as nothing is, those of the clients."""
        chosen: list[Any] = [group.service for group in self._choice.groups]
        return _archiving(chosen or [getattr(client, "core", client) for client in self._clients])

    # -- ordering -------------------------------------------------------------------------------------------------

    async def _ordered(self, group: Group) -> JobBase:
        """The client's own ``archive``, on a thread where it may block."""
        order = self.order
        job: JobBase = await asyncio.to_thread(
            group.client.archive,
            group.assets,
            file_name_template=SeenTemplate(order.template),
            flat=order.flat,
            archive_name=order.archive_name,
            prefer_original=order.prefer_original,
            split=bool(self._form.split.value),
        )
        number = len(self.jobs) + 1
        stem = (order.archive_name or "").removesuffix(".zip") or ("archive" if number == 1 else f"archive-{number}")
        self._names[job] = f"{stem}.zip"
        return job

    def _over(self, job: JobBase) -> None:
        if self.comm is not None and job.status in ("completed", "partly_failed"):
            self._result.add(job, self._names[job])

    def _called(self, job: JobBase) -> str:
        """The code that names ``job``, by what the panel is called in the notebook."""
        panel = name_of(self) or "panel"
        return f"{panel}.job" if job is self.job else f"{panel}.jobs[{self.jobs.index(job)}]"


def _archiving(services: Sequence[Any]) -> list[ArchiveService]:
    return [service for service in dict.fromkeys(services) if isinstance(service, ArchiveService)]


def _tokens(source: Any, client: Any) -> dict[str, str]:
    """What may stand in templates of these services."""
    clients = [client] if client is not None else source.clients if isinstance(source, Explorer) else []
    services = _archiving([getattr(one, "core", one) for one in clients])
    return {token: words for service in services for token, words in service.template_tokens.items()}


def _most_of(group: Group) -> int:
    return group.service.most_in_archive if isinstance(group.service, ArchiveService) else len(group.items)


def _archives(group: Group) -> int:
    """How many archives it takes."""
    return -(-len(group.items) // _most_of(group))


def _amount(groups: Sequence[Group], archives: int) -> str:
    count = counted(sum(len(group.items) for group in groups))
    if archives == len(groups):
        return f"{count} in {'one archive' if archives == 1 else f'{archives:,} archives, one for each service'}."
    most = min(_most_of(group) for group in groups if _archives(group) > 1)
    return f"{count}: more than the {most:,} that one archive may hold. It takes {archives:,} archives."


def _estimate(items: Sequence[Item], *, original: bool) -> str:
    """How large the files are, as far as their records tell."""
    if not items:
        return ""
    sizes = [size for _, record in items if (size := record.attributes.get("size")) and isinstance(size, int)]
    silent = len(items) - len(sizes)
    if not sizes:
        return "How large they are is not known before."
    total = bytes_said(sum(sizes))
    said = f"At least {total}; how large {silent:,} of them are is not known." if silent else f"About {total}."
    return said + (" Originals may be larger." if original else "")
