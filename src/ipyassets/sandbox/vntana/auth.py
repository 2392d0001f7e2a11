"""The ladder: log in, choose an organization, choose a workspace (or, by role, do not)."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ipyassets.sandbox.vntana.accounts import (
    ORGANIZATION_WIDE,
    ORGANIZATIONS,
    WORKSPACES,
    Accounts,
    Organization,
    User,
    Workspace,
)
from ipyassets.sandbox.vntana.catalogue import Catalogue
from ipyassets.sandbox.vntana.errors import Refused, answer, grid, guarded
from ipyassets.sandbox.vntana.request import json_body
from ipyassets.sandbox.vntana.tokens import HEADER, Token, Tokens
from ipyassets.sandbox.world import World

__all__ = ["AuthApi"]


class AuthApi:
    """Everything of the Admin API that is about people and places."""

    def __init__(self, world: World, accounts: Accounts, tokens: Tokens, catalogue: Catalogue) -> None:
        self._world = world
        self._accounts = accounts
        self._tokens = tokens
        self._catalogue = catalogue

    def routes(self) -> list[Route]:
        return [
            Route("/v1/auth/login", guarded(self.login), methods=["POST"]),
            Route("/v1/auth/login/token", guarded(self.login_token), methods=["POST"]),
            Route("/v1/auth/refresh-token", guarded(self.refresh), methods=["GET", "POST"]),
            Route("/v1/auth/logout", guarded(self.logout), methods=["POST"]),
            Route("/v1/organizations", guarded(self.organizations), methods=["GET"]),
            Route("/v1/organizations/current", guarded(self.current), methods=["GET"]),
            Route("/v1/clients/client-organizations", guarded(self.workspaces), methods=["GET"]),
            Route("/v1/clients/{uuid}", guarded(self.workspace), methods=["GET"]),
        ]

    async def login(self, request: Request) -> Response:
        body = await json_body(request)
        return self._enter(self._accounts.by_password(_text(body, "email"), _text(body, "password")))

    async def login_token(self, request: Request) -> Response:
        body = await json_body(request)
        return self._enter(self._accounts.by_token(_text(body, "personal-access-token")))

    def _enter(self, user: User | None) -> Response:
        if user is None:
            raise Refused(self._world.settings.vntana_bad_credentials_status, "BAD_CREDENTIALS")
        return _welcome(self._tokens.issue(user))

    async def refresh(self, request: Request) -> Response:
        """A token for one organization, or from there for one workspace, chosen by headers."""
        token = self._tokens.of(request)
        organization_uuid, workspace_uuid = (request.headers.get(n) for n in ("organizationUuid", "clientUuid"))
        if not organization_uuid and not workspace_uuid:
            raise Refused(403, "MISSING_ORGANIZATION_UUID")
        organization = token.organization
        if organization_uuid:
            organization = next((o for o in ORGANIZATIONS if o.uuid == organization_uuid), None)
            if organization is None or not token.user.role(organization):
                raise Refused(403, "BAD_CREDENTIALS")
        if not workspace_uuid:
            return _welcome(self._tokens.issue(token.user, organization))
        if organization is None or token.organization != organization:
            raise Refused(403, "FORBIDDEN")  # a login token, or one of another organization
        workspace = _find(workspace_uuid, organization)
        if (
            workspace is None
            or token.user.role(organization) in ORGANIZATION_WIDE
            or not token.user.workspace_role(workspace)
        ):
            raise Refused(403, "BAD_CREDENTIALS")
        return _welcome(self._tokens.issue(token.user, organization, workspace))

    async def logout(self, request: Request) -> Response:
        self._tokens.revoke(self._tokens.of(request))
        return answer({})

    async def organizations(self, request: Request) -> Response:
        user = self._tokens.of(request).user
        return grid(
            [
                {
                    "uuid": organization.uuid,
                    "slug": organization.slug,
                    "name": organization.name,
                    "role": user.role(organization),
                    "imageBlobId": None,
                    "created": organization.created,
                }
                for organization in self._accounts.organizations(user)
            ]
        )

    async def current(self, request: Request) -> Response:
        organization = self._organization(request)
        return answer(
            {
                "uuid": organization.uuid,
                "name": organization.name,
                "slug": organization.slug,
                "email": organization.email,
                "imageBlobId": None,
                "status": "ACTIVE",
                "created": organization.created,
                "updated": organization.created,
                "removed": None,
            }
        )

    async def workspaces(self, request: Request) -> Response:
        organization = self._organization(request)
        user = self._tokens.of(request).user
        return grid(
            [
                {
                    "uuid": workspace.uuid,
                    "slug": workspace.slug,
                    "name": workspace.name,
                    "imageBlobId": None,
                    "role": user.workspace_role(workspace),
                    "created": workspace.created,
                }
                for workspace in self._accounts.workspaces(user, organization)
            ]
        )

    async def workspace(self, request: Request) -> Response:
        organization = self._organization(request)
        user = self._tokens.of(request).user
        workspace = _find(request.path_params["uuid"], organization)
        if workspace is None:
            raise Refused(404, "CLIENT_NOT_FOUND")
        if not user.workspace_role(workspace):
            raise Refused(403, "FORBIDDEN")
        return answer(
            {
                "organizationUuid": organization.uuid,
                "organizationSlug": organization.slug,
                "clientUuid": workspace.uuid,
                "clientSlug": workspace.slug,
                "clientName": workspace.name,
                "imageBlobId": None,
                "created": workspace.created,
                **self._catalogue.counts(workspace),
            }
        )

    def _organization(self, request: Request) -> Organization:
        organization = self._tokens.of(request).organization
        if organization is None:
            raise Refused(403, "FORBIDDEN")  # a login token opens nothing but the list of organizations
        return organization


def _welcome(token: Token) -> Response:
    return answer({"email": token.user.email}, {HEADER: token.text})


def _find(uuid: str, organization: Organization) -> Workspace | None:
    return next((w for w in WORKSPACES if w.uuid == uuid and w.organization == organization), None)


def _text(body: dict[str, Any], key: str) -> str:
    value = body.get(key)
    return value if isinstance(value, str) else ""
