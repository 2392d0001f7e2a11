"""The whole matrix, for a person: ``python -m tests.faults`` (half an hour). Writes docs/faults.md.

Arguments pick operations by parts of their names: ``python -m tests.faults "scenario: archive"``; only their cells are
then written anew. ``--sample N`` runs N cases by chance, ``--seed`` says which. Much of the time is waiting: with
``--part 1/4`` and so on several processes share the work, and the last one writes the page.
"""

from __future__ import annotations

import argparse
import collections
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"

from ipyassets.errors import AssetServiceError
from tests.faults import table
from tests.faults.bench import Bench, Case, Hang
from tests.faults.ground import OPERATIONS
from tests.faults.judging import Outcome
from tests.faults.plan import CASES, by_operation, sampled


def _run(bench: Bench, case: Case) -> Outcome:
    try:
        return bench.run(case)
    except Hang as hang:
        return Outcome("?Hang", [str(hang)])
    except AssetServiceError as error:  # a machine that was paused sees time limits where there is no trouble yet
        return Outcome("?unprepared", [str(error)])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("parts", nargs="*")
    parser.add_argument("--trouble", default="")
    parser.add_argument("--sample", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--missing", action="store_true", help="only cases that were never run, or broken off")
    parser.add_argument("--part", default="1/1", help="such as 2/4: every fourth operation, from the second on")
    options = parser.parse_args()
    cases = [case for case in CASES if not options.parts or any(part in str(case) for part in options.parts)]
    cases = [case for case in cases if options.trouble in str(case.trouble)]
    if options.missing:
        known = table.read()
        cases = [case for case in cases if str(case) not in known]
    which, parts = map(int, options.part.split("/"))
    cases = [case for case in cases if OPERATIONS.index(case.operation) % parts == which - 1]
    if options.sample is not None:
        cases = sampled(cases, options.sample, options.seed)
    began, wrongs, once, words, told = time.monotonic(), 0, 0, dict[str, str](), table.read()
    with tempfile.TemporaryDirectory() as folder, Bench(Path(folder)) as bench:
        for operation, some in by_operation(cases).items():
            start = time.monotonic()
            bench.warm(operation)
            for case in some:
                outcome = _run(bench, case)
                if outcome.wrongs or told.get(str(case), "") not in ("", table.mark(outcome.told)):
                    once += 1
                    print(f"SEEN ONCE {case} -> {outcome.told} ({outcome.seconds:.1f} s): {outcome.wrongs}", flush=True)
                    outcome = _run(bench, case)  # a machine that was paused sees time limits where there are none
                words[str(case)] = outcome.told
                wrongs += len(outcome.wrongs)
                for wrong in outcome.wrongs:
                    print(f"WRONG {case} -> {outcome.word} ({outcome.seconds:.1f} s): {wrong}", flush=True)
            came = collections.Counter(words[str(case)] for case in some)
            table.keep({case: table.mark(word) for case, word in words.items()})
            print(f"{operation}: {time.monotonic() - start:.0f} s, {dict(came)}", flush=True)
    print(f"{len(cases)} cases in {time.monotonic() - began:.0f} s, {wrongs} wrong; {once} were run twice")
    if left := table.finish({case: table.mark(word) for case, word in words.items()}):
        print(f"{left} cases are still to be run")
    return 1 if wrongs else 0


sys.exit(main())
