"""Archives: ``POST /assets/download`` begins a job, ``GET /assets/download/{jobId}`` tells how it stands."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ipyassets.errors import AssetServiceError, BadResponse, InvalidRequest, JobFailed, ServiceUnavailable
from ipyassets.http.client import HttpClient
from ipyassets.http.messages import Call
from ipyassets.http.remote import SignedFile
from ipyassets.http.secret import Secret
from ipyassets.services.downloading import ArchiveOrder, ArchiveStage, ArchiveStanding
from ipyassets.services.scenario.downloads import signed_url
from ipyassets.services.scenario.records import part
from ipyassets.services.scenario.templates import check_template, legal
from ipyassets.services.wire import identity, segment, shortened, stripped, utc

__all__ = ["MOST", "Archives"]

log = logging.getLogger("ipyassets.scenario")

MOST: Final = 1_000
"""Assets that one archive may hold."""

_QUEUED: Final = frozenset({"pending", "queued", "warming-up"})
_RUNNING: Final = frozenset({"in-progress", "finalizing"})
_DONE: Final = frozenset({"success", "succeeded", "completed"})
_FAILED: Final = frozenset({"failure", "failed", "canceled", "cancelled", "error"})
_PATIENCE: Final = 10
"""Looks at a job that is done and has no URL yet."""
_ASIDE: Final = 10.0
"""Seconds that a question beside the main one may take."""
_SKEW: Final = timedelta(minutes=2)
"""How far the service's clock may be behind."""
_HIDDEN: Final = frozenset({401, 403})


class Archives:
    """The archives of one project. ``files`` is a client without credentials."""

    def __init__(self, http: HttpClient, files: HttpClient, base_url: str, scope: tuple[tuple[str, str], ...]) -> None:
        self._http = http
        self._files = files
        self._base_url = base_url
        self._scope = scope
        self._without_url: dict[str, int] = {}
        self._ordered: set[str] = set()
        """Jobs that came of earlier orders; none of them is what became of a later one like it."""
        self._jobs_told = True
        """Whether the routes below ``/jobs`` are open to these keys."""

    async def request(self, order: ArchiveOrder) -> str:
        """The id of the job. Raises `InvalidRequest` for what cannot be, before anything is sent.

        Never sent twice where the first may have been carried out, as that would make two jobs: a lost answer is looked
        for among the jobs instead.
        """
        body = _body(order)
        call = Call(
            "POST",
            f"{self._base_url}/assets/download",
            params=self._scope,
            json=body,
            repeatable=False,
            what=f"an archive of {_described(body['query'])}",
        )
        started = datetime.now(UTC)
        try:
            answer = await self._http.send(call)
        except ServiceUnavailable as error:
            job = await self._begun(body, started - _SKEW)
            if job is not None:
                log.info("The answer to the order of an archive was lost; it goes on as job %s", job)
                self._ordered.add(job)
                return job
            error.args = (f"{error} The archive may have been begun all the same; ordering again may make a second.",)
            raise
        job = identity(answer.json_object(), "jobId", "The answer to an order of an archive")
        self._ordered.add(job)
        return job

    async def _begun(self, body: Mapping[str, Any], since: datetime) -> str | None:
        """The newest archive job with just this order, begun ``since`` and not known here, if it can be had."""
        params = (*self._scope, ("types", "assets-download"), ("pageSize", "20"))
        answer = await self._aside(Call("GET", f"{self._base_url}/jobs", params=params, what="the list of jobs"))
        jobs = answer.get("jobs")
        for job in jobs if isinstance(jobs, list) else ():
            created = utc(job.get("createdAt")) if isinstance(job, dict) else None
            if created is not None and created >= since and part(job, "metadata").get("input") == body:
                id = stripped(job.get("jobId"))
                if id and id not in self._ordered:
                    return id
        return None

    async def standing(self, job: str) -> ArchiveStanding:
        word, url = await self._status(job)
        stage = _stage(word, done=url is not None)
        if stage == "completed" and url is None:
            looks = self._without_url[job] = self._without_url.get(job, 0) + 1
            if looks < _PATIENCE:
                return ArchiveStanding("running", word, 1.0)
            return ArchiveStanding("failed", word, None, "Scenario says that it is done, and gives no URL for it.")
        self._without_url.pop(job, None)
        if stage == "completed":
            return ArchiveStanding(stage, word, 1.0)
        if stage == "queued":
            return ArchiveStanding(stage, word)
        record = await self._record(job)
        if stage == "failed":
            return ArchiveStanding(stage, word, None, _reason(record))
        return ArchiveStanding(stage, word, _progress(record))

    async def file(self, job: str) -> SignedFile:
        """Raises `InvalidRequest` if it is not there yet, `JobFailed` if it never will be."""
        first = await self._url(job)

        async def fresh() -> Secret:
            return await self._url(job)

        what = f"the archive of job {job}"
        return SignedFile(self._files, fresh, what=what, first=first, media_type="application/zip")

    async def _url(self, job: str) -> Secret:
        for attempt in range(1, self._http.policy.attempts + 1):
            word, url = await self._status(job)
            if url is not None:
                return url
            stage = _stage(word, done=False)
            if stage == "failed":
                raise JobFailed(f"There is no archive of job {job}: Scenario says {word!r}.")
            if stage != "completed":
                raise InvalidRequest(f"The archive of job {job} is not there yet: Scenario says {word!r}. Wait for it.")
            await asyncio.sleep(self._http.policy.delay(attempt, None))
        raise BadResponse(f"Scenario says that the archive of job {job} is done, and gives no URL for it.")

    async def _status(self, job: str) -> tuple[str, Secret | None]:
        """The service's word, and the URL if there is one."""
        url = f"{self._base_url}/assets/download/{segment(job, 'an archive job')}"
        answer = await self._http.send(Call("GET", url, params=self._scope, what=f"the archive job {job:.60}"))
        body = answer.json_object()
        given = body.get("downloadUrl")
        return stripped(body.get("jobStatus")), signed_url(given, answer, self._base_url) if given else None

    async def _record(self, job: str) -> Mapping[str, Any]:
        """The job as ``GET /jobs/{id}`` has it; empty if it cannot be had."""
        url = f"{self._base_url}/jobs/{segment(job, 'a job')}"
        return part(await self._aside(Call("GET", url, params=self._scope, what=f"job {job:.60}")), "job")

    async def _aside(self, call: Call) -> Mapping[str, Any]:
        """The answer to a question of which nothing depends; empty if there is none."""
        if not self._jobs_told:
            return {}
        try:
            async with asyncio.timeout(_ASIDE):
                return (await self._http.send(call)).json_object()
        except TimeoutError:
            return {}
        except AssetServiceError as error:
            self._jobs_told = error.status not in _HIDDEN
            return {}


