"""The emulated iTwin Platform: OAuth token endpoint, iTwins API (v1) and iModels API (v2)."""

from ipyassets.sandbox.itwin.api import ITwinApi

__all__ = ["ITwinApi"]
