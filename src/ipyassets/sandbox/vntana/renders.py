"""Renders of products: what is under way, what there is, and controls for tests and demonstrations."""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ipyassets.sandbox.rendering.orders import Order, PartName, Source, Stills, Turntable
from ipyassets.sandbox.rendering.queue import Part, RenderQueue, State
from ipyassets.sandbox.vntana.attachments import Attachment, Attachments
from ipyassets.sandbox.vntana.catalogue import Catalogue
from ipyassets.sandbox.vntana.earlier import earlier
from ipyassets.sandbox.world import World

__all__ = ["RenderJob", "Renders"]

PARTS: tuple[PartName, ...] = ("stills", "turntable")
ACTIONS: Mapping[PartName, str] = {"stills": "GENERATE_RENDERS", "turntable": "GENERATE_TURNTABLE"}
EVENTS: Mapping[PartName, str] = {"stills": "renders", "turntable": "turntable"}
ENTITIES: Mapping[PartName, str] = {"stills": "RENDER", "turntable": "TURNTABLE"}
STATUSES: Mapping[State, str] = {
    "pending": "ACTION_PENDING",
    "running": "ACTION_RUNNING",
    "completed": "ACTION_COMPLETED",
    "failed": "ACTION_FAILED",
}
HAPPENINGS: Mapping[State, str] = {
    "pending": "pending",
    "running": "processing",
    "completed": "completed",
    "failed": "failed",
}

GRACE = 60.0
"""Seconds that files stay on disk after they were replaced: somebody may be reading them."""

log = logging.getLogger("ipyassets.sandbox.renders")


@dataclass(frozen=True, eq=False)
class RenderJob:
    """What was asked for one product. The parts tell their ``state`` and ``error``; ``dropped``: a newer job, or the
    end of the product, came before they were done.
    """

    product: str
    """Its uuid."""
    request: Mapping[str, Any]
    """The body it came with."""
    stills: Part
    turntable: Part | None

    @property
    def parts(self) -> tuple[Part, ...]:
        return (self.stills,) if self.turntable is None else (self.stills, self.turntable)


