"""The disk cache against a dict, and its keys."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ipyassets.http.cache import DiskCache
from ipyassets.http.secret import Secret
from ipyassets.services.base import AssetService, PosterSource, Record
from ipyassets.services.itwin.auth import GivenToken
from ipyassets.services.itwin.client import ITwinService
from ipyassets.services.scenario.auth import BasicKeys
from ipyassets.services.scenario.client import ScenarioService
from ipyassets.services.vntana.client import VntanaService

texts = st.text(max_size=12) | st.sampled_from(["", "/", "..", "\0", "a", "A", "a/b", "con", "\u00e9", "e\u0301", '"'])
keys = st.lists(texts, min_size=1, max_size=5).map(tuple)


@given(st.lists(keys, unique=True, min_size=2, max_size=8))
def test_each_key_has_a_file_of_its_own_with_a_harmless_name(some: list[tuple[str, ...]]):
    kept = DiskCache("/folder")
    paths = [kept._path(key) for key in some]
    assert len({path.casefold() for path in paths}) == len(some)
    assert all(re.fullmatch(r"/folder/[0-9a-f]{2}/[0-9a-f]{62}", path) for path in paths)
    assert paths == [DiskCache("/folder")._path(key) for key in some], "the same in every process"


class Kept(RuleBasedStateMachine):
    """A cache that is large enough is a dict, also to those who open its folder anew."""

    KEYS = st.sampled_from([("a",), ("a", "b"), ("ab",), ("a", "", "b"), ("A",)])

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="cache-"))
        self.cache = DiskCache(self.folder, size_limit=1 << 20)
        self.model: dict[tuple[str, ...], bytes] = {}

    @rule(key=KEYS, content=st.binary(max_size=60))
    def put(self, key: tuple[str, ...], content: bytes) -> None:
        self.cache.put(key, content)
        self.model[key] = content

    @rule(key=KEYS, content=st.binary(max_size=60), backlog=st.sampled_from([0, 40, 1 << 20]))
    def put_soon(self, key: tuple[str, ...], content: bytes, backlog: int) -> None:
        self.cache.put_soon(key, content, backlog=backlog)
        self.model[key] = content

    @rule(key=KEYS)
    def drop(self, key: tuple[str, ...]) -> None:
        self.cache.drop(key)
        self.model.pop(key, None)

    @rule(key=KEYS)
    def get(self, key: tuple[str, ...]) -> None:
        assert self.cache.get(key) == self.model.get(key)
        assert self.cache.has(key) == (key in self.model)

    @rule()
    def flush(self) -> None:
        self.cache.flush()
        anew = DiskCache(self.folder)
        assert {key: anew.get(key) for key in self.model} == self.model

    @rule()
    def clear(self) -> None:
        self.cache.clear()
        self.model.clear()
        assert self.cache.size() == 0

    @rule(key=KEYS, content=st.binary(max_size=60))
    def put_while_off(self, key: tuple[str, ...], content: bytes) -> None:
        self.cache.enabled = False
        self.cache.put(key, content)
        assert self.cache.get(key) is None
        self.cache.enabled = True

    @invariant()
    def nothing_else_is_there(self) -> None:
        if hasattr(self, "folder"):
            assert len([path for path in self.folder.rglob("*") if path.is_file()]) <= len(self.model) + 1

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.cache.flush()
            shutil.rmtree(self.folder)


TestKept = Kept.TestCase
TestKept.settings = settings(stateful_step_count=20)


class Uncounted(VntanaService):
    """Its posters' keys alone are wanted: nobody logs in."""

    def __init__(self) -> None:
        self.base_url = "https://api.example"


ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(
    lambda text: text.strip() and text not in (".", "..")
)
edges = st.none() | st.integers(1, 4096)
asked = st.tuples(ids, ids, ids, edges, edges)


def _of_vntana(product: str, workspace: str, image: str, width: int | None, height: int | None) -> PosterSource:
    return Uncounted().poster_by_ids(product, workspace, image, width=width, height=height)


@settings(deadline=None)
@given(st.lists(asked, unique=True, min_size=2, max_size=6))
def test_posters_that_differ_in_anything_have_keys_that_do(some: list[tuple[Any, ...]]):
    """Product, workspace, blob and box are all part of the address; the same ones give the same key."""
    found = [_of_vntana(*one).key for one in some]
    assert len(set(found)) == len(some)
    assert found == [_of_vntana(*one).key for one in some]


changes = st.sampled_from(["", "2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z"])


@settings(deadline=None)
@given(st.lists(st.tuples(ids, changes, st.booleans()), unique=True, min_size=2, max_size=6))
def test_a_picture_that_changed_is_not_taken_for_the_old_one(some: list[tuple[str, str, bool]]):
    services: tuple[tuple[AssetService, str], ...] = (
        (ScenarioService(BasicKeys(Secret("key"), Secret("secret"))), "updatedAt"),
        (ITwinService(GivenToken(Secret("t"))), "lastChangesetPushDateTime"),
    )
    for service, name in services:
        keys = []
        for id, changed, large in some:
            raw = {"url": "https://cdn.example/a/assets/x.png", "mimeType": "image/png", name: changed}
            record = Record(service.name, id, id, "image", raw=raw)
            source = service.poster_source(record, size="large" if large else "small")
            assert source is not None
            keys.append(source.key)
            assert not any("cdn.example" in part for part in source.key), "no address, which may be signed"
        assert len(set(keys)) == len(some)
