from __future__ import annotations

import asyncio
import io
import struct
import subprocess
import sys
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ipyassets.collections import progress
from ipyassets.collections.asset_list import AsyncAssetList
from ipyassets.collections.batch import ImageBatch
from ipyassets.collections.images import decode
from ipyassets.collections.pages import Item
from ipyassets.collections.posters import Box, PosterResult, PosterStream
from ipyassets.collections.thumbnails import thumbnail
from ipyassets.errors import BadResponse, Interrupted, InvalidRequest, NotFound, PermissionDenied, ServiceUnavailable
from ipyassets.http import loop
from ipyassets.http.cache import cache
from tests.collections.test_asset_list import listed
from tests.fakes import MemoryService, picture
from tests.fuzz.__main__ import kept
from tests.waiting import begun


def huge_png(width: int = 50_000, height: int = 50_000) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")
    )


def test_a_poster_is_a_pil_image_in_its_box():
    asset = listed(MemoryService(3))[2]
    assert asset.poster().size == (64, 48)
    assert asset.poster(width=32).size == (32, 24)
    assert asset.poster(height=12).size == (16, 12)
    assert asset.poster(width=1000, height=1000).size == (64, 48)
    assert asset.poster(width=32, height=12).size == (16, 12)
    assert asset.poster().getpixel((0, 0)) == (2, 80, 120)
    assert asset.poster(width=np.int64(32)).size == (32, 24)
    assert asset.poster_bytes() == picture(colour=2)


@pytest.mark.parametrize("box", [{"width": 0}, {"height": -1}, {"width": 1.5}, {"width": True}, {"width": "512"}])
def test_a_box_that_makes_no_sense_is_refused_before_anything_is_sent(box: dict[str, Any]):
    service = MemoryService(3)
    asset = listed(service)[0]
    with pytest.raises(InvalidRequest, match="pixels"):
        asset.poster(**box)
    assert service.fetched == []


def test_posters_come_in_order_however_they_arrive():
    service = MemoryService(60, page_size=25)

    async def later(id: str) -> None:
        for _ in range(40 - int(id.rpartition("-")[2]) % 40):
            await asyncio.sleep(0)

    service.before_poster = later
    batch = listed(service).posters()
    assert [image.getpixel((0, 0))[0] for image in batch.images] == list(range(60))
    assert [asset.name for asset in batch.assets] == [f"asset-{n}" for n in range(60)]
    assert batch.failures == []
    assert batch.raise_for_failures() is batch


def test_failures_keep_their_slot_and_their_reason():
    service = MemoryService(6)
    service.posters = {
        "asset-1": ServiceUnavailable("down"),
        "asset-2": None,
        "asset-3": b"this is text, not a poster",
        "asset-4": huge_png(),
        "asset-5": picture()[:-40],
    }
    batch = listed(service).posters(width=32)
    assert [image is not None for image in batch] == [True, False, False, False, False, False]
    assert [(index, asset.name, type(error)) for index, asset, error in batch.failures] == [
        (1, "asset-1", ServiceUnavailable),
        (2, "asset-2", NotFound),
        (3, "asset-3", BadResponse),
        (4, "asset-4", BadResponse),
        (5, "asset-5", BadResponse),
    ]
    messages = [str(error) for _, _, error in batch.failures]
    assert "no poster" in messages[1]
    assert "text" in messages[2]
    assert "pixels" in messages[3]
    assert "damaged" in messages[4]
    with pytest.raises(ExceptionGroup) as caught:
        batch.raise_for_failures()
    assert len(caught.value.exceptions) == 5
    assert [(i, a.name) for i, a, _ in batch[1:3].failures] == [(0, "asset-1"), (1, "asset-2")]


def test_a_surprise_in_one_poster_does_not_lose_the_others():
    service = MemoryService(3)
    service.posters = {"asset-1": RuntimeError("a bug of ours")}
    batch = listed(service).posters()
    assert [image is not None for image in batch] == [True, False, True]
    assert "RuntimeError" in str(batch.failures[0][2])


def test_when_the_search_fails_on_a_later_page_what_came_is_kept():
    service = MemoryService(12)
    service.broken_pages[2] = PermissionDenied("page 2 is not yours")
    assets = listed(service)[:]
    with pytest.raises(PermissionDenied):
        assets.posters()
    assert assets.last_batch is not None


def test_the_number_of_posters_in_memory_is_bounded_when_streaming():
    service = MemoryService(500, page_size=100)
    ahead = []
    for index, (asset, image) in enumerate(listed(service).iter_posters()):
        assert image is not None
        assert asset.name == f"asset-{index}"
        ahead.append(len(service.fetched) - index)
    assert max(ahead) < 100


def test_a_stream_left_early_leaves_no_work_behind():
    service = MemoryService(500, page_size=100)
    with begun():
        stream = listed(service).iter_posters()
        next(stream)
        stream.close()
    assert service.running == 0
    assert len(service.fetched) < 100


