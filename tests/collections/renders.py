"""Render jobs over a service in memory, quick enough for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from ipyassets.collections.chosen import chosen, given
from ipyassets.collections.render_job import AsyncRenderJob, RenderJob
from ipyassets.errors import AssetServiceError, NotFound
from ipyassets.services.base import Record
from ipyassets.services.rendering import RenderOrder, Turntable
from tests.fakes import MemoryRenders

ORDER = RenderOrder(64, 48, turntable=Turntable(frames=6, fps=12))
POLL = 0.005


def begun(
    kind: Any, service: MemoryRenders, assets: Any, order: RenderOrder | None, poll: float, since: datetime | None
) -> Any:
    async def find(ids: Sequence[str]) -> Mapping[str, Record | AssetServiceError]:
        return {id: service.make(id) if id in service.names else NotFound(f"There is no {id}.") for id in ids}

    return kind(service, order, poll=poll, since=since)._begin(partial(chosen, given(assets, service), service, find))


def rendered(
    service: MemoryRenders, assets: Any = None, order: RenderOrder = ORDER, *, poll: float = POLL
) -> RenderJob:
    """A job of ``assets``, or of all there are."""
    return begun(RenderJob, service, service.names if assets is None else assets, order, poll, None)


def rendering(
    service: MemoryRenders, assets: Any = None, order: RenderOrder = ORDER, *, poll: float = POLL
) -> AsyncRenderJob:
    return begun(AsyncRenderJob, service, service.names if assets is None else assets, order, poll, None)


def picked_up(
    service: MemoryRenders, assets: Any = None, *, since: datetime | None = None, poll: float = POLL
) -> RenderJob:
    """A job of what others ordered."""
    service.began = True
    return begun(RenderJob, service, service.names if assets is None else assets, None, poll, since)
