"""What shows a job or a turntable in a notebook; the widgets are loaded when something is first shown."""

from __future__ import annotations

from typing import Any

__all__ = ["job_view", "turntable_view"]


def job_view(job: Any) -> Any:
    """The live display of ``job``: progress of each asset, stop and retry."""
    from ipyassets.widgets.job_monitor import monitor_of

    return monitor_of(job)


def turntable_view(turntable: Any) -> Any:
    """What turns ``turntable`` by hand."""
    from ipyassets.widgets import TurntablePlayer

    return TurntablePlayer(turntable)
