"""One request on the wire and its answer: the pool, redirects, limits, and the libraries' errors put in our terms.

An answer is read whole, or given with its body still to come; everything else is the same for both.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import time
import weakref
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, cast

from ipyassets._version import __version__
from ipyassets.errors import AssetServiceError, BadResponse, InvalidRequest, ServiceUnavailable
from ipyassets.http.messages import MEGABYTE, Answer, Call
from ipyassets.http.partial import Partial
from ipyassets.http.secret import SecretHeaders
from ipyassets.http.unpacking import encoding, unpacked

if TYPE_CHECKING:
    from ipyassets.http.address import Address
    from ipyassets.http.transport import Response, Transport

__all__ = ["Arriving", "Exchange", "Transient", "repeatable"]

log = logging.getLogger("ipyassets.http")

_SAFE_TO_REPEAT: Final = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
_MAX_REDIRECTS: Final = 5
_WRONG_PLACE: Final = "Check the base URL, and whether a proxy or a login page is in between."
_HARMLESS: Final = frozenset({"accept", "accept-encoding", "accept-language", "content-type", "range", "if-range"})


class Transient(Exception):  # never leaves `HttpClient`
    """An error that another try may mend; ``retry_after`` is the wait in seconds that the service asks for.

    ``unsure``: the service may have done what it was asked, and only its answer did not come.
    """

    def __init__(self, error: AssetServiceError, retry_after: float | None, *, unsure: bool = False) -> None:
        self.error = error
        self.retry_after = retry_after
        self.unsure = unsure


@dataclass(frozen=True, slots=True)
class Arriving(Answer):
    """An answer of status 200 or 206 whose body is still to come; ``content`` is empty."""

    response: Any = field(default=None, repr=False)
    title: str = ""
    what: str = ""
    resources: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack, repr=False)

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The body as it was sent (not decoded), as it comes. The reader sets the pace.

        Raises `ServiceUnavailable` where it breaks off, also where it ends before its ``Content-Length``.
        """
        from ipyassets.http.transport import TransportError

        failures: list[Exception] = []  # see `Exchange._once`
        try:
            async with contextlib.aclosing(self.response.aiter_raw()) as raw:
                async for piece in raw:
                    yield piece
        except TransportError as error:
            failures.append(_unavailable(self.title, self.what, error))
        except Exception as error:
            if not _of_the_libraries(error):
                raise
            failures.append(_no_http(self.asked, error))
        if failures:
            raise failures.pop()

    async def aclose(self) -> None:
        """Let go of the connection; what has not come is not fetched."""
        await self.resources.aclose()


