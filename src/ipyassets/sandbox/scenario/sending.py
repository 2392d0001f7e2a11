"""Files on their way: ranges of them, or none, and URLs that expire in the middle of one."""

from __future__ import annotations

import hashlib
import os
import re
from asyncio import sleep
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.types import Message, Receive, Scope, Send

from ipyassets.sandbox.fault_actions import TRANSPORT

__all__ = ["ArchiveFile", "Break", "send"]

_BEAT = 0.02
"""Seconds between two pieces of a file that is sent slowly."""
_RANGE = re.compile(r"bytes=(?:(\d+)-(\d*)|-(\d+))")


def send(request: Request, content: bytes, mime: str, headers: Mapping[str, str] | None = None) -> Response:
    """``content``, or the one range of it that is asked for; of several ranges, all of it."""
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    always = {"ETag": etag, "Accept-Ranges": "bytes", **(headers or {})}
    found = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if found is None or request.headers.get("if-range", etag) != etag:
        return Response(content, media_type=mime, headers=always)
    size = len(content)
    first, last, tail = (None if text in {None, ""} else int(text) for text in found.groups())
    start = max(0, size - (tail or 0)) if first is None else first
    stop = size if last is None else min(size, last + 1)
    if start >= stop:
        return Response(status_code=416, headers={**always, "Content-Range": f"bytes */{size}"})
    span = {"Content-Range": f"bytes {start}-{stop - 1}/{size}"}
    return Response(content[start:stop], 206, media_type=mime, headers={**always, **span})


@dataclass(slots=True)
class Break:
    """How a URL ends while it is in use."""

    left: int
    """Bytes it still gives."""
    over: bool = False


class ArchiveFile(FileResponse):
    """A ZIP file with ranges and a lasting ETag, as an attachment."""

    chunk_size = 256 * 1024

    def __init__(
        self,
        path: str | os.PathLike[str],
        name: str,
        *,
        etag: str,
        modified: str,
        ranges: bool = True,
        sized: bool = True,
        bandwidth: float | None = None,
        breaking: Break | None = None,
    ) -> None:
        headers = {"ETag": f'"{etag}"', "Last-Modified": modified, "Accept-Ranges": "bytes" if ranges else "none"}
        super().__init__(path, headers=headers, media_type="application/zip", filename=name)
        self._ranges = ranges
        self._sized = sized
        self._bandwidth = bandwidth
        self._breaking = breaking
        if bandwidth is not None:
            self.chunk_size = max(1_024, min(self.chunk_size, int(bandwidth * _BEAT)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._ranges:
            scope = {**scope, "headers": [header for header in scope["headers"] if header[0] != b"range"]}
        breaking = self._breaking

        async def paced(message: Message) -> None:
            body = message.get("body", b"")
            if not self._sized and message["type"] == "http.response.start":
                message["headers"] = [header for header in message["headers"] if header[0] != b"content-length"]
            if breaking is not None:
                if breaking.over:
                    return
                if len(body) > breaking.left:
                    breaking.over = True
                    message = {**message, "body": body[: breaking.left], "more_body": True}
                breaking.left -= len(body)
            await send(message)
            if self._bandwidth is not None and body:
                await sleep(len(body) / self._bandwidth)

        await super().__call__(scope, receive, paced)
        if breaking is not None and breaking.over:
            scope["extensions"][TRANSPORT].close()
            while (await receive())["type"] != "http.disconnect":
                pass
