"""Many images as one: the contact sheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipyassets.errors import InvalidRequest

if TYPE_CHECKING:
    from PIL import Image, ImageFont

__all__ = ["contact_sheet"]

_GAP = 8
_CAPTION = 20


def contact_sheet(
    images: Sequence[Image.Image | None],
    captions: Sequence[str] | None = None,
    *,
    columns: int = 8,
    tile: int = 160,
) -> Image.Image:
    """One RGB image of ``images``, ``columns`` wide, each fitted into ``tile`` x ``tile`` pixels, on white."""
    from PIL import Image, ImageDraw, ImageFont

    if columns < 1 or tile < 16:
        raise InvalidRequest("A contact sheet needs 1 column or more and tiles of 16 pixels or more.")
    columns = min(columns, max(1, len(images)))
    rows = -(-len(images) // columns)
    line = _CAPTION if captions is not None else 0
    sheet = Image.new(
        "RGB", (columns * (tile + _GAP) + _GAP, max(1, rows) * (tile + line + _GAP) + _GAP), (255, 255, 255)
    )
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(12)
    for index, image in enumerate(images):
        left = _GAP + index % columns * (tile + _GAP)
        top = _GAP + index // columns * (tile + line + _GAP)
        if image is None:
            draw.rectangle((left, top, left + tile - 1, top + tile - 1), fill=(244, 244, 244), outline=(220, 220, 220))
            draw.text((left + tile / 2, top + tile / 2), "no image", fill=(130, 130, 130), font=font, anchor="mm")
        else:
            small = image.convert("RGBA")
            small.thumbnail((tile, tile), reducing_gap=2.0)
            sheet.paste(small, (left + (tile - small.width) // 2, top + (tile - small.height) // 2), small)
        if captions is not None:
            text = _shortened(captions[index], tile, font)
            draw.text((left + tile / 2, top + tile + line / 2), text, fill=(60, 60, 60), font=font, anchor="mm")
    return sheet


def _shortened(text: str, width: int, font: ImageFont.ImageFont | ImageFont.FreeTypeFont) -> str:
    text = " ".join(text.split())[:200]
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"
