"""That the matrix does everything that the public face can do: what is new here is missed there by name."""

from __future__ import annotations

from typing import Final

import pytest
from ipywidgets import DOMWidget

import ipyassets as ia
from ipyassets.clients.webhooks import AsyncVntanaWebhooks, VntanaReceiver, VntanaWebhooks
from tests.faults.ground import OPERATIONS
from tests.faults.plan import CASES

CLIENTS: Final = {
    "vntana": (ia.Vntana, ia.AsyncVntana),
    "vntana_public": (ia.VntanaPublic, ia.AsyncVntanaPublic),
    "itwin": (ia.ITwin, ia.AsyncITwin),
    "scenario": (ia.Scenario, ia.AsyncScenario),
}
OTHERS: Final = (
    *(ia.Asset, ia.AsyncAsset, ia.AssetList, ia.AsyncAssetList),
    *(ia.RenderJob, ia.AsyncRenderJob, ia.RenderedTurntable, ia.AsyncRenderedTurntable),
    *(ia.ArchiveJob, ia.AsyncArchiveJob, ia.Download, ia.AsyncDownload),
    *(VntanaWebhooks, AsyncVntanaWebhooks, VntanaReceiver),
)
WIDGETS: Final = tuple(
    kind for name in ia.__all__ if isinstance(kind := getattr(ia, name), type) and issubclass(kind, DOMWidget)
)
DUNDERS: Final = ("__await__", "__getitem__", "__iter__", "__aiter__", "__len__", "__bool__")
ASKS_NOBODY: Final = {
    "clients": {
        *("base_url", "capabilities", "core", "from_environment", "from_reference", "instead_of", "needed"),
        *("check_place", "variables", "webhooks", "__class_getitem__"),
        "close",  # done at the end of every case
    },
    "Asset": {"id", "name", "service", "kind", "status", "created", "updated", "tags", "attributes", "raw"},
    "AssetList": {"of", "total", "__class_getitem__", "__aiter__"},
    "Job": {
        *("done", "ended", "failures", "gives", "items", "on_done", "on_item_done", "progress", "remaining"),
        *("status", "subscribe", "unit", "ids", "limits", "missing", "stop_following"),
        *("__len__", "__bool__", "__await__"),  # a blocking job is awaited as it is waited for
    },
    "ArchiveJob": {"snapshot"},  # one for all: RenderJob's
    "AsyncRenderJob": {"snapshot"},
    "widgets": {
        *("assets", "clients", "job", "jobs", "order", "picked", "query", "selection", "get_state", "set_state"),
        "add",  # is how a JobMonitor is made
        "images",  # and `to_html`: those of the selection, which is an AssetList, or of images that are here
        "to_html",
        "pick",  # waits for a person
        "submit",  # orders as the button does
        "snapshot",  # one for all: RenderJob's
    },
    "RenderedTurntable": {"formats"},
    "Download": {"media_type", "name"},
    "VntanaWebhooks": set[str](),
    "VntanaReceiver": {
        *("clear", "dropped", "duplicates", "events", "on", "received", "refused", "rotate", "running", "url"),
        *("wait_for", "webhook", "__iter__", "__aiter__"),
    },
}
"""What is known here already, or asks by another operation."""


def _public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")} | {name for name in DUNDERS if hasattr(kind, name)}


@pytest.mark.parametrize("service", CLIENTS)
@pytest.mark.parametrize("awaited", [False, True], ids=["blocking", "awaited"])
def test_every_operation_of_every_client_is_in_the_matrix(service: str, awaited: bool) -> None:
    kind = CLIENTS[service][awaited]
    done = {
        name.rpartition(".")[2]
        for one in OPERATIONS
        if one.service == service and one.awaited is awaited
        for name in one.covers
        if "." not in name or name.startswith(f"{kind.__name__}.")
    }
    if service in ("vntana_public", "scenario"):
        done.add("workspaces")  # it has none, and asks nobody
    if service == "itwin":
        assert "itwins" in done
    missed = _public(kind) - done - ASKS_NOBODY["clients"]
    assert missed == set()


@pytest.mark.parametrize("kind", OTHERS, ids=lambda kind: kind.__name__)
def test_every_method_of_what_clients_give_is_in_the_matrix(kind: type) -> None:
    name = kind.__name__
    plain = name.removeprefix("Async")
    known = ASKS_NOBODY.get(plain, set()) | ASKS_NOBODY.get(name, set())
    if plain.endswith("Job"):
        known |= ASKS_NOBODY["Job"]
    done = {part.rpartition(".")[2] for one in OPERATIONS for part in one.covers if part.startswith(f"{name}.")}
    assert _public(kind) - done - known == set()


@pytest.mark.parametrize("kind", WIDGETS, ids=lambda kind: kind.__name__)
def test_every_widget_is_in_the_matrix(kind: type) -> None:
    covered = [part for one in OPERATIONS for part in one.covers]
    done = {part.rpartition(".")[2] for part in covered if part.startswith(f"{kind.__name__}.")}
    ours = {
        name
        for each in kind.__mro__
        if each.__module__.startswith("ipyassets.")
        for name in vars(each)
        if not name.startswith("_")
    }
    assert "close" in ours
    assert ours - done - ASKS_NOBODY["widgets"] == set()


def test_what_the_matrix_covers_is_there() -> None:
    kinds = {kind.__name__: kind for kind in (*OTHERS, *WIDGETS, *(kind for both in CLIENTS.values() for kind in both))}
    for one in OPERATIONS:
        for name in one.covers:
            owner, _, method = name.rpartition(".")
            owners = [kinds[owner]] if owner else [CLIENTS[one.service][one.awaited]]
            assert all(hasattr(kind, method) for kind in owners), name


def test_cases_have_names_of_their_own() -> None:
    assert len({str(case) for case in CASES}) == len(CASES)
