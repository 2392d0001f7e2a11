"""Which assets a panel renders, with which client, and what would be replaced."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ipyassets.collections.asset_list import AssetList
from ipyassets.collections.assets import Asset
from ipyassets.collections.pages import Item
from ipyassets.errors import AssetServiceError, NotFound
from ipyassets.services.rendering import RenderService

__all__ = ["Choice", "Replaced", "choose", "counted", "look"]

MOST_LOOKED_AT: Final = 100
"""Assets of which is asked whether they have renders; of more, the rest is only said to be unknown."""
_AT_ONCE: Final = 6


@dataclass(frozen=True, slots=True)
class Choice:
    """What is chosen: assets by the client that renders them, and why others are left out."""

    groups: tuple[tuple[Any, AssetList], ...] = ()
    items: tuple[Item, ...] = ()
    """All that will be rendered."""
    left_out: tuple[str, ...] = ()
    """A sentence for each service that cannot."""


@dataclass(slots=True)
class Replaced:
    """Which assets have renders now, as far as was looked."""

    total: int
    looked: int = 0
    having: dict[int, str] = field(default_factory=dict)
    """Names of those that have, by their place."""
    unknown: int = 0
    error: AssetServiceError | None = None
    """Why one could not be looked at."""
    done: bool = False

    @property
    def names(self) -> list[str]:
        """Of those that have, in order."""
        return [self.having[place] for place in sorted(self.having)]

    @property
    def certain(self) -> bool:
        """Whether all were looked at, with an answer."""
        return self.done and self.looked - self.unknown == self.total

    @property
    def anything(self) -> bool:
        """Whether something will be replaced, or may be."""
        return bool(self.having) or not self.certain


def choose(items: Iterable[Item], clients: Sequence[Any]) -> Choice:
    """Give each item to the client that can render it, each item once."""
    groups: dict[int, tuple[Any, list[Item]]] = {}
    left: dict[str, tuple[str, int]] = {}
    for item in dict.fromkeys(items):
        service = item[0]
        client = next((one for one in clients if _same(getattr(one, "core", one), service)), None)
        if not service.capabilities.render or client is None:
            able = service.capabilities.render
            why = "no client of this service was given" if able else "the service makes no renders"
            left[service.title] = why, left.get(service.title, ("", 0))[1] + 1
        else:
            groups.setdefault(id(client), (client, []))[1].append(item)
    return Choice(
        tuple(
            (client, AssetList.of([Asset(record, service) for service, record in mine], "chosen assets"))
            for client, mine in groups.values()
        ),
        tuple(item for _, mine in groups.values() for item in mine),
        tuple(f"{counted(n)} of {title} left out: {why}." for title, (why, n) in left.items()),
    )


async def look(items: Sequence[Item], told: Callable[[Replaced], None]) -> Replaced:
    """See which of ``items`` have renders now; ``told`` hears how far it is. Asks of `MOST_LOOKED_AT` at most."""
    found = Replaced(len(items))
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(place: int, item: Item) -> None:
        service, record = item
        async with gate:
            try:
                has = isinstance(service, RenderService) and bool(await service.render_files(record))
            except NotFound:
                has = False
            except AssetServiceError as error:
                found.unknown += 1
                found.error = error
                has = False
        found.looked += 1
        if has:
            found.having[place] = record.name
        told(found)

    async with asyncio.TaskGroup() as group:
        for place, item in enumerate(items[:MOST_LOOKED_AT]):
            group.create_task(one(place, item))
    found.done = True
    return found


def counted(count: int) -> str:
    return f"{count:,} asset{'' if count == 1 else 's'}"


def _same(core: Any, service: Any) -> bool:
    return core is service or (
        getattr(core, "name", None) == service.name and getattr(core, "base_url", None) == service.base_url
    )
