"""Requests with everything a polite client does: limits, retries, safe redirects, size limits, clear errors.

A service owns one `HttpClient`, says how its error bodies read (``explain``) and how a request is authorised
(``Authorizer``); status codes become the errors of `ipyassets.errors` here and nowhere else.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ipyassets._version import __version__
from ipyassets.errors import (
    AssetServiceError,
    AuthenticationError,
    BadResponse,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    RateLimited,
    ServiceUnavailable,
)
from ipyassets.http.messages import MEGABYTE, Answer, Authorizer, Call, Explanation
from ipyassets.http.partial import Partial
from ipyassets.http.retry import DEFAULT_POLICY, RETRIED_STATUSES, RetryPolicy, retry_after_seconds
from ipyassets.http.secret import SecretHeaders

if TYPE_CHECKING:
    from ipyassets.http.transport import AsyncClient, URLParts

__all__ = ["HttpClient"]

log = logging.getLogger("ipyassets.http")

_SAFE_TO_REPEAT: Final = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
_MAX_REDIRECTS: Final = 5
_HARMLESS: Final = frozenset({"accept", "accept-encoding", "accept-language", "content-type", "range"})


class _Transient(Exception):  # never leaves this module
    def __init__(self, error: AssetServiceError, retry_after: float | None) -> None:
        self.error = error
        self.retry_after = retry_after


class HttpClient:
    """HTTP to one service. Lives on the loop thread; makes its pool there on first use, anew after a fork."""

    def __init__(
        self,
        title: str,
        *,
        explain: Callable[[Answer], Explanation],
        authorizer: Authorizer | None = None,
        declined: Callable[[Answer], bool] | None = None,
        concurrency: int = 24,
        policy: RetryPolicy = DEFAULT_POLICY,
        connect_timeout: float = 10.0,
        read_timeout: float = 60.0,
        total_timeout: float = 300.0,
    ) -> None:
        """``declined`` tells a refusal that comes with a status below 300 (VNTANA: ``"success": false``)."""
        self.title = title
        self.authorizer = authorizer
        self.policy = policy
        self.concurrency = concurrency
        self._explain = explain
        self._declined = declined
        self._timeouts = (connect_timeout, read_timeout, total_timeout)
        self._client: AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._slots: dict[str, asyncio.Semaphore] = {}
        self._closed = False

    # -- public ---------------------------------------------------------------------------------------------------

    async def send(self, call: Call) -> Answer:
        """Send ``call`` until it is answered well. Raises the errors of `ipyassets.errors`, never another library's."""
        from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt

        def wait(state: RetryCallState) -> float:
            failure = state.outcome.exception() if state.outcome else None
            asked = failure.retry_after if isinstance(failure, _Transient) else None
            return self.policy.delay(state.attempt_number, asked)

        def say(state: RetryCallState) -> None:
            failure = state.outcome.exception() if state.outcome else None
            if isinstance(failure, _Transient) and state.next_action is not None:
                log.info("%s; trying again in %.1f s", failure.error, state.next_action.sleep)

        try:
            partial = Partial(keep=call.resume and call.method == "GET")
            async for attempt in AsyncRetrying(
                stop=stop_after_attempt(self.policy.attempts),
                wait=wait,
                retry=retry_if_exception_type(_Transient),
                before_sleep=say,
                reraise=True,
            ):
                with attempt:
                    return await self._attempt(call, partial)
        except _Transient as failure:
            raise failure.error from None
        raise AssertionError("unreachable: tenacity returns or raises")

    async def close(self) -> None:
        """Close all connections. Safe to call twice."""
        self._closed = True
        await self._drop()

    async def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None and self._loop is asyncio.get_running_loop():
            await client.aclose()

    # -- one attempt ----------------------------------------------------------------------------------------------

    async def _attempt(self, call: Call, partial: Partial) -> Answer:
        authorizer = self.authorizer if isinstance(call.authorize, bool) else call.authorize
        if authorizer is None or call.authorize is False:
            answer = await self._exchange(call, {}, partial)
        else:
            sent = await authorizer.headers()
            answer = await self._exchange(call, sent, partial)
            if self._stale(authorizer, answer, sent):
                sent = await authorizer.headers()
                answer = await self._exchange(call, sent, partial)
                if self._stale(authorizer, answer, sent):
                    failure = self._failure(call, answer, AuthenticationError)
                    if self._repeatable(call) and await authorizer.overtaken(sent):
                        raise _Transient(failure, None)
                    raise failure
            if self._good(answer) and not answer.foreign:
                authorizer.learned(answer, sent)
        if answer.status in range(300, 400):
            raise BadResponse(f"{answer.asked} answered with status {answer.status}.", status=answer.status)
        if not self._good(answer):
            raise self._judged(call, answer)
        return answer

    def _good(self, answer: Answer) -> bool:
        return answer.status < 300 and not (self._declined is not None and self._declined(answer))

    def _stale(self, authorizer: Authorizer, answer: Answer, sent: Mapping[str, str]) -> bool:
        refusal = answer.status in (401, 403) or (answer.status < 300 and not self._good(answer))
        return refusal and bool(sent) and not answer.foreign and authorizer.refused(answer, sent)

    def _judged(self, call: Call, answer: Answer) -> Exception:
        """The error for a refusal, marked as transient where another try is allowed and may help."""
        explanation = self._explain(answer)
        error = self._failure(call, answer)
        limited = isinstance(error, RateLimited)
        waits = [w for w in (explanation.retry_after, retry_after_seconds(answer.headers)) if w is not None]
        asked = max(waits, default=None)
        if limited and isinstance(error, RateLimited):
            error.retry_after = asked
            if asked:
                error.args = (f"{error} The service asks for a wait of {asked:.0f} s.",)
        retry = explanation.retry
        if retry is None:
            retry = limited or answer.status in RETRIED_STATUSES
        # A 429 was not carried out, so even a POST that must not be doubled may be sent again.
        if retry and (limited or self._repeatable(call)) and self.policy.obeys(asked):
            return _Transient(error, asked)
        return error

    def _failure(self, call: Call, answer: Answer, kind: type[AssetServiceError] | None = None) -> AssetServiceError:
        explanation = self._explain(answer)
        kind = kind or explanation.error or _error_for(answer.status)
        said = ": ".join(part for part in (explanation.code, explanation.message) if part)
        text = f"{self.title} refused {call.what or answer.asked} with {answer.status}"
        text += f" ({said})." if said else "."
        advice = explanation.advice or _ADVICE.get(kind)
        if advice:
            text += f" {advice}"
        return kind(text, status=answer.status, code=explanation.code, details=explanation.details)

    @staticmethod
    def _repeatable(call: Call) -> bool:
        return call.method in _SAFE_TO_REPEAT if call.repeatable is None else call.repeatable

    # -- the wire -------------------------------------------------------------------------------------------------

    async def _exchange(self, call: Call, credentials: Mapping[str, str], partial: Partial) -> Answer:
        """Send once, follow redirects; credentials stay on the origin they were meant for."""
        from ipyassets.http.transport import URLParts

        current = call
        try:
            home = URLParts(call.url)
        except Exception:  # noqa: BLE001  # httpx.InvalidURL is no ValueError; its text may quote the URL
            raise InvalidRequest(f"{self.title}: the URL to ask is not a valid one; check the base URL.") from None
        if home.scheme not in ("http", "https") or not home.host:
            raise InvalidRequest(f"{self.title}: the base URL must start with http:// or https:// and name a host.")
        url = home.copy_merge_params(list(call.params)) if call.params else home
        for _ in range(_MAX_REDIRECTS + 1):
            at_home = _origin(url) == _origin(home)
            headers = SecretHeaders({**current.headers, **credentials} if at_home else _harmless(current.headers))
            answer, target = await self._once(current, url, headers, partial)
            if target is None:
                return answer if at_home else replace(answer, foreign=True)
            if target.scheme not in ("http", "https") or (url.scheme == "https" and target.scheme == "http"):
                raise BadResponse(f"{answer.asked} redirects to an unsafe place; not followed.", status=answer.status)
            if current.method not in ("GET", "HEAD"):
                if answer.status == 303:
                    current = replace(current, method="GET", json=None, form=None)
                elif _origin(target) != _origin(home):
                    raise BadResponse(
                        f"{answer.asked} redirects a {current.method} to another host; its body was not sent there.",
                        status=answer.status,
                    )
            url = target
        raise BadResponse(f"{self.title}: {call.what or home.path} redirects in circles.")

    async def _once(
        self, call: Call, url: URLParts, headers: SecretHeaders, partial: Partial
    ) -> tuple[Answer, URLParts | None]:
        """One answer, and where it redirects to, if it does."""
        from ipyassets.http.transport import TransportError

        asked = _asked(call, url)
        client = self._open()
        started = time.perf_counter()
        failure: Exception
        try:
            async with self._slot(_origin(url)), asyncio.timeout(self._timeouts[2]):
                # No local variable holds the request, nor a header in the clear: tracebacks may show them.
                response = await client.send(
                    client.build_request(
                        call.method, url, headers={**headers, **partial.headers()}, json=call.json, data=call.form
                    ),
                    stream=True,
                )
                try:
                    content = await _read(response, call.max_bytes, asked, partial)
                finally:
                    await response.aclose()
        except (TransportError, TimeoutError) as error:
            name = type(error).__name__
            log.debug("%s failed: %s", asked, name)
            unavailable = ServiceUnavailable(
                f"{self.title} could not be reached for {call.what or asked} ({_TROUBLE.get(name, name)}). "
                "Check the network and the base URL, then try again."
            )
            again = self._repeatable(call) or name in ("ConnectError", "ConnectTimeout")
            failure = _Transient(unavailable, None) if again else unavailable
        except Exception as error:
            if type(error).__module__.partition(".")[0] not in ("httpx", "aiohttp", "zlib", "brotli"):
                raise
            # A body that claims an encoding it does not have, and the like.
            failure = BadResponse(f"{asked} answered with something that is not HTTP ({type(error).__name__}).")
        else:
            status = partial.status(response.status_code)
            log.debug("%s -> %d, %d bytes, %.0f ms", asked, response.status_code, len(content), _ms(started))
            answer = Answer(status, response.headers, content, asked)
            if status in (301, 302, 303, 307, 308) and "location" in response.headers:
                return answer, url.join(response.headers["location"])  # httpx has refused what is no URL
            return answer, None
        raise failure  # outside of the handlers: the errors of httpx know the request, with its whole URL

    def _open(self) -> AsyncClient:
        from ipyassets.http.transport import open_client, timeouts

        if self._closed:
            raise InvalidRequest(f"This {self.title} client is closed; make a new one.")
        running = asyncio.get_running_loop()
        if self._client is None or self._loop is not running:
            connect, read, _ = self._timeouts
            self._client = open_client(
                connections=self.concurrency,
                timeout=timeouts(connect=connect, read=read),
                user_agent=f"ipyassets/{__version__}",
            )
            self._loop, self._slots = running, {}
            _open_clients.add(self)
            # For a client that nobody closes and nobody keeps: its sockets go with it, without a word.
            weakref.finalize(self, _discard, self._client, running).atexit = False
        return self._client

    def _slot(self, origin: tuple[str, str, int | None]) -> asyncio.Semaphore:
        return self._slots.setdefault(":".join(map(str, origin)), asyncio.Semaphore(self.concurrency))


