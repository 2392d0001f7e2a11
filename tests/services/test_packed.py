from __future__ import annotations

import copy
import gc
import json
import pickle
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipyassets.services.itwin.records import imodel
from ipyassets.services.packed import Packed, look
from ipyassets.services.scenario.records import asset
from ipyassets.services.vntana.records import blob, client_uuid, product

plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters())
values = st.recursive(plain, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12)


@given(st.dictionaries(st.text(), values))
def test_what_is_packed_is_there_unchanged(entity: dict[str, Any]):
    packed = Packed(entity)
    assert isinstance(packed, Mapping)
    assert packed == entity
    assert (list(packed), len(packed), dict(packed), packed.copy()) == (list(entity), len(entity), entity, entity)
    assert repr(packed) == repr(entity)


def test_a_text_that_is_no_unicode_is_kept_as_it_came():
    entity = json.loads(r'{"name": "\ud800 half a pair"}')
    assert Packed(entity)["name"] == entity["name"]


def test_it_is_read_only_and_of_its_own():
    entity = {"tags": ["a"]}
    packed: Any = Packed(entity)
    entity["tags"].append("b")
    assert packed["tags"] == ["a"]
    packed.copy()["more"] = 1
    assert "more" not in packed
    with pytest.raises(TypeError):
        packed["tags"] = []


@pytest.mark.parametrize(("read", "key"), [(product, "uuid"), (imodel, "id"), (asset, "id")])
def test_a_record_holds_no_objects_of_its_row_before_it_is_looked_at(read: Any, key: str):
    """Each record of a search held its JSON object as hundreds of objects, 12 kB of VNTANA's, whether wanted or not."""

    class Marked(dict[str, Any]):
        pass

    record = read(Marked({key: "1", "unknown": {"deep": [1, {"er": 2}]}}))
    assert not [found for found in gc.get_objects() if isinstance(found, Marked)]
    assert record.raw["unknown"] == {"deep": [1, {"er": 2}]}


def test_the_names_do_not_show_the_values():
    """``asset.raw.keys()`` printed the whole object into the notebook, signed addresses with it."""
    packed = Packed({"url": "https://cdn.example/a.png?Signature=canary"})
    assert list(packed.keys()) == ["url"]
    assert "canary" not in repr(packed.keys())


PATHS = (("a",), ("a", "b"), ("a", "b", "c"))


@given(
    st.dictionaries(
        st.sampled_from("ax"), st.recursive(plain, lambda inner: st.dictionaries(st.sampled_from("bcx"), inner))
    )
)
def test_a_look_is_the_same_whatever_is_at_hand(entity: dict[str, Any]):
    for at_hand in ((), PATHS[:1], PATHS):
        packed = Packed(entity, at_hand)
        assert [look(packed, *path) for path in PATHS] == [look(entity, *path) for path in PATHS]
        assert packed == entity


def test_where_a_poster_is_does_not_unpack_the_record():
    """A walk over the posters of 100,000 assets unpacked each record, which then took four times the memory."""
    record = product({"uuid": "1", "clientUuid": "w", "asset": {"thumbnailBlobId": "b", "more": [1, 2]}})
    assert (blob(record), client_uuid(record)) == ("b", "w")
    assert record.raw._bytes is not None  # type: ignore[attr-defined]
    assert record.raw["asset"]["more"] == [1, 2]


def test_an_object_that_is_too_deep_to_be_packed_is_kept_as_it_is():
    """From Python 3.12 on JSON may be nested deeper than marshal writes, and a page with such an asset was lost."""
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"in": deep}
    packed = Packed({"id": "a", "deep": deep})
    assert packed["id"] == "a"
    assert look(packed, "deep", "in", "in") == deep["in"]["in"]


def test_the_bytes_of_marshal_are_in_no_pickle():
    """They are read without any check, and another version of Python may crash on them."""
    entity = {"id": "a", "tags": ["b"]}
    packed = Packed(entity, (("id",),))
    held = packed._bytes
    assert held is not None
    sent = pickle.dumps(packed)
    assert held not in sent
    assert pickle.loads(sent) == copy.deepcopy(packed) == entity
