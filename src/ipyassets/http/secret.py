"""A secret that does not print, pickle, copy or compare to text, and what keeps others from printing it."""

from __future__ import annotations

import base64
import contextlib
import json
import weakref
from collections.abc import ItemsView, Iterator, Mapping
from typing import Any, Final, NoReturn
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

__all__ = ["Secret", "SecretHeaders", "concealed", "sealed"]

_LEAST: Final = 6
"""Characters of a secret that is looked for in other texts: shorter ones stand in ordinary words."""
_LONGEST: Final = 8192
_held: weakref.WeakSet[Secret] = weakref.WeakSet()
"""All of this process: what a service says may repeat any of them."""


class Secret:
    """Holds one credential in memory. Only `reveal` gives it back, and only the http layer and a login call that."""

    __slots__ = ("__weakref__", "_value")

    def __init__(self, value: str) -> None:
        self._value = value
        _held.add(self)

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("Credentials are not pickled or copied; create the client anew in the other process.")

    def __getstate__(self) -> NoReturn:  # object's own gives the slots away, to who pickles by hand
        self.__reduce_ex__(2)


def sealed(value: Any) -> Any:
    """``value``, in a `Secret` if it is a text: so no traceback of what follows shows it. A blank one is none."""
    return (Secret(value.strip()) if value.strip() else None) if isinstance(value, str) else value


class SecretHeaders(Mapping[str, str]):
    """Headers that carry credentials. A traceback that shows local variables shows their names alone.

    No dict: what prints those prettily does not ask them how.
    """

    __slots__ = ("_headers",)

    def __init__(self, headers: Mapping[str, str] | None = None) -> None:
        self._headers = dict(headers or {})

    def __getitem__(self, name: str) -> str:
        return self._headers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._headers)

    def __len__(self) -> int:
        return len(self._headers)

    def items(self) -> ItemsView[str, str]:
        return self._headers.items()  # as `Mapping` makes them they are several times slower

    def __repr__(self) -> str:
        return f"SecretHeaders({', '.join(self)})"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("Headers with credentials are not pickled or copied.")

    def __getstate__(self) -> NoReturn:
        self.__reduce_ex__(2)


def concealed(said: bytes, sent: Mapping[str, str]) -> bytes:
    """What a service says, without our secrets, which some repeat: "no such key: …".

    Those are all that this process holds, and ``sent``, the headers that carried credentials.
    """
    needles = {needle for value in (*_revealed(), *sent.values()) for needle in _needles(value)}
    for needle in sorted(needles, key=len, reverse=True):  # the whole before what is in it
        said = said.replace(needle.encode("utf-8", "surrogatepass"), "…".encode())
    return said


def _revealed() -> list[str]:
    while True:
        try:
            return [secret.reveal() for secret in _held]
        except RuntimeError:  # another thread made one meanwhile
            continue


def _needles(value: str) -> Iterator[str]:
    """How ``value`` may be repeated: a token, what goes before it, the parts of a signed URL or of Basic."""
    if len(value) > _LONGEST or "\n" in value:  # a whole request
        return
    parts = [value.strip()]
    scheme, _, rest = value.strip().partition(" ")
    if "://" in value:
        with contextlib.suppress(ValueError):  # no URL: a password may look like the beginning of one
            parts += [text for pair in parse_qsl(urlsplit(value).query) for text in pair[1:]] + [urlsplit(value).query]
    elif scheme.lower() == "basic":
        with contextlib.suppress(ValueError):  # no base64, or no text in it
            parts += [rest, *base64.b64decode(rest).decode().split(":", 1)]
    elif rest:
        parts.append(rest.strip())
    for part in parts:
        if len(part) >= _LEAST:
            quoted = part.encode("utf-8", "surrogatepass")
            yield from (part, quote(quoted, safe=""), quote_plus(quoted), json.dumps(part)[1:-1])
