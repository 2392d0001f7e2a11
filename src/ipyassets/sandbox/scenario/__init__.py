"""The emulated Scenario REST API and the CDN beside it."""

from ipyassets.sandbox.scenario.api import ScenarioApi

__all__ = ["ScenarioApi"]
