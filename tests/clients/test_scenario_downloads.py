"""`Scenario.download` and `download_many` against the sandbox."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

import ipyassets as ia
from ipyassets.clients.scenario import AsyncScenario, Scenario
from ipyassets.collections.assets import Asset
from ipyassets.errors import AssetServiceError, BadResponse, InvalidRequest, NotFound, PermissionDenied, RateLimited
from ipyassets.sandbox import Sandbox


@pytest.fixture
def scenario(sandbox: Sandbox) -> Iterator[Scenario]:
    with sandbox.scenario() as client:
        yield client


@pytest.fixture
def picture(scenario: Scenario) -> Asset:
    return scenario.search("chair", kind="image", filter='mimeType = "image/webp"')[0]


def size(asset: Asset) -> tuple[int, int]:
    return asset.attributes["width"], asset.attributes["height"]


@pytest.mark.parametrize(
    ("format", "pil", "suffix"),
    [
        (None, "WEBP", ".webp"),
        ("jpeg", "JPEG", ".jpg"),
        ("jpg", "JPEG", ".jpg"),
        ("png", "PNG", ".png"),
        ("webp", "WEBP", ".webp"),
        ("avif", "AVIF", ".avif"),
        ("tif", "TIFF", ".tiff"),
        ("tiff", "TIFF", ".tiff"),
        ("gif", "GIF", ".gif"),
    ],
)
def test_every_raster_format(
    scenario: Scenario, picture: Asset, format: str | None, pil: str, suffix: str, tmp_path: Path
) -> None:
    one = scenario.download(picture, format)
    image = one.image()
    assert (image.size, one.asset) == (size(picture), picture)
    path = one.save(tmp_path)
    assert (path.name, path.read_bytes()) == (picture.id + suffix, one.content)
    from PIL import Image

    with Image.open(path) as opened:
        assert opened.format == pil


def test_drawings_and_meshes_are_files(scenario: Scenario, tmp_path: Path) -> None:
    drawing = next(a for a in scenario.search("", kind="image", limit=200) if a.raw["mimeType"] == "image/svg+xml")
    mesh = scenario.search("", kind="3d")[0]
    for one, start in (
        (scenario.download(drawing), b"<"),
        (scenario.download(drawing, "svg"), b"<"),
        (scenario.download(mesh, "glb"), b"glTF"),
        (scenario.download(mesh, "obj"), b""),
    ):
        with pytest.raises(InvalidRequest, match="no raster picture"):
            one.image()
        assert one.save(tmp_path).suffix in (".svg", ".glb", ".obj")
        assert one.content.startswith(start)


def test_wrong_pairs_are_refused_before_anything_is_sent(sandbox: Sandbox, scenario: Scenario, picture: Asset) -> None:
    sandbox.faults.log.clear()
    for format in ("glb", "mp4", "svg", "psd", 5):
        with pytest.raises(InvalidRequest):
            scenario.download(picture, format)  # type: ignore[arg-type]
    for nothing in (None, [picture], 7):
        with pytest.raises(InvalidRequest, match="takes one asset"):
            scenario.download(nothing)  # type: ignore[arg-type]
    assert not sandbox.faults.log


def test_by_id(scenario: Scenario, picture: Asset) -> None:
    assert scenario.download(picture.id, "png").image().size == size(picture)
    with pytest.raises(NotFound):
        scenario.download("asset_nope")


def test_what_comes_is_not_what_was_promised(sandbox: Sandbox, scenario: Scenario, picture: Asset) -> None:
    one = scenario.download(picture, "png")
    thumbnail = f"{sandbox.origin}/scenario/cdn/thumbnails/{picture.id}"
    sandbox.faults.add("/cdn/assets", kind="redirect", location=thumbnail, count=None)
    with pytest.raises(BadResponse, match="PNG was asked for, but JPEG came"):
        one.image()


def test_what_another_server_said_first_is_forgotten(
    sandbox: Sandbox, scenario: Scenario, picture: Asset, tmp_path: Path
) -> None:
    """Led elsewhere once, then refused: the next try, with all well again, still went by the size said elsewhere."""

    def strike() -> None:
        elsewhere = f"{sandbox.origin}/scenario/cdn/thumbnails/{picture.id}"
        sandbox.faults.add("/cdn/assets", kind="redirect", location=elsewhere)
        sandbox.faults.add("/cdn/assets", kind="status", status=429, headers={"Retry-After": "600"})

    for once in (lambda one: one.image().size, lambda one: one.save(tmp_path / "it.png").stat().st_size):
        one = scenario.download(picture, "png")
        strike()
        with pytest.raises(RateLimited):
            once(one)
        assert once(one)
    assert one.image().size == size(picture)


def test_large_files_are_gone_on_with(sandbox: Sandbox, scenario: Scenario, picture: Asset, tmp_path: Path) -> None:
    one = scenario.download(picture, "tiff")
    sandbox.faults.add("/cdn/", kind="cut", after=100_000, count=2, skip=1)
    path = one.save(tmp_path)
    assert path.stat().st_size > 1_000_000
    assert one.image().size == size(picture)


def test_many(scenario: Scenario, tmp_path: Path) -> None:
    chosen = scenario.search("", limit=30)
    batch = scenario.download_many(chosen, folder=tmp_path / "all", progress=False)
    assert (len(batch), batch.failures, batch.assets) == (30, [], list(chosen))
    assert len(list((tmp_path / "all").iterdir())) == 30
    images = batch.images()
    assert [image is None for image in images] == [
        asset.kind != "image" or asset.raw["mimeType"] == "image/svg+xml" for asset in chosen
    ]
    webp = scenario.download_many(chosen, "webp")
    assert [one is None for one in webp] == [image is None for image in images], "only pictures can be had as WebP"
    assert all(isinstance(error, InvalidRequest) for *_, error in webp.failures)
    assert {path.suffix for path in webp.save(tmp_path / "webp")} == {".webp"}


def test_many_with_trouble(sandbox: Sandbox, scenario: Scenario) -> None:
    chosen = [*scenario.search("", kind="image", limit=6), "asset_nope"]
    sandbox.faults.add(r"/assets/[^/]+/download", kind="status", status=403, count=1, skip=2)
    sandbox.faults.add("/cdn/", kind="status", status=429, headers={"retry-after": "0"}, count=3)
    batch = scenario.download_many(chosen)  # type: ignore[arg-type]
    assert len(batch) == 7
    assert sorted(type(error).__name__ for *_, error in batch.failures) == ["NotFound", "PermissionDenied"]
    assert batch[-1] is None
    with pytest.raises(ExceptionGroup) as caught:
        batch.raise_for_failures()
    assert caught.group_contains(PermissionDenied)


def test_nothing_gives_a_signed_url_away(
    sandbox: Sandbox, scenario: Scenario, picture: Asset, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    with caplog.at_level(logging.DEBUG):
        one = scenario.download(picture, "png")
        sandbox.faults.add("/cdn/", kind="status", status=418, count=None)
        texts = [repr(one), repr(one._file), str(vars(one))]
        for work in (lambda: one.content, lambda: one.save(tmp_path)):
            with pytest.raises(AssetServiceError) as caught:
                work()
            texts += [str(caught.value), repr(vars(caught.value))]
    assert not any(mark in text for text in [*texts, caplog.text] for mark in ("Signature=", "Policy="))
    fetched = sandbox.faults.requests("/cdn/")
    assert fetched
    assert not any("authorization" in seen.headers for seen in fetched)


def test_awaited(sandbox: Sandbox, tmp_path: Path) -> None:
    async def run() -> None:
        own = sandbox.connection_info()["scenario"]
        async with AsyncScenario(**own) as scenario:
            chosen = scenario.search("chair", kind="image", limit=3)
            one = await scenario.download(await chosen.get(0), "png")
            assert isinstance(one, ia.AsyncDownload)
            assert (await one.image(width=32)).width == 32
            batch = await scenario.download_many(chosen, "webp", tmp_path)
            assert isinstance(batch, ia.AsyncDownloadBatch)
            assert len(await batch.images()) == 3

    asyncio.run(run())
    assert len(list(tmp_path.iterdir())) == 3
