"""What goes to a service and what comes back, in common terms; the machine that sends it is `ipyassets.http.client`."""

from __future__ import annotations

import contextlib
import functools
import gc
import json
import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ipyassets.errors import AssetServiceError, BadResponse
from ipyassets.texts import encodable

__all__ = ["MEGABYTE", "Answer", "Authorizer", "Call", "Explanation", "parsed"]

MEGABYTE: Final = 1 << 20
_LONG: Final = 16_384
"""Bytes of JSON from which on it is worth some care; importing msgspec takes 7 ms."""
_MOST: Final = 16 * MEGABYTE
"""Bytes of JSON that are read: objects take twenty times the memory. Pages have 3 MB at most."""
_HALVES: Final = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]|\0")
"""Where there may be half a character: escaped, as it is, or in UTF-16."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP answer. ``content`` is decoded (gzip, br) but otherwise as sent."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    asked: str
    """What was asked, for messages: method and path, no query and no credentials."""
    foreign: bool = False
    """Whether it came from another origin, after a redirect: it then says nothing about our credentials."""

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def json(self) -> Any:
        """The parsed body. Raises `BadResponse` if it is not JSON."""
        if len(self.content) > _MOST:
            raise BadResponse(
                f"{self.asked} answered with {len(self.content) // MEGABYTE} MB of JSON, more than the limit of "
                f"{_MOST // MEGABYTE} MB. Ask for smaller pages.",
                advice="",
                status=self.status,
            )
        try:
            return parsed(self.content)
        except ValueError:
            raise BadResponse(
                f"{self.asked} answered {self.status} with {self._kind()} where JSON was expected. "
                "Is the base URL right, and no proxy or login page in between?",
                advice="",
                status=self.status,
            ) from None

    def json_object(self) -> dict[str, Any]:
        """The parsed body, an object. Raises `BadResponse` otherwise."""
        value = self.json()
        if not isinstance(value, dict):
            raise BadResponse(
                f"{self.asked} answered with a JSON {type(value).__name__} where an object was expected.",
                status=self.status,
            )
        return value

    def _kind(self) -> str:
        if not self.content:
            return "an empty body"
        return f"{self.content_type or 'an untyped body'} ({len(self.content)} bytes)"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a service's error body says, in common terms."""

    code: str | None = None
    message: str | None = None
    details: Sequence[Any] = ()
    retry_after: float | None = None
    """Seconds, where the body names a wait."""
    retry: bool | None = None
    """The service's own word on trying again; None: by the status."""
    error: type[AssetServiceError] | None = None
    """The error to raise where the status alone would mislead."""
    advice: str | None = None
    """What to do next, where it is more particular than the usual words."""


class Authorizer(ABC):
    """Puts credentials on requests to the service's own origin. Those that never change need only give `headers`."""

    @abstractmethod
    async def headers(self) -> Mapping[str, str]:
        """The headers that carry the credentials, logging in first if need be."""

    def refused(self, answer: Answer, sent: Mapping[str, str]) -> bool:
        """Whether ``answer`` means the credentials sent were stale and a new login may help; forgets them if so."""
        del answer, sent
        return False

    async def overtaken(self, sent: Mapping[str, str]) -> bool:
        """Whether credentials refused a second time were ended by somebody else's login meanwhile."""
        del sent
        return False

    def learned(self, answer: Answer, sent: Mapping[str, str]) -> None:  # noqa: B027  # most have nothing to learn
        """Look at a good answer: some services hand out a newer token with it."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request, before anything is added to it."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: Sequence[tuple[str, str]] = ()
    json: Any = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    repeatable: bool | None = None
    """Whether sending it twice does no harm; None: by the method."""
    authorize: bool | Authorizer = True
    """True: by the client's own authorizer; another one where a service has several scopes."""
    max_bytes: int = 64 * MEGABYTE
    what: str | None = None
    """What is asked for, in words for messages ("poster of product 1f…"); default: method and path."""
    signed: bool = False
    """Whether the URL is a credential in itself: messages and logs then have ``what`` and the host in its place."""
    resume: bool = False
    """Whether to go on where a body broke off, if the server can; for large files."""


def parsed(content: bytes) -> Any:
    """What ``json.loads`` makes of ``content``, sooner where msgspec is installed. Raises ValueError for no JSON.

    Halves of characters, which are left where a service cuts a name in the middle of an emoji, become U+FFFD: they
    can be sent nowhere, neither to a browser nor in a URL, nor be written to a file.

    The garbage collector does not run in the middle of it. From Python 3.12 on it never does; before, the thousands of
    objects of a page of assets made it look through all that the process holds, again and again: half the time of a
    long search. Other threads wait for ``loads`` anyway.
    """
    if len(content) > _MOST:
        raise ValueError("too long")
    if len(content) < _LONG:
        return _loaded(content, None)
    quick = _quick()
    if sys.version_info >= (3, 12) or not gc.isenabled():
        return _loaded(content, quick)
    gc.disable()
    try:
        return _loaded(content, quick)
    finally:
        gc.enable()


def _loaded(content: bytes, quick: Callable[[bytes], Any] | None) -> Any:
    if quick is not None:
        with contextlib.suppress(Exception):  # NaN, halves of surrogate pairs, UTF-16: it is the stricter one
            return quick(content)
    try:
        value = json.loads(content)
    except RecursionError:
        raise ValueError("too deep") from None
    return encodable(value) if _HALVES.search(content) else value


@functools.cache
def _quick() -> Callable[[bytes], Any] | None:
    # Weighed: orjson, as fast, but it makes floats of integers beyond 64 bits without a word.
    try:
        import msgspec
    except ImportError:
        return None
    return msgspec.json.Decoder().decode
