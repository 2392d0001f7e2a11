"""Films of one turn, GIF or MP4, to ``PIL.Image``s: look first, then frame after frame, never all at once.

Weighed for MP4: PyAV (FFmpeg's libraries in its wheel, frames as PIL images, no other process), imageio-ffmpeg (a child
process and raw pipes), opencv (no PIL, its own numpy pin). PyAV is in the extra ``video``; a GIF needs Pillow alone.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from ipyassets.collections.decode_threads import TOO_SLOW, begun
from ipyassets.collections.images import MAX_PIXELS, opened
from ipyassets.collections.mp4_boxes import refuse_large_tables
from ipyassets.errors import BadResponse, InvalidRequest

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["USUAL_FPS", "FilmFacts", "Media", "can_read", "film_facts", "film_frames", "media_of"]

Media: TypeAlias = Literal["gif", "mp4"]

WHAT: Final = "The film"
MAX_FRAMES: Final = 3_600
MAX_SECONDS: Final = 120.0
"""Seconds that reading a film may take; for each of its frames, as for any picture, there is a limit besides."""
USUAL_FPS: Final = 12.0
"""Where a film does not tell."""
_PAUSES: Final = 12
"""Frames of a GIF whose pauses are looked at."""


@dataclass(frozen=True, slots=True)
class FilmFacts:
    """What a film is: ``count`` frames of ``width`` x ``height`` pixels, ``fps`` of them a second."""

    count: int
    fps: float
    width: int
    height: int


def media_of(content: bytes, what: str = WHAT) -> Media:
    """Which kind of film ``content`` is, by its first bytes. Raises `BadResponse`."""
    if content[:6] in (b"GIF87a", b"GIF89a"):
        return "gif"
    if content[4:8] == b"ftyp":
        return "mp4"
    raise BadResponse(f"{what} is neither a GIF nor an MP4 ({len(content)} bytes).")


def can_read(media: Media) -> bool:
    """Whether frames of such a film can be had here."""
    return media == "gif" or find_spec("av") is not None


def film_facts(content: bytes, what: str = WHAT) -> FilmFacts:
    """What the film in ``content`` is. Raises `BadResponse`, and `InvalidRequest` for an MP4 without PyAV."""
    if media_of(content, what) == "gif":
        return _gif_facts(content, what)
    with _mp4(content, what) as (container, stream):
        rate = stream.average_rate or stream.guessed_rate
        count = stream.frames or sum(packet.size > 0 for packet in container.demux(stream))
        facts = FilmFacts(count, float(rate) if rate else USUAL_FPS, stream.width, stream.height)
    return _checked(facts, what)


def film_frames(content: bytes, step: int = 1, what: str = WHAT) -> Iterator[Image.Image]:
    """Every ``step``-th frame of the film in ``content``, in order. Raises as `film_facts`; damage when it is met."""
    facts = film_facts(content, what)
    frames = _gif_frames(content, what) if media_of(content, what) == "gif" else _mp4_frames(content, what)
    end = time.monotonic() + MAX_SECONDS
    for number, image in enumerate(frames):
        if number >= facts.count:
            return
        if time.monotonic() > end:
            raise BadResponse(
                f"{what} took more than {MAX_SECONDS:.0f} s to decode; the rest was not read.", code=TOO_SLOW
            )
        if number % step == 0:
            try:
                made = image()
            except Exception as error:  # noqa: BLE001  # what is converted here may be as odd as what was decoded
                raise BadResponse(f"{what} is damaged or cut off ({type(error).__name__}).") from None
            yield made
        begun(what)


def _gif_facts(content: bytes, what: str) -> FilmFacts:
    image = _bounded(opened(content, what, MAX_PIXELS))
    try:
        count = _counted(image)
        looked_at = min(count, _PAUSES)  # pauses are whole hundredths of a second and may alternate around the true one
        milliseconds = 0.0
        for number in range(looked_at):
            image.seek(number)
            milliseconds += image.info.get("duration", 0) / looked_at
    except _TooLargeError:
        raise _too_large(what) from None
    except Exception as error:  # noqa: BLE001  # Pillow's readers raise many kinds on damage
        raise BadResponse(f"{what} is damaged or cut off ({type(error).__name__}).") from None
    fps = 1000 / milliseconds if milliseconds else USUAL_FPS
    return _checked(FilmFacts(count, fps, *image.size), what)


def _counted(image: Any) -> int:
    """The frames of a GIF, and no more looked for than are read: Pillow's ``n_frames`` counts on for a minute."""
    count = 1
    with suppress(EOFError):
        while count <= MAX_FRAMES:
            image._seek(count, False)  # noqa: SLF001  # as n_frames does it: without their pictures
            count += 1
    image.seek(0)
    return count


