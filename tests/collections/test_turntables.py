from __future__ import annotations

import asyncio
import io
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ipyassets.collections import film, turntables, video
from ipyassets.collections.turn_frames import ReadFilm
from ipyassets.collections.turn_sources import opening
from ipyassets.collections.turntables import RenderedTurntable
from ipyassets.errors import BadResponse, InvalidRequest, NotFound
from ipyassets.http import loop
from ipyassets.services.rendering import Turntable
from tests.collections.renders import ORDER, picked_up, rendered, rendering
from tests.fakes import MemoryRenders
from tests.fakes import film as gif_film
from tests.fakes import video as mp4_film


def turntable(gif: bool = False, **changes: Any) -> tuple[MemoryRenders, RenderedTurntable]:
    service = MemoryRenders(1)
    order = replace(ORDER, turntable=Turntable(frames=6, fps=12, gif=gif, **changes))
    (made,) = rendered(service, order=order).wait(10).turntables()
    return service, made


def served(service: MemoryRenders, media: str, content: bytes | Exception) -> None:
    for file in service.files["asset-0"]:
        if file.media == media:
            service.contents[file.id] = content


def brightness(images: list[Image.Image]) -> list[float]:
    return [float(np.asarray(image.convert("L")).mean()) for image in images]


def without_pyav(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (film, turntables):
        monkeypatch.setattr(module, "can_read", lambda media: media == "gif")


def test_frames_of_the_video_in_order():
    service, made = turntable()
    assert service.downloads == []
    frames = made.frames()
    assert [(frame.size, frame.mode) for frame in frames] == [((64, 48), "RGB")] * 6
    assert brightness(frames) == sorted(brightness(frames))
    assert len(made.frames(step=2)) == 3
    assert len(made.frames(step=np.int64(4))) == 2
    assert brightness(made.frames(step=5)) == [brightness(frames)[0], brightness(frames)[5]]
    assert len(service.downloads) == 1
    assert (made.fps, made.formats, made.asset.id) == (12, ("mp4",), "asset-0")
    for step in (0, -1, 1.5, True, "2"):
        with pytest.raises(InvalidRequest, match="step"):
            made.frames(step)


def test_files_as_served_are_written_whole_or_not_at_all(tmp_path, monkeypatch):
    service, made = turntable(gif=True)
    assert made.mp4_bytes() == mp4_film()
    assert made.gif_bytes() == gif_film()
    assert made.save_mp4(tmp_path / "new" / "turn.mp4").read_bytes() == mp4_film()
    path = made.save_gif(str(tmp_path / "turn.gif"))
    assert path == tmp_path / "turn.gif"
    assert path.read_bytes() == gif_film()
    assert len(service.downloads) == 2
    before = path.read_bytes()
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        made.save_gif(path)
    assert path.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "turn.gif"]


def test_another_loop_need_not_wait_for_one_that_may_be_gone():
    """A child forked while a film was fetched waited for ever: the lock stayed held by a task that was not there."""
    service, made = turntable()
    fetch, asked = service.render_file, threading.Event()

    async def stuck(file: Any) -> Any:
        del file
        asked.set()
        await asyncio.Event().wait()

    service.render_file = stuck
    waiting = loop.submit(made._content("mp4"))
    assert asked.wait(10)
    service.render_file = fetch
    assert asyncio.run(asyncio.wait_for(made._content("mp4"), 10)) == mp4_film()
    waiting.cancel()


def test_a_gif_is_made_of_the_frames_where_the_service_made_none():
    _, made = turntable()
    image: Any = Image.open(io.BytesIO(made.gif_bytes()))
    assert (image.format, image.n_frames, image.size, image.info["loop"]) == ("GIF", 6, (64, 48), 0)
    pauses = []
    for number in range(6):
        image.seek(number)
        pauses.append(image.info["duration"])
    assert set(pauses) <= {80, 90}
    assert sum(pauses) == 500, "hundredths of a second are spread so that the whole turn takes as long as it should"


def test_a_transparent_gif_gives_frames_with_their_transparency():
    service, _ = turntable(gif=True)
    service.files["asset-0"] = [file for file in service.files["asset-0"] if file.media != "mp4"]
    (alone,) = picked_up(service).turntables()
    images = [Image.new("RGBA", (32, 24), (20 * n, 0, 0, 0)) for n in range(4)]
    for n, image in enumerate(images):
        image.paste((20 * n, 200, 90, 255), (n, 0, n + 8, 8))
    served(service, "gif", video.gif(images, 10))
    frames = alone.frames()
    assert [frame.mode for frame in frames] == ["RGBA"] * 4
    assert {frame.getpixel((30, 20))[3] for frame in frames} == {0}
    assert [frame.getpixel((n + 4, 4))[3] for n, frame in enumerate(frames)] == [255] * 4
    assert frames[3].getpixel((1, 1))[3] == 0, "what a frame before painted is gone"
    assert alone.fps == pytest.approx(10)
    with pytest.raises(NotFound, match="not as mp4"):
        alone.mp4_bytes()


def test_renders_of_others_tell_their_speed_themselves():
    service, _ = turntable()
    served(service, "mp4", mp4_film(8, 24))
    (made,) = picked_up(service).turntables()
    assert made.fps == 24
    assert len(made.frames()) == 8


