"""Changesets, named versions and users of an iModel, derived from its id: modest, but consistent with each other."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from zlib import crc32

from ipyassets.sandbox.itwin.catalogue import IModel, ITwin, identifier

__all__ = ["Changeset", "NamedVersion", "User", "changesets", "last_push", "named_versions", "users"]

_PEOPLE = (("Ines", "Halvorsen"), ("Tomasz", "Wrona"), ("Amara", "Okafor"))
_WORK = (
    ("Imported source geometry", 1 | 2 | 4),
    ("Updated structural grid", 4),
    ("Added facade elements", 4),
    ("Revised sheets for review", 8),
    ("New saved views", 16),
    ("Clash corrections", 4),
)
_MILESTONES = ("Baseline survey", "Concept", "Scheme design", "Coordination", "Tender", "Construction issue")
_VERSION_EVERY = 3


@dataclass(frozen=True, slots=True)
class User:
    id: str
    given: str
    surname: str

    @property
    def display_name(self) -> str:
        return f"{self.given} {self.surname}"

    @property
    def email(self) -> str:
        return f"{self.given}.{self.surname}@nordkai.example".lower()


@dataclass(frozen=True, slots=True)
class Changeset:
    index: int
    id: str
    parent: str
    description: str
    containing: int
    size: int
    pushed: dt.datetime
    creator: User


@dataclass(frozen=True, slots=True)
class NamedVersion:
    id: str
    name: str
    description: str | None
    changeset: Changeset | None
    created: dt.datetime
    state: str
    creator: User


def users(itwin: ITwin) -> tuple[User, ...]:
    """The people of an iTwin."""
    return tuple(User(identifier("user", itwin.key, surname), given, surname) for given, surname in _PEOPLE)


def changesets(imodel: IModel) -> tuple[Changeset, ...]:
    """From 1 on, oldest first; none if the iModel is not initialized or nothing was pushed yet."""
    if imodel.state != "initialized":
        return ()
    people = users(imodel.itwin)
    made, parent = [], ""
    for index in range(1, 1 + crc32(imodel.id.encode()) % 10):
        id = hashlib.sha1(f"{imodel.id}/{index}".encode(), usedforsecurity=False).hexdigest()
        description, containing = _WORK[(index - 1) % len(_WORK)]
        pushed = imodel.created + dt.timedelta(hours=7 * index, minutes=13)
        size = 2_048 + crc32(id.encode()) % 900_000
        creator = people[index % len(people)]
        made.append(Changeset(index, id, parent, description, containing, size, pushed, creator))
        parent = id
    return tuple(made)


def last_push(imodel: IModel) -> dt.datetime | None:
    """When the newest changeset came, without making the others' ids."""
    count = crc32(imodel.id.encode()) % 10 if imodel.state == "initialized" else 0
    return imodel.created + dt.timedelta(hours=7 * count, minutes=13) if count else None


def named_versions(imodel: IModel) -> tuple[NamedVersion, ...]:
    """One on the baseline, then one on every third changeset; the second one is hidden."""
    if imodel.state != "initialized":
        return ()
    people = users(imodel.itwin)
    marks: list[Changeset | None] = [None, *(c for c in changesets(imodel) if c.index % _VERSION_EVERY == 0)]
    return tuple(
        NamedVersion(
            identifier("version", imodel.id, place),
            _MILESTONES[place % len(_MILESTONES)],
            f"Issued after changeset {mark.index}" if mark else None,
            mark,
            (mark.pushed if mark else imodel.created) + dt.timedelta(minutes=20),
            "hidden" if place == 1 else "visible",
            people[place % len(people)],
        )
        for place, mark in enumerate(marks)
    )
