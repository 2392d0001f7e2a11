from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ipyassets.errors import BadResponse
from ipyassets.services.itwin.records import imodel, workspace

FULL = {
    "id": "5e19bee0-3aea-4355-a9f0-c6df9989ee7d",
    "displayName": "Sun City",
    "dataCenterLocation": "East US",
    "name": "Sun City",
    "description": "",
    "state": "initialized",
    "createdDateTime": "2021-10-05T16:31:18.1030000Z",
    "lastChangesetPushDateTime": "2021-10-06T01:00:00Z",
    "iTwinId": "ab3a9869-d3b9-4b9e-b0a0-6b1b7b3f1c11",
    "isSecured": False,
    "extent": {"southWest": {"latitude": 1, "longitude": 2}, "northEast": {"latitude": 3, "longitude": 4}},
    "containersEnabled": 0,
    "newInTheFuture": {"a": 1},
}


def test_full_entity() -> None:
    record = imodel(FULL)
    assert (record.service, record.id, record.name, record.kind) == ("itwin", FULL["id"], "Sun City", "imodel")
    assert record.status == "initialized"
    assert record.created == datetime(2021, 10, 5, 16, 31, 18, 103000, UTC)
    assert record.updated == datetime(2021, 10, 6, 1, tzinfo=UTC)
    assert record.attributes["data_center"] == "East US"
    assert record.attributes["secured"] is False
    assert "description" not in record.attributes
    assert record.raw["newInTheFuture"] == {"a": 1}


def test_minimal_entity() -> None:
    record = imodel({"id": "x", "displayName": "Bridge"})
    assert (record.name, record.status, record.created, record.updated) == ("Bridge", None, None, None)


@pytest.mark.parametrize("date", ["yesterday", 17, None, "", "0001-01-01T00:00:00+14:00"])
def test_unreadable_dates_are_none(date: object) -> None:
    assert imodel({"id": "x", "createdDateTime": date}).created is None


def test_unknown_state_survives() -> None:
    assert imodel({"id": "x", "state": "hibernating"}).status == "hibernating"


@pytest.mark.parametrize("entity", [{}, {"id": None}, {"id": 7}, {"id": ""}])
def test_an_entity_without_an_id_is_refused(entity: dict[str, object]) -> None:
    with pytest.raises(BadResponse):
        imodel(entity)
    with pytest.raises(BadResponse):
        workspace(entity)


def test_workspace_falls_back_to_the_number() -> None:
    place = workspace({"id": "x", "displayName": None, "number": "NK-1"})
    assert (place.name, place.slug) == ("NK-1", "NK-1")
