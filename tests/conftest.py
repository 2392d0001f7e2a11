"""What every test shares: a cache of its own, and no credentials from outside."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from ipyassets.http.cache import cache


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