def test_the_second_time_nothing_is_fetched():
    service = MemoryService(5)
    listed(service).posters()
    assert len(service.fetched) == 5
    batch = listed(service).posters()
    assert len(service.fetched) == 5
    assert [image.getpixel((0, 0))[0] for image in batch.images] == list(range(5))
    cache.enabled = False
    listed(service).posters()
    assert len(service.fetched) == 10


def test_what_is_no_picture_is_not_kept():
    """A login page served once as a poster must not be shown from the cache for ever."""
    service = MemoryService(1)
    service.posters = {"asset-0": b"<html>log in</html>"}
    with pytest.raises(BadResponse, match="HTML"):
        listed(service)[0].poster()
    service.posters = {}
    assert listed(service)[0].poster().size == (64, 48)


def test_served_files_are_saved_as_they_were(tmp_path: Path):
    service = MemoryService(3)
    service.posters = {"asset-1": picture(format="JPEG"), "asset-2": None}
    paths = listed(service).posters().save(tmp_path / "new" / "folder")
    assert [path.name for path in paths] == ["0-asset-0-asset-0.png", "1-asset-1-asset-1.jpg"]
    assert paths[0].read_bytes() == picture(colour=0)


def test_a_link_in_the_place_of_a_picture_is_not_written_through(tmp_path: Path):
    """In a folder where others may write, they had any file of ours overwritten: the names are easy to guess."""
    precious = [tmp_path / "served", tmp_path / "made"]
    folder = tmp_path / "posters"
    folder.mkdir()
    for number, path in enumerate(precious):
        path.write_text("mine")
        (folder / f"{number}-asset-{number}-asset-{number}.png").symlink_to(path)
    served = listed(MemoryService(2)).posters()
    paths = ImageBatch(list(served.assets), served.images, contents=[picture(colour=0), None]).save(folder)
    assert [path.read_bytes() for path in precious] == [b"mine", b"mine"]
    assert [decode(path.read_bytes()).size for path in paths] == [(64, 48)] * 2
    assert not any(path.is_symlink() for path in paths)
    assert sorted(folder.iterdir()) == paths


def test_a_contact_sheet_is_one_image_of_all():
    service = MemoryService(5)
    service.posters = {"asset-3": None}
    sheet = listed(service).posters().contact_sheet(columns=3, tile=64)
    assert sheet.mode == "RGB"
    assert sheet.width < 3 * 64 + 60
    assert sheet.height > 2 * 64
    with pytest.raises(InvalidRequest):
        listed(service).posters().contact_sheet(columns=0)


@pytest.mark.parametrize("terminal", [True, False])
def test_a_script_in_a_terminal_shows_progress(monkeypatch: pytest.MonkeyPatch, terminal: bool):
    """Only prompts and notebooks did: a script that fetched thousands of posters said nothing for minutes."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal)
    with progress.bar(10, "poster", "Posters", None) as bar:
        assert bar.disable is not terminal


def test_ctrl_c_keeps_what_came():
    """The 21st poster never comes; Ctrl-C is pressed when the 20 before it have been counted."""
    code = """
import asyncio, contextlib, os, signal, sys
sys.path.insert(0, ".")
from tests.fakes import MemoryService
from tests.collections.test_asset_list import listed
import ipyassets as ia
from ipyassets.collections import asset_list

class Bar(contextlib.nullcontext):
    count = 0
    def __enter__(self): return self
    def update(self, more):
        self.count += more
        if self.count >= 20: os.kill(os.getpid(), signal.SIGINT)

asset_list.bar = lambda *_: Bar()
ia.cache.enabled = False
service = MemoryService(50, page_size=50)
service.before_poster = lambda id: asyncio.Event().wait() if id == "asset-20" else None
assets = listed(service)
try:
    assets.posters()
except KeyboardInterrupt as interrupted:
    assert isinstance(interrupted, ia.Interrupted)
    assert interrupted.partial is assets.last_batch
    got = [a.attributes["n"] for a, image in interrupted.partial.items() if image is not None]
    print(got[:20] == list(range(20)), 20 in got)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "True False\n", done.stderr
    assert Interrupted.__mro__[1] is KeyboardInterrupt


def test_ctrl_c_does_not_lose_what_was_on_its_way(monkeypatch: pytest.MonkeyPatch):
    """Posters that the loop thread had given, and the interrupted thread had not got yet, were in nobody's hands."""
    assets, real, pressed = listed(MemoryService(5)), loop._Running.result, list[int]()

    def result(running: loop._Running[Any]) -> Any:
        found = real(running)
        if isinstance(found, list) and found and not pressed:
            pressed.append(len(found))
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(loop._Running, "result", result)
    with pytest.raises(Interrupted) as interrupted:
        assets.posters()
    assert pressed
    assert [asset.attributes["n"] for asset, _ in interrupted.value.partial.items()][: pressed[0]] == [*range(*pressed)]