class Renders:
    """The render jobs of one sandbox, as ``sandbox.renders``. Safe to use from any thread.

    A new job for a product takes the place of one that is not done: what of that is queued or running is dropped,
    without an event, and so whatever completes after a request was answered is of that request.
    """

    def __init__(
        self, world: World, catalogue: Catalogue, attachments: Attachments, emit: Callable[[str, int], None]
    ) -> None:
        self._world = world
        self._catalogue = catalogue
        self._attachments = attachments
        self._emit = emit
        self._lock = threading.RLock()
        self._queue: RenderQueue | None = None
        self._stopped = False
        self._replaced: deque[tuple[float, Path]] = deque()
        self._made: dict[tuple[int, Order, str], Future[list[Path]]] = {}
        self._begin()

    def _begin(self) -> None:
        self._jobs: list[RenderJob] = []
        self._parts: dict[tuple[int, PartName], Part] = {}
        self._statuses: dict[int, dict[PartName, str]] = {}
        self._doom: dict[tuple[int, PartName], int] = {}
        self._shown: dict[tuple[int, PartName], Path] = {}
        self._attachments.clear()
        for index, made in earlier(self._catalogue, self.make).items():
            self._attachments.put(index, made, instead_of=lambda _: False)
            kinds = {attachment.entity_type for attachment in made if attachment.generated}
            done = {name: "ACTION_COMPLETED" for name in PARTS if ENTITIES[name] in kinds}
            if done:
                self._statuses[index] = done

    # What the API asks

    def actions(self, index: int) -> dict[str, str]:
        """How far the renders of a product are, by kind of action; empty if none was ever asked for."""
        return {ACTIONS[name]: status for name, status in self._statuses.get(index, {}).items()}

    def submit(self, index: int, stills: Stills, turntable: Turntable | None, request: Mapping[str, Any]) -> RenderJob:
        """Queue a job. `LookupError` if the product has no model, `RuntimeError` if the sandbox is stopping."""
        source = self._catalogue.source(index)
        if source is None:
            raise LookupError(f"product {index} has no 3D model")
        queue = self._running()
        with queue.lock:
            parts = [self._part(index, source, order) for order in (stills, turntable) if order is not None]
            job = RenderJob(
                self._catalogue.products.uuid(index), request, parts[0], parts[1] if len(parts) > 1 else None
            )
            self._jobs.append(job)
            for part in parts:
                older = self._parts.get((index, part.name))
                if older is not None:
                    queue.drop(older)
                self._parts[index, part.name] = part
                queue.add(part)
        return job

    # Controls

    @property
    def jobs(self) -> tuple[RenderJob, ...]:
        """What was asked for so far, one for each product, the oldest first."""
        return tuple(self._jobs)

    @property
    def pids(self) -> list[int]:
        """Of the worker processes."""
        return self._queue.pids if self._queue is not None else []

    def fail(self, product: str, part: PartName = "stills", times: int = 1) -> None:
        """Let the next ``times`` renders of one part of a product fail, once they begin."""
        if part not in PARTS:
            raise ValueError(f"part must be one of {', '.join(PARTS)}; got {part!r:.80}")
        self._doom[self._index(product), part] = times

    def pause(self) -> None:
        """Let no job begin until `resume`; those that run go on. Jobs are taken meanwhile, and stay pending."""
        self._running().pause()

    def hold(self) -> None:
        """Let no job finish until `resume`: they begin, and stay running."""
        self._running().hold()

    def resume(self) -> None:
        """Go on after `pause` or `hold`."""
        if self._queue is not None:
            self._queue.resume()

    def terminate(self, product: str) -> None:
        """The platform breaks off the work for a product: what is not done is ACTION_TERMINATED, told as failed."""
        index = self._index(product)
        queue = self._running()
        with queue.lock:
            for name in PARTS:
                part = self._parts.get((index, name))
                if part is not None and not part.finished:
                    queue.drop(part)
                    self._statuses[index][name] = "ACTION_TERMINATED"
                    self._tell(f"{EVENTS[name]}.failed", index)

    def delete(self, product: str) -> None:
        """Somebody deletes a product: no call knows it from now on, and work for it is dropped."""
        index = self._index(product)
        queue = self._running()
        with queue.lock:
            self._tell("product.deleted", index)
            for name in PARTS:
                part = self._parts.pop((index, name), None)
                if part is not None:
                    queue.drop(part)
            self._catalogue.delete(index)
            self._statuses.pop(index, None)
            self._attachments.put(index, [], instead_of=lambda _: True)

    def wait_idle(self, timeout: float | None = 60.0) -> bool:
        """Wait until nothing is queued or running; True. Raises `TimeoutError` after ``timeout`` seconds."""
        if self._queue is not None:
            self._queue.wait_idle(timeout)
        return True

    def reset(self) -> None:
        """Everything as in a new sandbox: nothing queued or asked for, deleted products back, the earlier renders."""
        with self._lock:
            if self._queue is not None:
                self._queue.clear()
            for folder in self._shown.values():
                self._clear_up(folder)
            self._catalogue.restore()
            self._begin()

    # Life

    def start(self) -> None:
        """Take jobs. Nothing runs before the first one."""
        self._stopped = False

    def stop(self) -> None:
        """End the worker processes and forget everything, the files too."""
        with self._lock:
            self._stopped = True
            queue, self._queue = self._queue, None
        if queue is not None:
            queue.close()
        self._replaced.clear()
        self._made.clear()
        self._catalogue.restore()
        self._begin()

    def forget(self) -> None:
        """In a forked child: the processes belong to the parent."""
        self._lock = threading.RLock()
        queue, self._queue = self._queue, None
        if queue is not None:
            queue.forget()

    def _running(self) -> RenderQueue:
        with self._lock:
            if self._stopped:
                raise RuntimeError("the sandbox is not running")
            if self._queue is None:
                workers = self._world.settings.render_workers
                self._queue = RenderQueue(min(2, os.cpu_count() or 1) if workers is None else max(1, workers))
            return self._queue

    # Parts

    def _index(self, product: str) -> int:
        index = self._catalogue.find(self._catalogue.products, product)
        if index is None:
            raise LookupError(f"there is no product {product!r:.80}")
        return index

    def _part(self, index: int, source: Source, order: Order) -> Part:
        settings = self._world.settings
        return Part(
            source,
            order,
            settings.render_quality,
            partial(self._changed, index),
            queued_for=settings.render_queue_time,
            running_for=settings.render_work_time,
        )

    def _changed(self, index: int, part: Part) -> None:
        """With the queue's lock held: files, status and event change in this order, so nobody sees one too early."""
        key = (index, part.name)
        if part.state == "running" and self._doom.get(key, 0) > 0:
            self._doom[key] -= 1
            part.doomed = "the platform failed, as sandbox.renders.fail asked"
        if part.state == "completed":
            self._publish(index, part)
        self._statuses.setdefault(index, {})[part.name] = STATUSES[part.state]
        self._tell(f"{EVENTS[part.name]}.{HAPPENINGS[part.state]}", index)

    def _tell(self, event: str, index: int) -> None:
        try:
            self._emit(event, index)
        except Exception:
            log.exception("a listener failed at %s", event)

    def _publish(self, index: int, part: Part) -> None:
        entity = ENTITIES[part.name]
        now = round(self._world.clock() * 1_000_000)
        version = self._catalogue.blobs.uuid(index)
        made = [
            Attachment(index, entity, _name(part.name, name, version), now, part.folder / name)
            for name in sorted(part.files)
        ]
        self._attachments.put(index, made, instead_of=lambda each: each.generated and each.entity_type == entity)
        self._clear_up(self._shown.get((index, part.name)))
        self._shown[index, part.name] = part.folder

    def _clear_up(self, folder: Path | None) -> None:
        now = time.monotonic()
        if folder is not None:
            self._replaced.append((now, folder))
        while self._replaced and self._replaced[0][0] < now - GRACE:
            shutil.rmtree(self._replaced.popleft()[1], ignore_errors=True)

    def make(self, index: int, order: Order) -> Future[list[Path]]:
        """Files that no job asked for (posters, renders from before the sandbox was started), before all jobs.

        They are made once: who asks again gets the same.
        """
        source = self._catalogue.source(index)
        if source is None:
            raise LookupError(f"product {index} has no 3D model")
        queue = self._running()
        with queue.lock:
            key = (index, order, self._world.settings.render_quality)
            known = self._made.get(key)
            if known is None or (known.done() and known.exception() is not None):
                part = Part(source, order, self._world.settings.render_quality, lambda _: None)
                self._made[key] = known = part.done
                queue.add(part, urgent=True)
            return known


def _name(part: PartName, file: str, version: str) -> str:
    """As the platform names it; ``version`` is the same for all files of one model."""
    stem, _, ending = file.rpartition(".")
    return f"render-{int(stem)}-{version}.{ending}" if part == "stills" else f"turntable-{ending}-{version}.{ending}"
