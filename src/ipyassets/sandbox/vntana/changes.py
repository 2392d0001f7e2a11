"""What happens to products while a sandbox runs: other statuses, another state of conversion, another poster."""

from __future__ import annotations

import threading

from ipyassets.sandbox.vntana.catalogue import Catalogue, Poster, optimized
from ipyassets.sandbox.vntana.ids import named
from ipyassets.sandbox.vntana.request import CONVERSIONS, STATUSES
from ipyassets.sandbox.world import World

__all__ = ["Changes"]


class Changes:
    """Writes to the catalogue, and can take everything back. Safe from any thread."""

    def __init__(self, world: World, catalogue: Catalogue) -> None:
        self._world = world
        self._catalogue = catalogue
        self._lock = threading.Lock()
        self._before: dict[int, dict[str, int]] = {}
        self._posters = 0

    def status(self, index: int, status: str) -> None:
        """Publish a product, or make it a draft again."""
        self._write(index, status=STATUSES.index(status))

    def conversion(self, index: int, conversion: str, *, thumbnails: str | None = None) -> None:
        """Another state of conversion; ``thumbnails`` is that of its poster's making, if it differs (``ACTION_…``)."""
        changed = {"conversion": CONVERSIONS.index(conversion)}
        if conversion == "COMPLETED":
            columns = self._catalogue.columns
            size, polygons = optimized(columns.original_size[[index]], columns.original_poly[[index]])
            changed |= {"optimized_size": int(size[0]), "optimized_poly": int(polygons[0])}
        self.thumbnails(index, thumbnails)
        self._write(index, **changed)

    def thumbnails(self, index: int, action: str | None) -> None:
        """The state (``ACTION_…``) of the making of a poster; None: that of the conversion."""
        if action is None:
            self._catalogue.poster_actions.pop(index, None)
        else:
            self._catalogue.poster_actions[index] = action

    def poster(self, index: int, content: bytes) -> None:
        """A new poster under a new id: the image file ``content``."""
        with self._lock:
            self._posters += 1
            number = self._posters
        blob_id = named("poster", self._catalogue.products.uuid(index), str(number))
        self._catalogue.put_poster(index, Poster(blob_id, content))
        self._write(index, poster=1)

    def restore(self) -> None:
        """Make every product as it was when the sandbox was made."""
        with self._lock:
            before, self._before = self._before, {}
            for index, values in before.items():
                self._catalogue.put_poster(index, None)
                self._set(index, values)
            self._catalogue.poster_actions.clear()
            self._catalogue.version += 1

    def _write(self, index: int, **values: int) -> None:
        columns = self._catalogue.columns
        now = round(self._world.clock() * 1000) * 1000
        with self._lock:
            kept = self._before.setdefault(index, {})
            for name in (*values, "updated"):
                kept.setdefault(name, int(getattr(columns, name)[index]))
            self._set(index, {**values, "updated": now})
            self._catalogue.version += 1

    def _set(self, index: int, values: dict[str, int]) -> None:
        for name, value in values.items():
            getattr(self._catalogue.columns, name)[index] = value
