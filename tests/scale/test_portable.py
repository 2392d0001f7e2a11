"""Assets that are pickled: what goes along, what does not, and whose client they have afterwards."""

from __future__ import annotations

import copy
import pickle
import weakref
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import ipyassets as ia
from ipyassets.collections import portable
from ipyassets.collections.asset_list import AssetList
from ipyassets.collections.pages import RecordPages
from ipyassets.collections.thumbnails import thumbnail
from ipyassets.http import loop
from ipyassets.http.board import Seal, TokenBoard, board
from ipyassets.http.secret import Secret
from ipyassets.http.tokens import _tokens
from ipyassets.services.base import PosterSource, Record
from tests.fakes import MemoryService

SERVICES = ["vntana", "vntana_public", "itwin", "scenario"]


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Begins what another process would see: none of the clients of this one."""
    made: dict[Any, Any] = {}

    def begin() -> None:
        monkeypatch.setattr(portable, "_here", weakref.WeakValueDictionary())
        monkeypatch.setattr(portable, "_made", made)
        monkeypatch.setattr(portable, "_vouched", set())

    yield begin
    for service in made.values():
        loop.run(service.close())


def secrets_of(sandbox: ia.Sandbox) -> list[str]:
    info = sandbox.connection_info()
    names = ("password", "personal_access_token", "token", "client_secret", "api_secret")
    return [part[name] for part in info.values() for name in names if name in part]


def inside(bag: Any) -> bytes:
    """All that the tasks of ``bag`` hold, also what is packed in them."""
    import cloudpickle

    parts = [part for task in dict(bag.dask).values() for part in packets(task)]
    assert parts
    return bytes(cloudpickle.dumps(bag.dask)) + b"".join(zlib.decompress(part.content) for part in parts)


def packets(task: Any) -> Iterator[portable.Packed]:
    if isinstance(task, portable.Packed):
        yield task
    elif isinstance(task, tuple):
        for part in task:
            yield from packets(part)


@pytest.mark.parametrize("name", SERVICES)
def test_neither_a_credential_nor_a_signed_url_is_in_a_pickle_or_a_bag(sandbox: ia.Sandbox, name: str) -> None:
    with getattr(sandbox, name)() as client:
        assets = client.search(limit=20)
        chosen = list(assets)
        batch = assets.posters(64)
        texts = pickle.dumps(chosen) + pickle.dumps(batch.assets) + inside(assets.to_dask(64))
        if name == "scenario":
            assert "Signature" in repr([dict(asset.raw) for asset in chosen]), "there is nothing to find"
        folder = board()
        assert folder is not None
        tokens = [held.reveal() for token in _tokens.values() if (held := token.peek()) is not None]
        on_disk = b"".join(file.read_bytes() for file in folder.folder.iterdir())
        assert not [secret for secret in [*secrets_of(sandbox), *tokens] if secret.encode() in on_disk]
        if name == "vntana":
            assert tokens
        assert not [secret for secret in [*secrets_of(sandbox), *tokens] if secret.encode() in texts]
        for mark in (b"Signature", b"Expires=", b"X-Amz", b"Bearer"):
            assert mark not in texts


def test_a_token_on_the_board_is_read_by_the_same_credentials_alone(tmp_path: Path) -> None:
    async def shared() -> None:
        one, other = TokenBoard(tmp_path), TokenBoard(tmp_path)
        async with one.entry([Secret("vntana"), Secret("canary-password")]) as entry:
            assert entry.read() is None
            entry.write(Secret("canary-token"), 5.0)
        async with other.entry([Secret("vntana"), Secret("canary-password")]) as entry:
            found = entry.read()
            assert found is not None
            assert (found[0].reveal(), found[1]) == ("canary-token", 5.0)
        async with other.entry([Secret("vntana"), Secret("another")]) as entry:
            assert entry.read() is None

    loop.run(shared())
    assert len(list(tmp_path.iterdir())) == 2
    assert b"canary" not in b"".join(file.read_bytes() + file.name.encode() for file in tmp_path.iterdir())


@pytest.mark.parametrize("length", [0, 1, 63, 64, 65, 3000])
def test_what_is_sealed_opens_with_its_key_and_whole(length: int) -> None:
    seal, text = Seal(bytes(32), bytes(range(32))), "x" * length
    closed = seal.closed(Secret(text))
    opened = seal.opened(closed)
    assert opened is not None
    assert opened.reveal() == text
    assert seal.closed(Secret(text)) != closed
    assert Seal(bytes(32), bytes(32)).opened(closed) is None
    assert seal.opened(closed[:-1] + bytes([closed[-1] ^ 1])) is None
    assert seal.opened(b"") is None


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize("width", [64, 1024])
def test_an_asset_of_another_process_has_its_poster_by_the_credentials_there(
    sandbox: ia.Sandbox, monkeypatch: pytest.MonkeyPatch, elsewhere: Any, name: str, width: int
) -> None:
    with getattr(sandbox, name)() as client:
        asset = next(asset for asset in client.search() if asset.kind in ("3d", "image", "imodel"))
        picture, sent = asset.poster(width), pickle.dumps(asset)
    for variable, value in sandbox.environment().items():
        monkeypatch.setenv(variable, value)
    elsewhere()
    arrived = pickle.loads(sent)
    assert arrived == asset
    assert (arrived.name, arrived.kind, arrived.status, arrived.created, arrived.tags, arrived.attributes) == (
        *(asset.name, asset.kind, asset.status, asset.created, asset.tags, asset.attributes),
    )
    assert arrived.poster(width).tobytes() == picture.tobytes()
    assert arrived.poster_bytes(width)
    again = pickle.loads(pickle.dumps(arrived))
    assert again.poster(width).size == picture.size


@pytest.mark.parametrize(("name", "variable"), [("vntana", "VNTANA_PERSONAL_ACCESS_TOKEN"), ("itwin", "ITWIN_ACCESS")])
def test_a_process_without_credentials_says_which_it_needs(
    sandbox: ia.Sandbox, elsewhere: Any, name: str, variable: str
) -> None:
    with getattr(sandbox, name)() as client:
        sent = pickle.dumps(client.search()[0])
    elsewhere()
    arrived = pickle.loads(sent)
    assert arrived.name
    with pytest.raises(ia.AuthenticationError, match=variable):
        arrived.poster(64)


def test_credentials_go_to_no_place_that_an_asset_names(
    sandbox: ia.Sandbox, monkeypatch: pytest.MonkeyPatch, elsewhere: Any
) -> None:
    """The base URL travels with an asset: whoever sent one in a file had the reader's key and secret sent there."""
    with sandbox.scenario() as client:
        sent = pickle.dumps(client.search()[0])
    for variable, value in sandbox.environment().items():
        monkeypatch.setenv(variable, value)
    monkeypatch.delenv("SCENARIO_BASE_URL")
    elsewhere()
    before = len(sandbox.faults.requests())
    with pytest.raises(ia.InvalidRequest, match="they are not sent there"):
        pickle.loads(sent).poster(64)
    assert len(sandbox.faults.requests()) == before


