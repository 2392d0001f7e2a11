"""Many images as one: the contact sheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipyassets.errors import InvalidRequest
from ipyassets.texts import cut, encodable

if TYPE_CHECKING:
    from PIL import Image, ImageFont

__all__ = ["contact_sheet"]

_GAP = 8
_CAPTION = 20
_LONGEST = 200


def contact_sheet(
    images: Sequence[Image.Image | None],
    captions: Sequence[str] | None = None,
    *,
    columns: int = 8,
    tile: int = 160,
) -> Image.Image:
    """One RGB image of ``images``, ``columns`` wide, each fitted into ``tile`` x ``tile`` pixels, on white.

    A row is as high as its highest picture.
    """
    from PIL import Image, ImageDraw, ImageFont

    if columns < 1 or tile < 16:
        raise InvalidRequest("A contact sheet needs 1 column or more and tiles of 16 pixels or more.")
    columns = min(columns, max(1, len(images)))
    line = _CAPTION if captions is not None else 0
    rows = [images[first : first + columns] for first in range(0, len(images), columns)] or [[]]
    heights = [max((_height(image, tile) for image in row), default=tile) for row in rows]
    size = (columns * (tile + _GAP) + _GAP, sum(heights) + len(rows) * (line + _GAP) + _GAP)
    sheet = Image.new("RGB", size, (255, 255, 255))
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(12)
    top = _GAP
    for number, (row, height) in enumerate(zip(rows, heights, strict=True)):
        for column, image in enumerate(row):
            left = _GAP + column * (tile + _GAP)
            middle = left + tile / 2
            if image is None:
                box = (left, top, left + tile - 1, top + height - 1)
                draw.rectangle(box, fill=(244, 244, 244), outline=(220, 220, 220))
                draw.text((middle, top + height / 2), "no image", fill=(130, 130, 130), font=font, anchor="mm")
            else:
                small = image.convert("RGBA")
                small.thumbnail((tile, tile), reducing_gap=2.0)
                sheet.paste(small, (left + (tile - small.width) // 2, top + (height - small.height) // 2), small)
            if captions is not None:
                text = _shortened(captions[number * columns + column], tile, font)
                draw.text((middle, top + height + line / 2), text, fill=(60, 60, 60), font=font, anchor="mm")
        top += height + line + _GAP
    return sheet


def _height(image: Image.Image | None, tile: int) -> int:
    """Of the picture once it fits the tile; 0 for none, but never so low that the row would vanish."""
    if image is None:
        return tile // 2
    return max(1, min(image.height, round(image.height * min(1.0, tile / max(image.size)))))


def _shortened(text: str, width: int, font: ImageFont.ImageFont | ImageFont.FreeTypeFont) -> str:
    text = encodable(cut(" ".join(text.split()), _LONGEST))
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"
