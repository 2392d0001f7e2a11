"""All products of all workspaces, in columns.

A hundred thousand products are a few megabytes here: what differs from product to product stands in numpy columns,
what is common to many (name, object, attributes) in a `Variant` they share. Rows are made from there on demand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from ipyassets.sandbox import library
from ipyassets.sandbox.rendering.orders import Source
from ipyassets.sandbox.vntana.accounts import SHOWROOM, WORKSPACES, Workspace
from ipyassets.sandbox.vntana.entries import INTERNAL_EVERY, SERIES, Entry, entries
from ipyassets.sandbox.vntana.ids import Numbered
from ipyassets.sandbox.vntana.request import ASSET_TYPES, CONVERSIONS, STATUSES
from ipyassets.sandbox.vntana.taxonomy import Taxonomy, taxonomy

__all__ = ["Catalogue", "Columns", "Poster", "Variant", "optimized"]

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

DAY = 86_400 * 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Variant:
    """What products of one name and one object have in common."""

    name: str
    model: library.Model | None
    taxonomy: Taxonomy
    attributes: Mapping[str, str]
    description: str


@dataclass(frozen=True, slots=True)
class Poster:
    """A poster that was made while the sandbox ran."""

    blob_id: str
    content: bytes = field(repr=False)
    """The image file."""


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """One number for each product. Enumerations are positions in their tuples; -1 stands for a missing datum."""

    workspace: Ints
    variant: Ints
    number: Ints
    """Behind the name; 0 for none."""
    status: Ints
    conversion: Ints
    asset_type: Ints
    poster: Mask
    created: Ints
    """Microseconds since the epoch."""
    updated: Ints
    original_size: Ints
    optimized_size: Ints
    original_poly: Ints
    optimized_poly: Ints


class Catalogue:
    """The products; ``assets`` of them, at least, published in the main workspace."""

    def __init__(self, assets: int | None = None) -> None:
        self.variants: list[Variant] = []
        self.products = Numbered("product")
        self.thumbnails = Numbered("thumbnail")
        self.blobs = Numbered("blob")
        self.version = 0
        """Another one after each change: answers found before it are stale."""
        self.posters: dict[int, Poster] = {}
        """Those that took the place of the first ones."""
        self._by_poster: dict[str, int] = {}
        self.poster_actions: dict[int, str] = {}
        """The state of a poster's making, where it is not that of the conversion."""
        natural = tuple(entries())
        self.files = {index: entry.file for index, entry in enumerate(natural) if entry.file}
        """Of the products that have another file than their model's own: its name, by number."""
        self._columns(natural, assets or 0)
        self.gone: Mask = np.zeros(len(self), np.bool_)
        """Which products were deleted."""

    def __len__(self) -> int:
        return len(self.columns.variant)

    def _columns(self, natural: tuple[Entry, ...], assets: int) -> None:
        models = library.objects()
        by_name: dict[tuple[str, int | None], int] = {}
        for entry in natural:
            if by_name.setdefault((entry.name, entry.model), len(self.variants)) == len(self.variants):
                self.variants.append(_variant(entry.name, None if entry.model is None else models[entry.model]))
        published = sum(entry.workspace == SHOWROOM and entry.status.startswith("LIVE") for entry in natural)
        grown = np.arange(max(0, assets - published), dtype=np.int64)
        first = len(self.variants)
        if len(grown):
            for series in SERIES:
                self.variants += [_variant(f"{model.name} {series}", model, series) for model in models]

        def column(values: Iterable[int], growth: Ints | int) -> Ints:
            head = np.fromiter(values, np.int64, len(natural))
            return np.concatenate([head, np.broadcast_to(np.int64(growth), grown.shape)])

        model = column((-1 if entry.model is None else entry.model for entry in natural), grown % len(models))
        index = np.arange(len(model), dtype=np.int64)
        is_grown = index >= len(natural)
        internal = np.where(grown % INTERNAL_EVERY == 7, STATUSES.index("LIVE_INTERNAL"), STATUSES.index("LIVE_PUBLIC"))
        triangles = np.array([m.triangles for m in models] + [-1])[model]
        day = np.array([_epoch(m) for m in models] + [datetime(2024, 5, 6, tzinfo=UTC).timestamp()], dtype=np.int64)
        later = np.where(is_grown, _scatter(index, 2) % 500, 0) * DAY
        created = day[model] * 1_000_000 + _scatter(index, 1) % DAY + later
        original = np.where(model < 0, -1, triangles * 93 + _scatter(index, 3) % 40_000)
        converted = column((entry.conversion == "COMPLETED" for entry in natural), 1) == 1
        self.columns = Columns(
            workspace=column((WORKSPACES.index(e.workspace) for e in natural), WORKSPACES.index(SHOWROOM)),
            variant=column((by_name[e.name, e.model] for e in natural), first + grown % (len(models) * len(SERIES))),
            number=column((entry.number for entry in natural), grown // (len(models) * len(SERIES)) + 1),
            status=column((STATUSES.index(entry.status) for entry in natural), internal),
            conversion=column((CONVERSIONS.index(e.conversion) for e in natural), CONVERSIONS.index("COMPLETED")),
            asset_type=column((ASSET_TYPES.index(e.asset_type) for e in natural), ASSET_TYPES.index("THREE_D")),
            poster=column((entry.poster for entry in natural), 1) == 1,
            created=_rounded(created, index),
            updated=_rounded(created + _scatter(index, 4) % (1200 * DAY), index + 1),
            original_size=original,
            optimized_size=np.where(converted & (model >= 0), optimized(original, triangles)[0], -1),
            original_poly=triangles,
            optimized_poly=np.where(converted & (model >= 0), optimized(original, triangles)[1], -1),
        )

    def name(self, index: int) -> str:
        number = int(self.columns.number[index])
        name = self.variant(index).name
        return f"{name} {number}" if number else name

    def variant(self, index: int) -> Variant:
        return self.variants[int(self.columns.variant[index])]

    def workspace(self, index: int) -> Workspace:
        return WORKSPACES[int(self.columns.workspace[index])]

    def status(self, index: int) -> str:
        return STATUSES[int(self.columns.status[index])]

    def conversion(self, index: int) -> str:
        return CONVERSIONS[int(self.columns.conversion[index])]

    def asset_type(self, index: int) -> str:
        return ASSET_TYPES[int(self.columns.asset_type[index])]

    def find(self, numbered: Numbered, uuid: str) -> int | None:
        """The product that has the identifier ``uuid`` among ``numbered``."""
        index = numbered.index(uuid)
        return index if index is not None and index < len(self) and not self.gone[index] else None

    def delete(self, index: int) -> None:
        """From now on nothing finds the product."""
        self.gone[index] = True
        self.version += 1

    def restore(self) -> None:
        """Bring back every product that was deleted."""
        if self.gone.any():
            self.gone[:] = False
            self.version += 1

    def source(self, index: int) -> Source | None:
        """The 3D model of a product; None if it has none."""
        model = self.variant(index).model
        if model is None or self.asset_type(index) != "THREE_D":
            return None
        file = self.files.get(index)
        return Source("object", model.key) if file is None else Source("file", file)

    def thumbnail(self, index: int) -> str | None:
        """``thumbnailBlobId`` of a product, None if it has no poster."""
        if not self.columns.poster[index]:
            return None
        newer = self.posters.get(index)
        return self.thumbnails.uuid(index) if newer is None else newer.blob_id

    def find_thumbnail(self, blob_id: str) -> int | None:
        """The product whose poster has this id now; an id is gone when another poster takes the place of its own."""
        index = self._by_poster.get(blob_id)
        if index is None:
            index = self.find(self.thumbnails, blob_id)
        return index if index is not None and self.thumbnail(index) in (blob_id, blob_id.lower()) else None

    def put_poster(self, index: int, poster: Poster | None) -> None:
        """Show ``poster`` from now on; None: the first one again."""
        if poster is None:
            self.posters.pop(index, None)
        else:
            self.posters[index] = poster
            self._by_poster[poster.blob_id] = index

    def where(self, predicate: Callable[[Variant], bool]) -> Mask:
        """Which products are of a variant that ``predicate`` holds for."""
        held = np.fromiter((predicate(variant) for variant in self.variants), np.bool_, len(self.variants))
        return np.asarray(held[self.columns.variant])

    def within(self, workspaces: Iterable[Workspace]) -> Mask:
        """Which products stand in one of ``workspaces``."""
        inside = np.isin(self.columns.workspace, [WORKSPACES.index(workspace) for workspace in workspaces])
        return np.asarray(inside & ~self.gone)

    def counts(self, workspace: Workspace) -> dict[str, int]:
        """How many products, locations, tags and projects ``workspace`` has."""
        inside = self.within([workspace])
        terms = [self.variants[int(variant)].taxonomy for variant in np.unique(self.columns.variant[inside])]
        return {
            "productsCount": int(inside.sum()),
            "locationsCount": len({term for t in terms for term in t.locations}),
            "tagsCount": len({term for t in terms for term in t.tags}),
            "projectsCount": len({term for t in terms for term in t.projects}),
        }


def optimized(size: Ints, polygons: Ints) -> tuple[Ints, Ints]:
    """Bytes and polygons that conversion leaves of a file."""
    return size * 2 // 7, polygons * 3 // 8


def _variant(name: str, model: library.Model | None, series: str | None = None) -> Variant:
    terms = taxonomy(model)
    if model is None:
        return Variant(name, None, terms, {}, "")
    attributes = {
        "creator": model.creator,
        "category": model.category,
        "licence": model.licence,
        "size": f"{model.width_cm:g} x {model.depth_cm:g} x {model.height_cm:g} cm",
        **({"series": series} if series else {}),
        **{f"name_{language}": text for language, text in model.names.items() if language != "en"},
    }
    description = f"{model.name} by {model.creator}, {attributes['size']}, from the catalogue section {model.category}."
    return Variant(name, model, terms, attributes, description)


def _epoch(model: library.Model) -> int:
    created = model.created
    return int(datetime(created.year, created.month, created.day, tzinfo=UTC).timestamp())


def _scatter(index: Ints, salt: int) -> Ints:
    """Non-negative numbers that look like chance and are always the same (splitmix64)."""
    mixed = (index.astype(np.uint64) + np.uint64(salt << 32)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(1)).astype(np.int64)


def _rounded(moments: Ints, index: Ints) -> Ints:
    """Whole seconds, milliseconds or microseconds: the service prints 0 to 6 digits."""
    unit = np.array([1_000_000, 1_000, 1])[index % 3]
    return np.asarray(moments // unit * unit)
