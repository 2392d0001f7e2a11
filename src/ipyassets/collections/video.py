"""Films as files: whether one came whole, all its frames within limits, and a GIF made here."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from ipyassets.collections.film import film_frames
from ipyassets.collections.images import described, opened
from ipyassets.collections.mp4_boxes import boxes
from ipyassets.errors import BadResponse, InvalidRequest

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["frames", "gif", "readable", "whole_gif", "whole_mp4"]

MAX_KEPT: Final = 2_000_000_000
"""Pixels of all frames that are given at once (6 GB of RGB); a ``step`` takes fewer."""


def frames(content: bytes, step: int, what: str) -> list[Image.Image]:
    """Every ``step``-th frame of the MP4 or GIF in ``content``.

    Raises `BadResponse`, calling it ``what``, for what is cut, damaged or beyond the limits; its ``details`` hold the
    frames that could be read.
    """
    found: list[Image.Image] = []
    kept = 0
    try:
        for image in film_frames(content, step, what):
            kept += image.width * image.height
            if kept > MAX_KEPT:
                raise InvalidRequest(f"{what} has too many pixels to be held at once: take fewer frames by step=.")
            found.append(image)
    except BadResponse as error:
        error.details = tuple(found)
        raise
    return found


def readable(content: bytes, step: int) -> tuple[Image.Image, ...]:
    """As many of the `frames` as a film that did not come whole still holds."""
    try:
        return tuple(frames(content, step, "The film"))
    except BadResponse as error:
        return error.details


def gif(images: Sequence[Image.Image], fps: float) -> bytes:
    """``images`` as an endless GIF. Its pauses are whole hundredths of a second, spread so that the speed is right."""
    ends = [round((number + 1) * 100 / fps) for number in range(len(images))]
    pauses = [10 * max(1, end - start) for start, end in zip([0, *ends], ends, strict=False)]
    buffer = io.BytesIO()
    wiped = 2 if any(image.has_transparency_data for image in images) else 0  # what a frame painted goes with it
    images[0].save(buffer, "GIF", save_all=True, append_images=images[1:], duration=pauses, loop=0, disposal=wiped)
    return buffer.getvalue()


def whole_mp4(content: bytes, what: str) -> None:
    """Look whether ``content`` is an MP4 that came whole; nothing is decoded. Raises `BadResponse`."""
    if content[4:8] != b"ftyp":
        raise BadResponse(f"{what} did not come as an MP4: {described(content)}.")
    at, kinds = 0, set[bytes]()
    for kind, _, end in boxes(content):
        kinds.add(kind)
        at = end
    if at != len(content) or b"moov" not in kinds:
        raise BadResponse(f"{what} is cut off or damaged: its {len(content):,} bytes are not a whole MP4.")


def whole_gif(content: bytes, what: str) -> None:
    """As `whole_mp4`, for a GIF."""
    if opened(content, what).format != "GIF":
        raise BadResponse(f"{what} did not come as a GIF: {described(content)}.")
    if not content.rstrip(b"\0").endswith(b";"):
        raise BadResponse(f"{what} is cut off: its {len(content):,} bytes are not a whole GIF.")
