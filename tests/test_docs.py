"""Every Python block of the README and the docs runs, page by page, against the sandbox; what they quote is there."""

from __future__ import annotations

import ast
import asyncio
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import ipyassets
from ipyassets import cli
from ipyassets.clients.base import BlockingClient
from ipyassets.sandbox import Sandbox

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHELL = re.compile(r"^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)
ELSEWHERE = "asyncio.run() cannot be called from a running event loop"
"""The one message on the page of troubles that is Python's own."""


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


def test_a_block_that_waits_for_a_person_says_why_it_cannot():
    """The only blocks that are not run; the code in them is still code."""
    blocks = [
        (page.name, block)
        for page in PAGES
        for block in re.findall(r"^```python \S.*?\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    ]
    assert [name for name, _ in blocks] == ["explorer.md"]
    for _, block in blocks:
        assert all(".pick(" in line for line in block.splitlines())
        compile(block, "explorer.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def test_shell_blocks_name_what_there_is():
    """Extras, tasks and our own commands: what a reader copies must exist."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras, tasks = project["project"]["optional-dependencies"], project["tool"]["poe"]["tasks"]
    text = "\n".join(block for page in PAGES for block in SHELL.findall(page.read_text()))
    named = {extra for found in re.findall(r"(?:ipyassets|\.)\[([a-z,]+)\]", text) for extra in found.split(",")}
    assert named
    assert named <= set(extras)
    assert set(re.findall(r"bin/poe (\w+)", text)) <= set(tasks)
    commands = re.findall(r"^(?:\S*bin/)?ipyassets ([^#\n]+)", text, re.MULTILINE)
    assert commands
    for command in commands:
        cli._parser().parse_args(shlex.split(command))


def test_every_quoted_message_is_in_the_source():
    """A message that was reworded is not found by whoever searches the page for it."""
    said = {text for path in (ROOT / "src").rglob("*.py") for text in _texts(ast.parse(path.read_text()))}
    page = (ROOT / "docs" / "troubleshooting.md").read_text()
    quoted = re.findall(r"^### `(.+)`$", page, re.MULTILINE)
    assert len(quoted) > 30
    missing = [message for message in quoted if message != ELSEWHERE and not any(message in text for text in said)]
    assert missing == []


def _texts(tree: ast.AST) -> Iterator[str]:
    """All texts of a module but its docstrings, with … for what is filled in."""
    docstrings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if node in docstrings:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)


def test_the_reference_has_every_public_name_once():
    pages = sorted((ROOT / "docs" / "reference").glob("*.md"))
    text = "\n".join(page.read_text() for page in pages)
    listed = re.findall(r"^\.\. auto\w+:: ipyassets\.(\w+)$", text, re.MULTILINE)
    assert sorted(listed) == sorted(set(ipyassets.__all__) - {"__version__"})
