"""ipykernel 6, which has no subshells, in JupyterLab and alone. Its Python is another one than that of the tests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from ipyassets.sandbox import Sandbox
from tests.hosts.plain import SCRIPT, PlainKernel
from tests.hosts.steps import walk_through
from tests.hosts.test_wrapped import shows_that_it_waits
from tests.lab.explorer import GridView
from tests.lab.test_explorer import CONNECT
from tests.processes import MARK, left_behind, private_environment

pytestmark = [pytest.mark.browser, pytest.mark.tier2]

PYTHON = os.environ.get("IPYASSETS_TEST_OLD_PYTHON", "")
"""A Python with ``ipykernel<7`` and this package."""
PAGE = """<!doctype html><body><div class="cell_container"></div><script>
window.ipyaPlace = () => document.querySelector(".cell_container");
SCRIPT
</script></body>"""


@pytest.fixture
def kernel(sandbox: Sandbox, tmp_path: Path) -> Iterator[PlainKernel]:
    if not PYTHON:
        pytest.skip("IPYASSETS_TEST_OLD_PYTHON names no Python with ipykernel 6")
    version = subprocess.run([PYTHON, "-c", "import ipykernel; print(ipykernel.__version__)"], capture_output=True)
    assert version.stdout.startswith(b"6."), version
    environment = {**private_environment(tmp_path), **sandbox.environment()}
    with PlainKernel.started(tmp_path, environment, PYTHON) as kernel:
        yield kernel
    assert not left_behind(environment[MARK])


def test_waits_and_says_so(context: BrowserContext, kernel: PlainKernel) -> None:
    page = context.new_page()
    try:
        kernel.connect(page)
        page.set_content(PAGE.replace("SCRIPT", SCRIPT))
        kernel.run(page, CONNECT)
        view = GridView(page)
        walk_through(view)
        shows_that_it_waits(kernel, view)
        kernel.run(
            page,
            "import warnings\n"
            "with warnings.catch_warnings(record=True) as said:\n"
            "    warnings.simplefilter('always')\n"
            "    try:\n"
            "        await explorer.pick(timeout=6)\n"
            "    except TimeoutError:\n"
            "        assert 'heard nothing from the browser' in str(said[-1].message)\n"
            "    else:\n"
            "        raise AssertionError('it was heard')",
        )
        expect(view.root.get_by_role("button", name="Use selection")).to_be_hidden()
    finally:
        page.close()
