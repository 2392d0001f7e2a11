"""Films to frames: what they are before anything is decoded, frame after frame, and what is wrong with them."""

from __future__ import annotations

import builtins
import io
import os
import re
import struct
import subprocess
import sys
import warnings
from typing import Any

import pytest
from PIL import Image

from ipyassets.collections import film
from ipyassets.collections.film import FilmFacts, can_read, film_facts, film_frames, media_of
from ipyassets.errors import BadResponse, InvalidRequest
from tests.fakes import video


def gif(count: int = 6, durations: int | list[int] = 80, mode: str = "RGB") -> bytes:
    """A GIF whose frames become brighter."""
    frames = [Image.new(mode, (64, 48), (20 + 30 * n % 230,) * 3 + (255,) * (mode == "RGBA")) for n in range(count)]
    if mode == "RGBA":
        for frame in frames:
            frame.paste((0, 0, 0, 0), (0, 0, 16, 16))
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0, disposal=2)
    return buffer.getvalue()


@pytest.mark.parametrize("content", [gif(), video()], ids=["gif", "mp4"])
def test_frames_come_in_order_each_by_itself(content: bytes):
    assert film_facts(content) == FilmFacts(6, 12.5 if content[:3] == b"GIF" else 12, 64, 48)
    middles = [frame.convert("L").getpixel((32, 24)) for frame in film_frames(content)]
    assert middles == sorted(middles)
    assert len(set(middles)) == 6
    assert [frame.convert("L").getpixel((32, 24)) for frame in film_frames(content, 2)] == middles[::2]


def test_pauses_that_alternate_around_the_true_one():
    assert film_facts(gif(6, [80, 90, 80, 80, 90, 80])).fps == pytest.approx(12.0)


def test_what_is_see_through_stays_so():
    frames = list(film_frames(gif(3, mode="RGBA")))
    assert [(frame.mode, frame.getpixel((4, 4))[3], frame.getpixel((40, 40))[3]) for frame in frames] == [
        ("RGBA", 0, 255)
    ] * 3


@pytest.mark.parametrize("content", [b"", b"GIF8", b"<html>no", b"\x89PNG\r\n\x1a\n" + bytes(40)])
def test_what_is_no_film_is_said(content: bytes):
    with pytest.raises(BadResponse, match="Turn is neither a GIF nor an MP4"):
        media_of(content, "Turn")


