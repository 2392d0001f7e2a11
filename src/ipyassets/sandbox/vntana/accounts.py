"""Who may come in, and where to: organizations, their workspaces, people and their roles."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from ipyassets.sandbox.vntana.ids import named

__all__ = [
    "EMPTY",
    "GERMAN",
    "HARBOUR",
    "JAPANESE",
    "NORTHLIGHT",
    "ORGANIZATIONS",
    "OUTDOOR",
    "SHOWROOM",
    "UNUSUAL",
    "WORKSHOP",
    "WORKSPACES",
    "Accounts",
    "Organization",
    "User",
    "Workspace",
]

ORGANIZATION_WIDE = frozenset({"ORGANIZATION_OWNER", "ORGANIZATION_ADMIN"})
"""Roles whose organization token opens every workspace, and that must not ask for a workspace token."""

SEARCHING = ORGANIZATION_WIDE | {"CLIENT_ORGANIZATION_ADMIN", "CLIENT_ORGANIZATION_CONTENT_MANAGER"}
"""Roles that may search the products of one workspace."""


@dataclass(frozen=True, slots=True)
class Organization:
    name: str
    slug: str
    created: str

    @property
    def uuid(self) -> str:
        return named("organization", self.slug)

    @property
    def email(self) -> str:
        return f"hello@{self.slug}.example"


@dataclass(frozen=True, slots=True)
class Workspace:
    organization: Organization
    name: str
    slug: str
    created: str
    language: str = "en"
    """Of the names of its products."""

    @property
    def uuid(self) -> str:
        return named("workspace", self.organization.slug, self.slug)


NORTHLIGHT = Organization("Northlight Home", "northlight-home", "2019-04-02T08:12:45.120")
HARBOUR = Organization("Harbour Props", "harbour-props", "2021-09-14T15:03:09")
ORGANIZATIONS = (NORTHLIGHT, HARBOUR)

SHOWROOM = Workspace(NORTHLIGHT, "Showroom", "showroom", "2019-04-02T08:15:01.339")
WORKSHOP = Workspace(NORTHLIGHT, "Workshop", "workshop", "2019-06-21T10:40:33")
GERMAN = Workspace(NORTHLIGHT, "Sortiment Deutschland", "sortiment-deutschland", "2020-02-11T09:00:00", "de")
JAPANESE = Workspace(NORTHLIGHT, "日本カタログ", "nihon-catalogue", "2020-11-30T01:22:17.5", "ja")
UNUSUAL = Workspace(NORTHLIGHT, "Unusual names", "unusual-names", "2022-03-08T12:00:00.000123")
OUTDOOR = Workspace(HARBOUR, "Outdoor", "outdoor", "2021-09-14T15:10:00")
EMPTY = Workspace(HARBOUR, "Empty shelf", "empty-shelf", "2023-01-05T07:45:59.25")
WORKSPACES = (SHOWROOM, WORKSHOP, GERMAN, JAPANESE, UNUSUAL, OUTDOOR, EMPTY)


@dataclass(frozen=True, slots=True, eq=False)
class User:
    """A person. Roles are by uuid of the organization or the workspace."""

    email: str
    roles: Mapping[str, str]
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12), repr=False)
    personal_access_token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    def role(self, organization: Organization) -> str | None:
        """The role in ``organization``, None for a stranger."""
        return self.roles.get(organization.uuid)

    def workspace_role(self, workspace: Workspace) -> str | None:
        """The role in ``workspace``: the organization's own where that covers all of them."""
        role = self.role(workspace.organization)
        return role if role in ORGANIZATION_WIDE else self.roles.get(workspace.uuid)


class Accounts:
    """The people of one sandbox; their secrets are new in every sandbox."""

    def __init__(self) -> None:
        member, manager, viewer = (
            "ORGANIZATION_CLIENT_MEMBER",
            "CLIENT_ORGANIZATION_CONTENT_MANAGER",
            "CLIENT_ORGANIZATION_VIEWER",
        )
        northlight, harbour = NORTHLIGHT.uuid, HARBOUR.uuid
        self.owner = User(
            "ada@northlight-home.example", {northlight: "ORGANIZATION_OWNER", harbour: "ORGANIZATION_ADMIN"}
        )
        self.supplier = User("sam@harbour-props.example", {harbour: "ORGANIZATION_ADMIN"})
        self.manager = User(
            "mina@northlight-home.example", {northlight: member, SHOWROOM.uuid: manager, WORKSHOP.uuid: manager}
        )
        self.assistant = User("otto@northlight-home.example", {northlight: member, SHOWROOM.uuid: manager})
        self.viewer = User("vera@northlight-home.example", {northlight: member, SHOWROOM.uuid: viewer})
        self._all = (self.owner, self.supplier, self.manager, self.assistant, self.viewer)

    def by_password(self, email: str, password: str) -> User | None:
        for user in self._all:
            if user.email == email.casefold() and _same(user.password, password):
                return user
        return None

    def by_token(self, token: str) -> User | None:
        return next((user for user in self._all if _same(user.personal_access_token, token)), None)

    @staticmethod
    def organizations(user: User) -> list[Organization]:
        return [organization for organization in ORGANIZATIONS if user.role(organization)]

    @staticmethod
    def workspaces(user: User, organization: Organization) -> list[Workspace]:
        """The workspaces of ``organization`` that ``user`` can see."""
        return [w for w in WORKSPACES if w.organization == organization and user.workspace_role(w)]


def _same(secret: str, given: str) -> bool:
    return hmac.compare_digest(secret.encode(), given.encode())
