"""Tokens: who holds which, what each opens, and when it ends."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

from starlette.requests import Request

from ipyassets.sandbox.vntana.accounts import ORGANIZATION_WIDE, Organization, User, Workspace
from ipyassets.sandbox.vntana.errors import Refused
from ipyassets.sandbox.world import World

__all__ = ["HEADER", "Token", "Tokens"]

HEADER = "X-AUTH-TOKEN"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Token:
    """What one token opens: nothing but the choice of an organization, an organization, or one workspace of it."""

    user: User
    organization: Organization | None
    workspace: Workspace | None
    expires: float
    text: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)

    def opens(self, workspace: Workspace) -> bool:
        """Whether the token is of the right scope for the assets of ``workspace``."""
        if self.organization is None or workspace.organization != self.organization:
            return False
        if self.user.role(self.organization) in ORGANIZATION_WIDE:
            return True
        return self.workspace == workspace


class Tokens:
    """The tokens of one sandbox that are good now."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._live: dict[str, Token] = {}

    def issue(self, user: User, organization: Organization | None = None, workspace: Workspace | None = None) -> Token:
        """A new token. It revokes the older one of the same user and scope; login tokens live side by side."""
        if organization is not None or self._world.settings.vntana_single_token:
            self._revoke(
                token
                for token in self._live.values()
                if token.user is user
                and (
                    self._world.settings.vntana_single_token
                    or (token.organization == organization and token.workspace == workspace)
                )
            )
        lifetime = self._world.settings.vntana_token_lifetime
        token = Token(user, organization, workspace, self._world.clock() + lifetime)
        self._live[token.text] = token
        return token

    def revoke(self, token: Token) -> None:
        self._revoke([token])

    def revoke_all(self) -> None:
        """Make every client log in again."""
        self._live.clear()

    def _revoke(self, tokens: Iterable[Token]) -> None:
        for token in list(tokens):
            self._live.pop(token.text, None)

    def of(self, request: Request) -> Token:
        """The token a request came with. Refused if there is none, or it is no longer good."""
        settings = self._world.settings
        scheme, _, text = request.headers.get(HEADER, "").strip().rpartition(" ")
        if not scheme and text:
            log.warning("a request sent its token without the word Bearer before it")
        token = self._live.get(text)
        if token is not None and token.expires <= self._world.clock():
            self._revoke([token])
            token = None
        bearer = scheme.lower() == "bearer" or not (scheme or settings.vntana_strict_bearer)
        if token is None or not bearer:
            status = settings.vntana_expired_token_status
            raise Refused(status, "UNAUTHORIZED" if status == 401 else "FORBIDDEN")
        return token
