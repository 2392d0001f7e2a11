"""Whether what came of a case is right, item by item, and whether an error is one of ours that helps."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from ipyassets import errors
from ipyassets.errors import AssetServiceError
from tests.faults.ground import Ids, Named, Shown, Silent
from tests.faults.troubles import Trouble

__all__ = ["Outcome", "compared", "judged", "signed"]

ADVICE: Final = re.compile(
    r"\b(?:[Cc]heck|[Tt]ry|[Ww]ait|[Aa]sk|[Gg]ive|[Ll]ook|[Ss]et|[Uu]se|[Uu]pdate|[Bb]egin again|[Oo]rder|[Pp]ublish|"
    r"[Ll]og in|[Rr]etry|[Ll]ist|[Dd]elete|[Ss]ave|[Nn]ame the|[Ii]s the|[Ii]s a|will)\b"
)
"""A word of what to do next."""
_SIGNED: Final = re.compile(r"Signature=|X-Goog-|Policy=|eyJ[A-Za-z0-9_-]{20}|\bBearer\s+\S{12}|\bBasic\s+\S{12}")


@dataclass
class Outcome:
    """``word``: "right"; "silent" (None in the place of some); "shown" (said in words on the page); "unseen" (other
    bytes, which nobody can tell); or the class of the error, with "named" before it where it stands in the failures of
    a result.
    """

    word: str
    wrongs: list[str] = field(default_factory=list)
    """What must not be."""
    seconds: float = 0.0
    struck: int = 0
    """How many requests."""

    @property
    def told(self) -> str:
        """The word, or that there was nothing to strike."""
        return "unstruck" if not self.struck and self.word == "right" else self.word


def compared(trouble: Trouble, value: Any, right: Any) -> Outcome:
    """``value`` against what comes while all is well."""
    if isinstance(value, Ids):
        return _of_list(trouble, value.ids, right.ids, whole=value.whole)
    if value == right:
        return Outcome("right")
    if isinstance(value, Named) and value.errors:
        names = sorted({type(error).__name__ for error in value.errors})
        return Outcome("named " + " ".join(names), [] if trouble.unseen else _of_named(value, right))
    if isinstance(value, Shown):
        strange = [one for one in value.results if one is not None and one not in right.results]
        if value.words and (trouble.unseen or not strange):
            return Outcome("shown", [f"it does not say what to do: {one}" for one in value.words if not helps(one)])
        if not strange:  # a tile says that there is no picture
            return Outcome("unseen" if trouble.unseen else "silent")
    if isinstance(value, Silent):
        lost = [one for one, (_, there) in zip(value.pairs, right.pairs, strict=False) if one[1] not in (None, there)]
        same = [one[0] for one in value.pairs] == [one[0] for one in right.pairs]
        if same and (trouble.unseen or not lost):
            return Outcome("silent")
        return Outcome("?wrong", [f"{value} in the place of {right}"])
    if trouble.unseen:
        return Outcome("unseen")
    return Outcome("?wrong", [f"{str(value)[:300]} in the place of {str(right)[:300]}"])


def _of_named(value: Named, right: Named) -> list[str]:
    """Each result is the right one in its place, or missing and named."""
    if not value.slots:
        strange = [one for one in value.results if one not in right.results]
        return [f"not of the result: {strange}"] if strange else []
    if len(value.results) != len(right.results):
        return [f"{len(value.results)} slots in the place of {len(right.results)}"]
    wrongs = [
        f"slot {number}: {one} in the place of {there}"
        for number, (one, there) in enumerate(zip(value.results, right.results, strict=True))
        if one is not None and one != there
    ]
    empty = sum(one is None for one in value.results)
    if empty != len(value.errors):
        wrongs.append(f"{empty} slots are empty, and {len(value.errors)} named")
    return wrongs


def _of_list(trouble: Trouble, value: tuple[str, ...], right: tuple[str, ...], *, whole: bool) -> Outcome:
    """Whether nothing is lost or there twice; a list that changed meanwhile may have what is new or gone, or not."""
    doubled = sorted({id for id in value if value.count(id) > 1})
    if doubled:
        return Outcome("?doubled", [f"there twice: {doubled}"])
    if value == right:
        return Outcome("right")
    if trouble.name.startswith("item ") and whole:
        lost = set(right) - set(value) - {right[0]}
        more = set(value) - set(right)
        if not lost and len(more) <= 1:
            return Outcome("right")
        return Outcome("?lost", [f"lost: {sorted(lost)}, more: {sorted(more)}"])
    if trouble.name.startswith("item ") and len(set(value) ^ set(right)) <= 2 and len(value) == len(right):
        return Outcome("right")  # a part of the list as it was after the change
    return Outcome("?wrong", [f"{value} in the place of {right}"])


def judged(error: AssetServiceError, tells: Callable[[str], bool]) -> list[str]:
    """What is wrong with an error; ``tells`` whether a text holds a secret."""
    wrongs = []
    if type(error).__name__ not in errors.__all__ or type(error) is AssetServiceError:
        wrongs.append(f"not documented: {type(error).__name__}: {error}")
    if not helps(str(error)):
        wrongs.append(f"it does not say what to do: {type(error).__name__}: {error}")
    text = "".join(traceback.format_exception(error)) + repr(vars(error)) + repr(error)
    if tells(text):
        wrongs.append(f"a secret in the error: {text[-500:]}")
    return wrongs


def helps(text: str) -> bool:
    """Whether it says what to do."""
    return bool(ADVICE.search(text))


def signed(text: str) -> bool:
    """Whether there is a signed URL or a token in it."""
    return bool(_SIGNED.search(text))
