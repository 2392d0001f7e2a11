from __future__ import annotations

import asyncio
import gc
import io
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ipyassets.collections import downloads
from ipyassets.collections.ahead import collected, collected_awaiting
from ipyassets.collections.assets import Asset, AsyncAsset
from ipyassets.collections.chosen import chosen, given
from ipyassets.collections.download_batch import AsyncDownloadBatch, DownloadBatch
from ipyassets.collections.downloads import AsyncDownload, Download, DownloadStream
from ipyassets.collections.images import decode
from ipyassets.collections.posters import PosterResult
from ipyassets.collections.progress import bar
from ipyassets.collections.sniffing import expected, sniff
from ipyassets.errors import BadResponse, InvalidRequest, NotFound, ServiceUnavailable
from ipyassets.http import loop
from tests.collections.archives import MemoryArchives, MemoryFile, Remade
from tests.fakes import picture

SVG = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>'
OBJ = b"# made by hand\nmtllib a.mtl\no chair\nv 0.0 1.0 -2.5\nf 1 2 3\n"


def heif() -> bytes:
    pillow_heif = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (64, 48), (200, 30, 30))).save(buffer)
    return buffer.getvalue()


def downloaded(content: bytes, format: str | None = None, media_type: str | None = "image/png") -> Download:
    service = MemoryArchives(1)
    file = MemoryFile(content, name="chair.png")
    file.media_type, file.what = media_type, "asset a-1"
    return Download(file, Asset(service.make("asset-0"), service), format)


def test_one_file_in_every_way(tmp_path: Path) -> None:
    content = picture(60, 40, 7)
    one = downloaded(content)
    assert one.image().size == (60, 40)
    assert one.image(width=30).size == (30, 20)
    assert one.content == content
    assert (one.name, one.media_type, one.asset.id, one.format) == ("chair.png", "image/png", "asset-0", None)
    assert one.save(tmp_path / "x" / "y.png").read_bytes() == content
    assert one.save(tmp_path).name == "chair.png"
    assert one.save(tmp_path / "bare").name == "bare.png"
    file: Any = one._file
    assert file.fetched == len(content), "it is fetched once"
    assert repr(one) == "<Download of 'asset-0', image/png>"
    with pytest.raises(TypeError, match="not pickled"):
        one.__reduce__()


def test_a_file_that_is_only_saved_goes_straight_to_the_disk(tmp_path: Path) -> None:
    content = picture()
    one = downloaded(content)
    path = one.save(tmp_path)
    assert (path, path.read_bytes(), one.path) == (tmp_path / "chair.png", content, path)
    assert one._kept is None
    assert one.content == content
    file: Any = one._file
    assert file.fetched == len(content)
    path.unlink()
    assert one.content == content, "it was deleted, so it is fetched anew"


def test_endings_tell_what_came_and_not_what_was_promised(tmp_path: Path) -> None:
    one = downloaded(picture(format="WEBP"), media_type="image/png")
    assert one.save(tmp_path).name == "chair.webp"
    assert (one.name, one.media_type) == ("chair.webp", "image/webp")
    assert one.save(tmp_path / "as.told").name == "as.told"
    assert downloaded(picture(format="JPEG"), "jpg").save(f"{tmp_path}/v1.2/").name == "chair.jpg"


def test_a_download_that_breaks_off_is_gone_on_with(tmp_path: Path) -> None:
    content = picture(600, 400) + bytes(200_000)
    one = downloaded(content)
    file: Any = one._file
    file.breaks = 100_000
    with pytest.raises(ServiceUnavailable):
        one.save(tmp_path)
    file.breaks, file.fetched = None, 0
    assert one.save(tmp_path).read_bytes() == content
    assert file.fetched < 120_000


def test_large_files_are_not_kept_in_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(downloads, "_IN_MEMORY", 1000)
    content = picture() + bytes(5000)
    one = downloaded(content)
    assert one.image().size == (64, 48)
    assert one._kept._rolled
    assert one.save(tmp_path / "a.png").read_bytes() == content
    del one
    gc.collect()  # a file that stays open is a warning, and so an error


@pytest.mark.parametrize(
    ("content", "format", "media_type"),
    [
        (SVG, "svg", None),
        (SVG, None, "image/svg+xml"),
        (b"glTF\2\0\0\0", "glb", None),
        (OBJ, "obj", None),
        (OBJ, None, "model/obj"),
        (b"ID3\4\0", "mp3", None),
        (b"\0\0\0\x18ftypmp42", None, "video/mp4"),
    ],
)
def test_what_is_no_raster_picture_is_refused_before_it_is_fetched(
    content: bytes, format: str | None, media_type: str | None
) -> None:
    one = downloaded(content, format, media_type)
    with pytest.raises(InvalidRequest, match=r"no raster picture: \.save\(\) and \.content"):
        one.image()
    file: Any = one._file
    assert file.fetched == 0
    assert one.content == content


