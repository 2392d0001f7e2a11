"""Projects and their assets: light rows made from seeds, with what people changed kept beside them."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import threading
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property

from ipyassets.sandbox.scenario.seeds import COLLECTIONS, Seed

__all__ = ["Asset", "Change", "Project", "identifier", "stamp"]

_RETENTION = 30 * 86_400
_VARIATION_EVERY = 600
_OUTPUTS = 4


def identifier(prefix: str, *parts: object) -> str:
    """``prefix_`` and 24 letters or digits; the same for the same parts, on every run."""
    digest = hashlib.sha256("/".join(map(str, ("ipyassets", *parts))).encode()).digest()
    return f"{prefix}_{base64.b64encode(digest[:18], altchars=b'Zq').decode('ascii')}"


def stamp(seconds: float) -> str:
    """ISO 8601 with milliseconds and Z."""
    moment = dt.datetime.fromtimestamp(seconds, dt.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(slots=True)
class Change:
    """What was changed on one asset since the sandbox started."""

    tags: tuple[str, ...]
    collections: tuple[str, ...]
    updated: float
    deleted: float | None = None


class Asset:
    """One asset: a seed, and which of its variations."""

    __slots__ = ("_id", "change", "created", "project", "seed", "variation")

    def __init__(self, project: Project, seed: Seed, variation: int, created: float) -> None:
        self.project = project
        self.seed = seed
        self.variation = variation
        self.created = created
        self.change: Change | None = None
        self._id: str | None = None

    @property
    def id(self) -> str:
        if self._id is None:
            self._id = identifier("asset", self.seed.key, self.variation)
        return self._id

    @property
    def name(self) -> str:
        return f"{self.seed.name} v{self.variation + 1}" if self.variation else self.seed.name

    @property
    def number(self) -> int | None:
        """The generator's seed."""
        if self.seed.number is None:
            return None
        return (self.seed.number + self.variation * 7_919) % 2**32

    @property
    def updated(self) -> float:
        return self.created + 95 if self.change is None else self.change.updated

    @property
    def tags(self) -> tuple[str, ...]:
        return self.seed.tags if self.change is None else self.change.tags

    @property
    def collections(self) -> tuple[str, ...]:
        """Ids of the collections it is in."""
        if self.change is not None:
            return self.change.collections
        return tuple(self.project.collection_ids[name] for name in self.seed.collections)

    @property
    def deleted(self) -> float | None:
        return None if self.change is None else self.change.deleted

    @property
    def privacy(self) -> str:
        return "public" if self.seed.public else "private"

    @property
    def inference_id(self) -> str | None:
        """Of the run that made it. The natural images come from runs of their own, variations four from each."""
        if self.seed.model_id is None:
            return None
        return identifier("inference", self.seed.key, -(-self.variation // _OUTPUTS))

    @property
    def outputs(self) -> int | None:
        """How many its run was to give."""
        if self.seed.model_id is None:
            return None
        return _OUTPUTS if self.variation else 1

    @property
    def output_index(self) -> int | None:
        """Its place among the results of its run, from 0."""
        if self.seed.model_id is None:
            return None
        return (self.variation - 1) % _OUTPUTS if self.variation else 0


@dataclass(eq=False)
class Project:
    """One project of one organisation: what an API key gives access to."""

    name: str
    team_name: str
    seeds: tuple[Seed, ...]
    count: int | None = None
    """How many assets; None, or fewer than there are seeds: one each. The others are variations of generated images."""
    lock: threading.RLock = field(default_factory=threading.RLock)
    generation: int = 0
    """Grows with every change, so that answers kept for an older state are told apart."""

    @cached_property
    def id(self) -> str:
        return identifier("proj", self.name)

    @cached_property
    def team_id(self) -> str:
        return identifier("team", self.team_name)

    @cached_property
    def author_id(self) -> str:
        return identifier("user", self.name)

    @cached_property
    def collection_ids(self) -> dict[str, str]:
        return {name: identifier("collection", self.name, name) for name in COLLECTIONS}

    @cached_property
    def assets(self) -> list[Asset]:
        natural = [Asset(self, seed, 0, seed.created.timestamp() + 0.25) for seed in self.seeds]
        images = [seed for seed in self.seeds if seed.model_id and seed.kind == "image"]
        oldest = min(asset.created for asset in natural)
        # Variations are older than everything natural and take turns, so that a page shows many different pictures.
        return natural + [
            Asset(self, images[n % len(images)], 1 + n // len(images), oldest - (n + 1) * _VARIATION_EVERY)
            for n in range((self.count or 0) - len(natural))
        ]

    @cached_property
    def _by_id(self) -> dict[str, Asset]:
        return {asset.id: asset for asset in self.assets}

    def find(self, id: str, *, deleted: bool = False) -> Asset | None:
        """The asset; None if there is none, or if it was deleted and ``deleted`` is not set."""
        # A natural asset should not wait for the index of a grown catalogue.
        asset = self._natural.get(id) or self._by_id.get(id)
        return asset if asset is not None and (deleted or asset.deleted is None) else None

    @cached_property
    def _natural(self) -> dict[str, Asset]:
        return {asset.id: asset for asset in self.assets[: len(self.seeds)]}

    def asset_of(self, key: str) -> Asset | None:
        """The natural asset made from the seed with this key."""
        return next((asset for asset in self.assets[: len(self.seeds)] if asset.seed.key == key), None)

    def edit(
        self,
        asset: Asset,
        now: float,
        *,
        tags: tuple[str, ...] | None = None,
        collections: tuple[str, ...] | None = None,
    ) -> None:
        with self.lock:
            old = asset.change
            asset.change = Change(
                asset.tags if tags is None else tags,
                asset.collections if collections is None else collections,
                now,
                old.deleted if old else None,
            )
            self.generation += 1

    def delete(self, asset: Asset, now: float) -> None:
        with self.lock:
            asset.change = Change(asset.tags, asset.collections, asset.updated, now)
            self.generation += 1

    def restore(self, id: str, now: float) -> str | None:
        """Undo a deletion; the reason if that is not possible, in the API's own words."""
        with self.lock:
            asset = self.find(id, deleted=True)
            if asset is None:
                return "not-found"
            if asset.change is None or asset.deleted is None:
                return "not-deleted"
            if now - asset.deleted > _RETENTION:
                return "expired"
            asset.change = Change(asset.tags, asset.collections, now)
            self.generation += 1
            return None

    def in_trash(self, now: float) -> list[Asset]:
        """What was deleted in the last 30 days, latest first."""
        gone = [a for a in self.assets if a.deleted is not None and now - a.deleted <= _RETENTION]
        return sorted(gone, key=lambda a: (-(a.deleted or 0), a.id))

    def counted(self) -> tuple[Counter[str], Counter[str]]:
        """Assets by tag, and by collection id."""
        tags: Counter[str] = Counter()
        collections: Counter[str] = Counter()
        for asset in self.assets:
            if asset.deleted is None:
                tags.update(asset.tags)
                collections.update(asset.collections)
        return tags, collections
