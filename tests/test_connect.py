"""`connect`: which services it connects, and when the sandbox stands in for them."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from typing import Any, Self

import pytest

import ipyassets as ia
from ipyassets.clients.base import BlockingClient
from ipyassets.collections.asset_list import AssetList
from tests.fakes import MemoryService


class Memory(BlockingClient[MemoryService]):
    """A fourth service, as another package would bring it."""

    variables = ("MEMORY_TOKEN",)
    needed = (("MEMORY_TOKEN",),)

    def __init__(self) -> None:
        self.core = MemoryService(7)

    def search(self, text: str = "", *, limit: int | None = None) -> AssetList:
        return self._search(text, limit)


class Refused(Memory):
    """A service whose credentials are set and worth nothing."""

    variables = ("REFUSED_TOKEN",)
    needed = (("REFUSED_TOKEN",),)

    @classmethod
    def from_environment(cls) -> Self | None:
        raise ia.AuthenticationError("The token was refused.")


class Broken(Memory):
    """A service of another package, with a bug in it."""

    @classmethod
    def from_environment(cls) -> Self | None:
        raise KeyError("token")


def not_a_client() -> None:
    """What an entry point might name by mistake."""


@pytest.fixture
def sandbox() -> Iterator[ia.Sandbox]:
    with ia.Sandbox() as sandbox:
        yield sandbox


def install(monkeypatch: pytest.MonkeyPatch, **kinds: str) -> None:
    """Add services to those whose entry points are installed."""
    ours = list(importlib.metadata.entry_points(group="ipyassets.services"))
    added = [
        importlib.metadata.EntryPoint(name, f"tests.test_connect:{kind}", "ipyassets.services")
        for name, kind in kinds.items()
    ]

    def entry_points(**selected: Any) -> list[importlib.metadata.EntryPoint]:
        assert selected == {"group": "ipyassets.services"}
        return [*ours, *added]

    monkeypatch.setattr("ipyassets.connection.entry_points", entry_points)


def test_sandbox_where_no_variable_is_set() -> None:
    """A person without any account gets something to look at, and is told what it is."""
    with ia.connect() as services:
        assert list(services) == ["vntana", "itwin", "scenario"]
        assert repr(services) == "<Services sandbox: vntana, itwin, scenario>"
        assert services.sandbox is not None
        assert services.vntana.search("chair")[0].service == "vntana"
    assert not services.sandbox.running


def test_the_sandbox_of_ipyassets_lab_is_named_too(monkeypatch: pytest.MonkeyPatch, sandbox: ia.Sandbox) -> None:
    """Its credentials come by the environment, so nothing but this would tell a person that the assets are examples."""
    for name, value in sandbox.environment().items():
        monkeypatch.setenv(name, value)
    with ia.connect() as services:
        assert repr(services) == "<Services vntana, itwin, scenario>"
    monkeypatch.setenv("IPYASSETS_SANDBOX_ORIGIN", sandbox.origin)
    with ia.connect() as services:
        assert repr(services) == "<Services sandbox: vntana, itwin, scenario>"
        assert services.sandbox is None
        assert "Sandbox" in services.explore()._setup["banner"]
    monkeypatch.setenv("VNTANA_ADMIN_URL", "https://vntana.example")
    with ia.connect() as services:
        assert repr(services) == "<Services vntana, itwin, scenario>"


def test_no_sandbox_where_it_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who must not be shown example assets is told which variables would connect a service."""
    with pytest.raises(ia.AuthenticationError) as caught:
        ia.connect(sandbox=False)
    for name in ("VNTANA_PERSONAL_ACCESS_TOKEN", "ITWIN_ACCESS_TOKEN", "SCENARIO_SDK_API_KEY"):
        assert name in str(caught.value)


