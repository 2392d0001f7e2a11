"""Scenario: assets listed and searched, the pictures they are shown by, their files, and archives of many."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final, TypeVar

from ipyassets.errors import AssetServiceError, BadResponse, InvalidRequest, NotFound, ServiceUnavailable
from ipyassets.http.client import HttpClient
from ipyassets.http.messages import Call
from ipyassets.http.remote import RemoteFile
from ipyassets.services.base import Capabilities, Kind, PosterSource, Record, Search, Served, arguments, lightened
from ipyassets.services.downloading import ArchiveOrder, ArchiveService, ArchiveStanding, DownloadService
from ipyassets.services.scenario.archives import MOST, Archives
from ipyassets.services.scenario.auth import BasicKeys
from ipyassets.services.scenario.downloads import Downloads
from ipyassets.services.scenario.errors import explain, explain_file
from ipyassets.services.scenario.filters import FILTERS, MAX_PAGE, SORTS, Listing, understood
from ipyassets.services.scenario.formats import FORMATS
from ipyassets.services.scenario.members import member_of
from ipyassets.services.scenario.records import Collection, Tag, asset, collection, tag
from ipyassets.services.scenario.renditions import Rendition, renditions, unsigned, wants_large
from ipyassets.services.scenario.search import AssetListing, AssetSearch, next_token
from ipyassets.services.scenario.templates import TOKENS, check_template, member_names
from ipyassets.services.wire import base_address, each_once, host, listed, origin, segment

__all__ = ["BASE_URL", "ScenarioService"]

BASE_URL: Final = "https://api.cloud.scenario.com/v1"

_REFUSED: Final = (401, 403, 404, 410)
"""What the file server answers for a link that is no longer good."""
_MOST_PAGES: Final = 1000

T = TypeVar("T")


class ScenarioService(DownloadService, ArchiveService):
    """The assets of one project."""

    name: ClassVar[str] = "scenario"
    title: ClassVar[str] = "Scenario"
    capabilities: ClassVar[Capabilities] = Capabilities(download=True, archive=True, filters=FILTERS, sorts=SORTS)
    formats: ClassVar[Mapping[Kind, Sequence[str]]] = FORMATS
    most_in_archive: ClassVar[int] = MOST
    template_tokens: ClassVar[Mapping[str, str]] = {f"<{name}>": words for name, words in TOKENS.items()}

    def __init__(self, keys: BasicKeys, *, project_id: str | None = None, base_url: str = BASE_URL) -> None:
        self.base_url = base_address(base_url, self.title)
        self._keys = keys
        self._scope = (("projectId", project_id.strip()),) if project_id and project_id.strip() else ()
        self._http = HttpClient(self.title, explain=explain, authorizer=keys)
        # Signed URLs are credentials themselves. The client that fetches them has no others, whatever they lead to.
        self._files = HttpClient("Scenario's file server", explain=explain_file)
        self._downloads = Downloads(self._http, self._files, self.base_url, self._scope)
        self._archives = Archives(self._http, self._files, self.base_url, self._scope)

    def search(
        self, text: str = "", *, workspace: str | None = None, sort: str | None = None, **filters: Any
    ) -> Search:
        """Assets that match ``text``, or all of them; keywords: `AssetFilters`."""
        if workspace is not None:
            raise InvalidRequest("Scenario has no workspaces to choose from: its keys belong to one project.")
        request = understood(text, sort, filters)
        most = MAX_PAGE if filters.get("page_size") is None else request.page_size
        if isinstance(request, Listing):
            return AssetListing(self._http, f"{self.base_url}/assets", self._scope, request, most)
        return AssetSearch(self._http, f"{self.base_url}/search/assets", self._scope, request, most)

    async def record(self, id: str) -> Record:
        url = f"{self.base_url}/assets/{segment(id, 'a Scenario asset')}"
        answer = await self._http.send(Call("GET", url, params=self._scope, what=f"the asset {id:.60}"))
        entity = answer.json_object().get("asset")
        if not isinstance(entity, dict):
            raise BadResponse(f"{answer.asked} answered without the object 'asset'.", status=answer.status)
        return asset(entity)

    def poster_source(
        self, record: Record, *, width: int | None = None, height: int | None = None, size: str | None = None
    ) -> PosterSource | None:
        """The thumbnail for small boxes (``size="small"``), the picture itself for large ones (``size="large"``)."""
        large = wants_large(width, height, size)
        known = renditions(record, large=large)
        if not known:
            return None

        async def fetch() -> Served:
            if record.portable and not known[0].public:  # what was signed is no more
                return await self._fresh(record.id, large=large)
            try:
                return await self._file(known[0], record.id)
            except AssetServiceError as error:
                if not _worth_another_look(known[0], error):
                    raise
            return await self._fresh(record.id, large=large)

        updated = str(record.raw.get("updatedAt") or "")
        return PosterSource(("scenario", host(self.base_url), record.id, known[0].word, updated), fetch)

    async def collections(self) -> list[Collection]:
        """The collections of the project."""
        return await self._all("collections", collection)

    async def tags(self) -> list[Tag]:
        """The tags in use."""
        return await self._all("tags", tag)

    def reference(self) -> Mapping[str, str]:
        return arguments(base_url=self.base_url, project_id=dict(self._scope).get("projectId"))

    def portable(self, record: Record) -> Record:
        """Without the signatures of its links: large pictures cost one request more in the other process."""
        return lightened(record, unsigned(record))

    async def restored(self, record: Record) -> Record:
        return record

    async def close(self) -> None:
        self._keys.forget()
        await self._http.close()
        await self._files.close()

    # -- downloads and archives -----------------------------------------------------------------------------------

    async def download(self, record: Record, format: str | None = None) -> RemoteFile:
        return await self._downloads.file(record, format)

    def check_template(self, template: str) -> tuple[str, ...]:
        return check_template(template)

    def member_names(self, records: Sequence[Record], order: ArchiveOrder) -> list[str]:
        return member_names(records, order)

    def member_of(self, name: str, records: Mapping[str, Record]) -> Record | None:
        return member_of(name, records)

    async def request_archive(self, order: ArchiveOrder) -> str:
        return await self._archives.request(order)

    async def archive_standing(self, job: str) -> ArchiveStanding:
        return await self._archives.standing(job)

    async def archive_file(self, job: str) -> RemoteFile:
        return await self._archives.file(job)

    # -- pictures ----------------------------------------------------------------------------------------------------

    async def _file(self, rendition: Rendition, id: str) -> Served:
        at = origin(rendition.url)
        if at is None or (at[0] == "http" and self.base_url.startswith("https:")):
            raise BadResponse(f"Scenario gave a {rendition.word} for asset {id} at an address that is not safe to ask.")
        call = Call("GET", rendition.url, authorize=False, what=f"the {rendition.word} of asset {id}")
        answer = await self._files.send(call)
        return Served(answer.content, answer.content_type or None)

    async def _fresh(self, id: str, *, large: bool) -> Served:
        """The picture by the links of the asset as it is now."""
        failure: AssetServiceError | None = None
        for rendition in renditions(await self.record(id), large=large):
            try:
                return await self._file(rendition, id)
            except AssetServiceError as error:
                if not _worth_another_look(rendition, error):
                    raise
                failure = failure or error
        raise failure or NotFound(f"Scenario has no picture of asset {id}.", code="NO_POSTER")

    # -- lists beside the assets ----------------------------------------------------------------------------------

    async def _all(self, what: str, read: Callable[[Mapping[str, Any]], T]) -> list[T]:
        found: list[T] = []
        token: str | None = None
        for _ in range(_MOST_PAGES):
            params = [*self._scope, ("pageSize", "100"), *([("paginationToken", token)] if token else [])]
            call = Call("GET", f"{self.base_url}/{what}", params=params, what=f"the list of {what}")
            answer = await self._http.send(call)
            body = answer.json_object()
            found += [read(entity) for entity in listed(body, what, answer)]
            token = next_token(body, token)
            if token is None:
                break
        return each_once(found, "id" if read is collection else "name")


def _worth_another_look(rendition: Rendition, error: AssetServiceError) -> bool:
    """Whether the link may be stale rather than the server in trouble; a missing thumbnail is answered with 502."""
    if error.status in _REFUSED:
        return True
    return rendition.word == "thumbnail" and isinstance(error, ServiceUnavailable) and error.status is not None
