"""Pictures to files: stills, and the film of a turntable as MP4 and GIF."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image, ImageColor

from ipyassets.sandbox.rendering.orders import GIF_WIDTH, Turntable

__all__ = ["save_film", "save_gif", "save_mp4", "save_still"]

CLEAR = 255
"""Entry of a GIF's palette that is not drawn."""


def save_still(image: Image.Image, path: Path, format: str) -> None:
    """Write a still as ``PNG``, ``JPG`` or ``WEBP``."""
    match format:
        case "PNG":
            image.save(path, "PNG", compress_level=3)
        case "JPG":
            image.convert("RGB").save(path, "JPEG", quality=92, subsampling=0)
        case "WEBP":
            image.save(path, "WEBP", quality=90, method=2)
        case _:
            raise ValueError(f"no such format: {format}")


def save_film(order: Turntable, folder: Path) -> list[str]:
    """Make ``film.mp4``, and ``film.gif`` if asked for, from the frames in ``folder``, which it deletes."""
    frames = [folder / f"frame-{number:04d}.png" for number in range(order.frames)]
    save_mp4(_opened(frames), folder / "film.mp4", order)
    made = ["film.mp4"]
    if order.gif:
        save_gif(frames, folder / "film.gif", order)
        made.append("film.gif")
    for frame in frames:
        frame.unlink()
    return made


def _opened(frames: list[Path]) -> Iterator[Image.Image]:
    for frame in frames:
        with Image.open(frame) as image:
            image.load()
            yield image


def save_mp4(frames: Iterator[Image.Image], path: Path, order: Turntable) -> None:
    """H.264 that every browser plays. Video knows no transparency: clear parts show the background colour, or white.

    4:2:0 needs even sides, so an odd one gets its last row or column twice.
    """
    import av

    width, height = order.width + order.width % 2, order.height + order.height % 2
    # The index comes first, so that playing begins before all of it is there.
    with av.open(str(path), "w", options={"movflags": "faststart"}) as file:
        stream = file.add_stream("libx264", rate=Fraction(order.frame_rate))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "18"}
        stream.codec_context.thread_count = 1
        stream.codec_context.color_range = 1
        # Told, not left to the player's guess: BT.709, with the transfer curve of sRGB.
        stream.codec_context.colorspace = stream.codec_context.color_primaries = 1
        stream.codec_context.color_trc = 13
        for image in frames:
            pixels = np.asarray(_over(image, order.background or "#ffffff"))
            padded = np.pad(pixels, [(0, height - order.height), (0, width - order.width), (0, 0)], mode="edge")
            frame = av.VideoFrame.from_ndarray(padded, format="rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace=1, dst_color_range=1, threads=1)  # as in film.py
            file.mux(stream.encode(frame))
        file.mux(stream.encode())


def save_gif(frames: list[Path], path: Path, order: Turntable) -> None:
    """At most 512 pixels wide; a pause is whole hundredths of a second, so they alternate around the true one."""
    scale = min(1.0, GIF_WIDTH / order.width)
    size = (max(1, round(order.width * scale)), max(1, round(order.height * scale)))
    palette = _palette(frames, size)
    images = [_indexed(image, size, palette) for image in _opened(frames)]
    images[0].save(
        path,
        "GIF",
        save_all=True,
        append_images=images[1:],
        duration=_pauses(len(images), order.frame_rate),
        loop=0,
        optimize=False,
        **({"transparency": CLEAR, "disposal": 2} if order.transparent else {}),
    )


def _pauses(count: int, frame_rate: int) -> list[int]:
    """Milliseconds, in tens, that come to ``count / frame_rate`` seconds; never under 20: browsers slow those down."""
    ends = [round(100 * (number + 1) / frame_rate) for number in range(count)]
    return [10 * max(2, end - before) for before, end in zip([0, *ends], ends, strict=False)]


def _palette(frames: list[Path], size: tuple[int, int]) -> Image.Image:
    """One palette for the whole turn: with one for each frame the colours would flicker."""
    chosen = frames[:: max(1, len(frames) // 6)][:6]
    sheet = Image.new("RGB", (size[0], size[1] * len(chosen)))
    for row, image in enumerate(_opened(chosen)):
        sheet.paste(_over(image.resize(size, Image.Resampling.BOX), "#ffffff"), (0, row * size[1]))
    sheet.thumbnail((512, 2048))
    return sheet.quantize(CLEAR, method=Image.Quantize.MEDIANCUT)


def _indexed(image: Image.Image, size: tuple[int, int], palette: Image.Image) -> Image.Image:
    small = image if image.size == size else image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    indexed = _over(small, "#ffffff").quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    if small.mode == "RGBA":
        indexed.paste(CLEAR, mask=small.getchannel("A").point(lambda alpha: 255 * (alpha < 128)))
    return indexed


def _over(image: Image.Image, colour: str) -> Image.Image:
    """``image`` as RGB, on ``colour`` where it is clear."""
    if image.mode == "RGB":
        return image
    backdrop = Image.new("RGBA", image.size, (*ImageColor.getcolor(colour, "RGB"), 255))  # type: ignore[misc]
    return Image.alpha_composite(backdrop, image).convert("RGB")
