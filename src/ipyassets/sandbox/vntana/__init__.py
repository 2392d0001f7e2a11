"""The emulated VNTANA platform: Admin API and Public API over one catalogue."""

from __future__ import annotations

from ipyassets.sandbox.vntana.api import VntanaApi

__all__ = ["VntanaApi"]
