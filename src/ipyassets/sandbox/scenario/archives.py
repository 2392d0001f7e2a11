"""Batches of assets as one ZIP file: what was asked for, how it goes, and the file itself.

The file is written to disk when its job comes to success, and kept there while it is among the last few.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import hashlib
import re
import secrets
import threading
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ipyassets.http.scratch import discard, scratch
from ipyassets.sandbox.scenario.catalogue import Asset, Project
from ipyassets.sandbox.scenario.controls import Archives, Trouble, merged
from ipyassets.sandbox.scenario.errors import access_denied, bad_request, not_found
from ipyassets.sandbox.scenario.formats import extension
from ipyassets.sandbox.scenario.jobs import Job, Jobs
from ipyassets.sandbox.scenario.models import models
from ipyassets.sandbox.scenario.packing import Member, pack
from ipyassets.sandbox.scenario.parameters import boolean
from ipyassets.sandbox.scenario.sending import ArchiveFile, Break
from ipyassets.sandbox.scenario.signing import Signer
from ipyassets.sandbox.scenario.templates import Template, numbered, slug
from ipyassets.sandbox.world import World

__all__ = ["Batches"]

_MOST = 1_000
_KEPT = 12
"""Files on disk."""
_FIRST = 100
"""``p`` of a job's first URL."""


@dataclass(eq=False)
class _Batch:
    """The file behind one job."""

    id: str
    """Of the job."""
    name: str
    """Of the file, as people get it."""
    members: Sequence[Member]
    troubles: Sequence[Trouble]
    deflate: bool
    streamed: bool
    created: float
    path: Path | None = None
    urls: int = 0
    """How many were given."""
    broken: Break | None = None
    """How the first of them expires in its use."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def make(self, folder: Path) -> Path:
        """The file, written if it is not there."""
        with self.lock:
            if self.path is None or not self.path.exists():
                path = folder / f"{self.id}.zip"
                pack(path, self.members, deflate=self.deflate, streamed=self.streamed)
                for trouble in self.troubles:
                    if trouble.spoil is not None:
                        trouble.spoil(path)
                self.path = path
            return self.path

    def next_url(self, cdn: str) -> tuple[str, float | None]:
        """An address without its signature, and how long it shall live if not as usual."""
        with self.lock:
            # A number of its own for each, or two of one second would be the same and expire together.
            url = f"{cdn}/archives/{self.id}?p={_FIRST + self.urls}"
            self.urls += 1
            lifetimes = [trouble.lifetime for trouble in self.troubles if self.urls == 1]
        return url, next((one for one in lifetimes if one is not None), None)


class Batches:
    """The archives of one sandbox."""

    def __init__(self, world: World, signer: Signer, jobs: Jobs, controls: Archives) -> None:
        self._world = world
        self._signer = signer
        self._jobs = jobs
        self._controls = controls
        self._batches: weakref.WeakKeyDictionary[Job, _Batch] = weakref.WeakKeyDictionary()
        self._on_disk: list[_Batch] = []
        self._folder: Path | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """Remove every file; those that are wanted again are made again."""
        with self._lock:
            folder, self._folder = self._folder, None
            self._on_disk.clear()
        if folder is not None:
            discard(folder)

    def request(self, project: Project, body: Mapping[str, Any], *, start: bool) -> dict[str, Any]:
        """Check ``body`` and, if ``start``, begin a job: ``{"jobId"}``. A 400 or 404 where it cannot be done."""
        options, query = _object(body, "options"), _object(body, "query")
        template, name = (_text(options, key) for key in ("fileNameTemplate", "archiveName"))
        if template is None:
            raise bad_request("options.fileNameTemplate is required")
        flat, original = boolean(options, "flat"), boolean(options, "preferOriginal")
        assets = _union(project, query)
        if not start:
            return {}
        settings, now = self._world.settings, self._world.clock()
        grouping = "" if flat else settings.archive_grouping
        members: Sequence[Member] = _members(assets, Template.parse(template), grouping, original=original)
        troubles = self._controls.take()
        for trouble in troubles:
            if trouble.alter is not None:
                members = trouble.alter(members)
        today = dt.datetime.fromtimestamp(now, dt.UTC).strftime("%Y%m%d")
        name = re.sub(r"[\x00-\x1f\x7f/\\\ud800-\udfff]", "_", name or f"{today}-export")
        breaks = next((trouble.breaks_after for trouble in troubles if trouble.breaks_after is not None), None)
        id = f"job_{secrets.token_hex(12)}"
        how = settings.archive_deflated, settings.archive_streamed
        broken = None if breaks is None else Break(breaks)
        batch = _Batch(id, f"{name}.zip", members, troubles, *how, now, broken=broken)
        job = Job(id, project, dict(body), merged(troubles), lambda: self._file_of(batch), [("queued", now)])
        self._batches[job] = batch
        self._jobs.add(job)
        return {"jobId": id}

    def _file_of(self, batch: _Batch) -> Path:
        with self._lock:
            if self._folder is None:
                self._folder = scratch("archives")
            folder = self._folder
            self._on_disk = [one for one in self._on_disk if one is not batch] + [batch]
            surplus, self._on_disk = self._on_disk[:-_KEPT], self._on_disk[-_KEPT:]
        for old in surplus:
            if old.path is not None:
                with contextlib.suppress(OSError):  # Windows keeps a file that is being sent
                    old.path.unlink(missing_ok=True)
        return batch.make(folder)

    def status(self, project: Project, id: str, cdn: str) -> dict[str, Any]:
        """``{"jobId", "jobStatus", "downloadUrl"?}``; the URL is signed at this moment."""
        job = self._jobs.find(project, id)
        answer = {"jobId": job.id, "jobStatus": job.told}
        if job.status == "success":
            url, lifetime = self._batches[job].next_url(cdn)
            usual = self._world.settings.archive_url_lifetime
            answer["downloadUrl"] = self._signer.sign(url, usual if lifetime is None else lifetime)
        return answer

    def file_routes(self) -> list[BaseRoute]:
        """Routes of the files, relative to the CDN's prefix."""
        return [Route("/archives/{id}", self._send)]

    async def _send(self, request: Request) -> Response:
        signed = self._signer.signed(request)
        job = self._jobs.get(request.path_params["id"])
        batch = self._batches.get(job) if job is not None else None
        if signed is None or batch is None:
            return access_denied(request)
        breaking = batch.broken if signed.endswith(f"?p={_FIRST}") else None
        if breaking is not None and breaking.over:
            return access_denied(request)
        path = await asyncio.to_thread(self._file_of, batch)
        return ArchiveFile(
            path,
            batch.name,
            etag=hashlib.sha256(batch.id.encode()).hexdigest()[:32],
            modified=formatdate(batch.created, usegmt=True),
            ranges=all(trouble.ranges for trouble in batch.troubles),
            sized=all(trouble.sized for trouble in batch.troubles),
            bandwidth=self._world.settings.archive_bandwidth,
            breaking=breaking,
        )


