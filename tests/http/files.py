"""A file server whose answers are told in bytes, and a file that is read from it."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ipyassets.http import loop
from ipyassets.http.client import HttpClient
from ipyassets.http.messages import Explanation
from ipyassets.http.remote import SignedFile
from ipyassets.http.retry import DEFAULT_POLICY
from ipyassets.http.secret import Secret
from tests.http.conftest import Request, Server, answer

__all__ = ["PACKED", "QUICK", "WHOLE", "Files", "chunked", "facts", "use", "whole"]

QUICK = replace(DEFAULT_POLICY, first=0.001, longest=0.002, retry_after_limit=0.2)
WHOLE = bytes(range(256)) * 40
PACKED = gzip.compress(b"a part of what?")


class Files:
    """A file server: WHOLE behind ``/file?Signature=canary-N``, of which only the newest is good."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.content = WHOLE
        self.headers: dict[str, str] = {"etag": '"one"'}
        self.parts = True
        self.good = 0
        self.cuts: list[int] = []
        """Bytes after which the next bodies break off."""
        server.handler = self.serve

    async def fresh(self) -> Secret:
        self.good += 1
        return Secret(f"{self.server.url}/file?Signature=canary-{self.good}")

    def serve(self, request: Request) -> bytes:
        if not request.target.endswith(f"canary-{self.good}"):
            return answer(b"<Error><Code>AccessDenied</Code></Error>", 403)
        size = len(self.content)
        start, stop, status, headers = 0, size, 200, dict(self.headers)
        asked = request.headers.get("range")
        validators = (self.headers.get("etag"), self.headers.get("last_modified"))
        if asked and self.parts and request.headers.get("if-range", validators[0]) in validators:
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start, stop, status = int(first), min(size, int(last) + 1 if last else size), 206
            if start >= size:
                return answer(b"", 416, content_range=f"bytes */{size}")
            headers["content_range"] = f"bytes {start}-{stop - 1}/{size}"
        body = self.content[start:stop]
        cut = self.cuts.pop(0) if self.cuts else None
        if cut is not None and cut < len(body):
            return answer(body[:cut], status, length=len(body), close=True, **headers)
        return answer(body, status, **headers)

    @property
    def asked(self) -> list[tuple[str | None, str | None]]:
        return [(r.headers.get("range"), r.headers.get("if-range")) for r in self.server.requests]


def chunked(*chunks: bytes, status: int = 200, end: bool = True, **headers: str) -> bytes:
    """An answer that does not tell its length beforehand; without its ``end`` it breaks off."""
    lines = [f"HTTP/1.1 {status} X", "Transfer-Encoding: chunked"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines += [] if end else ["Connection: close"]
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + (b"0\r\n\r\n" if end else b"")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def use(files: Files, work: Callable[[SignedFile], Any], *, http: HttpClient | None = None, **options: Any) -> Any:
    """What ``work`` brings of the file; the client is closed afterwards."""
    client = http or HttpClient("Test files", explain=lambda _: Explanation(), policy=QUICK)

    async def go() -> Any:
        try:
            return await work(SignedFile(client, files.fresh, what="the film", **options))
        finally:
            await client.close()

    return loop.run(go())


async def whole(file: SignedFile, start: int = 0) -> bytes:
    return b"".join([piece async for piece in file.stream(start)])


async def facts(file: SignedFile) -> tuple[Any, ...]:
    return await file.size(), await file.ranges(), await file.version() is not None, file.name