@pytest.mark.parametrize("variable", ["VNTANA_WORKSPACE", "ITWIN_BASE_URL", "SCENARIO_PROJECT_ID"])
def test_half_set_variables_do_not_give_the_sandbox(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """Somebody who set a variable of a service meant that service: example assets would mislead."""
    monkeypatch.setenv(variable, "something")
    with pytest.raises(ia.AuthenticationError):
        ia.connect()


def test_service_by_environment(monkeypatch: pytest.MonkeyPatch, sandbox: ia.Sandbox) -> None:
    """The variables of one service connect that one alone, and it is not called a sandbox."""
    for name, value in sandbox.environment().items():
        if name.startswith("SCENARIO_"):
            monkeypatch.setenv(name, value)
    with ia.connect() as services:
        assert repr(services) == "<Services scenario>"
        assert services.sandbox is None
        assert services.scenario.search()[0].service == "scenario"
        with pytest.raises(AttributeError, match="connected: scenario"):
            _ = services.vntana


def test_every_service_by_environment(monkeypatch: pytest.MonkeyPatch, sandbox: ia.Sandbox) -> None:
    """`ipyassets lab` hands its sandbox to the notebooks by environment; VNTANA stands once, by its Admin API."""
    for name, value in sandbox.environment().items():
        monkeypatch.setenv(name, value)
    with ia.connect() as services:
        assert list(services) == ["vntana", "itwin", "scenario"]
        assert {name: client.search()[0].service for name, client in services.items()} == {
            "vntana": "vntana",
            "itwin": "itwin",
            "scenario": "scenario",
        }


def test_fourth_service_through_its_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another package adds a service without a change here."""
    install(monkeypatch, memory="Memory")
    monkeypatch.setenv("MEMORY_TOKEN", "a token")
    with ia.connect() as services:
        assert repr(services) == "<Services memory>"
        assert [asset.name for asset in services.memory.search(limit=2)] == ["asset-0", "asset-1"]


def test_failing_service_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """One refused credential is reported beside the services that do work."""
    install(monkeypatch, memory="Memory", refused="Refused")
    monkeypatch.setenv("MEMORY_TOKEN", "a token")
    monkeypatch.setenv("REFUSED_TOKEN", "a token")
    with ia.connect() as services:
        assert list(services) == ["memory"]
        assert repr(services) == "<Services memory; not connected: refused>"
        assert str(services.failures["refused"]) == "The token was refused."


def test_somebody_elses_bug_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry point that named no client, or a client that raised a foreign error, took all services away."""
    install(monkeypatch, memory="Memory", broken="Broken", wrong="not_a_client", gone="Gone")
    monkeypatch.setenv("MEMORY_TOKEN", "a token")
    with ia.connect() as services:
        assert list(services) == ["memory"]
        assert {name: str(error).partition(" (")[0] for name, error in services.failures.items()} == {
            "broken": "The service broken cannot be connected",
            "gone": "The service gone cannot be loaded",
            "wrong": "The service wrong cannot be loaded",
        }


def test_the_sandbox_tells_of_what_cannot_be_loaded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service of another package that could not be loaded was not mentioned beside the sandbox."""
    install(monkeypatch, wrong="not_a_client")
    with ia.connect() as services:
        assert services.sandbox is not None
        assert repr(services) == "<Services sandbox: vntana, itwin, scenario; not connected: wrong>"
        assert "BlockingClient" in str(services.failures["wrong"])


def test_only_a_failing_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing is connected, the reason is part of the error and the sandbox does not hide it."""
    install(monkeypatch, refused="Refused")
    monkeypatch.setenv("REFUSED_TOKEN", "a token")
    with pytest.raises(ia.AuthenticationError, match="The token was refused"):
        ia.connect()


def test_blank_variables_are_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable of blanks, as an empty form of a deployment leaves it, kept the sandbox away and connected nothing."""
    monkeypatch.setenv("VNTANA_PERSONAL_ACCESS_TOKEN", "   ")
    with ia.connect() as services:
        assert services.sandbox is not None
