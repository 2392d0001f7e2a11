"""Single files: ``POST /assets/{id}/download`` gives a signed URL, of the original or of it in another format."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from ipyassets.errors import BadResponse, InvalidRequest
from ipyassets.http.client import HttpClient
from ipyassets.http.messages import Answer, Call
from ipyassets.http.remote import SignedFile
from ipyassets.http.secret import Secret
from ipyassets.http.served import plain_name
from ipyassets.services.base import Record
from ipyassets.services.scenario.formats import MEDIA_TYPES, allowed, ending, media_type, understood
from ipyassets.services.scenario.records import part
from ipyassets.services.wire import origin, segment, stripped

__all__ = ["Downloads", "signed_url"]

_ENDING_OF: Final = {"jpeg": "jpg"}


class Downloads:
    """The downloads of one project. ``files`` is a client without credentials."""

    def __init__(self, http: HttpClient, files: HttpClient, base_url: str, scope: tuple[tuple[str, str], ...]) -> None:
        self._http = http
        self._files = files
        self._base_url = base_url
        self._scope = scope

    async def file(self, record: Record, format: str | None) -> SignedFile:
        """Raises `InvalidRequest` for a format that ``record`` cannot have, before anything is sent."""
        word = understood(format, record)
        what = f"asset {record.id}" if word is None else f"asset {record.id} as {word}"
        url, told = await self._link(record, word, what)

        async def fresh() -> Secret:
            return (await self._link(record, word, what))[0]

        promised = told or (media_type(record) if word is None else MEDIA_TYPES[word])
        return SignedFile(
            self._files, fresh, what=what, first=url, name=_name(record, word, promised), media_type=promised
        )

    async def _link(self, record: Record, word: str | None, what: str) -> tuple[Secret, str | None]:
        """A signed URL, and the media type that is promised with it."""
        call = Call(
            "POST",
            f"{self._base_url}/assets/{segment(record.id, 'a Scenario asset')}/download",
            params=self._scope,
            json={} if word is None else {"targetFormat": word},
            repeatable=True,  # it makes a URL and nothing else
            what=f"the download of {what}",
        )
        try:
            answer = await self._http.send(call)
        except InvalidRequest as error:
            if word is not None and error.status == 400:
                error.args = (f"{error} {allowed(record)}",)
            raise
        body = answer.json_object()
        told = stripped(body.get("mimeType")).partition(";")[0].strip().lower()
        return signed_url(body.get("url"), answer, self._base_url), told or None


def signed_url(url: object, answer: Answer, base_url: str) -> Secret:
    """A URL that was handed out. Raises `BadResponse`, which does not quote it, if it is not one to ask."""
    at = origin(url) if isinstance(url, str) else None
    downgraded = at is not None and at[0] == "http" and base_url.startswith("https:")
    if not isinstance(url, str) or at is None or downgraded or urlsplit(url).username is not None:
        raise BadResponse(f"{answer.asked} answered without a URL that is safe to ask.", status=answer.status)
    return Secret(url)


def _name(record: Record, word: str | None, promised: str | None) -> str:
    """``asset_….webp``, or the name it was uploaded under."""
    given = plain_name(stripped(part(record.raw, "metadata").get("fileName")))
    if word is None and given is not None:
        return given
    last = _ENDING_OF.get(word, word) if word is not None else ending(promised)
    return f"{plain_name(record.id) or 'asset'}.{last or 'bin'}"
