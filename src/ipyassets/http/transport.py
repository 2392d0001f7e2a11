"""All of httpx and aiohttp: the one seam through which bytes come in.

httpx is the interface; below it stands aiohttp instead of httpcore, whose connection pool falls to a few percent of
the wire's speed above eight connections. The ``httpx-aiohttp`` package does the same in general; this transport is
its short cousin for our case, and differs where it matters here: bodies are read in large pieces, URLs reach the wire
exactly as given (a re-quoted signed URL is an invalid one), there is no cookie jar, and a cut body is told from a
whole one.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import AsyncIterator
from contextvars import ContextVar
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final

import aiohttp
import httpx
from yarl import URL

__all__ = ["AsyncClient", "TransportError", "URLParts", "open_client", "timeouts"]

AsyncClient = httpx.AsyncClient


class URLParts(httpx.URL):
    """A URL that prints its origin alone: the rest may be signed, and tracebacks can show local variables."""

    def __repr__(self) -> str:
        return f"URLParts('{self.scheme}://{self.netloc.decode('ascii', 'replace').rpartition('@')[2]}/…')"

    def copy_with(self, **changes: Any) -> URLParts:
        return URLParts(self, **changes)

    def copy_merge_params(self, params: Any) -> URLParts:
        return URLParts(super().copy_merge_params(params))

    def join(self, url: httpx.URL | str) -> URLParts:
        return URLParts(super().join(url))


TransportError = httpx.TransportError
"""Anything that kept an answer from arriving whole: no connection, time-out, reset, cut body."""

_READ_SIZE: Final = 1 << 20
_ERRORS: Final[tuple[tuple[type[Exception], type[httpx.TransportError]], ...]] = (
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout),
    (aiohttp.SocketTimeoutError, httpx.ReadTimeout),
    (aiohttp.ServerTimeoutError, httpx.ReadTimeout),
    (aiohttp.ClientProxyConnectionError, httpx.ProxyError),
    (aiohttp.ClientConnectorError, httpx.ConnectError),
    (aiohttp.NonHttpUrlClientError, httpx.UnsupportedProtocol),
    (aiohttp.InvalidURL, httpx.UnsupportedProtocol),
    (aiohttp.ServerDisconnectedError, httpx.RemoteProtocolError),
    (aiohttp.ClientPayloadError, httpx.ReadError),
    (aiohttp.ClientError, httpx.ReadError),
    (TimeoutError, httpx.ReadTimeout),
    (OSError, httpx.ReadError),
)


def _translated(error: Exception) -> Exception:
    for theirs, ours in _ERRORS:
        if isinstance(error, theirs):
            # The class name only: aiohttp's texts quote URLs, which may be signed.
            return ours(type(error).__name__)
    return error


class _Body(httpx.AsyncByteStream):
    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        content = self._response.content
        try:
            while chunk := await content.read(_READ_SIZE):
                yield chunk
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _translated(error) from None

    async def aclose(self) -> None:
        if self._response.content.at_eof():
            self._response.release()
        else:  # a body we walked away from must not come back with the next answer on this connection
            self._response.close()


class _Transport(httpx.AsyncBaseTransport):
    def __init__(self, *, connections: int, tls: ssl.SSLContext) -> None:
        connector = aiohttp.TCPConnector(
            limit=connections, keepalive_timeout=30.0, ssl=tls, ttl_dns_cache=300, enable_cleanup_closed=False
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,  # httpx decodes
            read_bufsize=_READ_SIZE,
            trust_env=True,  # proxies, as httpx would
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            requote_redirect_url=False,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        limits = request.extensions.get("timeout", {})
        try:
            response = await self._session.request(
                request.method,
                URL(str(request.url), encoded=True),
                headers=[(k, v) for k, v in request.headers.multi_items() if k != "content-length"],
                data=await request.aread() or None,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    total=None,
                    connect=limits.get("pool"),
                    sock_connect=limits.get("connect"),
                    sock_read=limits.get("read"),
                ),
            )
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise _translated(error) from None
        return httpx.Response(
            response.status, headers=list(response.raw_headers), stream=_Body(response), request=request
        )

    async def aclose(self) -> None:
        await self._session.close()


def timeouts(*, connect: float, read: float) -> httpx.Timeout:
    """Seconds to connect, and seconds of silence while reading; waiting for a free connection is not limited."""
    return httpx.Timeout(None, connect=connect, read=read)


class _Client(httpx.AsyncClient):
    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        mark = _ours.set(True)
        try:
            return await super().send(request, **options)
        finally:
            _ours.reset(mark)


_ours: ContextVar[bool] = ContextVar("ipyassets_request", default=False)
# httpx logs every request with its whole URL, which may be signed. We log our own, without; other users of httpx in
# this process keep theirs.
logging.getLogger("httpx").addFilter(lambda _: not _ours.get())


def open_client(*, connections: int, timeout: httpx.Timeout, user_agent: str) -> httpx.AsyncClient:
    """A client of at most ``connections`` connections; belongs to the loop it is made on."""
    return _Client(
        transport=_Transport(connections=connections, tls=_tls()),
        timeout=timeout,
        follow_redirects=False,
        trust_env=False,  # else a .netrc would put credentials on requests; proxies are the transport's business
        headers={"User-Agent": user_agent},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # nothing is remembered of anybody
    )


_tls_context: ssl.SSLContext | None = None


def _tls() -> ssl.SSLContext:
    # Building one costs 20 to 40 ms, so one serves the whole process. The certificates of certifi, or of
    # SSL_CERT_FILE / SSL_CERT_DIR as with httpx.
    global _tls_context  # noqa: PLW0603
    if _tls_context is None:
        _tls_context = httpx.create_ssl_context(trust_env=True)
    return _tls_context
