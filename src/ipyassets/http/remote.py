"""Files behind URLs that expire: read in parts or as a stream, gone on with where they broke off.

No bytes are kept. What is kept is which version of the file came first, so that parts of two are never mixed, and
whether the server gives parts at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Final

from ipyassets.errors import AssetServiceError, BadResponse, InvalidRequest, ServiceUnavailable
from ipyassets.http.client import HttpClient
from ipyassets.http.loop import LoopLock
from ipyassets.http.messages import Call
from ipyassets.http.secret import Secret
from ipyassets.http.served import Body, Version, file_name

__all__ = ["RemoteFile", "SignedFile"]

log = logging.getLogger("ipyassets.http")

_STALE: Final = frozenset({400, 401, 403, 404, 410})
"""What file servers answer to a URL that is no longer good."""
_RENEWALS: Final = 2
"""New URLs that may be refused one after the other."""
_NO_SUCH_PART: Final = 416
_WORTH: Final = 4096, 20
"""Bytes of an answer that breaks off for which it is worth asking again and again; of less, which part."""


class RemoteFile(ABC):
    """A file at a service, behind a URL that may expire: it is renewed as need be, and never shown."""

    what: str
    """What it is, in words for messages."""
    name: str | None
    """The file name the service gives it, without folders; it may come with the first answer only."""
    media_type: str | None
    """The content type the service promises, such as ``image/webp``."""
    changed: bool = False
    """Whether it is another file by now than when it was first looked at; then only `anew` can be read."""

    @abstractmethod
    async def size(self) -> int | None:
        """Bytes; None if the server does not say before it sends them."""

    @abstractmethod
    async def ranges(self) -> bool:
        """Whether single parts can be read without the rest."""

    @abstractmethod
    async def read(self, start: int, stop: int) -> bytes:
        """Bytes ``start`` up to ``stop``. Raises `BadResponse` where the server gives no parts, or another file."""

    @abstractmethod
    def stream(self, start: int = 0) -> AsyncGenerator[bytes, None]:
        """The bytes from ``start`` on as they come, at most some 256 kB at once; goes on where it broke off.

        The reader sets the pace: what is not read is not fetched. Who stops early should close it. Raises as
        `HttpClient.send` does once several tries brought nothing more, and `BadResponse` if the file changed in the
        middle.
        """

    async def version(self) -> str | None:
        """A short text that is the same for the same content, later on too; None if the server says too little."""
        return None

    def anew(self) -> RemoteFile:
        """The same file, whatever version of it there is now."""
        return self


class SignedFile(RemoteFile):
    """A file by signed URLs, which go to the file server alone, and no credentials with them.

    ``fresh`` asks the service for a URL; what it raises is raised, as it tells why there is no file any more.
    ``first`` is a URL that was given already. One object stands for one version of the file: once that changed, all
    reading raises `BadResponse`, and `anew` gives an object for the new one.
    """

    def __init__(
        self,
        http: HttpClient,
        fresh: Callable[[], Awaitable[Secret]],
        *,
        what: str,
        first: Secret | None = None,
        name: str | None = None,
        media_type: str | None = None,
    ) -> None:
        self.what = what
        self.name = name
        self.media_type = media_type
        self._http = http
        self._fresh = fresh
        self._url = first
        self._renewing = LoopLock()
        self._looking = LoopLock()
        self._version: Version | None = None
        self._parts: bool | None = None

    def anew(self) -> SignedFile:
        return SignedFile(self._http, self._fresh, what=self.what, name=self.name, media_type=self.media_type)

    def __repr__(self) -> str:
        return f"<SignedFile: {self.what}>"

    async def size(self) -> int | None:
        if self._version is None or self._version.size is None:
            await self._look()
        return self._version.size if self._version is not None else None

    async def ranges(self) -> bool:
        if self._parts is None:
            await self._look()
        return bool(self._parts)

    async def version(self) -> str | None:
        if self._version is None:
            await self._look()
        return self._version.mark if self._version is not None else None

    async def read(self, start: int, stop: int) -> bytes:
        if not 0 <= start <= stop:
            raise InvalidRequest(f"A part of a file begins at 0 or later and ends after that; got {start} to {stop}.")
        if start == stop:
            return b""
        pieces = [piece async for piece in self._flow(start, stop)]
        if sum(map(len, pieces)) != stop - start:
            raise InvalidRequest(f"{self.what} ends before byte {stop}.")
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def stream(self, start: int = 0) -> AsyncGenerator[bytes, None]:
        if start < 0:
            raise InvalidRequest(f"A file is read from byte 0 or later; got {start}.")
        return self._flow(start, None)

    # -- its bytes ------------------------------------------------------------------------------------------------

    async def _flow(self, start: int, stop: int | None) -> AsyncGenerator[bytes, None]:
        """Bytes ``start`` up to ``stop`` (None: the end), by as many answers as it takes."""
        place = _Place(start)
        policy = self._http.policy
        breaks = 0
        """Answers in a row that brought next to nothing new."""
        while not self._over(place.next, stop):
            broke: AssetServiceError | None = None
            before, brought = place.next, 0
            async with self._opened(place.start if self._unnamed else place.next, stop) as body:
                if body is None:  # there is nothing from here on: at the end, or far beyond it
                    await self._look()
                    self._over(place.next, stop)
                    return
                if stop is not None and not body.part:
                    raise self._whole_only()
                if place.next > start and not body.part and not (self._unnamed or body.version.validator):
                    raise self._changed()
                place.begin(body.start, compare=self._unnamed)
                try:
                    async with contextlib.aclosing(body.pieces(self.what)) as pieces:
                        async for piece in pieces:
                            try:
                                new = place.take(piece)
                            except _OtherBytes:
                                raise self._changed() from None
                            if new:
                                brought += len(new)
                                if brought >= self._worth(start, stop):
                                    breaks = 0
                                yield new
                except ServiceUnavailable as error:
                    broke = error
            if broke is None and not body.part:
                if not place.caught_up:
                    raise self._changed() if place.next > start else self._too_short()
                return
            if broke is None and place.next > before:
                continue  # less than was asked for, and a rest to come
            breaks += 1
            if breaks >= policy.attempts:
                raise broke or BadResponse(f"{self.what}: the server gives the same part of it again and again.")
            log.info("%s broke off; going on at byte %d", self.what, place.next)
            await asyncio.sleep(policy.delay(breaks, None))

    def _worth(self, start: int, stop: int | None) -> int:
        """How much an answer must bring so that the next one is no mere repetition."""
        most, part = _WORTH
        end = stop if stop is not None or self._version is None else self._version.size
        return most if end is None else min(most, max(1, (end - start) // part))

    @contextlib.asynccontextmanager
    async def _opened(self, begin: int, stop: int | None) -> AsyncIterator[Body | None]:
        """An answer with the bytes from ``begin`` on, or with all; None if there are none from there on."""
        part = self._parts is not False and (begin > 0 or stop is not None)
        headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
        if part:
            headers["Range"] = f"bytes={begin}-{'' if stop is None else stop - 1}"
            if self._version is not None and self._version.validator is not None:
                headers["If-Range"] = self._version.validator
        elif stop is not None:
            raise self._whole_only()
        async with contextlib.AsyncExitStack() as resources:
            refused = 0
            while True:
                url = await self._good_url()
                call = Call("GET", url.reveal(), headers=headers, authorize=False, signed=True, what=self.what)
                try:
                    arriving = await resources.enter_async_context(self._http.stream(call))
                    break
                except AssetServiceError as error:
                    if part and error.status == _NO_SUCH_PART:
                        self._nothing_from(begin)
                        yield None
                        return
                    refused += 1
                    if error.status not in _STALE:
                        raise
                    if refused > _RENEWALS:
                        error.args = (f"{error} So were the new links that were asked for: it may be kept no longer.",)
                        raise
                    self._forget(url)
                await asyncio.sleep(self._http.policy.delay(refused, None))
            body = Body.of(arriving, self.media_type)
            self._learn(body, file_name(arriving.headers), asked=(begin, stop) if part else None)
            yield body

    async def _good_url(self) -> Secret:
        async with self._renewing:
            if self._url is None:
                self._url = await self._fresh()
            return self._url

    def _forget(self, url: Secret) -> None:
        if self._url is url:  # else somebody has renewed it meanwhile
            self._url = None

    # -- what the server says of it -------------------------------------------------------------------------------

    async def _look(self) -> None:
        """Learn size, version and whether there are parts, by asking for the first byte."""
        async with self._looking:
            if self._parts is None or self._version is None:
                async with self._opened(0, 1):
                    pass

    def _learn(self, body: Body, name: str | None, asked: tuple[int, int | None] | None) -> None:
        """What an answer tells of the file. Raises `BadResponse` for another version or part than was asked for."""
        if self._version is not None and self._version.differs(body.version):
            raise self._changed()
        self._version = body.version if self._version is None else self._version.joined(body.version)
        if body.part:
            begin, stop = asked or (-1, None)
            if body.start != begin or (stop is not None and body.stop > stop):
                raise BadResponse(f"The server answered with another part of {self.what} than the one asked for.")
            self._parts = True
        elif asked is not None or body.packed:
            self._parts = False
        if self.name is None:
            self.name = name

    def _nothing_from(self, begin: int) -> None:
        """The server says that there is no byte ``begin``: so it should, at the end."""
        size = None if self._version is None else self._version.size
        if size is not None and begin < size:
            raise self._changed()
        if begin == 0:
            self._parts, self._version = True, Version(size=0)

    def _over(self, place: int, stop: int | None) -> bool:
        if stop is not None and place >= stop:
            return True
        size = None if self._version is None else self._version.size
        if size is not None and place > size:
            raise self._too_short()
        return size is not None and place == size

    @property
    def _unnamed(self) -> bool:
        """Whether the server does not say which version of the file it gives."""
        return self._version is not None and self._version.validator is None

    def _changed(self) -> BadResponse:
        self.changed = True
        return BadResponse(
            f"{self.what} changed while it was read: what came before does not go with the rest. Begin again.",
            advice="",
        )

    def _too_short(self) -> InvalidRequest:
        size = None if self._version is None else self._version.size
        return InvalidRequest(
            f"{self.what} {'is shorter' if size is None else f'has {size} bytes'}: nothing to read there."
        )

    def _whole_only(self) -> BadResponse:
        return BadResponse(
            f"{self.what} can only be read as a whole: the server gives no parts of it.", advice="Save all of it."
        )


class _OtherBytes(Exception):
    pass


class _Place:
    """How far a reading has come. A second look at what was given already must bring the same, if asked to compare."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.next = start
        self._at = start
        self._given = hashlib.blake2b()
        self._again = hashlib.blake2b()
        self._compare = False

    def begin(self, at: int, *, compare: bool) -> None:
        """The next piece will be that at byte ``at``."""
        self._at = at
        self._compare = compare
        self._again = hashlib.blake2b()

    @property
    def caught_up(self) -> bool:
        return self._at >= self.next

    def take(self, piece: bytes) -> bytes:
        """What is new in ``piece``. Raises `_OtherBytes` where it is not what came before."""
        old = max(0, self.next - self._at)
        if self._compare:
            if old and self.next > self.start:
                self._again.update(piece[max(0, self.start - self._at) : old])
                if len(piece) >= old and self._again.digest() != self._given.digest():
                    raise _OtherBytes
            self._given.update(piece[old:])
        self._at += len(piece)
        self.next = max(self.next, self._at)
        return piece[old:] if old else piece
