"""Where a request goes: a URL taken apart, whose path and query may be signed and are never shown."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from ipyassets.http.wire import Origin

__all__ = ["Address"]

# A URL that needs nothing done to it: only characters that may stand there, and no dots to resolve. Almost all are;
# httpx takes any URL apart rightly, but looks at each character for it, which costs as much as sending the request.
_SAFE: Final = r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})"
_PLAIN: Final = re.compile(
    rf"(https?)://([a-z0-9](?:[a-z0-9.\-]*[a-z0-9])?)(?::([0-9]{{1,5}}))?((?:/{_SAFE}*)*)(?:\?((?:{_SAFE}|[/?])*))?"
)
_UNRESERVED: Final = re.compile(r"[A-Za-z0-9_.~\-]*")
_PORTS: Final = {"http": 80, "https": 443}
_LAST_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class Address:
    """A URL in parts. Prints its origin alone."""

    scheme: str
    host: str
    """As a resolver takes it: without the brackets of an IPv6 address."""
    port: int
    """The scheme's own, where the URL names none; 0 for an unknown scheme."""
    path: str = field(repr=False)
    query: str | None = field(default=None, repr=False)
    userinfo: bool = False
    """Whether it has a user name or a password, which we never send."""

    @classmethod
    def of(cls, url: str) -> Address | None:
        """Take ``url`` apart. None if it is no URL: an error would have it among its local variables."""
        plain = _PLAIN.fullmatch(url)
        if plain is not None and "/." not in plain[4] and int(plain[3] or 0) <= _LAST_PORT:
            scheme, host, port, path, query = plain.groups()
            return cls(scheme, host, _PORTS[scheme] if port is None else int(port), path or "/", query)
        return _taken_apart(url)

    @property
    def origin(self) -> Origin:
        return (self.scheme, self.host, self.port)

    @property
    def target(self) -> str:
        """What stands in the request line."""
        return self.path if self.query is None else f"{self.path}?{self.query}"

    @property
    def place(self) -> str:
        """The origin as one writes it: ``https://example.com``."""
        return f"{self.scheme}://{self.netloc}"

    @property
    def netloc(self) -> str:
        """For the header ``Host``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS.get(self.scheme) else f"{host}:{self.port}"

    def with_params(self, params: list[tuple[str, str]]) -> Address:
        """With more in its query."""
        plain = _UNRESERVED.fullmatch("".join(part for pair in params for part in pair))
        said = (
            "&".join(f"{name}={value}" for name, value in params)
            if plain
            else urlencode(params, errors="surrogatepass")
        )
        query = f"{self.query}&{said}" if self.query else said
        return Address(self.scheme, self.host, self.port, self.path, query, self.userinfo)

    def join(self, location: str) -> Address | None:
        """Where a redirect to ``location`` leads; None if that is no URL."""
        return _taken_apart(location, self)


def _taken_apart(url: str, base: Address | None = None) -> Address | None:
    from ipyassets.http.transport import split

    parts = split(url, f"{base.place}{base.target}" if base is not None else None)
    if parts is None:
        return None
    port = _PORTS.get(parts.scheme, 0) if parts.port is None else parts.port
    if port > _LAST_PORT:  # which httpx lets pass
        return None
    path, _, query = parts.target.partition("?")
    return Address(
        parts.scheme, parts.host, port, path or "/", query if "?" in parts.target else None, userinfo=parts.userinfo
    )
