"""All of httpx: the one seam through which bytes come in.

httpx gives the terms: its errors, its answers, its rules for URLs and its trust in certificates. Below it stand our
own connections (`ipyassets.http.wire`) in place of httpcore's, whose pool falls to a few percent of the wire's speed
above eight of them; httpcore serves where a proxy is to be used.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol
from urllib.parse import urlencode
from urllib.request import getproxies, proxy_bypass

import httpx

from ipyassets.errors import InvalidRequest
from ipyassets.http.address import Address
from ipyassets.http.head import Fields, Trouble, WireError
from ipyassets.http.messages import Call
from ipyassets.http.pool import Pool
from ipyassets.http.secret import Secret, SecretHeaders
from ipyassets.http.unpacking import ACCEPTED
from ipyassets.http.wire import Incoming

__all__ = ["Direct", "Response", "Timeouts", "Transport", "TransportError", "split"]

TransportError = httpx.TransportError
"""Anything that kept an answer from arriving whole: no connection, time-out, reset, cut body."""


class CertificateError(httpx.ConnectError):
    """The server's certificate was not issued, by anybody trusted, for the host that was asked for."""


_ERRORS: Final[dict[Trouble, type[httpx.TransportError]]] = {
    "connect": httpx.ConnectError,
    "connect in time": httpx.ConnectTimeout,
    "certificate": CertificateError,
    "silent": httpx.ReadTimeout,
    "broken": httpx.ReadError,
    "hung up": httpx.RemoteProtocolError,
    "protocol": httpx.RemoteProtocolError,
}
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
"""Methods that say how long their body is even where there is none: some servers answer 411 else."""
_SENDABLE: Final = re.compile(r"[\t\x20-\x7e]*")
_USUAL: Final = {
    "Accept": "*/*",
    "Accept-Encoding": ACCEPTED,
    "Connection": "keep-alive",
}


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to connect, and of silence while an answer is awaited or read."""

    connect: float
    read: float


class Parts(NamedTuple):
    """What httpx makes of a URL."""

    scheme: str
    host: str
    port: int | None
    target: str
    userinfo: bool


def split(url: str, base: str | None = None) -> Parts | None:
    """Take ``url``, which may be relative to ``base``, apart. None if it is no URL: errors of httpx quote it."""
    try:
        found = httpx.URL(url) if base is None else httpx.URL(base).join(url)
    except Exception:  # noqa: BLE001  # httpx.InvalidURL is no ValueError
        return None
    host = found.raw_host.decode("ascii")
    return Parts(found.scheme, host, found.port, found.raw_path.decode("ascii"), bool(found.userinfo))


class Response(Protocol):
    """An answer, its head read. The terms are httpx's, so that one of its own will do."""

    @property
    def status_code(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    def aiter_raw(self) -> AsyncIterator[bytes]:
        """The body as it was sent, as it comes. A generator, to be closed."""
        ...

    async def aclose(self) -> None: ...


class Direct:
    """An answer by our own connections: what httpx makes of one costs as much as the whole exchange."""

    __slots__ = ("_incoming", "headers", "status_code")

    def __init__(self, incoming: Incoming) -> None:
        self.status_code = incoming.status
        self.headers: Mapping[str, str] = Fields(incoming.headers)
        self._incoming = incoming

    def whole(self) -> bytes | None:
        """The body as it was sent, if all of it has come; it is then not given again."""
        return self._incoming.whole()

    async def aiter_raw(self) -> AsyncGenerator[bytes, None]:
        trouble: Trouble
        try:
            async with contextlib.aclosing(self._incoming.pieces()) as pieces:
                async for piece in pieces:
                    yield piece
            return
        except WireError as error:
            trouble = error.trouble
        raise _ERRORS[trouble](trouble)

    async def aclose(self) -> None:
        self._incoming.close()


class Transport:
    """Connections to any number of hosts; belongs to the loop it is first used on.

    Nothing is followed, retried, remembered or logged here. Redirects, limits and credentials are the caller's.
    """

    def __init__(self, *, timeouts: Timeouts, user_agent: str) -> None:
        self._timeouts = timeouts
        self._usual = {**_USUAL, "User-Agent": user_agent}
        self._pool = Pool(_tls())
        self._proxies = getproxies()
        self._proxied: dict[str, _Proxy] = {}

    async def send(self, call: Call, address: Address, headers: Mapping[str, str], *, repeatable: bool) -> Response:
        """The answer to ``call``, put to ``address`` with ``headers`` in place of its own; its head read.

        Its body has come already if it is not long, else it is still to come. The answer is to be closed. Raises
        `TransportError`, and `InvalidRequest` for a header that cannot be sent or a proxy that cannot be used.
        """
        trouble: Trouble
        try:
            # No local variable holds the request, its body, or a header in the clear: tracebacks may show them.
            proxied = self._proxied_for(address)
            if proxied is not None:
                return await proxied.send(call, address, self._all(call, headers), self._timeouts)
            incoming = await self._pool.request(
                address.origin,
                _written(call, address, self._all(call, headers)),
                bodyless=call.method == "HEAD",
                repeatable=repeatable,
                connect=self._timeouts.connect,
                patience=self._timeouts.read,
            )
            return Direct(incoming)
        except WireError as error:
            trouble = error.trouble
        raise _ERRORS[trouble](trouble)

    async def aclose(self) -> None:
        """Close all connections for good."""
        self._proxies = {}  # whoever waited for a turn finds the pool closed, and opens no new way
        await self._pool.aclose()
        proxied, self._proxied = self._proxied, {}
        for proxy in proxied.values():
            await proxy.aclose()

    def _all(self, call: Call, headers: Mapping[str, str]) -> SecretHeaders:
        """The headers to send. Raises `InvalidRequest` for one that could not be sent as it is."""
        if not _SENDABLE.fullmatch("\t".join(part for item in headers.items() for part in item)):
            raise InvalidRequest("A credential or a header holds a line break, or a character that is not ASCII.")
        named = {name.lower() for name in headers}
        usual = {name: value for name, value in self._usual.items() if name.lower() not in named}
        if "content-type" not in named:
            if call.json is not None:
                usual["Content-Type"] = "application/json"
            elif call.form is not None:
                usual["Content-Type"] = "application/x-www-form-urlencoded"
        return SecretHeaders({**usual, **headers})

    def _proxied_for(self, address: Address) -> _Proxy | None:
        """The proxy that the environment names for this place, as requests understands it."""
        if not self._proxies:
            return None
        url = self._proxies.get(address.scheme) or self._proxies.get("all")
        # Exceptions may name a port.
        if not url or proxy_bypass(address.host) or proxy_bypass(f"{address.host}:{address.port}"):
            return None
        found = self._proxied.get(url)
        if found is None:
            found = self._proxied[url] = _Proxy(url)
        del url  # it may hold a password, and tracebacks show local variables
        if not found.usable:
            raise InvalidRequest(
                "The proxy named by the environment (http_proxy, https_proxy, all_proxy) cannot be used: it must be an "
                "http://, https:// or socks5:// URL, and SOCKS needs the package socksio."
            )
        return found


_by_proxy: Final[ContextVar[bool]] = ContextVar("ipyassets_by_proxy", default=False)
"""Whether what runs is httpcore, for us."""


def _named(record: logging.LogRecord) -> bool:
    """Leave of what httpcore logs of our requests the event's name.

    At DEBUG it logs the headers of answers, and new tokens and signed URLs come in those; and passwords of proxies.
    """
    if _by_proxy.get():
        record.msg, record.args = record.getMessage().partition(" ")[0], None
    return True


class _Proxy:
    """The way by a proxy, which is httpcore's."""

    def __init__(self, url: str) -> None:
        for name in ("connection", "http11", "proxy", "socks"):
            logging.getLogger(f"httpcore.{name}").addFilter(_named)  # once, however often
        url = url if "://" in url else f"http://{url}"
        self._transport: httpx.AsyncHTTPTransport | None = None
        with contextlib.suppress(Exception):  # no URL, an unknown scheme, or SOCKS without what httpx needs for it
            self._transport = httpx.AsyncHTTPTransport(verify=_tls(), proxy=url)

    @property
    def usable(self) -> bool:
        return self._transport is not None

    async def send(self, call: Call, address: Address, headers: SecretHeaders, timeouts: Timeouts) -> Response:
        assert self._transport is not None
        # Not with httpcore's extension "target": it would give that to the proxy too, in place of the host or the URL.
        # httpx leaves as it is what it, or `Address`, has found to need nothing.
        ours = _by_proxy.set(True)
        try:
            return await self._transport.handle_async_request(
                httpx.Request(
                    call.method,
                    f"{address.place}{address.target}",
                    headers=headers,
                    content=_body(call).encode(),
                    extensions={
                        "timeout": {"connect": timeouts.connect, "read": timeouts.read, "write": None, "pool": None}
                    },
                )
            )
        finally:
            _by_proxy.reset(ours)

    async def aclose(self) -> None:
        if self._transport is not None:
            await self._transport.aclose()


def _body(call: Call) -> str:
    if call.json is not None:
        written = json.dumps(call.json, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        try:
            written.encode()
        except UnicodeEncodeError:  # halves of characters, in what a person wrote: they go as they are, escaped
            return json.dumps(call.json, separators=(",", ":"), allow_nan=False)
        return written
    return urlencode(call.form, errors="surrogatepass") if call.form is not None else ""


def _written(call: Call, address: Address, headers: SecretHeaders) -> Secret:
    """A request as it goes out."""
    body = Secret(_body(call))
    return Secret(
        f"{call.method} {address.target} HTTP/1.1\r\nHost: {address.netloc}\r\n"
        + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        + (f"Content-Length: {len(body.reveal().encode())}\r\n\r\n" if body or call.method in _WITH_BODY else "\r\n")
        + body.reveal()
    )


_tls_context: ssl.SSLContext | None = None


def _tls() -> ssl.SSLContext:
    # Building one costs 20 to 40 ms, so one serves the whole process. The certificates of certifi, or of
    # SSL_CERT_FILE / SSL_CERT_DIR as with httpx.
    global _tls_context  # noqa: PLW0603
    if _tls_context is None:
        try:
            made = httpx.create_ssl_context(trust_env=True)
        except OSError as error:  # ssl.SSLError too
            raise InvalidRequest(
                "The certificates named by the environment (SSL_CERT_FILE, SSL_CERT_DIR) cannot be read "
                f"({type(error).__name__})."
            ) from None
        # By what else is in the process this may have come out lax: some put ssl._create_unverified_context in the
        # place of ssl.create_default_context.
        made.verify_mode, made.check_hostname = ssl.CERT_REQUIRED, True
        _tls_context = made
    return _tls_context
