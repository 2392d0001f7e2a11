"""`VntanaPublic` and `AsyncVntanaPublic`: published VNTANA products, without credentials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self, Unpack

from ipyassets.clients.base import AsyncClient, BlockingClient, Client, L
from ipyassets.collections.asset_list import AssetList, AsyncAssetList
from ipyassets.errors import InvalidRequest
from ipyassets.http.credentials import setting
from ipyassets.services.vntana_public.client import BASE_URL, VntanaPublicService
from ipyassets.services.vntana_public.filters import VntanaPublicFilters

__all__ = ["AsyncVntanaPublic", "VntanaPublic"]

_VARIABLES = ("VNTANA_ORGANIZATION", "VNTANA_WORKSPACE", "VNTANA_PUBLIC_URL")
_NEEDED = (("VNTANA_ORGANIZATION", "VNTANA_WORKSPACE"),)


def _service(organization: str | None, workspace: str | None, base_url: str | None) -> VntanaPublicService:
    names = (setting(organization, "VNTANA_ORGANIZATION"), setting(workspace, "VNTANA_WORKSPACE"))
    if not names[0] or not names[1]:
        raise InvalidRequest(
            "VntanaPublic needs organization= and workspace= (or VNTANA_ORGANIZATION and VNTANA_WORKSPACE), "
            "the two slugs of platform.vntana.com/ORGANIZATION/WORKSPACE."
        )
    address = setting(base_url, "VNTANA_PUBLIC_URL") or BASE_URL
    return VntanaPublicService(organization=names[0], workspace=names[1], base_url=address)


class _VntanaPublicClient(Client[VntanaPublicService, L]):
    """What both clients of the Public API have: arguments and search."""

    variables = _VARIABLES
    needed = _NEEDED
    instead_of = "vntana"

    def __init__(
        self, organization: str | None = None, workspace: str | None = None, *, base_url: str | None = None
    ) -> None:
        self.core = _service(organization, workspace, base_url)

    @classmethod
    def from_reference(cls, settings: Mapping[str, str]) -> Self:
        """A client of ``settings``, which are all it needs."""
        return cls(**settings)

    def search(self, text: str = "", *, limit: int | None = None, **filters: Unpack[VntanaPublicFilters]) -> L:
        """Published products that match ``text``; all of them without it.

        Keywords: ``name``, ``description``, ``tag_name``, ``location_name``, ``attribute_key``, ``attribute_value``,
        ``page_size`` (1 to 100). Nothing is sent before the list is touched. Raises `NotFound` then, if there is no
        such organization or workspace.
        """
        return self._search(text, limit, **filters)


class VntanaPublic(_VntanaPublicClient[AssetList], BlockingClient[VntanaPublicService]):
    """Published products of one VNTANA workspace, without credentials; `AsyncVntanaPublic` is awaited.

    ``organization`` and ``workspace`` are slugs, as in ``platform.vntana.com/ORGANIZATION/WORKSPACE``; names and
    uuids raise `InvalidRequest`. ``base_url``: of the Public API. Without arguments: VNTANA_ORGANIZATION,
    VNTANA_WORKSPACE, VNTANA_PUBLIC_URL. Only products that are Live Public are to be had; posters come in their own
    size and are made smaller here.
    """


class AsyncVntanaPublic(_VntanaPublicClient[AsyncAssetList], AsyncClient[VntanaPublicService]):
    """Published VNTANA products, awaited. Arguments as for `VntanaPublic`."""
