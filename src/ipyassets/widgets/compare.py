"""Compare: images side by side, looked at together."""

from __future__ import annotations

import functools
import io
import math
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

import traitlets as t

from ipyassets.collections.assets import AssetBase
from ipyassets.collections.batch import ImageBatch
from ipyassets.collections.images import in_decode_pool
from ipyassets.collections.thumbnails import Thumbnail, miniature
from ipyassets.errors import AssetServiceError, InvalidRequest
from ipyassets.texts import cut
from ipyassets.widgets.comm_widget import CommWidget, css_length
from ipyassets.widgets.reading import Cancel, Hello, Refused, index, is_index, listed, read
from ipyassets.widgets.snapshot import Still, StillTile
from ipyassets.widgets.tiles import LONGEST_MESSAGE, LONGEST_NAME, said_of

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["Compare"]

WHOLE: Final = 2_100_000
"""Pixels up to which a picture goes to the browser whole and without loss (1920 x 1080 does). Of a larger one a
smaller version goes first, and its own pixels for the part that is looked at closely."""
LONGEST_SIDE: Final = 16_000
"""A WebP has at most 16,383 pixels a side."""
MOST_IMAGES: Final = 16
STILL_EDGE: Final = 256
"""Pixels a side of an image in a snapshot, where there are few; more of them are smaller."""

Shown: TypeAlias = "Image.Image | tuple[AssetBase | str, Image.Image | None] | ImageBatch | None"


@dataclass(frozen=True, slots=True)
class _Picture:
    """The whole picture, or the part of it in a box (left, top, right, bottom); made smaller above `WHOLE` pixels."""

    index: int
    box: tuple[int, int, int, int] | None


_Ask: TypeAlias = _Picture | Hello | Cancel


@dataclass(frozen=True, slots=True)
class _Slot:
    image: Image.Image | None
    label: str | None = None
    error: AssetServiceError | None = None


class Compare(CommWidget):
    """Two or more images side by side, zoomed and moved together; also with a wipe, or as their difference.

    Each is a PIL image, None (an empty place), a pair of an asset (or a name) and its image as `ImageBatch.items`
    gives them, or a whole `ImageBatch`. ``labels``: one for each image. ``height`` is a number of pixels or a CSS
    length. Images of different sizes are fitted to the same frame.
    """

    _bundle: ClassVar[str] = "compare"

    _setup = t.Dict().tag(sync=True)
    """What never changes: label, height, images (label, width, height, whole, message)."""

    def __init__(self, *images: Shown, labels: Sequence[str] | None = None, height: int | str = 480) -> None:
        self._slots = [slot for shown in images for slot in _slots(shown)]
        count = len(self._slots)
        if not 2 <= count <= MOST_IMAGES:
            raise InvalidRequest(f"Compare shows 2 to {MOST_IMAGES} images; got {count}.")
        if labels is not None and len(labels) != count:
            raise InvalidRequest(f"There are {count} images and {len(labels)} labels.")
        names = labels if labels is not None else [slot.label for slot in self._slots]
        self._labels = [str(name) if name is not None else _letter(n) for n, name in enumerate(names)]
        self._reading = threading.Lock()
        super().__init__(
            _setup={
                "label": "Compare",
                "height": css_length(height),
                "images": [_described(slot, label) for slot, label in zip(self._slots, self._labels, strict=True)],
            }
        )

    def __repr__(self) -> str:
        return f"Compare({', '.join(map(repr, self._labels))})"

    def _stand_in(self) -> str:
        return f"{self!r}: run this cell in a live notebook to see them."

    async def _still(self) -> Still:
        tiles = [
            StillTile(label, functools.partial(self._miniature, slot.image), key=n)
            for n, (slot, label) in enumerate(zip(self._slots, self._labels, strict=True))
        ]
        edge = STILL_EDGE if len(tiles) <= 4 else STILL_EDGE // 2
        return Still(f"{len(tiles)} images side by side.", tiles, len(tiles), edge)

    async def _miniature(self, image: Image.Image | None, edge: int) -> Thumbnail | None:
        return None if image is None else await in_decode_pool(self._small, image, edge)

    def _small(self, image: Image.Image, edge: int) -> Thumbnail:
        with self._reading:
            image.load()
        return miniature(image, edge)

    # -- messages -------------------------------------------------------------------------------------------------

    def _read(self, content: object) -> tuple[str, _Ask]:
        return read(content, _asked)

    def _answer(self, request: str, ask: _Ask) -> None:
        match ask:
            case _Picture(index, box):
                image = self._slots[index].image if index < len(self._slots) else None
                if image is None:
                    raise Refused("There is no picture at this place.")
                if box is not None and not _fits(box, image.size):
                    raise Refused("A part lies within the picture.")
                self._start(request, self._send_picture, image, box)

    async def _send_picture(self, request: str, image: Image.Image, box: tuple[int, int, int, int] | None) -> None:
        said, content = await said_of(in_decode_pool(self._encoded, image, box))
        buffers = [] if content is None else [content]
        self._reply(request, {"picture": {**said, "buffer": 0} if buffers else said}, buffers)

    def _encoded(self, image: Image.Image, box: tuple[int, int, int, int] | None) -> Thumbnail:
        with self._reading:  # an image still in its file is read once, by one thread
            image.load()
        part = _plain(image if box is None else image.crop(box))
        size = _within(part.size)
        if part.size != size:
            part = part.resize(size, reducing_gap=2.0)
        buffer = io.BytesIO()
        part.save(buffer, "WEBP", lossless=True, quality=30, method=0)
        return Thumbnail(buffer.getvalue(), "image/webp", *part.size)


