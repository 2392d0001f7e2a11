"""The ``assets`` argument: assets, ids, lists of assets, or any mix of these, read once and checked."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from ipyassets.collections.asset_list import AssetList, AsyncAssetList
from ipyassets.collections.assets import AssetBase
from ipyassets.errors import AssetServiceError, InvalidRequest
from ipyassets.services.base import AssetService, Record

__all__ = ["Chosen", "Entry", "Find", "chosen", "given"]

log = logging.getLogger("ipyassets.jobs")

Entry: TypeAlias = Record | str | AssetList | AsyncAssetList
Find: TypeAlias = Callable[[Sequence[str]], Awaitable[Mapping[str, Record | AssetServiceError]]]
"""Finds the records of ids; an error in the place of those there are not."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """One asset of a job, or an id of which there is none: then why."""

    record: Record
    error: AssetServiceError | None = None


def given(assets: Any, service: AssetService) -> list[Entry]:
    """What a person gave, flat; sends nothing, so lists are kept as they are.

    Raises `InvalidRequest` for nothing at all, for assets of another service, and for what is neither asset nor id.
    """
    entries = list(_flat(assets, service, deep=True))
    if not entries:
        raise InvalidRequest("No assets were given: pass assets, ids, or a list of them.")
    return entries


def _flat(assets: Any, service: AssetService, *, deep: bool) -> Iterable[Entry]:
    if isinstance(assets, AssetBase):
        yield _ours(assets._service, assets._record, service)  # noqa: SLF001
    elif isinstance(assets, AssetList | AsyncAssetList):
        yield assets
    elif isinstance(assets, uuid.UUID | str):
        text = str(assets).strip()
        if not text:
            raise InvalidRequest("An id of an asset is blank.")
        yield text
    elif deep and isinstance(assets, Iterable) and not isinstance(assets, bytes | Mapping):
        for one in assets:
            yield from _flat(one, service, deep=False)
    else:
        raise InvalidRequest(f"assets must be assets or their ids, or lists of these; got {type(assets).__name__}.")


def _ours(owner: AssetService, record: Record, service: AssetService) -> Record:
    if record.service != service.name:
        raise InvalidRequest(f"{record.name!r:.80} is an asset of {record.service}; this client is for {service.name}.")
    if owner.base_url != service.base_url:
        raise InvalidRequest(
            f"{record.name!r:.80} is an asset of {owner.base_url}, but this client asks {service.base_url}."
        )
    return record


async def chosen(entries: Sequence[Entry], service: AssetService, find: Find) -> list[Chosen]:
    """The assets in order, each once; lists are walked and ids looked up, all in one go.

    Raises `InvalidRequest` if the lists turn out to be empty.
    """
    ids = list(dict.fromkeys(entry for entry in entries if isinstance(entry, str)))
    found = await find(ids) if ids else {}
    everything: list[Chosen] = []
    for entry in entries:
        if isinstance(entry, Record):
            everything.append(Chosen(entry))
        elif isinstance(entry, str):
            there = found[entry]
            everything.append(
                Chosen(there) if isinstance(there, Record) else Chosen(Record(service.name, entry, entry), there)
            )
        else:
            items = await entry._all()  # noqa: SLF001
            everything.extend(Chosen(_ours(owner, record, service)) for owner, record in items)
    unique = {one.record: one for one in reversed(everything)}
    kept = [unique.pop(one.record) for one in everything if one.record in unique]
    if not kept:
        raise InvalidRequest("No assets were given: the list is empty.")
    if len(kept) < len(everything):
        # A warning, so that it is seen where nobody set up logging.
        log.warning("%d given more than once; each asset is taken once", len(everything) - len(kept))
    return kept
