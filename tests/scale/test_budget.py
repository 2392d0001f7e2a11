"""One allowance of requests for many processes."""

from __future__ import annotations

import gc
import pickle
import time
from pathlib import Path
from typing import Any

import pytest

import ipyassets as ia
from ipyassets.http import pace
from ipyassets.http.pace import RateBudget


def test_turns_are_evenly_spaced_from_now_on() -> None:
    wait, free = pace._taken(0.0, 100.0, 0.25, 0.0)
    assert (wait, free) == (0.0, 100.25)
    assert pace._taken(free, 100.0, 0.25, 0.0) == (0.25, 100.5)
    assert pace._taken(free, 200.0, 0.25, 0.0) == (0.0, 200.25), "what was not used is not made up for"


def test_a_wait_that_was_asked_for_puts_every_turn_off() -> None:
    assert pace._taken(100.25, 100.0, 0.0, 3.0) == (0.0, 103.0)
    assert pace._taken(200.0, 100.0, 0.0, 3.0) == (0.0, 200.0), "never earlier than it was"


def test_whoever_has_the_budget_takes_of_the_same_turns() -> None:
    budget = RateBudget(0.01)
    other = pickle.loads(pickle.dumps(budget))
    assert repr(other) == "RateBudget(per_second=0.01)"
    waits = [one._in_file(100.0, 0.0) for one in (budget, other, budget)]
    assert waits[0] == 0
    assert 99 < waits[1] <= 100 < 199 < waits[2] <= 200
    other._in_file(0.0, 1000.0)
    assert budget._in_file(100.0, 0.0) > 990


def test_the_file_goes_with_the_budget_and_its_absence_is_explained() -> None:
    budget = RateBudget(5)
    path, sent = Path(budget._path), pickle.dumps(budget)
    assert path.exists()
    del budget
    gc.collect()
    assert not path.exists()
    with pytest.raises(ia.InvalidRequest, match="another"):
        pickle.loads(sent)._in_file(1.0, 0.0)


@pytest.mark.parametrize("wrong", [0, -1, float("nan"), float("inf"), True, "5", None])
def test_what_is_no_rate_is_refused(wrong: Any) -> None:
    with pytest.raises(ia.InvalidRequest, match="per_second"):
        RateBudget(wrong)


def test_every_request_counts_and_a_wait_is_told(sandbox: ia.Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Second tries count too, and a 429 of one request puts all others off."""
    asked: list[tuple[float, float]] = []

    def in_file(self: RateBudget, interval: float, hold: float) -> float:
        asked.append((interval, hold))
        return 0.0

    monkeypatch.setattr(RateBudget, "_in_file", in_file)
    with sandbox.vntana() as client:
        sandbox.faults.log.clear()
        sandbox.faults.add("/thumbnails/", status=429, headers={"retry-after-ms": "20"}, body={})
        mapped = client.search(limit=5).map_posters(lambda asset, image: asset.id, 64, budget=RateBudget(4))
    assert not mapped.failures
    assert [hold for _, hold in asked if hold] == [0.02]
    assert len([interval for interval, _ in asked if interval == 0.25]) == len(sandbox.faults.log)


def test_requests_come_no_faster_than_the_budget(sandbox: ia.Sandbox) -> None:
    with sandbox.vntana() as client:
        sandbox.faults.log.clear()
        begin = time.monotonic()
        client.search(limit=20).map_posters(lambda asset, image: None, 64, partition_size=5, budget=RateBudget(100))
    arrivals = sorted(seen.at - begin for seen in sandbox.faults.log)
    assert len(arrivals) > 20
    assert all(arrival >= number / 100 for number, arrival in enumerate(arrivals))
