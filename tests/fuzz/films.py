"""Films from elsewhere, GIF and MP4: looked at, and read frame after frame.

Must raise `BadResponse` and nothing else; frames fit the limit of pixels, and there are no more of them than was said.
FFmpeg's decoders have fuzzers of their own: this is about what is made of what they say.
"""

from __future__ import annotations

import io
import tempfile
import warnings
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from PIL import Image

from ipyassets.collections import film
from ipyassets.collections.film import film_facts, film_frames
from ipyassets.collections.video import readable, whole_gif, whole_mp4
from ipyassets.errors import BadResponse
from tests.fuzz.mutations import mp4_changed

INSTRUMENTED: Final = ["ipyassets", "PIL"]
WORDS: Final = [
    b"ftyp", b"isom", b"moov", b"mvhd", b"trak", b"tkhd", b"mdia", b"mdhd", b"hdlr", b"vide", b"soun", b"minf", b"stbl",
    b"stsd", b"avc1", b"avcC", b"mp4a", b"mp4v", b"hev1", b"vp09", b"av01", b"jpeg", b"png ", b"raw ", b"stts", b"stsz",
    b"stco", b"co64", b"stsc", b"ctts", b"elst", b"mdat", b"moof", b"traf", b"trun", b"tfhd", b"free", b"GIF89a",
    b"NETSCAPE2.0", b"\x21\xf9\x04", b"\x2c\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff",
]  # fmt: skip

CHANGE: Final = mp4_changed
MOST: Final = 250_000
"""Pixels of a frame."""
FRAMES: Final = 12


def check(data: bytes) -> None:
    film.MAX_PIXELS = MOST
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for look in (whole_gif, whole_mp4):
            try:
                look(data, "The film")
            except BadResponse:
                continue
        try:
            facts = film_facts(data)
        except BadResponse:
            facts = None
        else:
            assert 0 < facts.count <= film.MAX_FRAMES
            assert 0 < facts.width * facts.height <= MOST
            assert facts.fps > 0
        if facts is None:
            assert readable(data[: 1 << 14], 1) == (), "frames of a film that is none"
            return
        count = 0
        try:
            for frame in islice(film_frames(data), FRAMES):
                count += 1
                assert frame.width * frame.height <= MOST
                assert frame.mode in ("RGB", "RGBA")
                assert len(frame.tobytes()) == frame.width * frame.height * len(frame.mode)
        except BadResponse:
            return
        assert count <= facts.count


def seeds() -> Iterator[tuple[str, bytes]]:
    for codec, pixels in (("libx264", "yuv420p"), ("mpeg4", "yuv420p"), ("mjpeg", "yuvj420p"), ("png", "rgb24")):
        yield f"{codec}.mp4", _mp4(codec, pixels)
    yield "index-first.mp4", _mp4("libx264", "yuv420p", movflags="faststart")
    yield "in-fragments.mp4", _mp4("mpeg4", "yuv420p", movflags="frag_keyframe+empty_moov")
    yield "half.mp4", _mp4("mpeg4", "yuv420p", movflags="faststart")[:-300]
    yield "sound-alone.mp4", _sound()
    yield "no-track.mp4", b"\0\0\0\x14ftypisom\0\0\0\0isom\0\0\0\x08moov"
    for name, modes, more in (
        ("moving.gif", "RRR", {}),
        ("wiped.gif", "AAA", {"disposal": 2}),
        ("taken-back.gif", "RAR", {"disposal": 3}),
        ("greys-first.gif", "LRL", {"optimize": False}),
        ("still.gif", "R", {}),
    ):
        yield name, _gif(modes, **more)
    yield "half.gif", _gif("RRR")[:-60]


def _picture(mode: str, number: int) -> Image.Image:
    grey = Image.linear_gradient("L")
    if mode == "L":
        return grey.crop((0, 0, 4, 256))
    image = Image.new("RGB", (16, 16), (60 * number + 20, 200, 30))
    image.paste((250, 10, 10), (number, number, number + 5, number + 5))
    if mode == "A":
        image.putalpha(grey.resize(image.size).point(lambda shade: 255 * (shade > 90)))
    return image


def _gif(modes: str, **more: Any) -> bytes:
    frames = [_picture(mode, number) for number, mode in enumerate(modes)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=80, loop=0, **more)
    return buffer.getvalue()


def _mp4(codec: str, pixels: str, **options: str) -> bytes:
    import av

    with tempfile.TemporaryDirectory() as folder:  # FFmpeg reads the file again to put the index first
        path = Path(folder, "film.mp4")
        with av.open(str(path), "w", options=options) as container:
            stream: Any = container.add_stream(codec, rate=12)
            stream.width, stream.height, stream.pix_fmt = 16, 16, pixels
            for number in range(3):
                container.mux(stream.encode(av.VideoFrame.from_image(_picture("R", number))))
            container.mux(stream.encode())
        return path.read_bytes()


def _sound() -> bytes:
    import av

    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream: Any = container.add_stream("aac", rate=8000, layout="mono")
        frame = av.AudioFrame(format="fltp", layout="mono", samples=1024)
        frame.sample_rate = 8000
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return buffer.getvalue()