def test_a_drawing_nobody_promised_is_refused_once_it_is_here() -> None:
    with pytest.raises(InvalidRequest, match="is svg, no raster picture"):
        downloaded(SVG, media_type=None).image()


@pytest.mark.parametrize(
    ("content", "format", "media_type", "said"),
    [
        (picture(), "webp", "image/webp", "WEBP was asked for, but PNG came"),
        (b"<!DOCTYPE html><p>sorry", "webp", None, "but HTML came"),
        (b'{"reason": "no"}', None, "image/png", "image/png was promised, but JSON came"),
        (b"<html>no</html>", None, "model/gltf-binary", "but HTML came"),
        (b"", None, "image/png", "it is empty"),
        (b"", "obj", None, "it is empty"),
        (b"glTF\2\0\0\0", None, "image/png", "image/png was promised, but GLB came"),
        (picture(), "glb", None, "GLB was asked for, but PNG came"),
        (b"whatever\0\1", "jpeg", None, "JPEG was asked for, but 10 unknown bytes"),
    ],
)
def test_what_came_in_the_place_of_what_was_promised_is_said(
    content: bytes, format: str | None, media_type: str | None, said: str, tmp_path: Path
) -> None:
    with pytest.raises(BadResponse, match=said):
        assert downloaded(content, format, media_type).content
    with pytest.raises(BadResponse, match=said):
        downloaded(content, format, media_type).save(tmp_path / "x.bin")
    assert not (tmp_path / "x.bin").exists()


@pytest.mark.parametrize(
    ("head", "format"),
    [
        *((picture(format=name), name.lower()) for name in ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "AVIF")),
        (SVG, "svg"),
        (b"\xef\xbb\xbf<svg width='1'>", "svg"),
        (b"<!-- made --><svg>", "svg"),
        (b"<?xml version='1.0'?><feed>", "xml"),
        (b"glTF\2\0", "glb"),
        (b'{"asset": {"version": "2.0"}, "meshes": []}', "gltf"),
        (b"Kaydara FBX Binary  \0", "fbx"),
        (b"; FBX 7.3.0 project file", "fbx"),
        (OBJ, "obj"),
        (b"ID3\3", "mp3"),
        (b"\xff\xfb\x90\x64", "mp3"),
        (b"\0\0\0\x20ftypisom", "mp4"),
        (b"\0\0\0\x14ftypqt  ", "quicktime"),
        (b"RIFF\0\0\0\0WAVE", "wav"),
        (b"PK\3\4", "zip"),
        (b'{"a": 1}', "json"),
        (b"<HTML>", "html"),
    ],
)
def test_formats_are_known_by_their_first_bytes(head: bytes, format: str) -> None:
    found = sniff(head[:4096])
    assert found is not None
    assert found.format == format
    assert expected(head, None, found.media_type) is None


@pytest.mark.parametrize("head", [b"", b"hello", b"\0\0\0\0", b"{not json", b"RIFF"])
def test_what_does_not_tell_is_left_open(head: bytes) -> None:
    assert sniff(head) is None


def test_a_file_of_brackets_is_no_json():
    """Looked at as JSON it was a bare RecursionError, before anything of it was written."""
    assert sniff(b"[" * 4000) is None
    assert expected(b"[" * 4000, "png", None) is not None


@pytest.mark.parametrize(("format", "content"), [("jpg", "JPEG"), ("tif", "TIFF"), ("tiff", "TIFF"), ("avif", "AVIF")])
def test_formats_of_two_names(format: str, content: str) -> None:
    assert downloaded(picture(format=content), format).image().size == (64, 48)


def test_heif_needs_its_reader_and_registers_nothing() -> None:
    content = heif()
    one = downloaded(content, "heif")
    image = one.image(width=32)
    assert (image.size, one.media_type) == ((32, 24), "image/heif")
    assert "HEIF" not in Image.OPEN


def test_heif_without_its_reader_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    content = heif()
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(BadResponse, match=r"pip install \"ipyassets\[heif\]\""):
        decode(content)


# -- many ----------------------------------------------------------------------------------------------------------


def stream_of(service: MemoryArchives, folder: Path | None = None, **form: Any) -> DownloadStream:
    async def find(ids: Any) -> dict[str, Any]:
        return {id: service.make(id) if id in service.names else NotFound(f"There is no {id}.") for id in ids}

    many = loop.run(chosen(given(form.pop("assets", service.names), service), service, partial(find)))
    form = {"kind": Download, "wrap": Asset, **form}
    return DownloadStream(service, many, None, folder=folder, **form)


