"""That the matrix sees what it looks for: planted leaks, and guards of the client that are taken out."""

from __future__ import annotations

import asyncio
import socket
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from ipyassets.collections import images, pages, walking
from ipyassets.collections.archive_reader import ArchiveReader
from ipyassets.http import exchange, loop, wire
from ipyassets.services.itwin.auth import ClientCredentials
from ipyassets.services.vntana.auth import Scope
from tests.faults import bench as benches
from tests.faults.bench import Bench
from tests.faults.ground import Named, Silent
from tests.faults.judging import compared
from tests.faults.plan import CASES

BY_NAME: Final = {str(case): case for case in CASES}


# -- planted leaks ----------------------------------------------------------------------------------------------------

_held: list[Any] = []


def _thread() -> None:
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait, name="forgotten", daemon=True)
    thread.start()
    _held.append((ended, thread))


def _task() -> None:
    async def begin() -> None:
        _held.append(asyncio.create_task(asyncio.sleep(3600)))

    loop.run(begin())


def _temporary_folder(ground: Any) -> None:
    del ground
    tempfile.mkdtemp()


def _partial_file(ground: Any) -> None:
    (ground.new_folder() / ".ipyassets-1").write_bytes(b"half")


def _socket(ground: Any) -> None:
    _held.append(socket.create_connection(("127.0.0.1", int(ground.sandbox.origin.rpartition(":")[2]))))


LEAKS: Final[dict[str, Callable[[Any], None]]] = {
    "thread forgotten": lambda _: _thread(),
    "task": lambda _: _task(),
    "open: /": lambda _: _held.append(Path(__file__).open("rb")),  # noqa: SIM115  # closed below
    "open: socket": _socket,
    "file ": _temporary_folder,
    ".ipyassets-1": _partial_file,
}


