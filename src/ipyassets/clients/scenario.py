"""`Scenario` and `AsyncScenario`: generated assets, searched by words, filters and likeness; files and archives."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar, Unpack

from ipyassets.clients.base import AsyncClient, BlockingClient, Client, L
from ipyassets.clients.views import job_view
from ipyassets.collections.ahead import collected, collected_awaiting
from ipyassets.collections.archive_job import ArchiveJob, AsyncArchiveJob
from ipyassets.collections.archive_plan import archives, picked_up
from ipyassets.collections.archive_watch import end_archives
from ipyassets.collections.asset_list import AssetList, AsyncAssetList
from ipyassets.collections.assets import Asset, AssetBase, AsyncAsset
from ipyassets.collections.chosen import chosen, given
from ipyassets.collections.download_batch import AsyncDownloadBatch, DownloadBatch
from ipyassets.collections.downloads import AsyncDownload, Download, DownloadBase, DownloadStream
from ipyassets.collections.following import FIRST_LOOK
from ipyassets.collections.images import in_file_pool
from ipyassets.collections.posters import PosterResult
from ipyassets.collections.progress import bar
from ipyassets.errors import AssetServiceError, InvalidRequest, NotFound, PermissionDenied
from ipyassets.http import loop
from ipyassets.http.credentials import missing, prompt, secret, setting
from ipyassets.http.gather import gathered
from ipyassets.http.secret import Secret, sealed
from ipyassets.services.base import Record
from ipyassets.services.downloading import DEFAULT_TEMPLATE, ArchiveOrder, SeenTemplate
from ipyassets.services.scenario.auth import BasicKeys
from ipyassets.services.scenario.client import BASE_URL, ScenarioService
from ipyassets.services.scenario.filters import AssetFilters
from ipyassets.services.scenario.records import Collection, Tag

__all__ = ["AsyncScenario", "Scenario"]

J = TypeVar("J", ArchiveJob, AsyncArchiveJob)
D = TypeVar("D", bound=DownloadBase)
One: TypeAlias = AssetBase | str
Assets: TypeAlias = One | AssetList | Iterable[One | AssetList]
AsyncAssets: TypeAlias = One | AssetList | AsyncAssetList | Iterable[One | AssetList | AsyncAssetList]

_AT_ONCE: Final = 8

_VARIABLES: Final = ("SCENARIO_SDK_API_KEY", "SCENARIO_SDK_API_SECRET", "SCENARIO_PROJECT_ID", "SCENARIO_BASE_URL")
_NEEDED: Final = (("SCENARIO_SDK_API_KEY", "SCENARIO_SDK_API_SECRET"),)


def _service(
    api_key: Secret | None, api_secret: Secret | None, project_id: str | None, base_url: str | None
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


async def _records(core: ScenarioService, ids: Sequence[str]) -> dict[str, Record | AssetServiceError]:
    """The assets of ``ids``, several asked for at once."""

    async def one(id: str) -> Record | AssetServiceError:
        try:
            return await core.record(id)
        except (NotFound, PermissionDenied) as error:
            return error

    return dict(zip(ids, await gathered(one, ids, _AT_ONCE), strict=True))


async def _download(core: ScenarioService, asset: Any, format: str | None, kind: type[D], wrap: type[AssetBase]) -> D:
    (one,) = await chosen(_single(asset, core), core, partial(_records, core))
    if one.error is not None:
        raise one.error
    return kind(await core.download(one.record, format), wrap(one.record, core), format)


def _order(
    inferences: Iterable[str],
    models: Iterable[str],
    template: str,
    name: str | None,
    *,
    flat: bool,
    original: bool,
) -> ArchiveOrder:
    return ArchiveOrder(
        (), _ids("inferences", inferences), _ids("models", models), template, bool(flat), name, bool(original)
    )


def _ids(what: str, ids: Any) -> tuple[str, ...]:
    if isinstance(ids, str):
        ids = (ids,)
    if not isinstance(ids, Iterable) or isinstance(ids, bytes | Mapping):
        raise InvalidRequest(f"{what} must be ids, not {type(ids).__name__}.")
    many = tuple(ids)
    if not all(isinstance(one, str) and one.strip() for one in many):
        raise InvalidRequest(f"{what} must be ids: texts that are not blank.")
    return tuple(dict.fromkeys(one.strip() for one in many))


def _single(asset: Any, core: ScenarioService) -> list[Any]:
    if not isinstance(asset, AssetBase | str):
        raise InvalidRequest(f"download() takes one asset or its id, not {type(asset).__name__}; download_many() more.")
    return given(asset, core)


async def _files(
    core: ScenarioService, assets: Any, format: str | None, kind: type[DownloadBase], folder: str | Path | None
) -> DownloadStream:
    many = await chosen(given(assets, core), core, partial(_records, core))
    wrap = Asset if kind is Download else AsyncAsset
    place = None if folder is None else await in_file_pool(Path(folder).absolute)
    return DownloadStream(core, many, format, kind=kind, wrap=wrap, folder=place)


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
        key, password = sealed(api_key), sealed(api_secret)
        del api_key, api_secret  # tracebacks may show local variables
        self.core = _service(key, password, project_id, base_url)

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

    def _archive(self, kind: type[J], assets: Any, order: ArchiveOrder, poll: float, *, split: bool) -> J:
        found = self.core.check_template(order.template)
        for warning in () if isinstance(order.template, SeenTemplate) else found:
            warnings.warn(warning, UserWarning, stacklevel=3)
        job = kind(self.core, poll=poll, view=job_view)
        return job._begin(archives(self.core, assets, order, split=split))  # noqa: SLF001

    def _follow(self, kind: type[J], ids: Any, assets: Any, poll: float) -> J:
        job = kind(self.core, poll=poll, view=job_view)
        return job._begin(picked_up(self.core, ids, assets))  # noqa: SLF001

    async def _names(self, assets: Any, template: str, flat: bool) -> list[str]:
        self.core.check_template(template)
        many = await chosen(given(assets, self.core), self.core, partial(_records, self.core))
        records = [one.record for one in many if one.error is None]
        return self.core.member_names(records, ArchiveOrder(template=template, flat=flat))

    async def _close(self) -> None:
        closed = f"The {self.core.title} client was closed, so its jobs are not followed any more."
        await end_archives(self.core, InvalidRequest(closed))
        await super()._close()


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

    def archive(
        self,
        assets: Assets = (),
        *,
        inferences: Iterable[str] = (),
        models: Iterable[str] = (),
        file_name_template: str = DEFAULT_TEMPLATE,
        flat: bool = False,
        archive_name: str | None = None,
        prefer_original: bool = False,
        split: bool = False,
        poll: float = FIRST_LOOK,
    ) -> ArchiveJob:
        """Have one archive made of ``assets``, of all that ``inferences`` made and of all that ``models`` made.

        ``assets``: one or many, as assets, ids, lists of assets or a mix; each comes once. ``file_name_template``:
        names of the members, of ``<prompt>``, ``<id>``, ``<seed>``, ``<num>``, ``<generator>``, ``<description>``;
        ``/`` makes folders (`preview_names` shows them). ``flat``: no folders by inference besides. ``archive_name``:
        of the ZIP. ``prefer_original``: uploads as they were uploaded. ``poll``: seconds to the first look how the
        work stands; looks become less frequent the longer it takes.

        One archive holds at most 1,000 assets; with ``split=True`` more are parted over several archives of one job.
        Raises `InvalidRequest` for what makes no sense, before anything is sent; warns of templates that may not do
        what is meant.
        """
        order = _order(inferences, models, file_name_template, archive_name, flat=flat, original=prefer_original)
        return self._archive(ArchiveJob, assets, order, poll, split=split)

    def follow_archive(
        self, job_id: str | Iterable[str], assets: Assets | None = None, *, poll: float = FIRST_LOOK
    ) -> ArchiveJob:
        """The job of an archive that was ordered before (``job.ids``), such as before the kernel was restarted.

        Several ids make one job of several archives. ``assets``: what was asked for, so that members are known by
        their assets. Raises `NotFound` for an unknown id.
        """
        return self._follow(ArchiveJob, job_id, assets, poll)

    def preview_names(
        self, assets: Assets, file_name_template: str = DEFAULT_TEMPLATE, *, flat: bool = False
    ) -> list[str]:
        """The names that members of an archive of ``assets`` are likely to have; Scenario makes the real ones."""
        return loop.run(self._names(assets, file_name_template, flat))

    def download(self, asset: Asset | str, format: str | None = None) -> Download:
        """The file of one asset: the original, or made into ``format``.

        Pictures: jpeg, png, webp, avif, tiff, gif, heif; 3D: glb, fbx, obj; svg, mp4 and mp3 only where the asset is
        stored so. Raises `InvalidRequest` for a format that the asset cannot have, before anything is sent.
        """
        return loop.run(_download(self.core, asset, format, Download, Asset))

    def download_many(
        self,
        assets: Assets,
        format: str | None = None,
        folder: str | Path | None = None,
        *,
        progress: bool | None = None,
    ) -> DownloadBatch:
        """The files of many assets, several fetched at once; into ``folder``, if one is given.

        One slot for each asset, in order; a failed one is None and stands in ``failures``. Without ``folder`` they are
        kept in memory, large ones in temporary files. Ctrl-C raises `Interrupted` with what had come in ``.partial``.
        ``progress``: as for posters.
        """
        stream = loop.run(_files(self.core, assets, format, Download, folder))

        def batch(results: list[PosterResult]) -> DownloadBatch:
            return DownloadBatch(*stream.slots(results))

        return collected(stream, lambda: bar(len(stream.chosen), "file", "Downloads", progress), batch)


class AsyncScenario(_ScenarioClient[AsyncAssetList], AsyncClient[ScenarioService]):
    """Scenario, awaited. Arguments as for `Scenario`."""

    async def collections(self) -> list[Collection]:
        """As `Scenario.collections`."""
        return await loop.awaiting(self.core.collections())

    async def tags(self) -> list[Tag]:
        """As `Scenario.tags`."""
        return await loop.awaiting(self.core.tags())

    def archive(
        self,
        assets: AsyncAssets = (),
        *,
        inferences: Iterable[str] = (),
        models: Iterable[str] = (),
        file_name_template: str = DEFAULT_TEMPLATE,
        flat: bool = False,
        archive_name: str | None = None,
        prefer_original: bool = False,
        split: bool = False,
        poll: float = FIRST_LOOK,
    ) -> AsyncArchiveJob:
        """As `Scenario.archive`; not awaited: the order is sent in the background at once.

        ``await job.submitted()`` waits until it is taken, ``await job`` until all is done; both raise what the service
        said if nothing at all was taken.
        """
        order = _order(inferences, models, file_name_template, archive_name, flat=flat, original=prefer_original)
        return self._archive(AsyncArchiveJob, assets, order, poll, split=split)

    def follow_archive(
        self, job_id: str | Iterable[str], assets: AsyncAssets | None = None, *, poll: float = FIRST_LOOK
    ) -> AsyncArchiveJob:
        """As `Scenario.follow_archive`; not awaited, as for `archive`."""
        return self._follow(AsyncArchiveJob, job_id, assets, poll)

    async def preview_names(
        self, assets: AsyncAssets, file_name_template: str = DEFAULT_TEMPLATE, *, flat: bool = False
    ) -> list[str]:
        """As `Scenario.preview_names`."""
        return await loop.awaiting(self._names(assets, file_name_template, flat))

    async def download(self, asset: AssetBase | str, format: str | None = None) -> AsyncDownload:
        """As `Scenario.download`."""
        return await loop.awaiting(_download(self.core, asset, format, AsyncDownload, AsyncAsset))

    async def download_many(
        self, assets: AsyncAssets, format: str | None = None, folder: str | Path | None = None
    ) -> AsyncDownloadBatch:
        """As `Scenario.download_many`, without a progress bar."""
        stream = await loop.awaiting(_files(self.core, assets, format, AsyncDownload, folder))

        def batch(results: list[PosterResult]) -> AsyncDownloadBatch:
            return AsyncDownloadBatch(*stream.slots(results))

        return await collected_awaiting(stream, batch)
