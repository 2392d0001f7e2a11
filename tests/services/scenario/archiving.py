"""What the tests of archives do: order one, follow it to its end, read it."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from ipyassets.http import loop
from ipyassets.http.remote import RemoteFile
from ipyassets.services.base import Record
from ipyassets.services.downloading import ArchiveOrder, ArchiveStanding
from ipyassets.services.scenario.client import ScenarioService

__all__ = ["ORDER", "content", "ids", "made", "opened", "ordered", "some", "standings"]

ORDER = "/v1/assets/download$"
"""The path of an order."""


def some(service: ScenarioService, count: int = 12, **filters: Any) -> list[Record]:
    return list(loop.run(service.search(page_size=count, **filters).page(0)).records)


def ids(found: list[Record]) -> tuple[str, ...]:
    return tuple(record.id for record in found)


def ordered(service: ScenarioService, *assets: str, **options: Any) -> str:
    return loop.run(service.request_archive(ArchiveOrder(assets, **options)))


def standings(service: ScenarioService, job: str, most: int = 20) -> list[ArchiveStanding]:
    """All of them up to the end, or so many."""

    async def go() -> list[ArchiveStanding]:
        seen = [await service.archive_standing(job)]
        while seen[-1].stage not in ("completed", "failed") and len(seen) < most:
            seen.append(await service.archive_standing(job))
        return seen

    return loop.run(go())


def made(service: ScenarioService, *assets: str, **options: Any) -> RemoteFile:
    job = ordered(service, *assets, **options)
    assert standings(service, job)[-1].stage == "completed"
    return loop.run(service.archive_file(job))


def content(file: RemoteFile) -> bytes:
    async def go() -> bytes:
        return b"".join([piece async for piece in file.stream()])

    return loop.run(go())


def opened(content: bytes) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    return archive
