"""What an operation of the matrix is, and what all of them share: a sandbox, and what was found in it beforehand."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import ipyassets as ia
from ipyassets.collections.assets import Asset, AsyncAsset
from ipyassets.errors import AssetServiceError
from ipyassets.http.loop import run as on_loop
from ipyassets.sandbox import Sandbox

__all__ = [
    "ANY",
    "OPERATIONS",
    "POLL",
    "SERVICES",
    "SMALL",
    "Ground",
    "Ids",
    "Named",
    "Operation",
    "Shown",
    "Silent",
    "Step",
    "batched",
    "digest",
    "followed",
    "job_told",
    "operation",
    "saved_files",
    "seen",
    "thumbnail_of",
    "tree",
]

SERVICES: Final = ("vntana", "vntana_public", "itwin", "scenario")
SMALL: Final = {"width": 32, "height": 24, "turntable": ia.Turntable(frames=2, fps=4, width=32, height=24)}
POLL: Final = 0.02


@dataclass(frozen=True)
class Ids:
    """Ids of a list, in its order; ``whole`` where it is all of a list."""

    ids: tuple[str, ...]
    whole: bool = False

    @classmethod
    def of(cls, assets: Iterable[Any], *, whole: bool = False) -> Ids:
        return cls(tuple(asset.id for asset in assets), whole)


@dataclass(frozen=True)
class Named:
    """Many results, some of which failed and are named. ``slots``: each result has a place of its own, None where it
    failed; without, what failed is not there.
    """

    results: tuple[Any, ...]
    errors: tuple[AssetServiceError, ...]
    slots: bool = True


@dataclass(frozen=True)
class Silent:
    """Pairs, the second of them None where it failed; why is not told here, but by another operation."""

    pairs: tuple[tuple[Any, Any], ...]


@dataclass(frozen=True)
class Shown:
    """What stands on the page, None where something is missing, and the words that are said of it."""

    results: tuple[Any, ...]
    words: tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """Requests of one kind within an operation: those that match, after the first ``skip`` of them."""

    name: str
    path: str
    method: str | None = None
    skip: int = 0

    def __str__(self) -> str:
        return self.name


ANY: Final = (Step("", "/"),)
"""For an operation that is one request, or many of one kind."""


@dataclass
class Ground:
    """What all cases share: a sandbox, and what was found in it before anything went wrong."""

    sandbox: Sandbox
    folder: Path
    patience: float = 20.0
    """Seconds that a job is waited for."""

    def __post_init__(self) -> None:
        self.written: Counter[str] = Counter()
        """How often webhooks of a name were made or changed."""
        self.deleted: Counter[str] = Counter()
        self._watch_webhooks()
        with self.sandbox.vntana() as vntana:
            shown = vntana.search(asset_types="THREE_D", conversion_status="COMPLETED", sort="created")
            self.records = {"vntana": [asset._record for asset in shown[:3]]}
            self.rendered = [asset._record for asset in shown[4:5]]
            self._others = itertools.cycle([asset._record for asset in shown[5:45]])
            # The first has files, too: what a panel finds of it must not depend on which cases ran before.
            vntana.render([shown[0], *shown[4:5]], **SMALL, poll=POLL).wait(60, progress=False)
            self.webhook = vntana.webhooks.create("http://127.0.0.1:9/", name="kept").id
            first = shown[0].raw
            self.poster_ids = (first["uuid"], first["clientUuid"], first["asset"]["thumbnailBlobId"])
        with self.sandbox.vntana_public() as public:
            self.records["vntana_public"] = [asset._record for asset in public.search()[:3]]
        with self.sandbox.itwin() as itwin:
            self.records["itwin"] = [asset._record for asset in itwin.search()[:3]]
        with self.sandbox.scenario() as scenario:
            found = scenario.search(kind="image", filter='mimeType = "image/webp"')
            self.records["scenario"] = [asset._record for asset in found[:3]]
            job = scenario.archive(found[:3], flat=True, poll=POLL).wait(60, progress=False)
            self.archive, self.member = job.ids[0], min(job.names)
        self._fresh = itertools.count()

    def _watch_webhooks(self) -> None:
        kept = self.sandbox.vntana_api._webhooks._subscriptions
        put, remove = kept.put, kept.remove

        def counted(webhook: Any) -> Any:
            self.written[webhook.name] += 1
            return put(webhook)

        def removed(uuid: str) -> None:
            there = kept.find(uuid)
            if there is not None:
                self.deleted[there.name] += 1
            remove(uuid)

        kept.put, kept.remove = counted, removed  # type: ignore[method-assign]

    def assets(self, client: Any) -> list[Any]:
        kind = AsyncAsset if type(client).__name__.startswith("Async") else Asset
        return [kind(record, client.core) for record in self.records[client.core.name]]

    def to_render(self, client: Any) -> list[Any]:
        """What was rendered before anything went wrong."""
        kind = AsyncAsset if type(client).__name__.startswith("Async") else Asset
        return [kind(record, client.core) for record in self.rendered]

    def another(self, client: Any) -> Any:
        """One of which no render is under way that an earlier case gave up."""
        kind = AsyncAsset if type(client).__name__.startswith("Async") else Asset
        return kind(next(self._others), client.core)

    def new_name(self) -> str:
        """For an order that is like no other: one whose answer is lost is looked for by what it says."""
        return f"order-{next(self._fresh)}"

    def new_folder(self) -> Path:
        made = self.folder / f"files-{next(self._fresh)}"
        made.mkdir(parents=True)
        return made

    # -- what operations bring about at the services ------------------------------------------------------------------

    def renders(self) -> int:
        return len(self.sandbox.renders.jobs)

    def archives(self) -> int:
        return len(self.sandbox.scenario_api._jobs.all())


@dataclass(frozen=True)
class Operation:
    service: str
    name: str
    run: Callable[[Any, Ground], Any]
    """Where the operation is ``awaited``, a coroutine function."""
    prepare: Callable[[Any, Ground], Any] | None = None
    """Before anything goes wrong; ``run`` then takes what it gives in place of the client."""
    steps: tuple[Step, ...] = ANY
    covers: tuple[str, ...] = ()
    """Names of the public face that it uses, such as ``Asset.poster``."""
    awaited: bool = False
    anew: bool = False
    """Whether ``run`` must be prepared again before it is done again."""
    effect: Callable[[Ground], int] | None = None
    """How often it has happened at the service so far, for what must happen once."""
    blind: tuple[str, ...] = ()
    """Troubles that nobody can tell from what is meant: who is told that a token is unknown takes it as ended."""
    repeats: bool = False
    """Whether more than once does no harm."""

    def __str__(self) -> str:
        return f"{self.service}: {self.name}"


OPERATIONS: Final[list[Operation]] = []


def operation(
    *services: str, name: str, **how: Any
) -> Callable[[Callable[[Any, Ground], Any]], Callable[[Any, Ground], Any]]:
    """Add what is decorated as an operation of each of ``services``; ``how`` are fields of `Operation`.

    ``steps`` may be a mapping from services to steps.
    """

    def add(run: Callable[[Any, Ground], Any]) -> Callable[[Any, Ground], Any]:
        steps = how.pop("steps", ANY)
        for service in services:
            own = steps.get(service, ANY) if isinstance(steps, dict) else steps
            OPERATIONS.append(Operation(service, name, run, steps=own, **how))
        return run

    return add


# -- results in a form that can be compared ---------------------------------------------------------------------------


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def seen(image: Any) -> Any:
    return None if image is None else (image.size, digest(image.convert("RGB").tobytes()))


def batched(batch: Any) -> Named:
    return Named(tuple(map(seen, batch)), tuple(error for _, _, error in batch.failures))


def saved_files(batch: Any) -> Named:
    """Downloads that lie in a folder."""
    paths = (None if one is None else digest(Path(one.path).read_bytes()) for one in batch)
    return Named(tuple(paths), tuple(error for _, _, error in batch.failures))


def job_told(job: Any) -> Named:
    errors = tuple(error for _, _, error in job.failures)
    return Named(tuple(None if item.errors else item.status for item in job.items), errors)


def tree(folder: Path) -> Any:
    return sorted((str(path.relative_to(folder)), digest(path.read_bytes())) for path in folder.rglob("*.*"))


def followed(client: Any, ground: Ground) -> Any:
    """A render job that is done."""
    return client.follow_renders(ground.to_render(client), poll=POLL).wait(60, progress=False)


def thumbnail_of(client: Any, record: Any) -> bytes:
    from ipyassets.collections.thumbnails import thumbnail

    return on_loop(thumbnail(client.core, record, 96)).content
