"""What archives a job is of: the assets that were chosen, parted where they are too many for one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ipyassets.collections.archive_base import Plan, Planned
from ipyassets.collections.asset_list import AssetList, AsyncAssetList
from ipyassets.collections.chosen import Chosen, Entry, chosen, given
from ipyassets.errors import AssetServiceError, InvalidRequest
from ipyassets.services.base import Record
from ipyassets.services.downloading import ArchiveOrder, ArchiveService

__all__ = ["archives", "picked_up"]


def archives(service: ArchiveService, assets: Any, order: ArchiveOrder, *, split: bool) -> Plan:
    """The archives of ``assets`` and what else is in ``order``.

    Raises `InvalidRequest` for nothing at all or what is no asset of ``service``; the plan itself, for more assets
    than one archive holds, unless ``split``.
    """
    more = bool(order.inferences or order.models)
    entries = _entries(service, assets) if not _nothing(assets) else []
    if not entries and not more:
        raise InvalidRequest("Nothing was chosen for the archive: pass assets, inferences or models.")

    async def plan() -> Sequence[Planned]:
        most = service.most_in_archive
        for entry in () if split else entries:
            # A list of very many is not walked to its end for that.
            if isinstance(entry, AssetList | AsyncAssetList) and len(await entry._items(0, most + 1)) > most:  # noqa: SLF001
                raise _too_many(service, "more")
        many = await _chosen(service, entries)
        if len(many) <= most:
            return [_planned(order, many)]
        if not split:
            raise _too_many(service, f"{len(many):,}")
        bare = replace(order, inferences=(), models=())
        parts = [_planned(bare, many[start : start + most]) for start in range(0, len(many), most)]
        return [*parts, _planned(order, [])] if more else parts

    return plan


def picked_up(service: ArchiveService, ids: Any, assets: Any) -> Plan:
    """The archives of jobs that were ordered before. ``assets``: what was asked for, if that is known."""
    jobs = [ids] if isinstance(ids, str) else list(ids) if isinstance(ids, Iterable) else []
    if not jobs or not all(isinstance(id, str) and id.strip() for id in jobs):
        raise InvalidRequest("Which archive? Pass the id of its job, or several: job.ids has them.")
    entries = [] if assets is None or _nothing(assets) else _entries(service, assets)

    async def plan() -> Sequence[Planned]:
        many = await _chosen(service, entries)
        return [Planned(None, many, id.strip()) for id in dict.fromkeys(jobs)]

    return plan


def _too_many(service: ArchiveService, count: str) -> InvalidRequest:
    return InvalidRequest(
        f"One {service.title} archive holds at most {service.most_in_archive:,} assets; these are {count}. "
        "archive(…, split=True) makes several archives of them, as one job."
    )


def _nothing(assets: Any) -> bool:
    return isinstance(assets, list | tuple | set | frozenset) and not assets


def _entries(service: ArchiveService, assets: Any) -> list[Entry]:
    return given(assets, service)


async def _chosen(service: ArchiveService, entries: Sequence[Entry]) -> list[Chosen]:
    """Ids are not looked up: an archive needs no more than them, and what does not come is named as missing."""

    async def find(ids: Sequence[str]) -> Mapping[str, Record | AssetServiceError]:
        return {id: Record(service.name, id, id) for id in ids}

    return await chosen(entries, service, find) if entries else []


def _planned(order: ArchiveOrder, many: Sequence[Chosen]) -> Planned:
    return Planned(replace(order, assets=tuple(one.record.id for one in many)), many)
