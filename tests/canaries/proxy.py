"""The way by a proxy: the bytes come through another library there, which logs what it does."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from ipyassets.http import loop
from tests.canaries.planted import MARK

__all__ = ["by_proxy"]


@contextlib.contextmanager
def by_proxy() -> Iterator[None]:
    """Clients made inside go by a proxy on this machine, whose name and password hold the mark."""
    server = loop.run(asyncio.start_server(_forward, "127.0.0.1", 0, limit=1 << 20))
    port = server.sockets[0].getsockname()[1]
    os.environ |= {"http_proxy": f"http://{MARK}-user:{MARK}-word@127.0.0.1:{port}", "no_proxy": ""}
    try:
        yield
    finally:
        del os.environ["http_proxy"], os.environ["no_proxy"]
        loop.loop().call_soon_threadsafe(server.close)


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Give one request on, and its answer back."""
    line, rest = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n", 1)
    method, url, version = line.split()
    place = urlsplit(url.decode())
    length = re.search(rb"content-length: *(\d+)", rest, re.IGNORECASE)
    body = await reader.readexactly(int(length[1])) if length else b""
    rest = re.sub(rb"connection: .*\r\n", b"", rest, flags=re.IGNORECASE)
    answers, there = await asyncio.open_connection(place.hostname, place.port)
    target = url.partition(place.netloc.encode())[2]
    there.write(b" ".join([method, target, version]) + b"\r\nConnection: close\r\n" + rest + body)
    writer.write(await answers.read())
    there.close()
    writer.close()
