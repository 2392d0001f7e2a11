"""The webhooks of an organization: list, make, change and delete them, and renew their secrets.

Reference and guide differ in the paths, by a last slash and a plural; the form that works is remembered.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any, Final

from ipyassets.arguments import flag
from ipyassets.errors import AssetServiceError, BadResponse, InvalidRequest, NotFound
from ipyassets.http.client import HttpClient
from ipyassets.http.messages import Answer, Call
from ipyassets.http.secret import Secret
from ipyassets.services.vntana.auth import Ladder
from ipyassets.services.vntana.errors import confirm, response
from ipyassets.services.vntana.events import canonical
from ipyassets.services.vntana.values import listed as several
from ipyassets.services.vntana.values import texts
from ipyassets.services.wire import each_once, identity, listed, origin, segment, stripped, utc

__all__ = ["EventKind", "Webhook", "Webhooks", "webhook"]

_HIDDEN: Final = frozenset({"secret"})
_EVENTS: Final = ("/v1/webhooks/events/", "/v1/webhooks/events")
_MAKE: Final = ("/v1/webhooks/", "/v1/webhooks")
_LIST: Final = ("/v1/webhooks/organization/{}", "/v1/webhooks/organizations/{}")


@dataclass(frozen=True, slots=True)
class EventKind:
    """One kind of event that a webhook can ask for."""

    id: str
    """The uuid that the service knows it by; another one at every installation."""
    name: str
    """In the one spelling that `Event.name` has, whatever the catalogue's."""
    description: str = ""
    category: str = ""
    raw: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Webhook:
    """One webhook as the service has it."""

    id: str
    name: str
    url: str
    """Where events are sent."""
    events: tuple[str, ...]
    """Names of the events that are sent, in the spelling of `Event.name`."""
    workspaces: tuple[str, ...] = ()
    """The workspaces it is for, as the service names them (mostly slugs); none: the whole organization."""
    description: str = ""
    email: str | None = None
    """Who is written to when deliveries fail."""
    enabled: bool = True
    """False as well when the service gave up on it."""
    secret: Secret | None = field(default=None, compare=False)
    """What its events are signed with, for a receiver."""
    created: datetime | None = None
    updated: datetime | None = None
    raw: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), repr=False, compare=False)
    """The service's own object, without the secret."""


class Webhooks:
    """The webhooks that one account may manage. Coroutines, for the loop thread."""

    def __init__(self, http: HttpClient, ladder: Ladder, base_url: str) -> None:
        self._http = http
        self._ladder = ladder
        self._base_url = base_url
        self._forms: dict[tuple[str, ...], int] = {}
        self._catalogue: tuple[EventKind, ...] = ()

    async def catalogue(self) -> tuple[EventKind, ...]:
        """The events that can be asked for, kept after the first time."""
        if not self._catalogue:
            answer = await self._either("GET", _EVENTS, "the list of events")
            self._catalogue = tuple(each_once(_kinds(response(answer), answer)))
        return self._catalogue

    async def list(self) -> tuple[Webhook, ...]:
        """The webhooks of the organization."""
        place = await self._ladder.organization()
        forms = tuple(form.format(segment(place.id, "an organization")) for form in _LIST)
        answer = await self._either("GET", forms, "the list of webhooks")
        return tuple(each_once(webhook(row) for row in listed(response(answer), "grid", answer)))

    async def get(self, id: str) -> Webhook:
        """One webhook by its uuid. Raises `NotFound`."""
        return await self._one("GET", id, "")

    async def create(
        self,
        url: str,
        events: str | Iterable[str],
        *,
        name: str = "ipyassets",
        workspaces: str | Iterable[str] = (),
        description: str = "",
        email: str | None = None,
        enabled: bool = True,
    ) -> Webhook:
        """Have ``events`` sent to ``url``; the answer holds the secret they are signed with.

        ``events``: names in either spelling, or patterns such as ``"renders.*"``. ``workspaces``: by uuid, slug or
        name; none: the whole organization. Raises `InvalidRequest` for an event there is not, naming those there are.
        """
        place = await self._ladder.organization()
        body = {
            "organizationUuid": place.id,
            "name": _name(name),
            "description": texts("description", description) or "",
            "disable": not flag("enabled", enabled),
            "url": _address(url),
            "events": await self._wanted(events),
            "clients": await self._clients(workspaces),
            **({"userEmail": email} if texts("email", email) else {}),
        }
        return _answered(await self._either("POST", _MAKE, "a new webhook", body))

    async def update(
        self,
        id: str,
        *,
        url: str | None = None,
        events: str | Iterable[str] | None = None,
        name: str | None = None,
        workspaces: str | Iterable[str] | None = None,
        description: str | None = None,
        email: str | None = None,
        enabled: bool | None = None,
    ) -> Webhook:
        """Change what is given and leave the rest as it is. Raises `NotFound`; as for `create` besides."""
        now = (await self.get(id)).raw
        place = await self._ladder.organization()
        body: dict[str, Any] = {
            "uuid": id,
            "organizationUuid": stripped(now.get("organizationUuid")) or place.id,
            "name": now.get("name") if name is None else _name(name),
            "description": now.get("description") if description is None else texts("description", description) or "",
            "disable": now.get("disable") is True if enabled is None else not flag("enabled", enabled),
            "url": now.get("url") if url is None else _address(url),
            "events": _rows(now.get("events")) if events is None else await self._wanted(events),
            "clients": _slugs(now.get("clients")) if workspaces is None else await self._clients(workspaces),
            "userEmail": now.get("userEmail") if email is None else texts("email", email),
        }
        return await self._one("PUT", id, "", {name: value for name, value in body.items() if value is not None})

    async def delete(self, id: str) -> None:
        """Delete a webhook. Raises `NotFound`."""
        confirm(await self._send("DELETE", _path(id), f"the deletion of webhook {id:.60}"))

    async def rotate_secret(self, id: str) -> Webhook:
        """Give a webhook a new secret, which the answer holds; events are signed with it from now on."""
        return await self._one("PATCH", id, "/secret")

    # -- requests -------------------------------------------------------------------------------------------------

    async def _one(self, method: str, id: str, rest: str, body: Mapping[str, Any] | None = None) -> Webhook:
        return _answered(await self._send(method, _path(id) + rest, f"webhook {id:.60}", body))

    async def _either(
        self, method: str, forms: tuple[str, ...], what: str, body: Mapping[str, Any] | None = None
    ) -> Answer:
        """By the first form of a path, or by the other where that is no path of the service's."""
        best = self._forms.get(forms, 0)
        order = [best, *(other for other in range(len(forms)) if other != best)]
        refused: AssetServiceError | None = None
        for number in order:
            try:
                answer = await self._send(method, forms[number], what, body)
            except AssetServiceError as error:
                if error.status not in (404, 405):
                    raise
                refused = refused or error
            else:
                self._forms[forms] = number
                return answer
        raise refused or NotFound(f"VNTANA has no path for {what}.")

    async def _send(self, method: str, path: str, what: str, body: Mapping[str, Any] | None = None) -> Answer:
        scope = await self._ladder.scope()
        return await self._http.send(Call(method, self._base_url + path, json=body, authorize=scope, what=what))

    # -- what is sent ---------------------------------------------------------------------------------------------

    async def _wanted(self, events: str | Iterable[str]) -> Sequence[dict[str, str]]:
        """The rows of the catalogue that ``events`` mean."""
        kinds = await self.catalogue()
        wanted: dict[str, EventKind] = {}
        for given in several("events", events):
            pattern = canonical(given)
            found = [kind for kind in kinds if fnmatchcase(kind.name, pattern)]
            if not found:
                names = sorted(kind.name for kind in kinds)
                close = difflib.get_close_matches(pattern, names, 1)
                hint = f" Did you mean {close[0]!r}?" if close else ""
                raise InvalidRequest(f"VNTANA has no event {given!r:.80}.{hint} There are: {', '.join(names)}.")
            wanted.update((kind.id, kind) for kind in found)
        if not wanted:
            raise InvalidRequest('events must name at least one event, such as "renders.completed".')
        return [_row(kind.raw, kind.category) for kind in wanted.values()]

    async def _clients(self, workspaces: str | Iterable[str]) -> Sequence[str]:
        """The slugs of workspaces: those are what the guide's example sends."""
        places = [(await self._ladder.reach(wanted)).workspaces[0] for wanted in several("workspaces", workspaces)]
        return list(dict.fromkeys(place.slug or place.id for place in places))


