"""Texts from elsewhere made fit for where they stand: names, a service's words, whatever no person here wrote."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["cut", "encodable", "hidden", "shown", "straight", "visible"]

_JOINERS: Final = frozenset("\u200c\u200d")
"""Without them, letters of some scripts and many emoji fall apart."""
_TURNING: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
_HALVES: Final = re.compile("[\ud800-\udfff]")
_SHOWN: Final = 120


def hidden(letter: str) -> bool:
    """Whether it is a control, half of a letter, or a mark that turns the direction of a text or cannot be seen."""
    kind = unicodedata.category(letter)
    tag = "\U000e0020" <= letter <= "\U000e007f"  # they make flags of some emoji
    return kind in ("Cc", "Cs", "Cn", "Zl", "Zp") or (kind == "Cf" and letter not in _JOINERS and not tag)


def cut(text: str, longest: int) -> str:
    """At most ``longest`` characters; where some are left out, the last one says so."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def visible(text: str) -> str:
    r"""``text`` with all that is `hidden` written as Python writes it (``\x1b``, ``\u202e``), but for ends of lines.

    So it cannot steer a terminal, nor turn what stands around it.
    """
    if text.isprintable():
        return text
    return "".join(_written(letter) if letter != "\n" and hidden(letter) else letter for letter in text)


def straight(text: str) -> str:
    """``text`` with the marks that turn what comes behind them written out, for where others stand on its line."""
    return _TURNING.sub(lambda mark: _written(mark[0]), text)


def shown(name: str) -> str:
    """``name`` in messages: quoted, on one line, without anything hidden, and short."""
    return repr(cut(name, _SHOWN))


def encodable(value: Any) -> Any:
    """``value``, a text or texts in lists and dicts, without halves of letters: no UTF-8 can say those, and no message.

    JSON may hold them, and names of files that are no text to Python. Two that belong together become the letter,
    others U+FFFD. However deep it is; lists and dicts are copies.
    """
    if isinstance(value, str):
        if value.isascii() or not _HALVES.search(value):
            return value
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    whole = [value]
    left: list[Any] = [whole]
    while left:
        one = left.pop()
        for key, inner in one.items() if isinstance(one, dict) else enumerate(one):
            if isinstance(inner, str):
                one[key] = encodable(inner)
            elif isinstance(inner, Mapping):
                one[key] = {encodable(name): of_it for name, of_it in inner.items()}
                left.append(one[key])
            elif isinstance(inner, list):
                one[key] = list(inner)
                left.append(one[key])
            elif isinstance(inner, tuple):
                one[key] = tuple(encodable(list(inner)))
    return whole[0]


def _written(letter: str) -> str:
    return letter.encode("unicode_escape").decode()
