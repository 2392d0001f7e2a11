"""Whether somebody can be waited for: asked of the request that a front end really sends."""

from __future__ import annotations

from pathlib import Path

import IPython.core.getipython
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from ipyassets.widgets.people import somebody_may_be_there


class Kernel:
    def __init__(self, parent: dict) -> None:
        self.parent = parent

    def get_parent(self, channel: str) -> dict:
        assert channel == "shell"
        return self.parent


class Shell:
    def __init__(self, **attributes: object) -> None:
        self.__dict__.update(attributes)


def request(msg_type: str, **content: object) -> dict:
    return {"header": {"msg_type": msg_type}, "content": content}


@pytest.mark.parametrize(
    ("shell", "expected"),
    [
        (None, False),
        (Shell(), False),
        (Shell(kernel=Kernel({})), False),
        (Shell(kernel=Kernel(request("execute_request", allow_stdin=True))), True),
        (Shell(kernel=Kernel(request("execute_request", allow_stdin=False))), False),
        (Shell(kernel=Kernel(request("comm_msg"))), True),
    ],
    ids=["script", "terminal", "nothing running", "JupyterLab", "nbclient", "a click"],
)
def test_who_is_there(monkeypatch: pytest.MonkeyPatch, shell: object, expected: bool):
    monkeypatch.setattr(IPython.core.getipython, "get_ipython", lambda: shell)
    assert somebody_may_be_there() is expected


ASK = "from ipyassets.widgets.people import somebody_may_be_there; print(somebody_may_be_there())"


def test_a_real_kernel_tells_a_person_from_nbclient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """nbconvert and papermill run cells through nbclient; a front end with a person allows input."""
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    book = new_notebook(cells=[new_code_cell(ASK), new_code_cell(ASK)])
    client = NotebookClient(book, kernel_name="python3")
    with client.setup_kernel():
        client.execute_cell(book.cells[0], 0)
        client.kc.allow_stdin = True  # as JupyterLab sends it
        client.execute_cell(book.cells[1], 1)
    assert [cell.outputs[0].text for cell in book.cells] == ["False\n", "True\n"]
