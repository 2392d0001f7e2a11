"""docs/faults.md: what came of each case when the whole matrix was last run."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.faults.bench import Case
from tests.faults.operations import OPERATIONS, SERVICES
from tests.faults.plan import CASES
from tests.faults.troubles import TROUBLES

__all__ = ["PAGE", "forget", "keep", "mark", "read", "written"]

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
HEAD: Final = """\
# When things go wrong

Every operation of every service is tried under every kind of trouble a network or a service can make, against the
[sandbox](sandbox.md): once, and for ever. What comes is the right result, or one of the
[documented errors](reference/errors.md), which says what to do. No call hangs, nothing is lost or there twice, no task,
thread, connection or temporary file is left, and no error or log line holds a credential or a signed URL. Once the
trouble is over, the same call is right again.

The tables are written by `python -m tests.faults`, which runs all {count:,} cases in some ten minutes. A part of them,
drawn by `IPYASSETS_FAULTS_SEED`, runs with the tests. Time limits and waits between tries are shortened for it; there
are three tries.

Each cell says what comes where the trouble strikes one request / every request, or only the latter:

| | |
| --- | --- |
| ✓ | the right result, mostly by another try |
| ~ | other bytes, which nobody can tell: a file that was damaged before it was sent, with a length to match |
{letters}
| a, b, … | the result comes, and the error stands in its `failures` |

A job under trouble that lasts ends its `wait` with {timeout}: the work itself goes on.
"""


def mark(word: str) -> str:
    """One or two letters for an outcome's word."""
    if word in ("right", "unseen"):
        return {"right": "✓", "unseen": "~"}[word]
    named, _, rest = word.partition(" ")
    if named == "named":
        return "".join(LETTERS[name].lower() for name in rest.split())
    return LETTERS.get(word, "?")


def written(marks: Mapping[str, str]) -> str:
    """The page, for the marks of all cases."""
    letters = "\n".join(f"| {letter} | `{name}` |" for name, letter in LETTERS.items())
    parts = [HEAD.format(count=len(CASES), letters=letters, timeout="`JobTimeout`")]
    for service in SERVICES:
        operations = [one for one in OPERATIONS if one.service == service]
        # Numbers and a legend: a table of twenty headings does not fit a page.
        legend = ", ".join(f"{_column(number)} {one.name}" for number, one in enumerate(operations))
        parts.append(f"## {TITLES[service]}\n\n{legend}\n")
        rows = [["", *(_column(number) for number in range(len(operations)))], ["---"] * (len(operations) + 1)]
        for trouble in TROUBLES:
            cells = [[marks[str(Case(one, trouble, times))] for times in trouble.times] for one in operations]
            rows.append([trouble.name, *("/".join(dict.fromkeys(cell)) for cell in cells)])
        parts.append("\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n")
    return "\n".join(parts)


def keep(marks: Mapping[str, str]) -> None:
    """Keep marks of a run that goes on: who breaks it off need not begin again."""
    KEPT.mkdir(parents=True, exist_ok=True)
    (KEPT / f"{os.getpid()}.json").write_text(json.dumps(marks))


def forget() -> None:
    """What was kept stands on the page now."""
    for path in KEPT.glob("*.json"):
        path.unlink()


def read() -> dict[str, str]:
    """The marks by case: those on the page, and over them those of runs that did not come to their end."""
    found = _on_the_page() if PAGE.exists() else {}
    for path in sorted(KEPT.glob("*.json"), key=lambda path: path.stat().st_mtime):
        found |= json.loads(path.read_text())
    known = {str(case) for case in CASES}
    return {case: marks for case, marks in found.items() if case in known}


def _on_the_page() -> dict[str, str]:
    found: dict[str, str] = {}
    lines = PAGE.read_text().splitlines()
    for service in SERVICES:
        operations = [one for one in OPERATIONS if one.service == service]
        start = lines.index(f"## {TITLES[service]}") + 1
        section = list(itertools.takewhile(lambda line: not line.startswith("#"), lines[start:]))
        rows = {line.split("|")[1].strip(): line.split("|")[2:-1] for line in section if line.startswith("|")}
        for trouble in TROUBLES:
            for one, cell in zip(operations, rows[trouble.name], strict=True):
                marks = cell.strip().split("/")
                for number, times in enumerate(trouble.times):
                    found[str(Case(one, trouble, times))] = marks[min(number, len(marks) - 1)]
    return found


def _column(number: int) -> str:
    return f"**{number + 1}**"
