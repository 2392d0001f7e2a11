"""The terms products are filed under: tags, locations, projects, variant groups, pipelines."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache, lru_cache

from ipyassets.sandbox import library
from ipyassets.sandbox.vntana.ids import named

__all__ = ["Named", "Taxonomy", "taxonomy"]

PROJECTS = {
    "Office": "Office refit",
    "Exterior": "Garden season",
    "Kitchen": "Kitchen relaunch",
    "Bathroom": "Spa collection",
}
LOCATIONS = ("Hamburg warehouse", "Lyon showroom", None, "Osaka studio", None)
PIPELINES = ("Web ready", "High fidelity", "Mobile AR")


@dataclass(frozen=True, slots=True)
class Named:
    uuid: str
    name: str

    @property
    def json(self) -> dict[str, str]:
        return {"uuid": self.uuid, "name": self.name}


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """Where one object is filed."""

    tags: tuple[Named, ...] = ()
    locations: tuple[Named, ...] = ()
    projects: tuple[Named, ...] = ()
    groups: tuple[Named, ...] = ()
    """Variant groups."""
    pipeline: Named | None = None


@lru_cache(maxsize=1)
def _repeated() -> frozenset[str]:
    names = Counter(model.name for model in library.objects())
    return frozenset(name for name, count in names.items() if count > 1)


@cache
def taxonomy(model: library.Model | None) -> Taxonomy:
    """Where ``model`` is filed; a product without a file is filed nowhere."""
    if model is None:
        return Taxonomy()
    position = library.objects().index(model)
    location = LOCATIONS[position % len(LOCATIONS)]
    project = PROJECTS.get(model.category)
    return Taxonomy(
        tags=tuple(_term("tag", name) for name in dict.fromkeys((model.category, *model.tags))),
        locations=(_term("location", location),) if location else (),
        projects=(_term("project", project),) if project else (),
        groups=(_term("variant-group", f"{model.name} range"),) if model.name in _repeated() else (),
        pipeline=_term("pipeline", PIPELINES[position % len(PIPELINES)]),
    )


def _term(kind: str, name: str) -> Named:
    return Named(named(kind, name), name)
