"""Troubles in succession; trouble with a login that many wait for; two processes that end each other's tokens."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest

import ipyassets as ia
from ipyassets.errors import AssetServiceError, AuthenticationError
from ipyassets.http import loop, tokens
from tests.faults.bench import QUICK, Bench, hurry
from tests.faults.combined import chains
from tests.faults.judging import judged
from tests.faults.troubles import TROUBLES, Trouble

SEED: Final = int(os.environ.get("IPYASSETS_FAULTS_SEED", "7"))
SAMPLE: Final = 20
WAITING: Final = 20
LOGINS: Final = {
    "vntana": ("/v1/auth/login", "/refresh-token$"),
    "itwin": ("/connect/token$",),
}


def _chained(bench: Bench, count: int) -> None:
    wrongs = []
    for case in chains(count, SEED):
        outcome = bench.run(case)
        if outcome.wrongs:
            outcome = bench.run(case)  # a machine that was paused sees time limits where there are none
        wrongs += [f"{case} -> {outcome.word}: {wrong}" for wrong in outcome.wrongs]
    assert not wrongs, "\n".join(wrongs) + f" (IPYASSETS_FAULTS_SEED={SEED})"


def test_troubles_in_succession(bench: Bench) -> None:
    _chained(bench, SAMPLE)


@pytest.mark.tier2
def test_many_troubles_in_succession(bench: Bench) -> None:
    _chained(bench, 1_500)


# -- a login that many wait for ---------------------------------------------------------------------------------------


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients made here share no tokens with those made before, as in a process of their own."""
    monkeypatch.setattr(tokens, "_tokens", type(tokens._tokens)())


def _all_at_once(client: Any, ids: list[str]) -> list[Any]:
    async def ask() -> list[Any]:
        return await asyncio.gather(*(client.core.record(id) for id in ids), return_exceptions=True)

    return [one if isinstance(one, BaseException) else one.id for one in loop.run(ask())]


def _waited(bench: Bench, service: str, path: str, trouble: Trouble, times: int | None) -> None:
    """The login goes wrong while many requests wait for it: each is right, or has an error of its own."""
    ids = [record.id for record in bench.ground.records[service]]
    wanted = [ids[number % len(ids)] for number in range(WAITING)]
    with getattr(bench.sandbox, service)() as client:
        hurry(client, QUICK, (2.0, 0.4), 1.0)
        before = bench.left()
        struck = [
            bench.sandbox.faults.add(path, **{**arguments, "count": times, **_place(bench, arguments)})
            for arguments in trouble.faults
        ]
        bench.sandbox.faults.log.clear()
        found = bench._in_time(f"{service} {path} {trouble} {times}", lambda: _all_at_once(client, wanted))
        logins = len(bench.sandbox.faults.requests(path))
        bench._end()
        for one, id in zip(found, wanted, strict=True):
            if isinstance(one, AssetServiceError):
                assert judged(one, bench._tells) == [], trouble
            else:
                assert one == id, trouble
        if not any(fault.hits for fault in struck):
            assert trouble.needs, trouble
        if times is not None:
            assert logins <= 2 * QUICK.attempts, f"{logins} logins for one token"
        if not any(isinstance(one, AuthenticationError) for one in found):  # a refused login is not tried again at once
            assert bench._in_time("afterwards", lambda: _all_at_once(client, wanted)) == wanted, trouble
        assert [left for left in bench.left().beyond(before) if left.startswith(("task", "thread", "file"))] == []


def _place(bench: Bench, arguments: Any) -> dict[str, Any]:
    return {"location": bench.elsewhere.origin} if "location" in arguments else {}


_PAIRS: Final = [(service, path) for service, paths in LOGINS.items() for path in paths]
_SHORT: Final = ("reset", "503", "cut body", "429", "HTML page", "revoked token or URL")


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(("service", "path"), _PAIRS)
@pytest.mark.parametrize("name", _SHORT)
def test_twenty_wait_for_a_login_in_trouble(bench: Bench, service: str, path: str, name: str) -> None:
    trouble = next(one for one in TROUBLES if one.name == name)
    _waited(bench, service, path, trouble, 1)


@pytest.mark.tier2
@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(("service", "path"), _PAIRS)
@pytest.mark.parametrize("trouble", [one for one in TROUBLES if one.faults and not one.everywhere], ids=str)
def test_twenty_wait_for_a_login_in_any_trouble(bench: Bench, service: str, path: str, trouble: Trouble) -> None:
    for times in trouble.times:
        tokens._tokens.clear()
        _waited(bench, service, path, trouble, times)


# -- two processes with one account -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("name", ["", "503", "reset", "cut body", "revoked token or URL"])
def test_two_processes_end_each_others_tokens_and_nothing_is_lost(bench: Bench, name: str) -> None:
    """VNTANA ends a token when another process gets one of the same scope."""
    with bench.sandbox.vntana() as one:
        _all_at_once(one, [bench.ground.records["vntana"][0].id])
        mine = dict(tokens._tokens)
        tokens._tokens.clear()  # as in another process: it knows nothing of the tokens here
        with bench.sandbox.vntana() as other:
            for client in (one, other):
                hurry(client, QUICK, (10.0, 60.0), 300.0)
            assert other.core._ladder._session.token not in mine.values()
            for arguments in next((trouble.faults for trouble in TROUBLES if trouble.name == name), ()):
                bench.sandbox.faults.add("/", **{**arguments, "count": 6, "rate": 0.3})

            def posters(client: ia.Vntana) -> list[Any]:
                try:
                    batch = client.search(limit=12).posters(width=32, progress=False)
                except AssetServiceError as error:
                    return [None, error]
                return [*batch, *(error for _, _, error in batch.failures)]

            ids: list[str] = []
            rounds = 4
            with ThreadPoolExecutor(2) as pool:
                for _ in range(rounds):
                    bench._new_cache()
                    for found in pool.map(posters, (one, other)):
                        errors = [item for item in found if isinstance(item, AssetServiceError)]
                        ids.append(f"{len(found)} {len(errors)}")
                        assert sum(item is None for item in found) == len(errors)
                        assert [wrong for error in errors for wrong in judged(error, bench._tells)] == []
                        assert not errors or name, errors
            bench._end()
            assert len(ids) == 2 * rounds
            for client in (one, other):
                bench._new_cache()
                assert None not in posters(client)
