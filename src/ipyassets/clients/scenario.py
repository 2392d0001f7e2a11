"""`Scenario` and `AsyncScenario`: generated assets, searched by words, filters and likeness."""

from __future__ import annotations

from typing import Final, Unpack

from ipyassets.clients.base import AsyncClient, BlockingClient, Client, L
from ipyassets.collections.asset_list import AssetList, AsyncAssetList
from ipyassets.http import loop
from ipyassets.http.credentials import missing, prompt, secret, setting
from ipyassets.services.scenario.auth import BasicKeys
from ipyassets.services.scenario.client import BASE_URL, ScenarioService
from ipyassets.services.scenario.filters import AssetFilters
from ipyassets.services.scenario.records import Collection, Tag

__all__ = ["AsyncScenario", "Scenario"]

_VARIABLES: Final = ("SCENARIO_SDK_API_KEY", "SCENARIO_SDK_API_SECRET", "SCENARIO_PROJECT_ID", "SCENARIO_BASE_URL")
_NEEDED: Final = (("SCENARIO_SDK_API_KEY", "SCENARIO_SDK_API_SECRET"),)


def _service(
    api_key: str | None, api_secret: str | None, project_id: str | None, base_url: str | None
) -> ScenarioService:
    key = secret(api_key, "SCENARIO_SDK_API_KEY") or prompt("Scenario API key")
    password = secret(api_secret, "SCENARIO_SDK_API_SECRET") or (prompt("Scenario API secret") if key else None)
    if key is None or password is None:
        raise missing("Scenario", "api_key and api_secret (SCENARIO_SDK_API_KEY, SCENARIO_SDK_API_SECRET)")
    return ScenarioService(
        BasicKeys(key, password),
        project_id=setting(project_id, "SCENARIO_PROJECT_ID"),
        base_url=setting(base_url, "SCENARIO_BASE_URL") or BASE_URL,
    )


class _ScenarioClient(Client[ScenarioService, L]):
    """What both Scenario clients have: arguments and search."""

    variables = _VARIABLES
    needed = _NEEDED

    def __init__(
        self,
        api_key: str | None = None,
        api_secret: str | None = None,
        *,
        project_id: str | None = None,
        base_url: str | None = None,
    ) -> None:
        self.core = _service(api_key, api_secret, project_id, base_url)

    def search(
        self,
        text: str = "",
        *,
        limit: int | None = None,
        workspace: str | None = None,
        sort: str | None = None,
        **filters: Unpack[AssetFilters],
    ) -> L:
        """Assets whose name, prompt, description or tags match ``text``; without it and filters, all of them.

        ``sort``: ``"-created"`` (newest first), ``"created"``, ``"updated"``, ``"width"``, ``"height"``, ``"score"``,
        each also with ``-``. Keywords that narrow: ``kind``, ``tags``, ``model``, ``collection``, ``name``, ``seed``,
        ``aspect_ratio``, ``privacy``, ``created_after`` and the like, ``min_width`` and the like, ``image`` (what
        looks like it), and ``filter`` for Scenario's own filter language; `AssetFilters` has them all.

        Without a text or a keyword that needs a search the assets are listed: no total, one page after the other
        (``paging="page"`` makes a search of it). Nothing is sent before the list is touched.
        """
        return self._search(text, limit, workspace=workspace, sort=sort, **filters)


class Scenario(_ScenarioClient[AssetList], BlockingClient[ScenarioService]):
    """Scenario. Methods block until they are done; `AsyncScenario` is awaited.

    ``api_key`` and ``api_secret``: a key pair, made for one project. ``project_id``: the project to assert; needed
    only where the keys reach several. ``base_url`` ends in ``/v1``.

    Without arguments: SCENARIO_SDK_API_KEY and SCENARIO_SDK_API_SECRET, SCENARIO_PROJECT_ID, SCENARIO_BASE_URL.
    """

    def collections(self) -> list[Collection]:
        """The collections of the project; ``search(collection=…)`` takes them."""
        return loop.run(self.core.collections())

    def tags(self) -> list[Tag]:
        """The tags in use in the project."""
        return loop.run(self.core.tags())


class AsyncScenario(_ScenarioClient[AsyncAssetList], AsyncClient[ScenarioService]):
    """Scenario, awaited. Arguments as for `Scenario`."""

    async def collections(self) -> list[Collection]:
        """As `Scenario.collections`."""
        return await loop.awaiting(self.core.collections())

    async def tags(self) -> list[Tag]:
        """As `Scenario.tags`."""
        return await loop.awaiting(self.core.tags())
