"""The VNTANA Admin API: workspaces, products, their posters and renders, webhooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from ipyassets.errors import BadResponse, InvalidRequest, PermissionDenied
from ipyassets.http.client import HttpClient
from ipyassets.http.messages import Answer, Call
from ipyassets.services.base import Capabilities, PosterSource, Record, Served, Workspace, arguments, lightened
from ipyassets.services.rendering import RenderFile, RenderOrder, RenderService, Standings, Submitted
from ipyassets.services.vntana.attachments import Attachments
from ipyassets.services.vntana.auth import Ladder
from ipyassets.services.vntana.errors import declined, explain
from ipyassets.services.vntana.filters import FILTERS, MOST_PER_PAGE, SORTS, request
from ipyassets.services.vntana.login import Login
from ipyassets.services.vntana.records import blob, client_uuid, poster_ids
from ipyassets.services.vntana.renders import Renders
from ipyassets.services.vntana.search import ProductSearch, fetched
from ipyassets.services.vntana.standings import Watch
from ipyassets.services.vntana.webhooks import Webhooks
from ipyassets.services.wire import base_address, host, segment

__all__ = ["BASE_URL", "VntanaService", "no_size_word", "picture"]

BASE_URL: Final = "https://api-platform.vntana.com"


class VntanaService(RenderService):
    """The products that one account can see."""

    name: ClassVar[str] = "vntana"
    title: ClassVar[str] = "VNTANA"
    capabilities: ClassVar[Capabilities] = Capabilities(
        render=True, events=True, workspaces="Workspace", filters=FILTERS, sorts=SORTS
    )

    def __init__(
        self,
        login: Login,
        *,
        organization: str | None = None,
        workspace: str | None = None,
        base_url: str = BASE_URL,
    ) -> None:
        self.base_url = base_address(base_url, self.title)
        self._reference = arguments(base_url=self.base_url, organization=organization, workspace=workspace)
        self._http = HttpClient(self.title, explain=explain, declined=declined)
        self._ladder = Ladder(self._http, self.base_url, login, organization=organization, workspace=workspace)
        account = (self._http, self._ladder, self.base_url)
        self._renders = Renders(*account)
        self._watch = Watch(*account)
        self._attachments = Attachments(*account)
        self.webhooks = Webhooks(*account)

    def search(
        self, text: str = "", *, workspace: str | None = None, sort: str | None = None, **filters: Any
    ) -> ProductSearch:
        """Products that match ``text``, in the order of relevance; keywords: `VntanaFilters`."""
        body, size = request(text, sort, filters)
        most = MOST_PER_PAGE if filters.get("page_size") is None else size
        return ProductSearch(
            self._http, self._ladder, self.base_url, body, workspace=workspace, page_size=size, most_per_page=most
        )

    async def record(self, id: str) -> Record:
        segment(id, "a product")  # before anybody is logged in for it
        return await fetched(self._http, self.base_url, id, await self._ladder.scope())

    def poster_source(
        self, record: Record, *, width: int | None = None, height: int | None = None, size: str | None = None
    ) -> PosterSource | None:
        """The poster, resized by the service. Raises `InvalidRequest` for a ``size``: there are no such words here."""
        no_size_word(self.title, size)
        image, workspace = blob(record), client_uuid(record)
        if image is None or workspace is None:
            return None
        return self.poster_by_ids(
            record.id, workspace, image, width=width, height=height, draft=record.status == "DRAFT"
        )

    def poster_by_ids(
        self,
        product: str,
        workspace: str,
        blob_id: str,
        *,
        width: int | None = None,
        height: int | None = None,
        draft: bool = False,
    ) -> PosterSource:
        """The poster of three ids, as a webhook or a search row names them; sends nothing.

        ``workspace`` may be a slug or a name too. ``draft``: the product is known not to be published, so a refusal
        is no reason to log in again.
        """
        box = [(name, str(value)) for name, value in (("width", width), ("height", height)) if value is not None]
        paths = segment(product, "a product"), segment(workspace, "a workspace"), segment(blob_id, "a poster")

        async def fetch() -> Served:
            scope = await self._ladder.scope(workspace)
            client = segment(await self._ladder.workspace_uuid(workspace), "a workspace")
            call = Call(
                "GET",
                f"{self.base_url}/v1/products/{paths[0]}/clients/{client}/thumbnails/{paths[2]}",
                params=box,
                authorize=self._ladder.steadfast(scope) if draft else scope,
                what=f"the poster of product {product:.60}",
            )
            try:
                answer = await self._http.send(call)
            except PermissionDenied as error:
                if draft and error.code in (None, "FORBIDDEN"):
                    raise PermissionDenied(
                        f"{self.title} has no poster of the draft {product:.60}: publish the product first.",
                        status=error.status,
                        code=error.code,
                        details=error.details,
                    ) from None
                raise
            return picture(answer)

        # The uuids name the workspace, and so the organization; the blob never changes once it is written.
        key = ("vntana", host(self.base_url), product, workspace, blob_id, str(width or ""), str(height or ""))
        return PosterSource(key, fetch)

    async def submit_renders(self, records: Sequence[Record], order: RenderOrder) -> Submitted:
        submitted = await self._renders.submit(records, order)
        self._watch.expect(submitted.accepted)
        return submitted

    async def render_standings(self, records: Sequence[Record]) -> Standings:
        return await self._watch.standings(records)

    async def render_files(self, record: Record) -> tuple[RenderFile, ...]:
        return await self._attachments.files(record)

    async def render_file(self, file: RenderFile) -> Served:
        return await self._attachments.fetch(file)

    async def workspaces(self) -> Sequence[Workspace]:
        """The workspaces of the organization that this account can see."""
        return await self._ladder.workspaces(anew=True)

    def reference(self) -> Mapping[str, str]:
        return self._reference

    def portable(self, record: Record) -> Record:
        return lightened(record, poster_ids(record))

    async def restored(self, record: Record) -> Record:
        return record

    async def log_out(self) -> None:
        """End the tokens at the service. The next request logs in again."""
        await self._ladder.log_out()

    async def close(self) -> None:
        self._ladder.forget()
        await self._http.close()


def no_size_word(title: str, size: str | None) -> None:
    """Raises `InvalidRequest` for a size word, of which VNTANA knows none."""
    if size is not None:
        raise InvalidRequest(f"{title} has no sizes by name: give width and height in pixels. Got size={size!r:.80}.")


def picture(answer: Answer) -> Served:
    """The bytes of a picture. Raises `BadResponse` for none: some routes answer 200 with an empty body."""
    if not answer.content:
        raise BadResponse(f"{answer.asked} answered {answer.status} with an empty body.", status=answer.status)
    return Served(answer.content, answer.content_type or None)
