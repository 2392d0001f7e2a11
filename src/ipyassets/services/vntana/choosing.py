"""Which organization or workspace a person means by a uuid, a slug or a name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol, TypeVar

from ipyassets.errors import InvalidRequest, PermissionDenied
from ipyassets.texts import shown

__all__ = ["Place", "chosen", "matching"]

_NAMED_IN_MESSAGES: Final = 20


class Place(Protocol):
    """An organization or a workspace: what a person may call it by."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def slug(self) -> str | None: ...


P = TypeVar("P", bound=Place)


def chosen(found: Iterable[P], wanted: str | None, what: str) -> P:
    """The one that is called ``wanted`` by uuid, slug or name, or the only one.

    Raises `InvalidRequest` naming those there are, `PermissionDenied` if there are none.
    """
    places = list(found)
    if not places:
        raise PermissionDenied(f"This VNTANA account is in no {what}; ask an administrator for an invitation.")
    matches = matching(places, wanted) if wanted else places
    if len(matches) == 1:
        return matches[0]
    there = f"There are: {_named(places)}."
    if not wanted:
        raise InvalidRequest(f"This VNTANA account has several {what}s: choose one with {what}=. {there}")
    if not matches:
        raise InvalidRequest(f"VNTANA has no {what} {wanted!r} for this account. {there}")
    raise InvalidRequest(f"Several {what}s are called {wanted!r}; use the slug. {there}")


def matching(places: Iterable[P], wanted: str) -> list[P]:
    """Places whose uuid is ``wanted``, else whose slug is, else whose name is; case counts where it must."""
    candidates = list(places)
    for exact in (True, False):
        asked = wanted.strip() if exact else wanted.strip().casefold()
        for name in ("id", "slug", "name"):
            values = [(place, getattr(place, name) or "") for place in candidates]
            found = [place for place, value in values if (value if exact else value.casefold()) == asked]
            if found:
                return found
    return []


def _named(places: Iterable[Place]) -> str:
    names = [f"{shown(place.name)} ({place.slug or place.id})" for place in places]
    more = len(names) - _NAMED_IN_MESSAGES
    return ", ".join(names[:_NAMED_IN_MESSAGES]) + (f" and {more} more" if more > 0 else "")
