"""All of httpx: the one seam through which bytes come in.

httpx gives the terms: its errors, its answers and what unpacks their bodies, its rules for URLs and its trust in
certificates. Below it stand our own connections (`ipyassets.http.wire`) in place of httpcore's, whose pool falls to a
few percent of the wire's speed above eight of them; httpcore serves where a proxy is to be used.
"""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode
from urllib.request import getproxies, proxy_bypass

import httpx

from ipyassets.errors import InvalidRequest
from ipyassets.http.address import Address
from ipyassets.http.secret import Secret, SecretHeaders
from ipyassets.http.wire import Incoming, Pool, Trouble, WireError

__all__ = ["Response", "Timeouts", "Transport", "TransportError", "split"]

Response = httpx.Response
TransportError = httpx.TransportError
"""Anything that kept an answer from arriving whole: no connection, time-out, reset, cut body."""

_ERRORS: Final[dict[Trouble, type[httpx.TransportError]]] = {
    "connect": httpx.ConnectError,
    "connect in time": httpx.ConnectTimeout,
    "silent": httpx.ReadTimeout,
    "broken": httpx.ReadError,
    "hung up": httpx.RemoteProtocolError,
    "protocol": httpx.RemoteProtocolError,
}
_SENDABLE: Final = re.compile(r"[\t\x20-\x7e]*")
_USUAL: Final = {
    "Accept": "*/*",
    "Accept-Encoding": ", ".join(name for name in httpx._decoders.SUPPORTED_DECODERS if name != "identity"),  # noqa: SLF001  # what a Response can unpack is said nowhere else
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


class _Body(httpx.AsyncByteStream):
    def __init__(self, incoming: Incoming) -> None:
        self._incoming = incoming

    async def __aiter__(self) -> AsyncIterator[bytes]:
        trouble: Trouble
        try:
            async for piece in self._incoming.pieces():
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
        self._proxied: dict[str, httpx.AsyncHTTPTransport] = {}

    async def send(
        self,
        method: str,
        address: Address,
        headers: Mapping[str, str],
        *,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        repeatable: bool,
    ) -> Response:
        """The answer, its head read; its body has come already if it is not long, else it is still to come.

        The answer is to be closed. Raises `TransportError`.
        """
        body, kind = _encoded(json, form)
        proxy = self._proxy(address)
        trouble: Trouble
        try:
            # No local variable holds the request, nor a header in the clear: tracebacks may show them.
            if proxy is not None:
                return await self._by(proxy).handle_async_request(
                    httpx.Request(
                        method,
                        address.place,
                        headers=self._all(headers, kind),
                        content=body,
                        extensions={"target": address.target.encode("ascii"), "timeout": self._limits()},
                    )
                )
            incoming = await self._pool.request(
                address.origin,
                _head(method, address, self._all(headers, kind), len(body) if kind is not None else None),
                body,
                bodyless=method == "HEAD",
                repeatable=repeatable,
                connect=self._timeouts.connect,
                patience=self._timeouts.read,
            )
            return httpx.Response(incoming.status, headers=incoming.headers, stream=_Body(incoming))
        except WireError as error:
            trouble = error.trouble
        raise _ERRORS[trouble](trouble)

    async def aclose(self) -> None:
        await self._pool.aclose()
        proxied, self._proxied = self._proxied, {}
        for transport in proxied.values():
            await transport.aclose()

    def _all(self, headers: Mapping[str, str], kind: str | None) -> SecretHeaders:
        named = {name.lower() for name in headers}
        usual = {name: value for name, value in self._usual.items() if name.lower() not in named}
        if kind is not None and "content-type" not in named:
            usual["Content-Type"] = kind
        return SecretHeaders({**usual, **headers})

    def _limits(self) -> dict[str, float | None]:
        return {"connect": self._timeouts.connect, "read": self._timeouts.read, "write": None, "pool": None}

    def _proxy(self, address: Address) -> str | None:
        """The proxy that the environment names for this place, as httpx and requests understand it."""
        if not self._proxies:
            return None
        found = self._proxies.get(address.scheme) or self._proxies.get("all")
        return None if not found or proxy_bypass(address.host) else found

    def _by(self, proxy: str) -> httpx.AsyncHTTPTransport:
        if proxy not in self._proxied:
            url = proxy if "://" in proxy else f"http://{proxy}"
            self._proxied[proxy] = httpx.AsyncHTTPTransport(verify=_tls(), proxy=url)
        return self._proxied[proxy]


def _encoded(value: Any, form: Mapping[str, str] | None) -> tuple[bytes, str | None]:
    """A request's body and its type."""
    if value is not None:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return text.encode(), "application/json"
    if form is not None:
        return urlencode(form).encode(), "application/x-www-form-urlencoded"
    return b"", None


def _head(method: str, address: Address, headers: SecretHeaders, length: int | None) -> Secret:
    """A request up to its body. Raises `InvalidRequest` for a header that could not be sent as it is."""
    if not all(_SENDABLE.fullmatch(part) for item in headers.items() for part in item):
        raise InvalidRequest("A credential or a header holds a line break, or a character that is not ASCII.")
    return Secret(
        f"{method} {address.target} HTTP/1.1\r\nHost: {address.netloc}\r\n"
        + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        + (f"Content-Length: {length}\r\n\r\n" if length is not None else "\r\n")
    )


_tls_context: ssl.SSLContext | None = None


def _tls() -> ssl.SSLContext:
    # Building one costs 20 to 40 ms, so one serves the whole process. The certificates of certifi, or of
    # SSL_CERT_FILE / SSL_CERT_DIR as with httpx.
    global _tls_context  # noqa: PLW0603
    if _tls_context is None:
        _tls_context = httpx.create_ssl_context(trust_env=True)
    return _tls_context
