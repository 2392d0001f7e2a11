"""ImageGrid: the Explorer's grid over any PIL images."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import traitlets as t

from ipyassets.collections.batch import ImageBatch
from ipyassets.collections.facts import Facts
from ipyassets.collections.film import USUAL_FPS
from ipyassets.collections.html_page import Page, PageItem, write
from ipyassets.collections.images import in_decode_pool
from ipyassets.collections.progress import bar
from ipyassets.collections.thumbnails import Encode, Thumbnail, as_webp, miniature, quick
from ipyassets.collections.turn_frames import Film, ImageFilm
from ipyassets.collections.turn_sources import Source, opening
from ipyassets.errors import AssetServiceError, NotFound
from ipyassets.widgets.comm_widget import css_length
from ipyassets.widgets.grid_widget import FRAMES, GridWidget
from ipyassets.widgets.ranges import Ranges
from ipyassets.widgets.tiles import Tile

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["ImageGrid"]

FRAME_EDGE: Final = 512
"""Pixels a side of the frames of an animated image, at most; no tile is larger."""


class ImageGrid(GridWidget):
    """A grid of PIL images, with a name below each.

    ``images`` is a list, or an `ImageBatch`: then the names are its assets', and a slot that failed says why.
    ``captions``: one for each image. ``turntables``: one for each image (anything that a `TurntablePlayer` shows), None
    where there is none; they turn under the pointer, as animated images (GIFs, …) do by themselves. ``selection`` is a
    list of indexes, in order; it is observed and assigned like any trait.
    """

    selection = t.List(t.Int())
    """Indexes of the selected images, sorted. Assign any indexes to select them in the browser too."""

    def __init__(
        self,
        images: Sequence[Image.Image | None] | ImageBatch,
        captions: Sequence[str] | None = None,
        *,
        turntables: Sequence[Source | None] | None = None,
        height: int | str = 440,
    ) -> None:
        self._images = _Images(images, captions, turntables)
        count = len(self._images)
        super().__init__(
            _setup={
                "kind": "images",
                "label": "Images",
                "nouns": ["image", "images"],
                "missing": "No image",
                "height": css_length(height),
                "banner": None,
                "services": [],
                "turns": self._images.turns,
            },
            _query={"service": "", "place": None, "text": "", "filters": {}, "sort": None},
            _result={"generation": 1, "state": "ready", "count": count, "total": count, "ended": True, "message": None},
            _selection={"generation": 1, "ranges": [], "outside": 0},
        )

    def to_html(
        self,
        path: str | Path,
        *,
        title: str | None = None,
        width: int = 512,
        limit: int | None = 1_000,
        turntables: bool = True,
        progress: bool | None = None,
    ) -> Path:
        """Write the images as one HTML file that anybody can open, as `AssetList.to_html` does."""
        page = Page(
            path,
            title="Images" if title is None else title,
            width=width,
            limit=limit,
            turntables=turntables,
            nouns=("image", "images"),
            missing="No image",
        )
        images = self._images
        count = len(images) if page.limit is None else min(len(images), page.limit)
        write(page, images.page_items(), lambda: bar(count, "image", "Page", progress), lambda: len(images))
        return page.warn()

    @t.validate("selection")
    def _in_order(self, proposal: Any) -> list[int]:
        indexes = sorted(set(proposal.value))
        count = len(self._images)
        if indexes and not 0 <= indexes[0] <= indexes[-1] < count:
            raise t.TraitError(f"There are {count} images: indexes run from 0 to {count - 1}.")
        return indexes

    @t.observe("selection")
    def _selection_changed(self, change: Any) -> None:
        ranges = Ranges.indices(change.new)
        self._selection = {"generation": 1, "ranges": ranges.pairs, "outside": 0}

    def _person_selected(self, generation: int, ranges: Ranges) -> None:
        self._of(generation)
        self.selection = list(ranges.clip(len(self._images)))

    def _shown_now(self) -> _Images:
        return self._images

    def _about(self) -> str:
        count, selected = len(self._images), len(self.selection)
        return f"{count:,} image{'' if count == 1 else 's'}" + (f", {selected:,} selected." if selected else ".")

    def __repr__(self) -> str:
        count = len(self._images)
        return f"ImageGrid({count} image{'' if count == 1 else 's'}, {len(self.selection)} selected)"

    def _stand_in(self) -> str:
        count = len(self._images)
        return f"ImageGrid of {count} image{'' if count == 1 else 's'}: run this cell in a live notebook to see them."


class _Images:
    """The images of one grid; they never change."""

    generation = 1

    def __init__(
        self,
        images: Sequence[Image.Image | None] | ImageBatch,
        captions: Sequence[str] | None,
        turntables: Sequence[Source | None] | None,
    ) -> None:
        from PIL import Image

        self._images = list(images)
        for image in self._images:
            if image is not None and not isinstance(image, Image.Image):
                raise TypeError(f"An ImageGrid shows PIL images; got {type(image).__name__}.")
        self._errors: dict[int, AssetServiceError] = {}
        if isinstance(images, ImageBatch):
            self._errors = {index: error for index, _, error in images.failures}
            if captions is None:
                captions = [asset.name for asset in images.assets]
        self._captions = [str(caption) for caption in captions] if captions is not None else None
        if self._captions is not None and len(self._captions) != len(self._images):
            raise ValueError(f"There are {len(self._images)} images and {len(self._captions)} captions.")
        if turntables is not None and len(turntables) != len(self._images):
            raise ValueError(f"There are {len(self._images)} images and {len(turntables)} turntables.")
        self._turntables = [None if turning is None else opening(turning, FRAMES) for turning in turntables or ()]
        self._reading = threading.Lock()

    @property
    def turns(self) -> bool:
        """Whether anything here does."""
        return any(self._turntables) or any(map(_animated, self._images))

    def __len__(self) -> int:
        return len(self._images)

    async def tiles(self, first: int, last: int) -> list[Tile]:
        return [self._tile(index) for index in range(first, min(last + 1, len(self._images)))]

    def _tile(self, index: int) -> Tile:
        name = self._captions[index] if self._captions is not None else str(index)
        return Tile(index, str(index), name, self._images[index])

    async def picture(self, tile: Tile, edge: int, encode: Encode = quick) -> Thumbnail | None:
        if tile.index in self._errors:
            raise self._errors[tile.index]
        return None if tile.thing is None else await in_decode_pool(self._shrunk, tile.thing, edge, encode)

    async def page_items(self) -> AsyncGenerator[PageItem, None]:
        for index in range(len(self)):
            tile = self._tile(index)
            yield PageItem(
                tile.id, tile.name, self.facts(tile), partial(self._page_picture, tile), partial(self.film, tile)
            )

    async def _page_picture(self, tile: Tile, edge: int) -> Thumbnail:
        made = await self.picture(tile, edge, as_webp)
        if made is None:
            raise NotFound("There is no image.")
        return made

    def facts(self, tile: Tile) -> Facts:
        image = tile.thing
        facts = [("Index", str(tile.index))]
        if image is not None:
            facts += [("Size", f"{image.width} × {image.height} px"), ("Mode", image.mode)]  # noqa: RUF001
            if image.format:
                facts.append(("Format", image.format))
        return facts

    async def film(self, tile: Tile, most: int) -> Film | None:
        turning = self._turntables[tile.index] if self._turntables else None
        if turning is not None:
            opened, _ = await turning()
            return None if isinstance(opened, bytes) else opened
        if not _animated(tile.thing):
            return None
        return ImageFilm(await in_decode_pool(self._animation, tile.thing, most), USUAL_FPS)

    def _shrunk(self, image: Image.Image, edge: int, encode: Encode) -> Thumbnail:
        with self._reading:  # an image still in its file is read once, by one thread
            image.load()
            if _animated(image):
                image = image.copy()  # its frames are the same object, and may be walked through meanwhile
        return miniature(image, edge, encode)

    def _animation(self, image: Image.Image, most: int) -> list[Image.Image]:
        """At most ``most`` frames, small; the image is left at the frame where it was."""
        count = getattr(image, "n_frames", 1)
        frames = []
        with self._reading:
            here = image.tell()
            try:
                for number in range(0, count, -(-count // most)):
                    image.seek(number)
                    frame = image.convert("RGBA" if image.has_transparency_data else "RGB")
                    frame.thumbnail((FRAME_EDGE, FRAME_EDGE), reducing_gap=2.0)
                    frames.append(frame)
            finally:
                image.seek(here)
        return frames


def _animated(image: Image.Image | None) -> bool:
    return bool(getattr(image, "is_animated", False))
