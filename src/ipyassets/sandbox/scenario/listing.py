"""``GET /assets``: filters by equality and by date, one sort field, pages by token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from ipyassets.sandbox.scenario.asset_types import TYPES
from ipyassets.sandbox.scenario.catalogue import Asset, Project
from ipyassets.sandbox.scenario.errors import bad_request
from ipyassets.sandbox.scenario.parameters import boolean, integer, moment, one_of
from ipyassets.sandbox.scenario.tokens import page

__all__ = ["Listing"]

_PRIVACY = ("private", "public", "unlisted")
_SORTS = ("createdAt", "updatedAt")
_WITH_DELETED = {"deleted", "projectId", "teamId", "pageSize", "paginationToken", "originalAssets"}
_DATES = {
    "createdAfter": "createdAt",
    "createdBefore": "createdAt",
    "updatedAfter": "updatedAt",
    "updatedBefore": "updatedAt",
}


def _parent_id(asset: Asset) -> str | None:
    if asset.seed.type not in {"img2video", "vectorization"} or asset.seed.parent is None:
        return None
    parent = asset.project.asset_of(asset.seed.parent)
    return None if parent is None else parent.id


_EQUAL: dict[str, Callable[[Asset], str | None]] = {
    "modelId": lambda a: a.seed.model_id,
    "inferenceId": lambda a: a.inference_id,
    "authorId": lambda a: a.project.author_id,
    "parentAssetId": _parent_id,
    "rootAssetId": _parent_id,
}


class Listing:
    """The lists of one sandbox. Recent ones are kept, since their pages are asked for one by one."""

    def __init__(self, projects: tuple[Project, ...]) -> None:
        self._projects = projects
        self._kept = lru_cache(maxsize=16)(self._select)

    def page(
        self, project: Project, query: Mapping[str, str], now: float, *, public: bool = False
    ) -> tuple[list[Asset], dict[str, str]]:
        """One page for ``project``, and its ``nextPaginationToken``. ``public``: the caller may see nothing else."""
        size = integer(query, "pageSize", 50, least=1, most=100)
        token = query.get("paginationToken")
        if boolean(query, "deleted"):
            foreign = sorted(set(query) - _WITH_DELETED)
            if foreign:
                raise bad_request(f"deleted cannot be combined with {', '.join(foreign)}")
            rows, following = page("deleted", project.in_trash(now), token, size)
            return list(rows), following
        criteria = self._criteria(query, public=public)
        generations = tuple(p.generation for p in self._projects)
        rows, following = page(repr(criteria), self._kept(project.id, criteria, generations), token, size)
        return list(rows), following

    @staticmethod
    def _criteria(query: Mapping[str, str], *, public: bool) -> tuple[tuple[str, Any], ...]:
        """What was asked, checked and in a form that can be a key."""
        criteria: dict[str, Any] = {name: query[name] for name in (*_EQUAL, "collectionId") if query.get(name)}
        criteria["sortBy"] = one_of(query, "sortBy", _SORTS, "createdAt")
        criteria["sortDirection"] = one_of(query, "sortDirection", ("asc", "desc"), "desc")
        for name, sort in _DATES.items():
            when = moment(query, name)
            if when is not None:
                if query.get("sortBy") != sort:
                    raise bad_request(f"{name} requires sortBy={sort}")
                criteria[name] = when
        if query.get("type") and query.get("types"):
            raise bad_request("type and types cannot be used together")
        types = [one for one in (query.get("type") or query.get("types") or "").split(",") if one]
        for one in types:
            if one not in TYPES:
                raise bad_request(f"Unknown type {one}")
        if types:
            criteria["types"] = tuple(sorted(types))
        privacy = one_of(query, "privacy", _PRIVACY, "public") if public or query.get("privacy") else None
        if public and privacy != "public":
            raise bad_request("Only public assets can be listed without an API key")
        if privacy:
            criteria["privacy"] = privacy
        tags = [tag.strip() for tag in query.get("tags", "").split(",") if tag.strip()]
        if tags:
            if privacy != "public":
                raise bad_request("tags filters public assets only: add privacy=public, or use POST /search/assets")
            criteria["tags"] = tuple(sorted(tags))
        return tuple(sorted(criteria.items()))

    def _select(self, project_id: str, key: tuple[tuple[str, Any], ...], generations: tuple[int, ...]) -> list[Asset]:
        criteria = dict(key)
        tests: list[Callable[[Asset], bool]] = [lambda a: a.deleted is None]
        for name, get in _EQUAL.items():
            if name in criteria:
                tests.append(_equals(get, criteria[name]))
        if "collectionId" in criteria:
            tests.append(lambda a: criteria["collectionId"] in a.collections)
        if "types" in criteria:
            tests.append(lambda a: a.seed.type in criteria["types"])
        if "privacy" in criteria:
            tests.append(lambda a: a.privacy == criteria["privacy"])
        if "tags" in criteria:
            tests.append(lambda a: not set(criteria["tags"]).isdisjoint(a.tags))
        for name, sort in _DATES.items():
            if name in criteria:
                tests.append(_dated(name, sort, criteria[name]))
        everyone = criteria.get("privacy") == "public"
        owners = [p for p in self._projects if everyone or p.id == project_id]
        found = [a for owner in owners for a in owner.assets if all(test(a) for test in tests)]
        found.sort(key=lambda a: a.id)
        when = (lambda a: a.created) if criteria["sortBy"] == "createdAt" else (lambda a: a.updated)
        found.sort(key=when, reverse=criteria["sortDirection"] == "desc")
        return found


def _equals(get: Callable[[Asset], str | None], wanted: str) -> Callable[[Asset], bool]:
    return lambda a: get(a) == wanted


def _dated(name: str, sort: str, limit: float) -> Callable[[Asset], bool]:
    """After or before ``limit``, which is not included."""
    attribute = "created" if sort == "createdAt" else "updated"
    if name.endswith("After"):
        return lambda a: getattr(a, attribute) > limit
    return lambda a: getattr(a, attribute) < limit
