"""A small web server whose answers a test writes itself, at the level of bytes on the socket."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.http.scripted import Guests

if TYPE_CHECKING:
    from tests.http.files import Files


class Request:
    def __init__(self, method: str, target: str, headers: dict[str, str], body: bytes) -> None:
        self.method, self.target, self.headers, self.body = method, target, headers, body

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


class Server:
    """Answers with whatever ``handler`` returns; keeps every request."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.requests: list[Request] = []
        self.handler: Callable[[Request], bytes | Awaitable[bytes | None] | None] = lambda _: answer()
        self._guests = Guests(self._serve)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._server = self._loop.run_until_complete(asyncio.start_server(self._guests, "127.0.0.1", 0, ssl=self._tls))
        self.port = self._server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()

    @property
    def url(self) -> str:
        return f"{'http' if self._tls is None else 'https'}://127.0.0.1:{self.port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                method, target, _ = line.decode().split()
                headers = {}
                while (header := await reader.readline()).strip():
                    name, _, value = header.decode().partition(":")
                    headers[name.strip().lower()] = value.strip()
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                request = Request(method, target, headers, body)
                self.requests.append(request)
                given = self.handler(request)
                content = given if isinstance(given, bytes) or given is None else await given
                if content is None:  # hang up without a word
                    break
                writer.write(content)
                await writer.drain()
                if b"connection: close" in content[:2000].lower():
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._guests.end(self._server))
        self._loop.close()


def answer(
    content: bytes = b"{}",
    status: int = 200,
    *,
    length: int | None = None,
    close: bool = False,
    **headers: str,
) -> bytes:
    """One HTTP answer as bytes; ``length`` lies about the size of the body."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(content) if length is None else length}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if close:
        lines.append("Connection: close")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.stop()


@pytest.fixture
def other_server() -> Iterator[Server]:
    made = Server()
    yield made
    made.stop()


@pytest.fixture
def files(server: Server) -> Files:
    from tests.http.files import Files

    return Files(server)
