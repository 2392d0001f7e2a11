"""Looks at things in all the ways that tools look at them, and writes down what it sees, one folder for each way."""

from __future__ import annotations

import copy
import dataclasses
import io
import itertools
import json
import logging
import pickle
import pprint
import reprlib
import sys
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ipywidgets import DOMWidget

__all__ = ["TRACEBACKS", "Witness"]


class Witness:
    """Writes below ``folder``. ``refusals`` counts what could not be pickled or copied, as is right.

    Tracebacks are slow to make: each error is shown by Python's own and one of the others in turn, or by ``all``.
    """

    def __init__(self, folder: Path, *, all: bool = False) -> None:
        self.folder = folder
        self._all = all
        self._turns = itertools.cycle(name for name in TRACEBACKS if name != "Python")
        self.refusals = 0
        self._numbers = itertools.count()

    def write(self, place: str, name: str, content: str | bytes) -> None:
        folder = self.folder / place
        folder.mkdir(parents=True, exist_ok=True)
        data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
        (folder / f"{next(self._numbers):06}").write_bytes(f"{name}\n".encode() + data)

    def thing(self, name: str, thing: Any) -> None:
        """An object that a person has in hand."""
        self.write("reprs", name, "\n".join(_texts(thing)))
        self.write("what notebooks show", name, "\n".join(_shown(thing)))
        for make in (lambda: pickle.dumps(thing, 2), lambda: pickle.dumps(thing), lambda: _copied(copy.copy(thing))):
            self._try("pickles and copies", name, make)
        self._try("pickles and copies", name, lambda: _copied(copy.deepcopy(thing)))
        self._try("pickles and copies", name, lambda: json.dumps(thing, default=repr))
        if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
            self._try("pickles and copies", name, lambda: repr(dataclasses.asdict(thing)))
        if isinstance(thing, DOMWidget):
            self.write("state of widgets", name, json.dumps(thing.get_state(), default=repr))

    def error(self, name: str, error: BaseException) -> None:
        """What was raised: its texts and attributes, and the tracebacks that show local variables."""
        for one in _chain(error):
            attributes = {key: value for key, value in vars(one).items() if not key.startswith("__")}
            told = [str(one), repr(one), repr(one.args), repr(attributes), repr(getattr(one, "__notes__", ()))]
            self.write("errors", name, "\n".join(told))
            self._try("pickles and copies", name, lambda one=one: pickle.dumps(one))
        for style in TRACEBACKS if self._all else ("Python", next(self._turns)):
            self.write("tracebacks with local variables", f"{name}, {style}", TRACEBACKS[style](error))
        logging.getLogger("canaries").error("%s: %r", name, error, exc_info=error)
        sys.excepthook(type(error), error, error.__traceback__)

    def _try(self, place: str, name: str, make: Any) -> None:
        try:
            made = make()
        except Exception as error:  # noqa: BLE001  # refusing is an answer; what is said then is looked at
            self.refusals += 1
            made = f"{error!r}"
        self.write(place, name, made)


def _copied(thing: Any) -> str:
    return repr(thing)


def _texts(thing: Any) -> Iterator[str]:
    from IPython.lib.pretty import pretty
    from rich.pretty import pretty_repr

    yield from (repr(thing), str(thing), f"{thing}", ascii(thing), reprlib.repr(thing))
    yield from (pprint.pformat(thing), pretty(thing), pretty_repr(thing), repr([thing]), repr({"it": thing}))
    if hasattr(thing, "__dict__"):
        yield from (repr(vars(thing)), pretty_repr(vars(thing)), pprint.pformat(vars(thing)))
    slots = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ()) if name != "_value"]
    yield pretty_repr({name: getattr(thing, name, None) for name in slots})


def _shown(thing: Any) -> Iterator[str]:
    from IPython.core.formatters import DisplayFormatter

    data, metadata = DisplayFormatter().format(thing)
    yield repr(data)
    yield repr(metadata)
    if hasattr(thing, "_repr_mimebundle_"):
        yield repr(thing._repr_mimebundle_())


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        one = left.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            yield one
            left += [one.__cause__, one.__context__]


def _plain(error: BaseException) -> str:
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


def _ipython(error: BaseException) -> str:
    from IPython.core.ultratb import VerboseTB

    return str(VerboseTB(include_vars=True).text(type(error), error, error.__traceback__, context=3))


def _rich(error: BaseException) -> str:
    from rich.console import Console
    from rich.traceback import Traceback

    console = Console(file=io.StringIO(), width=400)
    console.print(
        Traceback.from_exception(
            type(error),
            error,
            error.__traceback__,
            show_locals=True,
            locals_max_length=None,
            locals_max_string=None,
            locals_hide_dunder=False,
            locals_hide_sunder=False,
        )
    )
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def _pytest(error: BaseException) -> str:
    from _pytest._code import ExceptionInfo

    found = ExceptionInfo.from_exception(error)
    return str(found.getrepr(showlocals=True, style="long", abspath=False, truncate_locals=False))


def _cgitb(error: BaseException) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import cgitb
    try:
        return cgitb.text((type(error), error, error.__traceback__)) + cgitb.html(
            (type(error), error, error.__traceback__)
        )
    except Exception:  # noqa: BLE001  # it stumbles over deleted arguments, and falls back on this as well
        return "".join(traceback.format_exception(error))


TRACEBACKS: Final = {"Python": _plain, "IPython": _ipython, "rich": _rich, "pytest": _pytest}
if sys.version_info < (3, 13):
    TRACEBACKS["cgitb"] = _cgitb
