"""The catalogue of events a webhook can ask for, and the two spellings of their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ipyassets.sandbox.vntana.ids import named

__all__ = ["EVENTS", "Event", "by_category", "listed_name", "payload_name"]


@dataclass(frozen=True, slots=True)
class Event:
    """One kind of event, as the catalogue lists it."""

    name: str
    description: str
    category: str

    @property
    def uuid(self) -> str:
        return named("event", self.name)

    @property
    def json(self) -> dict[str, str]:
        return {"name": self.name, "description": self.description, "uuid": self.uuid}


_LISTED: Mapping[str, Mapping[str, str]] = {
    "Asset conversion": {
        "asset.added": "An asset was added",
        "asset.pending": "The conversion of an asset waits for its turn",
        "asset.processing": "The conversion of an asset began",
        "asset.completed": "The conversion of an asset is complete",
        "asset.terminated": "The conversion of an asset was stopped",
        "asset.failed": "The conversion of an asset failed",
    },
    "Asset publishing": {
        "asset.published": "An asset was published to everybody",
        "asset.published_internal": "An asset was published inside the organization",
        "asset.deactivated": "An asset is a draft again",
    },
    "Asset review": {
        "asset.pending_approval": "An asset waits for its review",
        "asset.rejected": "An asset was rejected",
        "asset.approved": "An asset was approved",
        "asset.client.approved": "A customer approved an asset",
        "asset.client.rejected": "A customer rejected an asset",
        "asset.client.dropped": "A customer dropped an asset",
        "asset.client.hold": "A customer put an asset on hold",
        "asset.client.review": "An asset waits for a customer's review",
    },
    "Asset": {
        "asset.deleted": "An asset was deleted",
        "asset.cloned": "An asset was cloned",
        "asset.moved": "An asset was moved to another workspace",
        "asset.attributes.updated": "The attributes of an asset changed",
        "asset.viewer_settings.updated": "The viewer settings of an asset changed",
    },
    "Renders": {
        "renders.pending": "Renders of an asset wait for their turn",
        "renders.processing": "Renders of an asset are being made",
        "renders.completed": "Renders of an asset are complete",
        "renders.failed": "Renders of an asset failed",
    },
    "Turntable": {
        "turntable.pending": "The turntable of an asset waits for its turn",
        "turntable.processing": "The turntable of an asset is being made",
        "turntable.completed": "The turntable of an asset is complete",
        "turntable.failed": "The turntable of an asset failed",
    },
    "Project": {
        "project.added": "A project was added",
        "project.updated": "A project was updated",
        "project.deleted": "A project was deleted",
        "project.published": "A project was published to everybody",
        "project.published_internal": "A project was published inside the organization",
    },
    "Workspace": {"workspace.added": "A workspace was added"},
    "User": {"user.added": "A user was added", "user.revoked": "The access of a user was revoked"},
    "Showroom": {
        "showroom.order.placed": "An order was placed in a showroom",
        "showroom.product.added": "An asset was added to a showroom",
        "showroom.product.removed": "An asset was removed from a showroom",
        "showroom.user.added": "A user was added to a showroom",
        "showroom.order.item.added": "An item was added to an order in a showroom",
    },
    "Viewer preset": {
        "viewer_preset.added": "A viewer preset was added",
        "viewer_preset.updated": "A viewer preset was updated",
        "viewer_preset.deleted": "A viewer preset was deleted",
    },
}

EVENTS: Mapping[str, Event] = {
    event.uuid: event
    for category, events in _LISTED.items()
    for event in (Event(name, description, category) for name, description in events.items())
}
"""Every event, by uuid, in the catalogue's order."""

_SPELLINGS = {"product": "asset", "client": "workspace"}
"""First words of names in payloads, where the catalogue has another: it was renamed, and payloads were not."""


def listed_name(name: str) -> str:
    """The catalogue's name of an event that payloads call ``name``."""
    first, dot, rest = name.partition(".")
    return f"{_SPELLINGS.get(first, first)}{dot}{rest}"


def payload_name(name: str) -> str:
    """What payloads call the event that the catalogue lists as ``name``; both spellings are taken."""
    first, dot, rest = name.partition(".")
    words = {listed: told for told, listed in _SPELLINGS.items()}
    return f"{words.get(first, first)}{dot}{rest}"


def by_category(events: Iterable[Event]) -> dict[str, Any]:
    """``events`` as the answers list them: one row for each category."""
    rows: dict[str, list[dict[str, str]]] = {}
    for event in events:
        rows.setdefault(event.category, []).append(event.json)
    return {
        "totalCount": len(rows),
        "grid": [
            {"category": category, "totalCount": len(held), "events": held, "uuid": named("event-category", category)}
            for category, held in rows.items()
        ],
    }
