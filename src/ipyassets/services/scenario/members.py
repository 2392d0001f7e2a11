"""Which asset a member of an archive came from, by its name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from ipyassets.services.base import Record
from ipyassets.services.scenario.records import part
from ipyassets.services.wire import stripped

__all__ = ["member_of"]


def member_of(name: str, records: Mapping[str, Record]) -> Record | None:
    """By an id in the name; else by a seed, or by the inference it lies under, that only one asset has.

    Prompts are not compared: how the service shortens them is not known well enough to tell two from each other.
    """
    folder, _, file = name.replace("\\", "/").rpartition("/")
    for text in (file, folder):
        found = _longest(text, records)
        if found is not None:
            return records[found]
    stem = file.rpartition(".")[0] or file
    by_seed = _only(records.values(), lambda record: _stands(_seed(record), stem))
    if by_seed is not None:
        return by_seed
    return _only(records.values(), lambda record: any(_stands(group, name) for group in _groups(record)))


def _longest(text: str, ids: Iterable[str]) -> str | None:
    """The longest id in ``text``, as one may be the beginning of another; None if there are two of that length."""
    found = sorted((id for id in ids if id in text and _stands(id, text)), key=len, reverse=True)
    if len(found) > 1 and len(found[0]) == len(found[1]):
        return None
    return found[0] if found else None


def _stands(word: str, text: str) -> bool:
    """Whether ``word`` stands in ``text`` and is not merely a part of a longer word or number."""
    if not word or word not in text:
        return False
    return re.search(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", text) is not None


def _only(records: Iterable[Record], fits: Callable[[Record], bool]) -> Record | None:
    found = [record for record in records if fits(record)]
    return found[0] if len(found) == 1 else None


def _seed(record: Record) -> str:
    seed = record.attributes.get("seed")
    text = seed if isinstance(seed, str) else ""
    return text if len(text) > 3 else ""  # a small number may well be a word of the prompt


def _groups(record: Record) -> list[str]:
    metadata = part(record.raw, "metadata")
    return [stripped(metadata.get("inferenceId")), stripped(metadata.get("parentJobId"))]
