from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.faults.bench import Bench


@pytest.fixture(scope="package")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # who speaks TLS to it is told so
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
        with Bench(tmp_path_factory.mktemp("faults")) as running:
            yield running
