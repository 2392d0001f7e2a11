"""The services an Explorer looks into, as the browser is told of them and as they are asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from ipyassets.errors import InvalidRequest
from ipyassets.services.base import AssetService, Filter, Search
from ipyassets.widgets.messages import FilterValue, Query
from ipyassets.widgets.reading import Refused

__all__ = ["Entry", "entries"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One service, under a key and a title that no other one here has."""

    key: str
    title: str
    service: AssetService

    @property
    def described(self) -> dict[str, Any]:
        able = self.service.capabilities
        return {
            "key": self.key,
            "title": self.title,
            "places": able.workspaces,
            "filters": [asdict(filter) for filter in able.filters],
            "sorts": [asdict(choice) for choice in able.sorts],
            "turns": able.render,
        }

    def check(self, query: Query) -> None:
        """Refuse what the browser was never offered. Raises `Refused`."""
        able = self.service.capabilities
        offered = {filter.name: filter for filter in able.filters}
        for name, value in query.filters.items():
            if name not in offered or not _fits(offered[name], value):
                raise Refused(f"{self.title} has no such filter.")
        if query.sort is not None and query.sort not in {choice.value for choice in able.sorts}:
            raise Refused(f"{self.title} has no such order.")

    def search(self, query: Query) -> Search:
        """Prepare the search. Raises `InvalidRequest`."""
        return self.service.search(query.text, workspace=query.place, sort=query.sort, **query.filters)


def entries(clients: Iterable[object]) -> list[Entry]:
    """An entry for each client (or bare service), in order."""
    found: list[Entry] = []
    for client in clients:
        service = getattr(client, "core", client)
        if not isinstance(service, AssetService):
            raise TypeError(f"An Explorer looks into clients such as Vntana(); got {type(client).__name__}.")
        if not service.capabilities.search:
            raise InvalidRequest(f"{service.title} cannot be searched.")
        same = sum(entry.service.name == service.name for entry in found)
        key = f"{service.name}-{same + 1}" if same else service.name
        title = f"{service.title} ({same + 1})" if same else service.title
        found.append(Entry(key, title, service))
    if not found:
        raise TypeError("An Explorer needs at least one client, such as Explorer(Vntana()).")
    return found


def _fits(filter: Filter, value: FilterValue) -> bool:
    values = {choice.value for choice in filter.choices}
    match filter.kind:
        case "choice":
            return isinstance(value, str) and value in values
        case "choices":
            return isinstance(value, list) and set(value) <= values
        case "flag":
            return isinstance(value, bool)
        case _:
            return isinstance(value, str)
