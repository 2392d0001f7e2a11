"""Which events somebody wants: by name, in either spelling, and by asset."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any
from uuid import UUID

from ipyassets.errors import InvalidRequest
from ipyassets.services.events import Event
from ipyassets.services.vntana.events import canonical
from ipyassets.webhooks.mailbox import Wanted

__all__ = ["wanted"]


def wanted(names: Iterable[str], asset: Any = None) -> Wanted:
    """Whether an event has one of ``names`` and is about ``asset``, an asset or its id.

    ``"renders.*"`` stands for all that begin so, ``"*"`` or no name at all for every event.
    """
    given = tuple(names)
    if not all(isinstance(name, str) and name.strip() for name in given):
        raise InvalidRequest(f"Events go by name, such as 'renders.completed'; got {given!r:.80}.")
    patterns = tuple(canonical(name) for name in given)
    id = str(asset) if isinstance(asset, UUID) else getattr(asset, "id", asset)
    if id is not None and not isinstance(id, str):
        raise InvalidRequest(f"asset must be an asset or its id, not {type(asset).__name__}.")
    about = None if id is None else id.lower()

    def wants(event: Event) -> bool:
        named = not patterns or any(fnmatchcase(event.name, pattern) for pattern in patterns)
        return named and (about is None or (event.asset or "").lower() == about)

    return wants
