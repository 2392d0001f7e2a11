"""A search to a DataFrame: ipyassets beside what a person would write instead, and beside the limit.

    python benchmarks/search.py [--case N] [--rounds 3] [--set count=1000] [--dry]

The pages are those of the sandbox's VNTANA, recorded once and then answered from memory by a server that does nothing
else, in a process of its own: what is measured is the client. ``bytes only`` is the limit: the same pages of 100
assets, 24 at a time, read and thrown away. All ask for the largest pages; all but ipyassets are given the token.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from harness import CPU, PEAK, Benchmark, Case, Column, Figures, timed

SIZE = 100
AT_ONCE = 24
LATENCY = 0.04

# -- the server -------------------------------------------------------------------------------------------------------


def recorded(count: int) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Answers by what was asked (see `_key`), and how to connect."""
    import requests

    from ipyassets.sandbox import Sandbox

    answers: dict[str, bytes] = {}
    with Sandbox(assets=count) as sandbox, requests.Session() as session:
        info = sandbox.connection_info()["vntana"]
        root = info["admin_url"]
        organization, workspace = info["organization_uuid"], info["workspace_uuid"]

        def ask(method: str, path: str, **more: Any) -> Any:
            answer = session.request(method, root + path, timeout=60, **more)
            answer.raise_for_status()
            token = answer.headers.get("X-AUTH-TOKEN")
            body = json.dumps(more.get("json") or {}).encode()
            answers[_key(f"{method} /vntana{path}", body)] = _http(answer.content, token)
            return answer

        given = {"personal-access-token": info["personal_access_token"]}
        token = ask("POST", "/v1/auth/login/token", json=given).headers["X-AUTH-TOKEN"]
        session.headers["X-AUTH-TOKEN"] = f"Bearer {token}"
        ask("GET", "/v1/organizations")
        scope = {"organizationUuid": organization}
        token = ask("POST", "/v1/auth/refresh-token", headers=scope).headers["X-AUTH-TOKEN"]
        session.headers["X-AUTH-TOKEN"] = f"Bearer {token}"
        ask("GET", "/v1/clients/client-organizations")
        path = f"/v1/products/clients/search?clientUuid={workspace}"
        for size in (SIZE // 2, SIZE):
            for page in range(1, -(-count // size) + 1 if size == SIZE else 2):
                ask("POST", path, json=_body(page, size, organization, workspace))
    return answers, {**info, "token": token, "path": path}


def _body(page: int, size: int, organization: str, workspace: str) -> dict[str, Any]:
    return {
        "page": page,
        "size": size,
        "sorts": {"CREATED": "DESC"},
        "organizationUuid": organization,
        "clientUuids": [workspace],
    }


def _key(line: str, body: bytes) -> str:
    """Method and path, and the page that the body asks for."""
    numbers = {
        name: int(found[1])
        for name in ("page", "size")
        if (found := re.search(rb'"%b":\s*(\d+)' % name.encode(), body))
    }
    return f"{line} {numbers}"


def _http(body: bytes, token: str | None) -> bytes:
    more = f"X-AUTH-TOKEN: {token}\r\n" if token else ""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


class Replay(asyncio.Protocol):
    """Answers from memory, ``latency`` seconds late."""

    def __init__(self, answers: dict[str, bytes], latency: float) -> None:
        self._answers, self._latency, self._data = answers, latency, b""
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        while b"\r\n\r\n" in self._data:
            head, _, rest = self._data.partition(b"\r\n\r\n")
            found = re.search(rb"content-length:\s*(\d+)", head, re.IGNORECASE)
            length = int(found[1]) if found else 0
            if len(rest) < length:
                return
            self._data = rest[length:]
            asked = " ".join(head.split(b"\r\n", 1)[0].decode().split(" ")[:2])
            answer = self._answers.get(_key(asked, rest[:length]))
            if answer is None:
                print(f"nothing recorded for {asked} {rest[:length]!r}", file=sys.stderr, flush=True)
                answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
            asyncio.get_running_loop().call_later(self._latency, self._transport.write, answer)


async def serve(count: int, latency: float) -> None:
    running = asyncio.get_running_loop()
    answers, info = recorded(count)
    server = await running.create_server(lambda: Replay(answers, latency), "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    print(json.dumps({**info, "admin_url": f"http://{host}:{port}/vntana"}), flush=True)
    await running.run_in_executor(None, sys.stdin.read)  # until the benchmark closes it
    server.close()


@contextlib.contextmanager
def prepare(options: dict[str, Any]) -> Iterator[dict[str, Any]]:
    command = [sys.executable, __file__, "--serve", str(options["count"]), str(options.get("latency", 0))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        with server.stdin:
            yield {"info": json.loads(server.stdout.readline())}


# -- the ways ---------------------------------------------------------------------------------------------------------


def bodies(given: dict[str, Any]) -> list[dict[str, Any]]:
    info = given["info"]
    pages = range(1, -(-given["count"] // SIZE) + 1)
    return [_body(page, SIZE, info["organization_uuid"], info["workspace_uuid"]) for page in pages]


def address(given: dict[str, Any]) -> tuple[str, dict[str, str]]:
    info = given["info"]
    return info["admin_url"] + info["path"], {"X-AUTH-TOKEN": f"Bearer {info['token']}"}


def client(given: dict[str, Any]) -> Any:
    import ipyassets as ia

    info = given["info"]
    return ia.Vntana(
        personal_access_token=info["personal_access_token"],
        organization=info["organization_uuid"],
        workspace=info["workspace_uuid"],
        base_url=info["admin_url"],
    )


def checked(figures: Figures, number: int, given: dict[str, Any]) -> Figures:
    assert number == given["count"], f"{number} of {given['count']} assets"
    return figures


def requests_loop(given: dict[str, Any]) -> Figures:
    import pandas as pd
    import requests

    url, headers = address(given)
    with timed() as figures:
        rows: list[Any] = []
        with requests.Session() as session:
            for body in bodies(given):
                rows += session.post(url, headers=headers, json=body, timeout=60).json()["response"]["grid"]
        frame = pd.DataFrame(rows)
    return checked(figures, len(frame), given)


def httpx_gather(given: dict[str, Any]) -> Figures:
    import httpx
    import pandas as pd

    url, headers = address(given)

    async def everything() -> list[Any]:
        async with httpx.AsyncClient(headers=headers, timeout=120) as session:

            async def one(body: dict[str, Any]) -> Any:
                return (await session.post(url, json=body)).json()["response"]["grid"]

            return [row for page in await asyncio.gather(*map(one, bodies(given))) for row in page]

    with timed() as figures:
        frame = pd.DataFrame(asyncio.run(everything()))
    return checked(figures, len(frame), given)


async def _aiohttp(given: dict[str, Any], use: Callable[[Any], Awaitable[Any]]) -> list[Any]:
    import aiohttp

    url, headers = address(given)
    slots = asyncio.Semaphore(AT_ONCE)
    async with aiohttp.ClientSession(headers=headers) as session:

        async def one(body: dict[str, Any]) -> Any:
            async with slots, session.post(url, json=body) as answer:
                return await use(answer)

        return await asyncio.gather(*map(one, bodies(given)))


async def _rows(answer: Any) -> Any:
    return (await answer.json())["response"]["grid"]


def aiohttp_slots(given: dict[str, Any]) -> Figures:
    import aiohttp  # noqa: F401  # imports are nobody's time
    import pandas as pd

    with timed() as figures:
        frame = pd.DataFrame([row for page in asyncio.run(_aiohttp(given, _rows)) for row in page])
    return checked(figures, len(frame), given)


def ours(given: dict[str, Any]) -> Figures:
    sys.modules["msgspec"] = None  # type: ignore[assignment]  # as where the extra "fast" is not installed
    return ours_fast(given)


def ours_fast(given: dict[str, Any]) -> Figures:
    import pandas as pd  # noqa: F401  # everybody has imported it before the clock starts

    with client(given) as vntana:
        assert vntana.search(page_size=SIZE // 2)  # logged in
        with timed() as figures:
            frame = vntana.search().to_pandas()
    return checked(figures, len(frame), given)


def ours_iterated(given: dict[str, Any]) -> Figures:
    sys.modules["msgspec"] = None  # type: ignore[assignment]
    with client(given) as vntana:
        assert vntana.search(page_size=SIZE // 2)
        with timed() as figures:
            number = sum(1 for _ in vntana.search(page_size=SIZE))
    return checked(figures, number, given)


def parsed(given: dict[str, Any]) -> Figures:
    import aiohttp  # noqa: F401

    async def use(answer: Any) -> int:
        return len(json.loads(await answer.read())["response"]["grid"])

    with timed() as figures:
        number = sum(asyncio.run(_aiohttp(given, use)))
    return checked(figures, number, given)


def bytes_only(given: dict[str, Any]) -> Figures:
    import aiohttp  # noqa: F401

    async def use(answer: Any) -> int:
        return len(await answer.read())

    with timed() as figures:
        assert all(asyncio.run(_aiohttp(given, use)))
    return figures


# -- the first page ---------------------------------------------------------------------------------------------------


def _posting(given: dict[str, Any]) -> tuple[Any, Callable[[], Any]]:
    import requests

    url, headers = address(given)
    session = requests.Session()
    body = {**bodies(given)[0], "size": SIZE // 2}
    return session, lambda: session.post(url, headers=headers, json=body, timeout=60).json()["response"]["grid"]


def first_by_hand(given: dict[str, Any]) -> Figures:
    session, post = _posting(given)
    with session:
        post()
        with timed() as figures:
            assert post()
    return figures


def first_ours(given: dict[str, Any]) -> Figures:
    with client(given) as vntana:
        assert vntana.search()
        with timed() as figures:
            assert vntana.search()[0].name
    return figures


def cold_by_hand(given: dict[str, Any]) -> Figures:
    info = given["info"]
    root = info["admin_url"]
    session, post = _posting(given)
    with session, timed() as figures:
        login = {"personal-access-token": info["personal_access_token"]}
        token = session.post(f"{root}/v1/auth/login/token", json=login, timeout=60).headers["X-AUTH-TOKEN"]
        headers = {"X-AUTH-TOKEN": f"Bearer {token}"}
        session.get(f"{root}/v1/organizations", headers=headers, timeout=60).json()
        headers["organizationUuid"] = info["organization_uuid"]
        session.post(f"{root}/v1/auth/refresh-token", headers=headers, timeout=60)
        session.get(f"{root}/v1/clients/client-organizations", headers=headers, timeout=60).json()
        assert post()
    return figures


def cold_ours(given: dict[str, Any]) -> Figures:
    import ipyassets.http.transport  # noqa: F401  # imports are nobody's latency

    with client(given) as vntana, timed() as figures:
        assert vntana.search()[0].name
    return figures


ALL = (
    "requests, page after page",
    "httpx gather",
    "aiohttp, 24 at a time",
    "ipyassets to_pandas()",
    "the same, msgspec",
)
LIMITS = ("ipyassets, iterated", "bytes and json.loads", "bytes only")
FIRST = (
    "requests, warm",
    "ipyassets, warm",
    "requests, cold: five steps",
    "ipyassets, cold",
)


def main() -> None:
    if sys.argv[1:2] == ["--serve"]:
        asyncio.run(serve(int(sys.argv[2]), float(sys.argv[3])))
        return
    frames = [Case(f"{count:,} assets, loopback", {"count": count}, (*ALL, *LIMITS)) for count in (100, 1_000, 10_000)]
    frames += [
        Case("100,000 assets, loopback", {"count": 100_000}, (*(n for n in ALL if n != "httpx gather"), *LIMITS)),
        Case("10,000 assets, 40 ms before each answer", {"count": 10_000, "latency": LATENCY}, (*ALL, *LIMITS)),
        Case("The first page (50 assets), 40 ms before each answer", {"count": SIZE, "latency": LATENCY}, FIRST),
    ]
    Benchmark(
        name="search",
        title="A search to a DataFrame",
        prepare=prepare,
        script=__file__,
        unit="assets/s",
        packages=("ipyassets", "aiohttp", "httpx", "requests", "pandas", "msgspec"),
        contenders={
            "requests, page after page": requests_loop,
            "httpx gather": httpx_gather,
            "aiohttp, 24 at a time": aiohttp_slots,
            "ipyassets to_pandas()": ours,
            "the same, msgspec": ours_fast,
            "ipyassets, iterated": ours_iterated,
            "bytes and json.loads": parsed,
            "bytes only": bytes_only,
            "requests, warm": first_by_hand,
            "ipyassets, warm": first_ours,
            "requests, cold: five steps": cold_by_hand,
            "ipyassets, cold": cold_ours,
        },
        cases=frames,
        limit="bytes only",
        columns=(Column("seconds", "seconds (spread)", "{:.3f}", spread=True), CPU, PEAK),
    ).main()


if __name__ == "__main__":
    main()
