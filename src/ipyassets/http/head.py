"""The head of an HTTP/1 answer, and what it says of the body."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

__all__ = ["Fields", "Headers", "Trouble", "WireError", "length", "parsed", "tokens"]

Trouble: TypeAlias = Literal["connect", "connect in time", "certificate", "silent", "broken", "hung up", "protocol"]
Headers: TypeAlias = list[tuple[bytes, bytes]]

_STATUS: Final = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\r\n\x00]*)?")
_HEADER: Final = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([^\x00\r\n]*)")


class WireError(Exception):
    """An answer that did not come, or not whole. Says what the trouble is and nothing else: it may be shown."""

    def __init__(self, trouble: Trouble, *, answered: bool = True) -> None:
        super().__init__(trouble)
        self.trouble = trouble
        self.answered = answered
        """Whether anything of an answer had come."""


class Fields(Mapping[str, str]):
    """Headers by their names, in which capitals do not count; those of one name are one, with commas."""

    __slots__ = ("_fields",)

    def __init__(self, headers: Headers) -> None:
        self._fields: dict[str, str] = {}
        for key, value in headers:
            name, text = key.decode("ascii").lower(), _text(value)
            self._fields[name] = f"{self._fields[name]}, {text}" if name in self._fields else text

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._fields

    def get(self, name: str, default: Any = None) -> Any:
        return self._fields.get(name.lower(), default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"Fields({', '.join(self._fields)})"  # the names alone: a value may be a token


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def parsed(head: bytes) -> tuple[int, int, Headers]:
    """Minor version, status and headers. Raises `WireError` for what is not HTTP/1."""
    first, *lines = head.replace(b"\r\n", b"\n").split(b"\n")
    status = _STATUS.fullmatch(first)
    if status is None:
        raise WireError("protocol")
    headers: Headers = []
    for line in lines:
        found = _HEADER.fullmatch(line)
        if found is not None:
            # Stripped here: an expression that does it takes the square of a long run of blanks.
            headers.append((found[1], found[2].strip(b" \t")))
        elif line[:1] in (b" ", b"\t") and headers and b"\0" not in line and b"\r" not in line:
            name, value = headers[-1]  # an old way to break a line
            headers[-1] = (name, value + b" " + line.strip())
        else:
            raise WireError("protocol")
    return int(status[1]), int(status[2]), headers


def tokens(headers: Headers, name: bytes) -> list[bytes]:
    """The words of a header that is a list, in small letters."""
    values: Sequence[bytes] = [value for key, value in headers if key.lower() == name]
    return [token.strip().lower() for value in values for token in value.split(b",") if token.strip()]


def length(headers: Headers) -> int | None:
    """Content-Length; None if it is not given. Raises `WireError` where it is no length, or several."""
    said = {token for key, value in headers if key.lower() == b"content-length" for token in value.split(b",")}
    said = {token.strip() for token in said}
    if not said:
        return None
    token = said.pop()
    if said or not token.isdigit() or len(token) > 18:
        raise WireError("protocol")
    return int(token)
