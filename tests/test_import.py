"""Importing the package."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys

import pytest

import ipyassets


def test_import_loads_nothing_heavy() -> None:
    """A notebook's first cell imports ipyassets: what takes time to load comes with the first use of it."""
    heavy = ["PIL", "aiohttp", "anywidget", "httpx", "ipywidgets", "numpy", "pandas", "starlette", "tqdm", "uvicorn"]
    code = f"import json, sys, ipyassets; print(json.dumps([name for name in {heavy} if name in sys.modules]))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(output.stdout) == []


@pytest.mark.parametrize("name", ipyassets.__all__)
def test_public_names_resolve(name: str) -> None:
    """The names are a table of strings that nothing else checks."""
    assert getattr(ipyassets, name) is not None


def test_all_and_dir_agree() -> None:
    assert set(ipyassets.__all__) <= set(dir(ipyassets))
    assert "connect" in dir(ipyassets)


def test_unknown_name_says_so() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Explorre'"):
        _ = ipyassets.Explorre


def test_no_submodule_hides_a_public_name() -> None:
    """`ia.Services` imported the module ``ipyassets.connect``, which took the place of the function: `ia.connect()`
    raised "'module' object is not callable".
    """
    modules = {module.name for module in pkgutil.iter_modules(ipyassets.__path__)}
    assert not modules & set(ipyassets.__all__)