def test_without_pyav_the_gif_gives_the_frames(monkeypatch):
    without_pyav(monkeypatch)
    _, made = turntable(gif=True)
    assert [frame.size for frame in made.frames()] == [(32, 24)] * 6
    _, alone = turntable()
    with pytest.raises(ImportError, match=r'pip install "ipyassets\[video\]"'):
        alone.frames()
    assert alone.mp4_bytes() == mp4_film()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (mp4_film()[: len(mp4_film()) // 2], "cut off"),
        (mp4_film()[:-3], "cut off"),
        (b"", "it is empty"),
        (b"<html>Bad gateway</html>", "an HTML page"),
        (b"\0\0\0\x18ftypisom\0\0\0\0" * 4, "cut off"),
        (gif_film(), "did not come as an MP4"),
    ],
    ids=["cut", "cut a little", "empty", "page", "nonsense", "gif"],
)
def test_a_cut_or_foreign_video_is_fetched_anew_once_and_then_said(content: bytes, said: str):
    service, made = turntable()
    served(service, "mp4", content)
    for read in (made.frames, made.mp4_bytes):
        service.downloads.clear()
        with pytest.raises(BadResponse, match=said) as refused:
            read()
        assert "the turntable of 'asset-0'" in str(refused.value)
        assert len(service.downloads) == 2
    service.contents.clear()
    assert len(made.frames()) == 6, "nothing bad was kept"


def test_a_video_that_was_damaged_once_is_good_the_second_time():
    service, made = turntable()
    served(service, "mp4", mp4_film()[:400])
    real = service.render_file

    async def once(file: Any) -> Any:
        try:
            return await real(file)
        finally:
            service.contents.clear()

    service.render_file = once  # type: ignore[method-assign]
    assert len(made.frames()) == 6


@pytest.mark.parametrize("filled", [True, False], ids=["damaged", "cut"])
def test_frames_that_could_be_read_are_kept_on_the_error(filled: bool):
    service, made = turntable()
    good = mp4_film(30, 12, 128, 96)
    broken = good[: -len(good) // 20]
    if filled:  # whole as a container
        broken += b"\0" * (len(good) - len(broken))
    served(service, "mp4", broken)
    with pytest.raises(BadResponse, match=r"damaged|cut off") as refused:
        made.frames()
    kept = refused.value.details
    assert 0 < len(kept) < 30
    assert {frame.size for frame in kept} == {(128, 96)}
    assert len(service.downloads) == 2


def test_a_film_that_was_damaged_on_its_way_is_fetched_once_more_where_it_is_shown():
    """A player went on with the damaged bytes, and so did every later player of that turntable: they were kept."""
    service, made = turntable()
    good = mp4_film()
    cut = len(good) // 20
    served(service, "mp4", good[:-cut] + b"\0" * cut)  # whole as a container
    shown, _ = loop.run(opening(made)())
    service.contents.clear()
    assert isinstance(shown, ReadFilm)

    async def frames() -> list[Any]:
        return [await shown.frame(index, 64) for index in range(6)]

    assert all(loop.run(frames()))
    assert len(service.downloads) == 2
    assert made.mp4_bytes() == good


def test_films_beyond_the_limits_are_refused(monkeypatch):
    _, made = turntable()
    monkeypatch.setattr(video, "MAX_KEPT", 64 * 48 * 3)
    with pytest.raises(InvalidRequest, match="step="):
        made.frames()
    assert len(made.frames(step=2)) == 3
    monkeypatch.setattr(film, "MAX_PIXELS", 1000)
    with pytest.raises(BadResponse, match="at most"):
        made.frames()
    monkeypatch.undo()
    monkeypatch.setattr(film, "MAX_FRAMES", 5)
    with pytest.raises(BadResponse, match="at most 5 frames"):
        made.frames()
    monkeypatch.undo()
    monkeypatch.setattr(film, "MAX_SECONDS", -1.0)
    with pytest.raises(BadResponse, match="to decode"):
        made.frames()


def test_a_turntable_that_was_replaced_says_so_unless_it_was_kept():
    service, made = turntable()
    (kept,) = rendered(service).wait(10).turntables()
    kept.mp4_bytes()
    service.made("asset-0")
    assert len(kept.frames()) == 6
    with pytest.raises(NotFound, match="replaced by a newer rendering"):
        made.frames()


def test_the_same_objects_each_time_and_a_view():
    service = MemoryRenders(2)
    job = rendered(service).wait(10)
    first = job.turntables()
    assert [a is b for a, b in zip(first, job.turntables(), strict=True)] == [True, True]
    assert repr(first[0]) == "<RenderedTurntable of 'asset-0', mp4>"
    assert first[0]._repr_mimebundle_() == {"text/plain": repr(first[0])}

    class View:
        def __init__(self, shown: Any) -> None:
            self.shown = shown

        def _repr_mimebundle_(self, **kwargs: Any) -> Any:
            return {"text/plain": repr(self.shown)}

    job._player = View
    service.made("asset-0")
    first[0]._view = View
    assert first[0]._repr_mimebundle_() == {"text/plain": repr(first[0])}
    with pytest.raises(TypeError, match="not pickled"):
        first[0].__reduce__()


async def test_awaited(tmp_path):
    job = await rendering(MemoryRenders(1), order=replace(ORDER, turntable=Turntable(frames=6, gif=True)))
    (made,) = job.turntables()
    assert len(await made.frames(step=3)) == 2
    assert await made.mp4_bytes() == mp4_film()
    assert await made.gif_bytes() == gif_film()
    assert (await made.save_mp4(tmp_path / "a.mp4")).read_bytes() == mp4_film()
    assert (await made.save_gif(tmp_path / "a.gif")).read_bytes() == gif_film()