def _gif_frames(content: bytes, what: str) -> Iterator[Any]:
    image = _bounded(opened(content, what, MAX_PIXELS))
    try:
        for number in range(_counted(image)):
            image.seek(number)
            if number == 0:
                _with_colours(image)
            image.load()
            yield lambda: image.convert("RGBA" if image.has_transparency_data else "RGB")
    except _TooLargeError:
        raise _too_large(what) from None
    except Exception as error:  # noqa: BLE001  # Pillow's readers raise many kinds on damage, also of bombs
        raise BadResponse(f"{what} is damaged or cut off ({type(error).__name__}).") from None


def _with_colours(image: Any) -> None:
    """Pillow takes a first frame whose colours are all greys for one that has none, and gives later ones wrong then."""
    if image.mode == "L":
        from PIL import ImagePalette

        greys = bytes(shade for shade in range(256) for _ in range(3))
        image.palette = image._frame_palette = ImagePalette.raw("RGB", greys)  # noqa: SLF001
        image._mode = "P"  # noqa: SLF001


class _TooLargeError(Exception):
    pass


def _too_large(what: str) -> BadResponse:
    return BadResponse(f"{what} has frames of more than {MAX_PIXELS:,} pixels; they were not decoded.")


def _bounded(image: Image.Image) -> Any:
    """``image``, a GIF that raises `_TooLargeError` before it grows beyond the limit.

    A frame that lies outside makes it larger on the way, and room for what follows one is made with the first look.
    """
    held = image.__dict__.pop("_size")
    image.__class__ = _bounded_class()
    image._size = held  # noqa: SLF001
    return image


@cache
def _bounded_class() -> type[Any]:
    from PIL.GifImagePlugin import GifImageFile

    def grown(self: Any, size: tuple[int, int]) -> None:
        if size[0] * size[1] > MAX_PIXELS:
            raise _TooLargeError
        self.__dict__["_held"] = size

    return type(GifImageFile.__name__, (GifImageFile,), {"_size": property(lambda self: self.__dict__["_held"], grown)})


def _mp4_frames(content: bytes, what: str) -> Iterator[Any]:
    count = 0
    with _mp4(content, what) as (container, stream):
        for packet in container.demux(stream):
            for frame in packet.decode():
                if frame.width * frame.height > MAX_PIXELS:  # they may grow on the way
                    raise _too_large(what)
                # PyAV 19 keeps what it converts with for each of our threads; with threads of its own below, a process
                # that is forked later would wait for those, which did not come along, before its first line.
                yield partial(frame.to_image, threads=1)
                count += 1
        if count < stream.frames:
            raise BadResponse(f"{what} is cut off: {count} of {stream.frames} frames came.")


@contextmanager
def _mp4(content: bytes, what: str) -> Iterator[tuple[Any, Any]]:
    try:
        import av
    except ImportError:
        raise InvalidRequest(
            f"{what} is an MP4: its frames need PyAV. Install it with `pip install ipyassets[video]`."
        ) from None
    refuse_large_tables(content, what)
    begun(what)
    try:
        # To learn what is in it, FFmpeg may decode a frame already.
        limits = {"max_pixels": str(MAX_PIXELS)}
        film = io.BytesIO(content)
        # Titles and names of handlers that are no UTF-8 are nobody's concern; from 19 on PyAV sees to that by itself.
        odd: dict[str, Any] = {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}
        with av.open(film, "r", format="mp4", options=limits, **odd) as container:
            if not container.streams.video:
                raise BadResponse(f"{what} has no picture, only sound or nothing.")
            stream = container.streams.video[0]
            if stream.codec_context is None:
                raise BadResponse(f"{what} is packed in a way that FFmpeg does not know.")
            stream.thread_type = "SLICE"  # threads by frame lose the good frames before a damaged one
            stream.codec_context.options = limits
            yield container, stream
    except av.FFmpegError as error:
        raise BadResponse(f"{what} is damaged or cut off ({error.strerror}).") from None


def _checked(facts: FilmFacts, what: str) -> FilmFacts:
    if facts.count < 1 or facts.width * facts.height < 1:
        raise BadResponse(f"{what} has no frames.")
    if facts.count > MAX_FRAMES or facts.width * facts.height > MAX_PIXELS:
        raise BadResponse(
            f"{what} has {facts.count:,} frames of {facts.width:,} x {facts.height:,} pixels; "
            f"at most {MAX_FRAMES:,} frames and {MAX_PIXELS:,} pixels are read."
        )
    return facts
