"""Requests with everything a polite client does: limits, retries, safe redirects, size limits, clear errors.

A service owns one `HttpClient`, says how its error bodies read (``explain``) and how a request is authorised
(``Authorizer``); status codes become the errors of `ipyassets.errors` here and nowhere else.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from typing import Final

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
from ipyassets.http import pace
from ipyassets.http.exchange import Arriving, Exchange, Transient, repeatable
from ipyassets.http.messages import Answer, Authorizer, Call, Explanation
from ipyassets.http.partial import Partial
from ipyassets.http.retry import DEFAULT_POLICY, RETRIED_STATUSES, RetryPolicy, retry_after_seconds
from ipyassets.http.secret import concealed

__all__ = ["HttpClient"]

log = logging.getLogger("ipyassets.http")


class HttpClient:
    """HTTP to one service. Lives on the loop thread."""

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
        self._explain = explain
        self._declined = declined
        self._exchange = Exchange(
            title,
            concurrency=concurrency,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            total_timeout=total_timeout,
        )

    # -- public ---------------------------------------------------------------------------------------------------

    async def send(self, call: Call) -> Answer:
        """Send ``call`` until it is answered well. Raises the errors of `ipyassets.errors`, never another library's."""
        return await self._persist(call, Partial(keep=call.resume and call.method == "GET"), whole=True)

    @contextlib.asynccontextmanager
    async def stream(self, call: Call) -> AsyncIterator[Arriving]:
        """As `send`, with the body still to come: for files that are larger than memory.

        Time limits hold up to the beginning of the body; then only silence has one, and what breaks off is not tried
        again. Where a service declines with a status below 300, this does not notice.
        """
        answer = await self._persist(call, Partial(keep=False), whole=False)
        if not isinstance(answer, Arriving):
            raise BadResponse(f"{answer.asked} answered with status {answer.status}.", status=answer.status)
        try:
            yield answer
        finally:
            await answer.aclose()

    async def close(self) -> None:
        """Close all connections. Safe to call twice."""
        await self._exchange.close()

    async def _persist(self, call: Call, partial: Partial, *, whole: bool) -> Answer:
        """Try until it goes well, or often enough.

        An error knows the frames it came through. Where one of their variables knows the error, both stay in memory,
        with answers and connections, until Python's collector has gone through all there is. So none of them does: a
        list that is empty once the error is raised holds it in the meantime.
        """
        attempt, unsure = 1, False
        while True:
            try:
                return await self._attempt(call, partial, whole=whole)
            except Transient as failure:
                failed, asked = [failure.error], failure.retry_after
                unsure = unsure or failure.unsure
            except NotFound as gone:
                if not (unsure and call.method == "DELETE"):
                    raise
                log.info("%s; an earlier try has deleted it", gone)
                return Answer(204, {}, b"", call.what or call.method)
            if attempt >= self.policy.attempts:
                raise failed.pop()
            wait = self.policy.delay(attempt, asked)
            log.info("%s; trying again in %.1f s", failed.pop(), wait)
            await asyncio.sleep(wait)
            attempt += 1

    # -- one attempt ----------------------------------------------------------------------------------------------

    async def _attempt(self, call: Call, partial: Partial, *, whole: bool) -> Answer:
        authorizer = self.authorizer if isinstance(call.authorize, bool) else call.authorize
        if authorizer is None or call.authorize is False:
            sent: Mapping[str, str] = {}
            answer = await self._sent(call, sent, partial, whole=whole)
            good = self._good(answer)
        else:
            sent = await authorizer.headers()
            answer = await self._sent(call, sent, partial, whole=whole)
            good = self._good(answer)
            if self._stale(authorizer, answer, sent, good=good):
                sent = await authorizer.headers()
                answer = await self._sent(call, sent, partial, whole=whole)
                good = self._good(answer)
                if self._stale(authorizer, answer, sent, good=good):
                    failure = [self._failure(call, answer, self._explained(answer, sent), AuthenticationError)]
                    if repeatable(call) and await authorizer.overtaken(sent):
                        raise Transient(failure.pop(), None)
                    raise failure.pop()
            if good and not answer.foreign:
                authorizer.learned(answer, sent)
        if answer.status in range(300, 400):
            raise BadResponse(f"{answer.asked} answered with status {answer.status}.", status=answer.status)
        if not good:
            refusal = [self._judged(call, answer, sent)]
            await self._slow_down(refusal[0])
            raise refusal.pop()
        return answer

    async def _sent(self, call: Call, credentials: Mapping[str, str], partial: Partial, *, whole: bool) -> Answer:
        await pace.turn()
        return await self._exchange.send(call, credentials, partial, whole=whole)

    async def _slow_down(self, refusal: Exception) -> None:
        """Tell the others who share a budget of a wait that the service asks for and that we make."""
        if isinstance(refusal, Transient) and isinstance(refusal.error, RateLimited):
            await pace.hold(self.policy.first if refusal.retry_after is None else refusal.retry_after)

    def _good(self, answer: Answer) -> bool:
        if isinstance(answer, Arriving):
            return True
        return answer.status < 300 and not (self._declined is not None and self._declined(answer))

    def _stale(self, authorizer: Authorizer, answer: Answer, sent: Mapping[str, str], *, good: bool) -> bool:
        refusal = answer.status in (401, 403) or (answer.status < 300 and not good)
        return refusal and bool(sent) and not answer.foreign and authorizer.refused(answer, sent)

    def _explained(self, answer: Answer, sent: Mapping[str, str]) -> Explanation:
        """What the service says, but for secrets that it repeats to us."""
        return self._explain(replace(answer, content=concealed(answer.content, sent)))

    def _judged(self, call: Call, answer: Answer, sent: Mapping[str, str]) -> Exception:
        """The error for a refusal, marked as transient where another try is allowed and may help."""
        explanation = self._explained(answer, sent)
        error = self._failure(call, answer, explanation, explanation.error or _error_for(answer.status))
        waits = [w for w in (explanation.retry_after, retry_after_seconds(answer.headers)) if w is not None]
        asked = max(waits, default=None)
        retry, harmless = answer.status in RETRIED_STATUSES, repeatable(call)
        if isinstance(error, RateLimited):
            # It was not carried out, so even a POST that must not be doubled may be sent again.
            retry = harmless = True
            error.retry_after = asked
            if asked:
                error.args = (f"{error} The service asks for a wait of {asked:.0f} s.",)
        if explanation.retry is not None:
            retry = explanation.retry
        if retry and harmless and self.policy.obeys(asked):
            return Transient(error, asked, unsure=answer.status >= 500)
        return error

    def _failure(
        self, call: Call, answer: Answer, explanation: Explanation, kind: type[AssetServiceError]
    ) -> AssetServiceError:
        said = ": ".join(part for part in (explanation.code, explanation.message) if part)
        text = f"{self.title} refused {call.what or answer.asked} with {answer.status}"
        text += f" ({said})." if said else "."
        advice = explanation.advice or _ADVICE.get(kind)
        if advice:
            text += f" {advice}"
        return kind(text, status=answer.status, code=explanation.code, details=explanation.details)


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
    InvalidRequest: "Check what was given.",
    NotFound: "Check the id and the base URL, and that these credentials can see it.",
    RateLimited: "Wait, then try again.",
    ServiceUnavailable: "The trouble is on the service's side; try again later.",
}
