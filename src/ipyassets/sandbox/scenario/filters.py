"""The filter language of search: ``kind = image AND (width >= 1024 OR tags = "hero shot") AND NOT nsfw IS EMPTY``.

    expression = term {"OR" term}       term = factor {"AND" factor}
    factor     = "NOT" factor | "(" expression ")" | field test
    test       = ("=" | "!=" | ">" | ">=" | "<" | "<=" | ":") value | "IS" ["NOT"] "EMPTY"

Values are bare words or in double quotes. On an array ``=`` means contains; ``:`` looks for a part of a text.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

from ipyassets.sandbox.scenario.catalogue import Asset
from ipyassets.sandbox.scenario.errors import bad_request
from ipyassets.sandbox.scenario.models import models
from ipyassets.sandbox.scenario.records import aspect_ratio

__all__ = ["FIELDS", "parse_filter"]

Test: TypeAlias = Callable[[Asset], bool]

_TOKEN = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|(!=|>=|<=|[=<>():])|([^\s()"=<>!:]+))')
_DEEPEST = 50


def _model(asset: Asset, name: str) -> Any:
    return getattr(models().get(asset.seed.model_id or ""), name, None)


def _parameter(asset: Asset, name: str) -> Any:
    return asset.seed.parameters.get(name)


def _pixels(asset: Asset, side: int) -> int | None:
    return asset.seed.pixels[side] if asset.seed.pixels else None


def _text(asset: Asset) -> str | None:
    return asset.seed.load().decode() if asset.seed.kind == "text" else None


FIELDS: dict[str, Callable[[Asset], Any]] = {
    "kind": lambda a: a.seed.kind,
    "width": partial(_pixels, side=0),
    "height": partial(_pixels, side=1),
    "size": lambda a: a.seed.properties["size"],
    "aspectRatio": aspect_ratio,
    "mimeType": lambda a: a.seed.mime,
    "name": lambda a: a.name,
    "prompt": lambda a: a.seed.prompt,
    "text": _text,
    "negativePrompt": lambda a: a.seed.negative_prompt,
    "seed": lambda a: a.number,
    "modelId": lambda a: a.seed.model_id,
    "baseModelId": partial(_model, name="base_id"),
    "modelType": partial(_model, name="type"),
    "numInferenceSteps": partial(_parameter, name="numInferenceSteps"),
    "guidance": partial(_parameter, name="guidance"),
    "scheduler": partial(_parameter, name="scheduler"),
    "tags": lambda a: a.tags,
    "collectionIds": lambda a: a.collections,
    "nsfw": lambda a: a.seed.nsfw,
    "privacy": lambda a: a.privacy,
    "createdAt": lambda a: a.created,
    "updatedAt": lambda a: a.updated,
    "authorId": lambda a: a.project.author_id,
}
_DATES = {"createdAt", "updatedAt"}
_ORDERS: dict[str, Callable[[float, float], bool]] = {
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}


def parse_filter(text: str) -> Test:
    """The test that ``text`` stands for; a 400 that says where it went wrong otherwise."""
    parser = _Parser(text)
    test = parser.expression(0)
    if parser.peek() is not None:
        raise parser.wrong("the end, AND or OR")
    return test


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, bool]] = []
        """Each token, and whether it stood in quotes (then it is always a value)."""
        place = 0
        text = text.rstrip()
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None:
                raise bad_request(f"Invalid filter: unexpected character at position {place}")
            quoted, sign, bare = match.groups()
            value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else sign or bare
            self._tokens.append((value, quoted is not None))
            place = match.end()
        self._next = 0

    def peek(self) -> str | None:
        """The next token if it is not quoted, ``""`` if it is, None at the end."""
        if self._next == len(self._tokens):
            return None
        token, quoted = self._tokens[self._next]
        return "" if quoted else token

    def _accept(self, *wanted: str) -> str | None:
        token = self.peek()
        if token is None or token.upper() not in wanted:
            return None
        self._next += 1
        return token.upper()

    def wrong(self, expected: str) -> Exception:
        found = "the end" if self._next == len(self._tokens) else f"`{self._tokens[self._next][0]}`"
        return bad_request(f"Invalid filter: expected {expected}, found {found}")

    def expression(self, depth: int) -> Test:
        if depth > _DEEPEST:
            raise bad_request("Invalid filter: nested too deeply")
        terms = [self._term(depth)]
        while self._accept("OR"):
            terms.append(self._term(depth))
        return terms[0] if len(terms) == 1 else lambda asset: any(term(asset) for term in terms)

    def _term(self, depth: int) -> Test:
        factors = [self._factor(depth)]
        while self._accept("AND"):
            factors.append(self._factor(depth))
        return factors[0] if len(factors) == 1 else lambda asset: all(factor(asset) for factor in factors)

    def _factor(self, depth: int) -> Test:
        if depth > _DEEPEST:
            raise bad_request("Invalid filter: nested too deeply")
        if self._accept("NOT"):
            inner = self._factor(depth + 1)
            return lambda asset: not inner(asset)
        if self._accept("("):
            test = self.expression(depth + 1)
            if not self._accept(")"):
                raise self.wrong("`)`")
            return test
        return self._comparison()

    def _comparison(self) -> Test:
        name = self.peek()
        if not name or name in "=!<>():":
            raise self.wrong("a field")
        self._next += 1
        if name not in FIELDS:
            raise bad_request(
                f"Attribute `{name}` is not filterable. Available filterable attributes: {', '.join(FIELDS)}"
            )
        get = FIELDS[name]
        if self._accept("IS"):
            negated = self._accept("NOT") is not None
            if not self._accept("EMPTY"):
                raise self.wrong("EMPTY")
            return lambda asset: (get(asset) in (None, "", ())) != negated
        operator = self._accept("=", "!=", ">", ">=", "<", "<=", ":")
        if operator is None:
            raise self.wrong("an operator")
        return _compare(get, operator, self._value(), date=name in _DATES)

    def _value(self) -> str:
        token = self.peek()
        if token is None or token in {"=", "!=", ">", ">=", "<", "<=", ":", "(", ")"}:
            raise self.wrong("a value")
        self._next += 1
        return self._tokens[self._next - 1][0]


def _compare(get: Callable[[Asset], Any], operator: str, value: str, *, date: bool) -> Test:
    number = _moment(value) if date else _number(value)
    if operator in _ORDERS:
        if number is None:
            raise bad_request(f"Invalid filter: `{value}` is not a {'date' if date else 'number'}")
        order = _ORDERS[operator]
        return lambda asset: isinstance(found := get(asset), int | float) and order(found, number)
    text = value.casefold()
    if operator == ":":
        return lambda asset: any(text in str(one).casefold() for one in _each(get(asset)))

    def equal(asset: Asset) -> bool:
        return any(
            one == number if isinstance(one, int | float) else str(one).casefold() == text for one in _each(get(asset))
        )

    return equal if operator == "=" else lambda asset: not equal(asset)


def _each(found: Any) -> tuple[Any, ...]:
    if found is None:
        return ()
    return found if isinstance(found, tuple) else (found,)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _moment(text: str) -> float | None:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return _number(text)
    return moment.replace(tzinfo=moment.tzinfo or dt.UTC).timestamp()
