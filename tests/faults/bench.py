"""Runs the cases of the matrix, and looks at what each brings about and leaves behind."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import socket
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import ipyassets as ia
from ipyassets import errors
from ipyassets.collections import watching
from ipyassets.errors import AssetServiceError
from ipyassets.http.cache import cache
from ipyassets.http.client import HttpClient
from ipyassets.http.retry import RetryPolicy
from ipyassets.sandbox import Sandbox, Settings
from tests.faults.ground import Ground, Named, Operation, Shown, Step
from tests.faults.judging import Outcome, compared, judged, signed
from tests.faults.leftovers import Leftovers, leaks
from tests.faults.troubles import ELSEWHERE, HARMLESS, Trouble
from tests.faults.ways import Elsewhere, Log, Stranger
from tests.http.scripted import certified

__all__ = ["Bench", "Case", "Hang"]

DEADLINE: Final = 30
"""Seconds after which a case hangs: some ten times what the slowest takes."""
QUICK: Final = RetryPolicy(attempts=3, first=0.001, longest=0.002, retry_after_limit=0.2)
SETTLED: Final = 0.5
"""Seconds in the place of the four that files must stay as they are, and of the 30 after which a failure is believed
that was told before the order, too.
"""
AWAITED: Final = {
    "vntana": ia.AsyncVntana,
    "vntana_public": ia.AsyncVntanaPublic,
    "itwin": ia.AsyncITwin,
    "scenario": ia.AsyncScenario,
}


@dataclass(frozen=True)
class Case:
    operation: Operation
    step: Step
    trouble: Trouble
    times: int | None

    def __str__(self) -> str:
        step = f" ({self.step})" if self.step.name else ""
        return f"{self.operation}{step} | {self.trouble} | {'for ever' if self.times is None else 'once'}"


class Bench:
    """One sandbox, the right answers, and the places that lead nowhere."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.temporary = folder / "temporary"
        self.sandbox = Sandbox(
            settings=Settings(
                render_quality="draft",
                render_stills=1,
                render_requires_turntable=False,
                archive_queue_time=0.0,
                archive_work_time=0.0,
            )
        )
        self._stack = contextlib.ExitStack()
        self._right: dict[str, Any] = {}
        self._caches = 0
        self.elsewhere = Elsewhere()

    def __enter__(self) -> Self:
        self.temporary.mkdir()
        self._stack.enter_context(_swapped(tempfile, "tempdir", str(self.temporary)))
        self._stack.enter_context(_swapped(cache, "_folder", self.folder / "cache"))
        # A render here is over sooner than anybody sees it run; then its files alone tell, once they stay as they are.
        self._stack.enter_context(_swapped(watching, "SETTLED", SETTLED))
        self._stack.enter_context(_swapped(watching, "STALE_FAILED", SETTLED))
        self._stack.enter_context(self.sandbox)
        self.ground = Ground(self.sandbox, self.folder)
        self._stack.enter_context(self.elsewhere)
        closed = self._stack.enter_context(socket.socket())
        closed.bind(("127.0.0.1", 0))  # and never listens
        server, _ = certified(self.folder, "127.0.0.1")
        stranger = self._stack.enter_context(Stranger(server))
        here = self.sandbox.origin.rpartition(":")[2]
        self._ways = {
            "nowhere": "http://nowhere.invalid:8080",
            "closed": f"http://127.0.0.1:{closed.getsockname()[1]}",
            "plain": f"https://127.0.0.1:{here}",
            "stranger": f"https://127.0.0.1:{stranger.port}",
        }
        self._log = self._stack.enter_context(Log())
        # Tokens are shared, and go with the last client that has them: each case begins with a good one.
        self._keepers = {name: self._stack.enter_context(getattr(self.sandbox, name)()) for name in ("vntana", "itwin")}
        return self

    def _log_in(self, service: str) -> None:
        if service in self._keepers:
            self._keepers[service].workspaces()
            self._keepers[service].asset(self.ground.records[service][0].id)  # the token of the workspace, too

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    # -- one case -------------------------------------------------------------------------------------------------

    def run(self, case: Case) -> Outcome:
        """What comes of a case; whether all is well again once the trouble is over; and that nothing is left."""
        operation = case.operation
        self.warm(operation)
        self._log_in(operation.service)
        before = self.left()
        outcome = self._run(case)
        outcome.wrongs += [f"left behind: {leak}" for leak in leaks(self.left, before)]
        return outcome

    def _run(self, case: Case) -> Outcome:
        operation = case.operation
        self._new_cache()
        self._log.lines.clear()
        self.elsewhere.heard.clear()
        lasts = case.times is None and case.trouble.name not in HARMLESS and case.step.name != "order"
        self.ground.patience = 3.0 if lasts else 20.0
        began = time.monotonic()
        away = case.trouble.way is not None
        with self._client(operation, case.trouble.way) as client:
            given = client if away else self._prepared(operation, client)
            count = self._count(operation)
            outcome = self._struck(case, given)
            outcome.seconds = time.monotonic() - began
            done = self._count(operation) - count
            outcome.wrongs += _effects(operation, outcome, done)
            self._end()
            hurry(client, QUICK, (10.0, 60.0), 300.0)  # all is well now, however busy the machine
            if "render" in operation.name and self.sandbox.renders._queue is not None:
                self.sandbox.renders._queue.clear()  # what nobody waits for any more holds up the next
            if not away:
                if operation.anew:
                    given = self._prepared(operation, client)
                outcome.wrongs += self._recovered(case, given, outcome)
        return outcome

    def warm(self, operation: Operation) -> None:
        """Do it once while all is well, and keep what comes of it; each of its steps is asked for."""
        if str(operation) in self._right:
            return
        self._new_cache()
        with self._client(operation, None, quick=False) as client:
            given = self._prepared(operation, client)
            self.sandbox.faults.log.clear()
            value = self._in_time(str(operation), lambda: self._ran(operation, given))
            asked = [f"{one.method} {one.path}" for one in self.sandbox.faults.log]
            for step in operation.steps:
                there = self.sandbox.faults.requests(step.path, step.method)[step.skip :]
                assert there, f"{operation}: {step} is not among what is asked: {asked}"
        complaints = value.errors if isinstance(value, Named) else value.words if isinstance(value, Shown) else ()
        assert not complaints, f"{operation}: not even well without trouble: {value}"
        self._right[str(operation)] = value

    def _struck(self, case: Case, given: Any) -> Outcome:
        faults, trouble, step = self.sandbox.faults, case.trouble, case.step
        for name, value in trouble.settings.items():
            setattr(self.sandbox.settings, name, value)
        self.sandbox.faults.log.clear()
        added = []
        for arguments in trouble.faults:
            place = arguments.get("location")
            more = {} if place is None else {"location": place.replace(ELSEWHERE, self.elsewhere.origin)}
            where = {} if "path" in arguments else {"path": step.path, "method": step.method, "skip": step.skip}
            added.append(faults.add(**{**arguments, **where, **more, "count": case.times}))
        wrongs: list[str] = []
        try:
            value = self._in_time(str(case), lambda: self._ran_as(case, given))
        except AssetServiceError as error:
            outcome = Outcome(type(error).__name__)
            wrongs += judged(error, self._tells)
        except Hang:
            raise
        except BaseException as error:  # noqa: BLE001  # that there is another is what is looked for
            outcome = Outcome("?" + type(error).__name__)
            wrongs.append(f"no error of ours: {''.join(traceback.format_exception(error))[-1500:]}")
        else:
            outcome = compared(trouble, value, self._right[str(case.operation)])
            if trouble.name in case.operation.blind and outcome.word == "?wrong":
                outcome = Outcome("unseen")
            for error in value.errors if isinstance(value, Named) else ():
                wrongs += judged(error, self._tells)
            words = value.words if isinstance(value, Shown) else ()
            wrongs += [f"a secret on the page: {one}" for one in words if self._tells(one)]
        struck = sum(fault.hits for fault in added)
        if trouble.settings:
            struck = len(faults.log)
        elif trouble.way is not None:
            struck = int(outcome.word != "right")
        # What is made by a clock that is 30 years ahead comes in 30 years, though nothing has expired.
        strange = outcome.word not in ("right", "JobTimeout" if "expired" in trouble.name else "")
        if not struck and (strange or not trouble.needs):
            wrongs.append(f"nothing was struck, and {outcome.word} came")
        wrongs += [f"a secret in the log: {line[:300]}" for line in self._log.lines if self._tells(line)]
        wrongs += [f"credentials were sent elsewhere: {heard}" for heard in self.elsewhere.heard if self._tells(heard)]
        return Outcome(outcome.word, outcome.wrongs + wrongs, struck=struck)

    def _ran_as(self, case: Case, given: Any) -> Any:
        if case.trouble.way is not None:
            given = self._prepared(case.operation, given)
        return self._ran(case.operation, given)

    def _recovered(self, case: Case, given: Any, before: Outcome) -> list[str]:
        """The same once more, now that nothing is wrong: no bad byte, token or connection was kept."""
        operation = case.operation
        if before.word == "unseen":
            self._new_cache()  # what nobody can see is kept
        self.ground.patience = 20.0
        count = self._count(operation)
        try:
            value = self._in_time(f"{case}, afterwards", lambda: self._ran(operation, given))
        except Hang:
            raise
        except Exception as error:  # noqa: BLE001
            if isinstance(error, errors.AuthenticationError) and before.word == "AuthenticationError":
                return []  # a refused login is not tried again at once
            return [f"not well afterwards: {type(error).__name__}: {error}"]
        outcome = compared(case.trouble, value, self._right[str(operation)])
        wrongs = _effects(operation, Outcome("right"), self._count(operation) - count)
        if outcome.word not in ("right", "unseen"):
            wrongs.append(f"not right afterwards: {outcome.word} {outcome.wrongs} {value}"[:600])
        return wrongs

    def _count(self, operation: Operation) -> int:
        return operation.effect(self.ground) if operation.effect is not None else 0

    def _tells(self, text: str) -> bool:
        return signed(text) or any(secret in text for secret in self._secrets())

    def _secrets(self) -> set[str]:
        info = self.sandbox.connection_info()
        names = ("password", "personal_access_token", "token", "client_secret", "api_secret")
        known = {one[name] for one in info.values() for name in names if name in one}
        return known | set(self.sandbox.vntana_api.tokens._live)

    # -- an operation -----------------------------------------------------------------------------------------------

    def _prepared(self, operation: Operation, client: Any) -> Any:
        return client if operation.prepare is None else _now(operation.prepare(client, self.ground))

    def _ran(self, operation: Operation, given: Any) -> Any:
        return _now(operation.run(given, self.ground))

    def _in_time(self, what: str, work: Callable[[], Any]) -> Any:
        """``work()`` on a thread of its own; `Hang`, with where it hangs, after the deadline."""
        done: concurrent.futures.Future[Any] = concurrent.futures.Future()

        def run() -> None:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", UserWarning)
                    done.set_result(work())
            except BaseException as error:  # noqa: BLE001  # handed on
                done.set_exception(error)

        thread = threading.Thread(target=run, name="case", daemon=True)
        thread.start()
        for _ in range(DEADLINE):  # not all at once: a machine that pauses everybody is no hang
            with contextlib.suppress(concurrent.futures.TimeoutError):
                return done.result(1.0)
            if done.done():
                return done.result()
        frame = sys._current_frames().get(thread.ident or 0)
        where = "".join(traceback.format_stack(frame)) if frame is not None else ""
        raise Hang(f"{what} hangs:\n{where}") from None

    def _end(self) -> None:
        self.sandbox.faults.clear()
        self.sandbox.faults.log.clear()
        self.sandbox.settings.latency = self.sandbox.settings.jitter = 0.0

    def _new_cache(self) -> None:
        self._caches += 1
        cache._folder = self.folder / f"cache-{self._caches}"

    @contextlib.contextmanager
    def _client(self, operation: Operation, way: str | None, *, quick: bool = True) -> Iterator[Any]:
        arguments: dict[str, Any] = {}
        if way is not None:
            info, origin = self.sandbox.connection_info(), self.sandbox.origin
            places = {
                "vntana": {"base_url": info["vntana"]["admin_url"]},
                "vntana_public": {"base_url": info["vntana"]["public_url"]},
                "itwin": {"base_url": info["itwin"]["base_url"], "token_url": info["itwin"]["token_url"]},
                "scenario": {"base_url": info["scenario"]["base_url"]},
            }[operation.service]
            arguments = {name: url.replace(origin, self._ways[way]) for name, url in places.items()}
        client = getattr(self.sandbox, operation.service)(**arguments)
        if operation.awaited:
            core, client = client.core, AWAITED[operation.service].__new__(AWAITED[operation.service])
            client.core = core  # the same service behind the other face
        if quick:
            hurry(client, QUICK, (2.0, 0.4), 1.0)
        try:
            yield client
        finally:
            _now(client.close())
            self._end()

    # -- what is left ---------------------------------------------------------------------------------------------

    def left(self) -> Leftovers:
        return Leftovers.now(self.temporary, self.folder)


