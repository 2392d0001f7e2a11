"""What hangs on products before anybody asks for renders: earlier renders, and files that people uploaded."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import TypeAlias

from ipyassets.sandbox.rendering.orders import FORMATS, Order, Stills, Turntable, obstacle
from ipyassets.sandbox.vntana.attachments import Attachment
from ipyassets.sandbox.vntana.catalogue import Catalogue
from ipyassets.sandbox.vntana.ids import named

__all__ = ["earlier"]

Make: TypeAlias = Callable[[int, Order], Future[list[Path]]]

RENDERED = 12
"""The first products of the main workspace have earlier renders."""
MISSING = {3: 2, 7: 4}
"""Product to the number of a still that somebody deleted."""
STILLS_ALONE = (5, 10)
WITH_GIF = (0, 4, 8)
IN_FORMAT = {1: "JPG", 6: "WEBP"}
UPLOADS = {
    2: (("RENDER", "campaign-hero.png"), ("PRODUCT", "showroom-photo.png")),
    4: (("PRODUCT", "showroom-photo.png"),),
    9: (("RENDER", "retouched.png"),),
    20: (("PRODUCT", "showroom-photo.png"),),
    31: (("PRODUCT", "showroom-photo.png"),),
}
"""Product to files that people hung on it: such as are shown among the renders, and others."""

MINUTE = 60_000_000


def earlier(catalogue: Catalogue, make: Make) -> dict[int, list[Attachment]]:
    """By product. ``make`` is called when somebody wants the bytes of one; their identifiers never change."""
    hook = _Hook(catalogue, make)
    found: dict[int, list[Attachment]] = {index: hook.stills(index) + hook.film(index) for index in range(RENDERED)}
    for index, uploads in UPLOADS.items():
        found.setdefault(index, []).extend(
            hook.hang(index, entity, name, _photo(number)) for number, (entity, name) in enumerate(uploads)
        )
    return found


def _photo(number: int) -> Stills:
    """What a photographer might have taken: the model before a wall of another colour."""
    return Stills(720, 540, background=("#c9b8a4", "#5f6b73")[number % 2], count=1)


class _Hook:
    def __init__(self, catalogue: Catalogue, make: Make) -> None:
        self.catalogue = catalogue
        self.make = make

    def stills(self, index: int) -> list[Attachment]:
        order = Stills(640, 640, IN_FORMAT.get(index, "PNG"))
        version, ending = self.catalogue.blobs.uuid(index), FORMATS[order.format]
        return [
            self.hang(index, "RENDER", f"render-{number}-{version}.{ending}", order, number)
            for number in range(order.count)
            if number != MISSING.get(index)
        ]

    def film(self, index: int) -> list[Attachment]:
        order = Turntable(24, 12, 320, 320, gif=index in WITH_GIF)
        if index in STILLS_ALONE or obstacle(order):
            return []
        version = self.catalogue.blobs.uuid(index)
        return [
            self.hang(index, "TURNTABLE", f"turntable-{ending}-{version}.{ending}", order, place)
            for place, ending in enumerate(("gif", "mp4") if order.gif else ("mp4",))
        ]

    def hang(self, index: int, entity: str, name: str, order: Order, place: int = 0) -> Attachment:
        """``place``: which of the files of ``order`` it is."""
        generated = name.startswith(("render-", "turntable-"))
        minutes = (5 if entity == "TURNTABLE" else 2) if generated else 90
        path = f"{self.catalogue.products.uuid(index)}/{name}"
        return Attachment(
            index,
            entity,
            name,
            int(self.catalogue.columns.updated[index]) + minutes * MINUTE,
            partial(self.make, index, order),
            place,
            generated,
            uuid=named("attachment", path),
            blob=named("attachment-blob", path),
        )