@pytest.mark.parametrize("told", LEAKS)
def test_a_planted_leak_is_seen(bench: Bench, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    one = BY_NAME["scenario: asset (asset) | 503 | once"]

    def leaking(client: Any, ground: Any) -> Any:
        LEAKS[told](ground)
        return one.operation.run(client, ground)

    bench.warm(one.operation)
    monkeypatch.setattr("tests.faults.leftovers._GONE", 0.0)
    outcome = bench.run(replace(one, operation=replace(one.operation, run=leaking)))
    assert any("left behind" in wrong and told in wrong for wrong in outcome.wrongs), outcome
    while _held:
        match _held.pop():
            case (ended, thread):
                ended.set()
                thread.join()
            case asyncio.Task() as task:
                loop.loop().call_soon_threadsafe(task.cancel)
            case file:
                file.close()


# -- planted results --------------------------------------------------------------------------------------------------


def test_a_result_that_is_lost_doubled_or_another_one_is_seen() -> None:
    one = BY_NAME["vntana: posters (picture) | 503 | for ever"]
    right = Named(("a", "b", "c"), ())
    failure = (RuntimeError(),)
    for wrong in (("a", "b"), ("a", "b", None, None), ("a", "c", None), ("a", None, None), ("b", "a", None)):
        assert compared(one.trouble, Named(wrong, failure), right).wrongs, wrong
    assert compared(one.trouble, Named(("a", None, "c"), failure), right).wrongs == []
    pairs = Silent((("1", "a"), ("2", "b")))
    assert compared(one.trouble, Silent((("1", "a"), ("2", "c"))), pairs).wrongs
    assert compared(one.trouble, Silent((("1", "a"),)), pairs).wrongs
    assert compared(one.trouble, Silent((("1", "a"), ("2", None))), pairs).word == "silent"


def test_what_is_done_twice_at_the_service_is_seen(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """As by a client that sends an order again whose answer broke off."""
    monkeypatch.setattr("ipyassets.http.client.repeatable", lambda _: True)
    monkeypatch.setattr("ipyassets.http.exchange.repeatable", lambda _: True)
    outcome = bench.run(BY_NAME["vntana: webhook made (order) | cut body | once"])
    assert any("2 times at the service" in wrong for wrong in outcome.wrongs), outcome


def test_a_fault_that_strikes_nothing_is_seen(bench: Bench) -> None:
    one = BY_NAME["vntana_public: asset (asset) | 503 | once"]
    outcome = bench.run(replace(one, step=replace(one.step, path="/nothing-asks-for-this")))
    assert any("nothing was struck" in wrong for wrong in outcome.wrongs), outcome


def test_an_error_of_another_kind_and_a_secret_in_one_are_seen(bench: Bench) -> None:
    one = BY_NAME["scenario: asset (asset) | 503 | once"]
    bench.warm(one.operation)

    def broken(client: Any, ground: Any) -> Any:
        del client
        raise KeyError(ground.sandbox.connection_info()["scenario"]["api_secret"])

    outcome = bench._struck(replace(one, operation=replace(one.operation, run=broken)), None)
    assert outcome.word == "?KeyError"
    bench._end()


# -- guards taken out -------------------------------------------------------------------------------------------------


def _no_retry(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(benches, "QUICK", replace(benches.QUICK, attempts=1))


def _no_length(patch: pytest.MonkeyPatch) -> None:
    """A body that ends before its Content-Length is taken as whole."""
    give_up = wire.Connection._give_up

    def taken(self: Any, error: Any) -> None:
        answer = self._answer
        if answer is None or not answer.answered:
            give_up(self, error)
            return
        if self._body is not None and self._filled > self._body[0]:
            answer.add(bytes(self._room[self._body[0] : self._filled]))
        self._rest()
        self.abort()
        answer.finish()

    patch.setattr(wire.Connection, "_give_up", taken)


def _no_dedupe(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pages, "each_once", list)
    patch.setattr(walking, "_key", lambda _: object())


def _no_renewal(patch: pytest.MonkeyPatch) -> None:
    """A token that was refused is not replaced."""
    patch.setattr(Scope, "refused", lambda *_: False)
    patch.setattr(ClientCredentials, "refused", lambda *_: False)


def _no_look(patch: pytest.MonkeyPatch) -> None:
    """Pictures are not looked at to their end."""
    patch.setattr(images, "_cut_off", lambda *_: False)


def _no_advice(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("ipyassets.http.client._ADVICE", {})


def _never_anew(patch: pytest.MonkeyPatch) -> None:
    """What was read of an archive is kept, damaged or not."""

    async def trusts(_: Any) -> bool:
        return False

    patch.setattr(ArchiveReader, "doubtful", trusts)


def _never_unsure(patch: pytest.MonkeyPatch) -> None:
    """What is gone when it is deleted again was never there."""
    patch.setattr(exchange.Transient, "unsure", property(lambda _: False, lambda *_: None), raising=False)


GUARDS: Final[list[tuple[Callable[[pytest.MonkeyPatch], None], str]]] = [
    (_no_retry, "vntana: asset (asset) | 503 | once"),
    (_no_retry, "scenario: tags | 503 | once"),
    (_no_length, "itwin: poster bytes (picture) | cut body | once"),
    (_no_dedupe, "vntana: whole list (later page) | item added between pages | for ever"),
    (_no_dedupe, "scenario: table (search) | duplicate items | once"),
    (_no_renewal, "vntana: asset (asset) | expired token or URL | once"),
    (_no_renewal, "itwin: asset (asset) | expired token or URL | once"),
    (_no_look, "itwin: poster bytes (picture) | truncated file | for ever"),
    (_no_advice, "vntana_public: asset (asset) | 503 | for ever"),
    (_never_anew, "scenario: archive names (archive) | corrupt file | for ever"),
    (_never_unsure, "vntana: webhook deleted | cut body | once"),
]


@pytest.mark.parametrize(("take_out", "name"), GUARDS, ids=[f"{out.__name__[1:]}-{name}" for out, name in GUARDS])
def test_the_matrix_turns_red_without_a_guard(bench: Bench, take_out: Any, name: str) -> None:
    one = BY_NAME[name]
    whole = bench.run(one)
    assert whole.wrongs == []
    with pytest.MonkeyPatch.context() as patch:
        take_out(patch)
        broken = bench.run(one)
    assert broken.wrongs or broken.told != whole.told, broken


def test_a_hang_is_seen(bench: Bench) -> None:
    one = BY_NAME["vntana_public: asset (asset) | stall | once"]
    bench.warm(one.operation)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(benches.Hang, match="hangs"):
        patch.setattr(benches, "hurry", lambda *_: None)
        patch.setattr(benches, "DEADLINE", 1)
        bench.run(one)