class Hang(Exception):
    pass


def hurry(client: Any, policy: RetryPolicy, timeouts: tuple[float, float], total: float) -> None:
    """Change the time limits of a client, which nobody else can: a matrix of thousands of cases waits for them."""
    for one in _https(client):
        one.policy = policy
        one._exchange._timeouts = timeouts
        one._exchange._total_timeout = total


def _now(value: Any) -> Any:
    """What a coroutine gives, awaited on a loop of its own."""

    async def awaited() -> Any:
        return await value

    return asyncio.run(awaited()) if hasattr(value, "__await__") and asyncio.iscoroutine(value) else value


def _effects(operation: Operation, outcome: Outcome, done: int) -> list[str]:
    """What is asked for once happens once; where it failed, perhaps."""
    if operation.effect is None:
        return []
    least = 1 if outcome.word == "right" else 0
    good = done >= least and (done <= 1 or operation.repeats)
    return [] if good else [f"it was done {done} times at the service"]


def _https(client: Any) -> list[HttpClient]:
    """The HTTP clients of a service: those of its own, and of what it logs in by."""
    found = list(vars(client.core).values())
    found += [inner for one in found if hasattr(one, "__dict__") for inner in vars(one).values()]
    return [one for one in {id(one): one for one in found}.values() if isinstance(one, HttpClient)]


@contextlib.contextmanager
def _swapped(owner: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)
