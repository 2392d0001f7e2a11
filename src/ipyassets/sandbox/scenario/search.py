"""``POST /search/assets``: words, filters and likeness to pictures, in two ways of paging."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from ipyassets.sandbox.scenario.catalogue import Asset, Project
from ipyassets.sandbox.scenario.errors import bad_request
from ipyassets.sandbox.scenario.filters import parse_filter
from ipyassets.sandbox.scenario.matching import TextQuery
from ipyassets.sandbox.scenario.parameters import boolean, integer
from ipyassets.sandbox.scenario.records import Records
from ipyassets.sandbox.scenario.similarity import Vector, data_url_vector, likeness, picture_vector

__all__ = ["Search"]

Hit: TypeAlias = tuple[Asset, float | None]

_SORTS: dict[str, Callable[[Hit], float]] = {
    "createdAt": lambda hit: hit[0].created,
    "updatedAt": lambda hit: hit[0].updated,
    "width": lambda hit: hit[0].seed.pixels[0] if hit[0].seed.pixels else 0,
    "height": lambda hit: hit[0].seed.pixels[1] if hit[0].seed.pixels else 0,
    "score": lambda hit: hit[1] or 0.0,
}


@dataclass(frozen=True, slots=True)
class _Question:
    """A request body, checked, in a form that can be a key."""

    query: str
    filter: str
    like: tuple[str, ...]
    unlike: tuple[str, ...]
    image_ratio: float
    sort: tuple[tuple[str, bool], ...]
    public: bool

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> _Question:
        query, text_filter, image = (_text(body, name) for name in ("query", "filter", "image"))
        like, unlike = _images(body.get("images"))
        if image and (like or unlike):
            raise bad_request("image and images are mutually exclusive")
        if not (query.strip() or text_filter.strip() or image or like or unlike):
            raise bad_request("At least one of query, filter, image or images must have a value")
        _ratio(body, "querySemanticRatio", 0.0)
        return cls(
            query,
            text_filter.strip(),
            (image,) if image else like,
            unlike,
            _ratio(body, "imageSemanticRatio", 1.0),
            _sort(body.get("sortBy")),
            boolean(body, "public"),
        )


class Search:
    """The searches of one sandbox. Recent ones are kept, since their pages are asked for one by one."""

    def __init__(self, projects: tuple[Project, ...]) -> None:
        self._projects = projects
        self._kept = lru_cache(maxsize=16)(self._find)

    def answer(
        self, project: Project, body: Mapping[str, Any], query: Mapping[str, str], records: Records
    ) -> dict[str, Any]:
        """The response to ``body``. An ``offset`` in the query string wins over the body's.

        The official client asks for the next page that way and leaves the body as it was.
        """
        question = _Question.read(body)
        paged = body.get("page") is not None or body.get("hitsPerPage") is not None
        if paged:
            number = integer(body, "page", 1, least=1)
            size = integer(body, "hitsPerPage", 20, least=1, most=100)
            start = (number - 1) * size
        else:
            size = integer(body, "limit", 20, least=1, most=100)
            start = integer(query if "offset" in query else body, "offset", 0, least=0)
        found = self._kept(project.id, question, tuple(p.generation for p in self._projects))
        hits = [records.hit(asset, score) for asset, score in found[start : start + size]]
        total = len(found)
        if paged:
            pages = -(-total // size)
            return {"hits": hits, "page": number, "hitsPerPage": size, "totalHits": total, "totalPages": pages}
        return {"hits": hits, "offset": start, "limit": size, "estimatedTotalHits": total}

    def _find(self, project_id: str, question: _Question, generations: tuple[int, ...]) -> list[Hit]:
        test = parse_filter(question.filter) if question.filter else None
        owners = [p for p in self._projects if question.public or p.id == project_id]
        assets = (
            asset
            for owner in owners
            for asset in owner.assets
            if asset.deleted is None and (not question.public or asset.seed.public) and (test is None or test(asset))
        )
        if question.like or question.unlike:
            found = self._alike(question, assets, owners)
        elif question.query.strip():
            text = TextQuery(question.query)
            found = [(asset, score) for asset in assets if (score := text.score(asset)) is not None]
        else:
            found = [(asset, None) for asset in assets]
        order = question.sort or (("score", True), ("createdAt", True))
        found.sort(key=lambda hit: hit[0].id)
        for field, descending in reversed(order):
            found.sort(key=_SORTS[field], reverse=descending)
        return found

    def _alike(self, question: _Question, assets: Any, owners: list[Project]) -> list[Hit]:
        """By likeness, mixed with the words if there are any and the ratio leaves them a part."""
        like = [self._vector(reference, owners) for reference in question.like]
        unlike = [self._vector(reference, owners) for reference in question.unlike]
        text = TextQuery(question.query)
        ratio = question.image_ratio
        # Variations share their seed's picture, so a grown catalogue costs no more than the natural one.
        seen: dict[Any, float] = {}
        found: list[Hit] = []
        for asset in assets:
            picture = asset.seed.picture
            if picture is None:
                continue
            if picture not in seen:
                seen[picture] = likeness(picture_vector(picture), like, unlike)
            words = (text.score(asset) or 0.0) if text.tokens else None
            score = seen[picture] if words is None else ratio * seen[picture] + (1 - ratio) * words
            found.append((asset, round(score, 4)))
        return found

    def _vector(self, reference: str, owners: list[Project]) -> Vector:
        if reference.startswith("data:"):
            return data_url_vector(reference)
        for owner in owners:
            asset = owner.find(reference)
            if asset is not None and asset.seed.picture is not None:
                return picture_vector(asset.seed.picture)
        raise bad_request(f"image must be the id of an asset with a picture, or a data URL: {reference[:80]}")


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name) or ""
    if not isinstance(value, str):
        raise bad_request(f"{name} must be a string")
    return value


def _images(value: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    images = {} if value is None else value
    if not isinstance(images, dict):
        raise bad_request("images must be an object with the arrays like and unlike")
    return _references(images, "like"), _references(images, "unlike")


def _references(images: dict[str, Any], name: str) -> tuple[str, ...]:
    value = images.get(name) or []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise bad_request(f"images.{name} must be an array of asset ids or data URLs")
    return tuple(value)


def _ratio(body: Mapping[str, Any], name: str, default: float) -> float:
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise bad_request(f"{name} must be a number from 0 to 1")
    return float(value)


def _sort(value: Any) -> tuple[tuple[str, bool], ...]:
    if value is None:
        return ()
    order = []
    for one in value if isinstance(value, list) else [value]:
        field, _, direction = one.partition(":") if isinstance(one, str) else ("", "", "")
        if field not in _SORTS or direction not in {"asc", "desc"}:
            raise bad_request(f"sortBy must hold field:asc or field:desc of {', '.join(_SORTS)}, not {json.dumps(one)}")
        order.append((field, direction == "desc"))
    return tuple(order)