def _body(order: ArchiveOrder) -> dict[str, Any]:
    """The order as it is sent. Raises `InvalidRequest`."""
    query = {
        "assetIds": _ids("assets", order.assets),
        "inferenceIds": _ids("inferences", order.inferences),
        "modelIds": _ids("models", order.models),
    }
    if not any(query.values()):
        raise InvalidRequest("Nothing was chosen for the archive: give it assets, inferences or models.")
    if len(query["assetIds"]) > MOST:
        raise InvalidRequest(
            f"One Scenario archive holds at most {MOST:,} assets; got {len(query['assetIds']):,}. "
            "Split them into several archives."
        )
    check_template(order.template)
    options: dict[str, Any] = {"fileNameTemplate": order.template, "flat": bool(order.flat)}
    name = _archive_name(order.archive_name)
    if name is not None:
        options["archiveName"] = name
    if order.prefer_original:
        options["preferOriginal"] = True
    return {"options": options, "query": query}


def _ids(what: str, ids: tuple[str, ...]) -> list[str]:
    """Each once, in their order."""
    if isinstance(ids, str):
        raise InvalidRequest(f"{what} takes several ids; one alone goes into a list.")
    for id in ids:
        if not isinstance(id, str) or not id.strip():
            raise InvalidRequest(f"{what} takes ids; got {id!r:.60}.")
    return list(dict.fromkeys(id.strip() for id in ids))


def _archive_name(name: str | None) -> str | None:
    if name is None or not name.strip():
        return None
    name = name.strip()
    stem = name[:-4] if name.lower().endswith(".zip") else name
    if not stem.strip(". ") or not legal(stem) or "/" in stem:
        raise InvalidRequest(f"{name!r:.80} cannot be the name of an archive: it is a file name without folders.")
    return stem


def _described(query: Mapping[str, list[str]]) -> str:
    words = (("assetIds", "asset"), ("inferenceIds", "inference"), ("modelIds", "model"))
    found = [f"{len(ids)} {word}{'s' if len(ids) > 1 else ''}" for name, word in words if (ids := query[name])]
    return " and ".join(found)


def _stage(word: str, *, done: bool) -> ArchiveStage:
    """What a word means. One that nobody documents is work going on, unless the file is there already."""
    plain = word.lower().replace("_", "-").replace(" ", "-")
    if plain in _FAILED:
        return "failed"
    if plain in _DONE:
        return "completed"
    if plain in _QUEUED:
        return "queued"
    return "completed" if done and plain not in _RUNNING else "running"


def _progress(record: Mapping[str, Any]) -> float | None:
    value = record.get("progress")
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        return None
    return float(value)


def _reason(record: Mapping[str, Any]) -> str | None:
    metadata = part(record, "metadata")
    told = [text for text in (shortened(metadata.get("error")), shortened(metadata.get("hint"))) if text]
    return " ".join(told) or None
