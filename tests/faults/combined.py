"""Troubles one after the other: the first strikes the first request, the next one the next, by chance."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Final

from tests.faults import plan  # operations are known then
from tests.faults.bench import Case
from tests.faults.ground import OPERATIONS
from tests.faults.troubles import TROUBLES, Trouble

__all__ = ["chains"]

_ = plan
SINGLE: Final = [one for one in TROUBLES if one.faults and not one.everywhere]


def chains(count: int, seed: int) -> list[Case]:
    """``count`` operations, each under two or three troubles in succession. The same in every run with ``seed``.

    Each strikes once. Right is whatever is right under one of them: a file that is damaged is damaged still.
    """
    chance = random.Random(seed)
    operations = [one for one in OPERATIONS if "render" not in one.name]
    found: list[Case] = []
    for _ in range(count):
        operation = chance.choice(operations)
        # What waits for something it can strike comes last: it would keep the others waiting.
        some = sorted(chance.sample(SINGLE, chance.choice((2, 2, 3))), key=lambda one: bool(one.needs))
        chain = Trouble(
            ", then ".join(one.name for one in some),
            tuple(fault for one in some for fault in one.faults),
            times=(1,),
            unseen=any(one.unseen for one in some),
            needs=" or ".join(one.needs for one in some) if all(one.needs for one in some) else "",
        )
        found.append(Case(operation, replace(chance.choice(operation.steps), skip=0), chain, 1))
    return found
