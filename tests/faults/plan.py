"""The cases of the matrix: all operations with all troubles, and a part of them by chance."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

from tests.faults import awaited, operations, shown
from tests.faults.bench import Case
from tests.faults.ground import OPERATIONS, Operation
from tests.faults.troubles import TROUBLES

__all__ = ["CASES", "by_operation", "sampled"]

_ = operations, awaited, shown  # which add theirs
CASES: Final = [
    Case(operation, step, trouble, times)
    for operation in OPERATIONS
    for step in operation.steps
    for trouble in TROUBLES
    if step is operation.steps[0] or not trouble.everywhere
    for times in trouble.times
]


def sampled(cases: Sequence[Case], count: int, seed: int) -> list[Case]:
    """``count`` of ``cases`` by chance, in their order."""
    chosen = set(random.Random(seed).sample(range(len(cases)), min(count, len(cases))))
    return [case for number, case in enumerate(cases) if number in chosen]


def by_operation(cases: Sequence[Case]) -> dict[Operation, list[Case]]:
    """Cases by their operation: a batch of them is looked at for what it leaves behind."""
    batches: dict[Operation, list[Case]] = {}
    for case in cases:
        batches.setdefault(case.operation, []).append(case)
    return batches
