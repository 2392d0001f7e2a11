"""Saving all that a job gave, by a button: where to, how far it is, what went wrong."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

import ipywidgets as w

from ipyassets.collections.images import in_file_pool
from ipyassets.collections.results import Savable
from ipyassets.errors import AssetServiceError
from ipyassets.widgets.job_results import bytes_said
from ipyassets.widgets.panel import Question, line, say, show

__all__ = ["SaveBox"]

_PACE: Final = 0.2
"""Seconds between two words of how far it is."""
_NAMED: Final = 3


class SaveBox(w.VBox):  # type: ignore[misc]  # ipywidgets is not typed
    """A field for a path and a button. Nothing that is there is replaced before a person said so.

    ``begin`` runs a coroutine on the package's loop thread.
    """

    def __init__(self, begin: Callable[[Coroutine[Any, Any, Any]], None]) -> None:
        self._job: Savable | None = None
        self._default = ""
        self._saving: asyncio.Task[None] | None = None
        self.path = w.Text(description="Save as", continuous_update=True, style={"description_width": "initial"})
        self.path.add_class("ipya-form-middle")
        self.button = w.Button(description="Save")
        self.question = Question(begin)
        self.bar = w.FloatProgress(min=0.0, max=1.0)
        self.bar.add_class("ipya-panel-bar")
        self.said = line("ipya-panel-saved")
        row = w.HBox([self.path, self.button])
        row.add_class("ipya-form-row")
        super().__init__([row, self.question, self.bar, self.said])
        self.add_class("ipya-form")
        show(self.bar, visible=False)
        self.button.on_click(lambda _: begin(self._pressed()))

    def show_job(self, job: Savable, name: str) -> None:
        """Save ``job`` from now on, as ``name`` unless a person wrote something else."""
        self._job = job
        self.question.withdraw()
        if self.path.value == self._default:
            self.path.value = name
        self._default = name

    async def _pressed(self) -> None:
        if self._saving is not None:
            self._saving.cancel()
            return
        job, typed = self._job, self.path.value.strip()
        if job is None:
            return
        if not typed:
            say(self.said, "Where to? Write a file name, such as archive.zip.", bad=True)
            return
        path = _path(typed, self._default)
        try:
            places = await job._places(path)  # noqa: SLF001
            there = await in_file_pool(lambda: [place.name for place in places if place.exists()])
        except AssetServiceError as error:
            say(self.said, str(error), bad=True)
        except OSError as error:
            say(self.said, _cannot(path, error), bad=True)
        else:
            if there:
                say(self.said, "")
                self.question.ask(_already(there), functools.partial(self._save, job, path))
            else:
                await self._save(job, path)

    async def _save(self, job: Savable, path: Path) -> None:
        if self._saving is not None:
            return
        self._saving = asyncio.current_task()
        self.button.description = "Stop saving"
        self.bar.value = 0.0
        say(self.said, "Saving…")
        try:
            progress = _Progress(self, await job._size())  # noqa: SLF001
            paths = await job._save(path, progress.advance)  # noqa: SLF001
        except AssetServiceError as error:
            say(self.said, str(error), bad=True)
        except OSError as error:
            say(self.said, _cannot(path, error), bad=True)
        except asyncio.CancelledError:
            say(self.said, "Stopped. Saving to the same place goes on where this ended.")
            raise
        except Exception as error:  # noqa: BLE001  # told where the person looks; the kernel goes on
            say(self.said, f"{type(error).__name__} while it was saved.", bad=True)
        else:
            say(self.said, f"Saved as {' and '.join(map(str, paths))} ({bytes_said(progress.done)}).")
        finally:
            self._saving = None
            self.button.description = "Save"
            show(self.bar, visible=False)


class _Progress:
    """Says how far a download is, now and then."""

    def __init__(self, box: SaveBox, total: int | None) -> None:
        self.done = 0
        self._box = box
        self._total = total
        self._next = 0.0
        show(box.bar, visible=bool(total))

    def advance(self, count: int) -> None:
        self.done += count
        now = asyncio.get_running_loop().time()
        if now < self._next:
            return
        self._next = now + _PACE
        of = f" of {bytes_said(self._total)}" if self._total else ""
        say(self._box.said, f"Saving… {bytes_said(self.done)}{of}")
        if self._total:
            self._box.bar.value = min(1.0, self.done / self._total)


def _path(typed: str, name: str) -> Path:
    path = Path(typed).expanduser()
    return path / name if typed.endswith(("/", "\\")) else path  # a Path alone forgets that it was to be a folder


def _already(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    are, them = ("is", "it") if len(names) == 1 else ("are", "them")
    return f"{', '.join(names[:_NAMED])}{more} {are} there already. Replace {them}?"


def _cannot(path: Path, error: OSError) -> str:
    return f"{path.name or path} cannot be written: {error.strerror or type(error).__name__}."
