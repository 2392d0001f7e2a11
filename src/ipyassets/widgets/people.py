"""The person at the notebook: whether somebody is there, and what they call a thing."""

from __future__ import annotations

from typing import Any

__all__ = ["name_of", "running_cell", "somebody_may_be_there"]


def somebody_may_be_there() -> bool:
    """False where code runs without a person: a plain script, nbconvert, papermill, nbval.

    Front ends send cells with ``allow_stdin`` (their user may be asked for input); nbclient, on which nbconvert and
    papermill stand, and nbval send them without. A request that is no cell, such as a click in a widget, has none
    of it and comes from a person.
    """
    request = _request()
    if request is None:
        return False
    if request.get("header", {}).get("msg_type", "execute_request") != "execute_request":
        return True
    return bool(request.get("content", {}).get("allow_stdin", False))


def running_cell() -> str | None:
    """A mark of the run of a cell that goes on now, into whose output goes what is displayed; None if there is none."""
    header = (_request() or {}).get("header", {})
    return str(header["msg_id"]) if header.get("msg_type") == "execute_request" else None


def _request() -> dict[str, Any] | None:
    """What the kernel was asked for and does now; None where there is no kernel."""
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return None
    kernel = getattr(get_ipython(), "kernel", None)
    if kernel is None:
        return None
    return dict(kernel.get_parent("shell")) if hasattr(kernel, "get_parent") else {}


def name_of(thing: object) -> str | None:
    """What a person calls ``thing`` in the notebook, the first such name; None if it has none."""
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return None
    names = dict(getattr(get_ipython(), "user_ns", {}))
    return next((name for name, value in names.items() if value is thing and not name.startswith("_")), None)
