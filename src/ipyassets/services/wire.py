"""What every service needs at its edge: dates, texts, addresses and keywords, each read in one way."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any, Final, TypeVar
from urllib.parse import quote, urljoin, urlsplit

from ipyassets.arguments import whole
from ipyassets.errors import BadResponse, InvalidRequest, NotFound
from ipyassets.http.messages import Answer, parsed
from ipyassets.texts import cut, encodable, visible

__all__ = [
    "base_address",
    "check_names",
    "each_once",
    "error_body",
    "host",
    "identity",
    "is_uuid",
    "listed",
    "origin",
    "page_size",
    "segment",
    "shortened",
    "stripped",
    "utc",
    "zulu",
]

T = TypeVar("T")

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.~\-]+")
_LONGEST_MESSAGE: Final = 400
_PORTS: Final = {"http": 80, "https": 443}


def is_uuid(text: str) -> bool:
    """Whether ``text`` is a uuid in the usual form, 8-4-4-4-12 hexadecimal digits."""
    return _UUID.fullmatch(text) is not None


def utc(value: object) -> datetime | None:
    """An ISO 8601 text with any number of decimals, a datetime or a date (its first moment) in UTC; else None.

    What has no zone is meant in UTC.
    """
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    elif isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time.min)
    if not isinstance(value, datetime):
        return None
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:  # the year 1 or 9999 shifted out of the calendar
        return None


def zulu(moment: datetime) -> str:
    """A moment in UTC as services write it: milliseconds, then Z."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def base_address(url: str, title: str) -> str:
    """A base URL without its last slash. Raises `InvalidRequest`, which never quotes it, if it cannot be one."""
    text = url.strip().rstrip("/")
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        raise InvalidRequest(f"{title}: base_url must start with http:// or https:// and name a host.")
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise InvalidRequest(f"{title}: base_url must have no query and hold no user or password.")
    return text


def origin(url: str, base: str = "") -> tuple[str, str, int | None] | None:
    """Scheme, host and port of ``url`` (seen from ``base`` if relative); None if it is not an http URL."""
    try:
        parts = urlsplit(urljoin(base, url))
        if parts.scheme not in _PORTS or not parts.hostname:
            return None
        return (parts.scheme, parts.hostname.lower(), parts.port or _PORTS[parts.scheme])
    except ValueError:
        return None


def host(url: str) -> str:
    """Host and port of a URL, for cache keys."""
    found = origin(url)
    return "" if found is None else f"{found[1]}:{found[2]}"


def segment(id: object, what: str) -> str:
    """An id as one segment of a path. Raises `NotFound` for what cannot be an id: it might name another path."""
    if not isinstance(id, str) or not id.strip() or id in (".", "..") or len(id) > 300 or encodable(id) != id:
        raise NotFound(f"{id!r:.60} is not the id of {what}.")
    return id if _PLAIN.fullmatch(id) else quote(id, safe="")


def check_names(given: Iterable[str], allowed: Iterable[str], title: str) -> None:
    """Raises `InvalidRequest` for a search keyword that does not exist, naming those that do."""
    names = sorted(allowed)
    for name in given:
        if name not in names:
            close = difflib.get_close_matches(name, names, 1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise InvalidRequest(f"{title} searches have no keyword {name!r}.{hint} They take: {', '.join(names)}.")


def page_size(value: object, usual: int, most: int) -> int:
    """The ``page_size`` keyword, ``usual`` if it is not given. Raises `InvalidRequest` if it is not 1 to ``most``."""
    return usual if value is None else whole("page_size", value, most=most)


def each_once(things: Iterable[T], known_by: str = "id") -> list[T]:
    """``things`` without those that come again: lists that change while they are read bring some twice."""
    once: dict[Any, T] = {}
    for thing in things:
        once.setdefault(getattr(thing, known_by), thing)
    return list(once.values())


def listed(body: Mapping[str, Any], name: str, answer: Answer) -> list[Mapping[str, Any]]:
    """The list of objects at ``name`` of an answer. Raises `BadResponse` if there is none."""
    found = body.get(name)
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise BadResponse(f"{answer.asked} answered without the list {name!r} it documents.", status=answer.status)
    return found


def identity(entity: Mapping[str, Any], name: str, what: str) -> str:
    """What a record is told by, at ``name``. Raises `BadResponse` if it has none."""
    found = entity.get(name)
    if not isinstance(found, str) or not found:
        raise BadResponse(f"{what} came without its {name}.")
    return found


def error_body(answer: Answer) -> Mapping[str, Any]:
    """The JSON object of an answer that may be a refusal; empty where something else came, such as a proxy's HTML."""
    try:
        body = parsed(answer.content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def stripped(value: object) -> str:
    """A text of a record without space around it; empty for what is no text."""
    return value.strip() if isinstance(value, str) else ""


def shortened(text: object) -> str | None:
    """A service's own words, on one line and of bearable length; None if there are none."""
    if not isinstance(text, str):
        return None
    return cut(visible(" ".join(text.split())), _LONGEST_MESSAGE) or None