def many(service: MemoryArchives, folder: Path | None = None, **form: Any) -> DownloadBatch:
    stream = stream_of(service, folder, **form)

    def batch(results: list[PosterResult]) -> DownloadBatch:
        return DownloadBatch(*stream.slots(results))

    return collected(stream, lambda: bar(None, "file", "Downloads", None), batch)


def test_many_files_and_what_failed(tmp_path: Path) -> None:
    service = MemoryArchives(6)
    service.broken_downloads["asset-2"] = ServiceUnavailable("away")
    batch = many(service, assets=[*service.names, "asset-99"])
    assert len(batch) == 7
    assert [one is None for one in batch] == [False, False, True, False, False, False, True]
    assert [(i, asset.id, type(error)) for i, asset, error in batch.failures] == [
        (2, "asset-2", ServiceUnavailable),
        (6, "asset-99", NotFound),
    ]
    assert repr(batch) == "DownloadBatch(7 files, 2 failed)"
    images = batch.images(width=32)
    assert [image and image.size for image in images][:3] == [(32, 24), (32, 24), None]
    assert [index for index, *_ in images.failures] == [2, 6]
    paths = batch.save(tmp_path)
    assert [path.name for path in paths][:2] == ["0-asset-0-asset-0.png", "1-asset-1-asset-1.png"]
    assert [path.read_bytes() for path in paths[:2]] == [picture(colour=0), picture(colour=1)]
    with pytest.raises(ExceptionGroup, match="2 of 7 files failed"):
        batch.raise_for_failures()
    part = batch[1:3]
    assert isinstance(part, DownloadBatch)
    assert [index for index, *_ in part.failures] == [1]
    assert [asset.id for asset, _ in part.items()] == ["asset-1", "asset-2"]


def test_many_files_into_a_folder(tmp_path: Path) -> None:
    service = MemoryArchives(12)
    batch = many(service, tmp_path / "new")
    assert [path and path.name for path in batch.paths][9:11] == ["09-asset-9-asset-9.png", "10-asset-10-asset-10.png"]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(p.name for p in batch.paths if p)
    assert not batch.failures
    assert all(one is not None and one._kept is None for one in batch), "nothing is kept in memory"
    assert [image and image.getpixel((0, 0)) for image in batch.images()][3] == (3, 80, 120)


def test_the_disk_refuses_one_file(tmp_path: Path) -> None:
    (tmp_path / "0-asset-0-asset-0.png").mkdir()
    batch = many(MemoryArchives(2), tmp_path)
    assert [index for index, *_ in batch.failures] == [0]


def test_what_is_no_picture_fails_as_a_picture_only() -> None:
    service = MemoryArchives(2)
    service.downloads["asset-1"] = file = MemoryFile(b"glTF\2\0\0\0", name="mesh.glb")
    file.media_type = "model/gltf-binary"
    batch = many(service)
    assert not batch.failures
    images = batch.images()
    assert [image is None for image in images] == [False, True]
    assert "no raster picture" in str(images.failures[0][2])


def test_awaited(tmp_path: Path) -> None:
    service = MemoryArchives(3)

    async def run() -> None:
        stream = await loop.awaiting(opened())
        batch = await collected_awaiting(stream, lambda results: AsyncDownloadBatch(*stream.slots(results)))
        assert [image and image.size for image in await batch.images()] == [(64, 48)] * 3
        assert len(await batch.save(tmp_path)) == 3
        one = batch[0]
        assert isinstance(one, AsyncDownload)
        assert (await one.content())[1:4] == b"PNG"
        assert (await one.image(width=8)).size == (8, 6)
        assert (await one.save(tmp_path)).name == "asset-0.png"

    async def opened() -> DownloadStream:
        records = await chosen(
            given([AsyncAsset(service.make(n), service) for n in service.names], service), service, find
        )
        return DownloadStream(service, records, None, kind=AsyncDownload, wrap=AsyncAsset, folder=None)

    async def find(ids: Any) -> dict[str, Any]:
        return {}

    asyncio.run(run())


@pytest.mark.parametrize("way", ["content", "save"])
def test_a_file_that_changed_is_fetched_by_the_next_try(tmp_path: Path, way: str) -> None:
    """The download of an asset that was replaced meanwhile failed for ever."""
    service, new = MemoryArchives(1), MemoryFile(picture(60, 40, 8))
    file = Remade(picture(60, 40, 7))
    file.new, file.media_type, new.media_type = new, "image/png", "image/png"
    one = Download(file, Asset(service.make("asset-0"), service), None)

    def fetch() -> bytes:
        return one.content if way == "content" else one.save(tmp_path / "a.png").read_bytes()

    with pytest.raises(BadResponse, match="changed"):
        fetch()
    assert fetch() == new.content
