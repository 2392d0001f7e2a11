"""Hosts of notebooks other than JupyterLab, in a real Chromium; the browser and the sandbox are as in `tests/lab`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ipyassets.sandbox import Sandbox
from tests.lab.conftest import (  # noqa: F401  # fixtures and a hook, by their names
    browser,
    chromium,
    context,
    playwright,
    pytest_runtest_makereport,
    sandbox,
)
from tests.lab.server import JupyterServer


@pytest.fixture(scope="package")
def server(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:  # noqa: F811
    """One server gives JupyterLab, Notebook 7 and Voila."""
    server = JupyterServer(tmp_path_factory.mktemp("jupyter"), sandbox.environment())
    server.start()
    yield server
    left = server.stop()
    assert not left, f"Jupyter left processes behind: {left}"
