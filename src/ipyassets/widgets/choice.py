"""Which assets a panel orders something for, and with which client."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ipyassets.collections.asset_list import AssetList
from ipyassets.collections.assets import Asset, AssetBase
from ipyassets.collections.pages import Item
from ipyassets.services.base import AssetService
from ipyassets.widgets.explorer import Explorer

__all__ = ["Ability", "Choice", "Group", "choose", "clients_of", "counted", "listed"]


@dataclass(frozen=True, slots=True)
class Ability:
    """What a panel orders."""

    name: str
    """As in `Capabilities`; the client's method is called so too."""
    panel: str
    """The panel's own name."""
    verb: str
    """What such a client does: "renders"."""
    cannot: str
    """Why other services are left out."""
    example: str
    """A client that can."""


@dataclass(frozen=True, slots=True)
class Group:
    """The assets of one order: those of one client."""

    client: Any
    items: tuple[Item, ...]

    @property
    def service(self) -> AssetService:
        return self.items[0][0]

    @property
    def assets(self) -> AssetList:
        return AssetList.of([Asset(record, service) for service, record in self.items], "chosen assets")


@dataclass(frozen=True, slots=True)
class Choice:
    """What is chosen: assets by the client that orders for them, and why others are left out."""

    groups: tuple[Group, ...] = ()
    left_out: tuple[str, ...] = ()
    """A sentence for each service that cannot."""

    @property
    def items(self) -> tuple[Item, ...]:
        """All that something will be ordered for."""
        return tuple(item for group in self.groups for item in group.items)


def choose(items: Iterable[Item], clients: Sequence[Any], ability: Ability) -> Choice:
    """Give each item to the client that can do it, each item once."""
    groups: dict[int, tuple[Any, list[Item]]] = {}
    left: dict[str, tuple[str, int]] = {}
    for item in dict.fromkeys(items):
        service = item[0]
        client = next((one for one in clients if _same(getattr(one, "core", one), service)), None)
        able = ability.name in service.capabilities
        if not able or client is None:
            why = "no client of this service was given" if able else ability.cannot
            left[service.title] = why, left.get(service.title, ("", 0))[1] + 1
        else:
            groups.setdefault(id(client), (client, []))[1].append(item)
    return Choice(
        tuple(Group(client, tuple(mine)) for client, mine in groups.values()),
        tuple(f"{counted(n)} of {title} left out: {why}." for title, (why, n) in left.items()),
    )


def clients_of(source: Any, client: Any, ability: Ability) -> tuple[Any, ...]:
    """The clients that can do it: ``client``, or those of an Explorer. Raises TypeError if there can be none."""
    if client is not None and not callable(getattr(client, ability.name, None)):
        raise TypeError(
            f"{ability.panel} orders through a client that {ability.verb}, such as {ability.example}(); "
            f"got {client!r:.80}."
        )
    if client is None and not isinstance(source, Explorer):
        raise TypeError(
            f"{ability.panel} over assets needs the client that {ability.verb} them: "
            f"{ability.panel}(assets, {ability.example.lower()})."
        )
    clients: Sequence[object] = source.clients if isinstance(source, Explorer) else ()
    return (client,) if client is not None else tuple(one for one in clients if hasattr(one, ability.name))


def listed(source: Any, ability: Ability) -> AssetList:
    """The assets a panel is for, where that is no Explorer. Raises TypeError for what is no asset."""
    if isinstance(source, AssetList):
        return source
    assets = [source] if isinstance(source, AssetBase) else list(source) if isinstance(source, Iterable) else None
    if assets is None or not all(isinstance(asset, AssetBase) for asset in assets):
        raise TypeError(f"{ability.panel} is for an Explorer or for assets, not for {type(source).__name__}.")
    return AssetList.of(assets)


def counted(count: int) -> str:
    return f"{count:,} asset{'' if count == 1 else 's'}"


def _same(core: Any, service: Any) -> bool:
    return core is service or (
        getattr(core, "name", None) == service.name and getattr(core, "base_url", None) == service.base_url
    )