class Exchange:
    """The connections of one client. Lives on the loop thread; makes its pool there on first use, anew after a fork."""

    def __init__(
        self, title: str, *, concurrency: int, connect_timeout: float, read_timeout: float, total_timeout: float
    ) -> None:
        self.title = title
        self._concurrency = concurrency
        self._timeouts = (connect_timeout, read_timeout)
        self._total_timeout = total_timeout
        self._transport: Transport | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._slots: dict[str, asyncio.Semaphore] = {}
        self._closed = False

    async def send(self, call: Call, credentials: Mapping[str, str], partial: Partial, *, whole: bool) -> Answer:
        """Send once, follow redirects; credentials stay on the origin they were meant for.

        Unless ``whole``, a good answer is `Arriving`, and to be closed.
        """
        from ipyassets.http.address import Address

        current = call
        home = Address.of(call.url)
        if home is None:
            raise InvalidRequest(f"{self.title}: the URL to ask is not a valid one; check the base URL.")
        if home.scheme not in ("http", "https") or not home.host:
            raise InvalidRequest(f"{self.title}: the base URL must start with http:// or https:// and name a host.")
        if home.userinfo:
            raise InvalidRequest(f"{self.title}: a URL to ask must not hold a user name or a password.")
        url = home.with_params(list(call.params)) if call.params else home
        for _ in range(_MAX_REDIRECTS + 1):
            at_home = url.origin == home.origin
            headers = SecretHeaders({**current.headers, **credentials} if at_home else _harmless(current.headers))
            answer, target = await self._once(current, url, headers, partial, whole=whole)
            if target is None:
                return answer if at_home else replace(answer, foreign=True)
            downgraded = url.scheme == "https" and target.scheme == "http"
            if target.scheme not in ("http", "https") or downgraded or target.userinfo:
                raise BadResponse(
                    f"{answer.asked} redirects to an unsafe place; not followed.",
                    status=answer.status,
                    advice=_WRONG_PLACE,
                )
            if current.method not in ("GET", "HEAD"):
                if answer.status == 303:
                    current = replace(current, method="GET", json=None, form=None)
                elif target.origin != home.origin:
                    raise BadResponse(
                        f"{answer.asked} redirects a {current.method} to another host; its body was not sent there.",
                        status=answer.status,
                        advice=_WRONG_PLACE,
                    )
            url = target
        raise BadResponse(f"{self.title}: {call.what or home.path} redirects in circles.", advice=_WRONG_PLACE)

    async def close(self) -> None:
        """Close all connections for good."""
        self._closed = True
        await self.drop()

    async def drop(self) -> None:
        """Close all connections."""
        transport, self._transport = self._transport, None
        if transport is not None and self._loop is asyncio.get_running_loop():
            await transport.aclose()

    async def _once(
        self, call: Call, url: Address, headers: SecretHeaders, partial: Partial, *, whole: bool
    ) -> tuple[Answer, Address | None]:
        """One answer, and where it redirects to, if it does."""
        from ipyassets.http.transport import TransportError

        asked = _asked(call, url)
        transport = self._open()
        started = time.perf_counter()
        # No variable here may hold what is raised (see `HttpClient._persist`). It is raised outside of the handlers,
        # since the errors of httpx know the request, with its whole URL.
        failures: list[Exception] = []
        async with contextlib.AsyncExitStack() as resources:  # what is not handed on is let go of here
            await resources.enter_async_context(self._slot(url.place))
            try:
                async with asyncio.timeout(self._total_timeout):
                    response = await transport.send(
                        call,
                        url,
                        SecretHeaders({**headers, **partial.headers()}),
                        # What is deleted already is not there: who sent it before decides what that means.
                        repeatable=repeatable(call) and call.method != "DELETE",
                    )
                    resources.push_async_callback(response.aclose)
                    if not whole and response.status_code in (200, 206):
                        log.debug("%s -> %d, %.0f ms", asked, response.status_code, _ms(started))
                        arriving = Arriving(
                            response.status_code,
                            response.headers,
                            b"",
                            asked,
                            response=response,
                            title=self.title,
                            what=call.what or asked,
                            resources=resources.pop_all(),
                        )
                        return arriving, None
                    content = await _read(response, call.max_bytes, asked, partial)
            except (TransportError, TimeoutError) as error:
                log.debug("%s failed: %s", asked, type(error).__name__)
                name = type(error).__name__
                unasked = name in ("ConnectError", "ConnectTimeout")
                again = (repeatable(call) or unasked) and name != "CertificateError"
                told = _unavailable(self.title, call.what or asked, error)
                failures.append(Transient(told, None, unsure=not unasked) if again else told)
                del told
            except Exception as error:
                if not _of_the_libraries(error):
                    raise
                failures.append(_no_http(asked, error))
            else:
                status = partial.status(response.status_code)
                log.debug("%s -> %d, %d bytes, %.0f ms", asked, response.status_code, len(content), _ms(started))
                answer = Answer(status, response.headers, content, asked)
                if status in (301, 302, 303, 307, 308) and "location" in response.headers:
                    target = url.join(response.headers["location"])
                    if target is None:
                        raise BadResponse(
                            f"{asked} redirects to what is not a URL.", status=status, advice=_WRONG_PLACE
                        )
                    return answer, target
                return answer, None
        raise failures.pop()

    def _open(self) -> Transport:
        from ipyassets.http.transport import Timeouts, Transport

        if self._closed:
            raise InvalidRequest(f"This {self.title} client is closed; make a new one.")
        running = asyncio.get_running_loop()
        if self._transport is None or self._loop is not running:
            connect, read = self._timeouts
            self._transport = Transport(timeouts=Timeouts(connect, read), user_agent=f"ipyassets/{__version__}")
            self._loop, self._slots = running, {}
            _opened.add(self)
            # For a client that nobody closes and nobody keeps: its sockets go with it, without a word.
            weakref.finalize(self, _discard, self._transport, running).atexit = False
        return self._transport

    def _slot(self, place: str) -> asyncio.Semaphore:
        return self._slots.setdefault(place, asyncio.Semaphore(self._concurrency))


