"""The Explorer: search asset services in the notebook, see posters, pick."""

from __future__ import annotations

import asyncio
import contextlib
import warnings
from collections.abc import Iterable
from concurrent.futures import Future, wait
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import traitlets as t

from ipyassets.collections.asset_list import AssetList
from ipyassets.collections.assets import AssetBase
from ipyassets.collections.pages import FixedPages, RecordPages
from ipyassets.errors import (
    AssetServiceError,
    AuthenticationError,
    InvalidRequest,
    PermissionDenied,
    RateLimited,
    ServiceUnavailable,
)
from ipyassets.http import loop
from ipyassets.texts import cut
from ipyassets.widgets import messages
from ipyassets.widgets.comm_widget import css_length
from ipyassets.widgets.found import Found, PickedPages, places_of
from ipyassets.widgets.grid_widget import GridWidget
from ipyassets.widgets.messages import Query
from ipyassets.widgets.people import somebody_may_be_there
from ipyassets.widgets.ranges import Ranges
from ipyassets.widgets.reading import Refused
from ipyassets.widgets.services import Entry, entries
from ipyassets.widgets.tiles import LONGEST_NAME

if TYPE_CHECKING:
    from ipyassets.collections.batch import ImageBatch

__all__ = ["Explorer"]

_REPR_PATIENCE: Final = 5.0
"""Seconds a repr waits for the count of the search that is under way."""
_UNHEARD: Final = 5.0
"""Seconds after which `Explorer.pick` says that no browser answers."""
_NOTHING: Final[dict[str, Any]] = {"generation": 0, "ranges": [], "outside": 0}


class _Assets(t.TraitType[AssetList, Any]):
    """An `AssetList`; any iterable of assets, one asset or None becomes one."""

    info_text = "an AssetList, or assets in a list"

    def make_dynamic_default(self) -> AssetList:
        return AssetList.of([], "selection")

    def validate(self, obj: Any, value: Any) -> AssetList:
        del obj
        if isinstance(value, AssetList):
            return value
        assets = [] if value is None else [value] if isinstance(value, AssetBase) else value
        if isinstance(assets, Iterable):
            chosen = list(assets)
            if all(isinstance(asset, AssetBase) for asset in chosen):
                return AssetList.of(chosen, "selection")
        raise t.TraitError(f"A selection is {self.info_text}, not {type(value).__name__}.")


