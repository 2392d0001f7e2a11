"""`ITwin` and `AsyncITwin`: iModels of the Bentley iTwin Platform, with their thumbnails as posters."""

from __future__ import annotations

from typing import Final, Unpack

from ipyassets.clients.base import AsyncClient, BlockingClient, Client, L
from ipyassets.collections.asset_list import AssetList, AsyncAssetList
from ipyassets.http.credentials import missing, prompt, secret, setting
from ipyassets.http.secret import Secret, sealed
from ipyassets.services.base import Workspace
from ipyassets.services.itwin.auth import ClientCredentials, GivenToken
from ipyassets.services.itwin.client import BASE_URL, TOKEN_URL, ITwinService
from ipyassets.services.itwin.search import IModelFilters

__all__ = ["AsyncITwin", "ITwin"]

_VARIABLES: Final = (
    *("ITWIN_ACCESS_TOKEN", "ITWIN_CLIENT_ID", "ITWIN_CLIENT_SECRET"),
    *("ITWIN_ID", "ITWIN_BASE_URL", "ITWIN_TOKEN_URL"),
)
_NEEDED: Final = (("ITWIN_ACCESS_TOKEN",), ("ITWIN_CLIENT_ID", "ITWIN_CLIENT_SECRET"))


def _authorizer(
    token: Secret | None, client_id: Secret | None, client_secret: Secret | None, token_url: str | None
) -> GivenToken | ClientCredentials:
    # What is given as an argument comes before what merely stands in the environment.
    given = None if client_id and not token else secret(token, "ITWIN_ACCESS_TOKEN")
    if given is not None:
        return GivenToken(given)
    name = secret(client_id, "ITWIN_CLIENT_ID")
    if name is not None:
        # Not whose: front ends keep the question in the cell's output, and so in the notebook.
        password = secret(client_secret, "ITWIN_CLIENT_SECRET") or prompt("iTwin client secret (for ITWIN_CLIENT_ID)")
        if password is None:
            raise missing("Bentley iTwin", "client_secret (ITWIN_CLIENT_SECRET) along with client_id")
        return ClientCredentials(name, password, setting(token_url, "ITWIN_TOKEN_URL") or TOKEN_URL)
    asked = prompt("Bentley iTwin access token")
    if asked is None:
        raise missing(
            "Bentley iTwin",
            "token (ITWIN_ACCESS_TOKEN)",
            "client_id and client_secret (ITWIN_CLIENT_ID, ITWIN_CLIENT_SECRET)",
        )
    return GivenToken(asked)


class _ITwinClient(Client[ITwinService, L]):
    """What both iTwin clients have: arguments and search."""

    variables = _VARIABLES
    needed = _NEEDED

    def __init__(
        self,
        token: str | None = None,
        *,
        client_id: str | None = None,
        client_secret: str | None = None,
        token_url: str | None = None,
        itwin: str | None = None,
        base_url: str | None = None,
    ) -> None:
        given, name, password = sealed(token), sealed(client_id), sealed(client_secret)
        del token, client_id, client_secret  # tracebacks may show local variables
        self.core = ITwinService(
            _authorizer(given, name, password, token_url),
            itwin=setting(itwin, "ITWIN_ID"),
            base_url=setting(base_url, "ITWIN_BASE_URL") or BASE_URL,
        )

    def search(
        self,
        text: str = "",
        *,
        limit: int | None = None,
        workspace: str | None = None,
        sort: str | None = None,
        **filters: Unpack[IModelFilters],
    ) -> L:
        """The iModels whose name or description has ``text`` in it; all of the iTwin without ``text``.

        ``workspace``: another iTwin than the client's own. ``sort``: ``"name"``, ``"-name"``, ``"created"`` or
        ``"-created"``. Further keywords: ``name`` (the exact name), ``state`` (``"initialized"`` or
        ``"notInitialized"``), ``page_size`` (1 to 1000). Nothing is sent before the list is touched.
        """
        return self._search(text, limit, workspace=workspace, sort=sort, **filters)


class ITwin(_ITwinClient[AssetList], BlockingClient[ITwinService]):
    """Bentley iTwin Platform. Methods block until they are done; `AsyncITwin` is awaited.

    ``token``: an access token of the scope ``itwin-platform``, which lasts about an hour. ``client_id`` and
    ``client_secret``: those of a service client; its tokens are renewed ahead of time, at ``token_url``.
    ``itwin``: the iTwin to search (id, name or number); the only one is taken where there is one.
    ``base_url``: the server root that has ``/imodels`` and ``/itwins``.

    Without arguments: ITWIN_ACCESS_TOKEN, or ITWIN_CLIENT_ID and ITWIN_CLIENT_SECRET; ITWIN_ID, ITWIN_BASE_URL,
    ITWIN_TOKEN_URL.
    """

    def itwins(self) -> list[Workspace]:
        """The iTwins these credentials are a member of; their ids are what ``itwin=`` and ``workspace=`` take."""
        return self.workspaces()


class AsyncITwin(_ITwinClient[AsyncAssetList], AsyncClient[ITwinService]):
    """Bentley iTwin Platform, awaited. Arguments as for `ITwin`."""

    async def itwins(self) -> list[Workspace]:
        """As `ITwin.itwins`."""
        return await self.workspaces()
