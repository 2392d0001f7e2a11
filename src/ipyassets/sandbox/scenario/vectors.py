"""A picture as SVG: few flat colours, each one path of strips."""

from __future__ import annotations

import io
from collections import defaultdict
from functools import lru_cache

from PIL import Image

from ipyassets.sandbox import library

__all__ = ["traced"]

_CELLS = 72
_COLOURS = 12


@lru_cache(maxsize=4)
def traced(kind: library.Kind, key: str) -> bytes:
    """A shipped picture as an SVG file of its size."""
    with Image.open(io.BytesIO(library.picture(kind, key))) as stored:
        width, height = stored.size
        cells = (_CELLS, max(1, round(_CELLS * height / width)))
        image = stored.convert("RGB").resize(cells, Image.Resampling.BOX).quantize(_COLOURS)
    palette = image.getpalette() or []
    values = image.tobytes()
    strips: dict[int, list[str]] = defaultdict(list)
    for y in range(cells[1]):
        row = values[y * cells[0] : (y + 1) * cells[0]]
        start = 0
        for x in range(1, cells[0] + 1):
            if x == cells[0] or row[x] != row[start]:
                strips[row[start]].append(f"M{start} {y}h{x - start}v1H{start}z")
                start = x
    paths = "".join(
        f'<path fill="#{bytes(palette[3 * n : 3 * n + 3]).hex()}" d="{"".join(strip)}"/>'
        for n, strip in sorted(strips.items())
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {cells[0]} {cells[1]}" shape-rendering="crispEdges">{paths}</svg>\n'
    ).encode()