async def test_a_page_that_is_slow_to_come_holds_no_finished_poster_back():
    """Finished posters waited for the next page to come, and were lost when the reader was interrupted meanwhile."""
    service = MemoryService(20)

    async def items() -> AsyncIterator[Item]:
        for name in service.names:
            yield service, service.make(name)
        await asyncio.Event().wait()

    async def interrupted() -> list[PosterResult]:
        stream, taken = PosterStream(items(), Box()), []
        while len(taken) < 20:
            taken.extend(await stream.take())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(stream.take(), 0.01)
        return taken + await stream.stop()

    taken = await asyncio.wait_for(loop.awaiting(interrupted()), 30)
    assert [result.index for result in taken] == list(range(20))


async def test_the_awaited_batch_is_the_same():
    batch = await listed(MemoryService(10, numbered=False), kind=AsyncAssetList).posters(width=32)
    assert len(batch) == 10
    assert batch[9].size == (32, 24)


def test_pictures_lying_on_their_side_are_turned_and_still_fit():
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (200, 100), "red").save(buffer, "JPEG", exif=exif)
    assert decode(buffer.getvalue()).size == (100, 200)
    assert decode(buffer.getvalue(), width=50).size == (50, 100)


@pytest.mark.parametrize("orientation", [0, 9, 0x86])
def test_an_orientation_that_means_nothing_does_not_turn_the_box(orientation: int):
    """It was taken for "lying on its side", and the picture came larger than it was asked for."""
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (24, 16), "red").save(buffer, "JPEG", exif=exif)
    assert decode(buffer.getvalue(), 20, 30).size == (20, 13)


def test_a_gif_that_pillow_begins_anew_fits_the_box():
    """Asked whether it moves once it was made small, Pillow began an odd GIF anew: it came as large as it was."""
    film = dict(kept("images"))["images-crashes.zip:gif-begun-anew"]
    made = decode(film, 20, 30)
    assert made.width <= 20
    assert made.getpixel((0, 0)) is not None


def test_palette_pictures_keep_their_transparency_when_resized():
    buffer = io.BytesIO()
    image = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    image.paste((0, 255, 0, 255), (32, 0, 64, 64))
    image.quantize(8).save(buffer, "PNG")
    small = decode(buffer.getvalue(), width=16)
    assert small.mode == "RGBA"
    assert small.getpixel((0, 8))[3] == 0


@pytest.mark.parametrize("hostile", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%!PS-Adobe", b"\0" * 99])
def test_only_raster_pictures_are_opened(hostile: bytes):
    with pytest.raises(BadResponse):
        decode(hostile)


def test_lists_assets_and_batches_show_themselves_safely():
    service = MemoryService(40)
    real = service.make

    def renamed(name: str) -> Any:
        from dataclasses import replace

        return replace(real(name), name="<script>alert(1)</script>" if name == "asset-0" else name)

    service.make = renamed  # type: ignore[method-assign]
    service.posters = {"asset-1": None, "asset-2": ServiceUnavailable("secret?sig=1")}
    assets = listed(service)
    for shown in (assets, assets[0], assets.posters()):
        bundle = shown._repr_mimebundle_()
        html = bundle["text/html"]
        assert "<script" not in html
        assert "&lt;script&gt;" in html
        assert "data:image/" in html
        assert len(html) < 150_000
        assert bundle["text/plain"] == repr(shown)
    assert "no poster" in assets._repr_mimebundle_()["text/html"]
    assert "16 of 40 shown" in assets._repr_mimebundle_()["text/html"]
    # The count was that of the service, also for a list that its limit or a slice makes shorter.
    assert "16 of 20 shown" in listed(service, limit=20)._repr_mimebundle_()["text/html"]
    assert "16 of 30 shown" in assets[:30]._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize("content", [b"some text.", huge_png(), picture()[:-40]], ids=["text", "too large", "cut off"])
def test_the_error_of_a_single_poster_names_the_asset_and_the_service(content: bytes):
    """It was "What came is not a picture: 10 bytes of text." and nobody could tell of which asset."""
    service = MemoryService(3)
    service.posters = {"asset-1": content}
    asset = listed(service)[1]
    with pytest.raises(BadResponse) as refused:
        asset.poster()
    assert str(refused.value).startswith("Memory: the poster of 'asset-1' (asset-1) ")
    with pytest.raises(BadResponse, match=r"^Memory: the poster of 'asset-1' \(asset-1\) "):
        loop.run(thumbnail(service, service.make("asset-1"), 32, as_is=0))


@pytest.mark.parametrize("size", [5, True, b"large", ["large"]], ids=repr)
def test_a_size_that_is_no_word_is_refused_before_anything_is_sent(size: Any):
    """It went to the service as it was, which ignored it or failed in words of its own."""
    service = MemoryService(3)
    asset = listed(service)[0]
    with pytest.raises(InvalidRequest, match="size must be a word"):
        asset.poster(size=size)
    assert service.fetched == []


@pytest.mark.parametrize("format", ["WEBP", "AVIF"])
def test_decoded_pictures_do_not_keep_their_decoders(format: str) -> None:
    """1,000 WebPs of 768 pixels took 6.7 GB: the decoder of each kept two more copies of them, its file one."""
    image = decode(picture(format=format))
    assert type(image) is Image.Image
    assert (image.format, image.size) == (format, (64, 48))
