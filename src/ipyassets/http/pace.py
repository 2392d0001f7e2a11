"""One allowance of requests a second for many processes, so that a hundred workers are no ruder than one.

Kept where all of them reach it: on the scheduler of Dask if they are its workers, else in a file on their machine.

Weighed: pyrate-limiter, whose buckets over files do for one machine and want a Redis for more; none of them can be told
to wait, which is what the services ask for with ``Retry-After``. SQLite's transactions are what a killed process
cannot leave half done, and Dask's scheduler is reached by all its workers and does one thing at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import sqlite3
import sys
import time
import uuid
import weakref
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final, TypeAlias

from ipyassets.errors import InvalidRequest
from ipyassets.http.loop import LoopLock
from ipyassets.http.scratch import discard, scratch

__all__ = ["RateBudget", "hold", "pacing", "turn"]

Ask: TypeAlias = Callable[[float, float], float]
"""``ask(interval, hold)`` takes the next turn of a budget, turns being ``interval`` seconds apart, and gives the
seconds until then. With ``hold`` it takes none, but puts all further ones off by so many seconds from now."""

_PATIENCE: Final = 60.0
"""Seconds to wait for the file: it is locked for less than a millisecond at a time."""


class RateBudget:
    """At most ``per_second`` requests in a second, by all workers together: for `map_posters` and `to_dask`.

    Every request to a service counts, also searches, logins and second tries. They are spread evenly, with no bursts.
    When a service asks one worker to wait (``Retry-After`` with a 429), all of them do.

    Workers of Dask ask its scheduler, on which ipyassets must be installed too; other processes, which must then be on
    this machine, share a file. Asking costs a millisecond or so: enough for some hundreds of requests a second. A
    worker that is killed takes at most one turn along.

    Raises `InvalidRequest` if ``per_second`` is not above 0.
    """

    def __init__(self, per_second: float) -> None:
        given = per_second
        if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given < math.inf:
            raise InvalidRequest(f"per_second must be a number of requests, more than 0; got {given!r:.80}.")
        self.per_second = float(given)
        self._name = uuid.uuid4().hex
        folder = scratch("budget")
        self._path = path = str(folder / "pace.db")
        with contextlib.closing(sqlite3.connect(path)) as file:
            file.execute("CREATE TABLE pace (free REAL NOT NULL)")
            file.execute("INSERT INTO pace VALUES (0)")
            file.commit()
        weakref.finalize(self, discard, folder)

    def __repr__(self) -> str:
        return f"RateBudget(per_second={self.per_second:g})"

    def __reduce__(self) -> Any:
        return (_same, (self.per_second, self._name, self._path))

    def _in_file(self, interval: float, hold: float) -> float:
        if not Path(self._path).exists():
            raise InvalidRequest(
                "This rate budget is kept in a file on the machine where it was made, and this worker is on another "
                "one, or the budget is gone there. Between machines, only workers of dask.distributed share a budget."
            )
        with contextlib.closing(sqlite3.connect(self._path, timeout=_PATIENCE, isolation_level=None)) as file:
            file.execute("PRAGMA synchronous = OFF")  # it need not outlive the machine
            file.execute("BEGIN IMMEDIATE")
            ((free,),) = file.execute("SELECT free FROM pace")
            wait, free = _taken(free, time.monotonic(), interval, hold)
            file.execute("UPDATE pace SET free = ?", (free,))
            file.execute("COMMIT")
        return wait

    def _asking(self, client: Any) -> Ask:
        """How this process asks; ``client``: of Dask, if the caller knows one. Otherwise called where a task runs."""
        client = client or _worker_client()
        if client is None:
            return self._in_file
        return lambda interval, hold: client.run_on_scheduler(_on_scheduler, self._name, interval, hold)


def _same(per_second: float, name: str, path: str) -> RateBudget:
    budget = RateBudget.__new__(RateBudget)
    budget.per_second, budget._name, budget._path = per_second, name, path  # noqa: SLF001
    return budget


def _taken(free: float, now: float, interval: float, hold: float) -> tuple[float, float]:
    """The wait until the next turn, and when the one after it is; see `Ask`."""
    if hold:
        return 0.0, max(free, now + hold)
    start = max(free, now)
    return start - now, start + interval


_free: dict[str, float] = {}
"""On a scheduler: when the next turn is, by budget."""


def _on_scheduler(name: str, interval: float, hold: float) -> float:
    wait, _free[name] = _taken(_free.get(name, 0.0), time.monotonic(), interval, hold)
    return wait


def _worker_client() -> Any:
    """The client of the Dask worker whose task the caller is; None if it is none."""
    if "distributed" not in sys.modules:
        return None
    from distributed import get_client, get_worker

    try:
        get_worker()
    except ValueError:
        return None
    return get_client()


# -- the budget of what runs now --------------------------------------------------------------------------------------

_current: ContextVar[tuple[RateBudget, Ask] | None] = ContextVar("ipyassets-pace", default=None)
_gates: dict[str, LoopLock] = {}


@contextlib.contextmanager
def pacing(budget: RateBudget | None, client: Any = None) -> Iterator[None]:
    """Within the block, what the caller starts on the loop thread keeps to ``budget``."""
    token = _current.set(None if budget is None else (budget, budget._asking(client)))  # noqa: SLF001
    try:
        yield
    finally:
        _current.reset(token)


async def turn() -> None:
    """Wait for the next turn of the current budget; at once, if there is none."""
    current = _current.get()
    if current is None:
        return
    budget, ask = current
    # One of a process waits at a time: the others have no turn yet that would let them go on in a service's pause.
    async with _gates.setdefault(budget._name, LoopLock()):  # noqa: SLF001
        await asyncio.sleep(await asyncio.to_thread(ask, 1 / budget.per_second, 0.0))


async def hold(seconds: float) -> None:
    """Let everybody who shares the current budget wait ``seconds`` from now on."""
    current = _current.get()
    if current is not None and seconds > 0:
        await asyncio.to_thread(current[1], 0.0, seconds)
