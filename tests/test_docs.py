"""Every Python block of the README and the docs runs, page by page, against the sandbox."""

from __future__ import annotations

import ast
import asyncio
import re
from pathlib import Path

import pytest

from ipyassets.clients.base import BlockingClient
from ipyassets.sandbox import Sandbox

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", [page for page in PAGES if BLOCK.search(page.read_text())], ids=lambda p: p.name)
def test_the_code_of_the_page_runs(page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    with Sandbox() as sandbox:
        for name, value in sandbox.environment().items():
            monkeypatch.setenv(name, value)
        names: dict[str, object] = {}
        exec("import ipyassets as ia", names)
        for block in BLOCK.finditer(page.read_text()):
            line = page.read_text()[: block.start()].count("\n") + 1
            code = compile(
                "\n" * line + block[1], str(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True
            )
            awaited = eval(code, names)
            if awaited is not None:
                asyncio.run(awaited)
        for value in names.values():
            if isinstance(value, BlockingClient):
                value.close()
