from __future__ import annotations

import threading

import numpy as np
import pytest

from ipyassets.arguments import flag, patience, plain_function, seconds, whole
from ipyassets.errors import InvalidRequest


def test_whole_numbers():
    assert [whole("n", value) for value in (1, 7, np.int64(3))] == [1, 7, 3]
    assert whole("n", 0, 0) == 0
    for value in (0, 5, -1, 1.0, "1", True, None, np.float64(1)):
        with pytest.raises(InvalidRequest, match="n must be a whole number of pixels, 1 to 4, or None for all; got "):
            whole("n", value, most=4, unit="pixels", none="for all")


def test_seconds():
    assert (seconds("s", 0), seconds("s", 2), seconds("s", None, none="to wait")) == (0.0, 2.0, None)
    for value in (-1, "5", True, None, float("nan")):
        with pytest.raises(InvalidRequest, match="s must be seconds, 0 or more; got "):
            seconds("s", value)


def test_patience_for_ever():
    """A thread that was to wait for an infinite time raised OverflowError."""
    assert (patience(None), patience(float("inf")), patience(1e30)) == (None, None, None)
    assert (patience(0), patience(threading.TIMEOUT_MAX)) == (0.0, threading.TIMEOUT_MAX)


def test_flags():
    assert (flag("f", True), flag("f", False)) == (True, False)
    for value in (0, 1, "True", None):
        with pytest.raises(InvalidRequest, match="f must be True or False; got "):
            flag("f", value)


def test_plain_functions():
    async def awaited() -> None: ...

    plain_function("It", print, "wait")
    for value in (awaited, None, "print"):
        with pytest.raises(InvalidRequest, match="It must be a plain function, which may block; to await, wait"):
            plain_function("It", value, "wait")
