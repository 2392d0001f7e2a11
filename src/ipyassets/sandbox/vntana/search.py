"""Answers a product search: which products, in which order."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ipyassets.sandbox.vntana.accounts import WORKSPACES, Workspace
from ipyassets.sandbox.vntana.catalogue import Catalogue, Ints, Mask, Variant
from ipyassets.sandbox.vntana.request import ASSET_TYPES, CONVERSIONS, STATUSES, ProductQuery
from ipyassets.sandbox.vntana.taxonomy import Named
from ipyassets.sandbox.vntana.words import Index, Scores, folded, natural, words

__all__ = ["Finder"]

KEPT_ANSWERS = 16
"""Whole answers kept, so that walking the pages of one does the work once; 0.8 MB each for 100,000 products."""

Terms = Callable[[Variant], Sequence[Named]]


class Finder:
    """Searches one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        variants = catalogue.variants
        self._name_words = Index([[variant.name] for variant in variants])
        self._other_words = Index(
            [[*(t.name for t in v.taxonomy.tags), *(v.model.names.values() if v.model else ())] for v in variants]
        )
        self._kept: OrderedDict[tuple[Any, ...], Ints] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, query: ProductQuery, workspaces: Sequence[Workspace], *, drafts: bool = False) -> Ints:
        """Numbers of the products in ``workspaces`` that match, in order. ``drafts``: also where no status is asked."""
        key = (query.key, tuple(workspace.uuid for workspace in workspaces), drafts, self._catalogue.version)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        found = self._search(query, workspaces, drafts=drafts)
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > KEPT_ANSWERS:
                self._kept.popitem(last=False)
        return found

    def _search(self, query: ProductQuery, workspaces: Sequence[Workspace], *, drafts: bool) -> Ints:
        columns = self._catalogue.columns
        mask = self._catalogue.within(workspaces)
        if "DRAFT" not in query.filters.get("status", ()) and not drafts:
            mask &= columns.status != STATUSES.index("DRAFT")
        relevance: Scores | None = None
        for field, value in query.filters.items():
            if field == "searchTerm":
                relevance = self._relevance(value, query.matching(field, "MATCH_FUZZY"))
                mask &= relevance > 0
            elif field in self._filters:
                mask &= self._filters[field](value, query)
        return self._ordered(np.flatnonzero(mask), query, relevance)

    # Order

    def _ordered(self, found: Ints, query: ProductQuery, relevance: Scores | None) -> Ints:
        keys: list[npt.NDArray[Any]] = []
        for field, descending in query.sorts:
            keys += [-column[found] if descending else column[found] for column in self._sort_keys(field)]
        if not keys and relevance is not None:
            keys = [-relevance[found], *(column[found] for column in self._sort_keys("NAME"))]
        elif not keys:
            keys = [-self._catalogue.columns.updated[found]]
        return np.asarray(found[np.lexsort([found, *reversed(keys)])])

    def _sort_keys(self, field: str) -> list[npt.NDArray[Any]]:
        columns = self._catalogue.columns
        match field:
            case "NAME":
                return [self._name_ranks[columns.variant], columns.number]
            case "TAGS":
                return [self._ranks(lambda variant: ",".join(tag.name for tag in variant.taxonomy.tags))]
            case "PIPELINE_NAME":
                return [self._ranks(lambda v: v.taxonomy.pipeline.name if v.taxonomy.pipeline else "")]
            case "WORKSPACE_SLUG":
                return [_alphabetical([workspace.slug for workspace in WORKSPACES])[columns.workspace]]
            case "CONVERSION_STATUS":
                return [_alphabetical(CONVERSIONS)[columns.conversion]]
            case _:
                column: Ints = getattr(
                    columns,
                    {
                        "CREATED": "created",
                        "UPDATED": "updated",
                        "ORIGINAL_POLY_COUNT": "original_poly",
                        "OPTIMIZED_POLY_COUNT": "optimized_poly",
                        "ORIGINAL_FILE_SIZE": "original_size",
                        "OPTIMIZED_FILE_SIZE": "optimized_size",
                    }[field],
                )
                return [column]

    @cached_property
    def _name_ranks(self) -> Ints:
        # Numbers stand apart, so ranks of the names before them are enough.
        names = [variant.name for variant in self._catalogue.variants]
        place = {name: rank for rank, name in enumerate(sorted(set(names), key=lambda name: (natural(name), name)))}
        return np.array([place[name] for name in names], dtype=np.int64)

    def _ranks(self, text: Callable[[Variant], str]) -> Ints:
        return np.asarray(_alphabetical([text(v) for v in self._catalogue.variants])[self._catalogue.columns.variant])

    # Words

    def _relevance(self, text: str, how: str) -> Scores:
        """How well each product fits ``text``; 0: not at all. Its name counts more than tags and translations."""
        columns = self._catalogue.columns
        if how == "MATCH_EXACT":
            return self._named(text).astype(np.float64)
        wanted = words(text)
        if not wanted:
            return self._containing(text).astype(np.float64)
        each = []
        for word in wanted:
            of_variant = np.maximum(self._name_words.scores(word), 0.5 * self._other_words.scores(word))
            fit = of_variant[columns.variant]
            if word.isdecimal():
                fit = np.maximum(fit, columns.number == int(word))
            each.append(fit)
        total = np.mean(each, axis=0)
        if how != "MATCH_ANY":
            total = np.where(np.min(each, axis=0) > 0, total, 0.0)
        return np.asarray(total + self._named(text) * (total > 0))

    def _named(self, text: str) -> Mask:
        """Products whose whole name is ``text``, whatever the case."""
        columns = self._catalogue.columns
        wanted = text.strip().casefold()
        plain: Mask = self._catalogue.where(lambda v: v.name.strip().casefold() == wanted) & (columns.number == 0)
        stem, _, number = wanted.rpartition(" ")
        if not number.isdecimal():
            return plain
        plain |= self._catalogue.where(lambda v: v.name.casefold() == stem) & (columns.number == int(number))
        return plain

    def _containing(self, text: str) -> Mask:
        """Products whose name holds ``text``, whatever the case."""
        columns = self._catalogue.columns
        wanted = text.casefold()
        mask = self._catalogue.where(lambda variant: wanted in variant.name.casefold())
        head = wanted.rstrip("0123456789")
        digits = wanted[len(head) :]
        if not digits and not head.endswith(" "):
            return mask
        numbers = np.unique(columns.number[columns.number > 0])
        fitting = [n for n in numbers if (str(n).startswith(digits) if head else digits in str(n))]
        mask |= self._catalogue.where(lambda v: f"{v.name} ".casefold().endswith(head)) & np.isin(
            columns.number, fitting
        )
        return mask

    # Filters

    @cached_property
    def _filters(self) -> dict[str, Callable[[Any, ProductQuery], Mask]]:
        catalogue, columns = self._catalogue, self._catalogue.columns

        def texts(of: Callable[[Variant], Sequence[str]]) -> Callable[[Any, ProductQuery], Mask]:
            def held(value: str, query: ProductQuery) -> Mask:
                wanted = folded(value)
                return catalogue.where(lambda variant: any(wanted in folded(text) for text in of(variant)))

            return held

        def terms(of: Terms) -> Callable[[Any, ProductQuery], Mask]:
            def held(value: list[str], query: ProductQuery) -> Mask:
                wanted = frozenset(value)
                whole = query.matching("tagsUuids", "MATCH_ANY") in {"MATCH_ALL", "MATCH_EXACT"} and of is _tags
                if whole:
                    return catalogue.where(lambda variant: wanted <= {term.uuid for term in of(variant)})
                return catalogue.where(lambda variant: not wanted.isdisjoint(term.uuid for term in of(variant)))

            return held

        def attributes(field: str, of: Callable[[Variant], list[str]]) -> Callable[[Any, ProductQuery], Mask]:
            return lambda value, query: catalogue.where(_attributes(value, query.matching(field, "MATCH_ANY"), of))

        def among(column: Ints, names: Sequence[str]) -> Callable[[Any, ProductQuery], Mask]:
            return lambda value, _: np.isin(column, [names.index(name) for name in value])

        def between(column: Ints) -> Callable[[Any, ProductQuery], Mask]:
            def held(value: tuple[int | None, int | None], query: ProductQuery) -> Mask:
                low, high = value
                mask = column >= (0 if low is None else max(low, 0))  # -1 is a missing datum
                return mask if high is None else mask & (column <= high)

            return held

        return {
            "name": self._by_name,
            "description": texts(lambda variant: [variant.description]),
            "tagName": texts(lambda variant: [term.name for term in variant.taxonomy.tags]),
            "locationName": texts(lambda variant: [term.name for term in variant.taxonomy.locations]),
            "variantGroupName": texts(lambda variant: [term.name for term in variant.taxonomy.groups]),
            "tagsUuids": terms(_tags),
            "locationsUuids": terms(lambda variant: variant.taxonomy.locations),
            "projectsUuids": terms(lambda variant: variant.taxonomy.projects),
            "variantGroupsUuids": terms(lambda variant: variant.taxonomy.groups),
            "pipelinesUuids": terms(lambda v: (v.taxonomy.pipeline,) if v.taxonomy.pipeline else ()),
            "productsUuids": self._by_uuid,
            "attributeKey": self._by_attribute,
            "attributeValue": self._by_attribute,
            "attributesKeys": attributes("attributesKeys", lambda variant: list(variant.attributes)),
            "attributesValues": attributes("attributesValues", lambda variant: list(variant.attributes.values())),
            "hasAttributes": lambda value, _: catalogue.where(lambda v: bool(v.attributes) == value),
            "hasProjects": lambda value, _: catalogue.where(lambda v: bool(v.taxonomy.projects) == value),
            # No product here is linked to another platform.
            "integrationsStatus": lambda *_: np.zeros(len(catalogue), np.bool_),
            "status": among(columns.status, STATUSES),
            "conversionStatuses": among(columns.conversion, CONVERSIONS),
            "assetTypes": among(columns.asset_type, ASSET_TYPES),
            "createdDateRange": between(columns.created),
            "updatedDateRange": between(columns.updated),
            "originalFileSizeRange": between(columns.original_size),
            "optimizedFileSizeRange": between(columns.optimized_size),
            "originalPolyCountRange": between(columns.original_poly),
            "optimizedPolyCountRange": between(columns.optimized_poly),
        }

    def _by_name(self, value: str, query: ProductQuery) -> Mask:
        how = query.matching("name", "")
        if not how:
            return self._containing(value)
        return self._relevance(value, how) > 0

    def _by_uuid(self, value: list[str], query: ProductQuery) -> Mask:
        mask = np.zeros(len(self._catalogue), np.bool_)
        for uuid in value:
            index = self._catalogue.find(self._catalogue.products, uuid)
            if index is not None:
                mask[index] = True
        return mask

    def _by_attribute(self, value: str, query: ProductQuery) -> Mask:
        """One attribute that has the key and the value asked for; either may be left open."""
        key, wanted = query.filters.get("attributeKey"), query.filters.get("attributeValue")
        return self._catalogue.where(
            lambda variant: any(
                (key is None or key == name) and (wanted is None or folded(wanted) == folded(text))
                for name, text in variant.attributes.items()
            )
        )


def _tags(variant: Variant) -> Sequence[Named]:
    return variant.taxonomy.tags


def _attributes(wanted: list[str], how: str, of: Callable[[Variant], list[str]]) -> Callable[[Variant], bool]:
    held = any if how in {"MATCH_ANY", "MATCH_FUZZY"} else all

    def predicate(variant: Variant) -> bool:
        texts = [folded(text) for text in of(variant)]
        if how == "MATCH_FUZZY":
            return held(any(folded(word) in text for text in texts) for word in wanted)
        return held(folded(word) in texts for word in wanted)

    return predicate


def _alphabetical(names: Sequence[str]) -> Ints:
    place = {name: rank for rank, name in enumerate(sorted(set(names)))}
    return np.array([place[name] for name in names], dtype=np.int64)