@pytest.mark.parametrize("content", [gif(), video()], ids=["gif", "mp4"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_cut_film_is_said_to_be_cut(content: bytes, share: float):
    with pytest.raises(BadResponse, match="Turn"):
        list(film_frames(content[: int(len(content) * share)], what="Turn"))


def test_a_film_without_end_is_not_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(film, "MAX_FRAMES", 5)
    with pytest.raises(BadResponse, match="at most 5 frames"):
        film_facts(gif())


def test_without_pyav_an_mp4_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    usual = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "av":
            raise ImportError(name)
        return usual(name, *rest)

    content = video()
    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.setattr(film, "find_spec", lambda name: None)
    assert (can_read("gif"), can_read("mp4")) == (True, False)
    with pytest.raises(InvalidRequest, match=r"pip install ipyassets\[video\]"):
        film_facts(content)
    assert len(list(film_frames(gif()))) == 6


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_process_forked_after_a_film_was_seen_runs():
    """PyAV 19 kept threads for what a thread of ours had decoded with: a forked child waited for them for ever."""
    code = """
import os, select, signal, threading
from ipyassets.collections.film import film_frames
from tests.fakes import video
seen, end = threading.Event(), threading.Event()
def look():
    assert len(list(film_frames(video()))) == 6
    seen.set()
    end.wait()
thread = threading.Thread(target=look)
thread.start()
seen.wait()
reading, writing = os.pipe()
child = os.fork()
if child == 0:
    os._exit(0)
os.close(writing)
ended = select.select([reading], [], [], 60)[0]  # its end closes the pipe
if not ended:
    os.kill(child, signal.SIGKILL)
os.waitpid(child, 0)
end.set()
thread.join()
print("ran" if ended else "hung")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == "ran\n"


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("edge", "said"),
    [(12_000, "more than 100,000,000 pixels"), (20_000, "more than 100,000,000 pixels|DecompressionBomb")],
)
def test_a_gif_that_grows_on_the_way(edge: int, said: str):
    """A late frame of 20,000 x 20,000 pixels was a bare DecompressionBombError; one of 12,000 x 12,000 was decoded."""
    content = bytearray(gif(20))
    places = [match.start() for match in re.finditer(rb"\x2c\0\0\0\0\x40\0\x30\0", content)]
    assert len(places) == 20
    content[places[15] + 5 : places[15] + 9] = edge.to_bytes(2, "little") * 2
    frames = film_frames(bytes(content))
    assert [next(frames).size for _ in range(15)] == [(64, 48)] * 15
    with pytest.raises(BadResponse, match=said):
        next(frames)


def test_a_gif_that_begins_in_greys_and_goes_on_in_colours():
    """The second frame was a bare AssertionError, and by Pillow alone it is black instead of red. Found by fuzzing."""
    grey, red = Image.linear_gradient("L"), Image.new("RGB", (256, 256), (200, 10, 10))
    buffer = io.BytesIO()
    grey.save(buffer, "GIF", save_all=True, append_images=[red, grey], duration=80, optimize=False)
    frames = list(film_frames(buffer.getvalue()))
    assert [frame.getpixel((30, 77)) for frame in frames] == [(77, 77, 77), (200, 10, 10), (77, 77, 77)]


def test_no_room_is_made_for_a_gif_that_grows(monkeypatch: pytest.MonkeyPatch):
    """250 bytes took 700 MB and a second: room for what follows a frame was made before its size was looked at."""
    content = bytearray(gif(3, mode="RGBA"))
    places = [match.start() for match in re.finditer(rb"\x2c\0\0\0\0\x40\0\x30\0", content)]
    content[places[1] + 5 : places[1] + 9] = (10_500).to_bytes(2, "little") * 2
    made: list[tuple[int, int]] = []
    fill = Image.core.fill

    def filled(mode: str, size: tuple[int, int], *colour: Any) -> Any:
        made.append(size)
        return fill(mode, size, *colour)

    monkeypatch.setattr(Image.core, "fill", filled)
    with pytest.raises(BadResponse, match="Turn has frames of more than 100,000,000 pixels"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's own, of bombs
        film_facts(bytes(content), "Turn")
    assert made
    assert max(made) == (64, 48)


def changed(content: bytes, old: bytes, new: bytes) -> bytes:
    assert old in content
    return content.replace(old, new)


def test_a_film_whose_handler_has_a_name_of_other_bytes():
    """One byte that is no UTF-8, in a name that nobody reads, was a bare UnicodeDecodeError. Found by fuzzing."""
    assert film_facts(changed(video(), b"VideoHandler", b"Vid\xe9oHandler")).count == 6


def test_a_film_packed_in_a_way_that_nobody_knows():
    """It was a bare AttributeError. Found by fuzzing."""
    with pytest.raises(BadResponse, match="Turn is packed in a way that FFmpeg does not know"):
        film_facts(changed(video(), b"avc1", b"none"), "Turn")


def box(kind: bytes, *inside: bytes) -> bytes:
    content = b"".join(inside)
    return struct.pack(">I4s", len(content) + 8, kind) + content


def with_frames_of_one_size(count: int) -> bytes:
    content = bytearray(video())
    at = content.index(b"stsz")
    content[at + 8 : at + 16] = struct.pack(">II", 1, count)
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (with_frames_of_one_size(5_000_000), "tables of more than 2,000,000 entries"),
        (video() + box(b"moof", box(b"traf", box(b"trun", struct.pack(">II", 0, 5_000_000)))), "tables of more than"),
        (video() + box(b"free", box(b"elst", struct.pack(">II", 0, 1_000_000))), "tables of more than"),
        (video() + box(b"meta", bytes(4), box(b"iloc", b"\2\0\0\0\x44\0", struct.pack(">I", 1 << 20))), "do not have"),
        (video() + box(b"moov", box(b"cmov")), "do not have"),
    ],
    ids=["frames", "fragments", "edits", "items", "packed"],
)
def test_no_memory_is_taken_for_frames_that_are_only_said_to_be_there(content: bytes, said: str):
    """A thousand bytes of MP4 took 1.4 GB, and would have taken all there is: FFmpeg writes down whatever is said."""
    for look in (film_facts, lambda film, what: list(film_frames(film, what=what))):
        with pytest.raises(BadResponse, match=f"Turn has .*{said}"):
            look(content, "Turn")


def test_tables_are_not_looked_for_among_pixels():
    content = video() + box(b"mdat", box(b"stsz", struct.pack(">III", 0, 1, 1 << 31)), box(b"iloc"))
    assert film_facts(content).count == 6