def webhook(row: Mapping[str, Any]) -> Webhook:
    """A webhook of an answer. Raises `BadResponse` if it has no uuid."""
    id, secret = identity(row, "uuid", "A webhook of VNTANA"), row.get("secret")
    return Webhook(
        id=id,
        name=stripped(row.get("name")) or id,
        url=stripped(row.get("url")),
        events=tuple(dict.fromkeys(canonical(event["name"]) for event in _rows(row.get("events")))),
        workspaces=tuple(_slugs(row.get("clients"))),
        description=stripped(row.get("description")),
        email=stripped(row.get("userEmail")) or None,
        enabled=row.get("disable") is not True,
        secret=Secret(secret) if isinstance(secret, str) and secret else None,
        created=utc(row.get("created")),
        updated=utc(row.get("updated")),
        raw=MappingProxyType({name: value for name, value in row.items() if name not in _HIDDEN}),
    )


def _answered(answer: Answer) -> Webhook:
    return webhook(response(answer))


def _path(id: str) -> str:
    return f"/v1/webhooks/{segment(id, 'a webhook')}"


def _kinds(found: Mapping[str, Any], answer: Answer) -> Iterable[EventKind]:
    for row in _rows(found):
        yield EventKind(
            id=identity(row, "uuid", "An event of VNTANA's catalogue"),
            name=canonical(row["name"]),
            description=row["description"],
            category=row["category"],
            raw=MappingProxyType(row),
        )
    if not _rows(found):
        raise BadResponse(f"{answer.asked} answered without events.", status=answer.status)


def _rows(value: Any) -> list[dict[str, str]]:
    """Events, whether in rows of categories or one after the other, each as it is to be sent."""
    rows = value.get("grid") if isinstance(value, Mapping) else value
    found: list[dict[str, str]] = []
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, Mapping):
            continue
        held = row.get("events")
        if isinstance(held, list):
            category = stripped(row.get("category"))
            found.extend(_row(event, category) for event in held if isinstance(event, Mapping))
        else:
            found.append(_row(row, stripped(row.get("category"))))
    return [row for row in found if row["name"]]


def _row(event: Mapping[str, Any], category: str) -> dict[str, str]:
    return {**{name: stripped(event.get(name)) for name in ("name", "description", "uuid")}, "category": category}


def _slugs(value: Any) -> Sequence[str]:
    """Workspaces as texts, or as objects with a slug or a uuid."""
    found = [
        stripped(entry.get("slug")) or stripped(entry.get("uuid")) if isinstance(entry, Mapping) else stripped(entry)
        for entry in (value if isinstance(value, list) else ())
    ]
    return [entry for entry in found if entry]


def _name(name: Any) -> str:
    found = texts("name", name)
    if found is None:
        raise InvalidRequest("name must not be empty.")
    return found


def _address(url: Any) -> str:
    text = stripped(url)
    if origin(text) is None:
        raise InvalidRequest("url must be the whole address events are sent to, such as 'https://host.example/hooks'.")
    return text