def _object(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = body.get(name)
    if not isinstance(value, dict):
        raise bad_request(f"{name} must be an object")
    return value


def _text(options: Mapping[str, Any], name: str) -> str | None:
    value = options.get(name)
    if value is not None and (not isinstance(value, str) or not value.strip()):
        raise bad_request(f"options.{name} must be a non-empty string")
    return value


def _ids(query: Mapping[str, Any], name: str) -> dict[str, None]:
    value = query.get(name)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise bad_request(f"query.{name} must be an array of strings")
    return dict.fromkeys(value)


def _union(project: Project, query: Mapping[str, Any]) -> list[Asset]:
    """The assets asked for, each once: those named, then those of inferences, then those of models."""
    wanted, inferences, made_with = (_ids(query, name) for name in ("assetIds", "inferenceIds", "modelIds"))
    if not (wanted or inferences or made_with):
        raise bad_request("At least one of assetIds, inferenceIds or modelIds must have a value")
    if len(wanted) > _MOST:
        raise _too_many()
    found = {asset: None for id in wanted if (asset := project.find(id)) is not None}
    alive = [asset for asset in project.assets if asset.deleted is None] if inferences or made_with else []
    found |= {asset: None for asset in alive if inferences and asset.inference_id in inferences}
    found |= {asset: None for asset in alive if asset.seed.model_id in made_with}
    if len(found) > _MOST:
        raise _too_many()
    if not found:
        raise not_found("Assets")
    return list(found)


def _too_many() -> Exception:
    return bad_request(f"Batch download is limited to {_MOST} assets")


def _members(assets: Sequence[Asset], template: Template, grouping: str, *, original: bool) -> list[Member]:
    paths, loads = [], []
    for asset in assets:
        load, mime = (original and asset.seed.upload) or (asset.seed.load, asset.seed.mime)
        folder = _group(asset, grouping)
        paths.append((f"{folder}/" if folder else "") + template.path(_values(asset), extension(mime)))
        loads.append(load)
    return [Member(path, load, asset.updated) for path, load, asset in zip(numbered(paths), loads, assets, strict=True)]


def _group(asset: Asset, grouping: str) -> str:
    groups = {"": "", "inference": asset.inference_id, "model": _model_name(asset), "type": asset.seed.type}
    group = groups[grouping]
    return "uploads" if group is None else group


def _model_name(asset: Asset) -> str | None:
    model = models().get(asset.seed.model_id or "")
    return None if model is None else model.name


def _values(asset: Asset) -> dict[str, str | None]:
    """Of every token of a template."""
    seed = asset.seed
    return {
        "seed": None if asset.number is None else str(asset.number),
        "num": None if asset.output_index is None else str(asset.output_index),
        "prompt": slug(seed.prompt),
        "generator": _model_name(asset),
        "id": asset.id,
        "description": slug(seed.description or seed.caption),
    }
