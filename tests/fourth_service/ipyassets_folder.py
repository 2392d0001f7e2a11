"""Pictures of a folder as a service of ipyassets. The page ``docs/fourth-service.md`` explains it, block by block."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ipyassets.clients.base import BlockingClient
from ipyassets.collections.asset_list import AssetList
from ipyassets.errors import InvalidRequest, NotFound
from ipyassets.http.credentials import setting
from ipyassets.services.base import (
    AssetService,
    Capabilities,
    Choice,
    Page,
    PosterSource,
    Record,
    Search,
    Served,
)

TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}
SORTS = (Choice("name", "Name"), Choice("-updated", "Last changed first"))


class FolderService(AssetService):
    name = "folder"  # stands in every asset's .service
    title = "Folder"  # for people
    capabilities = Capabilities(sorts=SORTS)

    def __init__(self, path: str) -> None:
        self.root = Path(path).expanduser().resolve()
        self.base_url = self.root.as_uri()

    def search(
        self, text: str = "", *, workspace: str | None = None, sort: str | None = None, **filters: Any
    ) -> FolderSearch:
        if workspace is not None or filters:
            raise InvalidRequest("A folder is searched by text alone.")
        if sort not in (None, "name", "-updated"):
            raise InvalidRequest(f"sort must be 'name' or '-updated'; got {sort!r:.80}.")
        return FolderSearch(self, text.casefold(), newest_first=sort == "-updated")

    async def record(self, id: str) -> Record:
        for record in await asyncio.to_thread(self.records):
            if record.id == id:
                return record
        raise NotFound(f"The folder has no picture {id!r:.80}.")

    def poster_source(
        self, record: Record, *, width: int | None = None, height: int | None = None, size: str | None = None
    ) -> PosterSource | None:
        if size is not None:
            raise InvalidRequest("A folder has no sizes by name: give width and height in pixels.")
        path = self.root / Path(record.id).name

        async def fetch() -> Served:
            try:
                return Served(await asyncio.to_thread(path.read_bytes), TYPES.get(path.suffix.lower()))
            except FileNotFoundError:
                raise NotFound(f"The folder has no picture {record.id!r:.80} any more.") from None

        # The key names these very bytes: a file that changes gets another one.
        return PosterSource((self.name, self.base_url, record.id, str(record.updated)), fetch)

    async def close(self) -> None:
        return

    def records(self) -> list[Record]:
        try:
            files = [path for path in self.root.iterdir() if path.suffix.lower() in TYPES]
            return [described(path) for path in sorted(files)]
        except OSError as error:
            raise NotFound(f"The folder cannot be read ({error.strerror}).") from None


def described(path: Path) -> Record:
    facts = path.stat()
    changed = datetime.fromtimestamp(facts.st_mtime, UTC)
    return Record(
        FolderService.name, path.name, path.stem, kind="image", updated=changed, attributes={"bytes": facts.st_size}
    )


class FolderSearch(Search):
    page_size = 50
    random_access = True  # any page at once

    def __init__(self, service: FolderService, text: str, *, newest_first: bool) -> None:
        self.service, self.text, self.newest_first = service, text, newest_first

    async def page(self, number: int, cursor: str | None = None) -> Page:
        records = await asyncio.to_thread(self.service.records)
        found = [record for record in records if self.text in record.name.casefold()]
        if self.newest_first:
            found.sort(key=lambda record: str(record.updated), reverse=True)
        start = number * self.page_size
        return Page(found[start : start + self.page_size], total=len(found))


class Folder(BlockingClient[FolderService]):
    """The pictures of a folder. ``path``: the folder; without it FOLDER_PATH. Raises `InvalidRequest` without both."""

    variables = ("FOLDER_PATH",)  # what configures it: the sandbox stays away where one of them is set
    needed = (("FOLDER_PATH",),)  # sets of variables, each enough for connect()

    def __init__(self, path: str | None = None) -> None:
        found = setting(path, "FOLDER_PATH")
        if found is None:
            raise InvalidRequest("Folder needs path=, or FOLDER_PATH.")
        self.core = FolderService(found)

    def search(self, text: str = "", *, limit: int | None = None, sort: str | None = None) -> AssetList:
        """Pictures whose name holds ``text``; all of them without it. ``sort``: ``"name"`` or ``"-updated"``."""
        return self._search(text, limit, sort=sort)
