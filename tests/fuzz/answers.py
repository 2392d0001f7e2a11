"""What whole operations of the services make of all that comes back to them: answers, redirects, refusals.

An input is JSON: the name of an operation, then the answers to it, each ``[asked, status, headers, text]`` (a text is
JSON, or the bytes of a body in latin-1). A request gets the first of them that has not been given and was to the same
question, else the next, else the last one again. Must raise our errors and nothing else, come to an end, send
credentials to the service alone, and write nothing into a request that is not one.

``python -m tests.fuzz.answers`` records the seeds anew from the sandbox.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

import ipyassets as ia
from ipyassets.errors import AssetServiceError
from ipyassets.http import board
from ipyassets.http.address import Address
from ipyassets.http.client import HttpClient
from ipyassets.http.exchange import Exchange
from ipyassets.http.head import Fields
from ipyassets.http.messages import Call
from ipyassets.http.retry import RetryPolicy
from ipyassets.http.transport import Response, Timeouts, Transport, _written
from ipyassets.sandbox import Settings
from ipyassets.services.downloading import ArchiveOrder
from ipyassets.services.rendering import RenderOrder
from tests.fuzz.mutations import json_changed
from tests.fuzz.running import run

INSTRUMENTED: Final = ["ipyassets"]
RECORDED: Final = Path(__file__).with_name("answers.json")
HOME: Final = "https://service.example"
PLANTED: Final = "planted-credential"
"""What no other place than the service may get, and no error may show."""
MOST_ASKED: Final = 80
"""Requests of one operation; the largest of them has some fifteen."""
QUICK: Final = RetryPolicy(attempts=2, first=0.0, longest=0.0, retry_after_limit=0.0)

Core = Any


# -- operations -------------------------------------------------------------------------------------------------------


async def _vntana_found(core: Core) -> Any:
    search = core.search("chair")
    first = await search.page(0)
    await search.page(1, first.next)
    return await _posters(core, first.records)


async def _vntana_rendered(core: Core) -> Any:
    record = await core.record(IDS["product"])
    taken = await core.submit_renders([record], RenderOrder())
    standings = await core.render_standings([record])
    files = await core.render_files(record)
    return taken, standings, [await core.render_file(file) for file in files[:2]]


async def _vntana_account(core: Core) -> Any:
    places = await core.workspaces()
    await core.log_out()
    return places


async def _vntana_webhooks(core: Core) -> Any:
    hooks = core.webhooks
    made = await hooks.create("https://receiver.example/", "product.*")
    return [
        await hooks.catalogue(), await hooks.list(), await hooks.get(made.id), await hooks.rotate_secret(made.id),
        await hooks.update(made.id, description="x"), await hooks.delete(made.id),
    ]  # fmt: skip


async def _found(core: Core) -> Any:
    search = core.search("")
    first = await search.page(0)
    if first.next is not None or search.random_access:
        await search.page(1, first.next)
    return await _posters(core, first.records)


async def _one(core: Core) -> Any:
    name = "imodel" if core.name == "itwin" else "asset" if core.name == "scenario" else "product"
    record = await core.record(IDS[name])
    again = await core.restored(core.portable(record))
    return await _posters(core, [record, again])


async def _itwin_places(core: Core) -> Any:
    return await core.workspaces()


async def _scenario_searched(core: Core) -> Any:
    search = core.search("chair", kind="image")
    first = await search.page(0)
    await search.page(1, first.next)
    return await _posters(core, first.records)


async def _scenario_words(core: Core) -> Any:
    return await core.collections(), await core.tags()


async def _scenario_file(core: Core) -> Any:
    file = await core.download(await core.record(IDS["asset"]), "png")
    size = await file.size()
    part = await file.read(0, 1) if await file.ranges() else b""
    return size, part, await _some(file), await file.version()


async def _scenario_archive(core: Core) -> Any:
    job = await core.request_archive(ArchiveOrder((IDS["asset"],)))
    for _ in range(9):
        standing = await core.archive_standing(job)
        if standing.stage in ("completed", "failed"):
            break
    file = await core.archive_file(job)
    return standing, await file.size(), await _some(file)


async def _some(file: Any) -> int:
    come = 0
    async with contextlib.aclosing(file.stream()) as pieces:
        async for piece in pieces:
            come += len(piece)
            if come > 1 << 22:
                break
    return come


async def _posters(core: Core, records: Any) -> Any:
    made = []
    for record in list(records)[:2]:
        source = core.poster_source(record, width=64)
        made.append(None if source is None else await source.fetch())
    return [*records], made


OPERATIONS: Final[dict[str, tuple[str, Callable[[Core], Awaitable[Any]]]]] = {
    "vntana found": ("vntana", _vntana_found),
    "vntana one": ("vntana", _one),
    "vntana rendered": ("vntana", _vntana_rendered),
    "vntana account": ("vntana", _vntana_account),
    "vntana webhooks": ("vntana", _vntana_webhooks),
    "public found": ("public", _found),
    "public one": ("public", _one),
    "itwin found": ("itwin", _found),
    "itwin one": ("itwin", _one),
    "itwin places": ("itwin", _itwin_places),
    "scenario found": ("scenario", _found),
    "scenario searched": ("scenario", _scenario_searched),
    "scenario one": ("scenario", _one),
    "scenario words": ("scenario", _scenario_words),
    "scenario file": ("scenario", _scenario_file),
    "scenario archive": ("scenario", _scenario_archive),
}


def client(kind: str) -> Any:
    """The clients of the one place that these tests know, which is nowhere."""
    if kind == "vntana":
        return ia.AsyncVntana(personal_access_token=PLANTED, organization=IDS["organization"], base_url=HOME)
    if kind == "public":
        return ia.AsyncVntanaPublic(organization=IDS["slug"], workspace=IDS["place"], base_url=HOME)
    if kind == "itwin":
        oauth = {"client_id": "somebody", "client_secret": PLANTED, "token_url": f"{HOME}/connect/token"}
        return ia.AsyncITwin(**oauth, itwin=IDS["itwin"], base_url=HOME)
    return ia.AsyncScenario(api_key="somebody", api_secret=PLANTED, base_url=f"{HOME}/v1")


# -- the other side ---------------------------------------------------------------------------------------------------


class _Told:
    """An answer as an input has it."""

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], content: bytes) -> None:
        self.status_code = status
        self.headers: Mapping[str, str] = Fields(headers)
        self._raw = headers
        self.content = content

    async def aiter_raw(self) -> AsyncIterator[bytes]:
        half = len(self.content) // 2
        for piece in (self.content[:half], self.content[half:]):
            if piece:
                yield piece

    async def aiter_bytes(self) -> AsyncIterator[bytes]:
        told = httpx.Response(self.status_code, headers=self._raw, content=self.aiter_raw())
        async for piece in told.aiter_bytes():
            yield piece

    async def aclose(self) -> None:
        pass


class _Script(Transport):
    """Says what an input says, whoever asks."""

    def __init__(self, answers: list[tuple[str, _Told]]) -> None:
        super().__init__(timeouts=Timeouts(1, 1), user_agent="fuzz")
        self._proxies = {}
        self._answers = answers
        self._given: set[int] = set()
        self._asked = 0

    async def send(self, call: Call, address: Address, headers: Mapping[str, str], *, repeatable: bool) -> Response:
        del repeatable
        self._asked += 1
        assert self._asked <= MOST_ASKED, "it asks without end"
        request = _written(call, address, self._all(call, headers)).reveal()
        request.encode()
        head, _, _ = request.partition("\r\n\r\n")
        assert "\n" not in head.replace("\r\n", ""), "a line break within a header"
        assert head.partition("\r\n")[0].count(" ") == 2, "more than a method, a place and a version"
        at_home = address.origin == ("https", "service.example", 443)
        assert at_home or (PLANTED not in request and "authorization" not in head.lower()), "a credential is led away"
        await asyncio.sleep(0)
        return self._next(f"{call.method} {address.path}")

    def _next(self, asked: str) -> Response:
        waiting = [number for number in range(len(self._answers)) if number not in self._given]
        same = [number for number in waiting if self._answers[number][0] == asked]
        if not self._answers:
            raise httpx.ReadError("hung up")
        number = (same or waiting or [len(self._answers) - 1])[0]
        self._given.add(number)
        return self._answers[number][1]


def check(data: bytes) -> None:
    said = _said(data)
    if said is None:
        return
    name, answers = said
    kind, operation = OPERATIONS[name]
    logging.getLogger("ipyassets").disabled = True
    board._board = None
    run(_operated(kind, operation, answers))


async def _operated(kind: str, operation: Callable[[Core], Awaitable[Any]], answers: list[tuple[str, _Told]]) -> None:
    core = client(kind).core
    script = _Script(answers)
    with _every_exchange(core, script):
        failure: AssetServiceError | None = None
        try:
            async with asyncio.timeout(30):
                made = await operation(core)
        except AssetServiceError as error:
            failure = error
        await core.close()
    if failure is None:
        assert repr(made)
        return
    assert failure.__cause__ is None or isinstance(failure.__cause__, AssetServiceError)
    assert len(str(failure)) < 4000
    # Where it is the name of a thing, it is one.
    if not any(told.status_code < 300 and PLANTED.encode() in told.content for _, told in answers):
        assert PLANTED not in f"{failure!r}{failure}{failure.details!r}", "an error shows a credential"


@contextlib.contextmanager
def _every_exchange(core: Core, script: _Script) -> Iterator[None]:
    before = Exchange._open

    def opened(self: Exchange) -> Transport:
        self._slots = {}
        return script

    for holder in [core, *vars(core).values()]:
        for one in vars(holder).values() if hasattr(holder, "__dict__") else ():
            if isinstance(one, HttpClient):
                one.policy = QUICK
    Exchange._open = opened  # type: ignore[method-assign]
    try:
        yield
    finally:
        Exchange._open = before  # type: ignore[method-assign]


def _said(data: bytes) -> tuple[str, list[tuple[str, _Told]]] | None:
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, list) or not said or not isinstance(said[0], str) or said[0] not in OPERATIONS:
        return None
    return said[0], [answer for one in said[1:40] if (answer := _answer(one)) is not None]


def _answer(one: Any) -> tuple[str, _Told] | None:
    """An answer, as far as the wire lets one through: see the target "wire"."""
    if not isinstance(one, list) or len(one) != 4 or not isinstance(one[2], dict):
        return None
    asked, status, headers, body = one
    if isinstance(status, bool) or not isinstance(status, int) or not 200 <= status <= 999:
        return None
    lines = []
    for name, value in headers.items():
        if name.isascii() and name.replace("-", "a").isalnum() and isinstance(value, str):
            plain = value.encode("utf-8", "replace")
            lines.append((name.encode(), bytes(byte for byte in plain if byte not in b"\0\r\n").strip()))
    content = body.encode("latin-1", "replace") if isinstance(body, str) else json.dumps(body).encode()
    return str(asked), _Told(status, lines, content)


# -- seeds ------------------------------------------------------------------------------------------------------------

_KEPT: Final = ("content-type", "x-auth-token", "location", "etag", "content-range", "retry-after", "last-modified")
_RECORDED: Final = json.loads(RECORDED.read_text("utf-8")) if RECORDED.exists() else {"ids": {}, "answers": {}}
_MUCH: Final = 400
"""Characters of a list that is kept whole."""
IDS: Final[dict[str, str]] = _RECORDED["ids"]


def seeds() -> Iterator[tuple[str, bytes]]:
    for name, answers in _RECORDED["answers"].items():
        yield name.replace(" ", "-"), json.dumps([name, *answers]).encode()


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str) and len(value) <= 80:
        yield value


_ODD: Final = (
    "location", "https://elsewhere.example/x", "//elsewhere.example", "http://service.example/", "content-encoding",
    "gzip", "content-range", "bytes 0-0/1", "bytes 3-9/*", "retry-after", "retry-after-ms", "inf", "nan", "0", "99999",
    "content-length", "text/html", f"Bearer {PLANTED}", PLANTED, "a\r\nb: c", "\ud800", "../..", "a/b?c#d", "%2e%2e",
    " ", "x://[y", "9" * 30,
)  # fmt: skip
WORDS: Final = [
    json.dumps(text).encode() for text in dict.fromkeys([*_ODD, *sorted(set(_texts(_RECORDED["answers"])))])
]
CHANGE: Final = json_changed(WORDS)


def record() -> None:
    """Write the seeds: each operation once over the sandbox."""
    settings = Settings(archive_queue_time=0, archive_work_time=0)
    with ia.Sandbox(settings=settings) as sandbox:
        clients: dict[str, Callable[[], Any]] = {
            "vntana": sandbox.vntana,
            "public": sandbox.vntana_public,
            "itwin": sandbox.itwin,
            "scenario": sandbox.scenario,
        }
        info = sandbox.connection_info()
        with sandbox.vntana() as vntana, sandbox.itwin() as itwin, sandbox.scenario() as scenario:
            shown = vntana.search("chair", asset_types="THREE_D", conversion_status="COMPLETED")
            IDS.update(
                product=shown[0].id,
                organization=info["vntana"]["organization_uuid"],
                slug=info["vntana"]["organization_slug"],
                place=info["vntana"]["workspace_slug"],
                imodel=itwin.search("")[0].id,
                itwin=info["itwin"]["itwin_id"],
                asset=scenario.search("", kind="image")[0].id,
            )
            small = {"turntable": ia.Turntable(frames=2, fps=4, width=32, height=24), "poll": 0.05}
            vntana.render(shown[:1], width=32, height=24, **small).wait(60, progress=False)
        places = {
            info["vntana"]["admin_url"]: HOME,
            info["vntana"]["public_url"]: HOME,
            info["itwin"]["token_url"]: f"{HOME}/connect/token",
            info["scenario"]["base_url"]: f"{HOME}/v1",
            info["itwin"]["base_url"]: HOME,
        }
        answers = {name: _over(clients[kind], operation) for name, (kind, operation) in OPERATIONS.items()}
    line = ",\n"
    parts = [f'"{name}": [\n{line.join(map(json.dumps, told))}\n]' for name, told in answers.items()]
    text = f'{{"ids": {json.dumps(IDS)},\n"answers": {{\n{line.join(parts)}\n}}}}'
    for there, here in places.items():
        text = text.replace(there, here)
        text = re.sub(rf'"([A-Z]+) {re.escape(urlsplit(there).path)}(?=[/"])', rf'"\1 {urlsplit(here).path}', text)
    text = re.sub(r"http://127\.0\.0\.1:[0-9]+", "https://files.example", text)
    RECORDED.write_text(text + "\n", "utf-8")


def _over(make: Callable[[], Any], operation: Callable[[Core], Awaitable[Any]]) -> list[Any]:
    from ipyassets.http import loop

    told: list[Any] = []
    real = Transport.send

    async def send(self: Transport, call: Call, address: Address, headers: Any, *, repeatable: bool) -> Any:
        response: Any = await real(self, call, address, headers, repeatable=repeatable)
        content = b"".join([piece async for piece in response.aiter_raw()])
        kept = {name: response.headers[name] for name in _KEPT if name in response.headers}
        if "x-auth-token" in kept:
            kept["x-auth-token"] = f"Bearer {PLANTED}-{len(told)}"
        told.append([f"{call.method} {address.path}", response.status_code, kept, _short(content)])
        raw = [(name.encode(), value.encode()) for name, value in response.headers.items()]
        return _Told(response.status_code, raw, content)

    Transport.send = send  # type: ignore[assignment,method-assign]
    try:
        with make() as one:
            loop.run(operation(one.core))
    finally:
        Transport.send = real  # type: ignore[method-assign]
    return told


def _short(content: bytes) -> Any:
    try:
        body = json.loads(content)
    except ValueError:
        return content[:200].decode("latin-1")
    return _cut(body)


def _cut(value: Any) -> Any:
    if isinstance(value, dict):
        few = value.get("totalCount") in range(9)  # all of them, or the rest would be asked for
        return {key: [*map(_cut, inner)] if few and key == "grid" else _cut(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_cut(inner) for inner in (value if len(json.dumps(value)) < _MUCH else value[:2])]
    return value[:300] if isinstance(value, str) else value


if __name__ == "__main__":
    record()
