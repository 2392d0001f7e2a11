"""File names from a template: ``<prompt>/<id>`` gives ``cat_dancing/asset_…``.

    <seed> <num> <generator> <id>          as they are
    <prompt> <description>                 slugs: lower case, no function words, at most 8 words joined with ``_``

``/`` makes a directory. A token that came before, is unknown or has no value goes, with the separator before it (or
after it, where it stands first). A file name has at most 128 characters with its ending, a directory 64; prompt and
description are shortened first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

__all__ = ["TOKENS", "Template", "numbered", "slug"]

TOKENS = ("seed", "num", "prompt", "generator", "id", "description")
_OTHER_NAMES = {"assetId": "id"}  # the guide's
_LONGEST_NAME, _LONGEST_FOLDER = 128, 64
_SHORTENED = ("prompt", "description")
_MOST_WORDS = 8
# Nobody says which; articles, prepositions, conjunctions, forms of "to be".
_FUNCTION_WORDS = frozenset(
    ["a", "an", "the", "of", "in", "on", "at", "to", "for", "with", "and", "or", "by", "from", "is", "are"]
)

_TOKEN = re.compile(r"<([A-Za-z_]+)>")
_WORD = re.compile(r"[^\W_]+")
_SEPARATORS = " -_.,+~"
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\\ud800-\udfff]')


def slug(text: str | None) -> str | None:
    """``cat_dancing`` for "A cat, dancing"; None if no word is left."""
    words = [word for word in _WORD.findall((text or "").lower()) if word not in _FUNCTION_WORDS]
    return "_".join(words[:_MOST_WORDS]) or None


@dataclass(frozen=True, slots=True)
class Template:
    segments: tuple[str, ...]
    """What stood between the slashes; the last one names the file."""

    @classmethod
    def parse(cls, text: str) -> Template:
        return cls(tuple(text.split("/")))

    def path(self, values: Mapping[str, str | None], ending: str) -> str:
        """The relative path for one asset. ``values``: by token, slugs made already; ``ending`` without its dot."""
        used: set[str] = set()
        folders = [_segment(one, values, used, _LONGEST_FOLDER) for one in self.segments[:-1]]
        room = _LONGEST_NAME - len(ending) - 1
        name = _segment(self.segments[-1], values, used, room) or str(values["id"])[:room]
        return "/".join([*(folder for folder in folders if folder not in {"", ".", ".."}), f"{name}.{ending}"])


def numbered(paths: Iterable[str]) -> list[str]:
    """With ``_2``, ``_3`` before the endings of those that came before."""
    taken: set[str] = set()
    made = []
    for path in paths:
        folder, slash, name = path.rpartition("/")
        stem, dot, ending = name.rpartition(".")
        one, number = path, 1
        while one in taken:
            number += 1
            mark = f"_{number}{dot}{ending}"
            one = f"{folder}{slash}{stem[: _LONGEST_NAME - len(mark)]}{mark}"
        taken.add(one)
        made.append(one)
    return made


def _segment(text: str, values: Mapping[str, str | None], used: set[str], longest: int) -> str:
    """One directory or name; notes the tokens it uses."""
    values = dict(values)
    before = frozenset(used)
    made = _filled(text, values, used, before)
    for token in _SHORTENED:
        value = values.get(token)
        excess = len(made) - longest
        if excess > 0 and value and token in used - before:
            values[token] = value[: max(0, len(value) - excess)].rstrip("_")
            made = _filled(text, values, used, before)
    return made[:longest].rstrip(" .")


def _filled(text: str, values: Mapping[str, str | None], used: set[str], before: frozenset[str]) -> str:
    seen = set(before)
    parts: list[tuple[str, bool]] = []
    """Each with whether it is a token's value: separators are taken from the template's own words only."""
    dangling = False
    for n, piece in enumerate(_TOKEN.split(text)):
        if n % 2 == 0:
            literal = _UNSAFE.sub("_", piece)
            parts.append((literal.lstrip(_SEPARATORS) if dangling else literal, False))
            dangling = False
            continue
        token = _OTHER_NAMES.get(piece, piece)
        value = values.get(token)
        if token not in TOKENS or token in seen or not value:
            literal = parts[-1][0]
            parts[-1] = (literal.rstrip(_SEPARATORS), False)
            dangling = not any(part for part, _ in parts)
            continue
        seen.add(token)
        parts.append((_UNSAFE.sub("_", value.replace("/", "_")), True))
    used |= seen
    return "".join(part for part, _ in parts)
