"""What services say of an asset, as records: nothing lost, nothing invented, whatever comes in its place."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyassets.errors import BadResponse
from ipyassets.services.base import Kind, Record
from ipyassets.services.itwin.records import imodel
from ipyassets.services.scenario.records import asset
from ipyassets.services.vntana.records import blob, client_uuid, product

READERS = [(product, "uuid"), (imodel, "id"), (asset, "id")]

plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
anything = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)
ids = st.text(min_size=1, max_size=40)
zones = st.timedeltas(timedelta(hours=-14), timedelta(hours=14)).map(
    lambda off: timezone(timedelta(minutes=off // timedelta(minutes=1)))
)
moments = st.datetimes(datetime(1970, 1, 3), datetime(9998, 12, 30), timezones=zones)  # noqa: DTZ001  # its terms
names = st.text(min_size=1).filter(str.strip)
known = """
    uuid id name displayName status state kind mimeType created createdAt createdDateTime updated updatedAt tags
    lastChangesetPushDateTime attributes asset assetType metadata properties clientUuid description url thumbnail
""".split()  # noqa: SIM905


@pytest.mark.parametrize(("read", "key"), READERS)
@given(data=st.data(), entity=st.dictionaries(st.sampled_from(known) | st.text(max_size=8), anything))
def test_whatever_stands_in_the_fields_it_is_a_record_or_refused(
    read: Any, key: str, data: st.DataObject, entity: dict[str, Any]
):
    entity[key] = data.draw(ids | anything)
    if not isinstance(entity[key], str) or not entity[key]:
        with pytest.raises(BadResponse):
            read(entity)
        return
    record: Record = read(entity)
    assert record.id == entity[key]
    assert record.name
    assert record.kind in get_args(Kind)
    assert all(isinstance(tag, str) for tag in record.tags)
    assert all(moment is None or moment.tzinfo is UTC for moment in (record.created, record.updated))
    assert record.raw == entity, "unknown fields are kept"
    assert json.loads(json.dumps(dict(record.raw))) == json.loads(json.dumps(entity))
    assert record == read({**entity, "name": "another"}), "the same asset, whatever is told of it"
    assert hash(record) == hash(read({key: entity[key]}))


@given(ids, names, names, moments, moments, st.lists(names), st.dictionaries(st.text(), st.text()), ids, ids)
def test_a_product_of_vntana_says_what_was_said(
    id: str,
    name: str,
    status: str,
    created: datetime,
    updated: datetime,
    tags: list[str],
    attributes: dict[str, str],
    image: str,
    client: str,
):
    row = {
        "uuid": id,
        "name": name,
        "status": f"NEW_{status}",  # a status that is newer than we are
        "created": created.isoformat(),
        "updated": updated.isoformat(),
        "tags": [{"name": tag} for tag in tags],
        "attributes": [{"key": key, "value": value} for key, value in attributes.items()],
        "asset": {"thumbnailBlobId": image},
        "clientUuid": client,
    }
    record = product(row)
    assert (record.id, record.name, record.status) == (id, name.strip(), f"NEW_{status}".strip())
    assert (record.created, record.updated) == (created, updated)
    assert record.tags == tuple(tag.strip() for tag in tags)
    assert record.attributes == attributes
    assert (blob(record), client_uuid(record)) == (image.strip() or None, client.strip() or None)


@given(ids, names, moments, st.lists(st.text()), st.integers(0, 10**9), names)
def test_an_asset_of_scenario_says_what_was_said(
    id: str, name: str, created: datetime, tags: list[str], seed: int, prompt: str
):
    said = {"name": name, "prompt": prompt, "seed": seed}
    record = asset({"id": id, "kind": "image", "createdAt": created.isoformat(), "tags": tags, "metadata": said})
    assert (record.id, record.name, record.created, record.tags) == (id, name.strip(), created, tuple(tags))
    assert record.attributes["seed"] == str(seed), "a text, as it is where it came as one"
    assert record.attributes["prompt"] == prompt


@given(ids, names, moments)
def test_an_imodel_says_what_was_said(id: str, name: str, created: datetime):
    record = imodel({"id": id, "displayName": name, "createdDateTime": created.isoformat()})
    assert (record.id, record.name, record.created, record.kind) == (id, name.strip(), created, "imodel")


@pytest.mark.parametrize(("read", "key"), READERS)
@given(id=ids)
def test_of_an_asset_that_is_nothing_but_its_id_the_rest_is_none(read: Any, key: str, id: str):
    record: Record = read({key: id})
    assert (record.name, record.status, record.created, record.updated, record.tags) == (id, None, None, None, ())


# -- found by fuzzing -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [float("nan"), float("inf"), True])
def test_a_seed_that_is_no_number_is_none(seed: Any):
    """A seed of NaN or true became the text "None", which then stood in tables and in file names."""
    assert "seed" not in asset({"id": "a", "metadata": {"seed": seed}}).attributes
