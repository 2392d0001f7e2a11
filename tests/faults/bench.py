"""Runs the cases of the matrix, and looks at what each leaves behind."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import gc
import http.server
import logging
import re
import socket
import ssl
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from ipyassets import errors
from ipyassets.errors import AssetServiceError
from ipyassets.http import loop
from ipyassets.http.cache import cache
from ipyassets.http.client import HttpClient
from ipyassets.http.retry import RetryPolicy
from ipyassets.sandbox import Sandbox, Settings
from tests.faults.operations import Ground, Ids, Named, Operation
from tests.faults.troubles import ELSEWHERE, HARMLESS, Trouble
from tests.http.scripted import certified

__all__ = ["Bench", "Case", "Leftovers", "Outcome"]

DEADLINE: Final = 30
"""Seconds after which a case hangs: some ten times what the slowest takes."""
ONCE: Final = ("webhook deleted", "logout", "render")
"""Operations that cannot be done twice, or take their time."""
QUICK: Final = RetryPolicy(attempts=3, first=0.001, longest=0.002, retry_after_limit=0.2)
ADVICE: Final = re.compile(
    r"\b(?:[Cc]heck|[Tt]ry|[Ww]ait|[Aa]sk|[Gg]ive|[Ll]ook|[Ss]et|[Uu]se|[Uu]pdate|[Bb]egin again|[Oo]rder|[Pp]ublish|"
    r"[Ll]og in|[Rr]etry|[Ll]ist|[Dd]elete|[Ss]ave|[Nn]ame the|[Ii]s the|[Ii]s a|will)\b"
)
"""A word of what to do next."""
_POOLS: Final = re.compile(
    r"(?:asyncio|AnyIO|ThreadPoolExecutor).*|ipyassets-[a-z-]+_\d+|ipyassets(?:-cache|-sandbox.*|-render-\d+)?"
)
"""Threads that stay by intention, and are never more than so many."""
_SIGNED: Final = re.compile(r"Signature=|X-Goog-|Policy=|eyJ[A-Za-z0-9_-]{20}|\bBearer\s+\S{12}|\bBasic\s+\S{12}")


@dataclass(frozen=True)
class Case:
    operation: Operation
    trouble: Trouble
    times: int | None

    def __str__(self) -> str:
        return f"{self.operation} | {self.trouble} | {'for ever' if self.times is None else 'once'}"


@dataclass
class Outcome:
    """``word``: "right", "unseen" (other bytes, which nobody can tell), or the class of the error; "named" before it
    where it stands in the failures of a result."""

    word: str
    wrongs: list[str] = field(default_factory=list)
    """What must not be."""
    seconds: float = 0.0


class Bench:
    """One sandbox, the right answers, and the places that lead nowhere."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
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
        self.elsewhere = _Elsewhere()

    def __enter__(self) -> Self:
        temporary = self.folder / "temporary"
        temporary.mkdir()
        self._stack.enter_context(_swapped(tempfile, "tempdir", str(temporary)))
        self._stack.enter_context(_swapped(cache, "_folder", self.folder / "cache"))
        self._stack.enter_context(self.sandbox)
        self.ground = Ground(self.sandbox, self.folder)
        self._stack.enter_context(self.elsewhere)
        closed = self._stack.enter_context(socket.socket())
        closed.bind(("127.0.0.1", 0))  # and never listens
        server, _ = certified(self.folder, "127.0.0.1")
        stranger = self._stack.enter_context(_Stranger(server))
        here = self.sandbox.origin.rpartition(":")[2]
        self._ways = {
            "nowhere": "http://nowhere.invalid:8080",
            "closed": f"http://127.0.0.1:{closed.getsockname()[1]}",
            "plain": f"https://127.0.0.1:{here}",
            "stranger": f"https://127.0.0.1:{stranger.port}",
        }
        self._log = self._stack.enter_context(_Log())
        # Tokens are shared, and go with the last client that has them: each case begins with a good one.
        self._keepers = [self._stack.enter_context(getattr(self.sandbox, name)()) for name in ("vntana", "itwin")]
        self._log_in()
        return self

    def _log_in(self) -> None:
        for client in self._keepers:
            client.workspaces()

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    # -- one case -------------------------------------------------------------------------------------------------

    def run(self, case: Case) -> Outcome:
        """What comes of a case; and whether all is well again once the trouble is over."""
        operation = case.operation
        self.warm(operation)
        self._log_in()
        self._caches += 1
        cache._folder = self.folder / f"cache-{self._caches}"
        self._log.lines.clear()
        self.elsewhere.heard.clear()
        self.ground.patience = 20.0 if case.times is not None or case.trouble.name in HARMLESS else 3.0
        began = time.monotonic()
        with self._client(operation.service, case.trouble.way) as client:
            away = case.trouble.way is not None
            given = client if operation.prepare is None or away else operation.prepare(client, self.ground)
            outcome = self._struck(case, given)
            outcome.seconds = time.monotonic() - began
            self._end()
            if operation.name == "render" and self.sandbox.renders._queue is not None:
                self.sandbox.renders._queue.clear()  # what nobody waits for any more holds up the next
            if operation.prepare is not None and outcome.word != "right" and not away:
                given = operation.prepare(client, self.ground)  # a job keeps what it has read of its archive
            if case.trouble.way is None and operation.name not in ONCE:
                outcome.wrongs += self._recovered(case, given, outcome)
        return outcome

    def warm(self, operation: Operation) -> None:
        """Do it once while all is well, and keep what comes of it."""
        if str(operation) not in self._right:
            with self._client(operation.service, None) as client:
                self._right[str(operation)] = self._done(operation, client)

    def _struck(self, case: Case, given: Any) -> Outcome:
        for name, value in case.trouble.settings.items():
            setattr(self.sandbox.settings, name, value)
        for arguments in case.trouble.faults:
            place = arguments.get("location")
            more = {} if place is None else {"location": place.replace(ELSEWHERE, self.elsewhere.origin)}
            self.sandbox.faults.add(**{**arguments, **more, "count": case.times})
        wrongs: list[str] = []
        try:
            away = case.trouble.way is not None
            run = self._done if away else lambda operation, given: operation.run(given, self.ground)
            value = _in_time(case, lambda: run(case.operation, given))
        except AssetServiceError as error:
            outcome = Outcome(type(error).__name__)
            wrongs += self._judged(error)
        except Hang:
            raise
        except BaseException as error:  # noqa: BLE001  # that there is another is what is looked for
            outcome = Outcome("?" + type(error).__name__)
            wrongs.append(f"no error of ours: {''.join(traceback.format_exception(error))[-1500:]}")
        else:
            outcome = self._compared(case, value)
            if isinstance(value, Named):
                for error in value.errors:
                    wrongs += self._judged(error)
        wrongs += [f"a secret in the log: {line[:300]}" for line in self._log.lines if self._tells(line)]
        wrongs += [f"credentials were sent elsewhere: {heard}" for heard in self.elsewhere.heard if self._tells(heard)]
        return Outcome(outcome.word, outcome.wrongs + wrongs)

    def _compared(self, case: Case, value: Any) -> Outcome:
        right = self._right[str(case.operation)]
        if isinstance(value, Ids):
            return _of_list(case, value.ids, right.ids, whole=value.whole)
        if value == right:
            return Outcome("right")
        if isinstance(value, Named) and value.errors:
            names = sorted({type(error).__name__ for error in value.errors})
            lost = len(value.results) != len(right.results) if case.operation.name != "archive extracted" else False
            return Outcome("named " + " ".join(names), ["a slot is lost"] if lost else [])
        if case.trouble.unseen:
            return Outcome("unseen")
        return Outcome("?wrong", [f"{str(value)[:300]} in the place of {str(right)[:300]}"])

    def _recovered(self, case: Case, given: Any, before: Outcome) -> list[str]:
        """The same once more, now that nothing is wrong: no bad byte, token or connection was kept."""
        if before.word == "unseen":
            cache._folder = self.folder / f"cache-{self._caches}-unseen"  # what nobody can see is kept
        self.ground.patience = 20.0
        try:
            value = _in_time(case, lambda: case.operation.run(given, self.ground))
        except Hang:
            raise
        except Exception as error:  # noqa: BLE001
            if isinstance(error, errors.AuthenticationError) and before.word == "AuthenticationError":
                return []  # a refused login is not tried again at once
            return [f"not well afterwards: {type(error).__name__}: {error}"]
        outcome = self._compared(Case(case.operation, case.trouble, 0), value)
        return [] if outcome.word in ("right", "unseen") else [f"not right afterwards: {outcome.word} {outcome.wrongs}"]

    def _judged(self, error: AssetServiceError) -> list[str]:
        """What is wrong with an error."""
        wrongs = []
        if type(error).__name__ not in errors.__all__ or type(error) is AssetServiceError:
            wrongs.append(f"not documented: {type(error).__name__}: {error}")
        if not ADVICE.search(str(error)):
            wrongs.append(f"it does not say what to do: {type(error).__name__}: {error}")
        text = "".join(traceback.format_exception(error)) + repr(vars(error)) + repr(error)
        if self._tells(text):
            wrongs.append(f"a secret in the error: {text[-500:]}")
        return wrongs

    def _tells(self, text: str) -> bool:
        return bool(_SIGNED.search(text)) or any(secret in text for secret in self._secrets())

    def _secrets(self) -> set[str]:
        info = self.sandbox.connection_info()
        names = ("password", "personal_access_token", "token", "client_secret", "api_secret")
        known = {one[name] for one in info.values() for name in names if name in one}
        return known | set(self.sandbox.vntana_api.tokens._live)

    def _done(self, operation: Operation, client: Any) -> Any:
        given = client if operation.prepare is None else operation.prepare(client, self.ground)
        return operation.run(given, self.ground)

    def _end(self) -> None:
        self.sandbox.faults.clear()
        self.sandbox.faults.log.clear()
        self.sandbox.settings.latency = self.sandbox.settings.jitter = 0.0

    @contextlib.contextmanager
    def _client(self, service: str, way: str | None) -> Iterator[Any]:
        arguments: dict[str, Any] = {}
        if way is not None:
            info, origin = self.sandbox.connection_info(), self.sandbox.origin
            places = {
                "vntana": {"base_url": info["vntana"]["admin_url"]},
                "vntana_public": {"base_url": info["vntana"]["public_url"]},
                "itwin": {"base_url": info["itwin"]["base_url"], "token_url": info["itwin"]["token_url"]},
                "scenario": {"base_url": info["scenario"]["base_url"]},
            }[service]
            arguments = {name: url.replace(origin, self._ways[way]) for name, url in places.items()}
        client = getattr(self.sandbox, service)(**arguments)
        for one in _https(client):
            one.policy = QUICK
            one._exchange._timeouts = (2.0, 0.4)
            one._exchange._total_timeout = 1.5
        try:
            yield client
        finally:
            client.close()
            self._end()

    # -- what is left ---------------------------------------------------------------------------------------------

    def left(self) -> Leftovers:
        return Leftovers.now(self.folder)

    def leaks(self, before: Leftovers) -> list[str]:
        """What there is more of than ``before``, once it had the time to go."""
        gc.collect()  # what only waits for that is no leak
        deadline = time.monotonic() + 10
        while (more := self.left().beyond(before)) and time.monotonic() < deadline:
            time.sleep(0.02)
        return more