def test_an_asset_cannot_say_where_tokens_are_to_be_had(
    sandbox: ia.Sandbox, monkeypatch: pytest.MonkeyPatch, elsewhere: Any
) -> None:
    """A reference could hold any argument of the client; with ``token_url`` it was told the client secret."""
    with sandbox.itwin() as client:
        asset = client.search()[0]
    reference = portable.reference_to(client.core)
    settings = (*reference.settings, ("token_url", f"{sandbox.origin}/thumbnails/elsewhere"))
    sent = pickle.dumps(type(asset)(asset._record, replace(reference, settings=settings)))
    for variable, value in sandbox.environment().items():
        monkeypatch.setenv(variable, value)
    elsewhere()
    before = len(sandbox.faults.requests())
    with pytest.raises(ia.InvalidRequest, match="settings of ITwin that no asset has"):
        pickle.loads(sent).poster(64)
    assert len(sandbox.faults.requests()) == before


def test_work_from_the_notebook_names_its_place_itself(
    sandbox: ia.Sandbox, monkeypatch: pytest.MonkeyPatch, elsewhere: Any
) -> None:
    """Where a client was told another place by an argument, its workers go there, too."""
    with sandbox.scenario() as client:
        parcel = portable.packed([(client.core, client.search()[0]._record)])
    for variable, value in sandbox.environment().items():
        monkeypatch.setenv(variable, value)
    monkeypatch.delenv("SCENARIO_BASE_URL")
    elsewhere()
    ((reference, _),) = portable.unpacked(parcel)
    assert portable.service_of(reference).base_url == client.base_url


def test_published_products_need_no_credentials_anywhere(sandbox: ia.Sandbox, elsewhere: Any) -> None:
    with sandbox.vntana_public() as client:
        sent = pickle.dumps(client.search()[0])
    elsewhere()
    assert pickle.loads(sent).poster(64).width == 64


def test_an_asset_that_comes_back_has_the_client_it_left(sandbox: ia.Sandbox) -> None:
    """Two accounts of one service: the one that was pickled last must not answer for both."""
    with sandbox.vntana() as first, sandbox.vntana() as second:
        pickled = [pickle.dumps(client.search()[0]) for client in (first, second)]
        assert [pickle.loads(one)._service for one in pickled] == [first.core, second.core]


def test_a_service_that_is_not_installed_is_named(elsewhere: Any) -> None:
    service = MemoryService(1)
    asset = AssetList(RecordPages(service, service.search()), "memory")[0]
    sent = pickle.dumps(asset)
    elsewhere()
    with pytest.raises(ia.InvalidRequest, match="'memory' is not installed"):
        pickle.loads(sent).poster()


class Told(MemoryService):
    """A service of somebody else's, which says nothing of other processes, with a signed URL in its records."""

    def make(self, name: str) -> Record:
        return replace(super().make(name), raw={"url": "https://files.example/x?Signature=canary"})

    def poster_source(self, record: Record, **box: Any) -> PosterSource | None:
        return super().poster_source(record, **box) if record.raw.get("url") else None


def test_a_service_that_says_nothing_is_safe_and_works() -> None:
    service = Told(3)
    asset = AssetList(RecordPages(service, service.search()), "memory")[1]
    sent = pickle.dumps(asset)
    assert b"canary" not in sent
    arrived = pickle.loads(sent)
    assert arrived.raw == {}
    assert arrived.poster().getpixel((0, 0))[0] == 1


def test_an_asset_that_arrived_shows_its_thumbnail() -> None:
    """A picture of it in a notebook, and its tile in a job, said that there is no poster."""
    service = Told(3)
    arrived = pickle.loads(pickle.dumps(AssetList(RecordPages(service, service.search()), "memory")[1]))
    made = loop.run(thumbnail(service, arrived._record, 48))
    assert made.mime.startswith("image/")


def test_a_copy_of_what_cannot_change_is_the_same() -> None:
    service = MemoryService(1)
    asset = AssetList(RecordPages(service, service.search()), "memory")[0]
    assert copy.copy(asset) is asset
    assert copy.deepcopy([asset])[0] is asset
