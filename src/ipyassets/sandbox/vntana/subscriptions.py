"""The webhooks of one sandbox: who wants to hear of what, and where."""

from __future__ import annotations

import dataclasses
import secrets
import threading
import uuid
from dataclasses import dataclass, field
from typing import Any

from ipyassets.sandbox.vntana.accounts import Organization, Workspace
from ipyassets.sandbox.vntana.events import Event, by_category, listed_name
from ipyassets.sandbox.vntana.rows import moment

__all__ = ["Subscriptions", "Webhook", "new_secret"]


def new_secret() -> str:
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class Webhook:
    """One webhook as it is now; a change makes another of the same ``uuid``."""

    organization: Organization
    user_email: str
    name: str
    description: str
    disable: bool
    url: str = field(repr=False)  # people put keys of their own into it
    events: tuple[Event, ...] = field(repr=False)
    clients: tuple[str, ...]
    """As they were given: slugs or uuids."""
    workspaces: frozenset[Workspace] = field(repr=False)
    """What ``clients`` mean; empty for the whole organization."""
    created: int
    """Microseconds since the epoch."""
    updated: int
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    secret: str = field(default_factory=new_secret, repr=False)

    @property
    def json(self) -> dict[str, Any]:
        return {
            "uuid": self.uuid,
            "userEmail": self.user_email,
            "name": self.name,
            "description": self.description,
            "disable": self.disable,
            "secret": self.secret,
            "url": self.url,
            "organizationUuid": self.organization.uuid,
            "events": by_category(self.events),
            "clients": list(self.clients),
            "created": moment(self.created),
            "updated": moment(self.updated),
        }

    def wants(self, name: str, workspace: Workspace) -> bool:
        """Whether it is to be sent when the event ``name`` (in either spelling) happens in ``workspace``."""
        return (
            not self.disable
            and workspace.organization == self.organization
            and (not self.workspaces or workspace in self.workspaces)
            and listed_name(name) in {event.name for event in self.events}
        )


class Subscriptions:
    """Webhooks by uuid, in the order they were made. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._webhooks: dict[str, Webhook] = {}

    def all(self) -> tuple[Webhook, ...]:
        with self._lock:
            return tuple(self._webhooks.values())

    def find(self, uuid: str) -> Webhook | None:
        return self._webhooks.get(uuid)

    def put(self, webhook: Webhook) -> Webhook:
        """Add it, or put it in the place of the one of the same uuid."""
        with self._lock:
            self._webhooks[webhook.uuid] = webhook
        return webhook

    def disable(self, uuid: str) -> bool:
        """Send it no more; whether it was enabled until now."""
        with self._lock:
            webhook = self._webhooks.get(uuid)
            if webhook is None or webhook.disable:
                return False
            self._webhooks[uuid] = dataclasses.replace(webhook, disable=True)
            return True

    def remove(self, uuid: str) -> None:
        with self._lock:
            self._webhooks.pop(uuid, None)

    def clear(self) -> None:
        with self._lock:
            self._webhooks.clear()