@dataclass(frozen=True)
class Leftovers:
    tasks: tuple[str, ...]
    threads: tuple[str, ...]
    descriptors: int
    files: frozenset[str]

    @classmethod
    def now(cls, folder: Path) -> Leftovers:
        async def tasks() -> list[str]:
            return [repr(task.get_coro()) for task in asyncio.all_tasks() if task is not asyncio.current_task()]

        names = [thread.name for thread in threading.enumerate() if not _POOLS.fullmatch(thread.name)]
        temporary = {str(path) for path in (folder / "temporary").iterdir()}
        aside = {str(path) for path in folder.glob("files-*/**/.ipyassets-*")}
        return cls(
            tuple(loop.run(tasks())),
            tuple(names),
            sum(1 for _ in Path("/proc/self/fd").iterdir()),
            frozenset(temporary | aside),
        )

    def beyond(self, before: Leftovers) -> list[str]:
        more = [f"task {task}" for task in self.tasks]
        more += [f"thread {name}" for name in self.threads if self.threads.count(name) > before.threads.count(name)]
        if self.descriptors > before.descriptors:
            more.append(f"{self.descriptors - before.descriptors} open files or sockets")
        return more + [f"file {path}" for path in self.files - before.files]


class Hang(Exception):
    pass


def _in_time(case: Case, work: Any) -> Any:
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
    raise Hang(f"{case} hangs:\n{where}") from None