_opened: weakref.WeakSet[Exchange] = weakref.WeakSet()


def _discard(transport: Transport, loop: asyncio.AbstractEventLoop) -> None:
    """Close a pool whose owner was collected, on whatever thread that happened."""

    async def close() -> None:
        await transport.aclose()

    if loop.is_running():
        asyncio.run_coroutine_threadsafe(close(), loop)


def _close_all() -> None:
    """At exit: most people never call ``close()``, and should not be told of open sockets for it."""
    from ipyassets.http import loop

    async def close() -> None:
        await asyncio.gather(*(exchange.drop() for exchange in list(_opened)), return_exceptions=True)

    if _opened:
        with contextlib.suppress(TimeoutError):
            loop.submit(close()).result(timeout=2)


atexit.register(_close_all)


def repeatable(call: Call) -> bool:
    """Whether sending it twice does no harm."""
    return call.method in _SAFE_TO_REPEAT if call.repeatable is None else call.repeatable


def _asked(call: Call, url: Address) -> str:
    if call.signed:
        return f"{call.method} {url.place} for {call.what or 'a file'}"
    return f"{call.method} {url.place}{url.path}"


async def _read(response: Response, limit: int, asked: str, partial: Partial) -> bytes:
    """The body, refused as soon as it is known to be larger than ``limit`` bytes."""
    from ipyassets.http.transport import Direct

    too_large = f"{asked} answered with more than {limit // MEGABYTE} MB, the limit for this kind of answer."
    pieces = partial.begin(response.status_code, response.headers)
    if pieces is None:
        raise Transient(BadResponse(f"{asked} answered with another part than the one asked for."), None)
    size = sum(map(len, pieces))
    try:
        if size + int(response.headers.get("content-length", 0)) > limit:
            raise BadResponse(too_large, status=response.status_code)
    except ValueError:
        pass
    packed = encoding(response.headers, asked)
    come = response.whole() if isinstance(response, Direct) and not packed else None
    if come is not None:  # almost always, and then without a generator
        pieces.append(come)
        if size + len(come) > limit:
            raise BadResponse(too_large, status=response.status_code)
    else:
        async with contextlib.AsyncExitStack() as closing:
            raw = cast("AsyncGenerator[bytes, None]", response.aiter_raw())
            coming = await closing.enter_async_context(contextlib.aclosing(raw))
            if packed:
                unpacking = unpacked(coming, packed, f"The answer to {asked}")
                coming = await closing.enter_async_context(contextlib.aclosing(unpacking))
            async for piece in coming:
                size += len(piece)
                if size > limit:
                    raise BadResponse(too_large, status=response.status_code)
                pieces.append(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _unavailable(title: str, what: str, error: Exception) -> ServiceUnavailable:
    name = type(error).__name__
    advice = _ADVICE.get(name, "Check the network and the base URL, then try again.")
    return ServiceUnavailable(f"{title} could not be reached for {what} ({_TROUBLE.get(name, name)}). {advice}")


def _of_the_libraries(error: Exception) -> bool:
    return type(error).__module__.partition(".")[0] in ("httpx", "httpcore")


def _no_http(asked: str, error: Exception) -> BadResponse:
    """For what the libraries of the way by a proxy could not read."""
    return BadResponse(f"{asked} answered with something that is not HTTP ({type(error).__name__}).")


def _harmless(headers: Mapping[str, str]) -> dict[str, str]:
    """What may be sent to another origin: nothing that names or authorises anybody."""
    return {k: v for k, v in headers.items() if k.lower() in _HARMLESS}


def _ms(started: float) -> float:
    return (time.perf_counter() - started) * 1000


_TROUBLE: Final = {
    "ConnectError": "no connection",
    "ConnectTimeout": "no connection in time",
    "CertificateError": "its certificate is not to be trusted",
    "ReadTimeout": "it went silent",
    "ReadError": "the connection broke",
    "RemoteProtocolError": "it hung up, or its answer was not HTTP",
    "TimeoutError": "it took too long",
    "ProxyError": "the proxy refused",
    "UnsupportedProtocol": "the URL is not http",
}
_ADVICE: Final = {
    "CertificateError": (
        "Nothing was sent. Somebody may stand in between; or it is your organisation's own certificate: then name the "
        "file with those it trusts in SSL_CERT_FILE and start Python anew. Checking cannot be switched off."
    ),
}
