"""The VNTANA Public API: published products of one workspace, without credentials."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from ipyassets.errors import AssetServiceError, BadResponse, InvalidRequest, NotFound, PermissionDenied
from ipyassets.http.client import HttpClient
from ipyassets.http.messages import Answer, Call
from ipyassets.services.base import (
    AssetService,
    Capabilities,
    Page,
    PosterSource,
    Record,
    Search,
    Served,
    lightened,
)
from ipyassets.services.vntana.client import no_size_word, picture
from ipyassets.services.vntana.errors import declined, explain, response
from ipyassets.services.vntana.filters import MOST_PER_PAGE
from ipyassets.services.vntana.records import blob, poster_ids, product
from ipyassets.services.vntana.search import answered
from ipyassets.services.vntana_public.filters import FILTERS, request
from ipyassets.services.wire import base_address, host, is_uuid, segment

__all__ = ["BASE_URL", "VntanaPublicService"]

BASE_URL: Final = "https://api.vntana.com"
_SLUG: Final = re.compile(r"[\w.~-]+")


class VntanaPublicService(AssetService):
    """The published products of one workspace."""

    name: ClassVar[str] = "vntana_public"
    title: ClassVar[str] = "VNTANA Public"
    capabilities: ClassVar[Capabilities] = Capabilities(filters=FILTERS)

    def __init__(self, *, organization: str, workspace: str, base_url: str = BASE_URL) -> None:
        self.base_url = base_address(base_url, self.title)
        self._organization = slug(organization, "organization")
        self._workspace = slug(workspace, "workspace")
        self._place = f"organizations/{segment(self._organization, 'it')}/clients/{segment(self._workspace, 'it')}"
        self._http = HttpClient(self.title, explain=explain, declined=declined)

    def search(
        self, text: str = "", *, workspace: str | None = None, sort: str | None = None, **filters: Any
    ) -> PublicSearch:
        """Published products that match ``text``; keywords: `VntanaPublicFilters`."""
        if workspace is not None and workspace != self._workspace:
            raise InvalidRequest(
                f"This VntanaPublic client is for workspace {self._workspace!r}; make another for {workspace!r:.80}."
            )
        body, size = request(text, sort, filters)
        most = MOST_PER_PAGE if filters.get("page_size") is None else size
        return PublicSearch(self._http, f"{self.base_url}/products/{self._place}", body, size, most)

    async def record(self, id: str) -> Record:
        path = segment(id, "a product")
        call = Call("GET", f"{self.base_url}/products/{path}/{self._place}", what=f"the product {id:.60}")
        answer = await self._http.send(call)
        return product(_one(answer, id), self.name)

    def poster_source(
        self, record: Record, *, width: int | None = None, height: int | None = None, size: str | None = None
    ) -> PosterSource | None:
        """The poster in its own size: the service does not resize. Raises `InvalidRequest` for a ``size`` word."""
        del width, height
        no_size_word(self.title, size)
        image = blob(record)
        if image is None:
            return None
        by_blob = f"{self.base_url}/assets/{self._place}/thumbnail/{segment(image, 'a poster')}"
        by_product = f"{self.base_url}/assets/thumbnail/products/{segment(record.id, 'a product')}/{self._place}"
        what = f"the poster of product {record.id:.60}"

        async def fetch() -> Served:
            try:
                return picture(await self._http.send(Call("GET", by_blob, what=what)))
            except (BadResponse, InvalidRequest, NotFound, PermissionDenied) as first:
                # Both forms are documented and either may be missing; the first one's words count if both fail.
                try:
                    return picture(await self._http.send(Call("GET", by_product, what=what)))
                except AssetServiceError:
                    raise first from None

        return PosterSource((self.name, host(self.base_url), self._place, record.id, image), fetch)

    def reference(self) -> Mapping[str, str]:
        return {"base_url": self.base_url, "organization": self._organization, "workspace": self._workspace}

    def portable(self, record: Record) -> Record:
        return lightened(record, poster_ids(record))

    async def restored(self, record: Record) -> Record:
        return record

    async def close(self) -> None:
        await self._http.close()


class PublicSearch(Search):
    """Published products, page by page. The service counts pages from 1."""

    random_access = True

    def __init__(
        self, http: HttpClient, url: str, body: Mapping[str, Any], page_size: int, most_per_page: int = 0
    ) -> None:
        self.page_size = page_size
        self.most_per_page = most_per_page
        self._http = http
        self._url = url
        self._body = body

    async def page(self, number: int, cursor: str | None = None) -> Page:
        del cursor
        body = {**self._body, "page": number + 1, "size": self.page_size}
        try:
            answer = await self._http.send(Call("POST", self._url, json=body, repeatable=True, what="a search"))
        except NotFound as error:  # the service speaks of a product, and none was asked for
            place, said = self._url.partition("/products/")[2], f" ({error.code})" if error.code else ""
            raise NotFound(
                f"{self._http.title} answered a search in {place} with {error.status}{said}. "
                "Check the slugs of the organization and the workspace, and the base URL.",
                status=error.status,
                code=error.code,
                details=error.details,
            ) from None
        rows, total = answered(answer)
        return Page([product(row, VntanaPublicService.name) for row in rows], total)


def slug(value: str, what: str) -> str:
    """A slug, checked. Raises `InvalidRequest` for a name or a uuid, which the Public API does not know."""
    text = value.strip()
    if not _SLUG.fullmatch(text) or text in (".", "..") or is_uuid(text):
        raise InvalidRequest(
            f"VntanaPublic takes the slug of the {what}, as in platform.vntana.com/ORGANIZATION/WORKSPACE: "
            f"no name and no uuid. Got {value!r:.80}."
        )
    return text


def _one(answer: Answer, id: str) -> Mapping[str, Any]:
    """The product of a details answer: one object as it is in truth, or in the wrapper of a search as its text says."""
    found = response(answer)
    if "uuid" in found:
        return found
    rows = found.get("grid")
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and row.get("uuid") == id:
            return row
    if rows == []:
        raise NotFound(f"VNTANA Public has no product {id:.60}.", status=answer.status)
    raise BadResponse(f"{answer.asked} answered without the product it was asked for.", status=answer.status)
