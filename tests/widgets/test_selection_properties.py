"""What is selected in an Explorer, whoever selects it and in whatever order: a set of places, against a model."""

from __future__ import annotations

from typing import Any

import comm
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ipyassets.collections.assets import Asset
from ipyassets.http import loop
from ipyassets.widgets import Explorer, bundle
from ipyassets.widgets.ranges import Ranges
from tests.fakes import MemoryService
from tests.widgets.browser import Browser, RecordingComm

PLACES = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)).map(sorted), max_size=4)


class Selecting(RuleBasedStateMachine):
    """The browser and Python select by turns, and search anew; both then see the same assets, each once."""

    @initialize(count=st.integers(0, 30), page_size=st.integers(1, 9), numbered=st.booleans())
    def begin(self, count: int, page_size: int, numbered: bool) -> None:
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(comm, "create_comm", RecordingComm)
        self.patch.setattr(bundle, "_static", lambda name: f"/* {name} */\n")
        self.service = MemoryService(count, page_size=page_size, numbered=numbered)
        self.explorer = Explorer(self.service)
        self.browser = Browser(self.explorer)
        self.browser.ready()
        self.found = list(self.service.names)
        self.chosen: list[str] = []
        """As Python has them."""
        self.outside = 0
        self.announced: list[list[str]] = []
        self.explorer.observe(lambda change: self.announced.append([one.id for one in change.new]), "selection")

    @property
    def known(self) -> int:
        """Places that the browser can have seen: of a list without a number of assets, those that came so far."""
        return int(self.browser.trait("_result")["count"])

    @rule(places=PLACES)
    def in_the_browser(self, places: Any) -> None:
        wanted = sorted({n for first, last in places for n in range(first, last + 1) if n < self.known})
        answer = self.browser.ask("select", generation=self.browser.generation, ranges=places)
        assert answer.last["op"] == "reply"
        self.chosen, self.outside = [self.found[n] for n in wanted], 0
        assert self.announced[-1] == self.chosen

    @rule(places=PLACES, before=st.integers(1, 3))
    def in_an_older_result(self, places: Any, before: int) -> None:
        answer = self.browser.ask("select", generation=max(0, self.browser.generation - before), ranges=places)
        assert answer.last["op"] == "error"

    @rule(places=st.lists(st.lists(st.integers(-3, 60), max_size=2), min_size=1, max_size=2))
    def with_nonsense(self, places: Any) -> None:
        wrong = any(len(pair) != 2 or pair[0] < 0 or pair[1] < pair[0] for pair in places)
        if wrong:
            answer = self.browser.ask("select", generation=self.browser.generation, ranges=places)
            assert answer.last["op"] == "error"

    @rule(start=st.integers(-5, 35), stop=st.integers(-5, 35), step=st.sampled_from([1, 2, -1]))
    def a_slice_in_python(self, start: int, stop: int, step: int) -> None:
        self._assigned(self.explorer.assets[start:stop:step], self.found[start:stop:step])

    @rule(places=st.lists(st.integers(0, 29), max_size=5))
    def single_ones_in_python(self, places: list[int]) -> None:
        places = [n for n in places if n < len(self.found)]
        self._assigned([self.explorer.assets[n] for n in places], [self.found[n] for n in places])

    @rule()
    def all_in_python(self) -> None:
        self._assigned(self.explorer.assets, self.found)

    @rule()
    def none_in_python(self) -> None:
        self._assigned(None, [])

    @rule(own=st.booleans(), others=st.lists(st.integers(31, 60), min_size=1, max_size=3, unique=True))
    def some_that_are_not_there(self, own: bool, others: list[int]) -> None:
        names = [*self.found[:1], *(f"asset-{n}" for n in others)] if own else [f"asset-{n}" for n in others]
        self._assigned([Asset(self.service.make(name), self.service) for name in names], names)

    @rule(text=st.sampled_from(["", "asset-1", "9", "nothing"]))
    def a_new_search(self, text: str) -> None:
        query = {"service": "memory", "place": None, "text": text, "filters": {}, "sort": None}
        assert self.browser.ask("search", query=query).last["op"] == "reply"
        self.browser.ready()
        self.found = [name for name in self.service.names if text in name]
        self.chosen, self.outside = [], 0

    @invariant()
    def both_see_the_same(self) -> None:
        loop.run(self.explorer._settled())
        assert [asset.id for asset in self.explorer.selection] == self.chosen
        shown = self.browser.trait("_selection")
        places = [self.found.index(name) for name in self.chosen if name in self.found]
        assert tuple(map(tuple, shown["ranges"])) == Ranges.indices(places).pairs
        assert shown["outside"] == len({name for name in self.chosen if name not in self.found})
        assert shown["generation"] == self.browser.generation

    def _assigned(self, selection: Any, names: list[str]) -> None:
        self.explorer.selection = selection
        self.chosen = names

    def teardown(self) -> None:
        if hasattr(self, "explorer"):
            self.explorer.close()
            self.patch.undo()


TestSelecting = Selecting.TestCase
_deep = settings.default.max_examples >= 1000
TestSelecting.settings = settings(max_examples=300 if _deep else 8, stateful_step_count=30 if _deep else 15)
