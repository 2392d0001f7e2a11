"""Jobs: what becomes of them over time, and the records and lists of them.

Only one type of job is ever run here, ``assets-download``; the lists know the words of all.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from ipyassets.sandbox.scenario.catalogue import Project, stamp
from ipyassets.sandbox.scenario.errors import bad_request, not_found
from ipyassets.sandbox.scenario.parameters import boolean, integer, moment
from ipyassets.sandbox.scenario.tokens import page
from ipyassets.sandbox.world import World

__all__ = ["WORDS", "Course", "Job", "Jobs"]

WORDS = ("pending", "queued", "warming-up", "in-progress", "finalizing", "success", "failure", "canceled")
_TYPE = "assets-download"
_TYPE_WORDS = """
assets-download model-training flux-model-training musubi-model-training inference pixelate embed remove-background
vectorize canvas-export image-generation image-prompt-editing caption generate-prompt describe-style translate
detection restyle repaint reframe segment skybox-base-360 skybox-upscale-360 skybox-hdri skybox-3d texture upscale
upscale-skybox upscale-texture flux openai-image-generation upload custom splat mesh-preview-rendering workflow
"""
_TYPES = frozenset(_TYPE_WORDS.split())
_REMEMBERED = 1_000
_PATIENCE = 2.0
"""Seconds that a look at a job may wait for its result: most are there at once, as settings for tests promise."""


@dataclass(frozen=True, slots=True)
class Course:
    """What is to become of a job."""

    end: str = "success"
    error: str | None = None
    hint: str | None = None
    endless: bool = False
    """It stays in progress."""
    words: Mapping[str, str] = field(default_factory=dict)
    """Words told in place of others."""


@dataclass(eq=False)
class Job:
    """One job. `read` it to let it move on."""

    id: str
    project: Project
    request: dict[str, Any]
    """The body it came with."""
    course: Course
    work: Callable[[], object]
    """Makes the result; success is not told before. An `OSError` is a failure."""
    history: list[tuple[str, float]]
    """Each status so far and when it came to it; never empty."""
    polls: int = 0
    """How often it was asked for since it came to its status."""
    result: Future[object] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def status(self) -> str:
        """One of `WORDS`, whatever word is told."""
        return self.history[-1][0]

    @property
    def told(self) -> str:
        return self.course.words.get(self.status, self.status)

    def read(self, world: World, *, poll: bool) -> None:
        """Move on as far as is due. ``poll``: somebody asks for this job, not for a list it is in."""
        with self.lock:
            while self._due(world):
                following = "in-progress" if self.status == "queued" else self.course.end
                since = self._since(world)
                if following == "success":
                    try:
                        self._work().result(_PATIENCE)
                    except TimeoutError:
                        break
                    except OSError as error:
                        following, self.course = "failure", replace(self.course, error=f"The archive: {error.strerror}")
                self.history.append((following, since))
                self.polls = 0
            if poll:
                self.polls += 1

    def _work(self) -> Future[object]:
        if self.result is None:
            thread = ThreadPoolExecutor(1, thread_name_prefix=self.id)
            self.result = thread.submit(self.work)
            thread.shutdown(wait=False)
        return self.result

    def _lasts(self, world: World) -> float:
        settings = world.settings
        return settings.archive_queue_time if self.status == "queued" else settings.archive_work_time

    def _due(self, world: World) -> bool:
        if self.status not in {"queued", "in-progress"} or (self.status == "in-progress" and self.course.endless):
            return False
        polls = world.settings.archive_polls
        if polls is not None:
            return self.polls >= polls
        return world.clock() >= self.history[-1][1] + self._lasts(world)

    def _since(self, world: World) -> float:
        """When it came to the status that is due now."""
        if world.settings.archive_polls is not None:
            return world.clock()
        return self.history[-1][1] + self._lasts(world)

    def record(self, world: World) -> dict[str, Any]:
        """As ``GET /jobs/{id}`` gives it."""
        course, words = self.course, self.course.words
        failed = {"error": course.error, "hint": course.hint} if self.status in {"failure", "canceled"} else {}
        return {
            "jobId": self.id,
            "jobType": _TYPE,
            "status": self.told,
            "progress": self._progress(world),
            "metadata": {"input": self.request, **{name: text for name, text in failed.items() if text}},
            "statusHistory": [{"date": stamp(when), "status": words.get(word, word)} for word, when in self.history],
            "createdAt": stamp(self.history[0][1]),
            "updatedAt": stamp(self.history[-1][1]),
            "authorId": self.project.author_id,
            "ownerId": self.project.team_id,
            "billing": {"cuCost": 0, "cuDiscount": 0},
        }

    def _progress(self, world: World) -> float:
        if self.status == "success":
            return 1
        if self.status != "in-progress":
            return 0
        if self.course.endless:
            return 0.5
        polls = world.settings.archive_polls
        if polls is not None:
            return round(self.polls / (polls + 1), 4)
        elapsed = world.clock() - self.history[-1][1]
        return round(max(0.0, min(0.99, elapsed / max(self._lasts(world), 1e-6))), 4)


class Jobs:
    """The jobs of one sandbox, the last thousand."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def all(self) -> list[Job]:
        """The oldest first."""
        with self._lock:
            return list(self._jobs.values())

    def add(self, job: Job) -> None:
        with self._lock:
            self._jobs[job.id] = job
            for old in list(self._jobs)[:-_REMEMBERED]:
                del self._jobs[old]

    def clear(self) -> None:
        with self._lock:
            self._jobs.clear()

    def get(self, id: str) -> Job | None:
        """Anybody's job."""
        with self._lock:
            return self._jobs.get(id)

    def find(self, project: Project, id: str) -> Job:
        """A project's own job, moved on; a 404 otherwise."""
        job = self.get(id)
        if job is None or job.project is not project:
            raise not_found("Job")
        job.read(self._world, poll=True)
        return job

    def record(self, project: Project, id: str) -> dict[str, Any]:
        return {"job": self.find(project, id).record(self._world)}

    def act(self, project: Project, id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """``POST /jobs/{id}/action``: only inference jobs can be canceled, and none of those is here."""
        self.find(project, id)
        if body.get("action") != "cancel":
            raise bad_request("action must be cancel")
        raise bad_request("Only inference jobs can be canceled")

    def page(self, project: Project, query: Mapping[str, str]) -> dict[str, Any]:
        """``GET /jobs``: by creation, or by update where a status, type or workflow is asked for; the latest first."""
        size = integer(query, "pageSize", 50, least=1, most=100)
        types = [one for one in (query.get("types") or query.get("type") or "").split(",") if one]
        status, workflow = query.get("status"), query.get("workflowId")
        for one in types:
            if one not in _TYPES:
                raise bad_request(f"Unknown type {one}")
        if status and status not in WORDS:
            raise bad_request(f"status must be one of {', '.join(WORDS)}")
        narrowed = bool(types or status or workflow)
        created, updated = moment(query, "createdAfter"), moment(query, "updatedAfter")
        if created is not None and narrowed:
            raise bad_request(
                "createdAfter cannot be combined with status, type, types or workflowId: use updatedAfter"
            )
        if updated is not None and not narrowed:
            raise bad_request("updatedAfter requires status, type, types or workflowId: use createdAfter")
        boolean(query, "hideResults")
        found = []
        for job in self.all():
            job.read(self._world, poll=False)
            if (
                job.project is project
                and (not types or _TYPE in types)
                and (not status or job.status == status)
                and not workflow
                and query.get("authorId", project.author_id) == project.author_id
                and (created is None or job.history[0][1] > created)
                and (updated is None or job.history[-1][1] > updated)
            ):
                found.append(job)
        place = -1 if narrowed else 0
        found.reverse()
        found.sort(key=lambda job: job.history[place][1], reverse=True)
        key = f"jobs {project.id} {types} {status} {workflow} {created} {updated}"
        rows, following = page(key, found, query.get("paginationToken"), size)
        return {"jobs": [job.record(self._world) for job in rows], **following}
