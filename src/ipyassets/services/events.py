"""What services tell by themselves, as webhooks bring it, and who listens.

A receiver publishes here; jobs subscribe. An event is a hint to look now, never a proof: jobs look for themselves.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from ipyassets.services.rendering import Part, Stage
from ipyassets.texts import shown

__all__ = ["Event", "Hub", "Listener", "hub"]

log = logging.getLogger("ipyassets.events")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at a service."""

    service: str
    """The short name of the service, as in `Record.service`."""
    name: str
    """In one spelling, whatever the payload's: ``renders.completed``, ``product.completed``."""
    asset: str | None = None
    """The id of the asset it is about."""
    workspace: str | None = None
    at: datetime | None = None
    """When it was sent, by the service's clock; aware, in UTC."""
    part: Part | None = None
    stage: Stage | None = None
    """For renders: which part of the work came to which stage."""
    raw: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """The payload as it came."""


Listener: TypeAlias = Callable[[Event], None]


class Hub:
    """Passes events on. Safe from any thread; listeners are called on the thread that publishes and must not block."""

    def __init__(self) -> None:
        # To be taken again by who holds it: the collector may come by there, and end what a receiver had begun.
        self._lock = threading.RLock()
        self._listeners: list[Listener] = []
        self._receivers = 0

    @property
    def receiving(self) -> bool:
        """Whether a receiver runs, so that events can be hoped for."""
        return self._receivers > 0

    @contextmanager
    def receiver(self) -> Iterator[None]:
        """While a receiver runs."""
        with self._lock:
            self._receivers += 1
        try:
            yield
        finally:
            with self._lock:
                self._receivers -= 1

    def publish(self, event: Event) -> None:
        with self._lock:
            listeners = tuple(self._listeners)
        for listener in listeners:
            try:
                listener(event)
            except Exception:  # one listener's trouble is not the others'
                log.exception("a listener failed on %s", shown(event.name))

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with every event from now on; gives what ends that."""
        with self._lock:
            self._listeners.append(listener)

        def end() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return end


hub: Final = Hub()
"""The one all receivers and jobs of this process share."""