class Explorer(GridWidget):
    """A grid of what asset services have: search, filter, look, and pick; the pick is `selection`.

    ``clients`` are connected services (``Explorer(vntana, scenario)``). ``workspace`` is where the first of them is
    searched (its default place, if None), ``query`` the words to begin with, ``height`` a number of pixels or a CSS
    length, ``banner`` a line of text above everything.

    ``selection`` is observed like any trait: ``explorer.observe(handler, names="selection")``. A new search, and only
    that, forgets the selection.
    """

    selection = _Assets()
    """An `AssetList` of what is selected. Assign any assets to select them in the browser too."""
    query = t.Unicode()
    """The search words; assigning searches."""

    def __init__(
        self,
        *clients: object,
        workspace: str | None = None,
        query: str = "",
        height: int | str = 520,
        banner: str | None = None,
    ) -> None:
        self._entries = {entry.key: entry for entry in entries(clients)}
        self._clients = clients
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[AssetList]]] = []
        self._found: Found | None = None
        self._first_page: Future[None] | None = None
        self._selecting: Future[None] | None = None
        self._taken_over: AssetList | None = None
        self._asked_words: str | None = query
        first = next(iter(self._entries))
        super().__init__(
            query=query,
            _setup={
                "kind": "explorer",
                "label": "Assets",
                "nouns": ["asset", "assets"],
                "missing": "No poster",
                "height": css_length(height),
                "banner": banner,
                "services": [entry.described for entry in self._entries.values()],
                "turns": False,
            },
            _selection=_NOTHING,
        )
        self._search(Query(first, workspace, query, {}, None))

    # -- what a person uses ---------------------------------------------------------------------------------------

    @property
    def clients(self) -> tuple[object, ...]:
        """The services it looks into, as they were given."""
        return self._clients

    @property
    def assets(self) -> AssetList:
        """All that the present search finds. Raises what the search raised."""
        return self._shown_now().assets

    def images(self, width: int | None = 512, height: int | None = None, *, size: str | None = None) -> ImageBatch:
        """The posters of the selection as PIL images, as `AssetList.posters` gives them."""
        selection: AssetList = self.selection
        return selection.posters(width, height, size=size)

    def to_html(
        self,
        path: str | Path,
        *,
        title: str | None = None,
        width: int = 512,
        limit: int | None = 1_000,
        turntables: bool = True,
        progress: bool | None = None,
    ) -> Path:
        """Write what the present search finds as one HTML file that anybody can open, as `AssetList.to_html` does.

        Of the selection alone: ``explorer.selection.to_html(path)``. Raises what the search raised.
        """
        assets = self.assets
        if title is None:
            words = self._query["text"]
            title = f"{self._entry().title}: {words}" if words else self._entry().title
        return assets.to_html(path, title=title, width=width, limit=limit, turntables=turntables, progress=progress)

    async def pick(self, timeout: float | None = None) -> AssetList:  # noqa: ASYNC109  # the contract's own word
        """Wait until the person presses "Use selection"; gives the selection.

        Shows the Explorer if it is not on the page yet. Raises TimeoutError after ``timeout`` seconds, and
        RuntimeError at once where nobody can press anything (nbconvert, papermill, nbval, a script). Warns where
        nothing is heard from the browser: kernels that take messages only between cells never hear of the choice.
        """
        if not (self._front_end_seen or somebody_may_be_there()):
            raise RuntimeError(
                "pick() waits for a person, and nobody can be here: this code runs without a front end "
                "(nbconvert, papermill, nbval or a script). Choose in code instead, such as explorer.assets[:3]."
            )
        if not self._displayed:
            from IPython.display import display

            display(self)  # type: ignore[no-untyped-call]
        running = asyncio.get_running_loop()
        picked: asyncio.Future[AssetList] = running.create_future()
        ticket = (running, picked)
        unheard = running.call_later(_UNHEARD, self._warn_unheard, self._hellos)
        with self._lock:
            self._waiting.append(ticket)
            self._picking = True  # the browser says hello when it sees this
        try:
            async with asyncio.timeout(timeout):
                return await picked
        finally:
            unheard.cancel()
            with self._lock:
                self._waiting.remove(ticket)
                self._picking = bool(self._waiting)

    def _warn_unheard(self, hellos: int) -> None:
        if self._hellos == hellos:
            warnings.warn(
                f"pick() has heard nothing from the browser for {_UNHEARD:g} s. A kernel that takes clicks only "
                "between cells (ipykernel before 7, and others) does not hear of a choice while this cell waits for "
                "it: interrupt the cell, choose, and use explorer.selection in another one.",
                RuntimeWarning,
                stacklevel=2,
            )

    def close(self) -> None:
        """Take the widget off the page; whoever awaits `pick` is told that it was cancelled."""
        if self.comm is not None:
            for running, picked in list(self._waiting):
                with contextlib.suppress(RuntimeError):  # that loop has ended, and its waiting with it
                    running.call_soon_threadsafe(picked.cancel)
        super().close()

    def __repr__(self) -> str:
        found = self._found
        titles = ", ".join(entry.title for entry in self._entries.values())
        if found is None:
            return f"Explorer({titles})"
        first_page = self._first_page  # another thread may begin another search meanwhile
        if first_page is not None and not loop.on_loop_thread():
            wait([first_page], _REPR_PATIENCE)
        return f"Explorer({titles}: {self._standing(always=False)}, {self._selected} selected)"

    def _standing(self, *, always: bool) -> str:
        """How the search stands; ``always`` names the service, even if there is only one."""
        place = f" in {self._entry().title}" if always or len(self._entries) > 1 else ""
        words = f" for {self._query['text']!r}" if self._query["text"] else ""
        count = {"ready": f"{_counted(self._result)}{place}{words}", "error": f"the search{place}{words} failed"}
        return count.get(self._result["state"], f"searching{place}{words}")

    @property
    def _selected(self) -> int:
        return len(Ranges.of(self._selection["ranges"])) + int(self._selection["outside"])

    def _about(self) -> str:
        said = self._standing(always=True)
        banner = f"{self._setup['banner']}. " if self._setup["banner"] else ""
        selected = f", {self._selected:,} selected" if self._selected else ""
        return f"{banner}{said[:1].upper()}{said[1:]}{selected}."

    def _stand_in(self) -> str:
        titles = ", ".join(entry.title for entry in self._entries.values())
        return f"Explorer over {titles}: run this cell in a live notebook to search and pick."

    # -- searching ------------------------------------------------------------------------------------------------

    def _search(self, query: Query) -> None:
        """Begin a new result; its first page comes by itself. May be called on any thread."""
        entry = self._entries[query.service]
        with self._lock:
            generation = self._found.generation + 1 if self._found is not None else 1
            found = _begun(generation, entry, query, self._grown)
            if self._first_page is not None:
                self._first_page.cancel()
            self._found = found
            self._asked_words = query.text
            self._query = asdict(query)
            self._publish(found, "error" if found.error else "loading")
            self._first_page = None if found.error else loop.submit(self._fetch_first(found, entry, query))
            had = self._selection["ranges"] or self._selection["outside"]
            self._selection = {**_NOTHING, "generation": generation}
        if not self._places.get(entry.key, {}).get("items"):
            loop.submit(self._fetch_places(entry))
        if self.query != query.text:
            self.query = query.text
        if had:
            self._taken_over = AssetList.of([], "selection")
            self.selection = self._taken_over

    async def _fetch_first(self, found: Found, entry: Entry, query: Query) -> None:
        try:
            try:
                await found.pages.first()
            except InvalidRequest:
                # A service may want to know which workspace. Rather than show nothing, show the first there is.
                places = await self._fetch_places(entry) if query.place is None else []
                if not places:
                    raise
                chosen = replace(query, place=places[0])
                found.pages = RecordPages(entry.service, entry.search(chosen))
                with self._lock:
                    if self._found is found:
                        self._query = asdict(chosen)
                await found.pages.first()
        except AssetServiceError as error:
            found.failed(error)
        except Exception as error:  # noqa: BLE001  # said where the person looks
            found.failed(AssetServiceError(f"{type(error).__name__} while searching."))
        with self._lock:
            if self._found is found:
                self._publish(found, "error" if found.error else "ready")

    async def _fetch_places(self, entry: Entry) -> list[str]:
        """Tell the browser the service's workspaces; their ids."""
        if not entry.service.capabilities.workspaces:
            return []
        message = None
        items = []
        try:
            places = await entry.service.workspaces()
            items = [{"value": place.id, "label": cut(place.name, LONGEST_NAME)} for place in places]
        except AssetServiceError as error:
            message = str(error)  # the search itself will say what is wrong
        with self._lock:
            self._places = {**self._places, entry.key: {"items": items, "message": message}}
        return [item["value"] for item in items]

    def _grown(self, found: Found) -> None:
        with self._lock:
            if self._found is found:
                self._publish(found, "ready")

    def _publish(self, found: Found, state: str) -> None:
        self._result = {
            "generation": found.generation,
            "state": state,
            "count": found.count,
            "total": found.pages.total,
            "ended": found.pages.ended,
            "message": str(found.error) if found.error else None,
            **({"trouble": _trouble(found.error)} if found.error else {}),
        }

    def _entry(self) -> Entry:
        return self._entries[self._query["service"]]

    @t.observe("query")
    def _words_assigned(self, change: Any) -> None:
        if self._found is None or change.new == self._asked_words:
            return
        asked = self._query
        self._search(Query(asked["service"], asked["place"], change.new, asked["filters"], asked["sort"]))

    # -- selecting ------------------------------------------------------------------------------------------------

    @t.observe("selection")
    def _selection_assigned(self, change: Any) -> None:
        if change.new is self._taken_over or self._found is None:
            return
        self._selecting = loop.submit(self._show_selection(change.new, self._found, self._first_page))
        self._beside.changed()

    async def _show_selection(self, assets: AssetList, found: Found, first_page: Future[None] | None) -> None:
        try:
            if first_page is not None:
                await asyncio.wrap_future(first_page)
            picked, outside = await places_of(assets, found.pages)
        except AssetServiceError:
            return  # the search failed and says so itself
        with self._lock:
            if self.selection is assets and self._found is found:
                self._publish(found, "ready")
                self._selection = {"generation": found.generation, "ranges": picked.pairs, "outside": outside}

    def _person_selected(self, generation: int, ranges: Ranges) -> None:
        with self._lock:
            found = self._of(generation)
            assert isinstance(found, Found)
            picked = ranges.clip(found.count)
            self._selection = {"generation": generation, "ranges": picked.pairs, "outside": 0}
            self._taken_over = AssetList(PickedPages(found.pages, picked), "selection")
        # Outside the lock: observers are the person's own code.
        self.selection = self._taken_over

    async def _settled(self) -> None:
        waited: list[Future[None]] = []
        while under_way := [work for work in (self._first_page, self._selecting) if work and work not in waited]:
            # Not awaited one by one: a search that another one takes the place of is cancelled.
            await asyncio.wait([asyncio.ensure_future(asyncio.wrap_future(work)) for work in under_way])
            waited += under_way

    # -- messages -------------------------------------------------------------------------------------------------

    def _shown_now(self) -> Found:
        assert self._found is not None
        return self._found

    def _answer_other(self, ask: messages.Ask) -> dict[str, Any]:
        match ask:
            case messages.Search(query):
                if query.service not in self._entries:
                    raise Refused("There is no such service here.")
                self._entries[query.service].check(query)
                self._search(query)
                return {"generation": self._shown_now().generation}
            case messages.Use():
                self._hand_over()
                return {}
            case _:
                return super()._answer_other(ask)

    def _hand_over(self) -> None:
        with self._lock:
            waiting = list(self._waiting)
        if not waiting:
            raise Refused("Nothing waits for the selection any more.")
        for running, picked in waiting:
            running.call_soon_threadsafe(_settle, picked, self.selection)


def _begun(generation: int, entry: Entry, query: Query, grown: Any) -> Found:
    label = f"{entry.service.title} {query.text!r}" if query.text else entry.service.title
    try:
        return Found(generation, label, RecordPages(entry.service, entry.search(query)), grown)
    except AssetServiceError as error:
        found = Found(generation, label, FixedPages([]), grown)
        found.failed(error)
        return found


def _trouble(error: AssetServiceError) -> str:
    """What a person can do about it, in a word that the browser knows."""
    match error:
        case AuthenticationError():
            return "credentials"
        case PermissionDenied():
            return "permission"
        case RateLimited():
            return "limit"
        case ServiceUnavailable():
            return "offline" if error.status is None else "unavailable"
        case _:
            return "other"


def _settle(picked: asyncio.Future[AssetList], selection: AssetList) -> None:
    if not picked.done():
        picked.set_result(selection)


def _counted(result: dict[str, Any]) -> str:
    count = result["total"] if result["total"] is not None else result["count"]
    more = "" if result["ended"] or result["total"] is not None else " so far"
    return f"{count} asset{'' if count == 1 else 's'}{more}"
