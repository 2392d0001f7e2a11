"""A part of the matrix of operations and faults, by chance; ``python -m tests.faults`` runs the whole."""

from __future__ import annotations

import os

import pytest

from tests.faults import table
from tests.faults.bench import Bench, Case
from tests.faults.ground import Operation
from tests.faults.plan import CASES, by_operation, sampled

SEED = int(os.environ.get("IPYASSETS_FAULTS_SEED", "7"))
"""Another number takes another part."""
SLOW = ("stall", "stall in a body", "trickle", "TLS: unknown certificate")
"""Waited out by time limits; of these and of jobs the sample has fewer."""
JOBS = (
    *("render", "failed render again", "failed render again, awaited"),
    *("JobMonitor of a render", "JobMonitor of a failed render, again", "JobMonitor of an archive"),
)
"""Operations that wait for the work itself."""
_quick = [case for case in CASES if case.trouble.name not in SLOW and case.operation.name not in JOBS]
_slow = [case for case in CASES if case.trouble.name in SLOW and case.operation.name not in JOBS]
_jobs = [case for case in CASES if case.trouble.name not in SLOW and case.operation.name in JOBS]
SAMPLE = [*sampled(_quick, 160, SEED), *sampled(_slow, 6, SEED), *sampled(_jobs, 1, SEED)]


@pytest.fixture(scope="module")
def told() -> dict[str, str]:
    return table.read()


@pytest.mark.parametrize(("operation", "cases"), by_operation(SAMPLE).items(), ids=map(str, by_operation(SAMPLE)))
def test_right_or_the_documented_error(
    bench: Bench, told: dict[str, str], operation: Operation, cases: list[Case]
) -> None:
    bench.warm(operation)
    for case in cases:
        outcome = bench.run(case)
        if outcome.wrongs or table.mark(outcome.told) != told[str(case)]:
            outcome = bench.run(case)  # a machine that was paused sees time limits where there are none
        assert outcome.wrongs == [], f"{case} (IPYASSETS_FAULTS_SEED={SEED})"
        assert table.mark(outcome.told) == told[str(case)], f"docs/faults.md is out of date: {case}: {outcome.told}"


def test_the_table_is_that_of_the_matrix(told: dict[str, str]) -> None:
    assert set(told) == {str(case) for case in CASES}
    assert "?" not in "".join(told.values())
    assert table.PAGE.read_text() == table.written(told)