_open_clients: weakref.WeakSet[HttpClient] = weakref.WeakSet()


def _discard(client: AsyncClient, loop: asyncio.AbstractEventLoop) -> None:
    """Close a pool whose owner was collected, on whatever thread that happened."""

    async def close() -> None:
        await client.aclose()

    if loop.is_running():
        asyncio.run_coroutine_threadsafe(close(), loop)


def _close_all() -> None:
    """At exit: most people never call ``close()``, and should not be told of open sockets for it."""
    from ipyassets.http import loop

    async def close() -> None:
        await asyncio.gather(*(client._drop() for client in list(_open_clients)), return_exceptions=True)  # noqa: SLF001

    if _open_clients:
        with contextlib.suppress(TimeoutError):
            loop.submit(close()).result(timeout=2)


atexit.register(_close_all)


def _asked(call: Call, url: URLParts) -> str:
    place = f"{url.scheme}://{url.host}{f':{url.port}' if url.port else ''}"
    return f"{call.method} {place} for {call.what or 'a file'}" if call.signed else f"{call.method} {place}{url.path}"


async def _read(response: Any, limit: int, asked: str, partial: Partial) -> bytes:
    """The body, refused as soon as it is known to be larger than ``limit`` bytes."""
    too_large = f"{asked} answered with more than {limit // MEGABYTE} MB, the limit for this kind of answer."
    pieces = partial.begin(response.status_code, response.headers)
    if pieces is None:
        raise _Transient(BadResponse(f"{asked} answered with another part than the one asked for."), None)
    size = sum(map(len, pieces))
    try:
        if size + int(response.headers.get("content-length", 0)) > limit:
            raise BadResponse(too_large, status=response.status_code)
    except ValueError:
        pass
    async for piece in response.aiter_bytes():
        size += len(piece)
        if size > limit:
            raise BadResponse(too_large, status=response.status_code)
        pieces.append(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _origin(url: Any) -> tuple[str, str, int | None]:
    return (url.scheme, url.host, url.port)


def _harmless(headers: Mapping[str, str]) -> dict[str, str]:
    """What may be sent to another origin: nothing that names or authorises anybody."""
    return {k: v for k, v in headers.items() if k.lower() in _HARMLESS}


def _ms(started: float) -> float:
    return (time.perf_counter() - started) * 1000


def _error_for(status: int) -> type[AssetServiceError]:
    if status >= 500:
        return ServiceUnavailable
    return {
        401: AuthenticationError,
        403: PermissionDenied,
        404: NotFound,
        408: ServiceUnavailable,
        410: NotFound,
        429: RateLimited,
    }.get(status, InvalidRequest)


_ADVICE: Final[dict[type[AssetServiceError], str]] = {
    AuthenticationError: "Check the credentials; they may have expired or been replaced.",
    PermissionDenied: "These credentials may not do this; ask for a role that may.",
    NotFound: "Check the id and the base URL, and that these credentials can see it.",
    RateLimited: "Wait, then try again.",
    ServiceUnavailable: "The trouble is on the service's side; try again later.",
}
_TROUBLE: Final = {
    "ConnectError": "no connection",
    "ConnectTimeout": "no connection in time",
    "ReadTimeout": "it went silent",
    "ReadError": "the connection broke",
    "RemoteProtocolError": "it hung up",
    "TimeoutError": "it took too long",
    "ProxyError": "the proxy refused",
    "UnsupportedProtocol": "the URL is not http",
}
