"""A secret that does not print, pickle, copy or compare to text."""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = ["Secret", "SecretHeaders"]


class Secret:
    """Holds one credential in memory. Only `reveal` gives it back, and only the http layer and a login call that."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

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


class SecretHeaders(dict[str, str]):
    """Headers that carry credentials. A traceback that shows local variables shows their names alone."""

    def __repr__(self) -> str:
        return f"SecretHeaders({', '.join(self)})"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("Headers with credentials are not pickled or copied.")
