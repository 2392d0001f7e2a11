"""The three services on 127.0.0.1, for demonstrations, tests and people without an account.

Needs the ``sandbox`` extra; importing this package does not.
"""

from __future__ import annotations

from ipyassets.sandbox.faults import Fault, Faults, Seen
from ipyassets.sandbox.server import Sandbox, serve
from ipyassets.sandbox.world import Settings, World

__all__ = ["Fault", "Faults", "Sandbox", "Seen", "Settings", "World", "serve"]