def _slots(shown: Any) -> Iterable[_Slot]:
    from PIL import Image

    if isinstance(shown, ImageBatch):
        errors = {number: error for number, _, error in shown.failures}
        return [_Slot(image, asset.name, errors.get(n)) for n, (asset, image) in enumerate(shown.items())]
    if isinstance(shown, tuple) and len(shown) == 2 and isinstance(shown[0], AssetBase | str):
        name, shown = shown
        label = name.name if isinstance(name, AssetBase) else name
    else:
        label = None
    if shown is None or isinstance(shown, Image.Image):
        return [_Slot(shown, label)]
    raise TypeError(f"Compare shows PIL images, or (asset, image) pairs; got {type(shown).__name__}.")


def _described(slot: _Slot, label: str) -> dict[str, Any]:
    width, height = slot.image.size if slot.image is not None else (0, 0)
    message = cut(str(slot.error), LONGEST_MESSAGE) if slot.error is not None else None
    return {
        "label": cut(label, LONGEST_NAME),
        "width": width,
        "height": height,
        "whole": _within((width, height)) == (width, height),
        "message": message,
    }


def _letter(number: int) -> str:
    return "ABCDEFGHIJKLMNOP"[number]


def _within(size: tuple[int, int]) -> tuple[int, int]:
    """``size`` made to have at most `WHOLE` pixels, its ratio kept."""
    width, height = size
    if _few(width, height):
        return size
    scale = min(math.sqrt(WHOLE / (width * height)), LONGEST_SIDE / max(size))
    return max(1, int(width * scale)), max(1, int(height * scale))


def _few(width: int, height: int) -> bool:
    return width * height <= WHOLE and max(width, height) <= LONGEST_SIDE


def _fits(box: tuple[int, int, int, int], size: tuple[int, int]) -> bool:
    left, top, right, bottom = box
    return left < right <= size[0] and top < bottom <= size[1]


def _plain(image: Image.Image) -> Image.Image:
    """``image`` as RGB or RGBA."""
    if image.mode in ("RGB", "RGBA"):
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _asked(content: Mapping[str, Any]) -> _Ask | None:
    match content.get("op"):
        case "picture":
            box = None
            if content.get("box") is not None:
                corners = listed(content, "box", 4)
                if len(corners) != 4 or not all(is_index(corner) for corner in corners):
                    raise Refused("box must be left, top, right and bottom, in pixels.")
                box = (corners[0], corners[1], corners[2], corners[3])
            return _Picture(index(content, "index"), box)
        case _:
            return None
