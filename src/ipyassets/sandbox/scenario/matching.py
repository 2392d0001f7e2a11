"""Which assets a text query finds: every word of it must be met, exactly, by its beginning, or but for a typo."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from ipyassets.sandbox.scenario.catalogue import Asset
from ipyassets.sandbox.scenario.seeds import Seed

__all__ = ["TextQuery", "distance"]

_WORD = re.compile(r"\w+")
# From this many letters on, one and two typos are forgiven.
_ONE_TYPO, _TWO_TYPOS = 5, 9
_EXACT, _PREFIX = 1.0, 0.9
_TYPO = {1: 0.7, 2: 0.5}


def distance(a: str, b: str, most: int) -> int:
    """Edits between two words, a swap of neighbours being one; ``most + 1`` as soon as it is certainly more."""
    if abs(len(a) - len(b)) > most:
        return most + 1
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
        before, last = last, row
    return last[-1]


def _words(texts: Iterable[str | None]) -> Iterator[str]:
    return (word for text in texts if text for word in _WORD.findall(text.casefold()))


def _rank(token: str, words: Iterable[str]) -> float:
    """How well the best of ``words`` meets ``token``; 0 if none does."""
    most = 0 if len(token) < _ONE_TYPO else 1 if len(token) < _TWO_TYPOS else 2
    best = 0.0
    for word in words:
        if word == token:
            return _EXACT
        if word.startswith(token):
            best = max(best, _PREFIX)
        elif most and best < _TYPO[1] and (typos := distance(token, word, most)) <= most:
            best = max(best, _TYPO[typos])
    return best


class TextQuery:
    """One query. The words that all variations of a seed share are looked at once for all of them."""

    def __init__(self, text: str) -> None:
        self.tokens = _WORD.findall(text.casefold())
        self._shared: dict[Seed, list[float]] = {}

    @cached_property
    def _specific(self) -> list[bool]:
        """For each token, whether it can meet what is an asset's own: its seed number or the ``v12`` of its name."""
        return [token.isdecimal() or re.fullmatch(r"v\d*", token) is not None for token in self.tokens]

    def score(self, asset: Asset) -> float | None:
        """Between 0 and 1, None if a word is not met. A query without words meets everything."""
        ranks = self._ranks(asset)
        total = 0.0
        for n, rank in enumerate(ranks):
            met = rank
            if met < _EXACT and self._specific[n]:
                own = (str(asset.number or ""), f"v{asset.variation + 1}" if asset.variation else "")
                met = max(met, _rank(self.tokens[n], own))
            if not met:
                return None
            total += met
        return round(total / len(ranks), 4) if ranks else 1.0

    def _ranks(self, asset: Asset) -> list[float]:
        if asset.change is not None:
            return self._rank_seed(asset.seed, asset.tags)
        ranks = self._shared.get(asset.seed)
        if ranks is None:
            ranks = self._shared[asset.seed] = self._rank_seed(asset.seed, asset.seed.tags)
        return ranks

    def _rank_seed(self, seed: Seed, tags: tuple[str, ...]) -> list[float]:
        words = set(_words((seed.name, seed.prompt, seed.description, seed.caption, *tags)))
        return [_rank(token, words) for token in self.tokens]
