"""The job monitor: how far each asset of one or more jobs has come, while it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar
from weakref import WeakKeyDictionary, ref

import traitlets as t

from ipyassets.collections.jobs import JobBase, JobItem
from ipyassets.texts import cut
from ipyassets.widgets import job_messages as asks
from ipyassets.widgets.comm_widget import CommWidget, css_length
from ipyassets.widgets.job_feed import JobFeed
from ipyassets.widgets.job_results import Files, Lines, film, results_of
from ipyassets.widgets.job_still import still_of
from ipyassets.widgets.ranges import Ranges
from ipyassets.widgets.reading import Refused
from ipyassets.widgets.snapshot import Still
from ipyassets.widgets.tiles import LONGEST_NAME, stream

__all__ = ["JobMonitor", "monitor_of"]

_MOST_FILES = 64
"""Pictures of one line that are shown, and names of its other files."""


class JobMonitor(CommWidget):
    """Shows jobs as they go on, an asset to a line: its stage, progress, time, and errors in words.

    ``jobs``: of any client; more with `add`. ``height``: the most that the lines of one job take, a number of pixels
    or a CSS length; there is a scrollbar for more.

    A job shows itself like this too: a cell that ends with ``job`` is enough.
    """

    _bundle: ClassVar[str] = "jobs"

    _setup = t.Dict().tag(sync=True)
    """What never changes: height."""
    _jobs = t.List(t.Dict()).tag(sync=True)
    """The jobs in order: key, title, count, parts. How they stand is asked for, and told, by messages."""

    def __init__(self, *jobs: JobBase, height: int | str = 360) -> None:
        self._feeds: dict[str, JobFeed] = {}
        self._acting: set[asyncio.Task[None]] = set()
        self._stood: dict[str, tuple[Any, ...]] = {}
        """How each job stood when a snapshot was last thought of."""
        super().__init__(_setup={"height": css_length(height)})
        for job in jobs:
            self.add(job)

    # -- what a person uses ---------------------------------------------------------------------------------------

    @property
    def jobs(self) -> tuple[JobBase, ...]:
        """The jobs that are shown, in order."""
        return tuple(feed.job for feed in self._feeds.values())

    def add(self, job: JobBase) -> None:
        """Show one more job, below the others; one that is shown already stays where it is."""
        if not isinstance(job, JobBase):
            raise TypeError(f"A JobMonitor shows jobs, such as render(...) gives; not {type(job).__name__}.")
        with self._lock:
            if job in self.jobs:
                return
            key = str(len(self._feeds) + 1)
            feed = self._feeds[key] = JobFeed(key, job, self._tell, self._describe)
            self._jobs = [*self._jobs, feed.described]
        self._beside.changed()

    def close(self) -> None:
        """Take the widget off the page. The jobs go on."""
        for feed in self._feeds.values():
            feed.close()
        super().close()

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.jobs)) or "JobMonitor(no jobs)"

    def _stand_in(self) -> str:
        # How far a job has come would be another text each time, and an old one in a saved notebook.
        return "\n".join(map(_stand_in_of, self.jobs)) or repr(self)

    # -- messages -------------------------------------------------------------------------------------------------

    async def _still(self) -> Still:
        return await still_of(self.jobs)

    def _tell(self, news: dict[str, Any]) -> None:
        standing = news["standing"]
        stands = tuple(standing[name] for name in ("status", "done", "failed"))
        if self._stood.get(standing["key"]) != stands:
            self._stood[standing["key"]] = stands
            self._beside.changed()
        if self._front_end_seen:
            self._post(news)

    def _describe(self) -> None:
        with self._lock:
            self._jobs = [feed.described for feed in self._feeds.values()]

    def _read(self, content: object) -> tuple[str, asks.Ask]:
        return asks.read(content)

    def _welcome(self, request: str) -> None:
        self._start(request, self._greet)

    def _answer(self, request: str, ask: asks.Ask) -> None:
        match ask:
            case asks.Rows(key):
                self._front_end_seen = True
                self._start(request, self._send_rows, self._feed(key))
            case asks.Thumbnails(key, ranges, edge):
                self._start(request, self._send_pictures, Lines(self._feed(key).job), ranges, edge)
            case asks.Files(key, index, edge):
                item = self._item(key, index)
                self._start(request, self._send_files, self._feed(key).job, item, edge)
            case asks.Film(key, index, media):
                self._start(request, self._send_film, self._feed(key).job, self._item(key, index), media)
            case asks.Stop(key):
                self._start(request, self._act, self._feed(key).job._stop)  # noqa: SLF001
            case asks.Retry(key):
                self._start(request, self._act, self._feed(key).job._retry)  # noqa: SLF001

    def _feed(self, key: str) -> JobFeed:
        if key not in self._feeds:
            raise Refused("There is no such job here.")
        return self._feeds[key]

    def _item(self, key: str, index: int) -> JobItem:
        items = self._feed(key).job.items
        if index >= len(items):
            raise Refused("There is nothing at this place.")
        return items[index]

    # Answers go out on the loop thread, as news do: what is told later is newer.

    async def _greet(self, request: str) -> None:
        self._reply(request, {"standings": [feed.standing() for feed in list(self._feeds.values())]})

    async def _send_rows(self, request: str, feed: JobFeed) -> None:
        self._reply(request, feed.whole())

    async def _send_pictures(self, request: str, shown: Lines, ranges: Ranges, edge: int) -> None:
        await stream(shown, ranges, edge, lambda said, buffers: self._part(request, said, buffers))
        self._reply(request)

    async def _send_files(self, request: str, job: JobBase, item: JobItem, edge: int) -> None:
        results = await results_of(job, item.index)
        pictures = [result for result in results if result.picture]
        others = [cut(result.name, LONGEST_NAME) for result in results if not result.picture]
        shown, few = Files(pictures), Ranges.of([(0, _MOST_FILES - 1)])
        await stream(shown, few, edge, lambda said, buffers: self._part(request, said, buffers))
        told = {"pictures": len(pictures), "others": others[:_MOST_FILES], "more": max(0, len(others) - _MOST_FILES)}
        self._reply(request, told)

    async def _send_film(self, request: str, job: JobBase, item: JobItem, media: str) -> None:
        found = await film(job, item, media)
        if found is None:
            self._reply(request, {"film": None})
        else:
            said, content = found
            self._reply(request, {"film": {**said, "buffer": 0}}, [content])

    async def _act(self, request: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do what a person pressed a button for; that the page is closed meanwhile does not undo it."""
        task = asyncio.ensure_future(work())
        self._acting.add(task)
        task.add_done_callback(self._acting.discard)
        await asyncio.shield(task)
        self._reply(request)


def _stand_in_of(job: JobBase) -> str:
    if job.done:
        return repr(job)
    return f"{job.title}: run this cell in a live notebook to follow {'it' if len(job.items) == 1 else 'them'}."


_monitors: WeakKeyDictionary[JobBase, ref[JobMonitor]] = WeakKeyDictionary()


def monitor_of(job: JobBase) -> JobMonitor:
    """The monitor in which a job shows itself: the same one each time it is displayed, as long as it is open."""
    known = _monitors.get(job)
    monitor = known() if known is not None else None
    if monitor is None or monitor.comm is None:
        monitor = JobMonitor(job)
        _monitors[job] = ref(monitor)
    return monitor
