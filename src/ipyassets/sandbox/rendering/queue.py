"""The queue of render jobs: which step is next, what has begun, what is done.

One thread for each worker process takes steps from here. Whoever hands in a part hears of each change of its state,
on such a thread or on the one that handed it in, with the queue's lock held: so changes are told in their true order.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from ipyassets.http.scratch import discard, scratch
from ipyassets.sandbox.rendering.orders import Order, PartName, Quality, Source, Task, obstacle, tasks
from ipyassets.sandbox.rendering.process import TaskFailed, Worker, WorkerDied

__all__ = ["Part", "RenderFailed", "RenderQueue", "State"]

State: TypeAlias = Literal["pending", "running", "completed", "failed", "dropped"]
Key: TypeAlias = tuple[str, str, str]

JOIN_TIMEOUT = 10.0

log = logging.getLogger("ipyassets.sandbox.rendering")


class RenderFailed(Exception):
    """Why a part has no files."""


@dataclass(eq=False, repr=False)
class Part:
    """The stills or the turntable of one model: what is made, and finishes or fails, as a whole."""

    source: Source
    order: Order
    quality: Quality
    changed: Callable[[Part], None]
    """Called at every change of ``state`` but the last one, ``dropped``."""
    queued_for: float = 0.0
    """Seconds it stays pending at least."""
    running_for: float = 0.0
    """Seconds it stays running at least."""
    doomed: str | None = None
    """It fails when it begins, and this is why."""
    state: State = "pending"
    error: str | None = None
    done: Future[list[Path]] = field(default_factory=Future)
    """The files, in order; `RenderFailed` if there are none."""
    folder: Path = field(default_factory=Path)
    todo: deque[Task] = field(default_factory=deque)
    last: Task | None = None
    """The step that comes when all others are done."""
    out: int = 0
    """Steps that a worker has now."""
    files: list[str] = field(default_factory=list)
    since: float = field(default_factory=time.monotonic)
    """When it came into its state."""

    def __repr__(self) -> str:
        return f"<{self.name} of {self.source.key}: {self.state}>"

    @property
    def name(self) -> PartName:
        return self.order.part

    @property
    def key(self) -> Key:
        """Parts of one key need the same bake."""
        return self.source.kind, self.source.key, self.quality

    @property
    def finished(self) -> bool:
        return self.state in {"completed", "failed", "dropped"}


class RenderQueue:
    """Parts in the order they came; ``workers`` is how many processes there may be.

    Threads and processes start when there is work for them, the folder with the first part.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._condition = threading.Condition(threading.RLock())
        self._urgent: list[Part] = []
        self._parts: list[Part] = []
        self._baked: set[Key] = set()
        self._baking: set[Key] = set()
        self._paused = self._held = self._closed = False
        self._threads: list[threading.Thread] = []
        self._processes: list[Worker] = []
        self._folder: Path | None = None
        self._count = 0

    @property
    def lock(self) -> threading.Condition:
        """Held while changes are told; take it to see or change several things at once."""
        return self._condition

    @property
    def folder(self) -> Path:
        """Of this queue alone; it goes with the queue."""
        with self._condition:
            if self._folder is None:
                self._folder = scratch("renders")
            return self._folder

    @property
    def pids(self) -> list[int]:
        """Of the worker processes that run now."""
        return [worker.pid for worker in self._processes if worker.pid is not None]

    def add(self, part: Part, *, urgent: bool = False) -> None:
        """Queue ``part``. An urgent one comes before all others, and while the queue is paused too."""
        with self._condition:
            if self._closed:
                raise RuntimeError("the render queue is closed")
            self._count += 1
            part.folder = self.folder / f"part-{self._count}"
            part.folder.mkdir()
            part.done.set_running_or_notify_cancel()  # nobody who waits for it may cancel it
            model = {"source": asdict(part.source), "quality": part.quality, "kept": str(self._kept(part.key))}
            steps, part.last = tasks(part.order, model, str(part.folder))
            part.todo.extend(steps)
            (self._urgent if urgent else self._parts).append(part)
            part.changed(part)
            if len(self._threads) < self.workers:
                self._start_thread()
            self._condition.notify_all()

    def drop(self, part: Part) -> None:
        """Forget ``part``, whatever its state; what a worker makes for it just now is thrown away."""
        with self._condition:
            if not part.finished:
                self._finish(part, "dropped", "the render was dropped")

    def pause(self) -> None:
        """Begin nothing new; what runs goes on."""
        with self._condition:
            self._paused = True

    def hold(self) -> None:
        """Finish nothing; what is queued begins."""
        with self._condition:
            self._held = True

    def resume(self) -> None:
        """Go on after `pause` or `hold`."""
        with self._condition:
            self._paused = self._held = False
            self._condition.notify_all()

    def clear(self) -> None:
        """Drop every part, and go on if paused."""
        with self._condition:
            for part in [*self._urgent, *self._parts]:
                self._finish(part, "dropped", "the render was dropped")
            self.resume()

    def wait_idle(self, timeout: float | None = None) -> None:
        """Until no part is queued or running. Raises `TimeoutError`."""
        with self._condition:
            if not self._condition.wait_for(lambda: self._closed or not (self._parts or self._urgent), timeout):
                left = len(self._parts) + len(self._urgent)
                raise TimeoutError(f"{left} render parts are still queued or running after {timeout:g} s")

    def close(self) -> None:
        """Drop everything, end threads and processes, remove the folder."""
        with self._condition:
            self._closed = True
            self.clear()
        for worker in self._processes:
            worker.kill()
        for thread in self._threads:
            thread.join(JOIN_TIMEOUT)
        if self._folder is not None:
            discard(self._folder)

    def forget(self) -> None:
        """In a forked child, where the threads are not: threads, processes and folder belong to the parent."""
        for worker in self._processes:
            worker.forget()

    # One thread for each worker

    def _start_thread(self) -> None:
        worker = Worker()
        name = f"ipyassets-render-{len(self._threads) + 1}"
        thread = threading.Thread(target=self._serve, args=(worker,), name=name, daemon=True)
        self._processes.append(worker)
        self._threads.append(thread)
        thread.start()

    def _serve(self, worker: Worker) -> None:
        try:
            while (step := self._take()) is not None:
                part, task = step
                try:
                    files, error = worker.run(task), None
                except (TaskFailed, WorkerDied, OSError) as failure:
                    files, error = [], str(failure)
                self._did(part, task, files, error)
        finally:
            worker.close()

    def _take(self) -> tuple[Part, Task] | None:
        """The next step, when there is one; None when the queue is closed."""
        with self._condition:
            while not self._closed:
                until: list[float] = []
                for part in self._ready():
                    now = time.monotonic()
                    if part.state == "pending":
                        if now < part.since + part.queued_for:
                            until.append(part.since + part.queued_for)
                            continue
                        self._begin(part)
                    if not part.todo and not part.out:
                        # All is done; it only has to look as if it had taken longer.
                        self._settle(part, until)
                    elif (task := self._step(part)) is not None:
                        part.out += 1
                        return part, task
                self._condition.wait(max(0.0, min(until) - time.monotonic()) if until else None)
        return None

    def _ready(self) -> Iterator[Part]:
        yield from tuple(self._urgent)
        yield from (part for part in tuple(self._parts) if part.state == "running" or not self._paused)

    def _begin(self, part: Part) -> None:
        part.state, part.since = "running", time.monotonic()
        part.changed(part)
        part.error = part.doomed or obstacle(part.order)
        if part.error is not None:
            part.todo.clear()

    def _step(self, part: Part) -> Task | None:
        """The next task of ``part``, the bake of its model before all others; None if that is under way."""
        if not part.todo:
            return None
        key = part.key
        if key in self._baked or part.todo[0].kind == "film":
            return part.todo.popleft()
        if key in self._baking:
            return None
        self._baking.add(key)
        source = {"source": asdict(part.source), "quality": part.quality, "kept": str(self._kept(key))}
        return Task("bake", source)

    def _kept(self, key: Key) -> Path:
        return self.folder / f"{'-'.join(key)}.npz"

    def _did(self, part: Part, task: Task, files: list[str], error: str | None) -> None:
        with self._condition:
            part.out -= 1
            if task.kind == "bake":
                self._baking.discard(part.key)
                if error is None:
                    self._baked.add(part.key)
            if part.state == "dropped":
                if not part.out:
                    shutil.rmtree(part.folder, ignore_errors=True)
            elif error is not None:
                part.error = part.error or error
                part.todo.clear()
            else:
                part.files += files
                if part.last is not None and not (part.todo or part.out or part.error):
                    part.todo.append(part.last)
                    part.last = None
            if not (part.finished or part.todo or part.out):
                self._settle(part, [])
            self._condition.notify_all()

    def _settle(self, part: Part, until: list[float]) -> None:
        """Finish ``part``, or note when it may be."""
        if self._held and part in self._parts:
            return
        due = part.since + part.running_for
        if time.monotonic() < due:
            until.append(due)
            self._condition.notify_all()
            return
        if part.error is not None:
            log.warning("%s of %s failed: %s", part.name, part.source.key, part.error)
        self._finish(part, "failed" if part.error else "completed", part.error)

    def _finish(self, part: Part, state: State, error: str | None) -> None:
        part.state, part.error, part.since = state, error, time.monotonic()
        part.todo.clear()
        for parts in (self._urgent, self._parts):
            if part in parts:
                parts.remove(part)
        if state == "completed":
            made = [part.folder / name for name in sorted(part.files)]
            part.changed(part)
            part.done.set_result(made)
        else:
            if not part.out:
                shutil.rmtree(part.folder, ignore_errors=True)
            if state == "failed":
                part.changed(part)
            part.done.set_exception(RenderFailed(error))
        self._condition.notify_all()
