"""Signs webhooks and takes them to their receivers."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import ipaddress
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

import aiohttp

__all__ = ["SIGNATURE", "TIMESTAMP", "Attempt", "is_local", "post", "sign", "timestamp"]

TIMESTAMP = "X-TIMESTAMP"
SIGNATURE = "X-VNTANA-SIGNATURE"

LONGEST_ANSWER = 64 * 1024
"""Bytes of an answer that are read before the connection is closed; none of them matters."""

Attempt = int | str
"""The status of the answer, or the name of what went wrong before there was one."""


def timestamp(seconds: float) -> str:
    """A moment since the epoch as ``X-TIMESTAMP`` spells it: UTC, milliseconds, ``Z``."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """What ``X-VNTANA-SIGNATURE`` says: HMAC-SHA256 in lower-case hexadecimal digits."""
    return hmac.new(secret.encode(), timestamp.encode() + b"#" + body, hashlib.sha256).hexdigest()


def is_local(url: str) -> bool:
    """Whether ``url`` is on this machine, by its own text: no name is looked up."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def post(url: str, body: bytes, headers: Mapping[str, str], seconds: float) -> Attempt:
    """Post once, waiting so many ``seconds`` at most.

    Redirects are not followed. One connection for each, so that none stays open.
    """
    try:
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(force_close=True),
                timeout=aiohttp.ClientTimeout(total=seconds),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            ) as session,
            session.post(url, data=body, headers=headers, allow_redirects=False) as response,
        ):
            # Receivers that still write when the connection ends would complain.
            with contextlib.suppress(asyncio.IncompleteReadError, aiohttp.ClientError, TimeoutError):
                await response.content.readexactly(LONGEST_ANSWER)
            return response.status
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        return type(error).__name__
