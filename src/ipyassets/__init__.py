"""Search your asset services in a notebook, see posters at once, pick, and go on with PIL images.

Everything here is loaded when it is first touched, so that importing the package costs little.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ipyassets._options import options as options
    from ipyassets._version import __version__ as __version__
    from ipyassets.clients.itwin import AsyncITwin as AsyncITwin
    from ipyassets.clients.itwin import ITwin as ITwin
    from ipyassets.clients.scenario import AsyncScenario as AsyncScenario
    from ipyassets.clients.scenario import Scenario as Scenario
    from ipyassets.clients.vntana import AsyncVntana as AsyncVntana
    from ipyassets.clients.vntana import Vntana as Vntana
    from ipyassets.clients.vntana_public import AsyncVntanaPublic as AsyncVntanaPublic
    from ipyassets.clients.vntana_public import VntanaPublic as VntanaPublic
    from ipyassets.collections.archive_job import ArchiveJob as ArchiveJob
    from ipyassets.collections.archive_job import AsyncArchiveJob as AsyncArchiveJob
    from ipyassets.collections.asset_list import AssetList as AssetList
    from ipyassets.collections.asset_list import AsyncAssetList as AsyncAssetList
    from ipyassets.collections.assets import Asset as Asset
    from ipyassets.collections.assets import AsyncAsset as AsyncAsset
    from ipyassets.collections.at_scale import MappedPosters as MappedPosters
    from ipyassets.collections.batch import ImageBatch as ImageBatch
    from ipyassets.collections.download_batch import AsyncDownloadBatch as AsyncDownloadBatch
    from ipyassets.collections.download_batch import DownloadBatch as DownloadBatch
    from ipyassets.collections.downloads import AsyncDownload as AsyncDownload
    from ipyassets.collections.downloads import Download as Download
    from ipyassets.collections.members import ArchiveLimits as ArchiveLimits
    from ipyassets.collections.render_job import AsyncRenderJob as AsyncRenderJob
    from ipyassets.collections.render_job import RenderJob as RenderJob
    from ipyassets.collections.turntables import AsyncRenderedTurntable as AsyncRenderedTurntable
    from ipyassets.collections.turntables import RenderedTurntable as RenderedTurntable
    from ipyassets.connection import Services as Services
    from ipyassets.connection import connect as connect
    from ipyassets.errors import AssetServiceError as AssetServiceError
    from ipyassets.errors import AuthenticationError as AuthenticationError
    from ipyassets.errors import BadResponse as BadResponse
    from ipyassets.errors import Interrupted as Interrupted
    from ipyassets.errors import InvalidRequest as InvalidRequest
    from ipyassets.errors import JobFailed as JobFailed
    from ipyassets.errors import JobTimeout as JobTimeout
    from ipyassets.errors import NotFound as NotFound
    from ipyassets.errors import PermissionDenied as PermissionDenied
    from ipyassets.errors import RateLimited as RateLimited
    from ipyassets.errors import ServiceUnavailable as ServiceUnavailable
    from ipyassets.http.cache import cache as cache
    from ipyassets.http.loop import allow_asyncio_run as allow_asyncio_run
    from ipyassets.http.pace import RateBudget as RateBudget
    from ipyassets.sandbox import Sandbox as Sandbox
    from ipyassets.services.rendering import Turntable as Turntable
    from ipyassets.widgets import ArchivePanel as ArchivePanel
    from ipyassets.widgets import Compare as Compare
    from ipyassets.widgets import Explorer as Explorer
    from ipyassets.widgets import ImageGrid as ImageGrid
    from ipyassets.widgets import JobMonitor as JobMonitor
    from ipyassets.widgets import RenderPanel as RenderPanel
    from ipyassets.widgets import TurntablePlayer as TurntablePlayer

_HOMES: Final = {
    "__version__": "_version",
    "options": "_options",
    "AsyncITwin": "clients.itwin",
    "ITwin": "clients.itwin",
    "AsyncScenario": "clients.scenario",
    "Scenario": "clients.scenario",
    "AsyncVntana": "clients.vntana",
    "Vntana": "clients.vntana",
    "AsyncVntanaPublic": "clients.vntana_public",
    "VntanaPublic": "clients.vntana_public",
    "ArchiveJob": "collections.archive_job",
    "ArchiveLimits": "collections.members",
    "AssetList": "collections.asset_list",
    "AsyncArchiveJob": "collections.archive_job",
    "AsyncAssetList": "collections.asset_list",
    "Asset": "collections.assets",
    "AsyncAsset": "collections.assets",
    "AsyncDownload": "collections.downloads",
    "AsyncDownloadBatch": "collections.download_batch",
    "Download": "collections.downloads",
    "DownloadBatch": "collections.download_batch",
    "ImageBatch": "collections.batch",
    "MappedPosters": "collections.at_scale",
    "AsyncRenderJob": "collections.render_job",
    "RenderJob": "collections.render_job",
    "AsyncRenderedTurntable": "collections.turntables",
    "RenderedTurntable": "collections.turntables",
    "Services": "connection",
    "connect": "connection",
    "AssetServiceError": "errors",
    "AuthenticationError": "errors",
    "BadResponse": "errors",
    "Interrupted": "errors",
    "InvalidRequest": "errors",
    "JobFailed": "errors",
    "JobTimeout": "errors",
    "NotFound": "errors",
    "PermissionDenied": "errors",
    "RateLimited": "errors",
    "ServiceUnavailable": "errors",
    "cache": "http.cache",
    "allow_asyncio_run": "http.loop",
    "RateBudget": "http.pace",
    "Sandbox": "sandbox",
    "Turntable": "services.rendering",
    "ArchivePanel": "widgets",
    "Compare": "widgets",
    "Explorer": "widgets",
    "ImageGrid": "widgets",
    "JobMonitor": "widgets",
    "RenderPanel": "widgets",
    "TurntablePlayer": "widgets",
}
__all__ = sorted(_HOMES)  # noqa: PLE0605  # one table, not two


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'ipyassets' has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f"ipyassets.{home}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
