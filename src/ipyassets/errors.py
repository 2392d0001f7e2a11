"""The error tree: one root, and below it what a caller can do something about.

Every error says what was asked, what came back, the service's own code, and what to do next. None holds a
credential or a signed URL: messages are built from routes and ids, never from request objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from traceback import format_tb
from typing import Any, Final, TypeVar

from ipyassets.texts import cut, visible

__all__ = [
    "AssetServiceError",
    "AuthenticationError",
    "BadResponse",
    "Interrupted",
    "InvalidRequest",
    "JobFailed",
    "JobTimeout",
    "NotFound",
    "PermissionDenied",
    "RateLimited",
    "ServiceUnavailable",
]

E = TypeVar("E", bound=BaseException)

_LONGEST: Final = 10_000


class AssetServiceError(Exception):
    """Anything that went wrong between us and an asset service.

    ``status`` is the HTTP status (None if nothing came back), ``code`` the service's own code (such as
    ``PRODUCT_NOT_FOUND`` or ``iModelNotFound``), ``details`` what the service said besides, each with its target
    where it named one.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        details: Sequence[Any] = (),
    ) -> None:
        # Names and words of others stand in it: they must not steer a terminal, or fill a notebook.
        super().__init__(cut(visible(str(message)), _LONGEST))
        self.status = status
        self.code = code
        self.details = tuple(details)

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions with keyword-only arguments do not pickle by themselves; batches of failures should.
        return (_rebuild, (type(self), self.args, self.__dict__.copy()))


def _rebuild(cls: type[AssetServiceError], args: tuple[Any, ...], state: dict[str, Any]) -> AssetServiceError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


def without_frames(error: E, *, places: bool = False) -> E:
    """``error``, and what led to it, without the places of our own that it came through.

    Tracebacks may show their local variables: answers of services, with signed URLs in them. What is kept of many
    errors would also keep all of those in memory. ``places``: they are put down in a note, for what should not happen.
    """
    # Not traceback.clear_frames: up to Python 3.12 it ends the coroutines in it that only wait.
    left: list[BaseException | None] = [error]
    seen: set[int] = set()
    while left:
        one = left.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            if places and one.__traceback__ is not None:
                one.add_note("It came from (without local variables):\n" + "".join(format_tb(one.__traceback__)))
            one.__traceback__ = None
            left += (one.__cause__, one.__context__)
    return error


class AuthenticationError(AssetServiceError):
    """The credentials are missing, wrong, expired or revoked (401, or a refused login)."""


class PermissionDenied(AssetServiceError):
    """The credentials are good, but may not do this (403)."""


class NotFound(AssetServiceError):
    """There is no such thing, or these credentials cannot see it (404); also an asset that has no poster."""


class InvalidRequest(AssetServiceError, ValueError):
    """The request makes no sense: refused by the service (400, 409, 422) or by us before anything was sent."""


class RateLimited(AssetServiceError):
    """The service asked to slow down (429) and retrying did not help. ``retry_after`` is in seconds, if told."""

    def __init__(self, message: str, *, retry_after: float | None = None, **kwargs: Any) -> None:
        super().__init__(message, **kwargs)
        self.retry_after = retry_after


class ServiceUnavailable(AssetServiceError):
    """The service or the network failed (5xx, no connection, time-out), also after retries."""


class BadResponse(AssetServiceError):
    """The answer is not what the service documents: not JSON, not an image, the wrong shape, too large.

    ``advice`` stands at the end of the message; "" where the message says itself what to do.
    """

    def __init__(
        self,
        message: str,
        *,
        advice: str = "Try again; if it stays so, ask the service's support, or look for a newer ipyassets.",
        **kwargs: Any,
    ) -> None:
        super().__init__(f"{message} {advice}" if advice else message, **kwargs)


class JobFailed(AssetServiceError):
    """A job of which nothing succeeded."""


class JobTimeout(AssetServiceError, TimeoutError):
    """The wait was over before the job was; the work itself goes on."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during long work. ``partial`` holds what had come by then."""

    def __init__(self, message: str, *, partial: Any = None) -> None:
        super().__init__(message)
        self.partial = partial
