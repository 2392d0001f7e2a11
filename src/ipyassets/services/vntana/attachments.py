"""The files of renders: which there are, and their bytes, by a signed URL or by the service itself."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import urlsplit

from ipyassets.errors import (
    AssetServiceError,
    AuthenticationError,
    BadResponse,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    RateLimited,
    ServiceUnavailable,
)
from ipyassets.http.client import HttpClient
from ipyassets.http.messages import MEGABYTE, Answer, Call
from ipyassets.http.secret import Secret
from ipyassets.services.base import Record, Served
from ipyassets.services.rendering import Part, RenderFile
from ipyassets.services.vntana.auth import Ladder
from ipyassets.services.vntana.errors import response
from ipyassets.services.vntana.records import client_uuid, described
from ipyassets.services.vntana.search import answered, fetched
from ipyassets.services.wire import origin, segment, stripped, utc

__all__ = ["LARGEST", "Attachments", "render_files"]

LARGEST: Final = 512 * MEGABYTE
"""Bytes of one file. A turntable of 120 frames in 2048 x 1152 is some 10 MB; uploads may be larger."""

_PAGE_SIZE: Final = 100
_MOST_PAGES: Final = 1000
_ENTITIES: Final[Mapping[str, Part]] = {"RENDER": "stills", "TURNTABLE": "turntable"}
_STORES: Final[Mapping[Part, str]] = {"stills": "RENDER", "turntable": "TURNTABLE"}
_RENDER: Final = re.compile(r"render-(\d{1,9})-", re.IGNORECASE)
_TURNTABLE: Final = re.compile(r"turntable-(mp4|gif)-", re.IGNORECASE)
_PICTURES: Final = frozenset({"", "png", "jpg", "webp", "gif", "bmp", "tif", "tiff", "avif"})
_FILMS: Final = frozenset({"", "mp4", "gif", "mov", "avi", "webm", "m4v", "mkv"})
_SPELLINGS: Final = {"jpeg": "jpg"}
_NOT_SIGNED: Final = frozenset({"HANDLER_NOT_FOUND", "METHOD_NOT_ALLOWED", "NOT_SUPPORTED_STORE_TYPE"})
"""Refusals that are the same for every file: from then on the direct route is taken at once."""
_BEGINNINGS: Final = (
    b"\x89PNG\r\n",
    b"\xff\xd8\xff",
    b"GIF8",
    b"BM",
    b"II*\0",
    b"MM\0*",
    b"RIFF",
    b"\x1aE\xdf\xa3",
)
"""How the files of pictures and films begin; those of MP4, MOV and AVIF have ``ftyp`` or another atom at byte 4."""
_ATOMS: Final = frozenset({b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip"})
_BEGINNING_OF_TIME: Final = datetime.min.replace(tzinfo=UTC)


class _Refused(Exception):  # never leaves this module
    """A signed URL is of no use for a file; ``given``: whether there was one."""

    def __init__(self, error: AssetServiceError, *, given: bool) -> None:
        self.error = error
        self.given = given


class Attachments:
    """The files of an account's renders."""

    def __init__(self, http: HttpClient, ladder: Ladder, base_url: str) -> None:
        self._http = http
        self._ladder = ladder
        self._base_url = base_url
        self._signs = True
        parts = urlsplit(base_url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        """Signing demands one and binds the URL to it; the guide names the Admin API's own."""

    # -- which there are ------------------------------------------------------------------------------------------

    async def files(self, record: Record) -> tuple[RenderFile, ...]:
        """The renders of a product, stills in order, then turntables. Raises `NotFound`."""
        rows = await self._rows(record)
        return render_files(rows, record.id, client_uuid(record))

    async def _rows(self, record: Record) -> list[Mapping[str, Any]]:
        """All attachments. The service's own filter by type is not to be relied on, and its pages count from 0."""
        scope = await self._ladder.scope(client_uuid(record))
        rows: dict[str, Mapping[str, Any]] = {}
        seen = 0
        for page in range(_MOST_PAGES):
            call = Call(
                "POST",
                f"{self._base_url}/v1/attachments/search",
                json={"page": page, "size": _PAGE_SIZE, "productUuid": record.id, "sortDirection": "ASC"},
                authorize=scope,
                repeatable=True,
                what=f"the files of {described(record)}",
            )
            found, total = answered(await self._http.send(call))
            before = len(rows)
            rows.update((stripped(row.get("uuid")), row) for row in found if stripped(row.get("uuid")))
            seen += len(found)
            over = seen >= total if total is not None else len(found) < _PAGE_SIZE
            if over or len(rows) == before:  # nothing new: empty, or a service that ignores the page
                break
        return list(rows.values())

    # -- their bytes ----------------------------------------------------------------------------------------------

    async def fetch(self, file: RenderFile) -> Served:
        """The bytes of one file, by a signed URL if there is one, else by the service itself.

        Raises `NotFound` if the file was replaced meanwhile, `BadResponse` for what is no picture or film.
        """
        failure: AssetServiceError | None = None
        if self._signs:
            try:
                return await self._by_signed_url(file)
            except _Refused as refused:
                failure = refused.error if refused.given else None
        try:
            return await self._directly(file)
        except NotFound:
            if failure is None or isinstance(failure, NotFound):
                raise
            raise failure from None  # there is a file: it was signed for, and the other way is merely not open

    async def _by_signed_url(self, file: RenderFile) -> Served:
        for last in (False, True):
            link = await self._signed(file)
            call = Call(
                "GET",
                link.reveal(),
                headers={
                    # It is part of the signature.
                    "Content-Type": "application/octet-stream",
                    "Accept-Encoding": "identity",
                    "Origin": self._origin,
                },
                authorize=False,
                signed=True,
                resume=True,
                max_bytes=LARGEST,
                what=_what(file),
            )
            try:
                return _whole(await self._http.send(call))
            except (InvalidRequest, PermissionDenied, AuthenticationError) as error:  # mostly: it has expired
                if last:
                    raise _Refused(error, given=True) from None
            except (BadResponse, NotFound, ServiceUnavailable) as error:
                raise _Refused(error, given=True) from None
        raise AssertionError("unreachable: the last try returns or raises")

    async def _signed(self, file: RenderFile) -> Secret:
        call = Call(
            "POST",
            f"{self._base_url}/v1/storage/download/clients/sign-url",
            headers={"Origin": self._origin},
            json={"entityUuid": file.id, "storeType": _STORES[file.part]},
            authorize=await self._ladder.scope(file.workspace),
            repeatable=True,
            what=f"a signed URL for {_what(file)}",
        )
        try:
            answer = await self._http.send(call)
            location = Secret(stripped(response(answer).get("location")))
            if not self._safe(location):
                raise BadResponse(f"{answer.asked} answered without a URL that is safe to use.", status=answer.status)
        except RateLimited:
            raise
        except AssetServiceError as error:
            if error.status in (None, 401):  # no network, or no login: the other way would go no better
                raise
            if error.code in _NOT_SIGNED or error.status == 405:
                self._signs = False
            raise _Refused(error, given=False) from None
        return location

    def _safe(self, location: Secret) -> bool:
        there, here = origin(location.reveal()), origin(self._base_url)
        return there is not None and here is not None and not (here[0] == "https" and there[0] == "http")

    async def _directly(self, file: RenderFile) -> Served:
        if file.blob is None:
            raise NotFound(f"VNTANA names no blob for {_what(file)}, so it cannot be fetched.")
        workspace = file.workspace
        if workspace is None:
            found = await fetched(self._http, self._base_url, file.asset, await self._ladder.scope())
            workspace = client_uuid(found)
        call = Call(
            "GET",
            f"{self._base_url}/v1/comments/images/{segment(file.blob, 'a file')}",
            headers={"Accept-Encoding": "identity"},
            params=(("clientUuid", workspace),) if workspace else (),
            authorize=await self._ladder.scope(workspace),
            resume=True,
            max_bytes=LARGEST,
            what=_what(file),
        )
        try:
            answer = await self._http.send(call)
        except NotFound as error:
            raise NotFound(
                f"VNTANA has {_what(file)} no more: it was replaced or deleted meanwhile. Look at the files again.",
                status=error.status,
                code=error.code,
                details=error.details,
            ) from None
        return _whole(answer)


def render_files(rows: Iterable[Mapping[str, Any]], asset: str, workspace: str | None = None) -> tuple[RenderFile, ...]:
    """The renders among a product's attachments: stills by their number, date and name, then turntables.

    Uploads of the Renders tab are among them; QR codes, documents and the like are not.
    """
    stills: list[tuple[int | None, RenderFile]] = []
    turntables: list[RenderFile] = []
    for row in rows:
        file = _file(row, asset, workspace)
        if file is not None and file.part == "stills":
            number = _RENDER.match(file.name)
            stills.append((int(number[1]) if number else None, file))
        elif file is not None:
            turntables.append(file)
    stills.sort(key=lambda still: (still[0] is None, still[0] or 0, *_age(still[1])))
    following = itertools.count(max((number + 1 for number, _ in stills if number is not None), default=0))
    return (
        *(replace(file, position=next(following) if number is None else number) for number, file in stills),
        *sorted(turntables, key=_age),
    )


def _age(file: RenderFile) -> tuple[datetime, str]:
    return file.created or _BEGINNING_OF_TIME, file.name


def _file(row: Mapping[str, Any], asset: str, workspace: str | None) -> RenderFile | None:
    id = stripped(row.get("uuid"))
    blob = stripped(row.get("blobId")) or None
    name = stripped(row.get("name")) or blob or id
    entity = stripped(row.get("entityType")).upper()
    part = _ENTITIES.get(entity)
    if entity in ("", "PRODUCT"):  # some installations list renders so; their names tell
        part = "stills" if _RENDER.match(name) else "turntable" if _TURNTABLE.match(name) else None
    media = _media(name) or _media(blob)
    if not id or part is None or media not in (_PICTURES if part == "stills" else _FILMS):
        return None
    return RenderFile(
        asset=asset,
        part=part,
        id=id,
        name=name,
        media=media,
        blob=blob,
        created=utc(row.get("created")),
        updated=utc(row.get("updated")),
        workspace=workspace,
        uploaded=(_RENDER if part == "stills" else _TURNTABLE).match(name) is None,
    )


def _media(name: str | None) -> str:
    ending = PurePosixPath(name or "").suffix.removeprefix(".").lower()
    return _SPELLINGS.get(ending, ending)


def _what(file: RenderFile) -> str:
    return f"the file {file.name!r:.100} of product {file.asset:.60}"


def _whole(answer: Answer) -> Served:
    """The bytes of a file. Raises `BadResponse` for none, or for a text in their place: some routes answer 200."""
    content = answer.content
    if not content:
        raise BadResponse(f"{answer.asked} answered {answer.status} with an empty body.", status=answer.status)
    if not content.startswith(_BEGINNINGS) and content[4:8] not in _ATOMS:
        raise BadResponse(
            f"{answer.asked} answered {answer.status} with {len(content)} bytes that are neither a picture nor a film.",
            status=answer.status,
        )
    return Served(content, answer.content_type or None)
