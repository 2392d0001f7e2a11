"""The sandbox's render jobs: a queue in this process, and worker processes that make the pictures."""

from __future__ import annotations

from ipyassets.sandbox.rendering.orders import Order, Source, Stills, Turntable
from ipyassets.sandbox.rendering.queue import Part, RenderQueue

__all__ = ["Order", "Part", "RenderQueue", "Source", "Stills", "Turntable"]
