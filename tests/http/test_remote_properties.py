"""Files read in parts or as a stream from servers that break off, change the file, and say much or little of it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ipyassets.errors import AssetServiceError, ServiceUnavailable
from ipyassets.http import loop
from ipyassets.http.head import Fields
from ipyassets.http.messages import Call
from ipyassets.http.remote import SignedFile
from ipyassets.http.retry import RetryPolicy
from ipyassets.http.secret import Secret


@dataclass(frozen=True)
class Server:
    """Honest, if not always whole: says the same of a version of the file each time, and heeds If-Range."""

    tags: bool
    dates: bool
    weak: bool
    parts: bool
    lengths: bool
    ends: bool
    """Whether it tells the size of the file with a part."""


@dataclass(frozen=True)
class Turn:
    """What happens to one request."""

    version: int
    comes: int | None
    """Bytes after which it breaks off."""
    refused: int | None
    piece: int


class Arriving:
    def __init__(self, status: int, headers: dict[str, str], body: bytes, turn: Turn) -> None:
        self.status, self.asked, self.content_type = status, "GET /file", "application/zip"
        self.headers = Fields([(name.encode(), value.encode()) for name, value in headers.items()])
        self._body, self._turn = body, turn

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        body = self._body if self._turn.comes is None else self._body[: self._turn.comes]
        for at in range(0, len(body), self._turn.piece):
            yield body[at : at + self._turn.piece]
        if len(body) < len(self._body):
            raise ServiceUnavailable("It broke off.")


class Http:
    """Stands where a client of HTTP stands."""

    policy = RetryPolicy(attempts=3, first=0.0, longest=0.0)

    def __init__(self, server: Server, versions: list[bytes], turns: list[Turn]) -> None:
        self._server, self._versions, self._turns = server, versions, list(turns)
        self.asked = 0

    @contextlib.asynccontextmanager
    async def stream(self, call: Call) -> AsyncIterator[Arriving]:
        self.asked += 1
        assert self.asked < 200, "it asks without end"
        turn = self._turns.pop(0) if self._turns else Turn(0, None, None, 1 << 10)
        if turn.refused is not None:
            raise AssetServiceError("No.", status=turn.refused)
        content, server = self._versions[turn.version], self._server
        said: dict[str, str] = {}
        if server.tags:
            said["etag"] = f'{"W/" if server.weak else ""}"v{turn.version}"'
        if server.dates:
            said["last-modified"] = f"Mon, 02 Jan 2023 00:00:0{turn.version} GMT"
        asked = dict(call.headers or {})
        firm = [said.get("last-modified"), *([said["etag"]] if server.tags and not server.weak else [])]
        if server.parts and "Range" in asked and asked.get("If-Range", firm[-1]) in firm:
            first, _, last = asked["Range"].removeprefix("bytes=").partition("-")
            stop = min(int(last) + 1, len(content)) if last else len(content)
            if int(first) >= len(content):
                raise AssetServiceError("There is no such part.", status=416)
            body = content[int(first) : stop]
            said["content-range"] = f"bytes {first}-{stop - 1}/{len(content) if server.ends else '*'}"
            status = 206
        else:
            status, body = 200, content
        if server.lengths:
            said["content-length"] = str(len(body))
        yield Arriving(status, said, body, turn)


servers = st.builds(Server, st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.booleans())
pieces = st.integers(1, 20)
broken = st.builds(Turn, st.just(0), st.integers(1, 20), st.none(), pieces)
anything = st.builds(
    Turn,
    st.integers(0, 1),
    st.none() | st.integers(0, 40),
    st.none() | st.none() | st.none() | st.sampled_from([403, 404]),
    pieces,
)
changed = st.builds(Turn, st.just(1), st.none() | st.integers(0, 40), st.none(), pieces)
turns = st.lists(anything, max_size=8)


@st.composite
def contents(draw: st.DrawFn) -> list[bytes]:
    """Two versions, often alike at the beginning or as long as each other."""
    one = draw(st.binary(min_size=20, max_size=60) | st.binary(min_size=1, max_size=60))
    same = draw(st.just(0) | st.integers(0, len(one)))
    rest = draw(st.binary(min_size=len(one) - same, max_size=len(one) - same) | st.binary(max_size=60))
    return [one, (one[:same] + rest) or b"x"]


@given(servers, contents(), turns, st.integers(0, 70), st.none() | st.integers(0, 70), st.booleans())
def test_what_is_given_is_always_of_one_version(
    server: Server, versions: list[bytes], happens: list[Turn], start: int, length: int | None, looked: bool
) -> None:
    """Parts of two are never mixed, nothing is left out or doubled, and it comes to an end."""
    _one_version(server, versions, happens, start, length, looked=looked)


@given(servers, st.integers(20, 60), broken, changed, turns)
def test_a_file_that_changes_where_it_broke_off(
    server: Server, size: int, first: Turn, second: Turn, more: list[Turn]
) -> None:
    """The other version is as long, and no byte of it is the same."""
    versions = [bytes(range(size)), bytes(range(100, 100 + size))]
    _one_version(server, versions, [first, second, *more], 0, None)


def _one_version(
    server: Server, versions: list[bytes], happens: list[Turn], start: int, length: int | None, *, looked: bool = False
) -> None:
    http: Any = Http(server, versions, happens)

    async def fresh() -> Secret:
        return Secret("https://files.example/x")

    async def read() -> tuple[bytes, AssetServiceError | None]:
        file = SignedFile(http, fresh, what="The file")
        come = bytearray()
        try:
            if looked:
                assert await file.size() in (None, *map(len, versions))
                await file.ranges()
            if length is not None:
                return await file.read(start, start + length), None
            async with contextlib.aclosing(file.stream(start)) as pieces:
                async for piece in pieces:
                    assert piece
                    come += piece
        except AssetServiceError as error:
            return bytes(come), error
        return bytes(come), None

    come, error = loop.run(read())
    wanted = [version[start:] if length is None else version[start : start + length] for version in versions]
    if error is None:
        assert come in wanted
        assert length is None or len(come) == length
    else:
        assert any(one.startswith(come) for one in wanted)
