"""All inputs that are kept, once more, in processes of their own: memory and time are limited there by the system."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.fuzz.__main__ import TARGETS, _module, kept


@pytest.mark.parametrize("target", TARGETS)
def test_what_was_found_once_does_no_harm(target: str):
    run = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "replay", target], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, f"{run.stdout}\n{run.stderr}"
    assert "0 failed" in run.stdout


@pytest.mark.parametrize("target", TARGETS)
def test_the_seeds_that_are_kept_are_those_that_are_made(target: str):
    """So that nobody changes a file by hand that the script would write anew."""
    here = {name.partition(":")[2] for name, _ in kept(target) if "-seeds.zip" in name}
    assert here == {name for name, _ in _module(target).seeds()}
