"""Templates of member names, such as ``<prompt>-<id>``: checked before they are sent, and previewed.

The preview follows the published rules. Where nothing is published it guesses: which words a slug leaves out, how
members are grouped in folders, what stands for the name of a generator (the id of the model is shown).
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ipyassets.errors import InvalidRequest
from ipyassets.services.base import Record
from ipyassets.services.downloading import ArchiveOrder
from ipyassets.services.scenario.formats import ending, media_type
from ipyassets.services.scenario.records import part
from ipyassets.services.wire import stripped

__all__ = ["TOKENS", "check_template", "legal", "member_names", "slug"]

TOKENS: Final = {
    "prompt": "the prompt, in at most 8 words",
    "id": "the id of the asset",
    "description": "the description or caption, in at most 8 words",
    "seed": "the seed",
    "num": "the number among what was made together",
    "generator": "the name of the model",
}
"""Each, and what comes in its place."""
_OTHER_WORDS: Final = {
    "assetid": "id",
    "asset": "id",
    "uuid": "id",
    "index": "num",
    "number": "num",
    "model": "generator",
    "caption": "description",
    "name": "description",
}
_LONGEST_NAME: Final = 128
_LONGEST_FOLDER: Final = 64
_MOST_WORDS: Final = 8
_TOKEN: Final = re.compile(r"<([^<>/]*)>")
_WORD: Final = re.compile(r"[^\W_]+")
_SEPARATORS: Final = " -_.,+~"
_ILLEGAL: Final = frozenset('<>:"|?*\\')
# Articles, prepositions, conjunctions and forms of "to be"; the service does not say which it leaves out.
_FUNCTION_WORDS: Final = frozenset("a an the of in on at to for with and or by from is are".split())  # noqa: SIM905
_SHORTENED: Final = ("prompt", "description")


def check_template(template: str) -> tuple[str, ...]:
    """What may disappoint in ``template``, in sentences. Raises `InvalidRequest` for one that cannot work."""
    if not isinstance(template, str) or not template.strip():
        raise InvalidRequest("The file name template is empty; '<prompt>-<id>' is a good one.")
    if template.startswith("/"):
        raise InvalidRequest("A file name template must not begin with '/': members lie inside of the archive.")
    for folder, segment in _segments(template):
        _check_segment(segment, folder=folder)
    tokens = _TOKEN.findall(template)
    warnings = [_unknown(token) for token in dict.fromkeys(tokens) if token not in TOKENS]
    warnings += [
        f"<{token}> stands more than once; only the first stays, the others go with the separator before them."
        for token in TOKENS
        if tokens.count(token) > 1
    ]
    if "id" not in tokens:
        warnings.append("Without <id> several assets may get the same name; with it every name is unique.")
    return tuple(warnings)


def legal(text: str) -> bool:
    """Whether every character of ``text`` may stand in a file name."""
    return not any(letter in _ILLEGAL or unicodedata.category(letter) in ("Cc", "Cs") for letter in text)


def slug(text: object) -> str | None:
    """``cat_dancing`` for "A cat, dancing"; None if no word is left."""
    words = [word for word in _WORD.findall(stripped(text).lower()) if word not in _FUNCTION_WORDS]
    return "_".join(words[:_MOST_WORDS]) or None


def member_names(records: Sequence[Record], order: ArchiveOrder) -> list[str]:
    """Likely names, one for each record. Two that are the same will be told apart by the service somehow."""
    check_template(order.template)
    segments = _segments(order.template)
    return [_member_name(record, segments, order) for record in records]


def _segments(template: str) -> list[tuple[bool, str]]:
    """What stands between the slashes; whether it is a folder."""
    parts = template.split("/")
    return [(n < len(parts) - 1, text) for n, text in enumerate(parts)]


def _check_segment(segment: str, *, folder: bool) -> None:
    what, longest = ("folder", _LONGEST_FOLDER) if folder else ("file", _LONGEST_NAME)
    if not segment.strip():
        raise InvalidRequest(f"A {what} of the file name template has no name; look at its slashes.")
    if segment.strip() in (".", ".."):
        raise InvalidRequest(
            f"A file name template must not hold {segment.strip()!r}: members lie inside of the archive."
        )
    fixed = _TOKEN.sub("", segment)
    if not legal(fixed):
        found = next(letter for letter in fixed if not legal(letter))
        hint = " Tokens stand between '<' and '>'." if found in "<>" else ""
        raise InvalidRequest(f"A file name template must not hold the character {found!r}.{hint}")
    if len(fixed) > longest:
        raise InvalidRequest(
            f"A {what} name has at most {longest} characters; the template has {len(fixed)} of its own."
        )


def _unknown(token: str) -> str:
    word = token.strip().lower()
    close = [_OTHER_WORDS[word]] if word in _OTHER_WORDS else difflib.get_close_matches(word, TOKENS, 1)
    hint = f" Did you mean <{close[0]}>?" if close else ""
    known = ", ".join(f"<{name}>" for name in TOKENS)
    return f"Scenario does not know <{token}>, and names will do without it.{hint} It knows {known}."


# -- the preview ------------------------------------------------------------------------------------------------------


def _member_name(record: Record, segments: Sequence[tuple[bool, str]], order: ArchiveOrder) -> str:
    values = _values(record)
    mime = stripped(record.raw.get("originalMimeType")) if order.prefer_original else ""
    last = ending(mime or media_type(record)) or stripped(part(record.raw, "properties").get("format")) or "bin"
    used: set[str] = set()
    path = [] if order.flat else [_group(record)]
    for folder, segment in segments:
        room = _LONGEST_FOLDER if folder else _LONGEST_NAME - len(last) - 1
        made = _shortened(segment, values, used, room)
        if folder and made:
            path.append(made)
        elif not folder:
            path.append(f"{made or record.id[:room]}.{last}")
    return "/".join(path)


def _values(record: Record) -> dict[str, str | None]:
    raw = record.raw
    metadata = part(raw, "metadata")
    return {
        "seed": _text(record.attributes.get("seed")),
        "num": _text(raw.get("outputIndex", metadata.get("outputIndex"))),
        "prompt": slug(metadata.get("prompt")),
        "generator": _text(metadata.get("modelId")),
        "id": record.id,
        "description": slug(raw.get("description")) or slug(raw.get("automaticCaptioning")),
    }


def _text(value: Any) -> str | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return None if value is None or isinstance(value, bool) else str(value).strip() or None


def _group(record: Record) -> str:
    """The folder of an archive that is not flat: a guess, as nothing is published; ``…`` where there is no guessing."""
    metadata = part(record.raw, "metadata")
    known = stripped(metadata.get("inferenceId")) or stripped(metadata.get("parentJobId"))
    uploaded = "properties" in record.raw or stripped(metadata.get("type")).startswith("uploaded")
    return known or ("uploads" if uploaded else "…")  # what a search finds does not name its inference


def _shortened(segment: str, values: Mapping[str, str | None], used: set[str], room: int) -> str:
    """``segment`` filled in, of at most ``room`` characters; prompt and description give way first."""
    fitting, before = dict(values), frozenset(used)
    made, seen = _filled(segment, fitting, before)
    for token in _SHORTENED:
        value = fitting[token]
        if len(made) > room and value and token in seen - before:
            fitting[token] = value[: max(0, len(value) - (len(made) - room))].rstrip("_")
            made, _ = _filled(segment, fitting, before)
    used |= seen
    return made[:room].rstrip(" .")


def _filled(segment: str, values: Mapping[str, str | None], before: frozenset[str]) -> tuple[str, frozenset[str]]:
    """The text, and the tokens that were used up to its end."""
    made: list[str] = []
    seen = set(before)
    literal = ""
    """Since the last token; kept apart, as a token without a value takes its separator along."""
    for n, piece in enumerate(_TOKEN.split(segment)):
        if n % 2 == 0:
            literal += piece
            continue
        value = values.get(piece)
        if piece in seen or not value:
            kept = literal.rstrip(_SEPARATORS)
            at_start = not made and not kept
            literal = "" if at_start else kept
            if at_start:
                made.append("")  # marks that the next separator is at the beginning
            continue
        seen.add(piece)
        if made and not any(made):
            literal = literal.lstrip(_SEPARATORS)
        made += [literal, _safe(value)]
        literal = ""
    if made and not any(made):
        literal = literal.lstrip(_SEPARATORS)
    return "".join([*made, literal]), frozenset(seen)


def _safe(value: str) -> str:
    return "".join(letter if legal(letter) and letter != "/" else "_" for letter in value)
