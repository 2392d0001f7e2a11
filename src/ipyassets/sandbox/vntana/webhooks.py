"""The Admin API's webhooks: the catalogue of events; make, show, list, change and delete them.

Each path is served with and without a slash behind it, and the list under both names seen: guide and reference differ.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ipyassets.sandbox.vntana.accounts import ORGANIZATION_WIDE, SEARCHING, WORKSPACES, Organization, User, Workspace
from ipyassets.sandbox.vntana.errors import Endpoint, Refused, answer, grid, guarded
from ipyassets.sandbox.vntana.events import EVENTS, Event, by_category
from ipyassets.sandbox.vntana.request import json_body
from ipyassets.sandbox.vntana.subscriptions import Subscriptions, Webhook, new_secret
from ipyassets.sandbox.vntana.tokens import Tokens
from ipyassets.sandbox.world import World

__all__ = ["WebhookApi"]

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True)
class _Reach:
    """Whose webhooks a token opens: those of a whole organization, or those for one workspace alone."""

    user: User
    organization: Organization
    workspace: Workspace | None

    def covers(self, workspaces: frozenset[Workspace]) -> bool:
        return self.workspace is None or workspaces == {self.workspace}


class WebhookApi:
    """Webhooks, for those who may have renders made: owners and administrators, and managers in their workspace."""

    def __init__(self, world: World, tokens: Tokens, subscriptions: Subscriptions) -> None:
        self._world = world
        self._tokens = tokens
        self._subscriptions = subscriptions

    def routes(self) -> list[Route]:
        lists = ("/v1/webhooks/organization", "/v1/webhooks/organizations")
        return [
            *_both("/v1/webhooks", self.create, "POST"),
            *_both("/v1/webhooks/events", self.events, "GET"),
            *(route for path in lists for route in _both(path, self.listed, "GET")),
            *(route for path in lists for route in _both(f"{path}/{{organization_uuid}}", self.listed, "GET")),
            *_both("/v1/webhooks/{uuid}", self.get, "GET"),
            *_both("/v1/webhooks/{uuid}", self.update, "PUT"),
            *_both("/v1/webhooks/{uuid}", self.delete, "DELETE"),
            *_both("/v1/webhooks/{uuid}/secret", self.renew_secret, "PATCH"),
        ]

    async def events(self, request: Request) -> Response:
        """The same for everybody, so any good token will do."""
        self._tokens.of(request)
        return answer(by_category(EVENTS.values()))

    async def create(self, request: Request) -> Response:
        reach = self._reach(request)
        now = self._now()
        fields = self._read(await json_body(request), reach)
        webhook = Webhook(organization=reach.organization, created=now, updated=now, **fields)
        return answer(self._subscriptions.put(webhook).json)

    async def get(self, request: Request) -> Response:
        return answer(self._webhook(request)[0].json)

    async def listed(self, request: Request) -> Response:
        reach = self._reach(request)
        if request.path_params.get("organization_uuid", reach.organization.uuid) != reach.organization.uuid:
            raise Refused(403, "FORBIDDEN")
        return grid(
            [
                webhook.json
                for webhook in self._subscriptions.all()
                if webhook.organization == reach.organization and reach.covers(webhook.workspaces)
            ]
        )

    async def update(self, request: Request) -> Response:
        """All fields anew, save the secret. Enabling a webhook that was disabled gives it another chance."""
        webhook, reach = self._webhook(request)
        fields = self._read(await json_body(request), reach)
        return self._replace(webhook, **fields)

    async def delete(self, request: Request) -> Response:
        webhook, _ = self._webhook(request)
        self._subscriptions.remove(webhook.uuid)
        return answer(webhook.json)

    async def renew_secret(self, request: Request) -> Response:
        return self._replace(self._webhook(request)[0], secret=new_secret())

    def _replace(self, webhook: Webhook, **changes: Any) -> Response:
        return answer(self._subscriptions.put(dataclasses.replace(webhook, updated=self._now(), **changes)).json)

    def _now(self) -> int:
        return round(self._world.clock() * 1000) * 1000

    def _reach(self, request: Request) -> _Reach:
        token = self._tokens.of(request)
        if token.organization is None:
            raise Refused(403, "FORBIDDEN")
        if token.user.role(token.organization) in ORGANIZATION_WIDE:
            return _Reach(token.user, token.organization, None)
        if token.workspace is None or token.user.workspace_role(token.workspace) not in SEARCHING:
            raise Refused(403, "FORBIDDEN")
        return _Reach(token.user, token.organization, token.workspace)

    def _webhook(self, request: Request) -> tuple[Webhook, _Reach]:
        """The webhook of the path, if the token opens it."""
        reach = self._reach(request)
        webhook = self._subscriptions.find(request.path_params["uuid"])
        if webhook is None or webhook.organization != reach.organization:
            raise self._invalid("WEBHOOK_NOT_FOUND")
        if not reach.covers(webhook.workspaces):
            raise Refused(403, "FORBIDDEN")
        return webhook, reach

    def _read(self, body: Mapping[str, Any], reach: _Reach) -> dict[str, Any]:
        """The fields of a `Webhook` that a caller chooses."""
        organization = _field(body, "organizationUuid", "")
        if not organization:
            raise self._invalid("MISSING_ORGANIZATION_UUID")
        if organization != reach.organization.uuid:
            raise Refused(403, "FORBIDDEN")
        name = _field(body, "name", "").strip()
        if not name:
            raise self._invalid("MISSING_NAME")
        clients = _texts(body, "clients")
        workspaces = frozenset(self._workspace(text, reach.organization) for text in clients)
        if not reach.covers(workspaces):
            raise Refused(403, "FORBIDDEN")
        return {
            "name": name,
            "user_email": _field(body, "userEmail", "") or reach.user.email,
            "description": _field(body, "description", ""),
            "disable": _field(body, "disable", False),
            "url": self._url(_field(body, "url", "")),
            "events": self._events(_field(body, "events", [])),
            "clients": tuple(clients),
            "workspaces": workspaces,
        }

    def _events(self, given: list[Any]) -> tuple[Event, ...]:
        """Events count by uuid; what else a caller says of them is not looked at."""
        if not given:
            raise self._invalid("MISSING_EVENTS")
        uuids = [_field(event, "uuid", "") for event in given if isinstance(event, dict)]
        if len(uuids) != len(given):
            raise Refused(400, "BAD_REQUEST")
        if not all(uuids):
            raise self._invalid("MISSING_EVENT_UUID")
        if not set(uuids) <= EVENTS.keys():
            raise self._invalid("EVENT_NOT_FOUND")
        return tuple(event for uuid, event in EVENTS.items() if uuid in uuids)

    def _url(self, text: str) -> str:
        if not text:
            raise self._invalid("MISSING_URL")
        try:
            parts = urlsplit(text)
            whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            whole = False
        if not whole:
            raise self._invalid("INVALID_URL")
        return text

    def _workspace(self, text: str, organization: Organization) -> Workspace:
        for workspace in WORKSPACES:
            if workspace.organization == organization and text in (workspace.slug, workspace.uuid):
                return workspace
        raise self._invalid("INVALID_CLIENT_UUID")

    def _invalid(self, code: str) -> Refused:
        return Refused(self._world.settings.vntana_webhook_invalid_status, code)


def _both(path: str, endpoint: Endpoint, method: str) -> list[Route]:
    return [Route(path + behind, guarded(endpoint), methods=[method]) for behind in ("", "/")]


def _field(body: Mapping[str, Any], name: str, default: T) -> T:
    """``body[name]``, of the type of ``default``, which stands for an absent one and for null."""
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, type(default)):
        raise Refused(400, "BAD_REQUEST")
    return value


def _texts(body: Mapping[str, Any], name: str) -> list[str]:
    texts: list[Any] = _field(body, name, [])
    if not all(isinstance(text, str) for text in texts):
        raise Refused(400, "BAD_REQUEST")
    return list(dict.fromkeys(texts))