def _of_list(case: Case, value: tuple[str, ...], right: tuple[str, ...], *, whole: bool) -> Outcome:
    """Whether nothing is lost or there twice; a list that changed meanwhile may have what is new or gone, or not."""
    doubled = sorted({id for id in value if value.count(id) > 1})
    if doubled:
        return Outcome("?doubled", [f"there twice: {doubled}"])
    if value == right:
        return Outcome("right")
    if case.trouble.name.startswith("item ") and whole:
        lost = set(right) - set(value) - {right[0]}
        more = set(value) - set(right)
        if not lost and len(more) <= 1:
            return Outcome("right")
        return Outcome("?lost", [f"lost: {sorted(lost)}, more: {sorted(more)}"])
    if case.trouble.name.startswith("item ") and len(set(value) ^ set(right)) <= 2 and len(value) == len(right):
        return Outcome("right")  # a part of the list as it was after the change
    return Outcome("?wrong", [f"{value} in the place of {right}"])


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


class _Log(logging.Handler):
    """Keeps what the package logs."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith("ipyassets.sandbox"):
            self.lines.append(self.format(record))

    def __enter__(self) -> Self:
        log = logging.getLogger("ipyassets")
        self._before = log.level
        log.addHandler(self)
        log.setLevel(logging.DEBUG)
        return self

    def __exit__(self, *_: object) -> None:
        log = logging.getLogger("ipyassets")
        log.removeHandler(self)
        log.setLevel(self._before)


class _Elsewhere:
    """Another server, which answers whatever it is asked and remembers what it was sent."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        heard = self.heard

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                heard.append(f"{self.requestline}\n{self.headers}")
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "2")
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(b"{}")

            do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815  # names of http.server's

            def log_message(self, *_: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, name="elsewhere", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Stranger:
    """A TLS server with a certificate that nobody knows."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(2)
                self._context.wrap_socket(connection, server_side=True).close()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._serve, name="stranger", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
