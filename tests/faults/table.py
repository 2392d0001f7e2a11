"""docs/faults.md: what came of each case when the whole matrix was last run."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from ipyassets.collections.aside import aside
from tests.faults.bench import Case
from tests.faults.ground import OPERATIONS, SERVICES
from tests.faults.plan import CASES
from tests.faults.troubles import TROUBLES

__all__ = ["PAGE", "finish", "keep", "mark", "read", "written"]

KEPT: Final = Path(__file__).parents[2] / "build" / "faults"
PAGE: Final = Path(__file__).parents[2] / "docs" / "faults.md"
TITLES: Final = {"vntana": "VNTANA", "vntana_public": "VNTANA Public", "itwin": "Bentley iTwin", "scenario": "Scenario"}
LETTERS: Final = {
    "AuthenticationError": "A",
    "BadResponse": "B",
    "InvalidRequest": "I",
    "JobFailed": "F",
    "JobTimeout": "T",
    "NotFound": "N",
    "PermissionDenied": "P",
    "RateLimited": "R",
    "ServiceUnavailable": "S",
}
WORDS: Final = {"right": "✓", "unstruck": "·", "unseen": "~", "silent": "∅", "shown": "W"}
FAMILIES: Final = {
    "late, refused, broken off": range(17),
    "answers that are not as documented": range(17, 29),
    "tokens, places, files": range(29, len(TROUBLES)),
}
"""Tables of a width that fits a page."""
ORIGIN: Final = """\
All of these cases were run on 29 November 2026 on one state of the code: four processes side by side, forty minutes.
One of them ended on the way, by a time limit outside of any case, and was begun again from there. None was wrong; 12
were run twice, since they were otherwise than before: ten of those depend on which of two things comes first. What was
mended afterwards (films, archives, downloads, errors that widgets keep) has its 4,600 cases from a later run.\
"""
"""How the tables came about: true only if it is changed with them."""
HEAD: Final = """\
# When things go wrong

Every operation of every service, blocking and awaited, is tried under every kind of trouble a network or a service can
make, against the [sandbox](sandbox.md). What comes is the right result, or one of the
[documented errors](reference/errors.md), which says what to do. No call hangs, nothing is lost or there twice, neither
in a result nor at the service; no task, thread, connection or temporary file is left after any of them; no error or log
line holds a credential or a signed URL. Once the trouble is over, the same call is right again.

The tables are written by `python -m tests.faults`, which knows {count:,} cases and runs all or parts of them.{still}
A part, drawn by `IPYASSETS_FAULTS_SEED`, runs with the tests and is compared with the tables. Time limits and
waits between tries are shortened for it; there are three tries.

{origin}

Where an operation asks for several things, each of them (in brackets) is struck by itself. A cell says what comes where
the trouble strikes one request / every request from then on, or only the latter:

| | |
| --- | --- |
| ✓ | the right result, mostly by another try |
| · | the right result, since there was nothing to strike: see the list of troubles |
| ~ | other bytes, which nobody can tell: a file that was damaged before it was sent, with a length to match |
| ∅ | all else is right, and None stands where one failed; another method tells why |
| W | the widget says in words what is wrong and what to do |
{letters}
| a, b, … | the result comes, and the error stands in its `failures` |
| (empty) | trouble that is the same for all requests of an operation: see the first of its rows |

A job under trouble that lasts ends its `wait` with {timeout}: the work itself goes on.

## Troubles

{troubles}
"""


def mark(word: str) -> str:
    """One or two letters for an outcome's word."""
    if word in WORDS:
        return WORDS[word]
    named, _, rest = word.partition(" ")
    if named == "named":
        return "".join(LETTERS[name].lower() for name in rest.split())
    return LETTERS.get(word, "?")


def written(marks: Mapping[str, str]) -> str:
    """The page, for the marks of cases; of all of them, once the whole was run."""
    letters = "\n".join(f"| {letter} | `{name}` |" for name, letter in LETTERS.items())
    told = "\n".join(
        f"{number}. {trouble}" + (f" (strikes {trouble.needs})" if trouble.needs else "")
        for number, trouble in enumerate(TROUBLES, 1)
    )
    left = len(CASES) - sum(str(case) in marks for case in CASES)
    still = f" {left:,} of them are still to be run: their cells are empty." if left else ""
    head = HEAD.format(
        count=len(CASES), still=still, letters=letters, timeout="`JobTimeout`", troubles=told, origin=ORIGIN
    )
    parts = [head]
    for service in SERVICES:
        parts.append(f"## {TITLES[service]}\n")
        for family, numbers in FAMILIES.items():
            rows = [["", *(f"**{number + 1}**" for number in numbers)], ["---"] * (len(numbers) + 1)]
            for name, cells in _cells(service).items():
                rows.append(
                    [name, *("/".join(dict.fromkeys(marks.get(case, "") for case in cells[n])) for n in numbers)]
                )
            table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
            parts.append(f"### {TITLES[service]}: {family}\n\n{table}\n")
    return "\n".join(parts)


def _cells(service: str) -> dict[str, list[list[str]]]:
    """For each row of a service's tables, the cases of each trouble."""
    return {
        f"{one.name} ({step})" if step.name else one.name: [
            [
                str(Case(one, step, trouble, times))
                for times in (trouble.times if step is one.steps[0] or not trouble.everywhere else ())
            ]
            for trouble in TROUBLES
        ]
        for one in OPERATIONS
        if one.service == service
        for step in one.steps
    }


def keep(marks: Mapping[str, str]) -> None:
    """Keep marks of a run that goes on: who breaks it off need not begin again."""
    KEPT.mkdir(parents=True, exist_ok=True)
    with aside(KEPT / f"{os.getpid()}.json") as file:  # others read it meanwhile
        file.write(json.dumps(marks).encode())


def finish(marks: Mapping[str, str]) -> int:
    """Write the page, with ``marks`` and all that was kept; gives how many cases are still to be run.

    Two that end at once write one after the other. What was kept is let go of once the page is whole.
    """
    keep(marks)
    with _alone():
        known = _known()
        PAGE.write_text(written(known))
        left = len(CASES) - len(known)
        if not left:
            for path in KEPT.glob("*.json"):
                path.unlink()
    return left


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Nobody else who runs a part is at the page, or at what is kept."""
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def read() -> dict[str, str]:
    """The marks by case: those on the page, and over them those of runs that did not come to their end."""
    with _alone():
        return _known()


def _known() -> dict[str, str]:
    found = _on_the_page() if PAGE.exists() else {}
    for path in sorted(KEPT.glob("*.json"), key=lambda path: path.stat().st_mtime):
        found |= json.loads(path.read_text())
    known = {str(case) for case in CASES}
    return {case: marks for case, marks in found.items() if case in known}


def _on_the_page() -> dict[str, str]:
    found: dict[str, str] = {}
    lines = PAGE.read_text().splitlines()
    for service in SERVICES:
        for family, numbers in FAMILIES.items():
            title = f"### {TITLES[service]}: {family}"
            if title not in lines:
                continue
            section = itertools.takewhile(lambda line: not line.startswith("#"), lines[lines.index(title) + 1 :])
            rows = {line.split("|")[1].strip(): line.split("|")[2:-1] for line in section if line.startswith("|")}
            for name, cells in _cells(service).items():
                for number, cell in zip(numbers, rows.get(name, ()), strict=False):
                    marks = cell.strip().split("/")
                    for at, case in enumerate(cells[number]):
                        found[case] = marks[min(at, len(marks) - 1)]
    return {case: mark for case, mark in found.items() if mark}
