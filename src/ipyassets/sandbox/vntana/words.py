"""Finds words in names: whole, begun, inside, or mistyped, and says how well they fit."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["Index", "folded", "natural", "words"]

Scores = npt.NDArray[np.float64]

INSIDE_LENGTH = 3
"""Latin words shorter than this are not looked for inside others."""
SIMILARITY = 0.72
"""Ratio of `difflib` from which a word counts as a mistyped one."""

_DIGITS = re.compile(r"(\d+)")


def folded(text: str) -> str:
    """``text`` without case and accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in plain if not unicodedata.combining(character))


def words(text: str) -> list[str]:
    return re.findall(r"\w+", folded(text))


def natural(text: str) -> list[tuple[int, int, str]]:
    """A sort key under which "Chair 2" stands before "Chair 10"."""
    parts = _DIGITS.split(text.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]


class Index:
    """Which of some texts hold a word, by exact and by likely spelling."""

    def __init__(self, texts: Sequence[Iterable[str]]) -> None:
        self._size = len(texts)
        places: dict[str, list[int]] = {}
        for place, text in enumerate(texts):
            for word in dict.fromkeys(word for part in text for word in words(part)):
                places.setdefault(word, []).append(place)
        self._places = {word: np.array(found) for word, found in places.items()}

    def scores(self, word: str) -> Scores:
        """For each text, 0 to 1: how well ``word`` fits its best word."""
        scores = np.zeros(self._size)
        for candidate, fit in self._candidates(word):
            places = self._places[candidate]
            scores[places] = np.maximum(scores[places], fit)
        return scores

    def _candidates(self, word: str) -> list[tuple[str, float]]:
        found = [(candidate, fit) for candidate in self._places if (fit := _fit(word, candidate))]
        if found:
            return found
        close = difflib.get_close_matches(word, self._places, n=8, cutoff=SIMILARITY)
        return [(candidate, 0.45 * difflib.SequenceMatcher(None, word, candidate).ratio()) for candidate in close]


def _fit(word: str, candidate: str) -> float:
    if word == candidate:
        return 1.0
    if candidate.startswith(word):
        return 0.75 + 0.2 * len(word) / len(candidate)
    if word in candidate and (len(word) >= INSIDE_LENGTH or not word.isascii()):
        return 0.55 + 0.1 * len(word) / len(candidate)
    return 0.0
