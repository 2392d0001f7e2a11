"""Which organization, workspace or product a request may touch."""

from __future__ import annotations

from starlette.requests import Request

from ipyassets.sandbox.vntana.accounts import SEARCHING, WORKSPACES, Organization, Workspace
from ipyassets.sandbox.vntana.catalogue import Catalogue
from ipyassets.sandbox.vntana.errors import Refused
from ipyassets.sandbox.vntana.tokens import Token, Tokens

__all__ = ["Access"]


class Access:
    """Looks at the token a request came with."""

    def __init__(self, tokens: Tokens, catalogue: Catalogue) -> None:
        self._tokens = tokens
        self._catalogue = catalogue

    def scoped(self, request: Request) -> tuple[Token, Organization]:
        """The token, which must be for an organization at least."""
        token = self._tokens.of(request)
        if token.organization is None:
            raise Refused(403, "FORBIDDEN")
        return token, token.organization

    def editor(self, request: Request) -> Token:
        """The token, of somebody who may change products and have them rendered; viewers may not."""
        token, organization = self.scoped(request)
        place = token.workspace
        role = token.user.role(organization) if place is None else token.user.workspace_role(place)
        if role not in SEARCHING:
            raise Refused(403, "FORBIDDEN")
        return token

    def workspace(self, request: Request, uuid: str) -> Workspace:
        """The workspace, if the token opens it."""
        token, _ = self.scoped(request)
        workspace = next((w for w in WORKSPACES if w.uuid == uuid), None)
        if workspace is None or not token.opens(workspace):
            raise Refused(403, "FORBIDDEN")
        return workspace

    def product(self, request: Request, uuid: str) -> int:
        """The product, if the token opens its workspace."""
        token, organization = self.scoped(request)
        index = self._catalogue.find(self._catalogue.products, uuid)
        if index is None or self._catalogue.workspace(index).organization != organization:
            raise Refused(404, "PRODUCT_NOT_FOUND")
        if not token.opens(self._catalogue.workspace(index)):
            raise Refused(403, "FORBIDDEN")
        return index
