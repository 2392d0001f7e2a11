"""When to try again, and how long to wait: one decision, used for every request.

The loop is in `HttpClient`: tenacity keeps each outcome, cancellations too, in circles of frames and errors, which hold
answers and connections in memory until Python's collector finds them.
"""

from __future__ import annotations

import email.utils
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["DEFAULT_POLICY", "RetryPolicy", "retry_after_seconds"]

RETRIED_STATUSES: Final = frozenset({408, 409, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long: ``attempts`` in all, waits of ``first`` seconds doubling up to ``longest``, with jitter.

    ``retry_after_limit``: a service that asks to wait longer than this is not waited for; the error says how long it
    asked for.
    """

    attempts: int = 4
    first: float = 0.5
    longest: float = 8.0
    retry_after_limit: float = 60.0

    def delay(self, attempt: int, retry_after: float | None) -> float:
        """Seconds before attempt number ``attempt + 1`` (from 1)."""
        if retry_after is not None:
            return retry_after
        return float(min(self.first * 2 ** (attempt - 1), self.longest) * (1 - 0.25 * random.random()))

    def obeys(self, retry_after: float | None) -> bool:
        """Whether a wait of ``retry_after`` seconds is one we are willing to make."""
        return retry_after is None or retry_after <= self.retry_after_limit


DEFAULT_POLICY: Final = RetryPolicy()


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """The wait a service asks for, in seconds: ``retry-after-ms``, else ``Retry-After`` (seconds or HTTP date)."""
    try:
        return max(0.0, float(headers["retry-after-ms"]) / 1000)
    except (KeyError, ValueError):
        pass
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except (TypeError, ValueError, OverflowError):
            return None
    return max(0.0, seconds) if seconds == seconds else None  # noqa: PLR0124  # "nan" is not a wait
