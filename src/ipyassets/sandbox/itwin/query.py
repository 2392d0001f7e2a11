"""Query strings of the platform: names in any case, validated together, and the links to other pages."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, quote

from starlette.requests import Request

from ipyassets.sandbox.itwin.errors import PlatformError, detail, invalid, missing_parameter

__all__ = ["Query", "base_url", "href", "prefer"]

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MOST = 1000
_DEFAULT = 100


def base_url(request: Request) -> str:
    """Where this API is mounted, absolute, from the request's own origin and prefix; no slash at the end."""
    return f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}".rstrip("/")


def href(base: str, path: str, params: Mapping[str, object]) -> str:
    """An absolute link with ``$`` left as it is in names, as the platform writes it."""
    query = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in params.items())
    return f"{base}{path}?{query}" if query else f"{base}{path}"


def prefer(request: Request, default: str = "minimal") -> str:
    """``minimal`` or ``representation``, from the Prefer header."""
    for value in request.headers.get("prefer", "").split(","):
        name, _, choice = value.strip().partition("=")
        if name.lower() == "return" and choice.lower() in {"minimal", "representation"}:
            return choice.lower()
    return default


class Query:
    """One request's parameters. Problems are collected; `check` raises them all as one 422."""

    def __init__(self, request: Request, *, code: str = "InvalidiModelsRequest", what: str = "iModels") -> None:
        # Recorded answers spell iTwinId and itwinId in one breath: names are matched without regard to case.
        pairs = parse_qsl(request.url.query, keep_blank_values=True)
        self._values = {name.lower(): value for name, value in pairs}
        self._headers = request.headers
        self._code = code
        self._what = what
        self.problems: list[dict[str, Any]] = []

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._values

    def text(self, name: str) -> str | None:
        """The value; None if absent or empty."""
        return self._values.get(name.lower()) or None

    def choice(self, name: str, allowed: Collection[str], default: str | None = None) -> str | None:
        value = self.text(name)
        if value is None:
            return default
        for one in allowed:
            if one.lower() == value.lower():
                return one
        self.problems.append(invalid(name, value, ", ".join(allowed)))
        return default

    def choices(self, name: str, allowed: Collection[str]) -> tuple[str, ...]:
        """A comma list, each of which must be allowed."""
        known = {one.lower(): one for one in allowed}
        parts = [part.strip() for part in (self.text(name) or "").split(",") if part.strip()]
        self.problems += [invalid(name, part, ", ".join(allowed)) for part in parts if part.lower() not in known]
        return tuple(known[part.lower()] for part in parts if part.lower() in known)

    def flag(self, name: str) -> bool:
        return self.choice(name, ("true", "false"), "false") == "true"

    def guid(self, name: str, *, required: bool = False) -> str | None:
        value = self.text(name)
        if value is None:
            if required:
                self.problems.append(missing_parameter(name))
            return None
        if not _GUID.fullmatch(value):
            self.problems.append(invalid(name, value, "a GUID in 8-4-4-4-12 form"))
            return None
        return value.lower()

    def integer(self, name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
        value = self._values.get(name.lower())
        if value is None:
            return default
        number = _integer(value, least, most)
        if number is None:
            self.problems.append(invalid(name, value, _range(least, most)))
        return default if number is None else number

    def header_integer(self, name: str, default: int, *, least: int, most: int) -> int:
        value = self._headers.get(name)
        number = default if value is None else _integer(value, least, most)
        if number is None:
            self._bad_header(name, value, _range(least, most))
        return default if number is None else number

    def header_choice(self, name: str, allowed: Collection[str]) -> None:
        value = self._headers.get(name)
        if value is not None and value.lower() not in {one.lower() for one in allowed}:
            self._bad_header(name, value, ", ".join(allowed))

    def _bad_header(self, name: str, value: str | None, allowed: str) -> None:
        message = f"'{value}' is not a valid value for header '{name}'. Valid values: {allowed}."
        self.problems.append(detail("InvalidHeaderValue", message, name))

    def order(self, name: str, fields: Collection[str]) -> tuple[tuple[str, bool], ...]:
        """``field [asc|desc], …`` as (field, descending) pairs."""
        known = {field.lower(): field for field in fields}
        order = []
        for part in (self.text(name) or "").split(","):
            words = part.split()
            if not words:
                continue
            direction = words[1].lower() if len(words) > 1 else "asc"
            if words[0].lower() not in known or direction not in {"asc", "desc"} or len(words) > 2:
                self.problems.append(invalid(name, part.strip(), f"{', '.join(fields)}, each with asc or desc"))
            else:
                order.append((known[words[0].lower()], direction == "desc"))
        return tuple(order)

    def exclude(self, *names: str) -> None:
        """Note a problem if more than one of these is given."""
        given = [name for name in names if self.text(name) is not None]
        if len(given) > 1:
            message = f"Parameters {', '.join(given)} cannot be used together."
            self.problems.append(detail("MutuallyExclusiveParametersProvided", message, given[-1]))

    def check(self) -> None:
        if self.problems:
            raise PlatformError(422, self._code, f"Cannot get {self._what}.", details=self.problems)

    def window(self, key: bytes) -> Window:
        """The page asked for, by ``$skip`` or by ``$continuationToken``; checks everything noted so far."""
        top = self.integer("$top", _DEFAULT, least=1, most=_MOST)
        token = self._values.get("$continuationtoken")
        skip = self.integer("$skip", 0)
        if token:
            offset = _read_token(key, token)
            if offset is None:
                self.problems.append(invalid("$continuationToken", token, "a token from a previous page"))
            skip = offset or 0
        elif token == "":
            skip = 0
        self.check()
        return Window(top, skip, key if token is not None else None)


class Window:
    """A page of a collection: ``top`` rows from ``skip``, and the links around it."""

    def __init__(self, top: int, skip: int, key: bytes | None) -> None:
        self.top = top
        self.skip = skip
        self._key = key

    def of(self, rows: Sequence[Any]) -> Sequence[Any]:
        return rows[self.skip : self.skip + self.top]

    def links(
        self, base: str, path: str, params: Mapping[str, object | None], total: int, *, absent: bool = False
    ) -> dict[str, Any]:
        """``_links`` with self, prev and next. A page that is not there is null (iModels) or absent (iTwins)."""
        kept = {name: value for name, value in params.items() if value is not None}
        links: dict[str, Any] = {"self": self._link(base, path, kept, self.skip)}
        links["prev"] = self._link(base, path, kept, max(0, self.skip - self.top)) if self.skip else None
        after = self.skip + self.top
        links["next"] = self._link(base, path, kept, after) if after < total else None
        return {name: link for name, link in links.items() if link is not None or not absent}

    def _link(self, base: str, path: str, params: dict[str, object], skip: int) -> dict[str, str]:
        place = {"$skip": skip} if self._key is None else {"$continuationToken": _make_token(self._key, skip)}
        return {"href": href(base, path, {**params, **place, "$top": self.top})}


def _integer(text: str, least: int, most: int | None) -> int | None:
    # isdecimal() alone would let other scripts' digits through; the length keeps int() cheap.
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        return None
    number = int(text)
    return number if number >= least and (most is None or number <= most) else None


def _range(least: int, most: int | None) -> str:
    return f"an integer from {least}" + ("" if most is None else f" to {most}")


def _make_token(key: bytes, offset: int) -> str:
    if offset == 0:
        return ""
    mark = hmac.new(key, str(offset).encode(), hashlib.sha256).digest()[:9]
    return base64.urlsafe_b64encode(mark + str(offset).encode()).rstrip(b"=").decode("ascii")


def _read_token(key: bytes, token: str) -> int | None:
    try:
        offset = int(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))[9:])
    except ValueError:
        return None
    return offset if hmac.compare_digest(_make_token(key, offset).encode(), token.encode()) else None
