"""HTTP/1.1 connections for many answers of some hundred kilobytes: one wake-up an answer, its bytes copied once.

This stands where httpcore stands below httpx. Weighed and measured (benchmarks/README.md): httpcore's pool falls to a
few percent of the wire's speed above eight connections; aiohttp below httpx took twice the CPU for the same answers,
since it builds a request, a response and a stream for each and collects bodies from pieces. Here the head is read by a
few regular expressions, and a body whose length is known is received straight into its place, also out of TLS.

What is not spoken: pipelining, upgrades, trailers, and answers to HTTP/0.9. Lives on one loop.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from ipyassets.http.chunks import Chunks
from ipyassets.http.head import Headers, Trouble, WireError, length, parsed, tokens
from ipyassets.http.secret import Secret

if TYPE_CHECKING:
    from ipyassets.http.pool import Pool

__all__ = ["WHOLE", "Connection", "Incoming", "Origin"]

Origin: TypeAlias = tuple[str, str, int]
"""Scheme, host and port."""

WHOLE: Final = 1 << 20
"""Bytes up to which a body is received as one, before anybody is told of the answer; longer ones come in pieces."""
_ROOM: Final = 1 << 18
"""Bytes a connection receives into at first; room for a whole answer is made once one is longer, and kept."""
_LONGEST_HEAD: Final = 1 << 16
_QUEUED: Final = 2 << 20
"""Bytes nobody has taken yet after which a connection is not read from."""

_END: Final = re.compile(rb"\r?\n\r?\n")


class Incoming:
    """One answer: its head, and its body as it comes."""

    def __init__(self, connection: Connection, *, bodyless: bool) -> None:
        self.status = 0
        self.headers: Headers = []
        self.bodyless = bodyless
        self._connection = connection
        self._begun: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._pieces: deque[bytes] = deque()
        self._queued = 0
        self._wanted: asyncio.Future[None] | None = None
        self._trouble: tuple[Trouble, bool] | None = None
        """What makes a `WireError`: one that was raised knows the frames it came through, and so all that is here."""
        self._complete = False

    async def begun(self) -> None:
        """Wait until the head has come, and all of a body that is not long. Raises `WireError`."""
        try:
            begun = await self._begun
        except BaseException:
            self.close()
            raise
        if not begun:
            self.close()
            raise self._error()

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The body as sent, in order; what came before it broke off is given before `WireError` is raised."""
        while True:
            while self._pieces:
                piece = self._pieces.popleft()
                self._queued -= len(piece)
                if self._queued <= _QUEUED // 2:
                    self._connection.go_on(self)
                yield piece
            if self._complete:
                return
            if self._trouble is not None:
                raise self._error()
            self._wanted = asyncio.get_running_loop().create_future()
            await self._wanted

    def whole(self) -> bytes | None:
        """All of the body, if it has come; then there are no `pieces` of it."""
        if not self._complete:
            return None
        body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        return body

    def close(self) -> None:
        """Let go of the answer; a connection with a rest of it is of no more use."""
        if not self._complete:
            self._connection.abort()

    # -- for the connection ---------------------------------------------------------------------------------------

    @property
    def answered(self) -> bool:
        return self.status != 0

    @property
    def full(self) -> bool:
        return self._queued > _QUEUED

    def begin(self) -> None:
        if not self._begun.done():
            self._begun.set_result(True)

    def add(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._queued += len(piece)
        self._tell()

    def finish(self) -> None:
        self._complete = True
        self.begin()
        self._tell()

    def fail(self, error: WireError) -> None:
        if self._complete or self._trouble is not None:
            return
        self._trouble = (error.trouble, error.answered)
        if not self._begun.done():
            # What came of the body can still be of use; who reads it learns the rest.
            self._begun.set_result(self.answered)
        self._tell()

    def _error(self) -> WireError:
        assert self._trouble is not None
        trouble, answered = self._trouble
        return WireError(trouble, answered=answered)

    def _tell(self) -> None:
        if self._wanted is not None and not self._wanted.done():
            self._wanted.set_result(None)


class Connection(asyncio.BufferedProtocol):
    """One connection; one request at a time."""

    def __init__(self, pool: Pool, origin: Origin) -> None:
        self.origin = origin
        self.since = 0.0
        """When it became idle."""
        self.lost = asyncio.get_running_loop().create_future()
        self._pool = pool
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._room = memoryview(bytearray(_ROOM))
        self._filled = 0
        """Bytes of it that are in use."""
        self._answer: Incoming | None = None
        self._body: tuple[int, int] | None = None
        """Where in it a body of known, moderate length begins and ends."""
        self._left: int | None = None
        """Bytes to come of a long body of known length."""
        self._chunks: Chunks | None = None
        self._to_the_end = False
        """Whether the body ends with the connection."""
        self._keep = True
        self._paused = False
        self._patience = 0.0
        self._heard = 0.0
        self._watch: asyncio.TimerHandle | None = None

    @property
    def usable(self) -> bool:
        return self._transport is not None and not self._transport.is_closing() and self._answer is None

    async def ask(self, request: Secret, *, bodyless: bool, patience: float) -> Incoming:
        """Send one request; its answer once it has begun. ``patience``: seconds of silence. Raises `WireError`."""
        answer = self._answer = Incoming(self, bodyless=bodyless)
        self._patience, self._heard = patience, self._loop.time()
        self._watch = self._loop.call_later(patience, self._look)
        assert self._transport is not None
        # The request is written out here and is nobody's variable: tracebacks may show those.
        self._transport.write(request.reveal().encode())
        await answer.begun()
        return answer

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def go_on(self, answer: Incoming) -> None:
        if self._paused and self._answer is answer and self._transport is not None:
            self._paused = False
            self._heard = self._loop.time()
            self._transport.resume_reading()

    # -- asyncio's side -------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        del sizehint
        if self._body is None:
            return self._room[self._filled :]
        # One byte more than it has: what came along with it must not be taken for the next answer.
        return self._room[self._filled : self._body[1] + 1]

    def buffer_updated(self, nbytes: int) -> None:
        self._heard = self._loop.time()
        if self._answer is None:  # bytes that nobody asked for
            self.abort()
            return
        try:
            if self._body is not None:
                self._filled += nbytes
                self._whole_yet(*self._body)
            elif self._answer.answered:
                self._take(bytes(self._room[:nbytes]))
            else:
                self._filled += nbytes
                self._read_heads(nbytes)
        except WireError as error:
            self._give_up(error)

    def eof_received(self) -> None:
        if self._answer is not None and self._to_the_end and self._answer.answered:
            self._done()

    def connection_lost(self, exc: Exception | None) -> None:
        self._pool.forget(self)
        answer = self._answer
        if answer is not None:
            # Also where the body ends with the connection: `eof_received` would have said that the server ended it.
            answered = answer.answered or self._filled > 0
            self._give_up(WireError("broken" if exc is not None or answered else "hung up", answered=answered))
        self._room = memoryview(b"")  # who still knows this connection does not keep its memory
        if not self.lost.done():
            self.lost.set_result(None)

    def _look(self) -> None:
        """Has anything been heard of late? One timer for a whole answer, not one for each read."""
        if self._answer is None:
            return
        silence = 0.0 if self._paused else self._loop.time() - self._heard
        if silence >= self._patience:
            self._give_up(WireError("silent"))
        else:
            self._watch = self._loop.call_later(self._patience - silence, self._look)

    # -- reading --------------------------------------------------------------------------------------------------

    def _read_heads(self, fresh: int) -> None:
        """Read a head, if it has come whole, passing by interim ones, and begin with the body.

        ``fresh``: bytes that have just come; there was no end before them.
        """
        answer = self._answer
        assert answer is not None
        begin, look = 0, max(0, self._filled - fresh - 3)
        while True:
            end = _END.search(self._room, look, self._filled)
            if (self._filled if end is None else end.start()) - begin > _LONGEST_HEAD:
                raise WireError("protocol")
            if end is None:
                if begin:
                    rest = bytes(self._room[begin : self._filled])
                    self._room[: len(rest)], self._filled = rest, len(rest)
                return
            version, status, headers = parsed(bytes(self._room[begin : end.start()]))
            begin = look = end.end()
            if status == 101:
                raise WireError("protocol")
            if status >= 200:
                break
        answer.status, answer.headers = status, headers
        self._begin_body(version, begin)

    def _begin_body(self, version: int, begin: int) -> None:
        answer = self._answer
        assert answer is not None
        connection = tokens(answer.headers, b"connection")
        self._keep = b"close" not in connection and (version == 1 or b"keep-alive" in connection)
        expected = length(answer.headers)
        coding = tokens(answer.headers, b"transfer-encoding")
        if answer.bodyless or answer.status in (204, 304):
            expected, coding = 0, []
        if coding:
            if coding != [b"chunked"]:
                raise WireError("protocol")
            self._keep = self._keep and expected is None  # two lengths: believe neither for the next answer
            self._chunks = Chunks()
        elif expected is None:
            self._to_the_end = True
        elif expected <= WHOLE:
            end = begin + expected
            if end >= len(self._room):
                room = memoryview(bytearray(max(end + 1, 2 * len(self._room))))
                room[: self._filled] = self._room[: self._filled]
                self._room = room
            self._body = (begin, end)
            self._whole_yet(begin, end)
            return
        else:
            self._left = expected
        answer.begin()
        rest, self._filled = bytes(self._room[begin : self._filled]), 0
        if rest:
            self._take(rest)

    def _whole_yet(self, begin: int, end: int) -> None:
        if self._filled >= end:
            self._keep = self._keep and self._filled == end
            assert self._answer is not None
            if end > begin:
                self._answer.add(bytes(self._room[begin:end]))
            self._done()

    def _take(self, data: bytes) -> None:
        """Bytes of a long body, or of one whose length is not known."""
        answer = self._answer
        assert answer is not None
        over = False
        if self._chunks is not None:
            try:
                pieces = self._chunks.feed(data)
            except ValueError:
                raise WireError("protocol") from None
            if pieces:  # one, however small the chunks: each costs those above as much as a long one
                answer.add(pieces[0] if len(pieces) == 1 else b"".join(pieces))
            over, surplus = self._chunks.over, self._chunks.surplus
        elif self._left is not None:
            surplus = len(data) > self._left
            data = data[: self._left]
            answer.add(data)
            self._left -= len(data)
            over = self._left == 0
        else:
            answer.add(data)
            surplus = False
        if over:
            self._keep = self._keep and not surplus
            self._done()
        elif answer.full and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def _done(self) -> None:
        answer, keep = self._answer, self._keep and not self._to_the_end
        self._rest()
        if self._transport is not None and not self._transport.is_closing():
            if keep:
                self._pool.keep(self)
            else:
                self.abort()
        assert answer is not None
        answer.finish()

    def _give_up(self, error: WireError) -> None:
        answer = self._answer
        if answer is not None and self._body is not None and self._filled > self._body[0]:
            answer.add(bytes(self._room[self._body[0] : self._filled]))
        self._rest()
        self.abort()
        if answer is not None:
            answer.fail(error)

    def _rest(self) -> None:
        """Nothing is under way any more."""
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        if self._paused and self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
        self._answer, self._body, self._left, self._chunks = None, None, None, None
        self._filled, self._paused, self._to_the_end = 0, False, False
