"""What the benchmarks share: fresh processes, interleaved rounds, medians with their spread, results on disk.

A benchmark names its contenders; each run of each is a process of its own (``--only``), so none inherits another's
warm pools or memory, and rounds go through all of them in turn, so that a machine that drifts drifts for all. Ratios
are taken round by round and their median is given. Results go to ``benchmarks/results/<name>.json``, from which
``benchmarks/report.py`` makes the tables and pictures.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
Figures = dict[str, float]
Contender = Callable[[dict[str, Any]], Figures]


@dataclass(frozen=True)
class Column:
    """One column of a table: a figure of the runs, how it is headed and printed."""

    key: str
    heading: str
    form: str = "{:.2f}"
    spread: bool = False
    """Whether least and most stand beside the median."""


@dataclass(frozen=True)
class Case:
    """One table: the same contenders under one set of options."""

    title: str
    options: Mapping[str, Any] = field(default_factory=dict)
    only: Sequence[str] | None = None
    """Contenders that run here; None: all."""


SECONDS = Column("seconds", "seconds (spread)", spread=True)
CPU = Column("cpu", "CPU s")
PEAK = Column("peak_mb", "peak MB", "{:.0f}")


@contextlib.contextmanager
def timed() -> Iterator[Figures]:
    """Fills in ``seconds``, ``cpu`` (of all threads of this process) and ``peak_mb`` (memory added at the peak)."""
    figures: Figures = {}
    before = _memory("VmRSS")
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as file:  # noqa: PTH123
        file.write("5")  # the high-water mark begins anew
    cpu, started = time.process_time(), time.perf_counter()
    yield figures
    figures["seconds"] = time.perf_counter() - started
    figures["cpu"] = time.process_time() - cpu
    figures["peak_mb"] = max(0.0, _memory("VmHWM") - before)


def _memory(name: str) -> float:
    try:
        with open("/proc/self/status") as file:  # noqa: PTH123
            return next(int(line.split()[1]) for line in file if line.startswith(name + ":")) / 1024
    except (OSError, StopIteration):
        return 0.0


@dataclass
class Benchmark:
    """``prepare(options)`` starts what is needed and gives what each contender is given, as JSON.

    ``limit``: the contender that nothing can beat; ratios are to it. ``work``: the option that counts what is done,
    for a column of so many a second, called ``unit``.
    """

    name: str
    title: str
    contenders: Mapping[str, Contender]
    prepare: Callable[[dict[str, Any]], contextlib.AbstractContextManager[dict[str, Any]]]
    cases: Sequence[Case]
    script: str
    limit: str | None = None
    columns: Sequence[Column] = (SECONDS, CPU, PEAK)
    work: str | None = "count"
    unit: str = "images/s"
    ratio_of: str = "seconds"
    packages: Sequence[str] = ()
    rounds: int = 3

    def main(self) -> None:
        parser = argparse.ArgumentParser(description=self.title)
        parser.add_argument("--rounds", type=int, default=self.rounds)
        parser.add_argument("--case", action="append", type=int, help="number of a case, from 1; default: all")
        parser.add_argument("--way", action="append", choices=list(self.contenders), help="default: all")
        parser.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE", help="override an option")
        parser.add_argument("--dry", action="store_true", help="print the tables, write no results")
        parser.add_argument("--only", help=argparse.SUPPRESS)
        options = parser.parse_args()
        if options.only:
            given = json.loads(sys.stdin.readline())
            print("\n" + json.dumps(self.contenders[options.only](given)))
            return
        changes = {key: json.loads(value) for key, value in (pair.split("=", 1) for pair in options.set)}
        numbers = options.case or range(1, len(self.cases) + 1)
        tables = [self._measured(self.cases[n - 1], changes, options.rounds, options.way) for n in numbers]
        result = {
            "name": self.name,
            "title": self.title,
            "date": dt.datetime.now(dt.UTC).date().isoformat(),
            "machine": machine(),
            "versions": versions(self.packages),
            "rounds": options.rounds,
            "limit": self.limit,
            "unit": self.unit,
            "cases": tables,
        }
        for case in tables:
            print("\n" + case["title"] + "\n\n" + markdown(case))
        if not options.dry:
            RESULTS.mkdir(exist_ok=True)
            place = RESULTS / f"{self.name}.json"
            if options.case and place.exists():  # the other tables stay as they are
                ran = {case["title"]: case for case in [*json.loads(place.read_text())["cases"], *tables]}
                result["cases"] = [ran[case.title] for case in self.cases if case.title in ran]
            place.write_text(json.dumps(result, indent=1) + "\n")

    def _measured(
        self, case: Case, changes: Mapping[str, Any], rounds: int, ways: Sequence[str] | None
    ) -> dict[str, Any]:
        options = {**case.options, **changes}
        names = [n for n in self.contenders if (case.only is None or n in case.only) and (not ways or n in ways)]
        runs: dict[str, list[Figures]] = {name: [] for name in names}
        with self.prepare(options) as given:
            for number in range(rounds):
                for name in names:
                    found = self._run(name, {**options, **given})
                    print(f"{case.title}, round {number + 1}: {name} {json.dumps(found)}", file=sys.stderr, flush=True)
                    runs[name].append(found)
        return self._summed_up(case.title, options, runs)

    def _run(self, name: str, given: dict[str, Any]) -> Figures:
        done = subprocess.run(
            [sys.executable, self.script, "--only", name],
            input=json.dumps(given) + "\n",
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return dict(json.loads(done.stdout.rstrip().rpartition("\n")[2]))

    def _summed_up(self, title: str, options: Mapping[str, Any], runs: Mapping[str, list[Figures]]) -> dict[str, Any]:
        limit = runs.get(self.limit or "")
        rows = []
        for name, found in runs.items():
            figures = {
                key: {
                    "median": statistics.median(values),
                    "min": min(values),
                    "max": max(values),
                }
                for key in found[0]
                for values in [[run[key] for run in found if key in run]]
            }
            row: dict[str, Any] = {"way": name, "figures": figures, "runs": found}
            if self.work and options.get(self.work) and "seconds" in figures:
                row["rate"] = options[self.work] / figures["seconds"]["median"]
            if limit and all(self.ratio_of in run for run in found):
                pairs = [a[self.ratio_of] / b[self.ratio_of] for a, b in zip(limit, found, strict=True)]
                row["ratio"] = statistics.median(pairs)
            rows.append(row)
        columns = [{"key": c.key, "heading": c.heading, "form": c.form, "spread": c.spread} for c in self.columns]
        return {
            "title": title,
            "options": dict(options),
            "columns": columns,
            "unit": self.unit,
            "limit": self.limit,
            "rows": rows,
        }


def markdown(case: Mapping[str, Any]) -> str:
    """The table of one case."""
    rows = case["rows"]
    rated, ratio = any("rate" in row for row in rows), any("ratio" in row for row in rows)
    columns = [c for c in case["columns"] if any(c["key"] in row["figures"] for row in rows)]
    headings = ["way", *(c["heading"] for c in columns)]
    if rated:
        headings.insert(2, case["unit"])
    if ratio:
        headings.insert(3 if rated else 2, f"of {case['limit']}")
    lines = ["| " + " | ".join(headings) + " |", "| " + " | ".join("---" for _ in headings) + " |"]
    for row in rows:
        cells = [_cell(c, row["figures"].get(c["key"])) for c in columns]
        if rated:
            cells.insert(1, f"{row['rate']:,.0f}" if "rate" in row else "")
        if ratio:
            cells.insert(2 if rated else 1, f"{row['ratio']:.2f}" if "ratio" in row else "")
        lines.append("| " + " | ".join([row["way"], *cells]) + " |")
    return "\n".join(lines)


def _cell(column: Mapping[str, Any], figure: Mapping[str, float] | None) -> str:
    if figure is None:
        return ""
    form = column["form"]
    text = form.format(figure["median"])
    if column["spread"]:
        text += f" ({form.format(figure['min'])} to {form.format(figure['max'])})"
    return text


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError, StopIteration), open("/proc/cpuinfo") as file:  # noqa: PTH123
        model = next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"cores": os.cpu_count(), "processor": model, "memory_gb": round(memory), "system": platform.system()}


def versions(packages: Sequence[str]) -> dict[str, str]:
    """Python and ``packages``, as they are installed."""
    found = {"python": platform.python_version()}
    for name in packages:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found
