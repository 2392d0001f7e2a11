"""What an archive holds, once it is there: its files in a grid, saving, and the line of code to go on with."""

from __future__ import annotations

import asyncio
import html
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

import ipywidgets as w

from ipyassets.collections.jobs import JobBase
from ipyassets.collections.results import Result, Savable
from ipyassets.errors import AssetServiceError
from ipyassets.widgets.job_results import bytes_said, file_name, results_of
from ipyassets.widgets.panel import line, say, show
from ipyassets.widgets.result_grid import ResultGrid
from ipyassets.widgets.save_box import SaveBox

__all__ = ["ArchiveResult"]

_NAMED: Final = 3
_LONGEST_NAME: Final = 80


class ArchiveResult(w.VBox):  # type: ignore[misc]  # ipywidgets is not typed
    """Shows what one of several jobs gave; not there before one gave something.

    ``begin`` runs a coroutine on the package's loop thread; ``called`` gives the code that names a job.
    """

    def __init__(
        self, begin: Callable[[Coroutine[Any, Any, Any]], None], called: Callable[[JobBase], str], *, height: int
    ) -> None:
        self._begin = begin
        self._called = called
        self._jobs: list[tuple[JobBase, str]] = []
        self._shown: JobBase | None = None
        self._showing: asyncio.Task[None] | None = None
        self._filling = False
        self.which = w.Dropdown(description="Archive", style={"description_width": "initial"})
        self.said = line("ipya-panel-held")
        self.grid = ResultGrid(self._code_again, height=height)
        self.save = SaveBox(begin)
        self.code = line("ipya-panel-code")
        choice = w.VBox([self.which])
        choice.add_class("ipya-form")
        super().__init__([choice, self.said, self.grid, self.save, self.code])
        self.add_class("ipya-panel-result")
        show(self, visible=False)
        show(self.which, visible=False)
        self.which.observe(self._chosen, "value")

    @property
    def job(self) -> JobBase | None:
        """The job whose files are shown."""
        return self._shown

    def add(self, job: JobBase, name: str) -> None:
        """Show what ``job`` gave, which would be saved as ``name``; others can still be chosen."""
        if all(job is not known for known, _ in self._jobs):
            self._jobs.append((job, name))
        self._filling = True
        try:
            self.which.options = [(f"Order {n}: {one.title}", n) for n, (one, _) in enumerate(self._jobs, 1)]
            self.which.value = 1 + next(n for n, (one, _) in enumerate(self._jobs) if one is job)
        finally:
            self._filling = False
        show(self.which, visible=len(self._jobs) > 1)
        self._begin(self._show(job, name))

    def _chosen(self, change: Any) -> None:
        if not self._filling and change.new is not None:
            self._begin(self._show(*self._jobs[change.new - 1]))

    async def _show(self, job: JobBase, name: str) -> None:
        if self._showing is not None:
            self._showing.cancel()
        self._showing = asyncio.current_task()
        self._shown = job
        show(self, visible=True)
        for part in (self.grid, self.save, self.code):
            show(part, visible=False)
        say(self.said, "Looking what is in it…")
        results, problems = await _everything(job)
        problems += [str(error) for index, _, error in job.failures if job.items[index].status == "completed"]
        say(self.said, _held(results, problems), bad=not results)
        self.grid.show(results)
        self._code_again()
        show(self.grid, visible=bool(results))
        show(self.code, visible=bool(results))
        if isinstance(job, Savable):
            self.save.show_job(job, name)
            show(self.save, visible=True)

    def _code_again(self) -> None:
        """The line of code that gives what is shown, or what is selected of it."""
        if self._shown is None:
            return
        job, picked = self._called(self._shown), self.grid.picked
        panel = job.partition(".")[0]
        what = "the pictures"
        code = f"images = {job}.images()"
        if picked:
            what = "what is selected"
            pictures = all(result.picture for result in picked)
            code = f"images = [{job}.image(name) for name in {panel}.picked]"
            if not pictures:
                code = f'{job}.extract("folder", {panel}.picked)'
        self.code.value = f"<div>To go on with {what}: <code>{html.escape(code)}</code></div>"


async def _everything(job: JobBase) -> tuple[list[Result], list[str]]:
    """All files, and what went wrong, each thing said once."""
    results: list[Result] = []
    problems: dict[str, None] = {}
    for item in job.items:
        try:
            results += await results_of(job, item.index)
        except AssetServiceError as error:
            problems[str(error)] = None
        except Exception as error:  # noqa: BLE001  # said where the person looks
            problems[f"{type(error).__name__} while {item.name} was read."] = None
    return results, list(problems)


def _held(results: Sequence[Result], problems: Sequence[str]) -> str:
    said = []
    if results:
        others = [result.name for result in results if not result.picture]
        size = sum(result.size or 0 for result in results)
        pictures = len(results) - len(others)
        said.append(
            f"{_counted(len(results), 'file')}, {bytes_said(size)} unpacked: {_counted(pictures, 'picture')}"
            + (f" and {_counted(len(others), 'other')} ({_named(others)})." if others else ".")
        )
    elif not problems:
        said.append("There is nothing in it.")
    more = len(problems) - _NAMED
    said += [*problems[:_NAMED], *([f"And {more:,} more such troubles."] if more > 0 else [])]
    return " ".join(said)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(file_name(name)[:_LONGEST_NAME] for name in names[:_NAMED]) + more
