"""What every test shares: a cache of its own, no credentials from outside, and a sandbox where one is asked for."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import fields, replace

import pytest
from hypothesis import HealthCheck, settings

from ipyassets.http.cache import cache
from ipyassets.sandbox import Sandbox

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background of a shell; tests press Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The same few examples in every run; `pytest --hypothesis-profile=deep` looks for new ones (docs/development.md). No
# limit of time for one: it would be a limit of what else the machine does.
_slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile("ci", max_examples=50, derandomize=True, deadline=None, suppress_health_check=_slow)
settings.register_profile(
    "deep", max_examples=5000, stateful_step_count=100, deadline=None, print_blob=True, suppress_health_check=_slow
)
settings.load_profile("ci")


@pytest.fixture(autouse=True)
def private_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Each test starts with an empty disk cache that nobody else reads."""
    before = cache._folder, cache._enabled, cache.size_limit
    cache._folder = tmp_path_factory.mktemp("cache")
    yield
    cache._folder, cache._enabled, cache.size_limit = before


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the credentials of the person who runs it."""
    for name in list(os.environ):
        if name.startswith(("VNTANA_", "ITWIN_", "SCENARIO_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


@pytest.fixture(autouse=True)
def no_board(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test finds the tokens that another one shared with its workers."""
    monkeypatch.setattr("ipyassets.http.board._board", None)


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Iterator[Sandbox]:
    """One sandbox for all tests of a module, as new for each: no faults, nothing logged, its settings and clock."""
    settings, clock = replace(shared_sandbox.settings), shared_sandbox.world.clock
    shared_sandbox.faults.log.clear()
    yield shared_sandbox
    shared_sandbox.world.clock = clock
    for field in fields(settings):
        setattr(shared_sandbox.settings, field.name, getattr(settings, field.name))
    shared_sandbox.reset()
