"""ResultGrid: the Explorer's grid over files that a job gave."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ipyassets.collections.results import Result
from ipyassets.widgets.grid_widget import GridWidget
from ipyassets.widgets.job_results import Files
from ipyassets.widgets.ranges import Ranges

__all__ = ["ResultGrid"]


class ResultGrid(GridWidget):
    """A grid of files: pictures, each read when it is looked at, and names of what is no picture.

    ``picked_changed`` is called, on whatever thread, after others were selected.
    """

    def __init__(self, picked_changed: Callable[[], None] = lambda: None, *, height: int = 360) -> None:
        self._files = Files([])
        self._picked = Ranges.of([])
        self._picked_changed = picked_changed
        super().__init__(
            _setup={
                "kind": "images",
                "label": "Files",
                "nouns": ["file", "files"],
                "missing": "No picture",
                "height": f"{height}px",
                "banner": None,
                "services": [],
                "turns": False,
            },
            _query={"service": "", "place": None, "text": "", "filters": {}, "sort": None},
            _result=_ready(1, 0),
            _selection={"generation": 1, "ranges": [], "outside": 0},
        )

    def show(self, results: Sequence[Result]) -> None:
        """Show these instead."""
        with self._lock:
            generation = self._files.generation + 1
            self._files = Files(results, generation)
            self._picked = Ranges.of([])
            self._result = _ready(generation, len(results))
            self._selection = {"generation": generation, "ranges": [], "outside": 0}

    @property
    def results(self) -> Sequence[Result]:
        """What is shown."""
        return self._files.results

    @property
    def picked(self) -> list[Result]:
        """What is selected, in order."""
        with self._lock:
            return [self._files.results[index] for index in self._picked]

    def _about(self) -> str:
        count = len(self._files.results)
        return f"{count:,} file{'' if count == 1 else 's'}."

    def _stand_in(self) -> str:
        return f"{self!r}: run this cell in a live notebook to see them."

    def __repr__(self) -> str:
        count = len(self._files.results)
        return f"ResultGrid({count} file{'' if count == 1 else 's'})"

    def _shown_now(self) -> Files:
        return self._files

    def _person_selected(self, generation: int, ranges: Ranges) -> None:
        with self._lock:
            self._of(generation)
            self._picked = ranges.clip(len(self._files.results))
            self._selection = {"generation": generation, "ranges": self._picked.pairs, "outside": 0}
        self._picked_changed()


def _ready(generation: int, count: int) -> dict[str, Any]:
    return {
        "generation": generation,
        "state": "ready",
        "count": count,
        "total": count,
        "ended": True,
        "message": None,
    }
